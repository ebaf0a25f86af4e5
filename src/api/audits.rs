//! `audit.*` beyond the list of what was done here: all trails in the filter language, and whether they are whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Call, Moment, Page, Shown,
    asked::list_request,
    audit::{AuditInfo, admit},
    call::seen,
    unwound,
};
use crate::{
    clock::Timestamp,
    digest::{Digest, hex, unhex},
    domain::{
        audit::{AuditRecord, Exported, Fault, Head, Link, SealKey, Trail},
        project::Domain,
        scope::Reach,
    },
    error::{Code, Error, Result},
    id::Id,
    query::AUDITS,
    store::{Accepted, Tx, Verification, Verified},
};

/// How long a reason may be, in characters.
const MOST_REASON: usize = 1000;

list_request! {
    /// Asks for audit records of all trails.
    ListRecords of AUDITS {
        /// Only those of this trail.
        trail: Trail,
        /// Only those of this action, e.g. `webhook.create`.
        action: String,
        /// Only those of this actor, e.g. `user:user-0198…`.
        actor: String,
        /// Only those about this kind of thing, e.g. `webhook`.
        entity_type: String,
        /// Only those about the thing with this identifier.
        entity_id: String,
        /// Only those with this outcome: `SUCCESS`, or the code of an error.
        outcome: String,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Audit records of all trails; what occurred last comes first unless another order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListRecords) -> Result<Page<Shown<AuditInfo>>> {
    admit(call)?;
    let query = request.checked(call.now)?;
    let scope = &call.caller.scope;
    if query.unwind.is_some() {
        return unwound::page(&query, &AUDITS, |scan, each| tx.visit_audits(scope, scan, each));
    }
    let found = tx.audits(scope, &query)?;
    let shown = found.rows.into_iter().map(AuditInfo::from);
    let results = shown.map(|info| Shown::shaped(info, &query.shape, &AUDITS));
    Ok(Page::new(results.collect::<Result<_>>()?, found.total, found.next_cursor))
}

/// Names an audit record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRecord {
    /// Its identifier.
    audit_id: Id<AuditRecord>,
}

/// One audit record, of whatever trail.
pub fn get(tx: &dyn Tx, call: &Call, request: GetRecord) -> Result<AuditInfo> {
    admit(call)?;
    let id = request.audit_id;
    for trail in Trail::ALL {
        // A sender may call its own record as one of ours is called.
        let found = tx.audit(&call.caller.scope, *trail, id.as_str())?;
        if let Some(found) = found.filter(|record| record.audit_id == id) {
            return Ok(found.into());
        }
    }
    Err(Error::not_found("audit record", id))
}

/// How the chains of the trail stand, to be kept elsewhere.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HeadsInfo {
    /// When this was so.
    pub made_at: Moment,
    /// The newest record of each chain.
    pub heads: Vec<HeadInfo>,
}

/// How one chain stands.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadInfo {
    /// The domain whose chain it is.
    pub domain_id: Id<Domain>,
    /// Which of the domain's chains it is.
    pub trail: Trail,
    /// The number of its newest record.
    pub sequence: u64,
    /// The hash of its newest record: 64 hexadecimal digits.
    pub hash: String,
}

impl From<&Head> for HeadInfo {
    fn from(head: &Head) -> Self {
        let Head { domain_id, trail, last, .. } = head;
        Self {
            domain_id: domain_id.clone(),
            trail: *trail,
            sequence: last.sequence,
            hash: hex(&last.hash),
        }
    }
}

/// Asks for nothing in particular.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedHeads {}

/// How the chains stand that the caller reaches.
pub fn heads(tx: &dyn Tx, call: &Call, _: AskedHeads) -> Result<HeadsInfo> {
    admit(call)?;
    Ok(shown(&tx.heads(&call.caller.scope)?, call.now))
}

/// How chains stand, as it is kept elsewhere.
pub fn shown(heads: &[Head], now: Timestamp) -> HeadsInfo {
    HeadsInfo { made_at: now.into(), heads: heads.iter().map(HeadInfo::from).collect() }
}

/// Asks whether the trail is whole.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyTrail {
    /// Heads as they were taken out before: the trail must still contain them. At least one, unless it is left out.
    pub heads: Option<Vec<HeadInfo>>,
    /// When they were taken out; not looked at.
    pub made_at: Option<String>,
}

impl VerifyTrail {
    /// The heads; an error at the first that is none.
    pub fn exported(self) -> Result<Vec<Exported>> {
        if self.heads.as_ref().is_some_and(Vec::is_empty) {
            let detail = "there is no head to compare; leave `heads` out, or give what `/api/v1/audit/head` answered";
            return Err(Error::at(Code::InvalidParameter, "/heads", detail));
        }
        let each = self.heads.unwrap_or_default().into_iter().enumerate().map(|(at, head)| {
            let HeadInfo { domain_id, trail, sequence, hash } = head;
            let hash: Option<Digest> = unhex(&hash).and_then(|bytes| bytes.try_into().ok());
            let hash = hash.ok_or_else(|| {
                let detail = "a hash is 64 hexadecimal digits";
                Error::at(Code::InvalidParameter, format!("/heads/{at}/hash"), detail)
            })?;
            Ok(Exported { domain_id, trail, link: Link { sequence, hash } })
        });
        each.collect()
    }
}

/// Begins to verify the chains that the caller reaches.
pub fn verification(call: &Call, key: &SealKey, request: VerifyTrail) -> Result<Verification> {
    admit(call)?;
    Ok(Verification::new(call.caller.scope.clone(), Some(key.clone()), request.exported()?))
}

/// Accepts how the chains of the trail stand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptTrail {
    /// Why they are not proven and are to be trusted nevertheless, in up to 1000 characters, e.g. that the store was restored
    /// without its key.
    #[schemars(length(min = 1, max = 1000))]
    reason: String,
}

/// What was accepted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AcceptedInfo {
    /// The chains that were not proven, as they stood.
    pub chains: Vec<HeadInfo>,
    /// Whether how many chains there are was not proven.
    pub count: bool,
}

/// Signs anew how the chains stand that are not proven: after a store was restored without the key that signed it. A record
/// that was changed, is missing or was put there stays so.
pub fn accept(tx: &mut dyn Tx, call: &Call, request: AcceptTrail) -> Result<AcceptedInfo> {
    admit(call)?;
    call.touches("audit", "trail");
    if call.caller.scope.domains != Reach::All {
        let detail = "how the chains stand is accepted by who reaches all domains";
        return Err(Error::new(Code::PermissionDenied, detail));
    }
    let reason = request.reason.trim();
    if !(1..=MOST_REASON).contains(&reason.chars().count()) {
        let detail = format!("say why, in up to {MOST_REASON} characters");
        return Err(Error::at(Code::InvalidParameter, "/reason", detail));
    }
    let Accepted { chains, count } = tx.accept_audits()?;
    let accepted = AcceptedInfo { chains: chains.iter().map(HeadInfo::from).collect(), count };
    let before = json!({ "unproven": seen(&accepted) });
    let after = json!({ "unproven": null });
    call.touched("audit", "trail", Some(before), Some(after));
    call.notes.says("reason", reason);
    Ok(accepted)
}

/// Whether the trail is whole.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerifiedInfo {
    /// Whether all of it is as it was written.
    pub ok: bool,
    /// Each chain, with the first thing that is wrong with it.
    pub chains: Vec<ChainInfo>,
    /// What is wrong with the trail as a whole.
    pub wrong: Vec<String>,
    /// How many heads that were given were compared.
    pub heads_compared: usize,
    /// Whether all that is wrong was found against the heads that were given, and nothing without them.
    pub only_against_heads: bool,
}

/// Whether one chain is whole.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChainInfo {
    /// The domain whose chain it is.
    pub domain_id: Id<Domain>,
    /// Which of the domain's chains it is.
    pub trail: Trail,
    /// How many of its records are as they were written, from the oldest on that is kept.
    pub records: u64,
    /// The number of the newest record that retention removed; zero if it removed none.
    pub removed_up_to: u64,
    /// The number of its newest record.
    pub sequence: u64,
    /// The hash of its newest record.
    pub hash: String,
    /// The first thing that is wrong with it, if anything is.
    pub broken: Option<BrokenInfo>,
}

/// The first thing that is wrong with a chain.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BrokenInfo {
    /// What it is.
    pub fault: Fault,
    /// The number of the record.
    pub sequence: u64,
    /// The identifier of the record, if it is there.
    pub audit_id: Option<Id<AuditRecord>>,
    /// All of it in a sentence.
    pub detail: String,
}

impl From<Verification> for VerifiedInfo {
    fn from(verification: Verification) -> Self {
        let ok = verification.is_whole();
        let only_against_heads = !ok && verification.is_whole_by_itself();
        let Verification { chains, mut wrong, against, compared: heads_compared, .. } =
            verification;
        wrong.extend(against);
        let chains = chains.into_iter().map(ChainInfo::from).collect();
        Self { ok, chains, wrong, heads_compared, only_against_heads }
    }
}

impl VerifiedInfo {
    /// All that is wrong, in one sentence.
    pub fn faults(&self) -> String {
        let chains = self.chains.iter().filter_map(|chain| {
            let broken = chain.broken.as_ref()?;
            Some(format!("{} of domain {}: {}", chain.trail, chain.domain_id, broken.detail))
        });
        let faults: Vec<String> = chains.chain(self.wrong.iter().cloned()).collect();
        faults.join("; ")
    }
}

impl From<Verified> for ChainInfo {
    fn from(verified: Verified) -> Self {
        let Verified { head, records, broken, against } = verified;
        let broken = broken.or(against).map(|broken| BrokenInfo {
            fault: broken.fault,
            sequence: broken.sequence,
            audit_id: broken.audit_id,
            detail: broken.detail,
        });
        let (removed_up_to, Link { sequence, hash }) = (head.start().sequence, head.last);
        let Head { domain_id, trail, .. } = head;
        Self { domain_id, trail, records, removed_up_to, sequence, hash: hex(&hash), broken }
    }
}
