//! How many streams there are, and whether their readers take what is sent to them.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::message::Dropped;
use crate::{
    clock::Stopwatch,
    error::{Error, Result},
    metrics::{KindLabels, Metrics},
};

/// After how many seconds who found no room should try again.
const RETRY_AFTER: u32 = 30;

/// All streams of a server.
pub(in crate::http) struct Streams {
    room: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    metrics: Arc<Metrics>,
}

impl Streams {
    /// Room for so many streams.
    pub(in crate::http) fn new(most: usize, metrics: Arc<Metrics>) -> Self {
        let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { room, stopping: watch::Sender::new(false), metrics }
    }

    /// Ends all of them, each with a last message.
    pub(in crate::http) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Tells when all of them are to end.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// A place for one more stream.
    pub(super) fn enter(&self, patience: Duration) -> Result<Arc<Pace>> {
        let permit = Arc::clone(&self.room)
            .try_acquire_owned()
            .map_err(|_| Error::unavailable("as many streams are open as may be", RETRY_AFTER))?;
        self.metrics.streams.inc();
        let room = Room { _permit: permit, metrics: Arc::clone(&self.metrics) };
        let pace = Arc::new(Pace {
            sent: Mutex::new(None),
            room: Mutex::new(Some(room)),
            is_stalled: AtomicBool::new(false),
            metrics: Arc::clone(&self.metrics),
        });
        actix_web::rt::spawn(watch_over(Arc::downgrade(&pace), patience));
        Ok(pace)
    }
}

/// Room that a stream takes up.
struct Room {
    _permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.metrics.streams.dec();
    }
}

/// Whether a reader takes what is sent to it.
///
/// The connection asks for the next message only once its own small buffer has room again, which is the whole
/// backpressure. It cannot be asked anything while its reader takes nothing, so somebody else watches the time.
pub(super) struct Pace {
    /// When the connection was last given something, while it has not asked again.
    sent: Mutex<Option<Stopwatch>>,
    room: Mutex<Option<Room>>,
    is_stalled: AtomicBool,
    metrics: Arc<Metrics>,
}

impl Pace {
    /// The connection asks for something.
    pub(super) fn asked(&self) {
        *locked(&self.sent) = None;
    }

    /// The connection is given something.
    pub(super) fn gave(&self) {
        *locked(&self.sent) = Some(Stopwatch::start());
    }

    /// Whether the reader took nothing for too long, so that its stream has lost its room.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    /// Counts a stream that the server ended.
    pub(super) fn dropped(&self, why: Dropped) {
        self.metrics.streams_dropped.get_or_create(&KindLabels { kind: why.word() }).inc();
    }

    fn give_up(&self) {
        self.is_stalled.store(true, Ordering::Relaxed);
        self.dropped(Dropped::TooSlow);
        // What is left of it is one short read's messages; the system ends the connection in the end.
        locked(&self.room).take();
    }
}

fn locked<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches over a stream until it ends or its reader takes nothing for so long.
async fn watch_over(pace: Weak<Pace>, patience: Duration) {
    let mut looks = tokio::time::interval((patience / 4).max(Duration::from_millis(10)));
    loop {
        looks.tick().await;
        let Some(pace) = pace.upgrade() else { return };
        let waits = locked(&pace.sent).map(|sent| sent.elapsed());
        if waits.is_some_and(|waits| waits > patience) {
            pace.give_up();
            return;
        }
    }
}
