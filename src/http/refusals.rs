//! What was refused at the door lately: the last few of each webhook, and of addresses that are no webhook.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::{api::Refused, domain::webhook::Webhook, id::Id, store::Snapshots};

/// How many refusals are remembered of each webhook, and of unknown ones together.
const REMEMBERED: usize = 100;

/// The longest name of a webhook that is remembered, in characters: strangers may write anything there.
const LONGEST_NAME: usize = 64;

/// What was refused at the door lately. Forgotten when the server stops.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    known: Mutex<HashMap<Id<Webhook>, VecDeque<Refused>>>,
    unknown: Mutex<VecDeque<Refused>>,
}

impl Refusals {
    /// Remembers one. What is remembered of webhooks that are gone is dropped, so that their number bounds it.
    pub(super) fn remember(&self, refused: Refused, snapshots: &Snapshots) {
        let id = Id::from(refused.webhook_id.as_str());
        if snapshots.webhooks.get(&id).is_none() {
            let webhook_id = refused.webhook_id.chars().take(LONGEST_NAME).collect();
            let refused = Refused { webhook_id, ..refused };
            push(&mut self.unknown.lock().unwrap_or_else(PoisonError::into_inner), refused);
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > snapshots.webhooks.len() {
            known.retain(|id, _| snapshots.webhooks.get(id).is_some());
        }
        push(known.entry(id).or_default(), refused);
    }

    /// The refusals of one webhook, newest first.
    pub(super) fn of(&self, webhook: &Id<Webhook>) -> Vec<Refused> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(webhook).into_iter().flat_map(|ring| ring.iter().rev().cloned()).collect()
    }

    /// The refusals of addresses that are no webhook, newest first.
    pub(super) fn of_nobody(&self) -> Vec<Refused> {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.iter().rev().cloned().collect()
    }
}

fn push(ring: &mut VecDeque<Refused>, refused: Refused) {
    if ring.len() == REMEMBERED {
        ring.pop_front();
    }
    ring.push_back(refused);
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
                webhook_id: format!("{n}").repeat(1000),
                remote: "192.0.2.1".to_owned(),
                reason: "ERROR_AUTHENTICATE_FAILURE".to_owned(),
                at: from_millis(n),
            };
            refusals.remember(refused, &snapshots);
        }
        let remembered = refusals.of_nobody();
        assert_eq!(remembered.len(), REMEMBERED);
        assert_eq!(remembered[0].at, from_millis(999));
        assert_eq!(remembered[0].webhook_id.len(), LONGEST_NAME);
    }
}
