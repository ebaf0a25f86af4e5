//! Messages: each is taken from the outbox as its channel would get it, told, and counted as having arrived. Nothing is
//! sent.

use serde_json::{Value, json};

use super::{house::House, span};
use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        channel::Channel,
        message::{Attempt, Next},
        parcel::Parcel,
        scope::Scope,
    },
    error::Result,
    notify::preview::preview,
    store::{Due, Settled, Tx},
};

/// How many messages of a channel are taken at once.
const AT_ONCE: u32 = 100;

/// What addresses begin with in messages.
const BASE_URL: &str = "http://alertmill.example";

/// A message that its channel would have got.
pub(super) struct Mailed {
    /// When.
    pub(super) at: Timestamp,
    /// The channel.
    pub(super) channel: String,
    /// How it would have gone there.
    pub(super) kind: &'static str,
    /// Its first line.
    pub(super) title: String,
    /// The rest of it.
    pub(super) body: String,
    /// All of it, for programs.
    pub(super) shown: Value,
}

/// Takes all messages that may be sent now.
pub(super) async fn collect(house: &House, start: Timestamp) -> Result<Vec<Mailed>> {
    let mut mailed = Vec::new();
    loop {
        let now = house.now();
        let due = house.read(move |tx| waiting(tx, now)).await?;
        if due.is_empty() {
            return Ok(mailed);
        }
        for (channel, due) in due {
            let settled = arrived(&due, now);
            house.write(move |tx| tx.settle_message(&settled, now)).await?;
            mailed.push(told(&channel, due, (start, now)));
        }
    }
}

/// The messages that may be sent at `now`, with their channels.
fn waiting(tx: &dyn Tx, now: Timestamp) -> Result<Vec<(Channel, Due)>> {
    let mut waiting = Vec::new();
    for (id, _) in tx.due_channels()?.into_iter().filter(|(_, at)| *at <= now) {
        let Some(channel) = tx.channel(&Scope::EVERYTHING, &id)? else { continue };
        let due = tx.due_messages(&id, now, AT_ONCE)?;
        waiting.extend(due.into_iter().map(|due| (channel.clone(), due)));
    }
    Ok(waiting)
}

/// That a message arrived at once.
fn arrived(due: &Due, now: Timestamp) -> Settled {
    let number = due.message.attempts + 1;
    Settled {
        message_id: due.message.message_id.clone(),
        attempt: Attempt { number, at: now, took_ms: 0, status: None, fault: None },
        next: Next::Done,
        thread: None,
        note: None,
    }
}

/// What a channel would have got.
fn told(channel: &Channel, due: Due, (start, now): (Timestamp, Timestamp)) -> Mailed {
    let Due { message, notices, thread } = due;
    let is_alerting = notices.iter().any(|notice| !notice.occasion.is_over());
    let numbers: Vec<Value> =
        notices.iter().map(|notice| notice.alert["alert_number"].clone()).collect();
    let first = notices.first().map(|notice| {
        let title = notice.alert["title"].as_str().unwrap_or_default();
        format!("{}{title}", notice.occasion.prefix())
    });
    let parcel = Parcel {
        message_id: message.message_id.clone(),
        notices,
        ack_url: is_alerting.then(|| format!("{BASE_URL}/ack/…")),
        thread,
        base_url: BASE_URL.to_owned(),
        now,
    };
    let said = preview((&channel.kind, &channel.templates), &parcel)
        .unwrap_or_else(|fault| json!({ "title": "", "body": "", "fault": fault.reason }));
    let text = |field: &str| said[field].as_str().unwrap_or_default().to_owned();
    Mailed {
        at: now,
        channel: channel.name.clone(),
        kind: channel.kind.kind().as_str(),
        title: said["title"].as_str().map(str::to_owned).or(first).unwrap_or_default(),
        body: text("body"),
        shown: json!({
            "sent_at": rfc3339(now),
            "after": span::shown(now - start),
            "channel": channel.name,
            "kind": channel.kind.kind().as_str(),
            "recipient": message.recipient,
            "message_id": message.message_id,
            "alert_numbers": numbers,
            "says": said,
        }),
    }
}
