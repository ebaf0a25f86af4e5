//! Messages on their way: written in the commit of what they tell, sent after it, kept with each attempt.

use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        channel::Channel,
        message::{Attempt, Message, MessageState, Next},
        notice::Notice,
        project::Project,
        scope::Scope,
    },
    error::Result,
    id::Id,
};

/// How many notices one message tells at most.
pub const MOST_GATHERED: u32 = 500;

/// A message that is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Writing<'a> {
    /// The identifier it gets, unless its notice joins a message that is there.
    pub message_id: &'a Id<Message>,
    /// The channel it goes through.
    pub channel_id: &'a Id<Channel>,
    /// The user it is for, where it is for one.
    pub recipient: Option<&'a str>,
    /// What it tells.
    pub notice: &'a Notice,
    /// The number of that.
    pub number: i64,
    /// What its notices have in common, where it waits for more.
    pub gathering: Option<&'a str>,
}

/// What became of a message that was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there, and goes out as soon as it may.
    Written,
    /// It is there, and waits for more notices.
    Gathering,
    /// Its notice joined this message.
    Joined(Id<Message>),
    /// Its notice joined this message, which is full now.
    Filled(Id<Message>),
}

/// Who heard that an alert is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The channel.
    pub channel_id: Id<Channel>,
    /// The user it was for, where it was for one.
    pub recipient: Option<String>,
    /// Whether it was told just now that the alert is over.
    pub is_told: bool,
}

/// A message that may be sent now, with all that it says.
#[derive(Clone, Debug)]
pub struct Due {
    /// The message.
    pub message: Message,
    /// What it tells, in the order of time.
    pub notices: Vec<Notice>,
    /// What its channel calls the first message about its alert, where it said so.
    pub thread: Option<String>,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The message.
    pub message_id: Id<Message>,
    /// The attempt; its number is the store's business.
    pub attempt: Attempt,
    /// What becomes of the message.
    pub next: Next,
    /// What its channel calls it.
    pub thread: Option<String>,
    /// What was not as it should be although it arrived.
    pub note: Option<String>,
}

/// Which messages are asked for.
#[derive(Clone, Debug, Default)]
pub struct MessageQuery {
    /// Only those about this alert.
    pub alert_id: Option<Id<Alert>>,
    /// Only those of this channel.
    pub channel_id: Option<Id<Channel>>,
    /// Only those in this state.
    pub state: Option<MessageState>,
    /// Only those older than the one with this identifier.
    pub before: Option<Id<Message>>,
    /// How many at most.
    pub limit: u32,
}

/// Messages on their way.
pub trait Outbox {
    /// Adds what is announced; its number.
    fn add_notice(&mut self, notice: &Notice) -> Result<i64>;
    /// What was announced in `scope`, of one alert or of all, in the order of time, each with its number: after that
    /// number, at most so many.
    fn notices(
        &self,
        scope: &Scope,
        alert: Option<&Id<Alert>>,
        after_and_most: (i64, u32),
    ) -> Result<Vec<(i64, Notice)>>;
    /// Who heard of an alert at this step since it was over last, other than by being made to look after it.
    fn heard(&self, alert: &Id<Alert>, step: u32, now: Timestamp) -> Result<Vec<Heard>>;
    /// The last step at which people were told of an alert since it was over last; zero where nobody was.
    fn last_heard_step(&self, alert: &Id<Alert>, now: Timestamp) -> Result<u32>;
    /// Writes a message, or has one tell its notice too.
    fn put_message(&mut self, writing: &Writing<'_>) -> Result<Put>;
    /// A message takes no more notices and goes out.
    fn close_gathering(&mut self, id: &Id<Message>, now: Timestamp) -> Result<()>;
    /// The channels that have messages which wait for their time, with the earliest of these times.
    fn due_channels(&self) -> Result<Vec<(Id<Channel>, Timestamp)>>;
    /// At most `most` messages of a channel that may be sent at `now`, the longest due first.
    fn due_messages(&self, channel: &Id<Channel>, now: Timestamp, most: u32) -> Result<Vec<Due>>;
    /// Keeps what came of an attempt; whether the message still waited for it.
    fn settle_message(&mut self, settled: &Settled, now: Timestamp) -> Result<bool>;
    /// Drops messages of a channel that wait, at most so many; which those were.
    fn drop_messages(
        &mut self,
        channel: &Id<Channel>,
        reason: &str,
        now_and_most: (Timestamp, u32),
    ) -> Result<Vec<Id<Message>>>;
    /// Drops a message that was given up.
    fn drop_dead(&mut self, id: &Id<Message>, reason: &str, now: Timestamp) -> Result<()>;
    /// The message, if it exists in `scope`, with what it tells.
    fn message(&self, scope: &Scope, id: &Id<Message>) -> Result<Option<Due>>;
    /// The messages in `scope`, newest first.
    fn messages(&self, scope: &Scope, query: &MessageQuery) -> Result<Vec<Message>>;
    /// Each attempt to send a message, in order.
    fn attempts(&self, id: &Id<Message>) -> Result<Vec<Attempt>>;
    /// How many messages were given up since then, counted up to `most`.
    fn dead_messages(&self, since: Timestamp, most: u32) -> Result<u64>;
    /// Has a message tried from the beginning, at once.
    fn redrive_message(&mut self, id: &Id<Message>, now: Timestamp) -> Result<()>;
    /// Removes messages of a project that are done and were written before that time, unless their alert is open; of at most
    /// so many after that number. How many, and the number to go on from.
    fn remove_messages(
        &mut self,
        project: &Id<Project>,
        before: Timestamp,
        after_and_most: (i64, u32),
    ) -> Result<(u64, Option<i64>)>;
    /// Removes what was announced in a project before that time and no message tells, in the same way.
    fn remove_notices(
        &mut self,
        project: &Id<Project>,
        before: Timestamp,
        after_and_most: (i64, u32),
    ) -> Result<(u64, Option<i64>)>;
}
