//! Whether a chain still contains the heads that were taken out of it before: whoever keeps them elsewhere can tell that it
//! was not written anew, whoever had the key.

use std::collections::BTreeMap;

use super::{AuditRecord, Broken, Fault, Head, Link, Trail, check::missing};
use crate::{digest::Digest, domain::project::Domain, id::Id};

/// What is said where a head tells of another record.
const REWRITTEN: &str =
    "the record is another one than when the head was taken out: the chain was written anew";

/// The head of a chain as it was taken out of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Whose the chain is.
    pub domain_id: Id<Domain>,
    /// Which of its domain's it is.
    pub trail: Trail,
    /// The newest record then.
    pub link: Link,
}

impl Exported {
    /// Whether it is of this chain.
    pub fn is_of(&self, head: &Head) -> bool {
        (&self.domain_id, self.trail) == (&head.domain_id, head.trail)
    }
}

/// Takes the records of a chain, and holds each head against the record that it names.
#[derive(Clone, Debug)]
pub struct Comparison {
    pending: BTreeMap<u64, Vec<Digest>>,
    broken: Option<Broken>,
}

impl Comparison {
    /// Begins with all heads that are of this chain.
    pub fn begin(head: &Head, exported: &[Exported]) -> Self {
        let mut pending: BTreeMap<u64, Vec<Digest>> = BTreeMap::new();
        for Exported { link, .. } in exported.iter().filter(|it| it.is_of(head)) {
            pending.entry(link.sequence).or_default().push(link.hash);
        }
        Self { pending, broken: None }
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &AuditRecord) {
        let Some(hashes) = self.pending.remove(&record.sequence) else { return };
        if self.broken.is_none() && hashes.iter().any(|hash| *hash != record.hash) {
            self.broken = Some(Broken {
                audit_id: Some(record.audit_id.clone()),
                ..broken(Fault::Rewritten, record.sequence, REWRITTEN.to_owned())
            });
        }
    }

    /// What speaks against the chain, which stood like this when its last record was taken.
    pub fn end(self, head: &Head) -> Option<Broken> {
        let (start, last) = (head.start(), head.last.sequence);
        let against = |(sequence, hashes): (u64, Vec<Digest>)| {
            if sequence > last {
                return Some(broken(Fault::Missing, last + 1, missing(last + 1, sequence)));
            }
            if sequence == start.sequence && hashes.iter().any(|hash| *hash != start.hash) {
                return Some(broken(Fault::Rewritten, sequence, REWRITTEN.to_owned()));
            }
            if sequence < start.sequence {
                let detail = format!(
                    "record {sequence} was removed as old since the head was taken out, so it cannot be compared: use a newer head"
                );
                return Some(broken(Fault::Unproven, sequence, detail));
            }
            None
        };
        self.broken.or_else(|| self.pending.into_iter().find_map(against))
    }
}

fn broken(fault: Fault, sequence: u64, detail: String) -> Broken {
    Broken { fault, sequence, audit_id: None, detail }
}
