//! An on-call schedule as the outside sees it, with who is on call now.

use chrono::{NaiveDate, TimeDelta};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    api::{
        Moment,
        place::{Extent, project_shown},
    },
    clock::Timestamp,
    domain::{
        people::{DutyWhy, OnCall, Override, Rotation, Shift},
        project::{Domain, Project, Workspace},
    },
    id::Id,
};

/// A schedule that says who is on call.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OnCallInfo {
    /// Its identifier.
    pub on_call_id: Id<OnCall>,
    /// What people call it; unique in its workspace.
    pub name: String,
    /// The zone of its dates and hours.
    pub time_zone: String,
    /// Who takes turns.
    pub rotation: RotationInfo,
    /// Who stands in when, in the order they were made: a later one wins.
    pub overrides: Vec<OverrideInfo>,
    /// Who is on call now; null where nobody is.
    pub on_duty: Option<OnDutyInfo>,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// Whether it holds in a whole workspace or in one project.
    pub resource_group: Extent,
    /// The project it holds in; `*` for all of its workspace.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

/// Users who take turns.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RotationInfo {
    /// Who, in their order.
    pub users: Vec<String>,
    /// The day on which the first turn of the first user begins.
    pub starts_on: NaiveDate,
    /// The hour at which turns change.
    pub handoff: String,
    /// How many days a turn takes.
    pub turn_days: u32,
}

/// Someone who stands in for a while.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OverrideInfo {
    /// Who.
    pub user_id: String,
    /// From when on.
    pub from: Moment,
    /// Until when, that instant not included.
    pub until: Moment,
    /// Why.
    pub reason: String,
}

/// Who is on call now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OnDutyInfo {
    /// Who.
    pub user_id: String,
    /// Whether they stand in for whose turn it is.
    pub is_override: bool,
    /// Until when, as far as that is known: at most 366 days ahead.
    pub until: Moment,
}

/// A stretch of time in which the same user is on call.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShiftInfo {
    /// Who; null where nobody is.
    pub user_id: Option<String>,
    /// From when on.
    pub from: Moment,
    /// Until when, that instant not included.
    pub until: Moment,
    /// Whether they stand in for whose turn it is.
    pub is_override: bool,
}

impl OnCallInfo {
    pub(super) fn new(schedule: OnCall, now: Timestamp) -> Self {
        let on_duty = schedule.at(now).map(|duty| {
            let ahead = now.checked_add_signed(TimeDelta::days(366)).unwrap_or(now);
            let shift = schedule.shifts(now, ahead, 1).into_iter().next();
            OnDutyInfo {
                user_id: duty.user_id.to_owned(),
                is_override: duty.why != DutyWhy::Turn,
                until: shift.map_or(now, |shift| shift.until).into(),
            }
        });
        let OnCall { on_call_id, name, place, time_zone, rotation, overrides, tags, created_at } =
            schedule;
        Self {
            on_call_id,
            name,
            time_zone: time_zone.name().to_owned(),
            rotation: rotation.into(),
            overrides: overrides.into_iter().map(OverrideInfo::from).collect(),
            on_duty,
            tags: tags.into_iter().collect(),
            resource_group: Extent::of(&place),
            project_id: project_shown(&place),
            workspace_id: place.workspace_id().clone(),
            domain_id: place.domain_id().clone(),
            created_at: created_at.into(),
        }
    }
}

impl From<Rotation> for RotationInfo {
    fn from(rotation: Rotation) -> Self {
        let Rotation { users, starts_on, handoff, turn_days } = rotation;
        Self { users, starts_on, handoff: handoff.format("%H:%M").to_string(), turn_days }
    }
}

impl From<Override> for OverrideInfo {
    fn from(given: Override) -> Self {
        let Override { user_id, from, until, reason } = given;
        Self { user_id, from: from.into(), until: until.into(), reason }
    }
}

impl From<Shift> for ShiftInfo {
    fn from(shift: Shift) -> Self {
        let Shift { user_id, from, until, is_override } = shift;
        Self { user_id, from: from.into(), until: until.into(), is_override }
    }
}
