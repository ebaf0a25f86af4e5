//! What people do to an alert.

use chrono::TimeDelta;

use super::{Decided, Doer, Edit, Life, Refused, Then, Turn};
use crate::{
    clock::Timestamp,
    domain::{
        alert::{Alert, Ending},
        care::Snooze,
        notice::Occasion,
        scope::Home,
        words::AlertState,
    },
    id::Id,
};

/// How long a snooze, or an acknowledgement that runs out, may last at most: long enough for any holiday, short enough
/// that nobody has forgotten why.
pub(super) const LONGEST: TimeDelta = TimeDelta::days(90);

fn refused(pointer: &'static str, detail: impl Into<String>) -> Refused {
    Refused { pointer, detail: detail.into() }
}

/// The same time, if it lies ahead and not too far.
fn ahead(pointer: &'static str, until: Timestamp, now: Timestamp) -> Result<Timestamp, Refused> {
    if until <= now {
        return Err(refused(pointer, "that time is over; give one that lies ahead"));
    }
    if until - now > LONGEST {
        return Err(refused(pointer, format!("at most {} days ahead", LONGEST.num_days())));
    }
    Ok(until)
}

/// Someone takes it. What is over is opened again by that.
pub(super) fn acknowledged(
    alert: Alert,
    until: Option<Timestamp>,
    Doer { actor, now }: Doer<'_>,
) -> Decided {
    let until = until.map(|until| ahead("/acknowledged_until", until, now)).transpose()?;
    let was = alert.state();
    let is_same = was == AlertState::Acknowledged
        && alert.responder.as_deref() == Some(actor)
        && alert.care.acknowledged_until == until;
    if is_same {
        return Ok(Turn::still(alert));
    }
    let mut steps = vec![Life::Acknowledged { from: was, until }];
    let mut alert = open(alert, AlertState::Acknowledged);
    alert.responder = Some(actor.to_owned());
    alert.acknowledged_at = Some(now);
    alert.care.acknowledged_until = until;
    let then = match was {
        AlertState::Resolved => {
            steps.extend(on_its_own(&mut alert));
            let reason = format!("acknowledged by {actor} after it was over");
            Then::StartAnew(Occasion::Reopened, reason)
        }
        AlertState::Triggered | AlertState::Acknowledged | AlertState::Error => Then::Nothing,
    };
    Ok(Turn { alert, steps, then })
}

/// What is opened again is an alert of its own: the one that led it may be over, and would not tell of it. What muted it
/// once is decided anew.
fn on_its_own(alert: &mut Alert) -> Option<Life> {
    alert.care.mute.take_if(|mute| !mute.is_final());
    let from = alert.care.merged_into.take()?;
    Some(Life::Unmerged { from, reason: Some("it was opened again".to_owned()) })
}

/// It is said to be over.
pub(super) fn resolved(
    alert: Alert,
    reason: Option<String>,
    Doer { actor, now }: Doer<'_>,
) -> Turn {
    if alert.state() == AlertState::Resolved {
        return Turn::still(alert);
    }
    let from = alert.state();
    let reason = match reason {
        Some(reason) => format!("resolved by {actor}: {reason}"),
        None => format!("resolved by {actor}"),
    };
    let step = Life::Resolved { from, reason: reason.clone() };
    let ending = Ending { resolved_at: now, recovered_at: None, reason };
    Turn::then(alert.ended(ending, now), step, Then::End(Occasion::Resolved))
}

/// It is to be TRIGGERED again.
pub(super) fn reopened(
    alert: Alert,
    reason: Option<String>,
    Doer { actor, .. }: Doer<'_>,
) -> Decided {
    let was = alert.state();
    let what = match was {
        AlertState::Triggered => return Ok(Turn::still(alert)),
        AlertState::Error => {
            let detail = "an alert in state ERROR can be acknowledged or resolved";
            return Err(refused("/state", detail));
        }
        AlertState::Acknowledged => "acknowledgement taken back by",
        AlertState::Resolved => "opened again by",
    };
    let reason = match reason {
        Some(reason) => format!("{what} {actor}: {reason}"),
        None => format!("{what} {actor}"),
    };
    let mut steps = vec![Life::Reopened { from: was, reason: reason.clone() }];
    let mut alert = open(alert, AlertState::Triggered);
    if was == AlertState::Resolved {
        steps.extend(on_its_own(&mut alert));
    }
    Ok(Turn { alert, steps, then: Then::StartAnew(Occasion::Reopened, reason) })
}

/// The alert open in this state, with nobody on it.
pub(super) fn open(mut alert: Alert, state: AlertState) -> Alert {
    alert.standing.state = state;
    alert.ending = None;
    alert.responder = None;
    alert.acknowledged_at = None;
    alert.care.acknowledged_until = None;
    alert.care.expired = false;
    alert
}

/// Nobody is to hear of it until then.
pub(super) fn snoozed(
    mut alert: Alert,
    (until, reason): (Timestamp, Option<String>),
    Doer { actor, now }: Doer<'_>,
) -> Decided {
    if alert.state() == AlertState::Resolved {
        return Err(refused("/alert_id", "it is over: nobody hears of it as it is"));
    }
    let until = ahead("/until", until, now)?;
    let snooze = Snooze { until, by: actor.to_owned(), reason };
    if alert.care.snooze.as_ref() == Some(&snooze) {
        return Ok(Turn::still(alert));
    }
    let step = Life::Snoozed { until, reason: snooze.reason.clone() };
    alert.care.snooze = Some(snooze);
    Ok(Turn::quiet(alert, step))
}

/// The snooze is taken back.
pub(super) fn woken(mut alert: Alert, Doer { actor, .. }: Doer<'_>) -> Turn {
    let Some(snooze) = alert.care.snooze.take() else { return Turn::still(alert) };
    let reason = format!("{actor} took back the snooze by {}", snooze.by);
    let step = Life::SnoozeEnded { reason: reason.clone() };
    Turn::then(alert, step, Then::Tell(Occasion::Unmuted, reason))
}

/// Someone is to look after it.
pub(super) fn assigned(
    mut alert: Alert,
    assignee: Option<String>,
    Doer { actor, .. }: Doer<'_>,
) -> Turn {
    if alert.assignee == assignee {
        return Turn::still(alert);
    }
    let from = std::mem::replace(&mut alert.assignee, assignee);
    let step = Life::Assigned { to: alert.assignee.clone(), from };
    match &alert.assignee {
        // Whoever takes it over needs no message to learn of it, and what is over needs nobody.
        Some(assignee) if assignee != actor && alert.state().is_open() => {
            let reason = format!("assigned to {assignee} by {actor}");
            Turn::then(alert, step, Then::Tell(Occasion::Assigned, reason))
        }
        Some(_) | None => Turn::quiet(alert, step),
    }
}

/// What it says is changed. Only a rise of its urgency is told.
pub(super) fn edited(mut alert: Alert, edit: Edit, Doer { actor, .. }: Doer<'_>) -> Turn {
    let Edit { title, description, urgency } = edit;
    let before = alert.clone();
    alert.title = title.or(alert.title);
    alert.description = description.or(alert.description);
    alert.standing.urgency = urgency.unwrap_or(alert.standing.urgency);
    let mut fields = Vec::new();
    if alert.title != before.title {
        fields.push("title".to_owned());
    }
    if alert.description != before.description {
        fields.push("description".to_owned());
    }
    let mut steps = Vec::new();
    if !fields.is_empty() {
        steps.push(Life::Edited { fields });
    }
    let (from, to) = (before.standing.urgency, alert.standing.urgency);
    if from != to {
        steps.push(Life::Urgency { from, to });
    }
    let then = if to > from && alert.state().is_open() {
        Then::StartAnew(Occasion::Worsened, format!("urgency raised to {to} by {actor}"))
    } else {
        Then::Nothing
    };
    Turn { alert, steps, then }
}

/// It goes to another project, whose policy starts with it.
pub(super) fn moved(mut alert: Alert, home: Home, Doer { actor, .. }: Doer<'_>) -> Decided {
    if alert.home == home {
        return Ok(Turn::still(alert));
    }
    if alert.home.workspace_id != home.workspace_id {
        let detail = "an alert keeps its number, so it moves only within its workspace";
        return Err(refused("/project_id", detail));
    }
    let from = std::mem::replace(&mut alert.home, home);
    // What mutes there is for that project to say.
    alert.care.mute.take_if(|mute| !mute.is_final());
    // It is escalated as the alerts of its new project are.
    alert.care.escalation.policy_id = None;
    alert.care.escalation.is_given = false;
    let step = Life::Moved { from: from.project_id, to: alert.home.project_id.clone() };
    if !alert.state().is_open() {
        return Ok(Turn::quiet(alert, step));
    }
    let reason = format!("moved here by {actor}");
    Ok(Turn::then(alert, step, Then::StartAnew(Occasion::Opened, reason)))
}

/// It is one with another alert, which is told for both. That the other may lead is for the caller to say, who has it.
pub(super) fn merged(mut alert: Alert, into: Id<Alert>, reason: Option<String>) -> Decided {
    if alert.alert_id() == &into {
        return Err(refused("/into", "an alert cannot be merged into itself"));
    }
    if alert.state() == AlertState::Resolved {
        return Err(refused("/alert_id", "it is over; only open alerts can be merged"));
    }
    if alert.care.merged_into.as_ref() == Some(&into) {
        return Ok(Turn::still(alert));
    }
    alert.care.merged_into = Some(into.clone());
    Ok(Turn::quiet(alert, Life::Merged { into, reason }))
}

/// It is an alert of its own again, and told as such if it is open.
pub(super) fn unmerged(mut alert: Alert, reason: Option<String>) -> Turn {
    let Some(from) = alert.care.merged_into.take() else { return Turn::still(alert) };
    let told = reason.clone().unwrap_or_else(|| format!("no longer merged into {from}"));
    let step = Life::Unmerged { from, reason };
    if !alert.state().is_open() {
        return Turn::quiet(alert, step);
    }
    Turn::then(alert, step, Then::StartAnew(Occasion::Reopened, told))
}
