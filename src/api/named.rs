//! What people call things, for records that know an identifier alone.

use serde_json::Value;

use crate::{
    domain::{people::Contact, scope::Scope},
    error::Result,
    store::Tx,
};

/// The longest name that a record holds, in characters.
const LONGEST: usize = 200;

/// The fields of a view that say what people call it, in the order in which they are looked for.
const NAMES: [&str; 5] = ["name", "title", "reason", "user_id", "note"];

/// What people call a thing, by a view of it.
pub(super) fn in_view(view: &Value) -> Option<String> {
    let mut found = NAMES.iter().filter_map(|field| view.get(field)?.as_str());
    found.find(|name| !name.is_empty()).map(cut)
}

/// What people call the thing of this kind and identifier, as far as it is in `scope`: a record must not tell a caller
/// what else there is.
pub(super) fn of(tx: &dyn Tx, scope: &Scope, (kind, id): (&str, &str)) -> Result<Option<String>> {
    let name = match kind {
        "alert" => tx.alert(scope, &id.into())?.and_then(|it| it.title),
        "channel" => tx.channel(scope, &id.into())?.map(|it| it.name),
        "contact" => tx.contact(scope, &id.into())?.map(|Contact { user_id, .. }| user_id),
        "domain" => {
            let one = Scope { domains: scope.domains.narrowed(&id.into()), ..scope.clone() };
            tx.domains(&one)?.pop().map(|it| it.name)
        }
        "escalation_policy" => tx.escalation_policy(scope, &id.into())?.map(|it| it.name),
        "event_rule" => tx.event_rule(scope, &id.into())?.map(|it| it.name),
        "group_rule" => tx.group_rule(scope, &id.into())?.map(|it| it.name),
        "heartbeat" => tx.heartbeat(scope, &id.into())?.map(|it| it.name),
        "inhibition" => tx.inhibition(scope, &id.into())?.map(|it| it.name),
        "maintenance_window" => tx.maintenance_window(scope, &id.into())?.map(|it| it.title),
        "note" => tx.note(scope, &id.into())?.map(|it| it.note),
        "on_call" => tx.on_call(scope, &id.into())?.map(|it| it.name),
        "project" | "project_alert_config" => tx.project(scope, &id.into())?.map(|it| it.name),
        "silence" => tx.silence(scope, &id.into())?.map(|it| it.reason),
        // Who reaches everything may know all of them; who does not may not know who else there is.
        "application" if *scope == Scope::EVERYTHING => {
            tx.application(&id.into())?.map(|it| it.name)
        }
        "token" if *scope == Scope::EVERYTHING => tx.token(&id.into())?.map(|it| it.name),
        "user" if *scope == Scope::EVERYTHING => tx.user(&id.into())?.map(|it| it.name),
        "webhook" => tx.webhook(scope, &id.into())?.map(|it| it.name),
        "workspace" => {
            let one = Scope { workspaces: scope.workspaces.narrowed(&id.into()), ..scope.clone() };
            tx.workspaces(&one)?.pop().map(|it| it.name)
        }
        _ => None,
    };
    Ok(name.map(|name| cut(&name)))
}

pub(super) fn cut(name: &str) -> String {
    name.chars().take(LONGEST).collect()
}
