//! `project_alert_config.*`: whether and how projects are alerted.

mod options;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Done, Moment, Page, Shown, StatInfo,
    asked::{given, list_request},
    call::seen,
    escalation_policy::PolicyBrief,
};
use crate::{
    domain::{
        escalation::EscalationPolicy,
        project::{AlertPolicy, Domain, Project, ProjectAlertConfig, SYSTEM_PROJECT, Workspace},
        scope::{Home, Scope},
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
    /// Its escalation policy: the one it chose, else the default of its workspace.
    pub escalation_policy_id: Option<Id<EscalationPolicy>>,
    /// Its escalation policy, in short.
    pub escalation_policy_info: Option<PolicyBrief>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When alerting was switched on.
    pub created_at: Moment,
}

impl ProjectAlertConfigInfo {
    fn new(config: ProjectAlertConfig, escalation: Option<&EscalationPolicy>) -> Self {
        let ProjectAlertConfig { home, policy, created_at } = config;
        let Home { domain_id, workspace_id, project_id } = home;
        Self {
            project_id,
            options: policy.into(),
            escalation_policy_id: escalation.map(|policy| policy.escalation_policy_id.clone()),
            escalation_policy_info: escalation.map(PolicyBrief::from),
            workspace_id,
            domain_id,
            created_at: created_at.into(),
        }
    }

    /// How a project is alerted, as the store has it at this moment.
    fn of(tx: &dyn Tx, config: ProjectAlertConfig) -> Result<Self> {
        let setup = tx.setup(&config.home.project_id)?;
        let found = setup.as_ref().and_then(|setup| setup.escalation.policy(None));
        Ok(Self::new(config, found.map(|(policy, _)| &**policy)))
    }

    /// How projects are alerted.
    fn all(tx: &dyn Tx, scope: &Scope) -> Result<Vec<Self>> {
        let chosen = tx.chosen_policies(None)?;
        let policies = tx.escalation_policies(scope)?;
        let configs = tx.alert_configs(scope)?.into_iter();
        let views = configs.map(|config| {
            let means = |policy: &&EscalationPolicy| match chosen.get(&config.home.project_id) {
                Some(id) => policy.escalation_policy_id == *id,
                None => {
                    policy.is_default && *policy.place.workspace_id() == config.home.workspace_id
                }
            };
            let policy = policies.iter().find(means);
            Self::new(config, policy)
        });
        Ok(views.collect())
    }
}

/// Keeps which escalation policy a project chose, if the request says one.
fn choose(
    tx: &mut dyn Tx,
    call: &Call,
    home: &Home,
    asked: Option<Id<EscalationPolicy>>,
) -> Result<()> {
    let Some(id) = asked else { return Ok(()) };
    let policy = tx.escalation_policy(&call.caller.scope, &id)?;
    let policy = policy.ok_or_else(|| Error::not_found("escalation policy", &id))?;
    let is_of_workspace = *policy.place.workspace_id() == home.workspace_id;
    let is_of_other = policy.place.project_id().is_some_and(|id| *id != home.project_id);
    if !is_of_workspace || is_of_other {
        let detail = format!("escalation policy `{id}` belongs to another project or workspace");
        return Err(Error::at(Code::InvalidEscalationPolicy, "/escalation_policy_id", detail));
    }
    tx.choose_policy(&home.project_id, Some(&id))
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
    /// Its escalation policy; the default of its workspace where absent.
    #[serde(default, deserialize_with = "given")]
    escalation_policy_id: Option<Id<EscalationPolicy>>,
}

/// Switches alerting on for a project.
pub fn create(
    tx: &mut dyn Tx,
    call: &Call,
    request: CreateProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    let CreateProjectAlertConfig { project_id, options, escalation_policy_id } = request;
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
    tx.put_alert_config(&config)?;
    choose(tx, call, &config.home, escalation_policy_id)?;
    switched_on(tx, call, &config)
}

/// Writes down that alerting is on for a project.
pub(super) fn switched_on(
    tx: &mut dyn Tx,
    call: &Call,
    config: &ProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    tx.put_alert_config(config)?;
    let view = ProjectAlertConfigInfo::of(tx, config.clone())?;
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
    /// Its escalation policy. Alerts that are open keep theirs.
    #[serde(default, deserialize_with = "given")]
    escalation_policy_id: Option<Id<EscalationPolicy>>,
}

/// Changes how a project is alerted.
pub fn update(
    tx: &mut dyn Tx,
    call: &Call,
    request: UpdateProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    let UpdateProjectAlertConfig { project_id, options, escalation_policy_id } = request;
    let before = existing(tx, call, &project_id)?;
    let after =
        ProjectAlertConfig { policy: options.over(before.policy.clone())?, ..before.clone() };
    let was_stale_after = before.policy.stale_after;
    let before = ProjectAlertConfigInfo::of(tx, before)?;
    tx.put_alert_config(&after)?;
    if let Some(stale_after) = after.policy.stale_after
        && was_stale_after != after.policy.stale_after
    {
        tx.watch_project(&project_id, stale_after)?;
    }
    choose(tx, call, &after.home, escalation_policy_id)?;
    let after = ProjectAlertConfigInfo::of(tx, after)?;
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
    let before = seen(&ProjectAlertConfigInfo::of(tx, config)?);
    tx.delete_alert_config(&request.project_id)?;
    call.touched("project_alert_config", &request.project_id, before, None);
    Ok(Done {})
}

/// How one project is alerted.
pub fn get(
    tx: &dyn Tx,
    call: &Call,
    request: OneProjectAlertConfig,
) -> Result<ProjectAlertConfigInfo> {
    let config = existing(tx, call, &request.project_id)?;
    ProjectAlertConfigInfo::of(tx, config)
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
    let views = ProjectAlertConfigInfo::all(tx, &call.caller.scope)?;
    Page::listed(views, &query, &PROJECT_ALERT_CONFIGS)
}

/// Statistics of how projects are alerted.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatProjectAlertConfigs) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    StatInfo::of(ProjectAlertConfigInfo::all(tx, &call.caller.scope)?.into_iter(), &stat)
}
