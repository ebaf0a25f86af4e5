//! Watches the directories of rules and plugins, and loads them again when they change.
//!
//! Editors write beside a file and rename, and a `ConfigMap` swaps a symbolic link; so any change below a directory counts,
//! the directory itself is watched from above, and what is watched is looked up anew after each change. Whether
//! anything has changed is told by the files, not by who says so: an event too many costs a few reads.

use std::{
    path::{PathBuf, absolute},
    sync::Arc,
    time::Duration,
};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{
        EventKind, RecommendedWatcher, RecursiveMode,
        event::{AccessKind, AccessMode},
    },
};
use tokio::sync::Notify;

use super::{Jobs, reload::reload_recorded};
use crate::{
    domain::audit::{Actor, ActorKind},
    ingest::Prompt,
};

/// How long files must have been quiet.
const QUIET: Duration = Duration::from_millis(200);

/// How often files are looked at although nothing was heard of them, e.g. since they are on a network.
const EVERY: Duration = Duration::from_secs(60);

/// How often they are looked at where the system cannot tell of changes.
const BLIND: Duration = Duration::from_secs(5);

/// Something that tells of changes until it is dropped.
type Watch = Debouncer<RecommendedWatcher, RecommendedCache>;

/// Watches for ever; at once over where there is nothing to watch.
pub async fn watch(jobs: Jobs) {
    let named = jobs.intake.shelves.directories();
    // A relative path has no directory above that could be watched.
    let directories: Vec<PathBuf> =
        named.map(|path| absolute(path).unwrap_or_else(|_| path.to_owned())).collect();
    if directories.is_empty() {
        return;
    }
    let changed = Arc::new(Notify::new());
    let mut watching = listen(&directories, &changed);
    loop {
        let pause = if watching.is_some() { EVERY } else { BLIND };
        let heard = tokio::time::timeout(pause, changed.notified()).await.is_ok();
        if heard {
            // Before the files are read, so that no change falls between.
            watching = listen(&directories, &changed);
        }
        let watch = (Prompt::Watched, Actor::unnamed(ActorKind::Timer, "watch"));
        if let Err(error) = reload_recorded(&jobs, watch, jobs.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "rules and plugins could not be looked at");
        }
    }
}

/// Asks the system to tell of changes; `None` where it cannot.
fn listen(directories: &[PathBuf], changed: &Arc<Notify>) -> Option<Watch> {
    let (heard, watched) = (Arc::clone(changed), directories.to_vec());
    let tell = move |events: DebounceEventResult| {
        if concerns(&events, &watched) {
            heard.notify_one();
        }
    };
    let watch = new_debouncer(QUIET, None, tell).and_then(|mut watch| {
        for directory in directories {
            watch.watch(directory, RecursiveMode::Recursive)?;
            if let Some(above) = directory.parent() {
                watch.watch(above, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(watch)
    });
    match watch {
        Ok(watch) => Some(watch),
        Err(error) => {
            tracing::warn!(
                %error,
                seconds = BLIND.as_secs(),
                "the system does not tell of changed rules and plugins, so they are looked at again and again"
            );
            None
        }
    }
}

/// Whether something changed that is watched, rather than its neighbour; reading a file is no change.
fn concerns(events: &DebounceEventResult, watched: &[PathBuf]) -> bool {
    let Ok(events) = events else { return true };
    let is_ours = |path: &PathBuf| watched.iter().any(|directory| path.starts_with(directory));
    events.iter().any(|event| {
        let is_change = match event.kind {
            EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
            EventKind::Any
            | EventKind::Create(_)
            | EventKind::Modify(_)
            | EventKind::Remove(_)
            | EventKind::Other => true,
        };
        is_change && (event.paths.is_empty() || event.paths.iter().any(is_ours))
    })
}
