//! What people call things and whose they are, for records that know an identifier alone.

use serde_json::Value;

use crate::{
    domain::{
        project::Domain,
        scope::{Reach, Scope},
    },
    error::Result,
    id::Id,
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

/// What is known of a thing of which a record knows an identifier alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// What people call it.
    pub(super) name: Option<String>,
    /// Whose it is; nobody's where it is of no domain, or of several.
    pub(super) domain: Option<Id<Domain>>,
}

impl Known {
    fn of(name: impl Into<Option<String>>, domain: &Id<Domain>) -> Self {
        Self { name: name.into().map(|name| cut(&name)), domain: Some(domain.clone()) }
    }

    fn within(name: impl Into<Option<String>>, scope: &Scope) -> Self {
        Self { name: name.into().map(|name| cut(&name)), domain: only(scope) }
    }
}

/// The only domain of a scope, if it has one alone.
pub(super) fn only(scope: &Scope) -> Option<Id<Domain>> {
    match &scope.domains {
        Reach::Only(some) if some.len() == 1 => some.first().cloned(),
        Reach::Only(_) | Reach::All => None,
    }
}

/// The thing of this kind and identifier, as far as it is in `scope`: a record must not tell a caller what else there is.
pub(super) fn known(tx: &dyn Tx, scope: &Scope, thing: (&str, &str)) -> Result<Option<Known>> {
    let (kind, id) = thing;
    Ok(match kind {
        "alert" => tx.alert(scope, &id.into())?.map(|it| Known::of(it.title, &it.home.domain_id)),
        "delivery" => delivery(tx, scope, id)?,
        "event" => tx.event(scope, &id.into())?.map(|it| Known::of(None, &it.home.domain_id)),
        "heartbeat" => {
            tx.heartbeat(scope, &id.into())?.map(|it| Known::of(it.name, &it.home.domain_id))
        }
        "message" => {
            let found = tx.message(scope, &id.into())?;
            found.map(|due| Known::of(None, &due.message.home.domain_id))
        }
        "note" => tx.note(scope, &id.into())?.map(|it| Known::of(it.note, &it.home.domain_id)),
        "project" | "project_alert_config" => {
            tx.project(scope, &id.into())?.map(|it| Known::of(it.name, &it.home.domain_id))
        }
        "webhook" => {
            tx.webhook(scope, &id.into())?.map(|it| Known::of(it.name.clone(), &it.home.domain_id))
        }
        "workspace" => {
            let one = Scope { workspaces: scope.workspaces.narrowed(&id.into()), ..scope.clone() };
            tx.workspaces(&one)?.pop().map(|it| Known::of(it.name, &it.domain_id))
        }
        "domain" => {
            let one = Scope { domains: scope.domains.narrowed(&id.into()), ..scope.clone() };
            tx.domains(&one)?.pop().map(|it| Known::of(it.name, &it.domain_id))
        }
        _ => match rule(tx, scope, thing)? {
            Some(known) => Some(known),
            // Who reaches everything may know all of them; who does not may not know who else there is.
            None if *scope == Scope::EVERYTHING => somebody(tx, thing)?,
            None => None,
        },
    })
}

/// What says how alerts are cared for, or who cares.
fn rule(tx: &dyn Tx, scope: &Scope, (kind, id): (&str, &str)) -> Result<Option<Known>> {
    Ok(match kind {
        "channel" => {
            tx.channel(scope, &id.into())?.map(|it| Known::of(it.name, it.home.domain_id()))
        }
        "contact" => {
            tx.contact(scope, &id.into())?.map(|it| Known::of(it.user_id, it.place.domain_id()))
        }
        "escalation_policy" => {
            let found = tx.escalation_policy(scope, &id.into())?;
            found.map(|it| Known::of(it.name, it.place.domain_id()))
        }
        "event_rule" => {
            tx.event_rule(scope, &id.into())?.map(|it| Known::of(it.name, it.place.domain_id()))
        }
        "group_rule" => {
            tx.group_rule(scope, &id.into())?.map(|it| Known::of(it.name, &it.home.domain_id))
        }
        "inhibition" => {
            tx.inhibition(scope, &id.into())?.map(|it| Known::of(it.name, &it.area.domain_id))
        }
        "maintenance_window" => {
            let found = tx.maintenance_window(scope, &id.into())?;
            found.map(|it| Known::of(it.title, &it.area.domain_id))
        }
        "on_call" => {
            tx.on_call(scope, &id.into())?.map(|it| Known::of(it.name, it.place.domain_id()))
        }
        "silence" => {
            tx.silence(scope, &id.into())?.map(|it| Known::of(it.reason, &it.area.domain_id))
        }
        _ => None,
    })
}

/// Who can log in or call, of whatever domain.
fn somebody(tx: &dyn Tx, (kind, id): (&str, &str)) -> Result<Option<Known>> {
    Ok(match kind {
        "application" => {
            tx.application(&id.into())?.map(|it| Known::within(it.name.clone(), &it.scope))
        }
        "session" | "token" => {
            tx.token(&id.into())?.map(|it| Known::within(it.name.clone(), &it.scope))
        }
        "user" => tx.user(&id.into())?.map(|it| Known::within(it.name.clone(), &it.scope)),
        _ => None,
    })
}

/// A delivery, by its webhook.
fn delivery(tx: &dyn Tx, scope: &Scope, id: &str) -> Result<Option<Known>> {
    let Some(kept) = tx.delivery(scope, &id.into())? else { return Ok(None) };
    let webhook = tx.webhook(scope, &kept.receipt.webhook_id)?;
    Ok(webhook.map(|it| Known::of(None, &it.home.domain_id)))
}

pub(super) fn cut(name: &str) -> String {
    name.chars().take(LONGEST).collect()
}
