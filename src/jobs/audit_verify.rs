//! Whether the audit trail is whole, looked at by the server itself once a day: what was changed in the file is told to the
//! people on call, and not only to who asks.

use std::time::Duration;

use super::{Jobs, self_check};
use crate::{
    api::audits::VerifiedInfo,
    clock::{Stopwatch, Timestamp},
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity},
        project::DEFAULT_DOMAIN,
        scope::Scope,
    },
    error::{Code, Result},
    store::{Store, Verification},
};

/// The longest pause between two parts of the daily check: as long as the part took, so that at most half of a reader's time
/// goes into it.
const PAUSE: Duration = Duration::from_millis(100);

/// Reads the trail to its end, a part at a time, each in a snapshot of its own: the trail may be long, and the server goes on
/// meanwhile. Between two parts is a pause as long as the part took, but at most `pause`.
///
/// # Errors
/// Where the store cannot be read.
pub async fn read_to_the_end(
    store: &Store,
    mut verification: Verification,
    pause: Duration,
) -> Result<Verification> {
    loop {
        let took = Stopwatch::start();
        let part = move |tx: &dyn crate::store::Tx| {
            let more = verification.go_on(tx)?;
            Ok((verification, more))
        };
        let (read, more) = store.read(part).await?;
        if !more {
            return Ok(read);
        }
        verification = read;
        tokio::time::sleep(took.elapsed().min(pause)).await;
    }
}

/// Verifies the whole trail. What is wrong is recorded, so that it raises an alert; the alert is over once nothing is wrong.
///
/// # Errors
/// Where the store cannot be read, or does not take the record.
pub(super) async fn audit_verify(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let store = &jobs.intake.store;
    let verification = Verification::new(Scope::EVERYTHING, Some(jobs.seal.clone()), Vec::new());
    let verified = VerifiedInfo::from(read_to_the_end(store, verification, PAUSE).await?);
    if verified.ok {
        return self_check::tell(jobs, self_check::whole_trail(), now).await;
    }
    let faults = verified.faults();
    tracing::error!(faults, "the audit trail is broken");
    let entry = AuditEntry {
        outcome: Code::AuditTrailBroken.name().to_owned(),
        reason: Some(faults),
        ..AuditEntry::new(now, Actor::unnamed(ActorKind::Timer, "verification"), "audit.verify")
    };
    let (entry, mint) = (entry.on(Entity::new("audit", "trail")), jobs.clock.mint().clone());
    store.write(move |tx| tx.add_audit(&DEFAULT_DOMAIN.into(), entry, &mint).map(|_| ())).await
}
