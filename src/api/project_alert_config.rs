//! `project_alert_config.*`: whether and how projects are alerted.

mod options;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Done, Moment, Page, Shown, StatInfo, asked::list_request, call::seen};
use crate::{
    domain::{
        project::{AlertPolicy, Domain, Project, ProjectAlertConfig, SYSTEM_PROJECT, Workspace},
        scope::Home,
        words::RecoveryMode,
    },
    error::{Code, Error, Result},
    id::Id,
    query::PROJECT_ALERT_CONFIGS,
    store::Tx,
};

pub use self::options::PolicyInfo;
pub(super) use self::options::PolicyRequest;

/// How a project is alerted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProjectAlertConfigInfo {
    /// The project.
    pub project_id: Id<Project>,
    /// How events become alerts there.
    pub options: PolicyInfo,
    /// Its escalation policy.
    pub escalation_policy_id: Option<String>,
    /// Its escalation policy, in short.
    pub escalation_policy_info: Option<serde_json::Value>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When alerting was switched on.
    pub created_at: Moment,
}

impl From<ProjectAlertConfig> for ProjectAlertConfigInfo {
    fn from(config: ProjectAlertConfig) -> Self {
        let ProjectAlertConfig { home, policy, created_at } = config;
        let Home { domain_id, workspace_id, project_id } = home;
        Self {
            project_id,
            options: policy.into(),
            escalation_policy_id: None,
            escalation_policy_info: None,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
        }
    }
}

/// Asks to switch alerting on for a project.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProjectAlertConfig {
    /// The project.
    project_id: Id<Project>,
    /// How events become alerts there; the recovery mode is MANUAL where absent, as in the original.
    #[serde(default)]
    options: PolicyRequest,
}

/// Switches alerting on for a project.
pub fn create(
    tx: &mut dyn Tx,
    call: &Call,
    request: CreateProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    let CreateProjectAlertConfig { project_id, options } = request;
    call.touches("project_alert_config", &project_id);
    let scope = &call.caller.scope;
    let project = tx.project(scope, &project_id)?;
    let project = project.ok_or_else(|| Error::not_found("project", &project_id))?;
    if tx.alert_config(scope, &project_id)?.is_some() {
        let detail = format!("alerting is on for project `{project_id}` already");
        return Err(Error::at(Code::NotUnique, "/project_id", detail));
    }
    let policy = options.over(AlertPolicy::new(RecoveryMode::Manual))?;
    let config = ProjectAlertConfig { home: project.home, policy, created_at: call.now };
    switched_on(tx, call, &config)
}

/// Writes down that alerting is on for a project.
pub(super) fn switched_on(
    tx: &mut dyn Tx,
    call: &Call,
    config: &ProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    tx.put_alert_config(config)?;
    let view = ProjectAlertConfigInfo::from(config.clone());
    call.touched("project_alert_config", &view.project_id, None, seen(&view));
    Ok(view)
}

/// Asks to change how a project is alerted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProjectAlertConfig {
    /// The project.
    project_id: Id<Project>,
    /// How events become alerts there; what is left out stays as it is.
    #[serde(default)]
    options: PolicyRequest,
}

/// Changes how a project is alerted.
pub fn update(
    tx: &mut dyn Tx,
    call: &Call,
    request: UpdateProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    let UpdateProjectAlertConfig { project_id, options } = request;
    let before = existing(tx, call, &project_id)?;
    let after =
        ProjectAlertConfig { policy: options.over(before.policy.clone())?, ..before.clone() };
    tx.put_alert_config(&after)?;
    if let Some(stale_after) = after.policy.stale_after
        && before.policy.stale_after != after.policy.stale_after
    {
        tx.watch_project(&project_id, stale_after)?;
    }
    let before = ProjectAlertConfigInfo::from(before);
    let after = ProjectAlertConfigInfo::from(after);
    call.touched("project_alert_config", &project_id, seen(&before), seen(&after));
    Ok(after)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Project>) -> Result<ProjectAlertConfig> {
    call.touches("project_alert_config", id);
    let config = tx.alert_config(&call.caller.scope, id)?;
    config.ok_or_else(|| Error::not_found("alert configuration of project", id))
}

/// Names a project.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneProjectAlertConfig {
    /// The project.
    project_id: Id<Project>,
}

/// Switches alerting off for a project; its events and alerts stay.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneProjectAlertConfig) -> Result<Done> {
    let config = existing(tx, call, &request.project_id)?;
    if request.project_id.as_str() == SYSTEM_PROJECT {
        let detail = "Alertmill's own alerts are in this project; alerting stays on there";
        return Err(Error::new(Code::PermissionDenied, detail));
    }
    tx.delete_alert_config(&request.project_id)?;
    let before = seen(&ProjectAlertConfigInfo::from(config));
    call.touched("project_alert_config", &request.project_id, before, None);
    Ok(Done {})
}

/// How one project is alerted.
pub fn get(
    tx: &dyn Tx,
    call: &Call,
    request: OneProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    existing(tx, call, &request.project_id).map(ProjectAlertConfigInfo::from)
}

list_request! {
    /// Asks how projects are alerted.
    ListProjectAlertConfigs: Asked,
    /// Asks for statistics of how projects are alerted.
    StatProjectAlertConfigs: AskedStat
    of PROJECT_ALERT_CONFIGS {
        /// Only this project.
        project_id: Id<Project>,
        /// Only those with this escalation policy.
        escalation_policy_id: String,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// How projects are alerted, by project where no order is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListProjectAlertConfigs,
) -> Result<Page<Shown<ProjectAlertConfigInfo>>> {
    let query = request.checked(call.now)?;
    let configs = tx.alert_configs(&call.caller.scope)?;
    let views = configs.into_iter().map(ProjectAlertConfigInfo::from);
    Page::listed(views, &query, &PROJECT_ALERT_CONFIGS)
}

/// Statistics of how projects are alerted.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatProjectAlertConfigs) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    let configs = tx.alert_configs(&call.caller.scope)?;
    StatInfo::of(configs.into_iter().map(ProjectAlertConfigInfo::from), &stat)
}
