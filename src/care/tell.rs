//! Whether people are told at all: what withholds an announcement, and why.

use super::{
    Hand,
    announce::{Announcement, announce},
    record,
};
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        escalation::EscalationStep,
        history::Step,
        notice::Occasion,
        people::Target,
        setup::Setup,
        words::{NotificationUrgency, Urgency},
    },
    error::Result,
    store::Tx,
};

/// Why people are not told of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// An event rule says that nobody is told of the alert; that is final.
    NoNotification,
    /// The alert is part of another one, which tells for both.
    Merged(String),
    /// The project tells of urgent alerts alone.
    NotUrgent,
    /// Something mutes it, until then where that is known.
    Muted(String, Option<Timestamp>),
    /// A person put it off until then.
    Snoozed(String, Timestamp),
    /// It opens and recovers too often, which was told once.
    Flapping,
}

/// What became of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was announced.
    Announced,
    /// It was withheld, and its alert's history says why.
    Withheld(Withheld),
}

impl Withheld {
    /// Why, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::NoNotification => {
                "an event rule says that nobody is told of this alert".to_owned()
            }
            Self::Merged(lead) => format!("it is part of {lead}, which tells for both"),
            Self::NotUrgent => {
                "the project notifies of urgency HIGH alone (HIGH_ONLY), and this is LOW".to_owned()
            }
            Self::Muted(by, _) => format!("it is muted by {by}"),
            Self::Snoozed(by, _) => format!("{by} put it off"),
            Self::Flapping => "it flaps, which was told once".to_owned(),
        }
    }

    /// Until when, where that is known.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Muted(_, until) => *until,
            Self::Snoozed(_, until) => Some(*until),
            Self::NoNotification | Self::Merged(_) | Self::NotUrgent | Self::Flapping => None,
        }
    }
}

/// What withholds telling people of `alert` on this occasion, if anything does. The end of an alert is told
/// whatever mutes it: who was told that it opened must hear that it is over.
pub fn withheld(alert: &Alert, occasion: Occasion, setup: &Setup) -> Option<Withheld> {
    let care = &alert.care;
    if care.escalation.no_notification {
        return Some(Withheld::NoNotification);
    }
    // Who was told of it before it became part of another must hear that it is over.
    if let Some(lead) = care.merged_into.as_ref().filter(|_| !occasion.is_over()) {
        return Some(Withheld::Merged(lead.to_string()));
    }
    let is_low = alert.standing.urgency == Urgency::Low;
    if is_low && setup.policy.notification_urgency == NotificationUrgency::HighOnly {
        return Some(Withheld::NotUrgent);
    }
    match occasion {
        Occasion::Resolved | Occasion::Expired => return None,
        Occasion::Opened
        | Occasion::Escalated
        | Occasion::Repeated
        | Occasion::Worsened
        | Occasion::Reopened
        | Occasion::Unmuted
        | Occasion::Flapping
        | Occasion::Assigned => {}
    }
    if let Some(mute) = &care.mute {
        return Some(Withheld::Muted(format!("{} ({})", mute.name, mute.by), mute.until));
    }
    // It holds until its own timer takes it away, which tells of the alert: else both would tell at one instant.
    if let Some(snooze) = &care.snooze {
        return Some(Withheld::Snoozed(snooze.by.clone(), snooze.until));
    }
    let is_told = care.flapping.is_some() && occasion != Occasion::Flapping;
    is_told.then_some(Withheld::Flapping)
}

/// Tells people, unless something withholds it; with what the alert's history is to say of that.
pub fn tell(
    tx: &mut dyn Tx,
    announcement: &Announcement<'_>,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<(Told, Step)> {
    let Announcement { alert, occasion, step, .. } = announcement;
    let Some(withheld) = withheld(alert, *occasion, setup) else {
        let said = announce(tx, announcement, setup, hand)?;
        return Ok((Told::Announced, Step::Notice(said)));
    };
    let because = withheld.sentence();
    let said = EscalationStep::Withheld { occasion: *occasion, step: *step, because };
    Ok((Told::Withheld(withheld), Step::Escalation(said)))
}

/// Tells people of an alert at the step that its escalation has come to, and writes down what came of it.
pub fn about(
    tx: &mut dyn Tx,
    alert: &Alert,
    (occasion, reason): (Occasion, Option<String>),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Told> {
    let announcement = Announcement::at_its_step(alert, (occasion, reason), setup);
    let (told, said) = tell(tx, &announcement, setup, hand)?;
    record(tx, (alert.alert_id(), None), vec![said], hand)?;
    Ok(told)
}

/// Tells the one whom an alert was given to, by their own contact methods; nobody else need know. Gives what the alert's
/// history is to say of that.
pub fn assigned(
    tx: &mut dyn Tx,
    alert: &Alert,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Option<Step>> {
    let Some(assignee) = alert.assignee.clone() else { return Ok(None) };
    let announcement = Announcement {
        targets: vec![Target::User(assignee)],
        ..Announcement::at_its_step(alert, (Occasion::Assigned, None), setup)
    };
    tell(tx, &announcement, setup, hand).map(|(_, said)| Some(said))
}

impl<'a> Announcement<'a> {
    /// What is to be told of an alert at the step that its escalation has come to.
    pub fn at_its_step(
        alert: &'a Alert,
        (occasion, reason): (Occasion, Option<String>),
        setup: &Setup,
    ) -> Self {
        let at = &alert.care.escalation;
        let policy = setup.escalation.policy(at.policy_id.as_ref());
        let rule = policy.and_then(|(policy, _)| policy.rule(at.step));
        Self {
            alert,
            occasion,
            level: rule.map(|rule| rule.notification_level).unwrap_or_default(),
            step: at.step.max(1),
            reason,
            targets: rule.map(|rule| rule.targets.clone()).unwrap_or_default(),
        }
    }
}
