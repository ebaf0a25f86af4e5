//! What was done to Alertmill and in it: records that are chained, so that a missing or changed one shows.

use serde_json::{Value, json};

use super::project::Domain;
use crate::{
    clock::{Timestamp, rfc3339},
    digest::{Digest, hex, sha256},
    id::{Id, Identified},
};

/// One thing that was done, or refused.
#[derive(Clone, Debug)]
pub struct AuditRecord {
    /// Its identifier.
    pub audit_id: Id<AuditRecord>,
    /// Its number in its domain's chain, from one, without gaps.
    pub sequence: u64,
    /// The domain whose chain it is in.
    pub domain_id: Id<Domain>,
    /// What is recorded.
    pub entry: AuditEntry,
    /// The hash of the record before it; zeros for the first.
    pub previous: Digest,
    /// The hash of this record, `previous` included.
    pub hash: Digest,
}

/// What one record says.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// When it was done.
    pub occurred_at: Timestamp,
    /// Who did it: `token:<id>`, `timer:<name>`, `command:<name>`.
    pub actor: String,
    /// What was done, e.g. `webhook.create`.
    pub action: String,
    /// What it was done to, e.g. `webhook:webhook-0198…`.
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
}

impl Identified for AuditRecord {
    const PREFIX: &'static str = "audit";
}

impl AuditEntry {
    /// The hash of a record with this entry: the SHA-256 of the hash before it and of what it says, as JSON with
    /// sorted keys.
    pub fn chained(&self, sequence: u64, previous: &Digest) -> Digest {
        let said = json!({
            "sequence": sequence,
            "occurred_at": rfc3339(self.occurred_at),
            "actor": self.actor,
            "action": self.action,
            "resource": self.resource,
            "outcome": self.outcome,
            "before": self.before,
            "after": self.after,
            "remote": self.remote,
            "request_id": self.request_id,
            "previous": hex(previous),
        });
        sha256(said.to_string().as_bytes())
    }
}

impl AuditRecord {
    /// Whether it says what its hash says, and follows a record whose hash is `previous`.
    pub fn follows(&self, previous: &Digest) -> bool {
        self.previous == *previous && self.hash == self.entry.chained(self.sequence, previous)
    }
}
