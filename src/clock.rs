//! The only place that reads the time, and the counter that makes identifiers repeatable.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};

use crate::id::Mint;

/// A point in time, always UTC, in whole milliseconds: what is stored, compared and shown is the same.
pub type Timestamp = DateTime<Utc>;

/// Where "now" comes from.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    mint: Mint,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { source: Source::System, mint: Mint::unpredictable() }
    }

    /// A clock standing still at `start`, whose identifiers repeat from run to run; for tests and for replaying.
    pub fn manual(start: Timestamp) -> Self {
        Self {
            source: Source::Manual(Arc::new(AtomicI64::new(start.timestamp_millis()))),
            mint: Mint::repeatable(),
        }
    }

    /// The current time, in whole milliseconds.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    pub fn now(&self) -> Timestamp {
        let millis = match &self.source {
            Source::System => Utc::now().timestamp_millis(),
            Source::Manual(millis) => millis.load(Ordering::Relaxed),
        };
        from_millis(millis)
    }

    /// What makes new identifiers.
    pub fn mint(&self) -> &Mint {
        &self.mint
    }

    /// Moves a manual clock forward; a system clock is left alone.
    pub fn advance(&self, by: TimeDelta) {
        if let Source::Manual(millis) = &self.source {
            millis.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
        }
    }
}

/// The time so many milliseconds after 1970; the epoch itself where that is out of range.
pub fn from_millis(millis: i64) -> Timestamp {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// `time` without what is finer than a millisecond.
pub fn to_millis(time: Timestamp) -> Timestamp {
    from_millis(time.timestamp_millis())
}

/// The API's way to write a time: `2026-01-02T03:04:05.678Z`.
pub fn rfc3339(time: Timestamp) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// How long the thread that asks has computed since it began. Unlike time that passes, it does not grow while others
/// have the processor.
pub fn thread_cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(spent.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(spent.tv_nsec).unwrap_or_default())
}

/// Measures how long something took.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
