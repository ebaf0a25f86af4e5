//! The routes of the audit trail.

use std::time::Duration;

use actix_web::web::Data;
use serde_json::json;

use super::super::{
    Front,
    method::{Method, act, read, write},
};
use crate::{
    api::{
        Call, audit,
        audits::{self, AskedHeads, VerifiedInfo, VerifyTrail},
        chain,
    },
    domain::{
        audit::{AuditEntry, Entity},
        token::Right,
    },
    error::{Code, Result},
    jobs::read_to_the_end,
};

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
        Method::post(
            "/api/v1/audit/accept",
            "audit.accept",
            "Signs anew how the chains stand that are not proven, after a store was restored without the key that signed it.",
            write(audits::accept),
        )
        .needs(Right::Administer),
    ]
}

async fn verify(front: Data<Front>, call: Call, _: AskedHeads) -> Result<VerifiedInfo> {
    verify_against(front, call, VerifyTrail::default()).await
}

async fn verify_against(
    front: Data<Front>,
    call: Call,
    request: VerifyTrail,
) -> Result<VerifiedInfo> {
    let verification = audits::verification(&call, &front.app.seal, request)?;
    let verified =
        VerifiedInfo::from(read_to_the_end(&front.app.store, verification, Duration::ZERO).await?);
    if !verified.ok {
        broken(&front, &call, &verified).await?;
    }
    Ok(verified)
}

/// Records that a check found the trail broken, so that it raises an alert. What is whole is not worth a record.
async fn broken(front: &Data<Front>, call: &Call, verified: &VerifiedInfo) -> Result<()> {
    let entry = AuditEntry {
        outcome: Code::AuditTrailBroken.name().to_owned(),
        reason: Some(verified.faults()),
        ..audit::entry(call, "audit.verify")
    };
    let mut entry = entry.on(Entity::new("audit", "trail"));
    if verified.only_against_heads {
        // Whoever asks may give any head, so it is worth a look, and no proof.
        entry.reason = Some(format!("against heads that were given: {}", verified.faults()));
        entry.details = json!({ "against": "given heads" });
    }
    let (domain, mint) = (chain::of_caller(call), call.mint.clone());
    front.app.store.write(move |tx| tx.add_audit(&domain, entry, &mint).map(|_| ())).await
}
