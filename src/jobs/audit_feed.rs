//! The audit trail feeds alerting: what is recorded comes through webhooks that the server itself posts to, and becomes
//! events by a mapping like any other.

use serde_json::{Value, json};

use super::Jobs;
use crate::{
    api::audit::AuditInfo,
    clock::Timestamp,
    domain::{
        audit::{ActorKind, AuditEntry, AuditRecord, Trail},
        office_hours::OfficeHours,
    },
    error::{Error, Result},
    ingest::{self, Portion},
    store::Feed,
};

/// How many records are looked at in one unit of work.
const PORTION: u32 = 200;

/// How many portions one webhook gets at once; the rest waits for the next second, so that others get theirs.
const PORTIONS: u32 = 50;

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
    let (mut after, mut fed) = (feed.sequence, 0);
    for _ in 0..PORTIONS {
        let (domain, from) = (feed.domain_id.clone(), after);
        let records = store.read(move |tx| tx.chain(&domain, Trail::Own, (from, PORTION))).await?;
        let Some(last) = records.last() else { break };
        after = last.sequence;
        let wanted = records.into_iter().filter(|record| is_fed(&record.entry));
        let records = wanted.map(|record| seen(record, jobs.office_hours.as_ref())).collect();
        fed += ingest::feed(&jobs.intake, &webhook, Portion { up_to: after, records }, now).await?;
    }
    Ok(fed)
}

/// A record as a mapping sees it.
fn seen(record: AuditRecord, office_hours: Option<&OfficeHours>) -> Value {
    let within = office_hours.is_none_or(|hours| hours.contain(record.entry.occurred_at));
    let mut seen = serde_json::to_value(AuditInfo::from(record)).unwrap_or_default();
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
    use crate::{
        clock::from_millis,
        domain::audit::{Actor, Entity},
    };

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
