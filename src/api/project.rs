//! `project.*`: what teams look after.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Call, Done, Moment, Page, Shown, along,
    asked::{self, list_request},
    call::seen,
    project_alert_config::{self, PolicyInfo, PolicyRequest},
    retention::{RetentionInfo, RetentionRequest},
};
use crate::{
    domain::{
        project::{
            AlertPolicy, Domain, IndexedField, MOST_INDEXED_FIELDS, Project, ProjectAlertConfig,
            Workspace,
        },
        retention::Retention,
        scope::{Home, Scope},
        words::RecoveryMode,
    },
    error::{Code, Error, Result},
    id::Id,
    query::PROJECTS,
    store::Tx,
};

/// The workspace that is meant where none is named.
const DEFAULT_WORKSPACE: &str = "default";

/// What one team looks after.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProjectInfo {
    /// Its identifier.
    pub project_id: Id<Project>,
    /// What people call it.
    pub name: String,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// How it is alerted; null where alerting is off.
    pub alert_config: Option<PolicyInfo>,
    /// How long it keeps what.
    pub retention: RetentionInfo,
    /// The paths below `additional_info` that its events are indexed by.
    pub indexed_fields: Vec<String>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

impl ProjectInfo {
    fn new(
        project: Project,
        policy: Option<AlertPolicy>,
        (indexed, retention): (&BTreeSet<IndexedField>, Retention),
    ) -> Self {
        let Project { home, name, tags, created_at } = project;
        let Home { domain_id, workspace_id, project_id } = home;
        Self {
            project_id,
            name,
            tags: tags.into_iter().collect(),
            alert_config: policy.map(PolicyInfo::from),
            retention: retention.into(),
            indexed_fields: indexed.iter().map(ToString::to_string).collect(),
            workspace_id,
            domain_id,
            created_at: created_at.into(),
        }
    }
}

/// Asks for a new project.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProject {
    /// Its identifier; made up where absent.
    project_id: Option<Id<Project>>,
    /// What people call it.
    name: String,
    /// Its workspace; `default` where absent.
    workspace_id: Option<Id<Workspace>>,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
    /// Whether it takes deliveries; true where absent.
    alerting: Option<bool>,
    /// How events become alerts there; the recovery mode is AUTO where absent.
    #[serde(default)]
    options: PolicyRequest,
    /// The paths that its events are indexed by, such as `additional_info.cluster`; at most 8.
    #[serde(default)]
    indexed_fields: Vec<String>,
}

/// Makes a project, and switches alerting on for it unless told otherwise.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateProject) -> Result<ProjectInfo> {
    let CreateProject { project_id, name, workspace_id, tags, alerting, options, indexed_fields } =
        request;
    let indexed_fields = indexed(&indexed_fields)?;
    let workspace_id = workspace_id.unwrap_or_else(|| DEFAULT_WORKSPACE.into());
    let workspace = super::workspace::existing(tx, call, &workspace_id)?;
    let Workspace { workspace_id, domain_id, .. } = workspace;
    let project_id = project_id.unwrap_or_else(|| call.mint.id(call.now));
    call.touches("project", &project_id);
    if !call.caller.scope.contains_workspace(&domain_id, &workspace_id) {
        let detail = format!("you may not make projects in workspace `{workspace_id}`");
        return Err(Error::new(Code::PermissionDenied, detail));
    }
    if tx.project(&Scope::EVERYTHING, &project_id)?.is_some() {
        let detail = format!("there is a project `{project_id}` already");
        return Err(Error::at(Code::NotUnique, "/project_id", detail));
    }
    let home = Home { domain_id, workspace_id, project_id };
    let project = Project {
        home: home.clone(),
        name: asked::name("name", &name)?,
        tags: tags.into_iter().collect(),
        created_at: call.now,
    };
    tx.put_project(&project)?;
    if !indexed_fields.is_empty() {
        tx.put_indexed_fields(&project.home.project_id, &indexed_fields)?;
    }
    let policy =
        alerting.unwrap_or(true).then(|| options.over(AlertPolicy::new(RecoveryMode::Auto)));
    let policy = policy.transpose()?;
    if let Some(policy) = policy.clone() {
        let config = ProjectAlertConfig { home, policy, created_at: call.now };
        project_alert_config::switched_on(tx, call, &config)?;
    }
    let kept = (&indexed_fields, Retention::default());
    let view = ProjectInfo::new(project, policy, kept);
    call.touched("project", &view.project_id, None, seen(&view));
    Ok(view)
}

/// Names one project.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneProject {
    /// Its identifier.
    project_id: Id<Project>,
}

/// One project.
pub fn get(tx: &dyn Tx, call: &Call, request: OneProject) -> Result<ProjectInfo> {
    let project = existing(tx, call, &request.project_id)?;
    view(tx, call, project)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Project>) -> Result<Project> {
    tx.project(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("project", id))
}

fn view(tx: &dyn Tx, call: &Call, project: Project) -> Result<ProjectInfo> {
    let config = tx.alert_config(&call.caller.scope, &project.home.project_id)?;
    let retention = tx.retention(&project.home.project_id)?;
    let mut all = tx.indexed_fields(&call.caller.scope)?;
    let indexed = all.remove(&project.home.project_id).unwrap_or_default();
    Ok(ProjectInfo::new(project, config.map(|config| config.policy), (&indexed, retention)))
}

/// The paths that a project's events are to be indexed by.
fn indexed(paths: &[String]) -> Result<BTreeSet<IndexedField>> {
    if paths.len() > MOST_INDEXED_FIELDS {
        let detail = format!("a project has at most {MOST_INDEXED_FIELDS} indexed fields");
        return Err(Error::at(Code::InvalidParameter, "/indexed_fields", detail));
    }
    let fields = paths.iter().enumerate().map(|(at, path)| {
        IndexedField::parse(path).ok_or_else(|| {
            let detail = format!(
                "`{path}` cannot be indexed: a path below `additional_info`, such as `additional_info.cluster`, can, \
                 whose at most 8 steps have at most 64 letters, digits, `_` and `-`"
            );
            Error::at(Code::InvalidParameter, format!("/indexed_fields/{at}"), detail)
        })
    });
    fields.collect()
}

list_request! {
    /// Asks for projects.
    ListProjects of PROJECTS {
        /// Only the one with this identifier.
        project_id: Id<Project>,
        /// Only those of exactly this name.
        name: String,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Projects, by identifier where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListProjects) -> Result<Page<Shown<ProjectInfo>>> {
    let query = request.checked(call.now)?;
    let scope = &call.caller.scope;
    let mut configs = tx.alert_configs(scope)?.into_iter().peekable();
    let mut retentions = tx.retentions(scope)?.into_iter().peekable();
    let mut indexed = tx.indexed_fields(scope)?;
    let projects = tx.projects(scope)?.into_iter().map(|project| {
        // All come by project identifier.
        let id = &project.home.project_id;
        while configs.next_if(|config| config.home.project_id < *id).is_some() {}
        let config = configs.next_if(|config| config.home.project_id == *id);
        let retention = retentions.next_if(|(home, _)| home.project_id == *id);
        let retention = retention.map(|(_, retention)| retention).unwrap_or_default();
        let indexed = indexed.remove(id).unwrap_or_default();
        ProjectInfo::new(project, config.map(|config| config.policy), (&indexed, retention))
    });
    Page::listed(projects, &query, &PROJECTS)
}

/// Asks to change a project; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProject {
    /// Its identifier.
    project_id: Id<Project>,
    /// What people call it.
    name: Option<String>,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
    /// How long it keeps what.
    retention: Option<RetentionRequest>,
    /// The paths that its events are indexed by, all of them. Nothing else is written while an index is made, which
    /// takes seconds a million events; with more than two million it is refused.
    indexed_fields: Option<Vec<String>>,
}

/// Changes a project.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateProject) -> Result<ProjectInfo> {
    let UpdateProject { project_id, name, tags, retention, indexed_fields } = request;
    call.touches("project", &project_id);
    let before = existing(tx, call, &project_id)?;
    let mut after = before.clone();
    if let Some(name) = asked::text(name) {
        after.name = asked::name("name", &name)?;
    }
    if let Some(tags) = tags {
        after.tags = tags.into_iter().collect();
    }
    let before = view(tx, call, before)?;
    tx.put_project(&after)?;
    if let Some(retention) = retention {
        let retention = retention.over(tx.retention(&project_id)?)?;
        tx.set_retention(&project_id, &retention)?;
    }
    if let Some(fields) = indexed_fields {
        tx.put_indexed_fields(&project_id, &indexed(&fields)?)?;
    }
    let after = view(tx, call, after)?;
    call.touched("project", &project_id, seen(&before), seen(&after));
    Ok(after)
}

/// Deletes a project with nothing in it.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneProject) -> Result<Done> {
    call.touches("project", &request.project_id);
    let project = existing(tx, call, &request.project_id)?;
    along::project(tx, call, &project.home)?;
    let before = view(tx, call, project)?;
    if before.alert_config.is_some() {
        tx.delete_alert_config(&request.project_id)?;
    }
    tx.delete_project(&request.project_id)?;
    call.touched("project", &request.project_id, seen(&before), None);
    Ok(Done {})
}
