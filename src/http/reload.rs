//! `POST /api/v1/rules/reload`: rules and plugins are loaded again, all of them or none.

use actix_web::web::Data;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Front,
    method::{Method, act},
};
use crate::{
    api::{Call, audit, chain},
    domain::token::Right,
    error::{Code, Error, Result},
    ingest::{Prompt, Refusal, Reloaded, Swap},
    jobs,
};

/// What the method is called in the audit trail.
pub(super) const NAME: &str = jobs::reload::ACTION;

/// The method of this file.
pub(super) fn method() -> Method {
    let summary = "Loads rules and plugins again, all of them or none.";
    Method::post("/api/v1/rules/reload", NAME, summary, act(reload)).needs(Right::Administer)
}

/// Asks for nothing in particular.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What came of loading rules and plugins again.
#[derive(Serialize, JsonSchema)]
struct ReloadInfo {
    /// What came of it.
    outcome: ReloadOutcome,
    /// Which rules and plugins are live now: a digest of them all.
    version: String,
    /// How many mappings are live now.
    mappings: usize,
    /// How many plugins are live now.
    plugins: usize,
    /// The files that were added, changed or removed, e.g. `rules/mine/mapping.yaml`.
    files: Vec<String>,
    /// What is most likely not meant, e.g. a plugin that webhooks need is gone.
    warnings: Vec<String>,
}

/// What came of loading rules and plugins again.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ReloadOutcome {
    /// No file has changed.
    Unchanged,
    /// The files say again what is live; what they said in between was refused.
    Restored,
    /// What the files say is live from now on.
    Swapped,
}

async fn reload(front: Data<Front>, call: Call, _: Nothing) -> Result<ReloadInfo> {
    let app = &front.app;
    let before = app.intake.shelves.standing().version.clone();
    let reloaded = jobs::reload(&app.jobs(), Prompt::Asked, call.now).await?;
    let version = app.intake.shelves.standing().version.clone();
    call.touches("rules", &version);
    let entry = jobs::reload::told(audit::entry(&call, NAME), &reloaded, (&before, &version));
    let (outcome, swap) = match reloaded {
        Reloaded::Unchanged => (ReloadOutcome::Unchanged, Swap::default()),
        Reloaded::Restored => (ReloadOutcome::Restored, Swap::default()),
        Reloaded::Swapped(swap) => (ReloadOutcome::Swapped, swap),
        Reloaded::Refused(refusal) => return Err(refused(refusal, &version)),
    };
    let (domain, mint) = (chain::of_caller(&call), call.mint.clone());
    app.store.write(move |tx| tx.add_audit(&domain, entry, &mint).map(|_| ())).await?;
    if matches!(outcome, ReloadOutcome::Swapped) {
        app.intake.shelves.is_recorded(&version);
    }
    let books = app.intake.books.load();
    let (mappings, plugins) = (books.rulebook.providers().count(), books.plugins.names().count());
    let Swap { version: _, files, warnings } = swap;
    Ok(ReloadInfo { outcome, version, mappings, plugins, files, warnings })
}

fn refused(refusal: Refusal, version: &str) -> Error {
    let count = refusal.mistakes.len();
    let mistakes = if count == 1 { "mistake" } else { "mistakes" };
    let detail =
        format!("{count} {mistakes}, so nothing was loaded; version {version} is live still");
    Error { files: refusal.mistakes, ..Error::new(Code::RulesRefused, detail) }
}
