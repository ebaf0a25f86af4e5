//! `delivery.*`: what was posted, and what became of it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Moment, Page, webhook::RefusedInfo};
use crate::{
    domain::{
        alert::Alert,
        delivery::Delivery,
        event::Event,
        receipt::{ItemOutcome, Reason, Receipt, Unreadable},
        scope::Scope,
        webhook::Webhook,
        words::{DeliveryState, Outcome},
    },
    error::{Code, Error, Result},
    id::Id,
    store::{DeliveryQuery, Kept, Payload, Total, Tx},
};

/// The most deliveries a page has, and how many it has where nothing is said.
const MOST: u32 = 1000;

/// What was posted once, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeliveryInfo {
    /// Its identifier, which is also its receipt's.
    pub delivery_id: Id<Delivery>,
    /// The webhook it was posted to.
    pub webhook_id: Id<Webhook>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it is no event, where it is none.
    pub ignored: Option<String>,
    /// How many items it has.
    pub items: u32,
    /// How many of them are not understood yet.
    pub dead: u32,
    /// The address it came from.
    pub remote: String,
    /// When it arrived.
    pub received_at: Moment,
    /// What became of each item, in the order of the payload.
    pub outcomes: Vec<ItemInfo>,
}

/// What became of one item.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ItemInfo {
    /// Its place in the payload, from zero; null where the payload as a whole was not understood.
    pub index: Option<u32>,
    /// The event it became.
    pub event_id: Option<Id<Event>>,
    /// The alert that the event belongs to.
    pub alert_id: Option<Id<Alert>>,
    /// What it did.
    pub what: Outcome,
    /// Why it did that: a code, or for what was not understood the reason in a sentence.
    pub why: String,
    /// The rule file that was being followed when it was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of that file, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The place in the payload, or the path that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl From<ItemOutcome> for ItemInfo {
    fn from(outcome: ItemOutcome) -> Self {
        let ItemOutcome { index, event_id, alert_id, what, why } = outcome;
        let (why, file, line, path) = match why {
            Reason::Decided(why) => (why.as_str().to_owned(), None, None, None),
            Reason::Unreadable(Unreadable { cause: _, reason, file, line, path }) => {
                (reason, file, line, path)
            }
        };
        Self { index, event_id, alert_id, what, why, file, line, path }
    }
}

impl From<Kept> for DeliveryInfo {
    fn from(kept: Kept) -> Self {
        let Kept { receipt, remote, items, dead } = kept;
        let Receipt { receipt_id, webhook_id, state, ignored, items: outcomes, received_at } =
            receipt;
        Self {
            delivery_id: receipt_id,
            webhook_id,
            state,
            ignored,
            items,
            dead,
            remote,
            received_at: received_at.into(),
            outcomes: outcomes.into_iter().map(ItemInfo::from).collect(),
        }
    }
}

/// A delivery with all that was posted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WholeDelivery {
    /// What became of it.
    #[serde(flatten)]
    pub info: DeliveryInfo,
    /// Its headers by lower-case name, without those that carry credentials.
    pub headers: BTreeMap<String, String>,
    /// The parameters of its query string.
    pub query: BTreeMap<String, String>,
    /// Its body, as text or in base64.
    pub body: String,
    /// How `body` is written.
    pub body_encoding: Encoding,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// They are text.
    Text,
    /// They are no UTF-8, so they are in base64.
    Base64,
}

/// Asks for one delivery.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetDelivery {
    /// Its identifier.
    delivery_id: Id<Delivery>,
}

/// One delivery, byte for byte.
pub fn get(tx: &dyn Tx, call: &Call, request: GetDelivery) -> Result<WholeDelivery> {
    let scope = &call.caller.scope;
    let kept = tx.delivery(scope, &request.delivery_id)?;
    let kept = kept.ok_or_else(|| Error::not_found("delivery", &request.delivery_id))?;
    let payload = tx.payload(scope, &request.delivery_id)?;
    let posted = payload.map(Payload::unpack).transpose()?.unwrap_or_default();
    let (body, body_encoding) = match String::from_utf8(posted.body) {
        Ok(text) => (text, Encoding::Text),
        Err(bytes) => (STANDARD.encode(bytes.as_bytes()), Encoding::Base64),
    };
    let (headers, query) = (posted.headers, posted.query);
    Ok(WholeDelivery { info: kept.into(), headers, query, body, body_encoding })
}

/// Asks for deliveries.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListDeliveries {
    /// Only those of this webhook.
    webhook_id: Option<Id<Webhook>>,
    /// Only those that stand so.
    state: Option<Asked>,
    /// `next_cursor` of the page before.
    cursor: Option<Id<Delivery>>,
    /// How many at most; 1000 by default and at most.
    limit: Option<u32>,
}

/// Which deliveries are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Asked {
    /// Those with items that are not understood yet.
    Dead,
    /// Those that were refused at the door lately and of which nothing else was kept.
    Refused,
}

/// One line of a list of deliveries.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Line {
    /// A delivery that was kept.
    Kept(Box<DeliveryInfo>),
    /// A delivery that was refused at the door.
    Refused(RefusedInfo),
}

/// Deliveries, newest first.
pub fn list(tx: &dyn Tx, call: &Call, request: ListDeliveries) -> Result<Page<Line>> {
    let ListDeliveries { webhook_id, state, cursor, limit } = request;
    let limit = limit.filter(|rows| *rows > 0).unwrap_or(MOST).min(MOST);
    if state == Some(Asked::Refused) {
        return refused(tx, call, webhook_id, limit);
    }
    let dead_only = state == Some(Asked::Dead);
    let query = DeliveryQuery { webhook_id, dead_only, before: cursor, limit: limit + 1 };
    let mut kept = tx.deliveries(&call.caller.scope, &query)?;
    let more = kept.len() > limit as usize;
    kept.truncate(limit as usize);
    let last = kept.last().filter(|_| more);
    let next_cursor = last.map(|kept| kept.receipt.receipt_id.as_str().to_owned());
    let lines = kept.into_iter().map(|kept| Line::Kept(Box::new(kept.into()))).collect();
    Ok(Page::new(lines, Total::Unknown, next_cursor))
}

/// What was refused lately: of one webhook, or of webhooks that do not exist, for who sees everything.
fn refused(
    tx: &dyn Tx,
    call: &Call,
    webhook_id: Option<Id<Webhook>>,
    limit: u32,
) -> Result<Page<Line>> {
    let scope = &call.caller.scope;
    match &webhook_id {
        Some(id) if tx.webhook(scope, id)?.is_none() => {
            return Err(Error::not_found("webhook", id));
        }
        None if *scope != Scope::EVERYTHING => {
            let detail = "name a webhook: only a SYSTEM_ADMIN sees what was posted to webhooks that do not exist";
            return Err(Error::at(Code::RequiredParameter, "/webhook_id", detail));
        }
        Some(_) | None => {}
    }
    let refused = (call.refused)(webhook_id.as_ref());
    let total = Total::Exact(refused.len() as u64);
    let lines = refused.into_iter().take(limit as usize).map(|it| Line::Refused(it.into()));
    Ok(Page::new(lines.collect(), total, None))
}
