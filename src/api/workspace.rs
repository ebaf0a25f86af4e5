//! `workspace.*`: parts of an organisation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Done, Moment, Page, Shown, along,
    asked::{self, list_request},
    call::seen,
    escalation_policy::EscalationPolicyInfo,
};
use crate::{
    domain::{
        project::{Domain, Workspace},
        scope::{Reach, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    query::WORKSPACES,
    store::Tx,
};

/// The domain that is meant where none is named.
const DEFAULT_DOMAIN: &str = "default";

/// One part of an organisation; alert numbers count within it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WorkspaceInfo {
    /// Its identifier.
    pub workspace_id: Id<Workspace>,
    /// What people call it.
    pub name: String,
    /// The domain it is part of.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

impl From<Workspace> for WorkspaceInfo {
    fn from(workspace: Workspace) -> Self {
        let Workspace { workspace_id, domain_id, name, created_at } = workspace;
        Self { workspace_id, name, domain_id, created_at: created_at.into() }
    }
}

/// Asks for a new workspace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWorkspace {
    /// Its identifier; made up where absent.
    workspace_id: Option<Id<Workspace>>,
    /// What people call it.
    name: String,
    /// The domain it is part of; `default` where absent.
    domain_id: Option<Id<Domain>>,
}

/// Makes a workspace.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateWorkspace) -> Result<WorkspaceInfo> {
    let CreateWorkspace { workspace_id, name, domain_id } = request;
    let domain_id = domain_id.unwrap_or_else(|| DEFAULT_DOMAIN.into());
    let domain_id = super::domain::existing(tx, call, &domain_id)?.domain_id;
    let workspace = Workspace {
        workspace_id: workspace_id.unwrap_or_else(|| call.mint.id(call.now)),
        domain_id,
        name: asked::name("name", &name)?,
        created_at: call.now,
    };
    let id = &workspace.workspace_id;
    call.touches("workspace", id);
    if tx.workspaces(&Scope::EVERYTHING)?.iter().any(|other| other.workspace_id == *id) {
        let detail = format!("there is a workspace `{id}` already");
        return Err(Error::at(Code::NotUnique, "/workspace_id", detail));
    }
    tx.put_workspace(&workspace)?;
    let within = Scope { workspaces: Reach::one(id.clone()), ..Scope::EVERYTHING };
    let view = WorkspaceInfo::from(workspace);
    call.touched("workspace", &view.workspace_id, None, seen(&view));
    // It has a policy from the start.
    for policy in tx.escalation_policies(&within)? {
        let policy = EscalationPolicyInfo::from(policy);
        call.touched("escalation_policy", &policy.escalation_policy_id, None, seen(&policy));
    }
    Ok(view)
}

/// Names one workspace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneWorkspace {
    /// Its identifier.
    workspace_id: Id<Workspace>,
}

/// One workspace.
pub fn get(tx: &dyn Tx, call: &Call, request: OneWorkspace) -> Result<WorkspaceInfo> {
    existing(tx, call, &request.workspace_id).map(WorkspaceInfo::from)
}

/// The workspace, if it exists in the caller's scope.
pub(super) fn existing(tx: &dyn Tx, call: &Call, id: &Id<Workspace>) -> Result<Workspace> {
    let mut workspaces = tx.workspaces(&call.caller.scope)?.into_iter();
    workspaces
        .find(|workspace| workspace.workspace_id == *id)
        .ok_or_else(|| Error::not_found("workspace", id))
}

list_request! {
    /// Asks for workspaces.
    ListWorkspaces of WORKSPACES {
        /// Only the one with this identifier.
        workspace_id: Id<Workspace>,
        /// Only those of exactly this name.
        name: String,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Workspaces, by identifier where no order is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListWorkspaces,
) -> Result<Page<Shown<WorkspaceInfo>>> {
    let query = request.checked(call.now)?;
    let views = tx.workspaces(&call.caller.scope)?.into_iter().map(WorkspaceInfo::from);
    Page::listed(views, &query, &WORKSPACES)
}

/// Asks to change a workspace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWorkspace {
    /// Its identifier.
    workspace_id: Id<Workspace>,
    /// What people call it.
    name: String,
}

/// Changes a workspace.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateWorkspace) -> Result<WorkspaceInfo> {
    let UpdateWorkspace { workspace_id, name } = request;
    call.touches("workspace", &workspace_id);
    let before = existing(tx, call, &workspace_id)?;
    let after = Workspace { name: asked::name("name", &name)?, ..before.clone() };
    tx.put_workspace(&after)?;
    let (before, after) = (WorkspaceInfo::from(before), WorkspaceInfo::from(after));
    call.touched("workspace", &workspace_id, seen(&before), seen(&after));
    Ok(after)
}

/// Deletes a workspace with nothing in it.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneWorkspace) -> Result<Done> {
    call.touches("workspace", &request.workspace_id);
    let workspace = existing(tx, call, &request.workspace_id)?;
    along::workspace(tx, call, &workspace)?;
    tx.delete_workspace(&request.workspace_id)?;
    call.touched("workspace", &request.workspace_id, seen(&WorkspaceInfo::from(workspace)), None);
    Ok(Done {})
}
