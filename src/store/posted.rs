//! Deliveries as they are filed, asked for and read over again.

use std::{collections::BTreeSet, sync::Arc};

use super::Payload;
use crate::{
    clock::Timestamp,
    digest::Digest,
    domain::{
        delivery::Delivery, event::Event, receipt::Receipt, webhook::Webhook, words::DeliveryState,
    },
    id::Id,
};

/// What is written of a delivery before its events are.
#[derive(Clone, Copy, Debug)]
pub struct Filing<'a> {
    /// The delivery's identifier.
    pub delivery_id: &'a Id<Delivery>,
    /// The webhook it was posted to.
    pub webhook_id: &'a Id<Webhook>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it is no event, where it is none.
    pub ignored: Option<&'a str>,
    /// How many items it has.
    pub items: u32,
    /// How many of them were not understood.
    pub dead: u32,
    /// How many events it becomes, those of type ERROR included.
    pub events: u32,
    /// What the sender calls it, and the digest of what it sent by that name.
    pub sender: Option<(&'a str, &'a Digest)>,
    /// Its headers, query and body.
    pub payload: &'a Payload,
    /// The address it came from.
    pub remote: &'a str,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// A delivery as it was kept, with what became of it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What became of it.
    pub receipt: Receipt,
    /// The address it came from.
    pub remote: String,
    /// How many items it has.
    pub items: u32,
    /// How many of them are not understood yet.
    pub dead: u32,
}

/// Which deliveries are asked for.
#[derive(Clone, Debug)]
pub struct DeliveryQuery {
    /// Only those of this webhook.
    pub webhook_id: Option<Id<Webhook>>,
    /// Only those with items that are not understood yet.
    pub dead_only: bool,
    /// Only those older than the one with this identifier.
    pub before: Option<Id<Delivery>>,
    /// How many at most.
    pub limit: u32,
}

/// Which deliveries are read over again, a page at a time.
#[derive(Clone, Debug)]
pub struct Window {
    /// The webhooks they were posted to.
    pub webhooks: Arc<BTreeSet<Id<Webhook>>>,
    /// Only those that arrived then or later.
    pub since: Timestamp,
    /// Which come first.
    pub order: Arrival,
    /// Only those that come after the one with this identifier.
    pub beyond: Option<Id<Delivery>>,
    /// How many a page has at most.
    pub limit: u32,
    /// After how many bytes of payload, as they are stored, a page ends early.
    pub bytes: usize,
}

/// An order of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// As they arrived.
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// A page of what was posted.
#[derive(Clone, Debug, Default)]
pub struct PostedPage {
    /// The deliveries.
    pub rows: Vec<KeptPosted>,
    /// Whether there are more in the window, beyond the last of these.
    pub more: bool,
}

/// What was posted once, as it was kept.
#[derive(Clone, Debug)]
pub struct KeptPosted {
    /// The delivery's identifier.
    pub delivery_id: Id<Delivery>,
    /// The webhook it was posted to.
    pub webhook_id: Id<Webhook>,
    /// The address it came from.
    pub remote: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Headers, query and body.
    pub payload: Payload,
}

/// What driving a delivery again changed.
#[derive(Clone, Debug)]
pub struct Redriven {
    /// The dead items that are none any more; `None` for the payload as a whole.
    pub gone: Vec<Option<u32>>,
    /// The events that items became, by their place in the payload.
    pub events: Vec<(u32, Id<Event>)>,
    /// How many items the delivery has, as it is read now.
    pub items: u32,
    /// Where the delivery stands now.
    pub state: DeliveryState,
    /// Why it is no event, where it is none.
    pub ignored: Option<String>,
}
