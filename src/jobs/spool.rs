//! What commands did to the files of a data directory while its server ran: they leave a note beside the store, and the
//! server takes it into its audit trail. No path and no token is needed for that; whoever may write there may write the
//! store as well.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Jobs;
use crate::{
    clock::Timestamp,
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity, Trail},
        project::DEFAULT_DOMAIN,
    },
    error::Result,
    id::Mint,
    store::{Posting, Store, Tx},
};

/// The folder of a data directory in which notes are left.
const FOLDER: &str = "noted";

/// The largest note that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// How many notes are taken in at once; the rest waits for the next time.
const TOGETHER: usize = 100;

/// What a command did.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Its own identifier, so that it is taken in once.
    pub note_id: String,
    /// When it was done.
    pub at: Timestamp,
    /// What was done, e.g. `store.backup`.
    pub action: String,
    /// Who did it, as the system knows them.
    pub user: String,
    /// Whether it was done: `SUCCESS`, or the code of an error.
    pub outcome: String,
    /// Why not.
    pub reason: Option<String>,
    /// What was so before.
    pub before: Option<Value>,
    /// What is so now.
    pub after: Option<Value>,
}

impl Note {
    /// It as an entry of the audit trail.
    fn entry(self, now: Timestamp) -> (String, AuditEntry) {
        let Self { note_id, at, action, user, outcome, reason, before, after } = self;
        let id = action.replace("store.", "admin ");
        let actor = Actor::new(ActorKind::Command, id, user);
        let store = Entity::new("store", "alertmill.db");
        let entry = AuditEntry::new(now, actor, &action).on(store).changed(before, after);
        let occurred_at = at.min(now);
        (note_id, AuditEntry { occurred_at, outcome, reason, ..entry })
    }

    /// Appends it to the audit trail, unless it is there.
    ///
    /// # Errors
    /// Where the store does not take it.
    pub async fn append(self, store: &Store, mint: Mint, now: Timestamp) -> Result<()> {
        let (note_id, entry) = self.entry(now);
        let add = move |tx: &mut dyn Tx| {
            let which = (Trail::Own, Some(note_id.as_str()));
            let (Posting::New(_) | Posting::Known(_)) =
                tx.post_audit(&DEFAULT_DOMAIN.into(), which, entry, &mint)?;
            Ok(())
        };
        store.write(add).await
    }

    /// Leaves it in a data directory for the server to take in, whole or not at all.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn leave(&self, data: &Path) -> io::Result<()> {
        let folder = data.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let unfinished = folder.join(format!(".{}", self.note_id));
        let mut file = fs::File::create_new(&unfinished)?;
        serde_json::to_writer(&mut file, self)?;
        file.sync_all()?;
        fs::rename(&unfinished, folder.join(format!("{}.json", self.note_id)))
    }
}

/// Takes in the notes that were left, oldest first.
///
/// # Errors
/// Where the store does not take one; it stays.
pub(super) async fn take_in(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let folder = jobs.data.join(FOLDER);
    for path in left(&folder) {
        match read(&path) {
            Ok(note) => note.append(&jobs.intake.store, jobs.clock.mint().clone(), now).await?,
            Err(cause) => {
                let file = path.display();
                tracing::warn!(%file, %cause, "a note for the audit trail cannot be read, and is left aside");
                set_aside(&path);
                continue;
            }
        }
        if let Err(cause) = fs::remove_file(&path) {
            tracing::warn!(file = %path.display(), %cause, "a note for the audit trail cannot be removed");
        }
    }
    Ok(())
}

fn left(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    paths.truncate(TOGETHER);
    paths
}

fn read(path: &Path) -> io::Result<Note> {
    let file = fs::symlink_metadata(path)?;
    if !file.is_file() || file.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file, or too large"));
    }
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Gives what cannot be read another name, so that it is looked at once.
fn set_aside(path: &Path) {
    if let Err(cause) = fs::rename(path, path.with_extension("unreadable")) {
        tracing::warn!(file = %path.display(), %cause, "what cannot be read cannot be set aside either");
    }
}
