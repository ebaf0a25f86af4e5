//! What happens to an alert by itself: by its events, and by time.

use super::{Doer, Life, Then, Turn, by_hand::open};
use crate::domain::{
    alert::{Alert, Ending, Flapping},
    notice::Occasion,
    words::{AlertState, Severity, Urgency},
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

/// While it flaps its events only say which way it points.
pub(super) fn flapped(mut alert: Alert, to: AlertState) -> Turn {
    let Some(flapping) = &mut alert.care.flapping else { return Turn::still(alert) };
    let recovered = to == AlertState::Resolved;
    if flapping.recovered == recovered {
        return Turn::still(alert);
    }
    flapping.recovered = recovered;
    let step = if recovered { Life::FlapDown } else { Life::FlapUp };
    Turn::quiet(alert, step)
}

/// It was quiet for long enough: it is over if it recovered last, else it is an alert as any other again.
pub(super) fn settled(mut alert: Alert, Doer { now, .. }: Doer<'_>) -> Turn {
    let Some(flapping) = alert.care.flapping.take() else { return Turn::still(alert) };
    let step = Life::Settled { recovered: flapping.recovered };
    if flapping.recovered {
        let from = alert.state();
        let reason = "it flapped, recovered, and stayed quiet".to_owned();
        let resolved = Life::Resolved { from, reason: reason.clone() };
        let ending = Ending { resolved_at: now, recovered_at: None, reason };
        let (alert, then) = (alert.ended(ending, now), Then::End(Occasion::Resolved));
        return Turn { alert, steps: vec![step, resolved], then };
    }
    let reason = "it flaps no more, and is broken still".to_owned();
    Turn::then(alert, step, Then::StartAnew(Occasion::Reopened, reason))
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
    let reason = format!("expired: nothing was heard of it for {stale_after} s; it may not have recovered");
    alert.care.expired = true;
    let ending = Ending { resolved_at: now, recovered_at: None, reason };
    Turn::then(alert.ended(ending, now), step, Then::End(Occasion::Expired))
}
