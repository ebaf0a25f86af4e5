//! The first stage: whether a delivery may come in at all. Looks only at memory.

use std::sync::Arc;

use super::Intake;
use crate::{
    clock::Timestamp,
    domain::{delivery::PresentedKey, secret::AccessKey, webhook::Webhook},
    error::{Code, Error, Result},
    id::Id,
};

/// What a sender is told whose webhook or key is wrong; the two look the same from outside.
pub(super) const WRONG: &str =
    "wrong webhook or access key, or the delivery is not signed as it should be";

/// Someone at the door.
#[derive(Clone, Debug)]
pub struct Knock {
    /// The webhook that is posted to.
    pub webhook_id: Id<Webhook>,
    /// The key that is shown.
    pub presented: PresentedKey,
    /// The address it comes from.
    pub remote: String,
}

/// The webhook that the knock has the key to.
///
/// # Errors
/// `ERROR_AUTHENTICATE_FAILURE`, the same for a webhook that does not exist and for a wrong key;
/// `ERROR_WEBHOOK_STATE_DISABLED`; `ERROR_TOO_MANY_REQUESTS`.
pub fn admit(intake: &Intake, knock: &Knock, now: Timestamp) -> Result<Arc<Webhook>> {
    let webhook = intake.store.snapshots().webhooks.get(&knock.webhook_id);
    let refuse = |reason: &str| intake.refusals.note_knock(knock, webhook.is_some(), reason, now);
    if !has_key(webhook.as_deref(), knock, now) {
        refuse(if webhook.is_some() { "wrong access key" } else { "unknown webhook" });
        return Err(Error::new(Code::AuthenticateFailure, WRONG));
    }
    let Some(webhook) = webhook.clone() else {
        return Err(Error::new(Code::AuthenticateFailure, WRONG));
    };
    if !webhook.is_enabled() {
        refuse("the webhook is disabled");
        let detail = format!("webhook `{}` is disabled", webhook.webhook_id);
        return Err(Error::new(Code::WebhookDisabled, detail));
    }
    if let Err(wait) = intake.throttle.admit(&webhook) {
        refuse("too many requests");
        let detail =
            format!("webhook `{}` takes no more deliveries this second", webhook.webhook_id);
        let error = Error::new(Code::TooManyRequests, detail);
        return Err(Error { retry_after: Some(wait), ..error });
    }
    Ok(webhook)
}

/// Whether the knock shows a key of the webhook. Where there is no such webhook the key is compared with one that
/// nobody has, so that both take the same path.
fn has_key(webhook: Option<&Webhook>, knock: &Knock, now: Timestamp) -> bool {
    match webhook {
        Some(webhook) => webhook.accepts_key(&knock.presented.0, now),
        None => {
            let nobodys = AccessKey {
                key_id: "key-of-nobody".into(),
                digest: [0; 32],
                created_at: now,
                expires_at: None,
            };
            nobodys.is(&knock.presented.0) & nobodys.is_live(now) & false
        }
    }
}
