//! What is sent to one target, and how long it is tried.

mod circuit;
mod pace;
mod retry;

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::{
    circuit::{Circuit, State},
    pace::Pace,
    retry::{MOST_ATTEMPTS, Next, Sending, after, wait},
};
use super::{
    channel::Channel,
    scope::Home,
    words::{UnknownWord, words},
};
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
        /// It is not sent after all, since its target is gone.
        Dropped = "DROPPED",
    }
}

/// What is sent to one target: one notice, or those that were gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its identifier, which is its idempotency key too: whoever gets it twice can tell.
    pub message_id: Id<Message>,
    /// Whom it is for.
    pub target: Target,
    /// What that was called when the message was written.
    pub name: String,
    /// Where the alert of its first notice lives.
    pub home: Home,
    /// Where it stands.
    pub state: MessageState,
    /// How many attempts were made since it was written or driven again.
    pub attempts: u32,
    /// Not to be sent before; `None` where it is not to be sent, or where one before it to the same target about the same
    /// alert must be sent first.
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

/// Whom a message is for. Written as `channel:channel-…` or `contact:contact-…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A channel of a workspace or a project.
    Channel(Id<Channel>),
    /// A way to reach one person.
    Contact(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(id) => write!(f, "channel:{id}"),
            Self::Contact(id) => write!(f, "contact:{id}"),
        }
    }
}

impl FromStr for Target {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text.split_once(':') {
            Some(("channel", id)) => Ok(Self::Channel(id.into())),
            Some(("contact", id)) => Ok(Self::Contact(id.to_owned())),
            Some(_) | None => Err(UnknownWord {
                found: text.to_owned(),
                expected: "channel:<id>, contact:<id>".to_owned(),
            }),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Target {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(channel|contact):" })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_back_as_it_is_written() {
        for text in ["channel:channel-1", "contact:contact-a:b"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert!("channel-1".parse::<Target>().is_err());
    }
}
