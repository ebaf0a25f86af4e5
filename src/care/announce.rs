//! Making messages: who takes an announcement, why others do not, and what becomes of the messages.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Hand, record};
use crate::{
    domain::{
        alert::Alert,
        channel::{Channel, Skip},
        history::Step,
        message::Message,
        notice::{
            self, Notice, NoticeStep, NotificationLevel, Occasion, Passed, Written, bounded, brief,
        },
        people::Target,
        scope::Scope,
        setup::Setup,
        timer::{Timer, TimerKind},
    },
    error::Result,
    id::Id,
    store::{Heard, Put, Tx, Writing},
};

/// What people are to be told.
#[derive(Clone, Debug)]
pub struct Announcement<'a> {
    /// About which alert.
    pub alert: &'a Alert,
    /// On what occasion.
    pub occasion: Occasion,
    /// To those who take this level.
    pub level: NotificationLevel,
    /// The step of the escalation, from one.
    pub step: u32,
    /// Why, where the occasion does not say it all.
    pub reason: Option<String>,
    /// Whom the step names beside those who take the level: channels, users, schedules.
    pub targets: Vec<Target>,
}

/// How many of those who did not take an announcement are named.
const MOST_PASSED: usize = 40;

/// Who takes an announcement, and who does not.
#[derive(Debug, Default)]
struct Audience<'a> {
    taking: Vec<Taking<'a>>,
    passed: Vec<Passed>,
}

/// A channel that takes an announcement.
#[derive(Debug)]
struct Taking<'a> {
    channel: &'a Channel,
    /// The user it is for, where it is for one.
    recipient: Option<String>,
    /// Why it goes there, where it is not for its level.
    why: Option<String>,
}

impl<'a> Audience<'a> {
    fn ask(&mut self, taking: Taking<'a>, takes: std::result::Result<(), Skip>) {
        match takes {
            Ok(()) => self.taking.push(taking),
            Err(why) => self.passed.push(Passed {
                channel_id: Some(taking.channel.channel_id.clone()),
                name: taking.channel.name.clone(),
                why,
            }),
        }
    }

    fn unreachable(&mut self, name: String, detail: String) {
        self.passed.push(Passed { channel_id: None, name, why: Skip::Unreachable { detail } });
    }
}

/// Writes an announcement down for all who take it, in this unit of work; gives what its alert's history is to say of it.
pub fn announce(
    tx: &mut dyn Tx,
    announcement: &Announcement<'_>,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<NoticeStep> {
    let Announcement { alert, occasion, level, step, reason, targets } = announcement;
    let mut was_heard = false;
    let audience = if occasion.is_over() {
        let heard = tx.heard(alert.alert_id(), *step, hand.now)?;
        was_heard = !heard.is_empty();
        those_who_heard(announcement, heard, setup)
    } else if setup.channels.0.is_empty() && targets.is_empty() {
        // Where nobody is to be reached, an alert costs no more than that this is written down.
        Audience::default()
    } else {
        those_who_take(announcement, &notice::record(alert), setup, hand)
    };
    let Audience { taking, mut passed } = audience;
    passed.truncate(MOST_PASSED);
    // Of what nobody takes, only that need be known which ends what others heard, and how far it was announced.
    let messages = if taking.is_empty() && !was_heard && *step <= 1 {
        Vec::new()
    } else {
        written(tx, announcement, &taking, hand)?
    };
    let (occasion, level, step, reason) = (*occasion, *level, *step, reason.clone());
    Ok(NoticeStep::Announced { occasion, level, step, reason, messages, passed })
}

/// Writes an announcement down, and a message for each who takes it.
fn written(
    tx: &mut dyn Tx,
    announcement: &Announcement<'_>,
    taking: &[Taking<'_>],
    hand: &Hand<'_>,
) -> Result<Vec<Written>> {
    let Announcement { alert, occasion, level, step, reason, targets: _ } = announcement;
    let notice = Notice {
        alert_id: alert.alert_id().clone(),
        home: alert.home.clone(),
        occasion: *occasion,
        level: *level,
        step: *step,
        reason: reason.clone(),
        alert: if taking.is_empty() { brief(alert) } else { bounded(notice::record(alert)) },
        created_at: hand.now,
    };
    let number = tx.add_notice(&notice)?;
    taking.iter().map(|one| write(tx, one, (&notice, number), hand)).collect()
}

/// Who takes what is not the end of an alert: channels by their level, and whom the step names. A channel that is meant
/// twice is told once.
fn those_who_take<'a>(
    announcement: &Announcement<'_>,
    seen: &Value,
    setup: &'a Setup,
    hand: &Hand<'_>,
) -> Audience<'a> {
    let Announcement { alert, occasion, level, targets, .. } = announcement;
    let mut audience = Audience::default();
    let mut named: BTreeSet<Id<Channel>> = BTreeSet::new();
    for target in targets {
        let urgency = alert.standing.urgency;
        let reached = match (occasion, target) {
            (Occasion::Assigned, Target::User(user)) => setup.people.assignee(user, urgency),
            (_, target) => setup.people.reached(target, urgency, hand.now),
        };
        let name = || reached.user_id.clone().unwrap_or_else(|| "someone".to_owned());
        if reached.channels.is_empty() {
            audience.unreachable(name(), reached.why.clone());
        }
        for id in &reached.channels {
            let Some(channel) = setup.channels.get(id) else {
                audience
                    .unreachable(name(), format!("channel `{id}` is not there ({})", reached.why));
                continue;
            };
            if named.insert(id.clone()) {
                let (recipient, why) = (reached.user_id.clone(), Some(reached.why.clone()));
                audience.ask(Taking { channel, recipient, why }, channel.takes_named(seen));
            }
        }
    }
    // Who was made to look after an alert hears of that alone.
    if *occasion == Occasion::Assigned {
        return audience;
    }
    for channel in setup.channels.0.iter().filter(|it| !named.contains(&it.channel_id)) {
        let taking = Taking { channel, recipient: None, why: None };
        audience.ask(taking, channel.takes(*level, seen));
    }
    audience
}

/// Who hears that an alert is over: whoever heard at this step that it was not, whatever they take by now; once.
fn those_who_heard<'a>(
    announcement: &Announcement<'_>,
    heard: Vec<Heard>,
    setup: &'a Setup,
) -> Audience<'a> {
    let mut audience = Audience::default();
    for Heard { channel_id, recipient, is_told } in &heard {
        let Some(channel) = setup.channels.get(channel_id) else {
            let detail = "which is not there any more".to_owned();
            audience.unreachable(channel_id.to_string(), detail);
            continue;
        };
        let takes = if *is_told { Err(Skip::Told) } else { channel.is_on() };
        audience.ask(Taking { channel, recipient: recipient.clone(), why: None }, takes);
    }
    // Those of its level that did not hear are named too, so that nobody wonders.
    let is_meant = |channel: &Channel| {
        let has = |level| channel.levels.contains(&level);
        has(NotificationLevel::All) || has(announcement.level)
    };
    let unheard = setup.channels.0.iter().filter(|channel| {
        is_meant(channel) && heard.iter().all(|it| it.channel_id != channel.channel_id)
    });
    for channel in unheard {
        let taking = Taking { channel, recipient: None, why: None };
        audience.ask(taking, Err(Skip::Unheard));
    }
    audience
}

/// Writes a message, or has one that waits for more tell this notice too.
fn write(
    tx: &mut dyn Tx,
    taking: &Taking<'_>,
    (notice, number): (&Notice, i64),
    hand: &Hand<'_>,
) -> Result<Written> {
    let Taking { channel, recipient, why } = taking;
    let message_id: Id<Message> = hand.mint.id(hand.now);
    let gather = channel.gathering(notice.occasion).filter(|_| recipient.is_none());
    let group = gather.map(|gather| gather.group(notice.occasion, notice.level, &notice.alert));
    let put = tx.put_message(&Writing {
        message_id: &message_id,
        channel_id: &channel.channel_id,
        recipient: recipient.as_deref(),
        notice,
        number,
        gathering: group.as_deref(),
    })?;
    let message_id = match (put, gather) {
        (Put::Gathering, Some(gather)) => {
            let until = hand.now + gather.window();
            tx.set_timer(TimerKind::Gather, message_id.as_str(), Some(until))?;
            message_id
        }
        (Put::Written | Put::Gathering, _) => message_id,
        (Put::Joined(other), _) => other,
        (Put::Filled(other), _) => {
            tx.set_timer(TimerKind::Gather, other.as_str(), None)?;
            tx.close_gathering(&other, hand.now)?;
            other
        }
    };
    let (channel_id, name) = (channel.channel_id.clone(), channel.name.clone());
    Ok(Written { message_id, channel_id, name, why: why.clone() })
}

/// A message that waited for company goes out.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    tx.close_gathering(&timer.subject.as_str().into(), hand.now)
}

/// Writes down for each alert of a message what became of it; what was removed meanwhile has no history any more.
pub fn noted(
    tx: &mut dyn Tx,
    notices: &[Notice],
    step: &NoticeStep,
    hand: &Hand<'_>,
) -> Result<()> {
    let alerts: BTreeSet<&Id<Alert>> = notices.iter().map(|notice| &notice.alert_id).collect();
    for alert_id in alerts {
        if tx.alert(&Scope::EVERYTHING, alert_id)?.is_some() {
            record(tx, (alert_id, None), vec![Step::Notice(step.clone())], hand)?;
        }
    }
    Ok(())
}

/// How many messages are dropped in one unit of work. The courier drops the rest as it comes upon it.
const MOST_DROPPED: u32 = 200;

/// A channel takes nothing any more: what waits for it is dropped, and the histories of its alerts say so.
pub fn drop_waiting(
    tx: &mut dyn Tx,
    (channel_id, name): (&Id<Channel>, &str),
    reason: &str,
    hand: &Hand<'_>,
) -> Result<()> {
    for message_id in tx.drop_messages(channel_id, reason, (hand.now, MOST_DROPPED))? {
        let Some(due) = tx.message(&Scope::EVERYTHING, &message_id)? else { continue };
        let (channel_id, name) = (channel_id.clone(), name.to_owned());
        let message = Written { message_id, channel_id, name, why: None };
        let step = NoticeStep::Dropped { message, reason: reason.to_owned() };
        noted(tx, &due.notices, &step, hand)?;
    }
    Ok(())
}
