//! What these commands did, in the audit trail: appended at once where no server runs, else left for the server to take
//! in.

use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Arc};

use serde_json::Value;

use crate::{
    app::{existing_key, lock, seal_file, store_file},
    cli::Failure,
    clock::Clock,
    domain::audit::SealKey,
    error::{Code, Result},
    jobs::Note,
    metrics::Metrics,
    store::{Options, Store, files},
};

/// Whether a store may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing is known against it.
    Well,
    /// It is damaged: writing to it may make that worse.
    Damaged,
}

/// Records what a command did to the store of a data directory; how that went, for people.
pub(super) async fn record(
    data: &Path,
    action: &str,
    (done, health): (&std::result::Result<Value, Failure>, Health),
) -> Option<String> {
    if !store_file(data).is_file() {
        // Nothing was done, and there is no trail.
        return None;
    }
    let note = note(action, done);
    if health == Health::Well && append(data, &note).await {
        return Some("It is in the audit trail.".to_owned());
    }
    Some(match note.leave(data) {
        Ok(()) => "The server writes it into the audit trail: within a minute if it runs, else at its next start.".to_owned(),
        Err(cause) => {
            format!("It is NOT in the audit trail: the directory cannot be written to ({cause}).")
        }
    })
}

fn note(action: &str, done: &std::result::Result<Value, Failure>) -> Note {
    let clock = Clock::system();
    let now = clock.now();
    let before = done.as_ref().ok().and_then(|done| done.get("replaced").cloned());
    let (outcome, reason, after) = match done {
        Ok(done) => {
            let mut done = done.clone();
            let is_well = done["ok"] != false;
            if let Some(members) = done.as_object_mut() {
                members.remove("said");
                members.remove("replaced");
            }
            let reason = (!is_well).then(|| "the store is not well".to_owned());
            let outcome = if is_well { "SUCCESS" } else { Code::Internal.name() };
            (outcome, reason, Some(done))
        }
        Err(failure) => (Code::InvalidParameter.name(), Some(failure.to_string()), None),
    };
    // Who types a command owns what the system says of its process.
    let user = fs::metadata("/proc/self").map(|this| format!("uid {}", this.uid()));
    Note {
        note_id: clock.mint().id::<Command>(now).to_string(),
        at: now,
        action: format!("store.{action}"),
        user: user.unwrap_or_else(|_| "somebody".to_owned()),
        outcome: outcome.to_owned(),
        reason,
        before,
        after,
    }
}

/// The kind of thing that a note's identifier is the identifier of.
struct Command;

impl crate::id::Identified for Command {
    const PREFIX: &'static str = "command";
}

/// Appends a note to the trail itself; whether that could be done. While a server runs, or before the store is brought
/// up to date, it cannot.
async fn append(data: &Path, note: &Note) -> bool {
    let file = store_file(data);
    let (Ok(_lock), Ok(true)) = (lock(data), files::is_current(&file)) else { return false };
    // What is appended must be signed as the server would.
    let Ok(Some(key)) = existing_key(&seal_file(data)) else { return false };
    let options = Options { seal: SealKey::new(key), ..Options::default() };
    let added = async {
        let store = Store::open(&file, &options, Arc::new(Metrics::default()))?;
        let clock = Clock::system();
        let added = note.clone().append(&store, clock.mint().clone(), clock.now()).await;
        store.close();
        added
    };
    let added: Result<()> = added.await;
    added.is_ok()
}
