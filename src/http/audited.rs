//! What was done and what was refused, recorded in the transaction that did it or undid it.

use serde::Serialize;

use super::method::json;
use crate::{
    api::{Call, audit},
    app::App,
    domain::{
        audit::{AuditEntry, Entity},
        project::Domain,
    },
    error::{Error, Result},
    id::Id,
    store::Tx,
};

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
            answer = json(&method(tx, &call)?)?;
            Ok(())
        });
        audit::record(tx, &call, action, &attempted)?;
        // The outer job succeeds either way, so that the record of a refusal is kept.
        Ok(attempted.map(|()| answer))
    });
    let answer = done.await??;
    tracing::info!(action, actor, request_id, "done");
    Ok(answer)
}

/// Records that a call was refused before it did anything; gives back why.
pub(super) async fn refused(app: &App, action: &'static str, call: Call, error: Error) -> Error {
    let said: Result<()> = Err(Error::new(error.code, error.detail.clone()));
    match app.store.write(move |tx| audit::record(tx, &call, action, &said)).await {
        Ok(()) => error,
        Err(unrecorded) => unrecorded,
    }
}

/// The record of a call that succeeds, for who writes it itself, and the domain whose chain it belongs to.
pub(super) fn entry(call: &Call, action: &str, resource: &str) -> (Id<Domain>, AuditEntry) {
    let entry = audit::entry(call, action).on(Entity::parse(resource));
    (audit::chain(call), entry)
}
