//! Whose password is looked at next. Few are at once, since each takes a processor and 19 MiB for a while; whoever is known
//! goes before whoever is new, both before whoever failed lately, and all of them before new passwords.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{
    OwnedMutexGuard,
    oneshot::{self, Receiver, Sender},
};

/// How many may wait in each lane; more are turned away at once.
const LONGEST_QUEUE: usize = 512;

/// Who waits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The user was let in from this address before.
    Known,
    /// Nothing is known of either.
    New,
    /// The address, or the name, was tried in vain lately.
    Suspect,
    /// Somebody who is logged in gives a new password.
    Setting,
}

/// The queue.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    free: usize,
    lanes: [VecDeque<Sender<Turn>>; 4],
}

/// Whoever holds it may compute.
#[derive(Debug)]
pub(super) struct Turn {
    state: Option<Arc<Mutex<State>>>,
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Crowded;

impl Turns {
    /// A queue for so many at once.
    pub(super) fn new(at_once: usize) -> Self {
        let state = State { free: at_once.max(1), lanes: Default::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// Where too many wait already.
    pub(super) async fn turn(&self, lane: Lane) -> Result<Turn, Crowded> {
        let waiting = match self.ask(lane)? {
            Asked::Now(turn) => return Ok(turn),
            Asked::Wait(waiting) => waiting,
        };
        // Nobody drops a sender without using it.
        waiting.await.map_err(|_| Crowded)
    }

    fn ask(&self, lane: Lane) -> Result<Asked, Crowded> {
        let mut state = lock(&self.state);
        if state.free > 0 {
            state.free -= 1;
            return Ok(Asked::Now(Turn { state: Some(Arc::clone(&self.state)) }));
        }
        let queue = &mut state.lanes[lane as usize];
        if queue.len() >= LONGEST_QUEUE {
            // Whoever gave up makes room.
            queue.retain(|waiting| !waiting.is_closed());
        }
        if queue.len() >= LONGEST_QUEUE {
            return Err(Crowded);
        }
        let (sender, waiting) = oneshot::channel();
        queue.push_back(sender);
        Ok(Asked::Wait(waiting))
    }
}

enum Asked {
    Now(Turn),
    Wait(Receiver<Turn>),
}

impl Drop for Turn {
    /// Hands the turn on to who waits first.
    fn drop(&mut self) {
        let Some(own) = self.state.take() else { return };
        loop {
            let next = {
                let mut state = lock(&own);
                let next = state.lanes.iter_mut().find_map(VecDeque::pop_front);
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(Turn { state: Some(Arc::clone(&own)) }) {
                Ok(()) => return,
                // They left: their turn is not theirs to hand on.
                Err(mut unused) => mem::drop(unused.state.take()),
            }
        }
    }
}

/// Makes each caller wait for itself, so that nobody's calls fill a queue, however many they send.
#[derive(Debug, Default)]
pub(super) struct Alone {
    callers: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Alone {
    /// Waits until this caller has nothing else under way; while the answer is held, it has.
    pub(super) async fn enter(&self, caller: &str) -> OwnedMutexGuard<()> {
        let own = {
            let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever is done is forgotten.
            callers.retain(|_, own| Arc::strong_count(own) > 1);
            Arc::clone(callers.entry(caller.to_owned()).or_default())
        };
        own.lock_owned().await
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_caller_waits_for_itself_and_for_no_other() {
        let alone = Alone::default();
        let first = alone.enter("user:ada").now_or_never().unwrap();
        let mut second = Box::pin(alone.enter("user:ada"));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(alone.enter("user:bob").now_or_never().is_some());
        drop(first);
        assert!(second.as_mut().now_or_never().is_some());
        drop((second, alone.enter("user:bob").now_or_never()));
        assert_eq!(alone.callers.lock().unwrap().len(), 1, "nobody is remembered");
    }

    #[test]
    fn whoever_is_known_goes_first_and_whoever_sets_a_password_goes_last() {
        let turns = Turns::new(1);
        let running = turns.turn(Lane::New).now_or_never().unwrap().unwrap();
        let mut waiting: Vec<_> = [Lane::Setting, Lane::Suspect, Lane::New, Lane::Known, Lane::New]
            .map(|lane| Box::pin(turns.turn(lane)))
            .into_iter()
            .collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none());
        }
        let mut order = Vec::new();
        let mut held = Some(running);
        while order.len() < 5 {
            drop(held.take());
            for (at, one) in waiting.iter_mut().enumerate() {
                if !order.contains(&at)
                    && let Some(turn) = one.as_mut().now_or_never()
                {
                    order.push(at);
                    held = Some(turn.unwrap());
                }
            }
        }
        assert_eq!(order, [3, 2, 4, 1, 0]);
    }

    #[test]
    fn who_leaves_does_not_take_the_turn_along() {
        let turns = Turns::new(1);
        let running = turns.turn(Lane::New).now_or_never().unwrap().unwrap();
        let mut left = Box::pin(turns.turn(Lane::New));
        assert!(left.as_mut().now_or_never().is_none());
        let mut given_and_left = Box::pin(turns.turn(Lane::New));
        assert!(given_and_left.as_mut().now_or_never().is_none());
        drop(left);
        drop(running);
        // It was handed to one who never looked.
        drop(given_and_left);
        assert!(turns.turn(Lane::Suspect).now_or_never().unwrap().is_ok());
        assert_eq!(lock(&turns.state).free, 1);
    }

    #[test]
    fn a_queue_has_an_end_in_each_lane() {
        let turns = Turns::new(1);
        let _running = turns.turn(Lane::New).now_or_never().unwrap().unwrap();
        let mut waiting: Vec<_> =
            (0..LONGEST_QUEUE).map(|_| Box::pin(turns.turn(Lane::Suspect))).collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert!(matches!(turns.turn(Lane::Suspect).now_or_never(), Some(Err(Crowded))));
        let mut other = Box::pin(turns.turn(Lane::New));
        assert!(other.as_mut().now_or_never().is_none(), "another lane has room");
        waiting.pop();
        assert!(turns.turn(Lane::Suspect).now_or_never().is_none(), "one left");
    }
}
