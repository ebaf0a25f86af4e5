//! What mutes an alert when it opens, when something that mutes begins or ends, and when its inhibitor is over.
//!
//! What mutes an alert is written on it (`care.mute`), so that whoever would tell of it sees that at once. It is decided
//! anew whenever it may have changed: when the alert opens or becomes worse, when a window or a silence begins, ends or
//! is changed, when an inhibitor opens or is over. Many alerts are looked at page by page, each page a unit of work.

mod consider;
mod errand;

use self::{
    consider::{Looked, consider, suppressed, waits_for},
    errand::Errand,
};
use super::{Hand, Opening, escalate, record};
use crate::{
    domain::{
        alert::{Alert, Standing},
        care::{Marks, Mute},
        event_rule::Routing,
        history::Step,
        notice::Occasion,
        scope::Scope,
        setup::Setup,
        suppress::{
            Considered, EqualValues, Inhibition, MaintenanceWindow, MuteStep, Side, Silence,
            Verdict, called, muted_by, steps,
        },
        timer::{Timer, TimerKind},
    },
    error::{Error, Result},
    id::Id,
    store::{HitKind, OpenPlace, Tx, Which},
};

/// What the names of event rules begin with, where something says what mutes an alert.
const EVENT_RULE: &str = "event_rule:";

/// How many alerts are looked at in one unit of work.
const PAGE: u32 = 100;

/// The most parts of inhibitions that are forgotten in one statement.
const SIDES: u32 = 10_000;

/// Decides whether an alert that is about to open is muted.
pub fn on_open(tx: &mut dyn Tx, opening: &mut Opening<'_>) -> Result<()> {
    let Opening { alert, routing, setup, hand, steps: said, .. } = opening;
    let waits = waits_for(alert, routing);
    if setup.mutes.is_empty() && routing.suppress.is_none() && waits.is_none() {
        return Ok(());
    }
    let looked = Looked::opening(alert);
    let mut all: Vec<Considered> = suppressed(routing).into_iter().collect();
    all.extend(consider(tx, &looked, waits.as_ref(), (setup, hand.now))?);
    let mute = muted_by(&all, None, hand.now);
    count(tx, &all, hand)?;
    said.extend(steps(all).into_iter().map(Step::Mute));
    said.extend(mute.as_ref().map(|mute| Step::Mute(muted(mute, None))));
    alert.care.mute = mute;
    Ok(())
}

/// Counts all that mutes an alert, once for each alert.
fn count(tx: &mut dyn Tx, all: &[Considered], hand: &Hand<'_>) -> Result<()> {
    for considered in all.iter().filter(|it| it.verdict != Verdict::Passes) {
        let (kind, id) = considered.by.split_once(':').unwrap_or_default();
        let kinds = [HitKind::MaintenanceWindow, HitKind::Silence, HitKind::Inhibition];
        // Event rules count for themselves.
        if let Some(kind) = kinds.into_iter().find(|it| it.as_str() == kind) {
            tx.hit(kind, id, hand.now)?;
        }
    }
    Ok(())
}

fn muted(mute: &Mute, before: Option<&Mute>) -> MuteStep {
    let Mute { by, name, until, .. } = mute.clone();
    let instead_of = before.map(|before| called(&before.by, &before.name));
    MuteStep::Muted { by, name, until, instead_of }
}

/// An alert opened: what mutes it has an end, and it may mute others.
pub fn opened(
    tx: &mut dyn Tx,
    alert: &Alert,
    (routing, setup): (&Routing, &Setup),
    hand: &Hand<'_>,
) -> Result<()> {
    let id = alert.alert_id();
    if let Some(until) = alert.care.mute.as_ref().and_then(|mute| mute.until) {
        tx.set_timer(TimerKind::Unmute, id.as_str(), Some(until))?;
    }
    if let Some(waits) = waits_for(alert, routing) {
        tx.put_inhibited_by_key(id, Some(&waits))?;
    }
    if !setup.mutes.inhibitions.is_empty() {
        take_sides(tx, &Looked::kept(alert), setup, hand)?;
    }
    wake_waiting(tx, alert, hand)
}

/// What waits for an alert of this key is looked at again, since it opened or is over.
fn wake_waiting(tx: &mut dyn Tx, alert: &Alert, hand: &Hand<'_>) -> Result<()> {
    let (project, key) = (&alert.home.project_id, &alert.event_key);
    // Whatever the rules are by now: one that is deleted may have made an alert wait.
    if !tx.is_waited_for(project, key)? {
        return Ok(());
    }
    Errand::Key(project.clone(), key.clone()).begin(tx, OpenPlace::default(), hand)
}

/// Keeps which parts an open alert plays in inhibitions; what it mutes by that from now on, or no more, is looked at again.
fn take_sides(tx: &mut dyn Tx, looked: &Looked<'_>, setup: &Setup, hand: &Hand<'_>) -> Result<()> {
    let id = looked.alert.alert_id();
    let mut sides = Vec::new();
    for inhibition in &setup.mutes.inhibitions {
        let played = inhibition.sides(&looked.record).into_iter();
        sides.extend(played.map(|(side, values)| (inhibition.inhibition_id.clone(), side, values)));
    }
    replace_sides(tx, id, &sides, hand)
}

fn replace_sides(
    tx: &mut dyn Tx,
    id: &Id<Alert>,
    sides: &[(Id<Inhibition>, Side, EqualValues)],
    hand: &Hand<'_>,
) -> Result<()> {
    let before = tx.sides(id)?;
    if before == sides {
        return Ok(());
    }
    tx.put_sides(id, sides)?;
    let is_new = |side: &&(_, _, _)| !before.contains(side);
    let is_gone = |side: &&(_, _, _)| !sides.contains(side);
    let changed = sides.iter().filter(is_new).chain(before.iter().filter(is_gone));
    for (inhibition, _, values) in changed.filter(|(_, side, _)| *side == Side::Source) {
        wake_equal(tx, (inhibition, *values), id, hand)?;
    }
    Ok(())
}

/// What an alert mutes through an inhibition is looked at again, unless another one mutes all of it anyway.
fn wake_equal(
    tx: &mut dyn Tx,
    (inhibition, values): (&Id<Inhibition>, EqualValues),
    id: &Id<Alert>,
    hand: &Hand<'_>,
) -> Result<()> {
    let which = Which::Equal(inhibition.clone(), values);
    let targets = tx.open_alerts(&which, OpenPlace::default(), 2)?.alerts;
    if targets.iter().all(|target| target.alert_id() == id) {
        return Ok(());
    }
    let errand = Errand::Equal(inhibition.as_str().to_owned(), values);
    errand.begin(tx, OpenPlace::default(), hand)
}

/// An alert became worse: filters may mean it that did not, and the other way round.
pub fn worsened(tx: &mut dyn Tx, after: &Standing, setup: &Setup, hand: &Hand<'_>) -> Result<()> {
    if setup.mutes.is_empty() && !after.marks.has(Marks::MUTED) {
        return Ok(());
    }
    match tx.alert(&Scope::EVERYTHING, &after.alert_id)? {
        Some(alert) => looked_at_again(tx, &alert, setup, hand).map(|_| ()),
        None => Ok(()),
    }
}

/// An event made an alert worse, which is told in any case: what mutes it, and what it mutes, is decided anew and nobody
/// is told of that alone.
pub fn reweighed(tx: &mut dyn Tx, after: &Standing, setup: &Setup, hand: &Hand<'_>) -> Result<()> {
    if setup.mutes.is_empty() && !after.marks.has(Marks::MUTED) {
        return Ok(());
    }
    let Some(alert) = tx.alert(&Scope::EVERYTHING, &after.alert_id)? else { return Ok(()) };
    if !setup.mutes.inhibitions.is_empty() {
        take_sides(tx, &Looked::kept(&alert), setup, hand)?;
    }
    weighed(tx, &alert, setup, hand).map(|_| ())
}

/// An alert was reopened or came to this project: what mutes it here, and what it mutes, is decided anew. People are told
/// by who does that. Gives the alert as it is then.
pub fn taken_up(
    tx: &mut dyn Tx,
    (before, alert): (&Alert, &Alert),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Alert> {
    if !alert.standing.state.is_open() {
        return Ok(alert.clone());
    }
    take_sides(tx, &Looked::kept(alert), setup, hand)?;
    for alert in [before, alert] {
        wake_waiting(tx, alert, hand)?;
    }
    weighed(tx, alert, setup, hand).map(|(alert, _)| alert)
}

/// An open alert changed: filters may mean it that did not, and the other way round. Decides anew what mutes it and what it
/// mutes, and tells of it where nothing mutes it any more. Gives the alert as it is then.
pub fn looked_at_again(
    tx: &mut dyn Tx,
    alert: &Alert,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Alert> {
    if !setup.mutes.inhibitions.is_empty() && alert.standing.state.is_open() {
        take_sides(tx, &Looked::kept(alert), setup, hand)?;
    }
    let (alert, lifted) = weighed(tx, alert, setup, hand)?;
    match lifted {
        Some(reason) => escalate::again(tx, &alert, (Occasion::Unmuted, Some(reason)), setup, hand),
        None => Ok(alert),
    }
}

/// An alert is over, or gone: what it inhibited is muted no more, unless something else mutes it.
pub fn ended(tx: &mut dyn Tx, alert: &Alert, hand: &Hand<'_>) -> Result<()> {
    let id = alert.alert_id();
    if alert.care.mute.is_some() {
        tx.set_timer(TimerKind::Unmute, id.as_str(), None)?;
    }
    tx.put_inhibited_by_key(id, None)?;
    wake_waiting(tx, alert, hand)?;
    // Whatever its project says of inhibitions by now: what it muted, in other projects too, is looked at again.
    replace_sides(tx, id, &[], hand)
}

/// Decides anew what mutes an open alert, and writes that down: the alert then, and why nothing mutes it any more where
/// something did.
fn weighed(
    tx: &mut dyn Tx,
    alert: &Alert,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<(Alert, Option<String>)> {
    let before = alert.care.mute.as_ref();
    let is_final = |mute: &Mute| mute.by.starts_with(EVENT_RULE) && mute.by_alert.is_none();
    if !alert.standing.state.is_open() || before.is_some_and(is_final) {
        return Ok((alert.clone(), None));
    }
    let waits = tx.inhibited_by_key(alert.alert_id())?;
    let all = consider(tx, &Looked::kept(alert), waits.as_ref(), (setup, hand.now))?;
    let mute = muted_by(&all, before, hand.now);
    if mute.as_ref() == before {
        // The timer of what ends later may have been taken for this look.
        wind_down(tx, alert)?;
        return Ok((alert.clone(), None));
    }
    let mut after = alert.clone();
    after.care.mute.clone_from(&mute);
    after.standing.marks = after.care.marks();
    tx.put_alert(&after)?;
    wind_down(tx, &after)?;
    let lifted = match (before, mute) {
        (_, Some(mute)) => {
            if before.is_none_or(|before| before.by != mute.by) {
                now_muted(tx, &after, (&mute, before), all, hand)?;
            }
            None
        }
        (Some(before), None) => Some(now_heard(tx, &after, (before, &all), hand)?),
        (None, None) => None,
    };
    Ok((after, lifted))
}

/// Sets the timer of what mutes an alert to its end.
fn wind_down(tx: &mut dyn Tx, alert: &Alert) -> Result<()> {
    let until = alert.care.mute.as_ref().and_then(|mute| mute.until);
    tx.set_timer(TimerKind::Unmute, alert.alert_id().as_str(), until)
}

/// Writes down what mutes an alert from now on.
fn now_muted(
    tx: &mut dyn Tx,
    alert: &Alert,
    (mute, before): (&Mute, Option<&Mute>),
    mut all: Vec<Considered>,
    hand: &Hand<'_>,
) -> Result<()> {
    all.retain(|considered| considered.by == mute.by);
    count(tx, &all, hand)?;
    let mut said = steps(all);
    said.push(muted(mute, before));
    let said = said.into_iter().map(Step::Mute).collect();
    record(tx, (alert.alert_id(), None), said, hand)
}

/// Writes down that nothing mutes an alert any more, and why, which is given.
fn now_heard(
    tx: &mut dyn Tx,
    alert: &Alert,
    (before, all): (&Mute, &[Considered]),
    hand: &Hand<'_>,
) -> Result<String> {
    let why = all.iter().find(|considered| considered.by == before.by);
    let because = why.map_or_else(|| "it was closed".to_owned(), |it| it.because.clone());
    let Mute { by, name, .. } = before.clone();
    let reason = format!("it was muted by {}: {because}", called(&by, &name));
    let said = vec![Step::Mute(MuteStep::Unmuted { by, name, because })];
    record(tx, (alert.alert_id(), None), said, hand)?;
    Ok(reason)
}

/// What it is that begins or ends with this timer, e.g. `silence` and its identifier; `None` where it is about alerts.
pub fn turning(timer: &Timer) -> Option<(String, String)> {
    match Errand::read(&timer.subject) {
        Ok((Errand::Turn(by), _)) if timer.kind == TimerKind::Window => {
            by.split_once(':').map(|(kind, id)| (kind.to_owned(), id.to_owned()))
        }
        Ok(_) | Err(_) => None,
    }
}

/// What mutes begins or ends.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    if timer.kind == TimerKind::Unmute {
        let alert = tx.alert(&Scope::EVERYTHING, &timer.subject.as_str().into())?;
        return alert.map_or(Ok(()), |alert| review_kept(tx, &alert, hand));
    }
    let (errand, place) = Errand::read(&timer.subject)?;
    let which = match &errand {
        Errand::Turn(by) => return turn(tx, by, hand),
        Errand::Within(by) => match within(tx, by)? {
            Some(which) => which,
            None => return Ok(()),
        },
        Errand::Muted(by) => Which::MutedBy(by.clone()),
        Errand::Equal(inhibition, values) => Which::Equal(inhibition.as_str().into(), *values),
        Errand::Key(project, key) => Which::Waiting(project.clone(), key.clone()),
    };
    let page = tx.open_alerts(&which, place, PAGE)?;
    for alert in &page.alerts {
        review_kept(tx, alert, hand)?;
    }
    match page.next {
        Some(next) => errand.begin(tx, next, hand),
        None => Ok(()),
    }
}

/// Decides anew about an alert of any project.
fn review_kept(tx: &mut dyn Tx, alert: &Alert, hand: &Hand<'_>) -> Result<()> {
    match tx.setup(&alert.home.project_id)? {
        Some(setup) => looked_at_again(tx, alert, &setup, hand).map(|_| ()),
        None => Ok(()),
    }
}

/// Where the alerts live that something may be about.
fn within(tx: &dyn Tx, by: &str) -> Result<Option<Which>> {
    let (kind, id) = by.split_once(':').unwrap_or_default();
    let everything = &Scope::EVERYTHING;
    let area = match kind {
        "silence" => tx.silence(everything, &id.into())?.map(|it| it.area),
        "inhibition" => tx.inhibition(everything, &id.into())?.map(|it| it.area),
        "maintenance_window" => tx.maintenance_window(everything, &id.into())?.map(|it| it.area),
        _ => return Err(Error::internal(format!("nothing mutes that is called {by}"))),
    };
    Ok(area.map(Which::Within))
}

/// A window or a silence begins or ends.
fn turn(tx: &mut dyn Tx, by: &str, hand: &Hand<'_>) -> Result<()> {
    let (kind, id) = by.split_once(':').unwrap_or_default();
    let everything = &Scope::EVERYTHING;
    if kind == "silence" {
        return match tx.silence(everything, &id.into())? {
            Some(silence) => silence_turns(tx, silence, hand),
            None => Ok(()),
        };
    }
    match tx.maintenance_window(everything, &id.into())? {
        Some(window) => window_turns(tx, window, hand),
        None => Ok(()),
    }
}

fn window_turns(tx: &mut dyn Tx, window: MaintenanceWindow, hand: &Hand<'_>) -> Result<()> {
    if window.closed_at.is_some() {
        return Ok(());
    }
    let next = window.next_turn(hand.now);
    wind(tx, &window.by(), next)?;
    if window.calendar.at(hand.now).is_some() {
        return Errand::Within(window.by()).begin(tx, OpenPlace::default(), hand);
    }
    if next.is_some() {
        return Ok(());
    }
    tx.put_maintenance_window(&MaintenanceWindow { closed_at: Some(hand.now), ..window })
}

fn silence_turns(tx: &mut dyn Tx, silence: Silence, hand: &Hand<'_>) -> Result<()> {
    if silence.ended_at.is_some() {
        return Ok(());
    }
    wind(tx, &silence.by(), silence.next_turn(hand.now))?;
    if silence.is_active(hand.now) {
        return Errand::Within(silence.by()).begin(tx, OpenPlace::default(), hand);
    }
    if !silence.is_over(hand.now) {
        return Ok(());
    }
    let ended_at = Some(silence.span.end);
    tx.put_silence(&Silence { ended_at, ..silence })
}

fn wind(tx: &mut dyn Tx, by: &str, at: Option<crate::clock::Timestamp>) -> Result<()> {
    let subject = Errand::Turn(by.to_owned()).subject(OpenPlace::default());
    tx.set_timer(TimerKind::Window, &subject, at)
}

/// A window was made or changed: what it mutes from now on, or no more, is looked at with the next tick.
pub fn window_set(tx: &mut dyn Tx, window: &MaintenanceWindow, hand: &Hand<'_>) -> Result<()> {
    tx.put_maintenance_window(window)?;
    wind(tx, &window.by(), window.next_turn(hand.now))?;
    let is_open = window.closed_at.is_none() && window.calendar.at(hand.now).is_some();
    look_again(tx, window.by(), is_open.then_some(()), hand)
}

/// A silence was made or changed: what it mutes from now on, or no more, is looked at with the next tick.
pub fn silence_set(tx: &mut dyn Tx, silence: &Silence, hand: &Hand<'_>) -> Result<()> {
    tx.put_silence(silence)?;
    wind(tx, &silence.by(), silence.next_turn(hand.now))?;
    look_again(tx, silence.by(), silence.is_active(hand.now).then_some(()), hand)
}

/// An inhibition was made or changed: which alerts play a part in it is found anew, and all of them are looked at.
pub fn inhibition_set(tx: &mut dyn Tx, inhibition: &Inhibition, hand: &Hand<'_>) -> Result<()> {
    tx.put_inhibition(inhibition)?;
    while tx.forget_sides(&inhibition.inhibition_id, SIDES)? > 0 {}
    let is_live = inhibition.closed_at.is_none().then_some(());
    look_again(tx, inhibition.by(), is_live, hand)
}

/// The alerts that something muted are looked at again and, where it mutes now, those that it may be about.
fn look_again(tx: &mut dyn Tx, by: String, mutes: Option<()>, hand: &Hand<'_>) -> Result<()> {
    Errand::Muted(by.clone()).begin(tx, OpenPlace::default(), hand)?;
    match mutes {
        Some(()) => Errand::Within(by).begin(tx, OpenPlace::default(), hand),
        None => Ok(()),
    }
}
