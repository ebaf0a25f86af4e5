//! `on_call.*`: who is on call when.

mod info;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::info::{OnCallInfo, OnDutyInfo, OverrideInfo, RotationInfo, ShiftInfo};
use super::{
    Call, Done, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    place::{self, Extent, may_change},
};
use crate::{
    clock::{Timestamp, to_millis},
    domain::{
        people::{MOST_OVERRIDES, MOST_USERS, OnCall, Override, Rotation},
        project::{Domain, Project, Workspace},
        setup::Held,
    },
    error::{Code, Error, Result},
    id::Id,
    query::ON_CALLS,
    store::Tx,
};

/// How many shifts are told at most.
const MOST_SHIFTS: usize = 1000;

/// How long overrides are kept that are over.
const KEPT_OVERRIDES: TimeDelta = TimeDelta::days(90);

/// Asks for a new on-call schedule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOnCall {
    /// What people call it; unique in its workspace.
    name: String,
    /// The zone of its dates and hours, as in the IANA database; UTC where absent.
    time_zone: Option<String>,
    /// Who takes turns.
    #[serde(default)]
    rotation: RotationRequest,
    /// Whether it holds in a whole workspace or in one project; in the project where one is named.
    resource_group: Option<Extent>,
    /// The project that it holds in.
    project_id: Option<Id<Project>>,
    /// The workspace that it holds in; the caller's, or `default`, where absent.
    workspace_id: Option<Id<Workspace>>,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
}

/// Who takes turns; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotationRequest {
    /// Who, in their order.
    users: Option<Vec<String>>,
    /// The day on which the first turn of the first user begins, e.g. `2026-01-05`; today where never said.
    starts_on: Option<NaiveDate>,
    /// The hour at which turns change, e.g. `09:00`; that where never said.
    handoff: Option<String>,
    /// How many days a turn takes; 7 where never said.
    turn_days: Option<u32>,
}

fn wrong(pointer: &str, detail: impl Into<String>) -> Error {
    Error::at(Code::InvalidParameter, pointer, detail)
}

impl RotationRequest {
    /// The rotation once this is said over `rotation`.
    fn over(self, rotation: Rotation) -> Result<Rotation> {
        let Self { users, starts_on, handoff, turn_days } = self;
        let users = users.map(users_checked).transpose()?.unwrap_or(rotation.users);
        let handoff = handoff.map(|text| hour(&text)).transpose()?.unwrap_or(rotation.handoff);
        let turn_days = turn_days.unwrap_or(rotation.turn_days);
        if !(1..=366).contains(&turn_days) {
            return Err(wrong("/rotation/turn_days", "a turn takes 1 to 366 days"));
        }
        let starts_on = starts_on.unwrap_or(rotation.starts_on);
        let years = chrono::Datelike::year(&starts_on);
        if !(1970..=9000).contains(&years) {
            return Err(wrong("/rotation/starts_on", "the year is from 1970 to 9000"));
        }
        Ok(Rotation { users, starts_on, handoff, turn_days })
    }
}

fn users_checked(users: Vec<String>) -> Result<Vec<String>> {
    if users.len() > MOST_USERS {
        let detail = format!("a rotation has {MOST_USERS} users at most");
        return Err(wrong("/rotation/users", detail));
    }
    let checked = users.iter().enumerate().map(|(at, user)| {
        let pointer = format!("/rotation/users/{at}");
        asked::name("users", user).map_err(|error| wrong(&pointer, error.detail))
    });
    checked.collect()
}

fn hour(text: &str) -> Result<NaiveTime> {
    let text = text.trim();
    let parsed =
        ["%H:%M", "%H:%M:%S"].iter().find_map(|it| NaiveTime::parse_from_str(text, it).ok());
    parsed.ok_or_else(|| {
        wrong("/rotation/handoff", format!("`{text}` is no hour of a day, such as 09:00"))
    })
}

fn zone(name: &str) -> Result<Tz> {
    name.trim().parse().map_err(|_| {
        let detail = format!("there is no time zone `{name}` in the IANA database");
        wrong("/time_zone", detail)
    })
}

/// Makes an on-call schedule.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateOnCall) -> Result<OnCallInfo> {
    let CreateOnCall { name, time_zone, rotation, resource_group, project_id, workspace_id, tags } =
        request;
    let time_zone = zone(time_zone.as_deref().unwrap_or("UTC"))?;
    let usual = Rotation {
        users: Vec::new(),
        starts_on: call.now.with_timezone(&time_zone).date_naive(),
        handoff: NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default(),
        turn_days: 7,
    };
    let schedule = OnCall {
        on_call_id: call.mint.id(call.now),
        name: asked::name("name", &name)?,
        place: place::asked(tx, call, resource_group, (project_id, workspace_id))?,
        time_zone,
        rotation: rotation.over(usual)?,
        overrides: Vec::new(),
        tags: tags.into_iter().collect(),
        created_at: call.now,
    };
    place::has_room(tx, Held::OnCalls, &schedule.place)?;
    call.touches("on_call", &schedule.on_call_id);
    keep(tx, call, (None, schedule))
}

/// Asks to change an on-call schedule; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOnCall {
    /// Its identifier.
    on_call_id: Id<OnCall>,
    /// What people call it; unique in its workspace.
    name: Option<String>,
    /// The zone of its dates and hours, as in the IANA database.
    time_zone: Option<String>,
    /// Who takes turns.
    #[serde(default)]
    rotation: RotationRequest,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
}

/// Changes an on-call schedule.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateOnCall) -> Result<OnCallInfo> {
    let UpdateOnCall { on_call_id, name, time_zone, rotation, tags } = request;
    let before = changeable(tx, call, &on_call_id)?;
    let mut after = before.clone();
    if let Some(name) = asked::text(name) {
        after.name = asked::name("name", &name)?;
    }
    if let Some(name) = asked::text(time_zone) {
        after.time_zone = zone(&name)?;
    }
    after.rotation = rotation.over(after.rotation)?;
    if let Some(tags) = tags {
        after.tags = tags.into_iter().collect();
    }
    keep(tx, call, (Some(before), after))
}

/// Asks that someone stands in for a while.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOverride {
    /// The schedule.
    on_call_id: Id<OnCall>,
    /// Who stands in.
    user_id: String,
    /// From when on; now where absent.
    from: Option<Timestamp>,
    /// Until when, that instant not included.
    until: Timestamp,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Has someone stand in for a while. Of several at the same time, the one that was added last wins.
pub fn add_override(tx: &mut dyn Tx, call: &Call, request: AddOverride) -> Result<OnCallInfo> {
    let AddOverride { on_call_id, user_id, from, until, reason } = request;
    let before = changeable(tx, call, &on_call_id)?;
    let (from, until) = (to_millis(from.unwrap_or(call.now)), to_millis(until));
    if until <= from {
        return Err(wrong("/until", "it ends after it begins"));
    }
    if until <= call.now {
        return Err(wrong("/until", "this is over already"));
    }
    let user_id = asked::name("user_id", &user_id)?;
    let reason = reason.trim().chars().take(1000).collect();
    let mut after = before.clone();
    after.overrides.retain(|it| it.until > call.now - KEPT_OVERRIDES);
    if after.overrides.len() >= MOST_OVERRIDES {
        let detail = format!("a schedule keeps {MOST_OVERRIDES} overrides at most");
        return Err(wrong("/on_call_id", detail));
    }
    after.overrides.push(Override { user_id, from, until, reason });
    keep(tx, call, (Some(before), after))
}

/// Asks that someone does not stand in after all.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveOverride {
    /// The schedule.
    on_call_id: Id<OnCall>,
    /// Who stands in.
    user_id: String,
    /// From when on.
    from: Timestamp,
}

/// Has someone not stand in after all.
pub fn remove_override(
    tx: &mut dyn Tx,
    call: &Call,
    request: RemoveOverride,
) -> Result<OnCallInfo> {
    let RemoveOverride { on_call_id, user_id, from } = request;
    let before = changeable(tx, call, &on_call_id)?;
    let from = to_millis(from);
    let mut after = before.clone();
    after.overrides.retain(|it| it.user_id != user_id.trim() || it.from != from);
    if after.overrides.len() == before.overrides.len() {
        let detail = format!("no override of schedule `{on_call_id}` has this user and this begin");
        return Err(Error::new(Code::NotFound, detail));
    }
    keep(tx, call, (Some(before), after))
}

/// Names one on-call schedule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneOnCall {
    /// Its identifier.
    on_call_id: Id<OnCall>,
}

/// Deletes an on-call schedule. Steps that name it tell nobody through it any more.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneOnCall) -> Result<Done> {
    let schedule = changeable(tx, call, &request.on_call_id)?;
    let users = tx.escalation_policies(&call.caller.scope)?;
    if let Some(user) = users.iter().find(|policy| policy.names(&request.on_call_id)) {
        let detail = format!("escalation policy `{}` names this schedule", user.name);
        return Err(Error::new(Code::ExistResource, detail));
    }
    tx.delete_on_call(&schedule.on_call_id)?;
    let id = schedule.on_call_id.clone();
    call.touched("on_call", &id, seen(&OnCallInfo::new(schedule, call.now)), None);
    Ok(Done {})
}

/// One on-call schedule, with who is on call now.
pub fn get(tx: &dyn Tx, call: &Call, request: OneOnCall) -> Result<OnCallInfo> {
    let schedule = existing(tx, call, &request.on_call_id)?;
    Ok(OnCallInfo::new(schedule, call.now))
}

/// Asks who is on call when.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListShifts {
    /// The schedule.
    on_call_id: Id<OnCall>,
    /// From when on; now where absent.
    from: Option<Timestamp>,
    /// Until when; four weeks after the begin where absent, a year after it at most.
    until: Option<Timestamp>,
}

/// Who is on call when.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShiftsInfo {
    /// One after the other, without gaps; at most 1000.
    pub results: Vec<ShiftInfo>,
}

/// Who is on call when, one shift after the other.
pub fn shifts(tx: &dyn Tx, call: &Call, request: ListShifts) -> Result<ShiftsInfo> {
    let schedule = existing(tx, call, &request.on_call_id)?;
    let from = to_millis(request.from.unwrap_or(call.now));
    let until = request.until.map(to_millis);
    let until = until.or_else(|| from.checked_add_signed(TimeDelta::weeks(4))).unwrap_or(from);
    if until <= from {
        return Err(wrong("/until", "it ends after it begins"));
    }
    if until - from > TimeDelta::days(366) {
        return Err(wrong("/until", "at most a year after the begin"));
    }
    let shifts = schedule.shifts(from, until, MOST_SHIFTS);
    Ok(ShiftsInfo { results: shifts.into_iter().map(ShiftInfo::from).collect() })
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<OnCall>) -> Result<OnCall> {
    call.touches("on_call", id);
    let schedule = tx.on_call(&call.caller.scope, id)?;
    schedule.ok_or_else(|| Error::not_found("on-call schedule", id))
}

/// A schedule that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<OnCall>) -> Result<OnCall> {
    let schedule = existing(tx, call, id)?;
    may_change(&schedule.place, call)?;
    Ok(schedule)
}

fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    (before, after): (Option<OnCall>, OnCall),
) -> Result<OnCallInfo> {
    tx.put_on_call(&after)?;
    let before = before.map(|before| OnCallInfo::new(before, call.now));
    let after = OnCallInfo::new(after, call.now);
    call.touched("on_call", &after.on_call_id, before.as_ref().and_then(seen), seen(&after));
    Ok(after)
}

list_request! {
    /// Asks for on-call schedules.
    ListOnCalls: Asked,
    /// Asks for statistics of on-call schedules.
    StatOnCalls: AskedStat
    of ON_CALLS {
        /// Only the one with this identifier.
        on_call_id: Id<OnCall>,
        /// Only those of exactly this name.
        name: String,
        /// Only those of workspaces, or only those of projects.
        resource_group: Extent,
        /// Only those of this project; `*` for those of workspaces.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// On-call schedules with who is on call now, by name where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListOnCalls) -> Result<Page<Shown<OnCallInfo>>> {
    let query = request.checked(call.now)?;
    let schedules = tx.on_calls(&call.caller.scope)?;
    let views = schedules.into_iter().map(|schedule| OnCallInfo::new(schedule, call.now));
    Page::listed(views, &query, &ON_CALLS)
}

/// Statistics of on-call schedules.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatOnCalls) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    let schedules = tx.on_calls(&call.caller.scope)?;
    StatInfo::of(schedules.into_iter().map(|schedule| OnCallInfo::new(schedule, call.now)), &stat)
}
