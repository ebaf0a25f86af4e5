//! `message.*`: what is sent, and what came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Moment, Page, call::seen};
use crate::{
    care::{Hand, announce},
    domain::{
        alert::Alert,
        channel::{Channel, ChannelState},
        message::{Attempt, Message, MessageState},
        notice::{Notice, NoticeStep, NotificationLevel, Occasion, Written},
        project::{Domain, Project, Workspace},
    },
    error::{Code, Error, Result},
    id::Id,
    store::{Due, MessageQuery, Total, Tx},
};

/// The most messages a page has, and how many it has where nothing is said.
const MOST: u32 = 1000;

/// One message through one channel, and where it stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MessageInfo {
    /// Its identifier, which is also its idempotency key: who receives it twice knows it by that.
    pub message_id: Id<Message>,
    /// The channel it goes through.
    pub channel_id: Id<Channel>,
    /// The user it is for, where it is for one.
    pub recipient: Option<String>,
    /// Where it stands.
    pub state: MessageState,
    /// How many notices it tells.
    pub notices: u32,
    /// How many attempts were made since it was written or driven again.
    pub attempts: u32,
    /// When it is tried next; null where it is done, or waits for more notices or for a message before it.
    pub due_at: Option<Moment>,
    /// Why it stands as it does, where that is not plain: of what failed, the last reason.
    pub reason: Option<String>,
    /// When it was written.
    pub created_at: Moment,
    /// When it arrived, was given up or was dropped.
    pub finished_at: Option<Moment>,
    /// The project of the alert that it tells of first.
    pub project_id: Id<Project>,
    /// The workspace of that.
    pub workspace_id: Id<Workspace>,
    /// The domain of that.
    pub domain_id: Id<Domain>,
}

impl From<Message> for MessageInfo {
    fn from(message: Message) -> Self {
        Self {
            message_id: message.message_id,
            channel_id: message.channel_id,
            recipient: message.recipient,
            state: message.state,
            notices: message.notices,
            attempts: message.attempts,
            due_at: message.due_at.map(Moment),
            reason: message.reason,
            created_at: message.created_at.into(),
            finished_at: message.finished_at.map(Moment),
            project_id: message.home.project_id,
            workspace_id: message.home.workspace_id,
            domain_id: message.home.domain_id,
        }
    }
}

/// A message with what it tells and each attempt to send it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WholeMessage {
    /// Where it stands.
    #[serde(flatten)]
    pub info: MessageInfo,
    /// What it tells, in the order of time.
    pub tells: Vec<NoticeInfo>,
    /// Each attempt to send it, in order.
    pub log: Vec<AttemptInfo>,
}

/// What is said of an alert.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NoticeInfo {
    /// The alert it is about.
    pub alert_id: Id<Alert>,
    /// What happened.
    pub occasion: Occasion,
    /// Who hears of it.
    pub level: NotificationLevel,
    /// The step of the escalation that it belongs to.
    pub step: u32,
    /// Why now, where that is not plain.
    pub reason: Option<String>,
    /// The alert as it stood.
    pub alert: Value,
    /// When it happened.
    pub created_at: Moment,
}

impl From<Notice> for NoticeInfo {
    fn from(notice: Notice) -> Self {
        let Notice { alert_id, home: _, occasion, level, step, reason, alert, created_at } = notice;
        Self { alert_id, occasion, level, step, reason, alert, created_at: created_at.into() }
    }
}

/// One attempt to send a message.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AttemptInfo {
    /// Which one, from one.
    pub number: u32,
    /// When it began.
    pub at: Moment,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The status that was answered, if there was one.
    pub status: Option<u16>,
    /// Why it failed; null where it did not.
    pub fault: Option<String>,
}

impl From<Attempt> for AttemptInfo {
    fn from(attempt: Attempt) -> Self {
        let Attempt { number, at, took_ms, status, fault } = attempt;
        Self { number, at: at.into(), took_ms, status, fault }
    }
}

/// Names one message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneMessage {
    /// Its identifier.
    message_id: Id<Message>,
}

/// One message, with what it tells and each attempt to send it.
pub fn get(tx: &dyn Tx, call: &Call, request: OneMessage) -> Result<WholeMessage> {
    let Due { message, notices, thread: _ } = existing(tx, call, &request.message_id)?;
    let log = tx.attempts(&message.message_id)?.into_iter().map(AttemptInfo::from).collect();
    // A storm may tell of alerts of other projects too.
    let seen = notices.into_iter().filter(|notice| call.caller.scope.contains(&notice.home));
    Ok(WholeMessage { info: message.into(), tells: seen.map(NoticeInfo::from).collect(), log })
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Message>) -> Result<Due> {
    call.touches("message", id);
    tx.message(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("message", id))
}

/// Asks for messages.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListMessages {
    /// Only those about this alert.
    alert_id: Option<Id<Alert>>,
    /// Only those through this channel.
    channel_id: Option<Id<Channel>>,
    /// Only those in this state.
    state: Option<MessageState>,
    /// `next_cursor` of the page before.
    cursor: Option<Id<Message>>,
    /// How many at most; 1000 by default and at most.
    limit: Option<u32>,
}

/// Messages, newest first.
pub fn list(tx: &dyn Tx, call: &Call, request: ListMessages) -> Result<Page<MessageInfo>> {
    let ListMessages { alert_id, channel_id, state, cursor, limit } = request;
    let scope = &call.caller.scope;
    if let Some(id) = &alert_id
        && tx.alert(scope, id)?.is_none()
    {
        return Err(Error::not_found("alert", id));
    }
    if let Some(id) = &channel_id
        && tx.channel(scope, id)?.is_none()
    {
        return Err(Error::not_found("channel", id));
    }
    let limit = limit.filter(|rows| *rows > 0).unwrap_or(MOST).min(MOST);
    let query = MessageQuery { alert_id, channel_id, state, before: cursor, limit: limit + 1 };
    let mut messages = tx.messages(scope, &query)?;
    let more = messages.len() > limit as usize;
    messages.truncate(limit as usize);
    let last = messages.last().filter(|_| more);
    let next_cursor = last.map(|message| message.message_id.as_str().to_owned());
    let lines = messages.into_iter().map(MessageInfo::from).collect();
    Ok(Page::new(lines, Total::Unknown, next_cursor))
}

/// Asks for messages to be driven again: one, or those of a channel that were given up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedriveMessages {
    /// The message.
    message_id: Option<Id<Message>>,
    /// The channel whose messages were given up.
    channel_id: Option<Id<Channel>>,
}

/// What is driven again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RedrivenInfo {
    /// The messages, oldest first.
    pub message_ids: Vec<Id<Message>>,
    /// Whether there are more of the channel: then ask again.
    pub more: bool,
}

/// Tries messages from the beginning, at once.
pub fn redrive(tx: &mut dyn Tx, call: &Call, request: RedriveMessages) -> Result<RedrivenInfo> {
    let is_of_channel = request.channel_id.is_some();
    let (mut messages, more) = match (request.message_id, request.channel_id) {
        (Some(id), None) => (vec![existing(tx, call, &id)?.message], false),
        (None, Some(id)) => dead_of(tx, call, id)?,
        (Some(_), Some(_)) => {
            let detail = "give `message_id` or `channel_id`, not both";
            return Err(Error::at(Code::InvalidParameter, "/channel_id", detail));
        }
        (None, None) => return Err(Error::required("message_id")),
    };
    messages.reverse();
    if is_of_channel {
        messages = still_worth_telling(tx, call, messages)?;
    }
    for message in &messages {
        drive(tx, call, message)?;
    }
    let message_ids = messages.into_iter().map(|message| message.message_id).collect();
    Ok(RedrivenInfo { message_ids, more })
}

/// Those of the messages that tell of what is open still, or that something is over; the others are dropped: a page for
/// what is over, after its end was told, would be closed by nobody. Who wants one all the same drives it by its identifier.
fn still_worth_telling(
    tx: &mut dyn Tx,
    call: &Call,
    messages: Vec<Message>,
) -> Result<Vec<Message>> {
    let scope = &call.caller.scope;
    let mut kept = Vec::with_capacity(messages.len());
    for message in messages {
        let Some(Due { notices, .. }) = tx.message(scope, &message.message_id)? else { continue };
        let mut is_worth = false;
        for notice in &notices {
            let alert = tx.alert(scope, &notice.alert_id)?;
            is_worth |= notice.occasion.is_over()
                || alert.is_some_and(|alert| alert.standing.state.is_open());
        }
        if is_worth {
            kept.push(message);
        } else {
            let reason = "what it tells of was over when its channel's messages were driven again";
            tx.drop_dead(&message.message_id, reason, call.now)?;
            noted(tx, call, &message)?;
        }
    }
    Ok(kept)
}

/// The messages of a channel that were given up, newest first, and whether there are more.
fn dead_of(tx: &dyn Tx, call: &Call, id: Id<Channel>) -> Result<(Vec<Message>, bool)> {
    super::channel::existing(tx, call, &id)?;
    let query = MessageQuery {
        channel_id: Some(id),
        state: Some(MessageState::Dead),
        limit: MOST + 1,
        ..MessageQuery::default()
    };
    let mut messages = tx.messages(&call.caller.scope, &query)?;
    let more = messages.len() > MOST as usize;
    messages.truncate(MOST as usize);
    Ok((messages, more))
}

/// Notes for the audit trail what became of a message; the message now.
fn noted(tx: &dyn Tx, call: &Call, before: &Message) -> Result<Option<Due>> {
    let after = tx.message(&call.caller.scope, &before.message_id)?;
    let view = |message: &Message| seen(&MessageInfo::from(message.clone()));
    let is = after.as_ref().and_then(|due| view(&due.message));
    call.touched("message", &before.message_id, view(before), is);
    Ok(after)
}

fn drive(tx: &mut dyn Tx, call: &Call, message: &Message) -> Result<()> {
    let refuse = |detail: String| Err(Error::at(Code::InvalidParameter, "/message_id", detail));
    let id = &message.message_id;
    if message.state == MessageState::Sent {
        return refuse(format!("message `{id}` arrived; it is not sent again"));
    }
    let channel = tx.channel(&call.caller.scope, &message.channel_id)?;
    let Some(channel) = channel.filter(|channel| channel.state == ChannelState::Enabled) else {
        return refuse(format!("the channel of message `{id}` is disabled or deleted"));
    };
    tx.redrive_message(id, call.now)?;
    let Some(Due { notices, .. }) = noted(tx, call, message)? else { return Ok(()) };
    let (message_id, channel_id) = (id.clone(), channel.channel_id);
    let message = Written { message_id, channel_id, name: channel.name, why: None };
    let hand = Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor };
    announce::noted(tx, &notices, &NoticeStep::Redriven { message }, &hand)
}
