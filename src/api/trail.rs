//! The one writer of what others post of what was done: many records at once, each with a result of its own.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Call, chain};
use crate::{
    clock::to_millis,
    domain::{
        audit::{AuditEntry, AuditRecord, Trail},
        project::Domain,
    },
    error::{Code, Error, Result},
    id::Id,
    store::{Posting, Tx},
};

/// Where the details say who posted a record, if that is somebody else than who did what it tells.
pub const POSTED_BY: &str = "posted_by";

/// A record that somebody posts.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What its sender calls it; who posts it again under this name gets the first record.
    pub posted_id: Option<String>,
    /// What it says. When it came and in which request is not the sender's to say.
    pub entry: AuditEntry,
}

/// Writes each draft to a trail of the caller's domain, in a part of its own: what fails leaves the others. A name that
/// comes twice among them fails the later one; one that was posted before gives the record from then, if it said the
/// same.
///
/// # Errors
/// Where the store fails, so that the next draft would fail too.
pub fn post(
    tx: &mut dyn Tx,
    call: &Call,
    trail: Trail,
    drafts: Vec<Draft>,
) -> Result<Vec<Result<AuditRecord>>> {
    let mut names = BTreeSet::new();
    let mut results = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if let Some(name) = &draft.posted_id
            && !names.insert(name.clone())
        {
            let detail = format!("`{name}` comes twice in this request; the first one counts");
            results.push(Err(Error::new(Code::NotUnique, detail)));
            continue;
        }
        let mut kept = None;
        let attempted = tx.attempt(&mut |tx| {
            kept = Some(posted(tx, call, trail, draft.clone())?);
            Ok(())
        });
        match (attempted, kept) {
            (Ok(()), Some(record)) => results.push(Ok(record)),
            (Ok(()), None) => return Err(Error::internal("a part of a unit of work was left out")),
            // What is not the draft's fault would befall the next one too.
            (Err(error), _) if error.code.status() >= 500 => return Err(error),
            (Err(error), _) => results.push(Err(error)),
        }
    }
    Ok(results)
}

/// Writes one record to a trail of the caller's domain; the first one where it was posted before and said the same.
///
/// # Errors
/// `ERROR_NOT_UNIQUE` where another one was posted under its name.
pub fn posted(tx: &mut dyn Tx, call: &Call, trail: Trail, draft: Draft) -> Result<AuditRecord> {
    posted_in(tx, call, (&chain::of_caller(call), trail), draft)
}

/// The same in a domain that the caller names, which must be one that it reaches.
///
/// # Errors
/// As [`posted`].
pub fn posted_in(
    tx: &mut dyn Tx,
    call: &Call,
    (domain, trail): (&Id<Domain>, Trail),
    draft: Draft,
) -> Result<AuditRecord> {
    let Draft { posted_id, mut entry } = draft;
    entry.occurred_at = to_millis(entry.occurred_at);
    entry.received_at = call.now;
    entry.request_id = Some(call.request_id.clone());
    if entry.actor.to_string() != call.caller.actor
        && let Value::Object(details) = &mut entry.details
    {
        details.insert(POSTED_BY.to_owned(), Value::from(&*call.caller.actor));
    }
    let said = entry.clone();
    let named = (trail, posted_id.as_deref());
    match tx.post_audit(domain, named, entry, &call.mint)? {
        Posting::New(record) => Ok(*record),
        Posting::Known(record) if says_the_same(&record.entry, &said) => Ok(*record),
        Posting::Known(record) => {
            let name = record.posted_id.unwrap_or_default();
            let detail = format!("`{name}` was posted before and said something else");
            Err(Error::new(Code::NotUnique, detail))
        }
    }
}

/// Whether two records say the same, whoever posted them, when, and in which request.
fn says_the_same(one: &AuditEntry, other: &AuditEntry) -> bool {
    let said = |entry: &AuditEntry| {
        let mut said =
            AuditEntry { received_at: entry.occurred_at, request_id: None, ..entry.clone() };
        if let Value::Object(details) = &mut said.details {
            details.remove(POSTED_BY);
        }
        said
    };
    said(one) == said(other)
}
