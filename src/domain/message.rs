//! What is sent through one channel, and how long it is tried.

mod circuit;
mod pace;
mod retry;

pub use self::{
    circuit::{Circuit, State},
    pace::Pace,
    retry::{LONGEST_ASKED, MOST_ATTEMPTS, Next, Sending, after, wait},
};
use super::{channel::Channel, scope::Home, words::words};
use crate::{
    clock::Timestamp,
    id::{Id, Identified},
};

words! {
    /// Where a message stands.
    MessageState {
        /// It is to be sent, or is being sent.
        Waiting = "WAITING",
        /// It arrived.
        Sent = "SENT",
        /// It was given up; it can be driven again.
        Dead = "DEAD",
        /// It is not sent after all, since its channel is gone.
        Dropped = "DROPPED",
    }
}

/// What is sent through one channel: one notice, or those that were gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its identifier, which is its idempotency key too: whoever gets it twice can tell.
    pub message_id: Id<Message>,
    /// The channel it goes through.
    pub channel_id: Id<Channel>,
    /// The user it is for, where it is for one.
    pub recipient: Option<String>,
    /// Where the alert of its first notice lives.
    pub home: Home,
    /// Where it stands.
    pub state: MessageState,
    /// How many notices it tells.
    pub notices: u32,
    /// How many attempts were made since it was written or driven again.
    pub attempts: u32,
    /// Not to be sent before; `None` where it waits for more notices, or for another message of the same channel about the
    /// same alert that comes first, or where it is not to be sent.
    pub due_at: Option<Timestamp>,
    /// Why it stands as it does, where that is not plain.
    pub reason: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it arrived or was given up.
    pub finished_at: Option<Timestamp>,
}

impl Identified for Message {
    const PREFIX: &'static str = "message";
}

/// One attempt to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which one, from one.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The status that was answered, if there was one.
    pub status: Option<u16>,
    /// Why it failed; `None` where it did not.
    pub fault: Option<String>,
}
