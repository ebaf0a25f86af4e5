//! What people do to one alert.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{AlertInfo, alerted, existing};
use crate::{
    api::{Call, Done, along, asked, call::seen},
    care::{Hand, life},
    clock::{Timestamp, to_millis},
    domain::{
        alert::Alert,
        life::{Act, Edit},
        project::Project,
        words::{AlertState, Urgency},
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1000;

/// The longest text of an alert, in characters.
pub(super) const LONGEST_TEXT: usize = 100_000;

/// Who acts, and when.
pub(super) fn hand(call: &Call) -> Hand<'_> {
    Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor }
}

/// The alert, which is about to be changed.
pub(super) fn touched(tx: &dyn Tx, call: &Call, id: &Id<Alert>) -> Result<Alert> {
    call.touches("alert", id);
    existing(tx, call, id)
}

/// Notes what an alert was and is, and shows it.
pub(super) fn shown(call: &Call, before: Alert, after: Alert) -> AlertInfo {
    let (before, after) = (AlertInfo::from(before), AlertInfo::from(after));
    call.touched("alert", &after.alert_id, seen(&before), seen(&after));
    after
}

/// Does `act` to an alert, with all that follows from it.
pub(super) fn done(tx: &mut dyn Tx, call: &Call, id: &Id<Alert>, act: Act) -> Result<AlertInfo> {
    let before = touched(tx, call, id)?;
    let after = life::change(tx, before.clone(), act, &hand(call))?;
    Ok(shown(call, before, after))
}

/// A reason that a person gave, without blanks around it; an empty one is none.
pub(super) fn reason(given: Option<String>) -> Result<Option<String>> {
    let reason = asked::text(given);
    bounded("reason", reason.as_deref(), LONGEST_REASON)?;
    Ok(reason)
}

/// Refuses a text that is too long.
pub(super) fn bounded(name: &str, text: Option<&str>, longest: usize) -> Result<()> {
    if text.is_some_and(|text| text.chars().count() > longest) {
        let detail = format!("`{name}` has at most {longest} characters");
        return Err(Error::at(Code::InvalidParameter, format!("/{name}"), detail));
    }
    Ok(())
}

/// When something ends that is said to last until then, or for so many seconds.
pub(super) fn end(
    (pointer, until): (&str, Option<Timestamp>),
    seconds: Option<u32>,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    match (until, seconds) {
        (Some(_), Some(_)) => {
            let detail = "give a time or a number of seconds, not both";
            Err(Error::at(Code::InvalidParameter, pointer, detail))
        }
        (Some(until), None) => Ok(Some(to_millis(until))),
        (None, Some(seconds)) => Ok(Some(now + TimeDelta::seconds(seconds.into()))),
        (None, None) => Ok(None),
    }
}

/// When an acknowledgement ends: as it is said, else as the project has it. Zero seconds say never.
pub(super) fn acknowledged_until(
    tx: &dyn Tx,
    call: &Call,
    (alert, until, seconds): (&Alert, Option<Timestamp>, Option<u32>),
) -> Result<Option<Timestamp>> {
    if until.is_none() && seconds == Some(0) {
        return Ok(None);
    }
    if let Some(end) = end(("/acknowledged_until", until), seconds, call.now)? {
        return Ok(Some(end));
    }
    let setup = tx.setup(&alert.home.project_id)?;
    let expiry = setup.and_then(|setup| setup.policy.acknowledgement_expiry);
    Ok(expiry.map(|expiry| call.now + expiry))
}

/// Asks to change an alert; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// What a person reads first.
    title: Option<String>,
    /// Where it stands from now on: TRIGGERED, ACKNOWLEDGED or RESOLVED.
    state: Option<AlertState>,
    /// When the acknowledgement runs out, so that the alert is TRIGGERED again and told anew; with state ACKNOWLEDGED, at
    /// most 90 days ahead. What the project says where neither this nor `acknowledged_for` is given.
    acknowledged_until: Option<Timestamp>,
    /// The same as a number of seconds from now; zero for never.
    acknowledged_for: Option<u32>,
    /// Why the state changes.
    reason: Option<String>,
    /// What a person reads next.
    description: Option<String>,
    /// Whether to empty the description.
    #[serde(default)]
    reset_description: bool,
    /// How soon a person must look.
    urgency: Option<Urgency>,
    /// The project it moves to, in the same workspace.
    project_id: Option<Id<Project>>,
}

/// Changes an alert.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateAlert) -> Result<AlertInfo> {
    let before = touched(tx, call, &request.alert_id)?;
    let mut alert = before.clone();
    for act in acts(tx, call, &before, request)? {
        alert = life::change(tx, alert, act, &hand(call))?;
    }
    Ok(shown(call, before, alert))
}

/// What is asked, in the order that tells people least: what is resolved, or taken, is so before anything else is said of
/// it, and what is opened again is told once, with all that is new about it.
fn acts(tx: &dyn Tx, call: &Call, alert: &Alert, request: UpdateAlert) -> Result<Vec<Act>> {
    let UpdateAlert {
        alert_id: _, title, state, acknowledged_until: until, acknowledged_for, ..
    } = request;
    let is_ack = state == Some(AlertState::Acknowledged);
    if !is_ack && (until.is_some() || acknowledged_for.is_some()) {
        let detail =
            "only what is acknowledged with this call can run out; give state ACKNOWLEDGED";
        return Err(Error::at(Code::InvalidParameter, "/acknowledged_until", detail));
    }
    let reason = reason(request.reason)?;
    let turn = match state {
        None => None,
        Some(AlertState::Triggered) => Some(Act::Reopen { reason }),
        Some(AlertState::Resolved) => Some(Act::Resolve { reason }),
        Some(AlertState::Acknowledged) => {
            let until = self::acknowledged_until(tx, call, (alert, until, acknowledged_for))?;
            Some(Act::Acknowledge { until })
        }
        Some(AlertState::Error) if alert.standing.state == AlertState::Error => None,
        Some(AlertState::Error) => {
            let detail = "only Alertmill itself gives the state ERROR: to what it cannot read";
            return Err(Error::at(Code::InvalidParameter, "/state", detail));
        }
    };
    let description = if request.reset_description {
        Some(String::new())
    } else {
        asked::text(request.description)
    };
    let title = title.filter(|title| !title.trim().is_empty());
    let title = title.map(|title| asked::name("title", &title)).transpose()?;
    bounded("description", description.as_deref(), LONGEST_TEXT)?;
    let edit = Act::Edit(Edit { title, description, urgency: request.urgency });
    let home = request.project_id.map(|project| alerted(tx, call, &project)).transpose()?;
    let moves = home.map(|config| Act::Move { home: config.home });
    let is_reopened = state == Some(AlertState::Triggered);
    let (first, last) = if is_reopened { (moves, turn) } else { (turn, moves) };
    Ok(first.into_iter().chain([edit]).chain(last).collect())
}

/// Asks to give an alert to someone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignUser {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// Who should act; empty for nobody.
    assignee: String,
}

/// Gives an alert to someone, and tells them.
pub fn assign_user(tx: &mut dyn Tx, call: &Call, request: AssignUser) -> Result<AlertInfo> {
    let act = assignment(&request.assignee)?;
    done(tx, call, &request.alert_id, act)
}

/// Giving an alert to someone, or to nobody.
pub(super) fn assignment(assignee: &str) -> Result<Act> {
    let is_nobody = assignee.trim().is_empty();
    let assignee = if is_nobody { None } else { Some(asked::name("assignee", assignee)?) };
    Ok(Act::Assign { assignee })
}

/// Asks to put an alert off.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnoozeAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// Until when; at most 90 days ahead.
    until: Option<Timestamp>,
    /// The same as a number of seconds from now.
    seconds: Option<u32>,
    /// Why.
    reason: Option<String>,
}

/// Puts an alert off: nobody is told of it before then, unless it gets worse.
pub fn snooze(tx: &mut dyn Tx, call: &Call, request: SnoozeAlert) -> Result<AlertInfo> {
    let SnoozeAlert { alert_id, until, seconds, reason } = request;
    let act = snoozing(call, (until, seconds), reason)?;
    done(tx, call, &alert_id, act)
}

/// Putting an alert off.
pub(super) fn snoozing(
    call: &Call,
    (until, seconds): (Option<Timestamp>, Option<u32>),
    given: Option<String>,
) -> Result<Act> {
    let until = end(("/until", until), seconds, call.now)?;
    let until = until.ok_or_else(|| Error::required("until"))?;
    Ok(Act::Snooze { until, reason: reason(given)? })
}

/// Names one alert.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
}

/// Puts an alert off no longer.
pub fn unsnooze(tx: &mut dyn Tx, call: &Call, request: OneAlert) -> Result<AlertInfo> {
    done(tx, call, &request.alert_id, Act::Wake)
}

/// Asks to make an alert one with another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// The alert that leads from then on, in the same workspace.
    into: Id<Alert>,
    /// Why.
    reason: Option<String>,
}

/// Makes an alert one with another, which is told for both and is over when both are.
pub fn merge(tx: &mut dyn Tx, call: &Call, request: MergeAlert) -> Result<AlertInfo> {
    let MergeAlert { alert_id, into, reason } = request;
    let reason = self::reason(reason)?;
    merged(tx, call, &alert_id, (&into, reason))
}

/// Makes an alert one with another, which the caller must see too.
pub(super) fn merged(
    tx: &mut dyn Tx,
    call: &Call,
    id: &Id<Alert>,
    (into, reason): (&Id<Alert>, Option<String>),
) -> Result<AlertInfo> {
    let before = touched(tx, call, id)?;
    existing(tx, call, into)?;
    let after = life::merge(tx, before.clone(), (into, reason), &hand(call))?;
    Ok(shown(call, before, after))
}

/// Asks to make an alert one of its own again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmergeAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// Why.
    reason: Option<String>,
}

/// Makes an alert one of its own again, which is told as such.
pub fn unmerge(tx: &mut dyn Tx, call: &Call, request: UnmergeAlert) -> Result<AlertInfo> {
    let reason = reason(request.reason)?;
    unmerged(tx, call, &request.alert_id, reason)
}

/// Makes an alert one of its own again.
pub(super) fn unmerged(
    tx: &mut dyn Tx,
    call: &Call,
    id: &Id<Alert>,
    reason: Option<String>,
) -> Result<AlertInfo> {
    let before = touched(tx, call, id)?;
    let after = life::unmerge(tx, before.clone(), reason, &hand(call))?;
    Ok(shown(call, before, after))
}

/// Deletes an alert with what was written about it; its events stay.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneAlert) -> Result<Done> {
    deleted(tx, call, &request.alert_id)?;
    Ok(Done {})
}

/// Deletes an alert.
pub(super) fn deleted(tx: &mut dyn Tx, call: &Call, id: &Id<Alert>) -> Result<()> {
    let alert = touched(tx, call, id)?;
    along::alert(tx, call, &alert)?;
    tx.delete_alert(id, call.now)?;
    life::deleted(tx, &alert, &hand(call))?;
    call.touched("alert", id, seen(&AlertInfo::from(alert)), None);
    Ok(())
}
