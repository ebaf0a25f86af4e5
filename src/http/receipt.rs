//! The receipt as its sender sees it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    domain::{
        alert::Alert,
        delivery::Delivery,
        event::Event,
        receipt::{ItemOutcome, Reason, Receipt},
        words::{DeliveryState, Outcome},
    },
    id::Id,
};

/// What became of a delivery.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReceiptInfo {
    /// The delivery's identifier; it asks for it under `/api/v1/deliveries`.
    receipt_id: Id<Delivery>,
    /// Where the delivery stands.
    state: DeliveryState,
    /// Why it is no event, where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<String>,
    /// What became of each item, in the order of the payload.
    items: Vec<ItemInfo>,
}

/// What became of one item.
#[derive(Serialize, JsonSchema)]
struct ItemInfo {
    /// Its place in the payload, from zero; null where the payload as a whole was not understood.
    index: Option<u32>,
    /// The event it became.
    event_id: Option<Id<Event>>,
    /// The alert that the event belongs to.
    alert_id: Option<Id<Alert>>,
    /// What it did.
    what: Outcome,
    /// Why it did that: a code, or for what was not understood the reason in a sentence.
    why: String,
    /// The rule file that was being followed when it was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line of that file, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The place in the payload, or the path that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl From<&Receipt> for ReceiptInfo {
    fn from(receipt: &Receipt) -> Self {
        Self {
            receipt_id: receipt.receipt_id.clone(),
            state: receipt.state,
            ignored: receipt.ignored.clone(),
            items: receipt.items.iter().map(ItemInfo::from).collect(),
        }
    }
}

impl From<&ItemOutcome> for ItemInfo {
    fn from(item: &ItemOutcome) -> Self {
        let (why, unreadable) = match &item.why {
            Reason::Decided(why) => (why.as_str().to_owned(), None),
            Reason::Unreadable(unreadable) => (unreadable.reason.clone(), Some(unreadable)),
        };
        Self {
            index: item.index,
            event_id: item.event_id.clone(),
            alert_id: item.alert_id.clone(),
            what: item.what,
            why,
            file: unreadable.and_then(|at| at.file.clone()),
            line: unreadable.and_then(|at| at.line),
            path: unreadable.and_then(|at| at.path.clone()),
        }
    }
}
