//! The store in one `SQLite` file: one writer thread, any number of readers.
//!
//! Writes that arrive while the writer is busy share the next commit, each in
//! a savepoint of its own, so one that fails takes no other with it. What the
//! writer must know of every key is kept in memory ([`live`]) and undone with
//! the savepoint; what the rest of the program looks up is published after
//! the commit and before its answers ([`publish`]).

mod alerts;
mod audits;
mod care;
mod changes;
mod channels;
mod checkpoint;
mod connect;
mod declared;
mod deliveries;
mod event_rules;
mod events;
mod explain;
mod exports;
mod feeds;
pub(super) mod files;
mod group_rules;
mod happenings;
mod heartbeats;
mod imports;
mod live;
mod lives;
mod memory;
mod notes;
mod numbering;
mod outbox;
mod people;
mod policies;
mod projects;
mod publish;
mod receipts;
mod retain;
mod rows;
mod seek;
mod sql;
mod stats;
mod suppression;
mod tally;
mod tokens;
mod users;
mod visit;
mod webhooks;
mod windows;
mod work;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

pub(super) use self::memory::Memory;
use self::{
    checkpoint::Checkpointer,
    work::Work,
    writer::{Queue, Writer},
};
use super::{
    Backend, Options, ReadJob, Snapshots,
    limit::{Turns, Watch},
    unit::WriteJob,
};
use crate::{error::Result, metrics::Metrics};

/// How many reading connections are kept for the next reader.
const IDLE_READERS: usize = 8;

/// The `SQLite` backend.
pub(super) struct Sqlite {
    readers: Arc<Readers>,
    queue: Queue,
    snapshots: Arc<Snapshots>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Connections to read with, kept for the next reader.
struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Work>>,
    turns: Arc<Turns>,
}

impl Readers {
    fn idle(&self) -> MutexGuard<'_, Vec<Work>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Work> {
        let idle = self.idle().pop();
        idle.map_or_else(|| Ok(Work::reader(connect::reader(&self.file)?)), Ok)
    }

    fn put(&self, work: Work) {
        let mut idle = self.idle();
        if idle.len() < IDLE_READERS {
            idle.push(work);
        }
    }

    /// Runs `job` against one snapshot: what is committed meanwhile is not seen.
    fn run(&self, job: ReadJob, watch: Arc<Watch>) {
        let begun = self.take().and_then(|mut work| {
            work.watch(Some(&watch), &self.turns)?;
            work.command("BEGIN")?;
            Ok(work)
        });
        match begun {
            Ok(mut work) => {
                job(Ok(&work));
                let ended = work.watch(None, &self.turns).and_then(|()| work.command("COMMIT"));
                if ended.is_ok() {
                    self.put(work);
                }
            }
            Err(error) => job(Err(error)),
        }
    }
}

impl Sqlite {
    pub(super) fn open(file: &Path, options: &Options, metrics: Arc<Metrics>) -> Result<Self> {
        let connection = connect::writer(file, options.durability)?;
        connect::migrate(&connection, &options.seal)?;
        let work = Work::writer(connection, options.seal.clone())?;
        work.find_all()?;
        let snapshots = Arc::new(publish::load(&work)?);
        let (queue, waiting) = Queue::new(options.queue, Arc::clone(&metrics));
        let checkpointer = Checkpointer::new(file, options.durability)?;
        let wal = checkpointer.wal();
        let writer = Writer {
            work,
            snapshots: Arc::clone(&snapshots),
            metrics,
            share: options.share.max(1),
            wal,
        };
        let threads = vec![checkpointer.start()?, writer.start(waiting)?];
        let readers =
            Readers { file: file.to_owned(), idle: Mutex::default(), turns: Arc::default() };
        Ok(Self { readers: Arc::new(readers), queue, snapshots, threads: Mutex::new(threads) })
    }
}

impl Backend for Sqlite {
    fn read(&self, job: ReadJob, watch: Arc<Watch>) {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || readers.run(job, watch));
    }

    fn write(&self, job: WriteJob) -> Result<()> {
        self.queue.put(job)
    }

    fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    fn close(&self) {
        self.queue.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        self.readers.idle().clear();
        // The checkpointer was started first and must end last: the writer's end is what tells it to.
        for thread in threads.into_iter().rev() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}
