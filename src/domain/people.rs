//! Whom a message reaches: the contact methods of users, and who is on call at an instant.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    channel::{Channel, Place},
    words::{NotificationUrgency, Urgency},
};
use crate::{
    clock::Timestamp,
    id::{Id, Identified},
};

/// How many users a rotation has at most.
pub const MOST_USERS: usize = 100;

/// How many overrides a schedule keeps at most.
pub const MOST_OVERRIDES: usize = 200;

/// Whom a step of an escalation names beside its level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EscalationTarget")]
pub enum Target {
    /// This channel, whatever levels it takes.
    Channel(Id<Channel>),
    /// This user, by their contact methods.
    User(String),
    /// Whoever is on call in this schedule at that moment.
    OnCall(Id<OnCall>),
}

/// One way to reach a user: a channel of theirs.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Its identifier.
    pub contact_id: Id<Contact>,
    /// The user, by the name that alerts are assigned to.
    pub user_id: String,
    /// The channel that reaches them.
    pub channel_id: Id<Channel>,
    /// Which alerts it is used for.
    pub urgency: NotificationUrgency,
    /// Where it holds.
    pub place: Place,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A schedule that says who is on call: users who take turns, and overrides.
#[derive(Clone, Debug)]
pub struct OnCall {
    /// Its identifier.
    pub on_call_id: Id<OnCall>,
    /// What people call it; unique in its workspace.
    pub name: String,
    /// Where it holds.
    pub place: Place,
    /// The zone of its dates and hours.
    pub time_zone: Tz,
    /// Who takes turns.
    pub rotation: Rotation,
    /// Who stands in for whom, in the order they were made: a later one wins.
    pub overrides: Vec<Override>,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Users who take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Who, in their order; nobody where empty.
    pub users: Vec<String>,
    /// The day on which the first turn of the first user begins.
    pub starts_on: NaiveDate,
    /// The hour at which turns change.
    pub handoff: NaiveTime,
    /// How many days a turn takes; 7 for weekly ones.
    pub turn_days: u32,
}

/// A user who is on call for a while, whoever's turn it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who.
    pub user_id: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when, that instant not included.
    pub until: Timestamp,
    /// Why, in the words of whoever made it.
    #[serde(default)]
    pub reason: String,
}

/// Who is on call, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDuty<'a> {
    /// Who.
    pub user_id: &'a str,
    /// Whether it is their turn, or they stand in.
    pub why: DutyWhy<'a>,
}

/// Why someone is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DutyWhy<'a> {
    /// It is their turn.
    Turn,
    /// This override names them.
    Override(&'a Override),
}

/// A stretch of time in which the same user is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Who; `None` where nobody is.
    pub user_id: Option<String>,
    /// From when on.
    pub from: Timestamp,
    /// Until when, that instant not included.
    pub until: Timestamp,
    /// Whether an override says so.
    pub is_override: bool,
}

/// The people of a project and its workspace: how users are reached, and the schedules.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// The contact methods by user, oldest first.
    pub contacts: BTreeMap<String, Vec<Contact>>,
    /// The schedules.
    pub on_calls: BTreeMap<Id<OnCall>, Arc<OnCall>>,
}

/// Whom a target means at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The user, where the target means one.
    pub user_id: Option<String>,
    /// The channels to send through; empty where the target reaches nobody.
    pub channels: Vec<Id<Channel>>,
    /// How the target came to mean these, in a sentence.
    pub why: String,
}

impl Identified for OnCall {
    const PREFIX: &'static str = "oncall";
}

impl Identified for Contact {
    const PREFIX: &'static str = "contact";
}

impl Rotation {
    /// When turn number `turn` begins.
    fn begins(&self, turn: i64, zone: Tz) -> Option<Timestamp> {
        let days = TimeDelta::try_days(turn.checked_mul(self.turn_days.max(1).into())?)?;
        let date = self.starts_on.checked_add_signed(days)?;
        Some(instant(date.and_time(self.handoff), zone))
    }

    /// The number of the turn at `now`, from zero; negative before the first.
    fn turn(&self, zone: Tz, now: Timestamp) -> Option<i64> {
        let today = now.with_timezone(&zone).date_naive();
        let days = (today - self.starts_on).num_days();
        let turn = days.div_euclid(self.turn_days.max(1).into());
        // The day on which turns change belongs to the one before until the hour of the change.
        if self.begins(turn, zone)? > now { Some(turn - 1) } else { Some(turn) }
    }

    /// Whose turn it is.
    fn user(&self, zone: Tz, now: Timestamp) -> Option<&str> {
        let turn = u64::try_from(self.turn(zone, now)?).ok()?;
        let count = u64::try_from(self.users.len()).ok()?;
        let place = usize::try_from(turn.checked_rem(count)?).ok()?;
        self.users.get(place).map(String::as_str)
    }

    /// When the turn changes next after `now`.
    fn next_change(&self, zone: Tz, now: Timestamp) -> Option<Timestamp> {
        let next = self.turn(zone, now)?.checked_add(1)?.max(0);
        self.begins(next, zone)
    }
}

/// The instant of a local time. One that a zone leaves out when it moves its clocks is read as if they had not moved
/// yet; of one that comes twice, the first is meant.
fn instant(local: NaiveDateTime, zone: Tz) -> Timestamp {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.to_utc(),
        LocalResult::None => {
            let day_before = zone.offset_from_local_datetime(&(local - TimeDelta::days(1)));
            let offset = day_before.earliest().map(|offset| offset.fix().local_minus_utc());
            (local - TimeDelta::seconds(offset.unwrap_or_default().into())).and_utc()
        }
    }
}

impl Override {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

impl OnCall {
    /// Who is on call at `now`; `None` where nobody is.
    pub fn at(&self, now: Timestamp) -> Option<OnDuty<'_>> {
        if let Some(found) = self.overrides.iter().rev().find(|it| it.holds(now)) {
            return Some(OnDuty { user_id: &found.user_id, why: DutyWhy::Override(found) });
        }
        let user_id = self.rotation.user(self.time_zone, now)?;
        Some(OnDuty { user_id, why: DutyWhy::Turn })
    }

    /// Who is on call from `from` to `until`, at most `most` shifts.
    pub fn shifts(&self, from: Timestamp, until: Timestamp, most: usize) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = Vec::new();
        let mut at = from;
        while at < until {
            let end = self.next_change(at).filter(|end| *end < until).unwrap_or(until);
            let duty = self.at(at);
            let user_id = duty.as_ref().map(|duty| duty.user_id.to_owned());
            let is_override = duty.is_some_and(|duty| duty.why != DutyWhy::Turn);
            let is_full = shifts.len() == most;
            match shifts.last_mut() {
                Some(last) if last.user_id == user_id && last.is_override == is_override => {
                    last.until = end;
                }
                Some(_) | None if is_full => break,
                Some(_) | None => shifts.push(Shift { user_id, from: at, until: end, is_override }),
            }
            at = end;
        }
        shifts
    }

    /// When it may be someone else's next, after `now`.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let bounds = self.overrides.iter().flat_map(|it| [it.from, it.until]);
        let turn = if self.rotation.users.is_empty() {
            None
        } else {
            self.rotation.next_change(self.time_zone, now)
        };
        bounds.chain(turn).filter(|bound| *bound > now).min()
    }
}

impl People {
    /// Whom `target` means at `now`, for an alert of this urgency.
    pub fn reached(&self, target: &Target, urgency: Urgency, now: Timestamp) -> Reached {
        match target {
            Target::Channel(id) => Reached {
                user_id: None,
                channels: vec![id.clone()],
                why: "the escalation step names this channel".to_owned(),
            },
            Target::User(user) => self.user(user, urgency, "the escalation step names them"),
            Target::OnCall(id) => self.on_call(id, urgency, now),
        }
    }

    /// How a user is reached to whom an alert was given, by a person or a rule.
    pub fn assignee(&self, user: &str, urgency: Urgency) -> Reached {
        self.user(user, urgency, "the alert was assigned to them")
    }

    /// How a user is reached, who is meant because of `because`.
    fn user(&self, user: &str, urgency: Urgency, because: &str) -> Reached {
        let all = self.contacts.get(user).map(Vec::as_slice).unwrap_or_default();
        let fits = all.iter().filter(|contact| match contact.urgency {
            NotificationUrgency::All => true,
            NotificationUrgency::HighOnly => urgency == Urgency::High,
        });
        let channels: Vec<_> = fits.map(|contact| contact.channel_id.clone()).collect();
        let why = match (channels.len(), all.len()) {
            (0, 0) => format!("user `{user}` ({because}) has no contact method"),
            (0, _) => {
                format!("user `{user}` ({because}) has contact methods for urgency HIGH alone")
            }
            _ => format!("a contact method of user `{user}`: {because}"),
        };
        Reached { user_id: Some(user.to_owned()), channels, why }
    }

    fn on_call(&self, id: &Id<OnCall>, urgency: Urgency, now: Timestamp) -> Reached {
        let nobody = |why| Reached { user_id: None, channels: Vec::new(), why };
        let Some(schedule) = self.on_calls.get(id) else {
            return nobody(format!("there is no on-call schedule `{id}` any more"));
        };
        match schedule.at(now) {
            None => nobody(format!("nobody is on call in `{}` at this time", schedule.name)),
            Some(OnDuty { user_id, why: DutyWhy::Turn }) => {
                self.user(user_id, urgency, &format!("their turn in `{}`", schedule.name))
            }
            Some(OnDuty { user_id, why: DutyWhy::Override(_) }) => {
                self.user(user_id, urgency, &format!("they stand in, in `{}`", schedule.name))
            }
        }
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
