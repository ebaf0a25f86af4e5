//! What edited rules would make of deliveries that others have read: which fields change, which items are lost or found,
//! which alerts merge, split, appear or vanish.
//!
//! A delivery is read by the rules of today and by the edited ones, and nothing is written. Items are held against each
//! other by their place in the payload. All counts can be added, so that threads work on parts: [`Differ`] takes pages and
//! hands back a [`Comparison`], which is the same however the work was shared out.

mod alerts;
mod count;
pub mod file;
mod recoveries;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, num::NonZero, panic::resume_unwind, sync::Arc, thread};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::alerts::{AlertChanges, AlertExample};
use self::count::Counts;
use crate::{
    domain::{delivery::Delivery, webhook::Webhook, words::Severity},
    ingest::Books,
};

/// How many examples of each kind of change are told, by provider.
const EXAMPLES: usize = 5;

/// A delivery, with the webhook that it came through.
#[derive(Clone, Debug)]
pub struct Again {
    /// The webhook.
    pub webhook: Arc<Webhook>,
    /// The delivery.
    pub delivery: Delivery,
}

/// What edited rules would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// How many deliveries were read by both rules.
    pub deliveries: u64,
    /// How many items they hold, as the rules of today read them.
    pub items: u64,
    /// What would change, by provider; those where nothing would are left out.
    pub providers: BTreeMap<String, ProviderChanges>,
}

/// What edited rules would change of one provider's deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderChanges {
    /// How many deliveries were read by both rules.
    pub deliveries: u64,
    /// How many items they hold, as the rules of today read them.
    pub items: u64,
    /// How many items both rules understand, but not alike.
    pub changed: u64,
    /// In how many of these each field differs.
    pub fields: BTreeMap<String, u64>,
    /// From which severity to which, and how often.
    pub severities: Vec<SeverityChange>,
    /// Events of today that would be none.
    pub lost: Lost,
    /// Events that would be new.
    pub gained: Gained,
    /// What would become of alerts.
    pub alerts: AlertChanges,
    /// Up to five examples of each kind of change: `lost`, `gained` and the fields.
    pub examples: BTreeMap<String, Vec<Example>>,
}

/// Events that change their severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeverityChange {
    /// The severity by the rules of today.
    pub old: Severity,
    /// The severity by the edited rules.
    pub new: Severity,
    /// How many events.
    pub count: u64,
}

/// Events of today that would be none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// They would not be understood.
    pub dead: u64,
    /// Their delivery would be ignored.
    pub ignored: u64,
    /// Their delivery would have fewer items.
    pub gone: u64,
}

/// Events that would be new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gained {
    /// They are not understood today.
    pub readable: u64,
    /// Their delivery is ignored today.
    pub heeded: u64,
    /// Their delivery has fewer items today.
    pub more: u64,
}

/// One change, to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// The delivery.
    pub delivery_id: String,
    /// The item's place in it, from zero.
    pub item: usize,
    /// What is so today; null where there is nothing.
    pub old: Value,
    /// What would be so; null where there would be nothing.
    pub new: Value,
}

/// What may be asked to be no part of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Objection {
    /// Recoveries would no longer end their alerts.
    RecoveriesParted,
    /// Events or alerts of today would be none.
    AlertsLost,
    /// The key of an event would be another.
    KeyChanged,
    /// The severity of an event would be lower.
    SeverityLowered,
    /// What is understood today would not be.
    Dead,
    /// Anything would change.
    Any,
}

impl Objection {
    /// All, with what they are called.
    pub const ALL: [(&'static str, Self); 6] = [
        ("recoveries-parted", Self::RecoveriesParted),
        ("alerts-lost", Self::AlertsLost),
        ("key-changed", Self::KeyChanged),
        ("severity-lowered", Self::SeverityLowered),
        ("dead", Self::Dead),
        ("any", Self::Any),
    ];

    /// What it is called.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| name)
    }
}

impl Comparison {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty()
    }

    /// Those of these objections that hold.
    pub fn objections(&self, asked: &[Objection]) -> Vec<Objection> {
        let holds = |objection: &&Objection| {
            self.providers.values().any(|changes| changes.meets(**objection))
        };
        asked.iter().filter(holds).copied().collect()
    }
}

impl ProviderChanges {
    fn meets(&self, objection: Objection) -> bool {
        let Lost { dead, ignored, gone } = self.lost;
        match objection {
            Objection::RecoveriesParted => self.alerts.parted > 0,
            Objection::AlertsLost => dead + ignored + gone + self.alerts.vanished > 0,
            Objection::KeyChanged => self.fields.contains_key("event_key"),
            Objection::SeverityLowered => {
                self.severities.iter().any(|change| change.new < change.old)
            }
            Objection::Dead => dead > 0,
            Objection::Any => true,
        }
    }
}

/// Compares what two sets of rules make of deliveries, page by page.
pub struct Differ {
    old: Arc<Books>,
    new: Arc<Books>,
    threads: usize,
    counts: Counts,
}

impl Differ {
    /// Holds the rules of today, `old`, against edited ones.
    pub fn new(old: Arc<Books>, new: Arc<Books>) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        Self { old, new, threads, counts: Counts::default() }
    }

    /// Reads a page of deliveries twice, on all cores.
    pub fn add(&mut self, page: &[Again]) {
        let size = page.len().div_ceil(self.threads).max(1);
        let (old, new) = (&*self.old, &*self.new);
        let read = |part: &[Again]| {
            let mut counts = Counts::default();
            for again in part {
                counts.add((old, new), again);
            }
            counts
        };
        let parts: Vec<Counts> = thread::scope(|scope| {
            let running: Vec<_> =
                page.chunks(size).map(|part| scope.spawn(move || read(part))).collect();
            // In the order of the page, so that the examples do not depend on which thread was first.
            running
                .into_iter()
                .map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        for part in parts {
            self.counts.absorb(part);
        }
    }

    /// How many deliveries were read so far.
    pub fn deliveries(&self) -> u64 {
        self.counts.deliveries()
    }

    /// What would change.
    pub fn finish(self) -> Comparison {
        self.counts.finish()
    }
}
