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

use super::{
    checkpoint::{self, Wal},
    work::Work,
};
use crate::{
    clock::Stopwatch,
    error::{Error, Result},
    metrics::Metrics,
    store::{
        Snapshots,
        unit::{Unit, WriteJob},
    },
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
    /// The first of the commit after the next, taken out of the queue already.
    stashed: Option<WriteJob>,
    load: Arc<Load>,
}

impl Queue {
    pub(super) fn new(length: usize, metrics: Arc<Metrics>) -> (Self, Waiting) {
        let (door, jobs) = sync_channel(length.max(1));
        let load = Arc::new(Load { bytes: AtomicUsize::new(0), metrics });
        let waiting = Waiting { jobs, stashed: None, load: Arc::clone(&load) };
        (Self { door: Mutex::new(Some(door)), load }, waiting)
    }

    /// Queues a write, or refuses it at once.
    pub(super) fn put(&self, job: WriteJob) -> Result<()> {
        let full = || Error::unavailable("too many writes are waiting", RETRY_AFTER);
        let bytes = job.size.bytes;
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
    /// The writes of the next commit: the first that comes, and all of its kind that wait by then, within bounds.
    /// `None` once the queue is closed and empty.
    fn next(&mut self, share: usize) -> Option<Vec<Box<dyn Unit>>> {
        let first = match self.stashed.take() {
            Some(first) => first,
            None => self.jobs.recv().ok()?,
        };
        let is_repeatable = first.unit.is_repeatable();
        let (mut bytes, mut events) = (first.size.bytes, first.size.events);
        let mut units = vec![first.unit];
        while units.len() < share && bytes < MAX_SHARED_BYTES && events < MAX_SHARED_EVENTS {
            let Ok(job) = self.jobs.try_recv() else { break };
            if job.unit.is_repeatable() != is_repeatable {
                self.stashed = Some(job);
                break;
            }
            bytes += job.size.bytes;
            events += job.size.events;
            units.push(job.unit);
        }
        self.load.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.load.metrics.queue_depth.dec_by(i64::try_from(units.len()).unwrap_or(i64::MAX));
        Some(units)
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
    pub(super) fn start(self, mut waiting: Waiting) -> Result<JoinHandle<()>> {
        let thread = thread::Builder::new().name("writer".into());
        thread.spawn(move || self.run(&mut waiting)).map_err(Error::internal)
    }

    fn run(mut self, waiting: &mut Waiting) {
        while let Some(units) = waiting.next(self.share) {
            self.work.settle(units, &self.snapshots, &self.metrics);
            if self.wal.wants_restart() {
                checkpoint::begin_anew(&self.work.connection, &self.wal);
            }
        }
        if let Err(error) = self.work.close_counters() {
            tracing::warn!(%error, "the counters were not written; they are counted again at the next start");
        }
        self.wal.end();
    }
}

/// The same error for one more caller.
fn same(error: &Error) -> Error {
    Error { retry_after: error.retry_after, ..Error::new(error.code, error.detail.clone()) }
}

impl Work {
    /// Does `units` in one commit, says what it changed, and then tells whoever waits.
    pub(super) fn settle(
        &mut self,
        mut units: Vec<Box<dyn Unit>>,
        snapshots: &Snapshots,
        metrics: &Metrics,
    ) {
        let watch = Stopwatch::start();
        let committed = self.commit(&mut units);
        match &committed {
            Ok(()) => {
                self.publish(snapshots, metrics);
                metrics.committed(units.len(), watch.elapsed());
            }
            Err(error) => tracing::error!(%error, cause = ?error.cause, "a commit failed"),
        }
        for unit in units {
            unit.settle(match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(same(error)),
            });
        }
    }

    /// Does `units` in one transaction: without savepoints where all may be done again, which saves a sixth of the
    /// writer's work, and with one each where one of them failed.
    fn commit(&mut self, units: &mut [Box<dyn Unit>]) -> Result<()> {
        let is_repeatable = units.iter().all(|unit| unit.is_repeatable());
        if is_repeatable {
            self.begin(units)?;
            if units.iter_mut().all(|unit| self.run_bare(&mut **unit)) {
                return self.finish_or_undo();
            }
            self.undo();
        }
        self.begin(units)?;
        for unit in units.iter_mut() {
            self.run(&mut **unit);
        }
        self.finish_or_undo()
    }

    /// Begins a transaction, or tells each unit why there is none.
    fn begin(&mut self, units: &mut [Box<dyn Unit>]) -> Result<()> {
        let begun = self.command("BEGIN IMMEDIATE");
        if let Err(error) = &begun {
            for unit in units {
                unit.refuse(same(error));
            }
        }
        begun
    }

    fn finish_or_undo(&mut self) -> Result<()> {
        let committed = self.finish();
        if committed.is_err() {
            self.undo();
        }
        committed
    }

    /// Undoes the transaction, in the file and in memory.
    fn undo(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.command("ROLLBACK");
        }
        self.forget_commit();
    }

    /// Runs one unit without a savepoint; whether the transaction may go on. A unit that fails before it wrote
    /// anything, such as a repeat that is refused, spoils nothing.
    fn run_bare(&mut self, unit: &mut dyn Unit) -> bool {
        let Ok(mark) = self.live().map(|live| live.borrow().mark()) else { return false };
        self.watched.forget();
        let written = self.connection.total_changes();
        let done = catch_unwind(AssertUnwindSafe(|| unit.run(self)));
        let is_untouched = || {
            let unchanged = self.live().is_ok_and(|live| live.borrow().mark() == mark);
            unchanged
                && self.connection.total_changes() == written
                && !self.connection.is_autocommit()
        };
        match done {
            Ok(true) => true,
            Ok(false) => is_untouched(),
            Err(_) => false,
        }
    }

    /// Runs one unit in its savepoint. Where the transaction is gone (a full disk ended it), the unit does nothing: a
    /// savepoint would begin a transaction of its own.
    fn run(&mut self, unit: &mut dyn Unit) {
        let ready = if self.connection.is_autocommit() {
            Err(Error::unavailable("the store does not take writes at the moment", RETRY_AFTER))
        } else {
            self.command("SAVEPOINT job").and_then(|()| Ok(self.live()?.borrow().mark()))
        };
        let mark = match ready {
            Ok(mark) => mark,
            Err(error) => return unit.refuse(error),
        };
        self.watched.forget();
        // A unit that panics is undone, and its caller told; the writer goes on.
        let done = catch_unwind(AssertUnwindSafe(|| unit.run(self)));
        if done.is_err() {
            unit.refuse(Error::internal("a unit of work panicked"));
        }
        if !matches!(done, Ok(true)) {
            self.undo_to(mark);
            let _ = self.command("ROLLBACK TO job");
        }
        // If this fails the transaction is gone, which finishing the commit says to everyone.
        let _ = self.command("RELEASE job");
    }
}
