//! What was done and what was refused, recorded in the transaction that did it or undid it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    api::{Call, audit, chain},
    app::App,
    domain::{
        audit::{ActorKind, AuditEntry, Entity},
        project::Domain,
    },
    error::{Error, Result},
    id::Id,
    jobs::{Stranger, Wanted},
    store::Tx,
};

/// How much of what was asked for is recorded, in bytes of JSON.
const LARGEST: usize = 8 << 10;

/// Runs a method in a transaction, with its audit record.
pub(super) async fn write<S: Serialize + Send + 'static>(
    app: &App,
    action: &'static str,
    call: Call,
    method: impl FnOnce(&mut dyn Tx, &Call) -> Result<S> + Send + 'static,
) -> Result<Vec<u8>> {
    let (actor, request_id) = (call.caller.actor.clone(), call.request_id.clone());
    let done = app.store.write(move |tx| {
        let mut method = Some(method);
        let mut answer = Vec::new();
        let attempted = tx.attempt(&mut |tx| {
            let Some(method) = method.take() else { return Ok(()) };
            tx.watch_changes();
            answer = super::method::json(&method(tx, &call)?)?;
            audit::follows(tx, &call)
        });
        audit::record(tx, &call, action, &attempted)?;
        // The outer job succeeds either way, so that the record of a refusal is kept.
        Ok(attempted.map(|()| answer))
    });
    let answer = done.await??;
    tracing::info!(action, actor, request_id, "done");
    Ok(answer)
}

/// Records that a call was refused before it did anything; gives back why. What nobody in particular asked for is counted
/// instead, so that strangers do not fill the trail.
pub(super) async fn refused(app: &App, action: &'static str, call: Call, error: Error) -> Error {
    if call.actor().kind == ActorKind::Nobody {
        app.strangers.turned_away(Stranger {
            wanted: Wanted::Call(None),
            domain_id: None,
            code: error.code,
            at: call.now,
            remote: call.remote.clone().unwrap_or_default(),
            route: action.to_owned(),
            user_agent: call.user_agent.clone(),
        });
        return error;
    }
    let files = error.files.clone();
    let said: Result<()> = Err(Error { files, ..Error::new(error.code, error.detail.clone()) });
    match app.store.write(move |tx| audit::record(tx, &call, action, &said)).await {
        Ok(()) => error,
        Err(unrecorded) => unrecorded,
    }
}

/// Records that a call which changes nothing was answered: an export, say. It goes to the chain of `domain`; where none is
/// given, to that of what the call names.
///
/// # Errors
/// Where the store does not take it; then the call must not be answered either.
pub(super) async fn done(
    app: &App,
    action: &'static str,
    (call, domain): (&Call, Option<Id<Domain>>),
    (resource, details): (&str, Value),
) -> Result<()> {
    let entry = entry(call, action, resource);
    let text = details.to_string();
    let details = if text.len() > LARGEST {
        let beginning: String = text.chars().take(LARGEST / 4).collect();
        json!({ "beginning": beginning, "bytes": text.len() })
    } else {
        details
    };
    let (entry, call) = (entry.saying(details), call.clone());
    let record = move |tx: &mut dyn Tx| {
        let domain = match domain {
            Some(domain) => domain,
            None => chain::of_named(tx, &call, None)?,
        };
        tx.add_audit(&domain, entry, &call.mint).map(|_| ())
    };
    app.store.write(record).await
}

/// The record of a call that succeeds, for who writes it itself.
pub(super) fn entry(call: &Call, action: &str, resource: &str) -> AuditEntry {
    audit::entry(call, action).on(Entity::parse(resource))
}
