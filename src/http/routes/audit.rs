//! The routes of the audit trail.

use actix_web::web::Data;

use super::super::{
    Front,
    method::{Method, act, read},
};
use crate::{
    api::{
        Call, audit,
        audits::{self, AskedHeads, VerifiedInfo, VerifyTrail},
    },
    domain::{
        audit::{AuditEntry, Entity},
        token::Right,
    },
    error::Result,
    store::Tx,
};

/// The outcome of a check that found the trail broken.
const BROKEN: &str = "ERROR_AUDIT_TRAIL_BROKEN";

/// The methods of the audit trail.
pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::get(
            "/api/v1/audit",
            "audit.list",
            "Lists what was done and what was refused, to those who reach a whole domain.",
            read(audit::list),
        ),
        Method::post(
            "/api/v1/audit/list",
            "audit_record.list",
            "Lists audit records of all trails: what was done here, and what other services posted.",
            read(audits::list),
        ),
        Method::post(
            "/api/v1/audit/get",
            "audit_record.get",
            "Shows an audit record, of whatever trail.",
            read(audits::get),
        ),
        Method::get(
            "/api/v1/audit/head",
            "audit.head",
            "Tells how the chains of the trail stand, to be kept where no administrator reaches.",
            read(audits::heads),
        ),
        Method::get(
            "/api/v1/audit/verify",
            "audit.verify",
            "Reads the trail to its end, and names the first record of each chain that is not as it was written.",
            act(verify),
        ),
        Method::post(
            "/api/v1/audit/verify",
            "audit.verify_against",
            "The same, held against heads that were taken out before.",
            act(verify_against),
        )
        .needs(Right::Read),
    ]
}

async fn verify(front: Data<Front>, call: Call, _: AskedHeads) -> Result<VerifiedInfo> {
    verify_against(front, call, VerifyTrail::default()).await
}

/// Reads a part at a time, each in a snapshot of its own: the trail may be long, and the server goes on meanwhile.
async fn verify_against(
    front: Data<Front>,
    call: Call,
    request: VerifyTrail,
) -> Result<VerifiedInfo> {
    let mut verification = audits::verification(&call, &front.app.seal, request)?;
    loop {
        let part = move |tx: &dyn Tx| {
            let more = verification.go_on(tx)?;
            Ok((verification, more))
        };
        let (read, more) = front.app.store.read(part).await?;
        if !more {
            let verified = VerifiedInfo::from(read);
            if !verified.ok {
                broken(&front, &call, &verified).await?;
            }
            return Ok(verified);
        }
        verification = read;
    }
}

/// Records that a check found the trail broken, so that it raises an alert. What is whole is not worth a record.
async fn broken(front: &Data<Front>, call: &Call, verified: &VerifiedInfo) -> Result<()> {
    let chains = verified.chains.iter().filter_map(|chain| chain.broken.as_ref());
    let faults = chains.map(|broken| broken.detail.as_str());
    let faults: Vec<&str> = faults.chain(verified.wrong.iter().map(String::as_str)).collect();
    let entry = AuditEntry {
        outcome: BROKEN.to_owned(),
        reason: Some(faults.join("; ")),
        ..audit::entry(call, "audit.verify")
    };
    let entry = entry.on(Entity::new("audit", "trail"));
    let (domain, mint) = (audit::chain(call), call.mint.clone());
    front.app.store.write(move |tx| tx.add_audit(&domain, entry, &mint).map(|_| ())).await
}
