//! Where something holds that a workspace or one of its projects has, as requests say it and views show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Call;
use crate::{
    domain::{
        channel::Place,
        project::{Project, Workspace},
        scope::{Reach, Scope},
        setup::Held,
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// Whether something holds in a whole workspace or in one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Extent {
    /// In all projects of a workspace.
    #[serde(rename = "WORKSPACE")]
    Workspace,
    /// In one project.
    #[serde(rename = "PROJECT")]
    Project,
}

/// What stands for the project of what holds in a whole workspace, as in the original.
const ALL_PROJECTS: &str = "*";

/// The workspace that is meant where none is named and the caller reaches several.
const DEFAULT_WORKSPACE: &str = "default";

impl Extent {
    /// How far something at `place` holds.
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Workspace(..) => Self::Workspace,
            Place::Project(_) => Self::Project,
        }
    }
}

/// The project of something as views show it: `*` where it holds in the whole workspace.
pub(super) fn project_shown(place: &Place) -> Id<Project> {
    place.project_id().cloned().unwrap_or_else(|| ALL_PROJECTS.into())
}

/// The place that a request means, where the caller may make something: its project if it names one, else the workspace.
pub(super) fn asked(
    tx: &dyn Tx,
    call: &Call,
    extent: Option<Extent>,
    (project, workspace): (Option<Id<Project>>, Option<Id<Workspace>>),
) -> Result<Place> {
    let project = project.filter(|id| id.as_str() != ALL_PROJECTS);
    let place = match (extent, project) {
        (Some(Extent::Project), None) => return Err(Error::required("project_id")),
        (Some(Extent::Workspace), Some(_)) => {
            let detail =
                "what holds in a whole workspace has no project: leave it out, or say PROJECT";
            return Err(Error::at(Code::InvalidParameter, "/project_id", detail));
        }
        (Some(Extent::Project) | None, Some(id)) => {
            let project = tx.project(&call.caller.scope, &id)?;
            Place::Project(project.ok_or_else(|| Error::not_found("project", &id))?.home)
        }
        (Some(Extent::Workspace) | None, None) => {
            let id = workspace.unwrap_or_else(|| own_workspace(&call.caller.scope));
            let workspace = super::workspace::existing(tx, call, &id)?;
            Place::Workspace(workspace.domain_id, workspace.workspace_id)
        }
    };
    may_change(&place, call)?;
    Ok(place)
}

/// The workspace of a caller who reaches only one.
fn own_workspace(scope: &Scope) -> Id<Workspace> {
    match &scope.workspaces {
        Reach::Only(some) if some.len() == 1 => some.iter().next().cloned(),
        Reach::Only(_) | Reach::All => None,
    }
    .unwrap_or_else(|| DEFAULT_WORKSPACE.into())
}

/// Refuses one more of what `place` has the most of.
pub(super) fn has_room(tx: &dyn Tx, what: Held, place: &Place) -> Result<()> {
    if tx.count_held(what, place)? < what.most() {
        return Ok(());
    }
    let whose = match place {
        Place::Workspace(_, workspace) => format!("workspace `{workspace}`"),
        Place::Project(home) => format!("project `{}`", home.project_id),
    };
    let (most, plural) = (what.most(), what.plural());
    let detail = format!("{whose} has {most} {plural}, which is the most; delete some");
    Err(Error::new(Code::InvalidParameter, detail))
}

/// Refuses who may see something at `place` but not change it.
pub(super) fn may_change(place: &Place, call: &Call) -> Result<()> {
    if place.is_open_to(&call.caller.scope) {
        return Ok(());
    }
    let detail = format!(
        "this holds in all of workspace `{}`, and you reach only some of its projects",
        place.workspace_id()
    );
    Err(Error::new(Code::PermissionDenied, detail))
}
