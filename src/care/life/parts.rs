//! Alerts that are one with another, which leads: it alone is told, and it is over when all of them are.

use super::{change, found, setup_of};
use crate::{
    care::{Hand, mute, record},
    domain::{
        alert::{Alert, Standing},
        care::Care,
        history::Step,
        life::{Act, Life},
        scope::Scope,
        timer::{Timer, TimerKind},
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// How many alerts follow their lead in one unit of work; the rest follow in the next.
const TOGETHER: u32 = 200;

/// Merges an alert, and what is part of it, into another one, which leads from then on.
///
/// # Errors
/// Where either is over, where the other is part of an alert itself, or where they are of different workspaces.
pub fn merge(
    tx: &mut dyn Tx,
    alert: Alert,
    (into, reason): (&Id<Alert>, Option<String>),
    hand: &Hand<'_>,
) -> Result<Alert> {
    let lead = found(tx, into)?;
    let refused = |detail: String| Err(Error::at(Code::InvalidParameter, "/into", detail));
    if !lead.standing.state.is_open() {
        return refused(format!("alert `{into}` is over; only what is open can lead"));
    }
    if let Some(other) = &lead.care.merged_into {
        return refused(format!("alert `{into}` is merged into `{other}`; merge into that one"));
    }
    if lead.home.workspace_id != alert.home.workspace_id {
        return refused(format!("alert `{into}` is in another workspace"));
    }
    let (id, before) = (alert.alert_id().clone(), alert.care.merged_into.clone());
    let act = Act::Merge { into: into.clone(), reason: reason.clone() };
    let mut alert = change(tx, alert, act, hand)?;
    if before.as_ref() == Some(into) {
        return Ok(alert);
    }
    taken_in(tx, into, &alert, hand)?;
    if let Some(before) = before {
        let_go(tx, &before, &id, hand)?;
    }
    if alert.care.leads {
        alert = move_on(tx, alert, into, hand)?;
    }
    Ok(alert)
}

/// What is part of an alert becomes part of what that is part of by now. What does not fit into this unit of work follows
/// in the next; until then it is told by nobody, which is a second or two.
fn move_on(tx: &mut dyn Tx, alert: Alert, into: &Id<Alert>, hand: &Hand<'_>) -> Result<Alert> {
    let id = alert.alert_id().clone();
    for part in tx.open_parts(&id, TOGETHER)? {
        let act = Act::Merge { into: into.clone(), reason: Some(format!("with {id}")) };
        let part = change(tx, part, act, hand)?;
        taken_in(tx, into, &part, hand)?;
    }
    if goes_on(tx, &id, hand)? {
        return Ok(alert);
    }
    change(tx, alert, Act::LastPartEnds, hand)
}

/// Whether there is more of an alert's parts than one unit of work took; if so, another one goes on with it.
fn goes_on(tx: &mut dyn Tx, lead: &Id<Alert>, hand: &Hand<'_>) -> Result<bool> {
    let more = tx.has_open_parts(lead)?;
    if more {
        tx.set_timer(TimerKind::Parts, lead.as_str(), Some(hand.now))?;
    }
    Ok(more)
}

/// Goes on with the parts of an alert that was merged, is over or was deleted.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    let id = Id::<Alert>::from(timer.subject.as_str());
    let lead = tx.alert(&Scope::EVERYTHING, &id)?;
    let Some(lead) = lead.filter(|lead| lead.standing.state.is_open()) else {
        return free(tx, &id, hand);
    };
    match lead.care.merged_into.clone() {
        Some(into) => move_on(tx, lead, &into, hand).map(|_| ()),
        // It was opened again, or is one of its own again, and keeps what is part of it still.
        None => Ok(()),
    }
}

/// Makes an alert one of its own again.
///
/// # Errors
/// Where it is not part of another.
pub fn unmerge(
    tx: &mut dyn Tx,
    alert: Alert,
    reason: Option<String>,
    hand: &Hand<'_>,
) -> Result<Alert> {
    let Some(lead) = alert.care.merged_into.clone() else {
        let detail = format!("alert `{}` is not merged into another", alert.alert_id());
        return Err(Error::at(Code::InvalidParameter, "/alert_id", detail));
    };
    let alert = change(tx, alert, Act::Unmerge { reason }, hand)?;
    let_go(tx, &lead, alert.alert_id(), hand)?;
    Ok(alert)
}

/// An alert takes another one in.
pub(super) fn taken_in(
    tx: &mut dyn Tx,
    lead: &Id<Alert>,
    member: &Alert,
    hand: &Hand<'_>,
) -> Result<()> {
    let alert = found(tx, lead)?;
    if !alert.care.leads {
        let care = Care { leads: true, ..alert.care.clone() };
        tx.put_alert(&alert.cared_for(care))?;
    }
    let step = Step::Life(Life::TookIn { member: member.alert_id().clone() });
    record(tx, (lead, None), vec![step], hand)?;
    heard_by_lead(tx, member, hand)
}

/// A part that is worse than its lead makes that as bad as itself: the lead tells for both, so whoever took it, or put it
/// off, hears of it.
pub(super) fn heard_by_lead(tx: &mut dyn Tx, part: &Alert, hand: &Hand<'_>) -> Result<()> {
    let Some(lead) = &part.care.merged_into else { return Ok(()) };
    let mut alert = found(tx, lead)?;
    let Standing { severity, urgency, .. } = alert.standing;
    if part.standing.severity <= severity || !alert.standing.state.is_open() {
        return Ok(());
    }
    alert.standing.severity = part.standing.severity;
    alert.standing.urgency = urgency.max(part.standing.urgency);
    let alert = change(tx, alert, Act::Worsen { severity, urgency }, hand)?;
    let setup = setup_of(tx, &alert.home)?;
    mute::worsened(tx, &alert.standing, &setup, hand)
}

/// An alert that was part of another is an alert of its own again.
fn let_go(tx: &mut dyn Tx, lead: &Id<Alert>, member: &Id<Alert>, hand: &Hand<'_>) -> Result<()> {
    let step = Step::Life(Life::LetGo { member: member.clone() });
    record(tx, (lead, None), vec![step], hand)?;
    part_gone(tx, lead, hand)
}

/// One less is part of an alert: if that was the last one, it is over if it recovered before.
fn part_gone(tx: &mut dyn Tx, lead: &Id<Alert>, hand: &Hand<'_>) -> Result<()> {
    if tx.has_open_parts(lead)? {
        return Ok(());
    }
    // It may have been removed for its age.
    let Some(alert) = tx.alert(&Scope::EVERYTHING, lead)? else { return Ok(()) };
    change(tx, alert, Act::LastPartEnds, hand)?;
    Ok(())
}

/// An alert is over, or deleted: what is part of it still is set free, since nobody would hear of it any more.
pub(super) fn set_free(tx: &mut dyn Tx, alert: &Alert, hand: &Hand<'_>) -> Result<()> {
    if alert.care.leads { free(tx, alert.alert_id(), hand) } else { Ok(()) }
}

fn free(tx: &mut dyn Tx, lead: &Id<Alert>, hand: &Hand<'_>) -> Result<()> {
    for part in tx.open_parts(lead, TOGETHER)? {
        let reason = Some(format!("{lead} is over, and this is not"));
        change(tx, part, Act::Unmerge { reason }, hand)?;
    }
    goes_on(tx, lead, hand).map(|_| ())
}

/// An alert is over, or no part any more: the one that leads it may be over too.
pub(super) fn left(tx: &mut dyn Tx, alert: &Alert, hand: &Hand<'_>) -> Result<()> {
    match &alert.care.merged_into {
        Some(lead) => part_gone(tx, lead, hand),
        None => Ok(()),
    }
}

/// A person said that an alert is over, and so what is part of it is. What does not fit into this unit of work follows in
/// the next.
pub(super) fn follow(tx: &mut dyn Tx, lead: &Alert, hand: &Hand<'_>) -> Result<()> {
    if !lead.care.leads {
        return Ok(());
    }
    for part in tx.open_parts(lead.alert_id(), TOGETHER)? {
        let reason = Some(format!("with {}, which it is merged into", lead.alert_id()));
        change(tx, part, Act::Resolve { reason }, hand)?;
    }
    if tx.has_open_parts(lead.alert_id())? {
        let due_at = Some(hand.now);
        tx.set_timer(TimerKind::Settle, lead.alert_id().as_str(), due_at)?;
    }
    Ok(())
}
