//! How long a read may take, and how many may take long at once.
//!
//! Nobody can tell from a query how long it takes, so all begin alike, and what a read does by itself shows what it is:
//! one that is not done after [`QUICK`] is slow and goes on only in turns. So few slow ones compute at once that half of
//! the processors stay with the writer, the door and the quick ones; each gives its turn up to the next after a while,
//! so that the longest does not hold up the others. Those who wait their turn keep their thread, so they are fewer than
//! there are threads: beyond that a read that turns out slow is refused, and pages and single records are still read.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    clock::Stopwatch,
    error::{Code, Error},
};

/// How long a read takes before it counts as slow.
const QUICK: Duration = Duration::from_millis(50);

/// How long a turn is while others wait for theirs.
const TURN: Duration = Duration::from_millis(100);

/// How often who waits for a turn looks whether anyone waits for the answer.
const LOOK: Duration = Duration::from_millis(20);

/// How many reads are under way at once; more wait before they begin.
pub(super) const READS: usize = 32;

/// How many of them may be slow.
const SLOW_READS: usize = 24;

/// Why a read stops before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It took too long.
    Deadline,
    /// Nobody waits for its answer any more.
    Gone,
    /// Too many others are slow.
    Crowd,
}

impl Stop {
    /// The word for it in the metrics.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Gone => "gone",
            Self::Crowd => "crowd",
        }
    }
}

/// What is known of a read while it goes on.
#[derive(Debug)]
pub(super) struct Watch {
    began: Stopwatch,
    limit: Option<Duration>,
    gone: AtomicBool,
    stopped: OnceLock<Stop>,
}

impl Watch {
    /// A read that begins now.
    pub(super) fn new(limit: Option<Duration>) -> Arc<Self> {
        let (gone, stopped) = (AtomicBool::new(false), OnceLock::new());
        Arc::new(Self { began: Stopwatch::start(), limit, gone, stopped })
    }

    /// How long it may still take; `None` without a limit.
    pub(super) fn left(&self) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(self.began.elapsed()))
    }

    /// Why it must stop, if it must.
    pub(super) fn stop(&self) -> Option<Stop> {
        if self.gone.load(Ordering::Relaxed) {
            return Some(self.stopped(Stop::Gone));
        }
        let over = self.left().is_some_and(|left| left.is_zero());
        over.then(|| self.stopped(Stop::Deadline))
    }

    fn stopped(&self, why: Stop) -> Stop {
        *self.stopped.get_or_init(|| why)
    }

    /// Why it stopped, if it did.
    pub(super) fn why(&self) -> Option<Stop> {
        self.stopped.get().copied()
    }

    /// What its caller is told once it stopped.
    pub(super) fn error(&self, why: Stop) -> Error {
        match why {
            Stop::Deadline => {
                let limit = self.limit.unwrap_or_default().as_millis();
                let detail = format!(
                    "the query took longer than its limit of {limit} ms; narrow it by project, alert, key or time, \
                     ask for fewer rows, or do without the total (`page.total`: `none`)"
                );
                Error::new(Code::Deadline, detail)
            }
            Stop::Gone => Error::new(Code::Deadline, "the caller did not wait for the answer"),
            Stop::Crowd => Error::unavailable(
                "too many slow queries run at the moment; try again later, or narrow the query by project or time",
                5,
            ),
        }
    }
}

/// Held by whoever waits for a read, which stops once this is dropped.
pub(super) struct Waiting(pub(super) Arc<Watch>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

/// A read at work, asked about every millisecond whether it goes on.
#[derive(Debug)]
pub(super) struct Reading {
    watch: Arc<Watch>,
    turns: Arc<Turns>,
    /// How long its turn lasts already, if it has one.
    turn: Option<Stopwatch>,
}

impl Reading {
    pub(super) fn new(watch: Arc<Watch>, turns: Arc<Turns>) -> Self {
        Self { watch, turns, turn: None }
    }

    /// Whether it goes on; waits for its turn if need be.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.watch.stop().is_some() {
            return false;
        }
        // What has no limit may wait for a slow caller in its turn, which others would then not get.
        if self.watch.limit.is_none() {
            return true;
        }
        match self.turn {
            None if self.watch.began.elapsed() < QUICK => true,
            None => self.takes_turn(),
            Some(turn) if turn.elapsed() < TURN || !self.turns.is_wanted() => true,
            Some(_) => {
                self.gives_turn();
                self.takes_turn()
            }
        }
    }

    fn takes_turn(&mut self) -> bool {
        let taken = self.turns.take(&self.watch);
        if taken {
            self.turn = Some(Stopwatch::start());
        }
        taken
    }

    fn gives_turn(&mut self) {
        if self.turn.take().is_some() {
            self.turns.give();
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.gives_turn();
    }
}

/// Which slow reads compute, and which wait to.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<Queue>,
    changed: Condvar,
    /// How many compute at once.
    most: usize,
}

#[derive(Debug, Default)]
struct Queue {
    taken: usize,
    waiting: VecDeque<u64>,
    next: u64,
}

impl Default for Turns {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { state: Mutex::default(), changed: Condvar::new(), most: (processors / 2).max(1) }
    }
}

impl Turns {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anyone waits.
    fn is_wanted(&self) -> bool {
        !self.queue().waiting.is_empty()
    }

    /// Waits for a turn; false where the read must stop instead.
    fn take(&self, watch: &Watch) -> bool {
        let mut queue = self.queue();
        if queue.taken + queue.waiting.len() >= SLOW_READS {
            watch.stopped(Stop::Crowd);
            return false;
        }
        let mine = queue.next;
        queue.next += 1;
        queue.waiting.push_back(mine);
        loop {
            if watch.stop().is_some() {
                queue.waiting.retain(|other| *other != mine);
                self.changed.notify_all();
                return false;
            }
            if queue.taken < self.most && queue.waiting.front() == Some(&mine) {
                queue.waiting.pop_front();
                queue.taken += 1;
                self.changed.notify_all();
                return true;
            }
            let waited = self.changed.wait_timeout(queue, LOOK);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn give(&self) {
        self.queue().taken -= 1;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(most: usize) -> Arc<Turns> {
        Arc::new(Turns { most, ..Turns::default() })
    }

    fn slow(limit: Duration, turns: &Arc<Turns>) -> Reading {
        let began = Stopwatch::start();
        let reading = Reading::new(Watch::new(Some(limit)), Arc::clone(turns));
        while began.elapsed() < QUICK {
            std::hint::spin_loop();
        }
        reading
    }

    #[test]
    fn a_read_without_a_limit_goes_on_until_nobody_waits_for_it() {
        let watch = Watch::new(None);
        let waiting = Waiting(Arc::clone(&watch));
        let mut reading = Reading::new(Arc::clone(&watch), turns(1));
        assert!(reading.goes_on());
        drop(waiting);
        assert!(!reading.goes_on());
        assert_eq!(watch.why(), Some(Stop::Gone));
    }

    #[test]
    fn a_read_past_its_limit_stops_and_says_what_to_do() {
        let watch = Watch::new(Some(Duration::ZERO));
        assert!(!Reading::new(Arc::clone(&watch), turns(1)).goes_on());
        let error = watch.error(watch.why().unwrap());
        assert_eq!(error.code, Code::Deadline);
        assert!(error.detail.contains("narrow it by project"), "{error}");
    }

    #[test]
    fn slow_reads_take_turns_and_a_quick_one_needs_none() {
        let turns = turns(1);
        let mut first = slow(Duration::from_secs(60), &turns);
        assert!(first.goes_on());
        let mut quick = Reading::new(Watch::new(Some(Duration::from_secs(60))), Arc::clone(&turns));
        assert!(quick.goes_on());
        let mut second = slow(QUICK * 2, &turns);
        assert!(!second.goes_on(), "the first one has the turn");
        assert_eq!(second.watch.why(), Some(Stop::Deadline));
        drop(first);
        assert!(slow(Duration::from_secs(60), &turns).goes_on());
        assert_eq!(turns.queue().taken, 0);
    }

    #[test]
    fn a_long_turn_is_given_up_to_who_waits() {
        let turns = turns(1);
        let mut first = slow(Duration::from_secs(60), &turns);
        assert!(first.goes_on());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| slow(Duration::from_secs(60), &turns).goes_on());
            while !second.is_finished() {
                assert!(first.goes_on());
            }
            assert!(second.join().unwrap());
        });
    }

    #[test]
    fn too_many_slow_reads_are_refused_at_once() {
        let turns = turns(SLOW_READS);
        let mut reads: Vec<Reading> =
            (0..SLOW_READS).map(|_| slow(Duration::from_secs(60), &turns)).collect();
        assert!(reads.iter_mut().all(Reading::goes_on));
        let mut one_more = slow(Duration::from_secs(60), &turns);
        assert!(!one_more.goes_on());
        let error = one_more.watch.error(one_more.watch.why().unwrap());
        assert_eq!(error.code, Code::Unavailable);
    }
}
