//! Threads that run scripts: one call each at a time, and whoever asked waits.
//!
//! A script is stopped from within ([`super::engine`]). That does not reach a single operation of the language that takes
//! for ever, such as the search for one long text in another: then its caller goes on without it, its thread ends when
//! the operation does, and while there are too many such threads no script is run.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{
    Failure, Source,
    engine::{Engine, STACK},
};

/// How long a caller waits. A script computes for 50 ms at most, which may take longer where others want to compute too.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many threads wait for the next call at most; there are more only while more call at once.
const IDLE: usize = 8;

/// How many threads may be beyond reach before no script is run.
const LOST: usize = 4;

/// A script to run.
#[derive(Debug)]
pub(super) struct Job {
    /// The script.
    pub(super) source: Arc<Source>,
    /// The function to call, and its argument in JSON; where absent, only the top level is run.
    pub(super) call: Option<(&'static str, String)>,
}

/// What a call gave: JSON, or nothing.
type Answer = Result<Option<String>, Failure>;

/// A job on its way to a thread.
struct Order {
    job: Job,
    /// Whether one of the two is done with it: the thread with the job, or the caller with waiting.
    is_over: Arc<AtomicBool>,
    answer: SyncSender<Answer>,
}

/// The threads that wait for work.
static WAITING: Mutex<Vec<SyncSender<Order>>> = Mutex::new(Vec::new());

/// How many threads work on what nobody waits for any more.
static BEYOND_REACH: AtomicUsize = AtomicUsize::new(0);

/// Runs a job on a thread of its own.
pub(super) fn run(job: Job) -> Answer {
    if BEYOND_REACH.load(Ordering::Acquire) >= LOST {
        return Err(Failure::new(format!(
            "not run: {LOST} calls of scripts went on for ever and have not ended yet"
        )));
    }
    let thread = waiting().pop().map_or_else(start, Ok)?;
    let is_over = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = sync_channel(1);
    let order = Order { job, is_over: Arc::clone(&is_over), answer: sender };
    if thread.send(order).is_err() {
        return Err(Failure::new("not run: its thread ended"));
    }
    let answer = wait(&receiver, &is_over)?;
    let mut waiting = waiting();
    if waiting.len() < IDLE {
        waiting.push(thread);
    }
    answer
}

/// What the thread answers; an error where it does not.
fn wait(receiver: &Receiver<Answer>, is_over: &AtomicBool) -> Result<Answer, Failure> {
    match receiver.recv_timeout(PATIENCE) {
        Ok(answer) => Ok(answer),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::new("its thread broke down")),
        Err(RecvTimeoutError::Timeout) => {
            BEYOND_REACH.fetch_add(1, Ordering::AcqRel);
            if is_over.swap(true, Ordering::AcqRel) {
                // It was done at the last moment.
                BEYOND_REACH.fetch_sub(1, Ordering::AcqRel);
                return receiver.recv().map_err(|_| Failure::new("its thread broke down"));
            }
            Err(Failure::new(format!(
                "given up after {} s: it could not be stopped",
                PATIENCE.as_secs()
            )))
        }
    }
}

fn waiting() -> std::sync::MutexGuard<'static, Vec<SyncSender<Order>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new thread, which ends when nobody can send it anything any more.
fn start() -> Result<SyncSender<Order>, Failure> {
    let (sender, orders) = sync_channel::<Order>(1);
    // What the engine allows itself, and as much again as its own code and the host's take.
    let thread = thread::Builder::new().name("script".to_owned()).stack_size(STACK * 2 + (1 << 20));
    let started = thread.spawn(move || {
        let mut engine = None;
        for Order { job, is_over, answer } in orders {
            let said = Engine::reused(&mut engine).and_then(|ready| ready.run(&job));
            if said.is_err() || engine.as_ref().is_some_and(Engine::is_spent) {
                // Whatever went wrong, nothing of it stays.
                engine = None;
            }
            let _ = answer.send(said);
            if is_over.swap(true, Ordering::AcqRel) {
                BEYOND_REACH.fetch_sub(1, Ordering::AcqRel);
            }
        }
    });
    match started {
        Ok(_) => Ok(sender),
        Err(fault) => Err(Failure::new(format!("not run: no thread could be started: {fault}"))),
    }
}
