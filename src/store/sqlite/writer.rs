//! The writer: one thread that does all writes in order, as many as wait in one commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use super::{checkpoint::Wal, work::Work};
use crate::{
    clock::Stopwatch,
    error::{Error, Result},
    metrics::Metrics,
    store::{Done, Snapshots, WriteJob},
};

/// How many bytes may wait to be written.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// How many events may share a commit.
const MAX_SHARED_EVENTS: usize = 4096;

/// How many bytes may share a commit.
const MAX_SHARED_BYTES: usize = 8 << 20;

/// After how many seconds a sender that found the queue full should try again.
const RETRY_AFTER: u32 = 2;

/// Where writes wait: bounded by count and by bytes, and full at once rather than slow.
pub(super) struct Queue {
    door: Mutex<Option<SyncSender<WriteJob>>>,
    load: Arc<Load>,
}

/// How much waits.
struct Load {
    bytes: AtomicUsize,
    metrics: Arc<Metrics>,
}

/// The other end of the queue.
pub(super) struct Waiting {
    jobs: Receiver<WriteJob>,
    load: Arc<Load>,
}

impl Queue {
    pub(super) fn new(length: usize, metrics: Arc<Metrics>) -> (Self, Waiting) {
        let (door, jobs) = sync_channel(length.max(1));
        let load = Arc::new(Load { bytes: AtomicUsize::new(0), metrics });
        let waiting = Waiting { jobs, load: Arc::clone(&load) };
        (Self { door: Mutex::new(Some(door)), load }, waiting)
    }

    /// Queues a write, or refuses it at once.
    pub(super) fn put(&self, job: WriteJob) -> Result<()> {
        let full = || Error::unavailable("too many writes are waiting", RETRY_AFTER);
        let bytes = job.bytes;
        let waiting = self.load.bytes.fetch_add(bytes, Ordering::Relaxed);
        let sent = if waiting > 0 && waiting + bytes > MAX_WAITING_BYTES {
            Err(full())
        } else {
            let door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
            match door.as_ref().map(|door| door.try_send(job)) {
                Some(Ok(())) => Ok(()),
                Some(Err(TrySendError::Full(_))) => Err(full()),
                Some(Err(TrySendError::Disconnected(_))) | None => {
                    Err(Error::unavailable("the server is stopping", RETRY_AFTER))
                }
            }
        };
        if sent.is_ok() {
            self.load.metrics.queue_depth.inc();
        } else {
            self.load.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        sent
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Waiting {
    /// The writes of the next commit: the first that comes, and all that wait by then, within bounds. `None` once the
    /// queue is closed and empty.
    fn next(&self, share: usize) -> Option<Vec<WriteJob>> {
        let first = self.jobs.recv().ok()?;
        let (mut bytes, mut events) = (first.bytes, first.events);
        let mut jobs = vec![first];
        while jobs.len() < share && bytes < MAX_SHARED_BYTES && events < MAX_SHARED_EVENTS {
            let Ok(job) = self.jobs.try_recv() else { break };
            bytes += job.bytes;
            events += job.events;
            jobs.push(job);
        }
        self.load.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.load.metrics.queue_depth.dec_by(i64::try_from(jobs.len()).unwrap_or(i64::MAX));
        Some(jobs)
    }
}

/// The one that writes.
pub(super) struct Writer {
    pub(super) work: Work,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) metrics: Arc<Metrics>,
    /// How many writes may share a commit.
    pub(super) share: usize,
    pub(super) wal: Arc<Wal>,
}

impl Writer {
    pub(super) fn start(self, waiting: Waiting) -> Result<JoinHandle<()>> {
        let thread = thread::Builder::new().name("writer".into());
        thread.spawn(move || self.run(&waiting)).map_err(Error::internal)
    }

    fn run(mut self, waiting: &Waiting) {
        while let Some(jobs) = waiting.next(self.share) {
            let watch = Stopwatch::start();
            let count = jobs.len();
            let (done, committed) = self.commit(jobs);
            match &committed {
                Ok(()) => {
                    self.work.publish(&self.snapshots, &self.metrics);
                    self.metrics.committed(count, watch.elapsed());
                }
                Err(error) => tracing::error!(%error, cause = ?error.cause, "a commit failed"),
            }
            for finished in done {
                (finished.settled)(committed.as_ref().map_or_else(again, |()| Ok(())));
            }
            if self.wal.wants_restart() {
                let restarted = self.work.number("PRAGMA wal_checkpoint(RESTART)", []);
                if let Err(error) = restarted {
                    tracing::warn!(%error, "the log could not be begun anew");
                }
            }
        }
        if let Err(error) = self.work.close_counters() {
            tracing::warn!(%error, "the counters were not written; they are counted again at the next start");
        }
        self.wal.end();
    }

    /// Does `jobs` in one transaction. What was done is settled by the outcome beside it.
    fn commit(&mut self, jobs: Vec<WriteJob>) -> (Vec<Done>, Result<()>) {
        let begun = self.work.command("BEGIN IMMEDIATE");
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(self.work.run(job));
        }
        let committed = begun.and_then(|()| self.work.finish());
        if committed.is_err() {
            if !self.work.connection.is_autocommit() {
                let _ = self.work.command("ROLLBACK");
            }
            self.work.forget_commit();
        }
        (done, committed)
    }
}

/// The same error for one more caller.
fn again(error: &Error) -> Result<()> {
    Err(Error { retry_after: error.retry_after, ..Error::new(error.code, error.detail.clone()) })
}

impl Work {
    /// Runs one job in its savepoint. Where the transaction is gone (it could not begin, or a full disk ended it), the
    /// job does nothing: a savepoint would begin a transaction of its own.
    fn run(&mut self, job: WriteJob) -> Done {
        let ready = if self.connection.is_autocommit() {
            Err(Error::unavailable("the store does not take writes at the moment", RETRY_AFTER))
        } else {
            self.command("SAVEPOINT job").and_then(|()| Ok(self.live()?.borrow().mark()))
        };
        let work = job.work;
        let mark = match ready {
            Ok(mark) => mark,
            Err(error) => return work(Err(error)),
        };
        // A job that panics is undone, and its caller told; the writer goes on.
        let done =
            catch_unwind(AssertUnwindSafe(|| work(Ok(self)))).unwrap_or_else(|_| Done::lost());
        if !done.keep {
            self.undo_to(mark);
            let _ = self.command("ROLLBACK TO job");
        }
        // If this fails the transaction is gone, which finishing the commit says to everyone.
        let _ = self.command("RELEASE job");
        done
    }
}
