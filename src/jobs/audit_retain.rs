//! Removing what is old of the audit trail: from the oldest record of each chain on, up to a checkpoint that is signed
//! and carries the hash of the last record that went, so that the rest can still be verified. That it was cut is itself
//! recorded.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::Jobs;
use crate::{
    clock::{Stopwatch, Timestamp, rfc3339},
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity},
        project::Domain,
        scope::Scope,
    },
    error::Result,
    id::{Id, Mint},
    metrics::KindLabels,
    store::Tx,
};

/// How many records one unit of work removes at most.
const ROWS: u32 = 500;

/// How long one run may take for one domain; what is left is for the next.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest pause between two units of work.
const PAUSE: Duration = Duration::from_millis(100);

/// Removes audit records that arrived longer ago than they are kept, in all domains.
///
/// # Errors
/// Where the store cannot be asked or changed; what was removed by then stays so.
pub(super) async fn audit_retain(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let kept = TimeDelta::from_std(jobs.audit_retention).ok();
    // No time at all means that nothing is ever removed.
    let Some(before) =
        kept.filter(|kept| !kept.is_zero()).and_then(|kept| now.checked_sub_signed(kept))
    else {
        return Ok(());
    };
    let domains = jobs.intake.store.read(|tx| tx.domains(&Scope::EVERYTHING)).await?;
    for domain in domains {
        cut(jobs, &domain.domain_id, (before, now)).await?;
    }
    Ok(())
}

/// Removes what is old of one domain.
async fn cut(
    jobs: &Jobs,
    domain: &Id<Domain>,
    (before, now): (Timestamp, Timestamp),
) -> Result<()> {
    let watch = Stopwatch::start();
    let mut sum = 0;
    loop {
        let (took, domain, mint) = (Stopwatch::start(), domain.clone(), jobs.clock.mint().clone());
        let is_last_try = watch.elapsed() >= PATIENCE;
        let removed = jobs.intake.store.write(move |tx| {
            let removed = if is_last_try { 0 } else { tx.cut_audits(&domain, before, ROWS)? };
            // With the last part, so that what went is recorded with it.
            if removed < u64::from(ROWS) && sum + removed > 0 {
                tell(tx, &domain, (sum + removed, before, now), &mint)?;
            }
            Ok(removed)
        });
        let removed = removed.await?;
        let labels = KindLabels { kind: "audit_records" };
        jobs.intake.metrics.removed.get_or_create(&labels).inc_by(removed);
        sum += removed;
        if removed < u64::from(ROWS) {
            return Ok(());
        }
        // As long a pause as it took, so that at most half of the writer's time goes into this.
        tokio::time::sleep(took.elapsed().min(PAUSE)).await;
    }
}

/// Says in the log and in the trail what was removed.
fn tell(
    tx: &mut dyn Tx,
    domain: &Id<Domain>,
    (removed, before, now): (u64, Timestamp, Timestamp),
    mint: &Mint,
) -> Result<()> {
    tracing::info!(domain = %domain, removed, "removed what was old of the audit trail");
    let found = tx.domains(&Scope::EVERYTHING)?.into_iter().find(|it| it.domain_id == *domain);
    let entity = Entity::new("domain", domain).called(found.map(|domain| domain.name));
    let after = json!({ "audit_records": removed, "before": rfc3339(before) });
    let entry = AuditEntry::new(now, Actor::unnamed(ActorKind::Timer, "retention"), "audit.retain")
        .on(entity)
        .changed(None, Some(after));
    tx.add_audit(domain, entry, mint).map(|_| ())
}
