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

/// What the checkpointer and the writer tell each other.
#[derive(Debug, Default)]
pub(super) struct Wal {
    restart: AtomicBool,
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

/// Begins the log anew from the writer's own connection, if no reader still needs it: where one does, the writer goes on
/// at once and is asked again, so the log grows for as long as that reader may take and no sender waits.
pub(super) fn begin_anew(connection: &Connection) {
    let restarted = connection.busy_timeout(Duration::ZERO).and_then(|()| {
        connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, i64>(0))
    });
    let waits = connection.busy_timeout(connect::BUSY);
    if let Err(error) = restarted.and(waits.map(|()| 0)) {
        tracing::warn!(%error, "the log could not be begun anew");
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
        while !self.wal.ended.load(Ordering::Relaxed) {
            thread::park_timeout(EVERY);
            let size = fs::metadata(&self.log).map_or(0, |log| log.len());
            if size > RESTART {
                self.wal.restart.store(true, Ordering::Relaxed);
            }
            if size > FOLD {
                self.fold("PASSIVE");
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
