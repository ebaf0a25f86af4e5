//! `maintenance_window.*`: times at which alerts are expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::suppressed::{MutedAlertInfo, PreviewInfo, SpanInfo};
use super::{
    Call, Moment, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    suppressed::{self, FilterCondition, Meant, Preview},
};
use crate::{
    care::{Hand, mute},
    clock::Timestamp,
    domain::{
        calendar::{Calendar, Span, zone},
        project::{Domain, Project, Workspace},
        scope::Scope,
        suppress::{AlertFilter, Area, MaintenanceWindow, WindowState},
    },
    error::{Code, Error, Result},
    id::Id,
    query::MAINTENANCE_WINDOWS,
    store::{HitKind, Tx},
};

/// How many coming times are shown.
const NEXT: usize = 5;

/// A time, once or again and again, at which the alerts of projects are muted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MaintenanceWindowInfo {
    /// Its identifier.
    pub maintenance_window_id: Id<MaintenanceWindow>,
    /// What people call it.
    pub title: String,
    /// Whether it mutes, or will: OPEN or CLOSED.
    pub state: WindowState,
    /// The projects whose alerts it mutes, as far as you reach them.
    pub projects: Vec<Id<Project>>,
    /// Which of their alerts; all where it is empty.
    #[schemars(with = "Vec<FilterCondition>")]
    pub filter: Vec<Value>,
    /// When it begins first.
    pub start_time: Moment,
    /// When it is over first.
    pub end_time: Moment,
    /// The time zone by whose clock it comes again.
    pub time_zone: String,
    /// How it comes again; null where it comes once.
    pub rrule: Option<String>,
    /// Until when it mutes at this moment; null where it does not.
    pub active_until: Option<Moment>,
    /// Its next times, at most five.
    pub next_occurrences: Vec<SpanInfo>,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
    /// When it was closed, by hand or because its last time was over.
    pub closed_at: Option<Moment>,
    /// How many alerts it muted.
    pub hit_count: u64,
    /// When it last muted one.
    pub last_hit_at: Option<Moment>,
}

pub(super) fn info(
    tx: &dyn Tx,
    (window, scope): (&MaintenanceWindow, &Scope),
    now: Timestamp,
) -> Result<MaintenanceWindowInfo> {
    let hits = tx.hits(HitKind::MaintenanceWindow, window.maintenance_window_id.as_str())?;
    let is_open = window.closed_at.is_none();
    let next = if is_open { window.calendar.occurrences(now, NEXT) } else { Vec::new() };
    let active = window.calendar.at(now).filter(|_| is_open);
    let Span { start, end } = window.calendar.first();
    Ok(MaintenanceWindowInfo {
        maintenance_window_id: window.maintenance_window_id.clone(),
        title: window.title.clone(),
        state: window.state(now),
        projects: window.area.projects_in(scope).unwrap_or_default(),
        filter: window.filter.written().to_vec(),
        start_time: start.into(),
        end_time: end.into(),
        time_zone: window.calendar.zone().name().to_owned(),
        rrule: window.calendar.rrule().map(str::to_owned),
        active_until: active.map(|span| span.end.into()),
        next_occurrences: next.into_iter().map(SpanInfo::from).collect(),
        tags: window.tags.clone().into_iter().collect(),
        workspace_id: window.area.workspace_id.clone(),
        domain_id: window.area.domain_id.clone(),
        created_by: window.created_by.clone(),
        created_at: window.created_at.into(),
        updated_at: window.updated_at.into(),
        closed_at: window.closed_at.map(Moment),
        hit_count: hits.count,
        last_hit_at: hits.last_at.map(Moment),
    })
}

/// Asks for a new maintenance window, or what it would do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMaintenanceWindow {
    /// What people call it.
    title: String,
    /// The projects whose alerts it mutes.
    projects: Vec<Id<Project>>,
    /// When it begins first: a time of ISO 8601, by the clock of `time_zone` where it names no offset.
    start_time: String,
    /// When it is over first.
    end_time: String,
    /// The time zone by whose clock it comes again, of the IANA list; `UTC` where absent.
    time_zone: Option<String>,
    /// How it comes again: the value of an RRULE of RFC 5545, e.g. `FREQ=WEEKLY;BYDAY=SU`.
    rrule: Option<String>,
    /// Which alerts of the projects it mutes; all where absent.
    #[serde(default)]
    #[schemars(with = "Vec<FilterCondition>")]
    filter: Vec<Value>,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
}

/// Makes a maintenance window; alerts that are open are muted with the next second if it is open by now.
pub fn create(
    tx: &mut dyn Tx,
    call: &Call,
    request: CreateMaintenanceWindow,
) -> Result<MaintenanceWindowInfo> {
    let window = made(tx, call, request)?;
    call.touches("maintenance_window", &window.maintenance_window_id);
    suppressed::has_room(tx, &window.area)?;
    keep(tx, call, None, &window)
}

/// Tells what a maintenance window would have muted in the last seven days, and when it would come; makes none.
pub fn preview(tx: &dyn Tx, call: &Call, request: CreateMaintenanceWindow) -> Result<PreviewInfo> {
    let window = made(tx, call, request)?;
    let meant = Meant { area: &window.area, filter: &window.filter };
    let preview = match window.calendar.rrule() {
        Some(_) => Preview::at_times(tx, call, &meant, &window.calendar)?,
        None => Preview::of(tx, call, &meant)?,
    };
    Ok(preview.told(Some(&window.calendar), window.too_broad(call.now), call))
}

fn made(tx: &dyn Tx, call: &Call, request: CreateMaintenanceWindow) -> Result<MaintenanceWindow> {
    let CreateMaintenanceWindow { title, projects, filter, tags, .. } = &request;
    let times = Times {
        start_time: &request.start_time,
        end_time: &request.end_time,
        time_zone: request.time_zone.as_deref().unwrap_or("UTC"),
        rrule: request.rrule.as_deref(),
    };
    Ok(MaintenanceWindow {
        maintenance_window_id: call.mint.id(call.now),
        title: asked::name("title", title)?,
        area: area(tx, call, projects)?,
        filter: AlertFilter::read(filter.clone(), "/filter", call.now)?,
        calendar: times.calendar()?,
        tags: tags.clone().into_iter().collect(),
        created_by: call.caller.actor.clone(),
        created_at: call.now,
        updated_at: call.now,
        closed_at: None,
    })
}

fn area(tx: &dyn Tx, call: &Call, projects: &[Id<Project>]) -> Result<Area> {
    suppressed::projects(tx, call, projects, |at| format!("/projects/{at}"))
}

/// When a window comes, as a request says it.
struct Times<'a> {
    start_time: &'a str,
    end_time: &'a str,
    time_zone: &'a str,
    rrule: Option<&'a str>,
}

impl Times<'_> {
    fn calendar(&self) -> Result<Calendar> {
        let zone = zone(self.time_zone.trim()).map_err(suppressed::misdated)?;
        let first = Span {
            start: suppressed::time("start_time", self.start_time, zone)?,
            end: suppressed::time("end_time", self.end_time, zone)?,
        };
        let rrule = self.rrule.map(str::trim).filter(|rrule| !rrule.is_empty());
        Calendar::new(zone, first, rrule).map_err(suppressed::misdated)
    }
}

/// Asks to change a maintenance window; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMaintenanceWindow {
    /// Its identifier.
    maintenance_window_id: Id<MaintenanceWindow>,
    /// What people call it.
    title: Option<String>,
    /// The projects whose alerts it mutes, all of them.
    projects: Option<Vec<Id<Project>>>,
    /// When it begins first.
    start_time: Option<String>,
    /// When it is over first.
    end_time: Option<String>,
    /// The time zone by whose clock it comes again.
    time_zone: Option<String>,
    /// How it comes again; an empty text where it comes once.
    rrule: Option<String>,
    /// Which alerts of the projects it mutes.
    #[schemars(with = "Option<Vec<FilterCondition>>")]
    filter: Option<Vec<Value>>,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
}

/// Changes a maintenance window that is not closed.
pub fn update(
    tx: &mut dyn Tx,
    call: &Call,
    request: UpdateMaintenanceWindow,
) -> Result<MaintenanceWindowInfo> {
    let before = changeable(tx, call, &request.maintenance_window_id)?;
    let Span { start, end } = before.calendar.first();
    let [start, end] = [start, end].map(crate::clock::rfc3339);
    let times = Times {
        start_time: request.start_time.as_deref().unwrap_or(&start),
        end_time: request.end_time.as_deref().unwrap_or(&end),
        time_zone: request.time_zone.as_deref().unwrap_or(before.calendar.zone().name()),
        rrule: request.rrule.as_deref().or(before.calendar.rrule()),
    };
    let mut after =
        MaintenanceWindow { calendar: times.calendar()?, updated_at: call.now, ..before.clone() };
    if let Some(title) = asked::text(request.title) {
        after.title = asked::name("title", &title)?;
    }
    if let Some(projects) = request.projects {
        after.area = area(tx, call, &projects)?;
        suppressed::has_room(tx, &after.area.beyond(&before.area))?;
    }
    if let Some(filter) = request.filter {
        after.filter = AlertFilter::read(filter, "/filter", call.now)?;
    }
    if let Some(tags) = request.tags {
        after.tags = tags.into_iter().collect();
    }
    keep(tx, call, Some(&before), &after)
}

/// Names one maintenance window.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneMaintenanceWindow {
    /// Its identifier.
    maintenance_window_id: Id<MaintenanceWindow>,
}

/// Closes a maintenance window: it mutes no more, and people are told of what is still open.
pub fn close(
    tx: &mut dyn Tx,
    call: &Call,
    request: OneMaintenanceWindow,
) -> Result<MaintenanceWindowInfo> {
    let before = changeable(tx, call, &request.maintenance_window_id)?;
    let after =
        MaintenanceWindow { closed_at: Some(call.now), updated_at: call.now, ..before.clone() };
    put(tx, call, Some(&before), &after)
}

/// One maintenance window, with its next times.
pub fn get(
    tx: &dyn Tx,
    call: &Call,
    request: OneMaintenanceWindow,
) -> Result<MaintenanceWindowInfo> {
    let window = existing(tx, call, &request.maintenance_window_id)?;
    info(tx, (&window, &call.caller.scope), call.now)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<MaintenanceWindow>) -> Result<MaintenanceWindow> {
    call.touches("maintenance_window", id);
    let window = tx.maintenance_window(&call.caller.scope, id)?;
    window.ok_or_else(|| Error::not_found("maintenance window", id))
}

/// A maintenance window that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<MaintenanceWindow>) -> Result<MaintenanceWindow> {
    let window = existing(tx, call, id)?;
    suppressed::may_change(call, &window.area)?;
    if !window.is_open(call.now) {
        let detail = format!("maintenance window `{id}` is closed; make another one");
        return Err(Error::new(Code::ClosedMaintenanceWindow, detail));
    }
    Ok(window)
}

/// Writes a window down, unless it is over already or too broad.
fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<&MaintenanceWindow>,
    after: &MaintenanceWindow,
) -> Result<MaintenanceWindowInfo> {
    suppressed::is_narrow(after.too_broad(call.now), "/end_time")?;
    if !after.is_open(call.now) {
        let detail = "it is over already";
        return Err(Error::at(Code::InvalidParameter, "/end_time", detail));
    }
    put(tx, call, before, after)
}

fn put(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<&MaintenanceWindow>,
    after: &MaintenanceWindow,
) -> Result<MaintenanceWindowInfo> {
    let before =
        before.map(|before| info(tx, (before, &call.caller.scope), call.now)).transpose()?;
    let hand = Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor };
    mute::window_set(tx, after, &hand)?;
    let view = info(tx, (after, &call.caller.scope), call.now)?;
    let before = before.as_ref().and_then(seen);
    call.touched("maintenance_window", &view.maintenance_window_id, before, seen(&view));
    Ok(view)
}

list_request! {
    /// Asks for maintenance windows.
    ListMaintenanceWindows: Asked,
    /// Asks for statistics of maintenance windows.
    StatMaintenanceWindows: AskedStat
    of MAINTENANCE_WINDOWS {
        /// Only the one with this identifier.
        maintenance_window_id: Id<MaintenanceWindow>,
        /// Only those of exactly this title.
        title: String,
        /// Only those that stand so.
        state: WindowState,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those that this person or token made.
        created_by: String,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Maintenance windows, newest first where no order is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListMaintenanceWindows,
) -> Result<Page<Shown<MaintenanceWindowInfo>>> {
    let query = request.checked(call.now)?;
    Page::listed(views(tx, call)?, &query, &MAINTENANCE_WINDOWS)
}

/// Statistics of maintenance windows.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatMaintenanceWindows) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    StatInfo::of(views(tx, call)?.into_iter(), &stat)
}

/// All that are seen, in the order of their making.
fn views(tx: &dyn Tx, call: &Call) -> Result<Vec<MaintenanceWindowInfo>> {
    let windows = tx.maintenance_windows(&call.caller.scope)?;
    windows.iter().rev().map(|window| info(tx, (window, &call.caller.scope), call.now)).collect()
}
