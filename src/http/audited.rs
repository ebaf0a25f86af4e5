//! What was done and what was refused, recorded in the transaction that did it or undid it.

use crate::{
    api::Call,
    app::App,
    domain::{audit::AuditEntry, project::Domain, scope::Reach},
    error::{Error, Result},
    id::Id,
    store::Tx,
};
use serde::Serialize;

use super::method::json;

/// Runs a method in a transaction, with its audit record.
pub(super) async fn write<S: Serialize + Send + 'static>(
    app: &App,
    action: &'static str,
    call: Call,
    method: impl FnOnce(&mut dyn Tx, &Call) -> Result<S> + Send + 'static,
) -> Result<Vec<u8>> {
    app.store
        .write(move |tx| {
            let mut method = Some(method);
            let mut answer = None;
            let attempted = tx.attempt(&mut |tx| {
                let Some(method) = method.take() else { return Ok(()) };
                answer = Some(json(&method(tx, &call)?)?);
                Ok(())
            });
            record(tx, &call, action, attempted.as_ref().err())?;
            // The outer job succeeds either way, so that the record of a refusal is kept.
            Ok(attempted.map(|()| answer.unwrap_or_default()))
        })
        .await?
}

/// Records that a call was refused before it did anything; gives back why.
pub(super) async fn refused(app: &App, action: &'static str, call: Call, error: Error) -> Error {
    let code = Error::new(error.code, error.detail.clone());
    match app.store.write(move |tx| record(tx, &call, action, Some(&code))).await {
        Ok(()) => error,
        Err(unrecorded) => unrecorded,
    }
}

fn record(tx: &mut dyn Tx, call: &Call, action: &str, refused: Option<&Error>) -> Result<()> {
    let domain: Id<Domain> = match &call.caller.scope.domains {
        Reach::All => "default".into(),
        Reach::Only(some) => some.first().cloned().unwrap_or_else(|| "default".into()),
    };
    let entry = AuditEntry {
        occurred_at: call.now,
        actor: call.caller.actor.clone(),
        action: action.to_owned(),
        resource: None,
        outcome: refused.map_or("SUCCESS", |error| error.code.name()).to_owned(),
        before: None,
        after: None,
        remote: call.remote.clone(),
        request_id: Some(call.request_id.clone()),
    };
    tx.add_audit(&domain, entry, &call.mint).map(|_| ())
}
