//! What goes along with what is deleted, and so has no record of its own: the record of what it belonged to lists it.

use serde_json::{Value, json};

use super::Call;
use crate::{
    domain::{
        alert::Alert,
        channel::Place,
        event_rule::RulePlace,
        project::Workspace,
        scope::{Home, Reach, Scope},
        token::Token,
        webhook::Webhook,
    },
    error::Result,
    id::Id,
    query::{NOTES, Query},
    store::{Total, Tx},
};

/// How many of a kind are listed; how many there were is told in any case.
const LISTED: usize = 100;

/// Something that went along: its identifier, and what people call it.
type Gone = (String, String);

/// What is removed with a project.
pub(super) fn project(tx: &dyn Tx, call: &Call, home: &Home) -> Result<()> {
    let within = Scope { projects: Reach::one(home.project_id.clone()), ..of_workspace(home) };
    let is_its_own = |place: &Place| matches!(place, Place::Project(own) if own == home);
    let event_rules = tx.event_rules_of(&RulePlace::Project(home.clone()))?;
    let group_rules = tx.group_rules(&within)?.into_iter().filter(|rule| rule.home == *home);
    let kinds = [
        (
            "event_rules",
            event_rules.into_iter().map(|it| gone(&it.event_rule_id, it.name)).collect(),
        ),
        ("group_rules", group_rules.map(|it| gone(&it.group_rule_id, it.name)).collect()),
    ];
    let looked_after = looked_after(tx, &within, is_its_own)?;
    note(call, ("project", &home.project_id), kinds.into_iter().chain(looked_after));
    Ok(())
}

/// What is removed with a workspace.
pub(super) fn workspace(tx: &dyn Tx, call: &Call, workspace: &Workspace) -> Result<()> {
    let Workspace { domain_id, workspace_id, .. } = workspace;
    let within = Scope {
        domains: Reach::one(domain_id.clone()),
        workspaces: Reach::one(workspace_id.clone()),
        projects: Reach::All,
    };
    let looked_after = looked_after(tx, &within, |place| place.workspace_id() == workspace_id)?;
    note(call, ("workspace", workspace_id), looked_after);
    Ok(())
}

/// What is removed with a webhook.
pub(super) fn webhook(tx: &dyn Tx, call: &Call, webhook: &Webhook) -> Result<()> {
    let place = RulePlace::Webhook(webhook.home.clone(), webhook.webhook_id.clone());
    let rules = tx.event_rules_of(&place)?.into_iter();
    let heartbeats = tx.heartbeats_of(&webhook.webhook_id)?.into_iter();
    let kinds = [
        ("event_rules", rules.map(|it| gone(&it.event_rule_id, it.name)).collect()),
        ("heartbeats", heartbeats.map(|it| gone(&it.heartbeat_id, it.name)).collect()),
    ];
    note(call, ("webhook", &webhook.webhook_id), kinds);
    Ok(())
}

/// What was written about an alert.
pub(super) fn alert(tx: &dyn Tx, call: &Call, alert: &Alert) -> Result<()> {
    let id = alert.alert_id();
    let asked = json!({
        "filter": [{ "k": "alert_id", "v": id, "o": "eq" }],
        "page": { "limit": LISTED },
    });
    let query = Query::parse(&asked, &NOTES, call.now)?;
    let found = tx.notes(&Scope::EVERYTHING, &query)?;
    if found.rows.is_empty() {
        return Ok(());
    }
    let count = match found.total {
        Total::Exact(count) | Total::AtLeast(count) => count,
        Total::Unknown => found.rows.len() as u64,
    };
    let which: Vec<Value> = found
        .rows
        .into_iter()
        .map(|note| json!({ "id": note.note_id, "created_by": note.created_by }))
        .collect();
    call.took_along(("alert", id), "notes", json!({ "count": count, "which": which }));
    Ok(())
}

/// Sessions that were ended with something else.
pub(super) fn sessions(call: &Call, holder: (&str, &str), ended: &[Token]) {
    let ended = ended.iter().map(|it| gone(&it.token_id, it.name.clone())).collect();
    note(call, holder, [("sessions_ended", ended)]);
}

fn of_workspace(home: &Home) -> Scope {
    Scope {
        domains: Reach::one(home.domain_id.clone()),
        workspaces: Reach::one(home.workspace_id.clone()),
        projects: Reach::All,
    }
}

/// Channels, policies, schedules and contacts of a place.
fn looked_after(
    tx: &dyn Tx,
    within: &Scope,
    is_there: impl Fn(&Place) -> bool,
) -> Result<[(&'static str, Vec<Gone>); 4]> {
    let channels = tx.channels(within)?.into_iter().filter(|it| is_there(&it.home));
    let policies = tx.escalation_policies(within)?.into_iter().filter(|it| is_there(&it.place));
    let schedules = tx.on_calls(within)?.into_iter().filter(|it| is_there(&it.place));
    let contacts = tx.contacts(within)?.into_iter().filter(|it| is_there(&it.place));
    Ok([
        ("channels", channels.map(|it| gone(&it.channel_id, it.name)).collect()),
        (
            "escalation_policies",
            policies.map(|it| gone(&it.escalation_policy_id, it.name)).collect(),
        ),
        ("on_calls", schedules.map(|it| gone(&it.on_call_id, it.name)).collect()),
        ("contacts", contacts.map(|it| gone(&it.contact_id, it.user_id)).collect()),
    ])
}

fn gone<T>(id: &Id<T>, name: String) -> Gone {
    (id.as_str().to_owned(), name)
}

fn note(
    call: &Call,
    of: (&str, impl std::fmt::Display),
    kinds: impl IntoIterator<Item = (&'static str, Vec<Gone>)>,
) {
    let of = (of.0, of.1.to_string());
    for (kind, gone) in kinds.into_iter().filter(|(_, gone)| !gone.is_empty()) {
        let which = gone.iter().take(LISTED).map(|(id, name)| json!({ "id": id, "name": name }));
        let which: Vec<Value> = which.collect();
        call.took_along((of.0, &of.1), kind, json!({ "count": gone.len(), "which": which }));
    }
}
