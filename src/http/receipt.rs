//! The receipt as its sender sees it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::delivery::ItemInfo,
    domain::{delivery::Delivery, receipt::Receipt, words::DeliveryState},
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

impl From<Receipt> for ReceiptInfo {
    fn from(receipt: Receipt) -> Self {
        let Receipt { receipt_id, webhook_id: _, state, ignored, items, received_at: _ } = receipt;
        let items = items.into_iter().map(ItemInfo::from).collect();
        Self { receipt_id, state, ignored, items }
    }
}
