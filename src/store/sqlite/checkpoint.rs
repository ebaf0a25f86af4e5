//! Folding the log into the file, on a thread of its own, so that no sender waits for it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;

use super::connect;
use crate::{
    error::{Error, Result},
    store::Durability,
};

/// Beyond this size the log is folded into the file, in bytes.
const FOLD: u64 = 16 << 20;

/// Beyond this size the writer is asked to begin the log anew, in bytes.
pub(super) const RESTART: u64 = 64 << 20;

/// How often the log's size is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// How long the writer waits for readers that still need the log. Most are done sooner; a slow one is not waited for.
const PATIENCE: Duration = Duration::from_millis(20);

/// How often the log's size is looked at before the writer is asked again after it waited in vain, so that a slow reader
/// costs it a hundredth of its time at most.
const ROUNDS: u32 = 8;

/// What the checkpointer and the writer tell each other.
#[derive(Debug, Default)]
pub(super) struct Wal {
    restart: AtomicBool,
    in_vain: AtomicBool,
    ended: AtomicBool,
}

impl Wal {
    /// Whether the writer should begin the log anew; asked once per commit.
    pub(super) fn wants_restart(&self) -> bool {
        self.restart.swap(false, Ordering::Relaxed)
    }

    /// The writer has written its last.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Begins the log anew from the writer's own connection, if no reader still needs it: where one does for longer, the
/// writer goes on and is asked again later, so the log grows for as long as that reader may take and no sender waits.
pub(super) fn begin_anew(connection: &Connection, wal: &Wal) {
    let begun = connection.busy_timeout(PATIENCE).and_then(|()| {
        connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, bool>(0))
    });
    let waits = connection.busy_timeout(connect::BUSY);
    match begun.and_then(|is_busy| waits.map(|()| is_busy)) {
        Ok(is_busy) => wal.in_vain.store(is_busy, Ordering::Relaxed),
        Err(error) => tracing::warn!(%error, "the log could not be begun anew"),
    }
}

/// Folds the log into the file while the writer goes on.
pub(super) struct Checkpointer {
    connection: Connection,
    log: PathBuf,
    wal: Arc<Wal>,
}

impl Checkpointer {
    pub(super) fn new(file: &Path, durability: Durability) -> Result<Self> {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let connection = connect::writer(file, durability)?;
        connection.execute_batch("PRAGMA cache_size = -512;")?;
        Ok(Self { connection, log: log.into(), wal: Arc::default() })
    }

    pub(super) fn wal(&self) -> Arc<Wal> {
        Arc::clone(&self.wal)
    }

    pub(super) fn start(self) -> Result<JoinHandle<()>> {
        let thread = thread::Builder::new().name("checkpoint".into());
        thread.spawn(move || self.run()).map_err(Error::internal)
    }

    fn run(self) {
        let mut rounds = 0;
        while !self.wal.ended.load(Ordering::Relaxed) {
            thread::park_timeout(EVERY);
            let size = fs::metadata(&self.log).map_or(0, |log| log.len());
            if size > FOLD {
                self.fold("PASSIVE");
            }
            if self.wal.in_vain.swap(false, Ordering::Relaxed) {
                rounds = ROUNDS;
            }
            rounds = u32::saturating_sub(rounds, 1);
            // Asked after folding, since the writer cannot begin anew while this thread folds.
            if size > RESTART && rounds == 0 {
                self.wal.restart.store(true, Ordering::Relaxed);
            }
        }
        self.fold("TRUNCATE");
    }

    fn fold(&self, mode: &str) {
        let folded =
            self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
                row.get::<_, i64>(0)
            });
        if let Err(error) = folded {
            tracing::warn!(%error, "the log could not be folded into the store's file");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::from_millis,
        domain::project::Domain,
        metrics::Metrics,
        store::{Options, Store},
    };

    #[actix_web::test]
    async fn the_log_stays_bounded_while_writes_never_cease() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.db");
        let options = Options { durability: Durability::Normal, ..Options::default() };
        let store = Store::open(&file, &options, Arc::new(Metrics::default())).unwrap();
        let log = directory.path().join("a.db-wal");
        let (mut written, mut largest) = (0, 0);
        while written < 6 * RESTART {
            // Pages that stay the same are not written.
            let name = ["a", "b", "c"][usize::try_from(written >> 20).unwrap() % 3].repeat(1 << 20);
            written += name.len() as u64;
            let domain = Domain { domain_id: "d".into(), name, created_at: from_millis(0) };
            store.write(move |tx| tx.put_domain(&domain)).await.unwrap();
            largest = largest.max(fs::metadata(&log).unwrap().len());
        }
        store.close();
        assert!(largest < 4 * RESTART, "{largest} bytes");
    }
}
