//! What was refused at the door lately: the last few of each webhook, and of addresses that are no webhook.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    clock::{Timestamp, rfc3339},
    domain::webhook::Webhook,
    error::Code,
    id::Id,
    store::Snapshots,
};

/// How many refusals are remembered of each webhook, and of unknown ones together.
const REMEMBERED: usize = 100;

/// A delivery that was refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct RefusalInfo {
    /// The webhook it was posted to; absent where there is no such webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<Id<Webhook>>,
    /// When it came.
    occurred_at: String,
    /// The address it came from.
    remote: String,
    /// The code of the error it was refused with.
    code: String,
    /// Why, in a sentence.
    reason: String,
    #[serde(skip)]
    at: Timestamp,
}

/// What was refused at the door lately. Forgotten when the server stops.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    known: Mutex<HashMap<Id<Webhook>, VecDeque<RefusalInfo>>>,
    unknown: Mutex<VecDeque<RefusalInfo>>,
}

/// A refusal before it is remembered.
pub(super) struct Refused<'a> {
    /// The webhook whose address was used.
    pub(super) webhook_id: &'a Id<Webhook>,
    /// The address it came from.
    pub(super) remote: &'a str,
    /// What it was refused with.
    pub(super) code: Code,
    /// Why, in a sentence.
    pub(super) reason: &'a str,
    /// When.
    pub(super) now: Timestamp,
}

impl Refusals {
    /// Remembers one. What is remembered of webhooks that are gone is dropped, so that their number bounds it.
    pub(super) fn remember(&self, refused: &Refused<'_>, snapshots: &Snapshots) {
        let is_known = snapshots.webhooks.get(refused.webhook_id).is_some();
        let refusal = RefusalInfo {
            webhook_id: is_known.then(|| refused.webhook_id.clone()),
            occurred_at: rfc3339(refused.now),
            remote: refused.remote.to_owned(),
            code: refused.code.name().to_owned(),
            reason: refused.reason.to_owned(),
            at: refused.now,
        };
        if !is_known {
            push(&mut self.unknown.lock().unwrap_or_else(PoisonError::into_inner), refusal);
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > snapshots.webhooks.len() {
            known.retain(|id, _| snapshots.webhooks.get(id).is_some());
        }
        push(known.entry(refused.webhook_id.clone()).or_default(), refusal);
    }

    /// The refusals of one webhook, newest first.
    pub(super) fn of(&self, webhook: &Id<Webhook>) -> Vec<RefusalInfo> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(webhook).into_iter().flat_map(|ring| ring.iter().rev().cloned()).collect()
    }

    /// The refusals of addresses that are no webhook, newest first.
    pub(super) fn of_nobody(&self) -> Vec<RefusalInfo> {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.iter().rev().cloned().collect()
    }
}

/// Several lists of refusals as one, newest first.
pub(super) fn newest_first(mut refusals: Vec<RefusalInfo>) -> Vec<RefusalInfo> {
    refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.at));
    refusals
}

fn push(ring: &mut VecDeque<RefusalInfo>, refusal: RefusalInfo) {
    if ring.len() == REMEMBERED {
        ring.pop_front();
    }
    ring.push_back(refusal);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let (refusals, snapshots) = (Refusals::default(), Snapshots::default());
        for n in 0..1000 {
            let refused = Refused {
                webhook_id: &Id::from(format!("webhook-{n}")),
                remote: "192.0.2.1",
                code: Code::AuthenticateFailure,
                reason: "unknown webhook or wrong key",
                now: from_millis(n),
            };
            refusals.remember(&refused, &snapshots);
        }
        let remembered = refusals.of_nobody();
        assert_eq!(remembered.len(), REMEMBERED);
        assert_eq!(remembered[0].occurred_at, rfc3339(from_millis(999)));
        assert!(remembered[0].webhook_id.is_none());
    }
}
