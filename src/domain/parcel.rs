//! What is handed to a channel: one or more notices, and what makes a message of them.

use super::{message::Message, notice::Notice};
use crate::{clock::Timestamp, id::Id};

/// One message to one target.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The message's identifier, by which the target knows it again: the same at each try.
    pub message_id: Id<Message>,
    /// Its notices: one, or all of a storm. There is at least one.
    pub notices: Vec<Notice>,
    /// The page that asks whether the alert is to be acknowledged; `None` where there is nothing to acknowledge.
    pub ack_url: Option<String>,
    /// What the target called the first message of this alert, where it was told.
    pub thread: Option<String>,
    /// What addresses that are shown begin with, e.g. `https://alerts.example.org`.
    pub base_url: String,
    /// When this try is made.
    pub now: Timestamp,
}
