//! What was refused at the door lately: in memory and bounded, so that nobody can fill a disk by knocking.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use super::Knock;
use crate::{
    clock::Timestamp,
    domain::{delivery::Delivery, webhook::Webhook},
    id::Id,
};

/// How many refusals are kept for each webhook, and for all unknown ones together.
const KEPT: usize = 100;

/// One delivery that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The webhook it was posted to, which may not exist.
    pub webhook_id: Id<Webhook>,
    /// When.
    pub at: Timestamp,
    /// The address it came from.
    pub remote: String,
    /// Why it was refused.
    pub reason: String,
}

/// What was refused lately.
#[derive(Debug, Default)]
pub struct Refusals {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    known: HashMap<Id<Webhook>, VecDeque<Refusal>>,
    unknown: VecDeque<Refusal>,
}

impl Refusals {
    /// Notes a delivery that was refused after it was let in.
    pub(super) fn note(&self, delivery: &Delivery, reason: String) {
        let refusal = Refusal {
            webhook_id: delivery.webhook_id.clone(),
            at: delivery.received_at,
            remote: delivery.remote.clone(),
            reason,
        };
        self.keep(refusal, true);
    }

    /// Notes a delivery that was refused at the door; `known` tells whether its webhook exists.
    pub fn note_knock(&self, knock: &Knock, known: bool, reason: &str, now: Timestamp) {
        let refusal = Refusal {
            webhook_id: knock.webhook_id.clone(),
            at: now,
            remote: knock.remote.clone(),
            reason: reason.to_owned(),
        };
        self.keep(refusal, known);
    }

    fn keep(&self, refusal: Refusal, known: bool) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let list = match known {
            true => kept.known.entry(refusal.webhook_id.clone()).or_default(),
            false => &mut kept.unknown,
        };
        if list.len() == KEPT {
            list.pop_front();
        }
        list.push_back(refusal);
    }

    /// What was refused lately of one webhook, newest first.
    pub fn of(&self, webhook: &Id<Webhook>) -> Vec<Refusal> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.known.get(webhook).into_iter().flatten().rev().cloned().collect()
    }

    /// What was refused lately because its webhook does not exist, newest first.
    pub fn unknown(&self) -> Vec<Refusal> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.unknown.iter().rev().cloned().collect()
    }
}
