//! Rules and plugins are loaded again, and whoever should hear of it does: the caller, the log and the project `system`.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::{Jobs, self_check};
use crate::{
    clock::Timestamp,
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity, SUCCESS, Trail},
        project::DEFAULT_DOMAIN,
        scope::Scope,
    },
    error::{Code, Error, Result},
    ingest::{self, Prompt, Refusal, Reloaded, Swap},
    load_error::LoadError,
    query::{AUDITS, Query},
    store::Tx,
};

/// What it is called in the audit trail.
pub const ACTION: &str = "rules.reload";

/// How long after a reload it is recorded at the latest by whoever asked for it.
const MOMENT: TimeDelta = TimeDelta::seconds(30);

/// How many files, warnings and mistakes a record names.
const TOLD: usize = 20;

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

/// Loads rules and plugins again, and records what came of it where that is news; for who asks in no call of the API.
///
/// # Errors
/// Where nothing could be tried, or not be recorded.
pub async fn reload_recorded(
    jobs: &Jobs,
    (prompt, actor): (Prompt, Actor),
    now: Timestamp,
) -> Result<()> {
    let before = jobs.intake.shelves.standing().version.clone();
    let reloaded = reload(jobs, prompt, now).await?;
    if matches!(reloaded, Reloaded::Unchanged) && prompt == Prompt::Watched {
        return Ok(());
    }
    let after = jobs.intake.shelves.standing().version.clone();
    let entry = AuditEntry::new(now, actor, ACTION);
    let entry = told(entry, &reloaded, (&before, &after));
    add(jobs, entry).await?;
    if matches!(reloaded, Reloaded::Swapped(_)) {
        // Of another outcome it does not say how what is live came to be.
        jobs.intake.shelves.is_recorded(&after);
    }
    Ok(())
}

/// Records which rules and plugins are live where the audit trail tells of others: they changed while no server ran, or a
/// reload could not be recorded.
///
/// # Errors
/// Where the store cannot be asked, or does not take the record.
pub(super) async fn catch_up(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let shelves = &jobs.intake.shelves;
    let (standing, recorded) = (shelves.standing(), shelves.recorded());
    let (actor, before) = match recorded {
        // Who asked for a reload records it in a moment.
        Some(recorded) if *recorded == standing.version || now - standing.loaded_at < MOMENT => {
            return Ok(());
        }
        Some(recorded) => (Actor::unnamed(ActorKind::Timer, "watch"), Some((*recorded).clone())),
        None => (Actor::unnamed(ActorKind::Command, "serve"), newest(jobs, now).await?),
    };
    if before.as_ref() != Some(&standing.version) {
        let entry = AuditEntry::new(now, actor, ACTION)
            .on(Entity::new("rules", &standing.version))
            .changed(
                before.map(|version| json!({ "version": version })),
                Some(json!({ "version": standing.version })),
            )
            .saying(json!({ "outcome": "found" }));
        add(jobs, entry).await?;
    }
    shelves.is_recorded(&standing.version);
    Ok(())
}

/// The version that the audit trail tells of last.
async fn newest(jobs: &Jobs, now: Timestamp) -> Result<Option<String>> {
    let asked = json!({
        "filter": [
            { "k": "trail", "v": Trail::Own.as_str(), "o": "eq" },
            { "k": "domain_id", "v": DEFAULT_DOMAIN, "o": "eq" },
            { "k": "action", "v": ACTION, "o": "eq" },
            { "k": "outcome", "v": SUCCESS, "o": "eq" },
        ],
        "page": { "limit": 1 },
    });
    let query = Query::parse(&asked, &AUDITS, now)?.uncounted();
    let found = jobs.intake.store.read(move |tx| tx.audits(&Scope::EVERYTHING, &query)).await?;
    let after = found.rows.into_iter().next().and_then(|record| record.entry.after);
    Ok(after.and_then(|after| after["version"].as_str().map(str::to_owned)))
}

async fn add(jobs: &Jobs, entry: AuditEntry) -> Result<()> {
    let mint = jobs.clock.mint().clone();
    let add = move |tx: &mut dyn Tx| tx.add_audit(&DEFAULT_DOMAIN.into(), entry, &mint);
    jobs.intake.store.write(add).await.map(|_| ())
}

/// What the audit trail says of loading rules and plugins again, which turned one version into another.
pub fn told(entry: AuditEntry, reloaded: &Reloaded, (before, after): (&str, &str)) -> AuditEntry {
    let entry = entry.on(Entity::new("rules", after));
    let (outcome, swap) = match reloaded {
        Reloaded::Unchanged => ("unchanged", None),
        Reloaded::Restored => ("restored", None),
        Reloaded::Swapped(swap) => ("swapped", Some(swap)),
        Reloaded::Refused(Refusal { mistakes, .. }) => {
            let said: Vec<String> = mistakes.iter().take(TOLD).map(LoadError::sentence).collect();
            let detail = format!("{} mistakes, so nothing was loaded", mistakes.len());
            let details = json!({ "mistakes": said });
            return entry.refused(&Error::new(Code::RulesRefused, detail)).saying(details);
        }
    };
    let (files, warnings) = swap.map_or_else(Default::default, |swap| {
        let some = |all: &[String]| all.iter().take(TOLD).cloned().collect::<Vec<_>>();
        (some(&swap.files), some(&swap.warnings))
    });
    let (before, after) = (json!({ "version": before }), json!({ "version": after }));
    let details = json!({ "outcome": outcome, "files": files, "warnings": warnings });
    entry.changed(Some(before), Some(after)).saying(details)
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
