//! `audit.*`: what was done, and what was refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Moment, Page, call::Touched};
use crate::{
    digest::hex,
    domain::{
        audit::{AuditEntry, AuditRecord},
        project::Domain,
        scope::{Reach, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    store::{AuditQuery, Total, Tx},
};

/// The most records a page has, and how many it has where nothing is said.
const MOST: u32 = 1000;

/// The domain whose chain records what belongs to no single domain.
const DEFAULT_DOMAIN: &str = "default";

/// One thing that was done, or refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditInfo {
    /// Its identifier.
    pub audit_id: Id<AuditRecord>,
    /// Its number in its domain's chain, from one, without gaps.
    pub sequence: u64,
    /// The domain whose chain it is in.
    pub domain_id: Id<Domain>,
    /// When it was done.
    pub occurred_at: Moment,
    /// Who did it.
    pub actor: String,
    /// What was done, e.g. `webhook.create`.
    pub action: String,
    /// What it was done to.
    pub resource: Option<String>,
    /// Whether it was done: `SUCCESS`, or the code of the error it was refused with.
    pub outcome: String,
    /// What was so before.
    pub before: Option<Value>,
    /// What is so now.
    pub after: Option<Value>,
    /// The address it came from.
    pub remote: Option<String>,
    /// The request it came in.
    pub request_id: Option<String>,
    /// The hash of the record before it.
    pub previous: String,
    /// The hash of this record.
    pub hash: String,
}

impl From<AuditRecord> for AuditInfo {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord { audit_id, sequence, domain_id, entry, previous, hash } = record;
        let AuditEntry {
            occurred_at,
            actor,
            action,
            resource,
            outcome,
            before,
            after,
            remote,
            request_id,
        } = entry;
        Self {
            audit_id,
            sequence,
            domain_id,
            occurred_at: occurred_at.into(),
            actor,
            action,
            resource,
            outcome,
            before,
            after,
            remote,
            request_id,
            previous: hex(&previous),
            hash: hex(&hash),
        }
    }
}

/// Asks for audit records.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListAudits {
    /// Only those of this action.
    action: Option<String>,
    /// Only those of this actor.
    actor: Option<String>,
    /// Only those of this resource.
    resource: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<Id<AuditRecord>>,
    /// How many at most; 1000 by default and at most.
    limit: Option<u32>,
}

/// Audit records, newest first.
pub fn list(tx: &dyn Tx, call: &Call, request: ListAudits) -> Result<Page<AuditInfo>> {
    let ListAudits { action, actor, resource, cursor, limit } = request;
    let limit = limit.filter(|rows| *rows > 0).unwrap_or(MOST).min(MOST);
    let Scope { workspaces, projects, .. } = &call.caller.scope;
    if (workspaces, projects) != (&Reach::All, &Reach::All) {
        // A record may be of any workspace of its domain.
        let detail = "the audit trail is for those who reach a whole domain";
        return Err(Error::new(Code::PermissionDenied, detail));
    }
    let query = AuditQuery { action, actor, resource, before: cursor, limit: limit + 1 };
    let mut records = tx.audits(&call.caller.scope, &query)?;
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let next_cursor = records.last().filter(|_| more).map(|last| last.audit_id.to_string());
    let results = records.into_iter().map(AuditInfo::from).collect();
    Ok(Page::new(results, Total::Unknown, next_cursor))
}

/// Records what a call did or why it was refused, in the transaction that did it or undid it: one record for each thing
/// that it touched, and one if it touched nothing.
pub fn record<T>(tx: &mut dyn Tx, call: &Call, action: &str, outcome: &Result<T>) -> Result<()> {
    let mut touched = call.notes.take();
    let outcome = match outcome {
        Ok(_) => "SUCCESS",
        Err(error) => {
            // Nothing of it happened; the first thing named is what it was about.
            touched.truncate(1);
            for refused in &mut touched {
                (refused.before, refused.after) = (None, None);
            }
            error.code.name()
        }
    };
    if touched.is_empty() {
        return add(tx, call, (action, outcome), None);
    }
    touched.into_iter().try_for_each(|touched| add(tx, call, (action, outcome), Some(touched)))
}

fn add(
    tx: &mut dyn Tx,
    call: &Call,
    (action, outcome): (&str, &str),
    touched: Option<Touched>,
) -> Result<()> {
    let (resource, before, after) = match touched {
        Some(Touched { resource, before, after }) => (Some(resource), before, after),
        None => (None, None, None),
    };
    let entry = AuditEntry {
        occurred_at: call.now,
        actor: call.caller.actor.clone(),
        action: action.to_owned(),
        resource,
        outcome: outcome.to_owned(),
        before,
        after,
        remote: call.remote.clone(),
        request_id: Some(call.request_id.clone()),
    };
    tx.add_audit(&chain(call), entry, &call.mint).map(|_| ())
}

/// The domain whose chain records what the caller does.
fn chain(call: &Call) -> Id<Domain> {
    match &call.caller.scope.domains {
        Reach::Only(some) if some.len() == 1 => some.first().cloned(),
        Reach::Only(_) | Reach::All => None,
    }
    .unwrap_or_else(|| DEFAULT_DOMAIN.into())
}
