//! Acknowledging by link: what the page shows, and what it does once it was asked.

use chrono::TimeDelta;
use serde_json::json;

use super::by_itself;
use crate::{
    care::{Hand, life},
    clock::Timestamp,
    domain::{
        alert::Alert,
        audit::{Actor, AuditEntry},
        channel::{ChannelState, Place},
        life::Act,
        message::Message,
        scope::Scope,
        words::AlertState,
    },
    error::{Error, Result},
    id::{Id, Mint},
    store::{Due, Tx},
};

/// The most letters of a name that someone gives.
const LONGEST_NAME: usize = 64;

/// What a link is about.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The alert.
    pub alert: Alert,
    /// The user whose link it is; `None` where many read what it stands in.
    pub user: Option<String>,
    /// What the channel is called that it was sent through.
    pub channel: String,
}

/// Someone who pressed the button of a link's page.
#[derive(Clone, Debug)]
pub struct Pressed {
    /// The message that the link was in.
    pub message_id: Id<Message>,
    /// Who they say they are, if they do.
    pub name: Option<String>,
    /// When.
    pub now: Timestamp,
    /// What makes identifiers.
    pub mint: Mint,
    /// The address it came from.
    pub remote: String,
    /// The program it came from, as that names itself.
    pub user_agent: Option<String>,
    /// The request it came in.
    pub request_id: String,
}

/// What the link of a message is about.
///
/// # Errors
/// `ERROR_NOT_FOUND` where the message, its channel or its alert is gone, the message tells of many alerts, or the channel
/// is disabled or hears no more of what the alert belongs to, or where the alert ended since and was opened anew: who
/// presses an old link does not know of that.
pub fn linked(tx: &dyn Tx, message_id: &Id<Message>) -> Result<Linked> {
    let gone = || Error::not_found("link of the message", message_id);
    let everything = &Scope::EVERYTHING;
    let Due { message, notices, .. } = tx.message(everything, message_id)?.ok_or_else(gone)?;
    // Who takes a channel away takes its links away too.
    let channel = tx.channel(everything, &message.channel_id)?.ok_or_else(gone)?;
    let [notice] = notices.as_slice() else { return Err(gone()) };
    let alert = tx.alert(everything, &notice.alert_id)?.ok_or_else(gone)?;
    let is_heard = channel.home.reaches(&Place::Project(alert.home.clone()));
    if channel.state != ChannelState::Enabled || !is_heard {
        return Err(gone());
    }
    // What tells of an end is of the life that ended.
    let since = notice.created_at - TimeDelta::milliseconds(notice.occasion.is_over().into());
    if alert.standing.state.is_open() && tx.ended_since(alert.alert_id(), since)? {
        return Err(gone());
    }
    Ok(Linked { alert, user: message.recipient, channel: channel.name })
}

/// Acknowledges the alert of a link, if nobody has and it is not over; what is so then.
///
/// # Errors
/// As [`linked`].
pub fn acknowledge(tx: &mut dyn Tx, pressed: &Pressed) -> Result<Linked> {
    let linked = linked(tx, &pressed.message_id)?;
    match linked.alert.standing.state {
        AlertState::Triggered | AlertState::Error => {}
        AlertState::Acknowledged | AlertState::Resolved => return Ok(linked),
    }
    let who = who(&linked, pressed.name.as_deref());
    let actor = format!("recipient:{who}");
    let hand = Hand { mint: &pressed.mint, now: pressed.now, actor: &actor };
    let setup = tx.setup(&linked.alert.home.project_id)?;
    let expiry = setup.and_then(|setup| setup.policy.acknowledgement_expiry);
    let until = expiry.map(|expiry| pressed.now + expiry);
    tx.watch_changes();
    let mut alert = life::change(tx, linked.alert.clone(), Act::Acknowledge { until }, &hand)?;
    // People look for a name here, not for how it came.
    alert.responder = Some(who);
    tx.put_alert(&alert)?;
    let base = AuditEntry {
        remote: Some(pressed.remote.clone()),
        user_agent: pressed.user_agent.clone(),
        request_id: Some(pressed.request_id.clone()),
        ..AuditEntry::new(pressed.now, Actor::parse(&actor), "alert.acknowledge_by_link")
            .saying(json!({ "message_id": pressed.message_id }))
    };
    for changed in tx.take_changes() {
        if let Some((domain_id, entity, (before, after))) = by_itself::alert(tx, changed)? {
            let entry = base.clone().on(entity).changed(before, after);
            tx.add_audit(&domain_id, entry, &pressed.mint)?;
        }
    }
    Ok(Linked { alert, ..linked })
}

/// Who acts: the user whose link it is, or whoever they say they are.
fn who(linked: &Linked, name: Option<&str>) -> String {
    let given = name.map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
    let given = given.map(|name| {
        let letters = name.chars().filter(|letter| !letter.is_control());
        letters.take(LONGEST_NAME).collect::<String>()
    });
    let given = given.filter(|name| !name.is_empty());
    linked.user.clone().or(given).unwrap_or_else(|| linked.channel.clone())
}
