//! Rules and plugins are loaded again, and whoever should hear of it does: the caller, the log and the project `system`.

use std::sync::Arc;

use super::{Jobs, self_check};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    ingest::{self, Prompt, Refusal, Reloaded, Swap},
};

/// Loads rules and plugins again.
///
/// # Errors
/// Where nothing could be tried. What is refused is no error here.
pub async fn reload(jobs: &Jobs, prompt: Prompt, now: Timestamp) -> Result<Reloaded> {
    let intake = Arc::clone(&jobs.intake);
    let reading = tokio::task::spawn_blocking(move || ingest::reload(&intake, prompt, now));
    let reloaded = reading.await.map_err(Error::internal)?;
    match &reloaded {
        Reloaded::Unchanged if prompt == Prompt::Watched => {}
        Reloaded::Unchanged => tracing::info!("rules and plugins have not changed"),
        Reloaded::Restored => {
            tracing::info!("rules and plugins are again what is live; nothing is refused any more");
        }
        Reloaded::Swapped(swap) => say_swapped(swap),
        Reloaded::Refused(refusal) => say_refused(refusal),
    }
    if let Err(error) = self_check::check_rules(jobs, now).await {
        tracing::warn!(%error, cause = ?error.cause, "how a reload went could not be reported");
    }
    Ok(reloaded)
}

fn say_swapped(Swap { version, files, warnings }: &Swap) {
    tracing::info!(version, files = files.join(", "), "loaded rules and plugins again");
    for warning in warnings {
        tracing::warn!(version, "{warning}");
    }
}

fn say_refused(Refusal { mistakes, .. }: &Refusal) {
    for mistake in mistakes {
        tracing::error!("{}", mistake.sentence());
    }
    tracing::error!(
        mistakes = mistakes.len(),
        "rules and plugins were not loaded again; those from before are live still"
    );
}
