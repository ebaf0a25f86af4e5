//! What became of a delivery, item by item: the promise that a sender gets.

use super::{
    alert::Alert,
    delivery::Delivery,
    event::Event,
    webhook::Webhook,
    words::{Cause, DeliveryState, Outcome, Why},
};
use crate::{clock::Timestamp, id::Id};

/// What became of a delivery.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The delivery it is for.
    pub receipt_id: Id<Delivery>,
    /// The webhook it was posted to.
    pub webhook_id: Id<Webhook>,
    /// Where the delivery stands.
    pub state: DeliveryState,
    /// Why it is no event, where it is none.
    pub ignored: Option<String>,
    /// What became of each item, in the order of the payload.
    pub items: Vec<ItemOutcome>,
    /// When the delivery arrived.
    pub received_at: Timestamp,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemOutcome {
    /// Its place in the payload, from zero; `None` where the payload as a whole was not understood.
    pub index: Option<u32>,
    /// The event it became.
    pub event_id: Option<Id<Event>>,
    /// The alert that the event belongs to.
    pub alert_id: Option<Id<Alert>>,
    /// What it did.
    pub what: Outcome,
    /// Why it did that.
    pub why: Reason,
}

/// Why an item did what it did.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// It became an event; this is what decided over alerts.
    Decided(Why),
    /// It was not understood.
    Unreadable(Unreadable),
}

/// Why a delivery, or an item of it, was not understood, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// What kind of fault it is.
    pub cause: Cause,
    /// What is wrong, in a sentence.
    pub reason: String,
    /// The rule file that was being followed.
    pub file: Option<String>,
    /// The line of that file, from one.
    pub line: Option<u32>,
    /// The place in the payload, or the path that was looked up.
    pub path: Option<String>,
}

/// What the key of every event begins with that says that a delivery was not understood.
const UNREADABLE_KEY: &str = "unreadable:";

impl Unreadable {
    /// The key of the events that say this of a webhook: the same for the same cause, so that they make one alert.
    pub fn event_key(&self, webhook: &Id<Webhook>) -> String {
        format!("{UNREADABLE_KEY}{webhook}:{}", self.cause)
    }

    /// Whether events of this key say that a delivery was not understood.
    pub fn is_key(event_key: &str) -> bool {
        event_key.starts_with(UNREADABLE_KEY)
    }
}

impl Receipt {
    /// Whether all of it was understood.
    pub fn is_understood(&self) -> bool {
        matches!(self.state, DeliveryState::Applied | DeliveryState::Ignored)
    }
}
