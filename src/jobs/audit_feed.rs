//! The audit trail feeds alerting: what is recorded comes through webhooks that the server itself posts to, and becomes
//! events by a mapping like any other.

use std::{collections::BTreeMap, iter};

use serde_json::{Value, json};

use super::Jobs;
use crate::{
    api::{audit::AuditInfo, defaults},
    clock::{Clock, Timestamp},
    domain::{
        audit::{Actor, ActorKind, AuditEntry, AuditRecord, Entity, Trail},
        office_hours::OfficeHours,
        project::{Project, SYSTEM_PROJECT},
        scope::Scope,
        webhook::{AUDIT_PLUGIN, AUDIT_WEBHOOK, Webhook, WebhookOptions},
        words::WebhookState,
    },
    error::{Error, Result},
    id::Mint,
    ingest::{self, Intake, Portion},
    plugins::Defaults,
    store::{Feed, Tx},
};

/// How many records are looked at in one unit of work.
const PORTION: u32 = 200;

/// What of a record stays in the trail: what was so and is so is for those who reach a whole domain, and whoever sees the
/// project of the webhook sees what it is fed with.
const WITHHELD: [&str; 4] = ["before", "patch", "previous", "hash"];

/// What is fed of the rest that may hold anything: what a user was closed by, how many calls were counted, and what a check
/// was made against.
const PARTLY: [(&str, &[&str]); 2] =
    [("after", &["failures", "locked_until"]), ("details", &["calls", "against"])];

/// How many portions one webhook gets at once; the rest waits for the next second, so that others get theirs.
const PORTIONS: u32 = 50;

/// Makes the webhook that chosen records of the audit trail come through, with the rules that its project gets, where it is not
/// there yet: on the first start, and on that of a program that knows of it. It is fed with what is recorded from then on.
///
/// # Errors
/// Where the store cannot take it.
pub async fn prepare(intake: &Intake, clock: &Clock) -> Result<()> {
    if intake.store.snapshots().webhooks.get(&AUDIT_WEBHOOK.into()).is_some() {
        return Ok(());
    }
    let plugin = intake.books.load().plugins.get(AUDIT_PLUGIN).cloned();
    let defaults = plugin.map(|plugin| plugin.defaults().clone()).unwrap_or_default();
    let clock = clock.clone();
    intake.store.write(move |tx| found(tx, &defaults, (clock.mint(), clock.now()))).await
}

fn found(tx: &mut dyn Tx, defaults: &Defaults, (mint, now): (&Mint, Timestamp)) -> Result<()> {
    let system = tx.project(&Scope::EVERYTHING, &SYSTEM_PROJECT.into())?;
    let Some(Project { home, .. }) = system else { return Ok(()) };
    tx.put_webhook(&Webhook {
        webhook_id: AUDIT_WEBHOOK.into(),
        name: AUDIT_WEBHOOK.to_owned(),
        state: WebhookState::Enabled,
        access_keys: Vec::new(),
        plugin: AUDIT_PLUGIN.to_owned(),
        options: WebhookOptions::default(),
        home: home.clone(),
        tags: BTreeMap::new(),
        created_at: now,
    })?;
    let brought = defaults::bring(tx, &home, (AUDIT_PLUGIN, defaults), (mint, now))?;
    let webhook = Entity::new("webhook", AUDIT_WEBHOOK).called(Some(AUDIT_WEBHOOK.to_owned()));
    let rules = brought
        .group_rules
        .iter()
        .map(|rule| Entity::new("group_rule", &rule.group_rule_id).called(Some(rule.name.clone())));
    for entity in iter::once(webhook).chain(rules) {
        let actor = Actor::unnamed(ActorKind::Command, "serve");
        let view = json!({ "name": entity.name, "project_id": SYSTEM_PROJECT });
        let entry = AuditEntry::new(now, actor, &format!("{}.create", entity.kind));
        tx.add_audit(&home.domain_id, entry.on(entity).changed(None, Some(view)), mint)?;
    }
    let newest = defaults::newest(tx, &home)?;
    tx.put_fed(&AUDIT_WEBHOOK.into(), newest)
}

/// Feeds all webhooks that are fed with what was recorded since; how many records became events.
///
/// # Errors
/// Where the store cannot be asked. What goes wrong with one webhook is logged, tried again the next time, and holds up no
/// other.
pub async fn feed(jobs: &Jobs, now: Timestamp) -> Result<usize> {
    let mut fed = 0;
    for feed in jobs.intake.store.read(|tx| tx.hungry()).await? {
        match feed_one(jobs, &feed, now).await {
            Ok(events) => fed += events,
            Err(error) => {
                let webhook = feed.webhook_id.as_str();
                tracing::warn!(%error, cause = ?error.cause, webhook.id = webhook, "the audit trail could not be fed");
            }
        }
    }
    Ok(fed)
}

async fn feed_one(jobs: &Jobs, feed: &Feed, now: Timestamp) -> Result<usize> {
    let store = &jobs.intake.store;
    let webhook = store.snapshots().webhooks.get(&feed.webhook_id);
    let webhook = webhook.ok_or_else(|| Error::not_found("webhook", &feed.webhook_id))?;
    let (mut after, mut events) = (feed.sequence, 0);
    for _ in 0..PORTIONS {
        let (domain, from) = (feed.domain_id.clone(), after);
        let records = store.read(move |tx| tx.chain(&domain, Trail::Own, (from, PORTION))).await?;
        let Some(last) = records.last() else { break };
        after = last.sequence;
        let wanted = records.into_iter().filter(|record| is_fed(&record.entry));
        let records = wanted.map(|record| seen(record, jobs.office_hours.as_ref())).collect();
        events +=
            ingest::feed(&jobs.intake, &webhook, Portion { up_to: after, records }, now).await?;
    }
    Ok(events)
}

/// A record as a mapping sees it.
fn seen(record: AuditRecord, office_hours: Option<&OfficeHours>) -> Value {
    let within = office_hours.is_none_or(|hours| hours.contain(record.entry.occurred_at));
    let mut seen = serde_json::to_value(AuditInfo::from(record)).unwrap_or_default();
    if let Value::Object(seen) = &mut seen {
        seen.retain(|name, _| !WITHHELD.contains(&name.as_str()));
        for (name, kept) in PARTLY {
            if let Some(Value::Object(members)) = seen.get_mut(name) {
                members.retain(|member, _| kept.contains(&member.as_str()));
            }
        }
    }
    seen["within_office_hours"] = json!(within);
    seen
}

/// Whether a record may become an event. What timers, senders and recipients do to alerts may follow from an event that was
/// fed, and would be fed again for ever.
fn is_fed(entry: &AuditEntry) -> bool {
    match entry.actor.kind {
        ActorKind::User
        | ActorKind::Application
        | ActorKind::Token
        | ActorKind::Command
        | ActorKind::Service
        | ActorKind::Nobody => true,
        ActorKind::Webhook | ActorKind::Recipient => false,
        ActorKind::Timer => {
            let kind = entry.entity.as_ref().map(|entity| entity.kind.as_str());
            !matches!(kind, Some("alert" | "event" | "delivery" | "message" | "note"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn what_follows_from_a_fed_record_is_not_fed_again() {
        let fed = |kind, entity| {
            let actor = Actor::unnamed(kind, "somebody");
            is_fed(&AuditEntry::new(from_millis(0), actor, "x.y").on(Entity::new(entity, "1")))
        };
        assert!(fed(ActorKind::User, "alert"), "a person does not follow from an event");
        assert!(fed(ActorKind::Timer, "rules"), "files that are watched do not follow from one");
        assert!(!fed(ActorKind::Timer, "alert"));
        assert!(!fed(ActorKind::Timer, "message"));
        assert!(!fed(ActorKind::Webhook, "alert"));
        assert!(!fed(ActorKind::Recipient, "alert"));
    }
}
