//! The first stage: whether a sender may come in at all. Looks only at memory, before a body is read.

use std::sync::Arc;

use crate::{
    clock::Timestamp,
    digest::digests_match,
    domain::{delivery::PresentedKey, webhook::Webhook},
    error::{Code, Error, Result},
};

/// The webhook, if the key that was shown opens it and it takes deliveries.
///
/// # Errors
/// `ERROR_AUTHENTICATE_FAILURE`, the same for a webhook that does not exist and for a wrong key, which take the same
/// path; `ERROR_WEBHOOK_STATE_DISABLED`.
pub fn authenticate(
    webhook: Option<Arc<Webhook>>,
    presented: &PresentedKey,
    now: Timestamp,
) -> Result<Arc<Webhook>> {
    let fits = match &webhook {
        Some(webhook) => webhook.accepts_key(&presented.0, now),
        None => digests_match(&[0; 32], &presented.0),
    };
    let Some(webhook) = webhook.filter(|_| fits) else {
        let detail = "there is no such webhook, or the access key does not open it";
        return Err(Error::new(Code::AuthenticateFailure, detail));
    };
    if !webhook.is_enabled() {
        return Err(Error::new(Code::WebhookDisabled, "this webhook is switched off"));
    }
    Ok(webhook)
}
