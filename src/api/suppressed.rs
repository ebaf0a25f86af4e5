//! What windows, silences and inhibitions have in common: where they hold, how they are written, what they would mute.

mod preview;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use self::preview::{Meant, Preview};
pub use self::preview::{MutedAlertInfo, PreviewInfo};
use super::{Call, Moment};
use crate::{
    clock::{Timestamp, to_millis},
    domain::{
        calendar::{CalendarError, Span, instant},
        project::{Project, Workspace},
        scope::{Reach, Scope},
        suppress::Area,
        words::ResourceGroup,
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// The workspace that is meant where none is named and the caller has several.
const DEFAULT_WORKSPACE: &str = "default";

/// The most windows, silences and inhibitions that are not over, of one project or of one whole workspace.
const MOST_LIVE: u64 = 500;

/// What stands for all projects of a workspace, as the original has it.
const EVERY_PROJECT: &str = "*";

/// From one time to another.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct SpanInfo {
    /// When it begins.
    pub start_time: Moment,
    /// When it is over.
    pub end_time: Moment,
}

impl From<Span> for SpanInfo {
    fn from(span: Span) -> Self {
        Self { start_time: span.start.into(), end_time: span.end.into() }
    }
}

/// A condition of the filter language, as it is written.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub(super) struct FilterCondition {
    /// The field, e.g. `additional_info.cluster`.
    #[serde(alias = "key")]
    k: String,
    /// What it is compared with.
    #[serde(alias = "value", default)]
    v: Value,
    /// The operator, e.g. `eq`.
    #[serde(alias = "operator")]
    o: String,
}

/// Where something holds, as a request says it.
pub(super) struct Where {
    pub(super) resource_group: Option<ResourceGroup>,
    pub(super) workspace_id: Option<Id<Workspace>>,
    pub(super) project_id: Option<Id<Project>>,
}

impl Where {
    /// The area that is meant; one project unless a whole workspace is asked for by name.
    pub(super) fn area(self, tx: &dyn Tx, call: &Call) -> Result<Area> {
        let Self { resource_group, workspace_id, project_id } = self;
        let scope = &call.caller.scope;
        match (resource_group, project_id) {
            (Some(ResourceGroup::Workspace), None) => {
                let workspace = workspace(tx, scope, workspace_id.as_ref())?;
                let Workspace { domain_id, workspace_id, .. } = workspace;
                let area = Area { domain_id, workspace_id, projects: Reach::All };
                may_change(call, &area).map(|()| area)
            }
            (Some(ResourceGroup::Workspace), Some(_)) => {
                let detail = "`project_id` is for `resource_group` PROJECT";
                Err(Error::at(Code::InvalidParameter, "/project_id", detail))
            }
            (Some(ResourceGroup::Webhook), _) => {
                let detail = "expected PROJECT or WORKSPACE";
                Err(Error::at(Code::InvalidParameter, "/resource_group", detail))
            }
            (None | Some(ResourceGroup::Project), None) => Err(Error::required("project_id")),
            (None | Some(ResourceGroup::Project), Some(project)) => {
                projects(tx, call, &[project], |_| "/project_id".to_owned())
            }
        }
    }
}

/// The area of these projects, which must be in one workspace; `pointer` tells where each of them stands.
pub(super) fn projects(
    tx: &dyn Tx,
    call: &Call,
    ids: &[Id<Project>],
    pointer: impl Fn(usize) -> String,
) -> Result<Area> {
    let mut area: Option<Area> = None;
    for (at, id) in ids.iter().enumerate() {
        let project = tx.project(&call.caller.scope, id)?;
        let home = project.ok_or_else(|| Error::not_found("project", id))?.home;
        let area = area.get_or_insert_with(|| Area {
            domain_id: home.domain_id.clone(),
            workspace_id: home.workspace_id.clone(),
            projects: Reach::Only(std::collections::BTreeSet::new()),
        });
        if area.workspace_id != home.workspace_id {
            let detail = format!("project `{id}` is in another workspace than the first one");
            return Err(Error::at(Code::InvalidParameter, pointer(at), detail));
        }
        if let Reach::Only(some) = &mut area.projects {
            some.insert(id.clone());
        }
    }
    area.ok_or_else(|| Error::required("projects"))
}

/// The workspace that is meant: the one that is named, the only one of the caller, or the default one.
fn workspace(tx: &dyn Tx, scope: &Scope, named: Option<&Id<Workspace>>) -> Result<Workspace> {
    let id = match (named, &scope.workspaces) {
        (Some(id), _) => id.clone(),
        (None, Reach::Only(some)) if some.len() == 1 => {
            some.first().cloned().unwrap_or_else(|| DEFAULT_WORKSPACE.into())
        }
        (None, _) => DEFAULT_WORKSPACE.into(),
    };
    let found = tx.workspaces(scope)?.into_iter().find(|it| it.workspace_id == id);
    found.ok_or_else(|| Error::not_found("workspace", &id))
}

/// Refuses to let a caller change what mutes more than they reach.
pub(super) fn may_change(call: &Call, area: &Area) -> Result<()> {
    if area.is_changed_in(&call.caller.scope) {
        return Ok(());
    }
    let detail = "it mutes alerts of projects that you do not reach";
    Err(Error::new(Code::PermissionDenied, detail))
}

/// Refuses what is one more than are looked at for each alert.
pub(super) fn has_room(tx: &dyn Tx, area: &Area) -> Result<()> {
    let live = tx.live_suppressions(area)?;
    if live < MOST_LIVE {
        return Ok(());
    }
    let detail = format!(
        "{live} windows, silences and inhibitions are live there, which is the most; close some"
    );
    Err(Error::new(Code::InvalidParameter, detail))
}

/// Refuses what is too broad, saying how.
pub(super) fn is_narrow(too_broad: Option<String>, pointer: &str) -> Result<()> {
    too_broad.map_or(Ok(()), |detail| Err(Error::at(Code::InvalidParameter, pointer, detail)))
}

/// A time of a request: of ISO 8601, by the clock of `zone` where it names no offset.
pub(super) fn time(parameter: &str, text: &str, zone: Tz) -> Result<Timestamp> {
    let text = text.trim();
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(to_millis(time.to_utc()));
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let wall = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let wall = wall.ok_or_else(|| {
        let detail = format!("`{text}` is no time of ISO 8601, such as 2026-05-15T22:00:00+02:00, or 2026-05-15T22:00 by the clock of its time zone");
        Error::at(Code::InvalidParameter, format!("/{parameter}"), detail)
    })?;
    Ok(to_millis(instant(zone, wall)))
}

/// The error of a request that asks for a span that cannot be.
pub(super) fn misdated(error: CalendarError) -> Error {
    Error::at(Code::InvalidParameter, format!("/{}", error.field), error.detail)
}

/// Whose something is, as views say it: the resource group, and the project or `*`.
pub(super) fn whose(area: &Area) -> (ResourceGroup, Id<Project>) {
    let only = match &area.projects {
        Reach::All => None,
        Reach::Only(some) => some.first().cloned(),
    };
    match only {
        Some(project) => (ResourceGroup::Project, project),
        None => (ResourceGroup::Workspace, EVERY_PROJECT.into()),
    }
}
