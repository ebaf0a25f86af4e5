//! What happens to an alert by itself: by its events, and by time.

use super::{Doer, Life, Then, Turn, by_hand::open};
use crate::{
    clock::Timestamp,
    domain::{
        alert::{Alert, Ending},
        care::{Flapping, Held},
        life::Parts,
        notice::Occasion,
        words::{AlertState, Severity, Urgency},
    },
};

/// It became worse. Whoever took it did not take this, and whoever snoozed it did not snooze this.
pub(super) fn worse(mut alert: Alert, (severity, urgency): (Severity, Urgency)) -> Turn {
    let now = &alert.standing;
    if now.severity <= severity || !now.state.is_open() {
        return Turn::still(alert);
    }
    let reason = format!("worse: {severity}, now {}", now.severity);
    let rises = now.urgency > urgency;
    let mut steps = vec![Life::Worsened { from: severity, to: now.severity }];
    let mut starts_anew = rises;
    if alert.care.snooze.take().is_some() {
        steps.push(Life::SnoozeEnded { reason: reason.clone() });
        starts_anew = true;
    }
    if alert.state() == AlertState::Acknowledged {
        steps.push(Life::Reopened { from: AlertState::Acknowledged, reason: reason.clone() });
        alert = open(alert, AlertState::Triggered);
        starts_anew = true;
    }
    let then = if starts_anew {
        Then::StartAnew(Occasion::Worsened, reason)
    } else {
        Then::Tell(Occasion::Worsened, reason)
    };
    Turn { alert, steps, then }
}

/// It opens too often. That it is told as flapping is for the opening to see to.
pub(super) fn flaps(
    mut alert: Alert,
    (openings, within): (u32, u32),
    Doer { now, .. }: Doer<'_>,
) -> Turn {
    if alert.care.flapping.is_some() || !alert.state().is_open() {
        return Turn::still(alert);
    }
    alert.care.flapping = Some(Flapping { since: now, recovered: false });
    Turn::quiet(alert, Life::Flaps { openings, within })
}

/// Its recovery came while something holds it open: what flaps is not over before it settles, what others are part of not
/// before they are.
pub(super) fn recovered(
    mut alert: Alert,
    (reason, recovered_at): (String, Option<Timestamp>),
    Doer { now, .. }: Doer<'_>,
) -> Turn {
    if let Some(flapping) = &mut alert.care.flapping {
        if std::mem::replace(&mut flapping.recovered, true) {
            return Turn::still(alert);
        }
        return Turn::quiet(alert, Life::FlapDown);
    }
    if !alert.care.leads || alert.care.held.is_some() || !alert.state().is_open() {
        return Turn::still(alert);
    }
    let step = Life::Held { reason: reason.clone() };
    alert.care.held = Some(Held { since: now, recovered_at, reason });
    Turn::quiet(alert, step)
}

/// It is broken: if it was said to have recovered, it has not.
pub(super) fn fired(mut alert: Alert) -> Turn {
    let mut steps = Vec::new();
    if let Some(flapping) = &mut alert.care.flapping
        && std::mem::replace(&mut flapping.recovered, false)
    {
        steps.push(Life::FlapUp);
    }
    if alert.care.held.take().is_some() {
        steps.push(Life::HeldNoMore);
    }
    Turn { alert, steps, then: Then::Nothing }
}

/// It was quiet for long enough: it is over if it recovered last and so are those that are part of it, else it is an
/// alert as any other again.
pub(super) fn settled(mut alert: Alert, parts: Parts, doer: Doer<'_>) -> Turn {
    let Some(flapping) = alert.care.flapping.take() else { return Turn::still(alert) };
    let step = Life::Settled { recovered: flapping.recovered };
    if !flapping.recovered {
        let reason = "it flaps no more, and is broken still".to_owned();
        return Turn::then(alert, step, Then::StartAnew(Occasion::Reopened, reason));
    }
    let reason = "it flapped, recovered, and stayed quiet".to_owned();
    let mut turn = match parts {
        Parts::Over => over(alert, (None, reason), doer),
        Parts::Open => {
            alert.care.leads = true;
            recovered(alert, (reason, None), doer)
        }
    };
    turn.steps.insert(0, step);
    turn
}

/// The last of those that were part of it is over. It is too, if its own recovery came.
pub(super) fn last_part_ended(mut alert: Alert, doer: Doer<'_>) -> Turn {
    let Some(held) = alert.care.held.take() else { return Turn::still(alert) };
    let reason = format!("{}, and what was merged into it is over too", held.reason);
    over(alert, (held.recovered_at, reason), doer)
}

fn over(
    alert: Alert,
    (recovered_at, reason): (Option<Timestamp>, String),
    Doer { now, .. }: Doer<'_>,
) -> Turn {
    if !alert.state().is_open() {
        return Turn::still(alert);
    }
    let step = Life::Resolved { from: alert.state(), reason: reason.clone() };
    let ending = Ending { resolved_at: now, recovered_at, reason };
    Turn::then(alert.ended(ending, now), step, Then::End(Occasion::Resolved))
}

/// Its acknowledgement ran out: nobody is on it any more, as far as anyone knows.
pub(super) fn acknowledgement_ran_out(alert: Alert, Doer { now, .. }: Doer<'_>) -> Turn {
    let is_due = alert.care.acknowledged_until.is_some_and(|until| until <= now);
    if !is_due || alert.state() != AlertState::Acknowledged {
        return Turn::still(alert);
    }
    let whose = alert.responder.as_deref().unwrap_or("someone");
    let reason = format!("the acknowledgement by {whose} ran out");
    let step = Life::Reopened { from: AlertState::Acknowledged, reason: reason.clone() };
    let alert = open(alert, AlertState::Triggered);
    Turn::then(alert, step, Then::StartAnew(Occasion::Reopened, reason))
}

/// Its snooze is over, and it is not.
pub(super) fn snooze_ended(mut alert: Alert, Doer { now, .. }: Doer<'_>) -> Turn {
    let Some(snooze) = alert.care.snooze.take_if(|snooze| snooze.until <= now) else {
        return Turn::still(alert);
    };
    let reason = format!("the snooze by {} ended", snooze.by);
    let step = Life::SnoozeEnded { reason: reason.clone() };
    Turn::then(alert, step, Then::Tell(Occasion::Unmuted, reason))
}

/// Nothing was heard of it for too long. It is not known to have recovered, and says so.
pub(super) fn expired(mut alert: Alert, stale_after: u32, Doer { now, .. }: Doer<'_>) -> Turn {
    if !alert.state().is_open() {
        return Turn::still(alert);
    }
    let last = alert.standing.last_event_at;
    let step = Life::Expired { last_event_at: last, stale_after };
    let reason =
        format!("expired: nothing was heard of it for {stale_after} s; it may not have recovered");
    alert.care.expired = true;
    let ending = Ending { resolved_at: now, recovered_at: None, reason };
    Turn::then(alert.ended(ending, now), step, Then::End(Occasion::Expired))
}
