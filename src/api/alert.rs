//! `alert.*`: what needs attention.

mod change;
pub mod explain;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::change::Change;
use super::{
    AnalysisInfo, Call, Done, Moment, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    unwound,
};
use crate::{
    domain::{
        alert::{Alert, Standing},
        care::{Care, Marks},
        escalation::EscalationPolicy,
        project::{Domain, Project, ProjectAlertConfig, Workspace},
        scope::Home,
        webhook::Webhook,
        words::{AlertState, Severity, Urgency},
    },
    error::{Code, Error, Result},
    id::Id,
    query::ALERTS,
    store::Tx,
};

/// Something that needs attention: the events that share a key, from first to recovery.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AlertInfo {
    /// Its number in its workspace.
    pub alert_number: u64,
    /// Its identifier.
    pub alert_id: Id<Alert>,
    /// What a person reads first.
    pub title: Option<String>,
    /// Where it stands.
    pub state: AlertState,
    /// What a person reads next.
    pub description: Option<String>,
    /// Who should act.
    pub assignee: Option<String>,
    /// Who acknowledged it.
    pub responder: Option<String>,
    /// How soon a person must look.
    pub urgency: Urgency,
    /// The worst severity of its events.
    pub severity: Severity,
    /// The rule or check of the sender that spoke.
    pub rule: Option<String>,
    /// A picture that shows it.
    pub image_url: Option<String>,
    /// What it is about.
    pub resources: Vec<ResourceInfo>,
    /// Whose resources they are; null only where it was imported without.
    pub provider: Option<String>,
    /// Which account of that provider; null only where it was imported without.
    pub account: Option<String>,
    /// Whatever else its first event said.
    pub additional_info: Map<String, Value>,
    /// Which step of its escalation is next.
    pub escalation_step: u32,
    /// How often its escalation goes on.
    pub escalation_ttl: u32,
    /// Who made it: a webhook, or a person.
    pub triggered_by: String,
    /// The webhook its first event came through.
    pub webhook_id: Option<Id<Webhook>>,
    /// Its escalation policy.
    pub escalation_policy_id: Option<Id<EscalationPolicy>>,
    /// Its project.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
    /// When anything of it changed.
    pub updated_at: Moment,
    /// When someone acknowledged it.
    pub acknowledged_at: Option<Moment>,
    /// When it was resolved.
    pub resolved_at: Option<Moment>,
    /// When it was escalated.
    pub escalated_at: Option<Moment>,
    /// What its events have in common.
    pub event_key: String,
    /// How many events it has.
    pub event_count: u64,
    /// When its first event arrived.
    pub first_event_at: Moment,
    /// When its newest event arrived.
    pub last_event_at: Moment,
    /// Why it was resolved, in a sentence.
    pub resolved_reason: Option<String>,
    /// What mutes it, e.g. `silence:silence-0198…`.
    pub muted_by: Option<String>,
    /// Until when a person put it off.
    pub snoozed_until: Option<Moment>,
    /// When its acknowledgement runs out.
    pub acknowledged_until: Option<Moment>,
    /// Since when it opens and recovers too often.
    pub flapping_since: Option<Moment>,
    /// The alert that it is part of.
    pub merged_into: Option<Id<Alert>>,
    /// How it ended: RESOLVED by a recovery, a person or a timer; EXPIRED because its sender fell silent.
    pub resolved_as: Option<&'static str>,
}

/// What an alert is about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ResourceInfo {
    /// Always null; for clients of the original.
    resource_id: Option<String>,
    /// Always null; for clients of the original.
    resource_type: Option<String>,
    /// Its name.
    name: String,
}

impl From<Alert> for AlertInfo {
    fn from(alert: Alert) -> Self {
        let Alert { standing, home, ending, created_at, care, .. } = alert;
        let Standing { alert_id, state, severity, urgency, event_count, .. } = standing;
        let Home { domain_id, workspace_id, project_id } = home;
        let ended_as = if care.expired { "EXPIRED" } else { "RESOLVED" };
        let resolved_as = ending.as_ref().map(|_| ended_as);
        let name = |name| ResourceInfo { resource_id: None, resource_type: None, name };
        Self {
            alert_number: alert.alert_number,
            alert_id,
            title: alert.title,
            state,
            description: alert.description,
            assignee: alert.assignee,
            responder: alert.responder,
            urgency,
            severity,
            rule: alert.rule,
            image_url: alert.image_url,
            resources: alert.resources.into_iter().map(name).collect(),
            provider: alert.provider,
            account: alert.account,
            additional_info: alert.additional_info.into_iter().collect(),
            escalation_step: care.escalation.step,
            escalation_ttl: care.escalation.ttl,
            triggered_by: alert.triggered_by,
            webhook_id: alert.webhook_id,
            escalation_policy_id: care.escalation.policy_id,
            project_id,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
            updated_at: standing.updated_at.into(),
            acknowledged_at: alert.acknowledged_at.map(Moment),
            resolved_at: ending.as_ref().map(|ending| ending.resolved_at.into()),
            escalated_at: care.escalation.escalated_at.map(Moment),
            event_key: alert.event_key,
            event_count,
            first_event_at: created_at.into(),
            last_event_at: standing.last_event_at.into(),
            resolved_reason: ending.map(|ending| ending.reason),
            muted_by: care.mute.map(|mute| mute.by),
            snoozed_until: care.snooze.map(|snooze| snooze.until.into()),
            acknowledged_until: care.acknowledged_until.map(Moment),
            flapping_since: care.flapping.map(|flapping| flapping.since.into()),
            merged_into: care.merged_into,
            resolved_as,
        }
    }
}

/// Asks for one alert.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
}

/// One alert.
pub fn get(tx: &dyn Tx, call: &Call, request: GetAlert) -> Result<AlertInfo> {
    existing(tx, call, &request.alert_id).map(AlertInfo::from)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Alert>) -> Result<Alert> {
    tx.alert(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("alert", id))
}

list_request! {
    /// Asks for alerts.
    ListAlerts: Asked,
    /// Asks for statistics of alerts.
    StatAlerts: AskedStat,
    /// Asks for an analysis of alerts.
    AnalyzeAlerts: AskedAnalysis
    of ALERTS {
        /// Only the one with this number.
        alert_number: u64,
        /// Only the one with this identifier.
        alert_id: Id<Alert>,
        /// Only those with exactly this title.
        title: String,
        /// Only those that stand so.
        state: AlertState,
        /// Only those that this person should act on.
        assignee: String,
        /// Only those that this person acknowledged.
        responder: String,
        /// Only those of this urgency.
        urgency: Urgency,
        /// Only those of this severity.
        severity: Severity,
        /// Only those about this.
        resource: String,
        /// Only those of this provider.
        provider: String,
        /// Only those of this account.
        account: String,
        /// Only those that this webhook or person made.
        triggered_by: String,
        /// Only those with this key.
        event_key: String,
        /// Only those whose first event came through this webhook.
        webhook_id: Id<Webhook>,
        /// Only those with this escalation policy.
        escalation_policy_id: String,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Alerts, newest first where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListAlerts) -> Result<Page<Shown<AlertInfo>>> {
    let query = request.checked(call.now)?;
    let scope = &call.caller.scope;
    if query.unwind.is_some() {
        return unwound::page(&query, &ALERTS, |scan, each| tx.visit_alerts(scope, scan, each));
    }
    let found = tx.alerts(scope, &query)?;
    let shown = found.rows.into_iter().map(|alert| {
        let view = AlertInfo::from(alert);
        Shown::shaped(view, &query.shape, &ALERTS)
    });
    Ok(Page::new(shown.collect::<Result<_>>()?, found.total, found.next_cursor))
}

/// Statistics of alerts.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatAlerts) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    Ok(StatInfo::new(&stat, tx.alert_stat(&call.caller.scope, &stat)?))
}

/// An analysis of alerts.
pub fn analyze(tx: &dyn Tx, call: &Call, request: AnalyzeAlerts) -> Result<AnalysisInfo> {
    let analysis = request.checked(call.now)?;
    Ok(AnalysisInfo::new(&analysis, tx.alert_stat(&call.caller.scope, &analysis.stat)?))
}

/// Asks to change an alert; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// What a person reads first.
    title: Option<String>,
    /// Where it stands from now on: TRIGGERED, ACKNOWLEDGED or RESOLVED.
    state: Option<AlertState>,
    /// What a person reads next.
    description: Option<String>,
    /// Whether to empty the description.
    #[serde(default)]
    reset_description: bool,
    /// How soon a person must look.
    urgency: Option<Urgency>,
    /// The project it moves to, in the same workspace.
    project_id: Option<Id<Project>>,
}

/// Changes an alert.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateAlert) -> Result<AlertInfo> {
    let UpdateAlert { alert_id, title, state, description, reset_description, urgency, project_id } =
        request;
    call.touches("alert", &alert_id);
    let alert = existing(tx, call, &alert_id)?;
    let home = project_id.map(|id| new_home(tx, call, &alert, &id)).transpose()?;
    let description =
        if reset_description { Some(String::new()) } else { asked::text(description) };
    let title = asked::text(title);
    let change = Change { title, state, description, assignee: None, urgency, home };
    let changed = change.made(alert.clone(), &call.caller.actor, call.now)?;
    keep(tx, call, alert, changed)
}

/// Where an alert lives once it has moved to another project.
fn new_home(tx: &dyn Tx, call: &Call, alert: &Alert, project: &Id<Project>) -> Result<Home> {
    let home = alerted(tx, call, project)?.home;
    if home.workspace_id == alert.home.workspace_id {
        return Ok(home);
    }
    let detail = "an alert keeps its number, so it moves only within its workspace";
    Err(Error::at(Code::InvalidParameter, "/project_id", detail))
}

/// How the project is alerted; an error if there is no such project, or alerting is off for it.
pub(super) fn alerted(
    tx: &dyn Tx,
    call: &Call,
    project: &Id<Project>,
) -> Result<ProjectAlertConfig> {
    let scope = &call.caller.scope;
    if tx.project(scope, project)?.is_none() {
        return Err(Error::not_found("project", project));
    }
    tx.alert_config(scope, project)?.ok_or_else(|| {
        let detail = format!(
            "alerting is off for project `{project}`; switch it on with project-alert-config/create"
        );
        Error::at(Code::AlertFeatureIsNotActivated, "/project_id", detail)
    })
}

/// Writes a changed alert down, if it changed.
fn keep(tx: &mut dyn Tx, call: &Call, before: Alert, after: Alert) -> Result<AlertInfo> {
    if before != after {
        tx.put_alert(&after)?;
    }
    let (before, after) = (AlertInfo::from(before), AlertInfo::from(after));
    call.touched("alert", &after.alert_id, seen(&before), seen(&after));
    Ok(after)
}

/// Asks to give an alert to someone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignUser {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// Who should act.
    assignee: String,
}

/// Gives an alert to someone.
pub fn assign_user(tx: &mut dyn Tx, call: &Call, request: AssignUser) -> Result<AlertInfo> {
    call.touches("alert", &request.alert_id);
    let alert = existing(tx, call, &request.alert_id)?;
    let assignee = asked::name("assignee", &request.assignee)?;
    let change = Change { assignee: Some(assignee), ..Change::default() };
    let changed = change.made(alert.clone(), &call.caller.actor, call.now)?;
    keep(tx, call, alert, changed)
}

/// Asks to raise an alert by hand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAlert {
    /// What a person reads first.
    title: String,
    /// The project it is of.
    project_id: Id<Project>,
    /// What a person reads next.
    description: Option<String>,
    /// Who should act.
    assignee: Option<String>,
    /// How soon a person must look; HIGH where absent.
    urgency: Option<Urgency>,
}

/// Raises an alert by hand.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateAlert) -> Result<AlertInfo> {
    let CreateAlert { title, project_id, description, assignee, urgency } = request;
    let title = asked::name("title", &title)?;
    let home = alerted(tx, call, &project_id)?.home;
    let alert_id: Id<Alert> = call.mint.id(call.now);
    let mut alert = Alert {
        alert_number: 0,
        // It has no events, so nothing but its own identifier can be its key.
        event_key: alert_id.as_str().to_owned(),
        standing: Standing {
            alert_id,
            state: AlertState::Triggered,
            severity: Severity::None,
            urgency: urgency.unwrap_or(Urgency::High),
            event_count: 0,
            last_event_at: call.now,
            updated_at: call.now,
            marks: Marks::default(),
        },
        title: Some(title),
        description: asked::text(description),
        rule: None,
        image_url: None,
        resources: Vec::new(),
        provider: Some(String::new()),
        account: Some(String::new()),
        additional_info: BTreeMap::new(),
        assignee: asked::text(assignee),
        responder: None,
        triggered_by: call.caller.actor.clone(),
        webhook_id: None,
        home,
        created_at: call.now,
        acknowledged_at: None,
        ending: None,
        care: Care::default(),
    };
    alert.alert_number = tx.add_alert(&alert)?;
    let view = AlertInfo::from(alert);
    call.touched("alert", &view.alert_id, None, seen(&view));
    Ok(view)
}

/// Asks to delete an alert.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
}

/// Deletes an alert; its events stay.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: DeleteAlert) -> Result<Done> {
    call.touches("alert", &request.alert_id);
    let alert = existing(tx, call, &request.alert_id)?;
    tx.delete_alert(&request.alert_id, call.now)?;
    call.touched("alert", &request.alert_id, seen(&AlertInfo::from(alert)), None);
    Ok(Done {})
}
