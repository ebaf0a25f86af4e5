//! What is taken out of the audit trail: the records of one domain, of one trail.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::super::{Call, audit};
use crate::{
    domain::{
        audit::Trail,
        project::Domain,
        scope::{Reach, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    query::{AUDITS, Query},
    store::Tx,
};

/// The columns of a table of audit records where none are asked for.
pub const AUDIT_COLUMNS: &[&str] = &[
    "sequence",
    "occurred_at",
    "actor_type",
    "actor_name",
    "actor_id",
    "action",
    "outcome",
    "reason",
    "entity_type",
    "entity_name",
    "entity_id",
    "remote",
    "user_agent",
    "request_id",
    "before",
    "after",
    "details",
    "trail",
    "posted_id",
    "audit_id",
    "domain_id",
];

/// Asks for audit records as a file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExportAudits {
    /// Whose doings the records tell of; `OWN` by default, what was done to and in Alertmill.
    trail: Option<Trail>,
    /// Which records, in which order, and what of each.
    query: Value,
}

impl ExportAudits {
    /// The query, checked.
    ///
    /// # Errors
    /// Where it is none, or the caller may not see the audit trail.
    pub fn checked(self, call: &Call) -> Result<Query> {
        audit::admit(call)?;
        let trail = self.trail.unwrap_or(Trail::Own).as_str();
        let query = Query::parse(&self.query, &AUDITS, call.now)?;
        Ok(query.narrowed("trail", trail.into(), &AUDITS)?)
    }
}

/// The one domain whose records leave in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its identifier.
    pub domain_id: Id<Domain>,
    /// Its number, which is its own for ever.
    pub number: u64,
}

impl Tenant {
    /// What may be seen of it: all.
    pub fn scope(&self) -> Scope {
        let domains = Reach::Only(BTreeSet::from([self.domain_id.clone()]));
        Scope { domains, workspaces: Reach::All, projects: Reach::All }
    }
}

/// The domain that a caller asks about: the one that is named, or the only one in reach.
///
/// # Errors
/// Where the caller may not see the audit trail, where there is no such domain, or where several are in reach and none is
/// named: records of two domains never share a file.
pub fn tenant(tx: &dyn Tx, call: &Call, named: Option<Id<Domain>>) -> Result<Tenant> {
    audit::admit(call)?;
    let scope = &call.caller.scope;
    let domain_id = match named {
        Some(domain_id) => domain_id,
        None => only(tx, scope)?,
    };
    let number = tx.domain_number(scope, &domain_id)?;
    let number = number.ok_or_else(|| Error::not_found("domain", &domain_id))?;
    Ok(Tenant { domain_id, number })
}

fn only(tx: &dyn Tx, scope: &Scope) -> Result<Id<Domain>> {
    if let Reach::Only(some) = &scope.domains
        && let (1, Some(domain_id)) = (some.len(), some.first())
    {
        return Ok(domain_id.clone());
    }
    let domains = tx.domains(scope)?;
    match domains.as_slice() {
        [one] => Ok(one.domain_id.clone()),
        several => {
            let detail = format!(
                "you reach {} domains, and records of two never stand together: name one with `domain_id`",
                several.len()
            );
            Err(Error::at(Code::RequiredParameter, "/domain_id", detail))
        }
    }
}
