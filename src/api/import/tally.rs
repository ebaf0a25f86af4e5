//! What the audit trail tells of an import: in the chain of each domain what came to it, and of no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Created, Fate};
use crate::{
    api::Call,
    domain::{
        project::{DEFAULT_DOMAIN, Domain},
        scope::Scope,
    },
    error::Result,
    id::Id,
    store::Tx,
};

/// What came to each domain; lines that cannot be read are of none.
#[derive(Default)]
pub(super) struct Tallies(BTreeMap<Option<Id<Domain>>, Tally>);

/// What came to one domain.
#[derive(Clone, Default)]
struct Tally {
    imported: u64,
    unchanged: u64,
    refused: u64,
    orphaned: u64,
    created: Created,
}

impl Tallies {
    /// Counts what became of a line.
    pub(super) fn count(&mut self, domain: Option<Id<Domain>>, fate: &Fate) {
        let tally = self.0.entry(domain).or_default();
        match fate {
            Fate::Added => tally.imported += 1,
            Fate::Orphaned => {
                tally.imported += 1;
                tally.orphaned += 1;
            }
            Fate::Unchanged => tally.unchanged += 1,
            Fate::Refused(_) => tally.refused += 1,
        }
    }

    /// Notes for the audit trail what became of an import, without what was wrong with each line.
    pub(super) fn note(
        self,
        tx: &dyn Tx,
        (call, what): (&Call, &str),
        made: BTreeMap<Id<Domain>, Created>,
    ) -> Result<()> {
        let domains = tx.domains(&Scope::EVERYTHING)?.into_iter().map(|domain| domain.domain_id);
        let domains: BTreeSet<Id<Domain>> = domains.collect();
        let mut told: BTreeMap<Id<Domain>, Tally> = BTreeMap::new();
        for (domain, tally) in self.0 {
            // What was refused may name a domain that nothing came to.
            let domain = domain.filter(|domain| domains.contains(domain));
            let told = told.entry(domain.unwrap_or_else(|| DEFAULT_DOMAIN.into())).or_default();
            told.imported += tally.imported;
            told.unchanged += tally.unchanged;
            told.refused += tally.refused;
            told.orphaned += tally.orphaned;
        }
        for (domain, created) in made {
            told.entry(domain).or_default().created = created;
        }
        if told.is_empty() {
            told.insert(DEFAULT_DOMAIN.into(), Tally::default());
        }
        for (domain, tally) in told {
            let Tally { imported, unchanged, refused, orphaned, created } = tally;
            let said = json!({
                "imported": imported,
                "unchanged": unchanged,
                "refused": refused,
                "orphaned": orphaned,
                "created": created,
            });
            call.touched_in(&domain, ("import", what), (None, Some(said)));
        }
        Ok(())
    }
}
