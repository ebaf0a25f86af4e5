//! One unit of work on its way: done once, or done again if its neighbours must be undone.

use tokio::sync::oneshot;

use super::{Size, Tx};
use crate::error::{Error, Result};

/// A unit of work waiting to be done.
pub(super) trait Unit: Send {
    /// Whether it may be done again after it was undone. Such a unit needs no savepoint: if it fails after it wrote
    /// something, the whole commit is undone and done again, each unit then in a savepoint of its own.
    fn is_repeatable(&self) -> bool;

    /// Does the work, or does it again; whether it succeeded.
    fn run(&mut self, tx: &mut dyn Tx) -> bool;

    /// It will not be done, for this reason.
    fn refuse(&mut self, error: Error);

    /// What it did is settled: it is on disk, or it is not, for this reason. Tells who waits.
    fn settle(self: Box<Self>, commit: Result<()>);
}

/// A unit of work in the queue.
pub(super) struct WriteJob {
    /// What to do.
    pub(super) unit: Box<dyn Unit>,
    /// How much it is.
    pub(super) size: Size,
}

/// Work that is done once.
pub(super) struct Once<T, F> {
    work: Option<F>,
    answer: Answer<T>,
}

/// Work that may be done again.
pub(super) struct Repeatable<T, F> {
    work: F,
    answer: Answer<T>,
}

/// What came of a unit, and who waits for it.
struct Answer<T> {
    result: Result<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T> Answer<T> {
    fn to(reply: oneshot::Sender<Result<T>>) -> Self {
        Self { result: Err(Error::internal("a unit of work was lost")), reply }
    }

    fn tell(self, commit: Result<()>) {
        // Whoever asked may be gone.
        let _ = self.reply.send(self.result.and_then(|done| commit.map(|()| done)));
    }
}

impl<T, F> Once<T, F> {
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work: Some(work), answer: Answer::to(reply) }
    }
}

impl<T, F> Repeatable<T, F> {
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work, answer: Answer::to(reply) }
    }
}

impl<T: Send, F: FnOnce(&mut dyn Tx) -> Result<T> + Send> Unit for Once<T, F> {
    fn is_repeatable(&self) -> bool {
        false
    }

    fn run(&mut self, tx: &mut dyn Tx) -> bool {
        if let Some(work) = self.work.take() {
            self.answer.result = work(tx);
        }
        self.answer.result.is_ok()
    }

    fn refuse(&mut self, error: Error) {
        self.answer.result = Err(error);
    }

    fn settle(self: Box<Self>, commit: Result<()>) {
        self.answer.tell(commit);
    }
}

impl<T: Send, F: FnMut(&mut dyn Tx) -> Result<T> + Send> Unit for Repeatable<T, F> {
    fn is_repeatable(&self) -> bool {
        true
    }

    fn run(&mut self, tx: &mut dyn Tx) -> bool {
        self.answer.result = (self.work)(tx);
        self.answer.result.is_ok()
    }

    fn refuse(&mut self, error: Error) {
        self.answer.result = Err(error);
    }

    fn settle(self: Box<Self>, commit: Result<()>) {
        self.answer.tell(commit);
    }
}
