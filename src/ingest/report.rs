//! What Alertmill itself has to say: the third stage without the first two, through a webhook that nobody can post to.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{Intake, Interpreted, keep};
use crate::{
    clock::Timestamp,
    digest::sha256,
    domain::{
        delivery::{Delivery, PresentedKey},
        event::{Draft, Mapped},
        receipt::Receipt,
        webhook::{OWN_WEBHOOK, Webhook},
    },
    error::{Error, Result},
    id::Id,
};

/// Settles an event of Alertmill's own.
///
/// # Errors
/// Where its webhook or its project is gone, or the store cannot take it now.
pub async fn report(intake: &Intake, draft: Draft, now: Timestamp) -> Result<Receipt> {
    let webhook = intake
        .store
        .snapshots()
        .webhooks
        .get(&OWN_WEBHOOK.into())
        .ok_or_else(|| Error::not_found("webhook", OWN_WEBHOOK))?;
    intake.is_alerted(&webhook)?;
    let said = json!({ "event_key": draft.event_key, "title": draft.title, "description": draft.description });
    let delivery = own_delivery(intake, &webhook.webhook_id, (&said, now));
    let mapped = Mapped { draft, variant: Arc::from("own"), origins: BTreeMap::new() };
    let interpreted = Interpreted { items: vec![Ok(mapped)], ignored: None, mapping: None };
    let receipt = keep(intake, &webhook, (&delivery, None), interpreted).await?;
    intake.count(&receipt);
    Ok(receipt)
}

/// What Alertmill posts to a webhook of its own.
pub(super) fn own_delivery(
    intake: &Intake,
    webhook_id: &Id<Webhook>,
    (said, now): (&Value, Timestamp),
) -> Delivery {
    Delivery {
        delivery_id: intake.mint.id(now),
        webhook_id: webhook_id.clone(),
        presented: PresentedKey(sha256(b"")),
        headers: BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
        query: BTreeMap::new(),
        body: said.to_string().into_bytes(),
        remote: "alertmill".to_owned(),
        received_at: now,
    }
}
