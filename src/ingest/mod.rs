//! A delivery's journey, one stage per file, in order:
//!
//! ```text
//! Delivery ─authenticate─▶ Webhook ─interpret─▶ Interpreted ─settle─▶ Receipt
//! ```
//!
//! Authenticating looks only at memory, interpreting is pure, and settling is one unit of work of the store, which shares
//! its commit with its neighbours. Nothing is answered before that commit is on disk.

mod authenticate;
mod books;
mod feed;
mod interpret;
mod redrive;
mod reload;
mod report;
mod route;
mod settle;
#[cfg(test)]
mod tests;

use std::{cell::OnceCell, sync::Arc};

use arc_swap::ArcSwap;
use serde_json::Value;

use self::settle::Settling;
pub use self::{
    authenticate::authenticate,
    books::Books,
    feed::{Portion, feed},
    interpret::{
        Interpreted, NO_ITEMS, interpret, interpret_again, interpret_again_tallied,
        interpret_tallied, interpret_traced, interpret_uncounted,
    },
    redrive::{Redrive, redrive},
    reload::{Prompt, Refusal, Reloaded, Shelves, Standing, Swap, reload},
    report::report,
};
use crate::{
    clock::Timestamp,
    digest::sha256,
    domain::{
        delivery::Delivery,
        receipt::{Receipt, Unreadable},
        webhook::{SigningSecret, Webhook},
        words::{DeliveryState, EventType, Outcome},
    },
    error::{Code, Error, Result},
    id::Mint,
    metrics::{DeliveryLabels, KindLabels, Metrics},
    outbound::Outbound,
    plugins::{Handshake, Method, Plugin},
    store::{Payload, Size, Store},
};

/// What a delivery meets on its way.
pub struct Intake {
    /// Where everything is kept.
    pub store: Store,
    /// What payloads mean, and how providers talk.
    pub books: ArcSwap<Books>,
    /// Where those are loaded from.
    pub shelves: Shelves,
    /// What makes identifiers.
    pub mint: Mint,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How confirmation addresses are fetched; `None` where the server must not.
    pub outbound: Option<Outbound>,
}

/// What a sender is answered.
#[derive(Debug)]
pub enum Answer {
    /// What became of the delivery.
    Receipt(Receipt),
    /// The reply that its handshake asks for.
    Handshake(Handshake),
}

/// How an admitted delivery is read: its webhook's plugin, and the rules of today.
struct Reader {
    plugin: Arc<Plugin>,
    books: Arc<Books>,
}

impl Intake {
    /// How deliveries of `webhook` are read.
    fn reader(&self, webhook: &Webhook) -> Result<Reader> {
        let books = self.books.load_full();
        let plugin = books.plugins.get(&webhook.plugin).cloned().ok_or_else(|| {
            let detail = format!("its plugin `{}` is not installed here", webhook.plugin);
            Error::unavailable(detail, 60)
        })?;
        self.is_alerted(webhook)?;
        Ok(Reader { plugin, books })
    }

    /// An error where alerting is off for the project of `webhook`.
    fn is_alerted(&self, webhook: &Webhook) -> Result<()> {
        let project = &webhook.home.project_id;
        if self.store.snapshots().setups.get(project).is_some() {
            return Ok(());
        }
        let detail = format!("alerting is not switched on in project `{project}`");
        Err(Error::new(Code::AlertFeatureIsNotActivated, detail))
    }

    /// Says in the metrics what the mappings of this moment have counted.
    pub fn count_mappings(&self) {
        self.books.load().rulebook.count(&self.metrics);
    }

    fn count(&self, receipt: &Receipt) {
        let outcome = receipt.state.as_str();
        let webhook_id = receipt.webhook_id.as_str().to_owned();
        self.metrics.deliveries.get_or_create(&DeliveryLabels { webhook_id, outcome }).inc();
        for item in &receipt.items {
            let kind = match item.what {
                Outcome::Dead => EventType::Error.as_str(),
                Outcome::Resolved => EventType::Recovery.as_str(),
                Outcome::Opened | Outcome::Joined | Outcome::Kept => EventType::Alert.as_str(),
            };
            self.metrics.events.get_or_create(&KindLabels { kind }).inc();
        }
    }
}

/// Takes one admitted delivery all the way. Returns once everything is on disk.
///
/// # Errors
/// `ERROR_AUTHENTICATE_FAILURE` for a signature that does not fit, or for the repeat of a delivery id with another
/// body; `ERROR_UNAVAILABLE` where the store cannot take it now.
pub async fn ingest(
    intake: &Intake,
    webhook: Arc<Webhook>,
    mut delivery: Delivery,
) -> Result<Answer> {
    let reader = intake.reader(&webhook)?;
    let secrets = &webhook.options.signing_secrets;
    let payload = verified(&reader.plugin, secrets, &delivery)?;
    // Some senders sign in this header; nothing after the signature may see it or keep it.
    delivery.headers.remove("authorization");
    let asked = (&delivery, payload.as_ref().ok());
    let handshake = reader.plugin.handshake(Method::Post, asked, secrets);
    let sender_id = delivery
        .header("idempotency-key")
        .map(|key| format!("idempotency-key:{key}"))
        .or_else(|| reader.plugin.sender_id(&delivery, payload.as_ref().ok()));
    let interpreted = match &handshake {
        Some(handshake) => Interpreted::ignored(handshake.reason.clone()),
        None => interpret(&reader.books.rulebook, (&reader.plugin, &webhook), &delivery, payload),
    };
    let receipt = keep(intake, &webhook, (&delivery, sender_id), interpreted).await?;
    intake.count(&receipt);
    let Some(handshake) = handshake else { return Ok(Answer::Receipt(receipt)) };
    confirm(intake, &webhook, &handshake).await;
    Ok(Answer::Handshake(handshake))
}

/// The decoded body of a delivery, if its signature fits.
fn verified(
    plugin: &Plugin,
    secrets: &[SigningSecret],
    delivery: &Delivery,
) -> Result<Result<Value, Unreadable>> {
    let decoded = OnceCell::new();
    let decode =
        || decoded.get_or_init(|| plugin.decode(&delivery.body, delivery.header("content-type")));
    let payload = || decode().as_ref().ok();
    if let Err(refusal) = plugin.verify(secrets, (delivery, &payload), delivery.received_at) {
        return Err(Error::new(Code::AuthenticateFailure, refusal.to_string()));
    }
    decode();
    decoded.into_inner().ok_or_else(|| Error::internal("a body was not decoded"))
}

/// The answer to a request that delivers nothing but asks something of the webhook before events come; `None` where its
/// plugin knows no such question. Nothing is kept of it.
///
/// # Errors
/// `ERROR_UNAVAILABLE` where the plugin is not installed.
pub fn probe(
    intake: &Intake,
    webhook: &Webhook,
    (method, delivery): (Method, &Delivery),
) -> Result<Option<Handshake>> {
    let reader = intake.reader(webhook)?;
    let secrets = &webhook.options.signing_secrets;
    Ok(reader.plugin.handshake(method, (delivery, None), secrets))
}

/// Settles a delivery in one unit of work.
async fn keep(
    intake: &Intake,
    webhook: &Arc<Webhook>,
    (delivery, sender_id): (&Delivery, Option<String>),
    interpreted: Interpreted,
) -> Result<Receipt> {
    let (size, mut settling) = settling(intake, webhook, (delivery, sender_id), interpreted)?;
    intake.store.write_repeatable(size, move |tx| settle::settle(tx, &mut settling)).await
}

/// A delivery as it is settled, and how much that writes.
fn settling(
    intake: &Intake,
    webhook: &Arc<Webhook>,
    (delivery, sender_id): (&Delivery, Option<String>),
    interpreted: Interpreted,
) -> Result<(Size, Settling)> {
    let payload = Payload::pack(&delivery.headers, &delivery.query, &delivery.body)?;
    let sender = sender_id.map(|id| (id, sha256(&delivery.body)));
    let events = interpreted.items.len();
    let size = Size { bytes: payload.content.len() + events * 600, events };
    let routed =
        route::ahead(intake.store.snapshots(), webhook, &interpreted, delivery.received_at);
    let settling = Settling {
        webhook: Arc::clone(webhook),
        routed,
        mint: intake.mint.clone(),
        delivery_id: delivery.delivery_id.clone(),
        received_at: delivery.received_at,
        remote: delivery.remote.clone(),
        sender,
        payload,
        interpreted,
    };
    Ok((size, settling))
}

/// Fetches the address that a handshake wants confirmed, where both the server and the webhook allow it.
async fn confirm(intake: &Intake, webhook: &Webhook, handshake: &Handshake) {
    let Some(address) = &handshake.confirm else { return };
    let Some(outbound) = intake.outbound.as_ref().filter(|_| webhook.options.confirm_subscriptions)
    else {
        tracing::info!(webhook.id = %webhook.webhook_id, "a subscription waits to be confirmed by hand: confirming is not allowed");
        return;
    };
    match outbound.get(address).await {
        Ok(status) => {
            tracing::info!(webhook.id = %webhook.webhook_id, status, "confirmed a subscription");
        }
        Err(error) => {
            tracing::warn!(webhook.id = %webhook.webhook_id, %error, "could not confirm a subscription");
        }
    }
}

/// Where a delivery with so many items, so many of them dead, stands.
fn state_of(items: usize, dead: usize) -> DeliveryState {
    match (items, dead) {
        (0, _) => DeliveryState::Ignored,
        (_, 0) => DeliveryState::Applied,
        (items, dead) if dead >= items => DeliveryState::Dead,
        _ => DeliveryState::Partial,
    }
}

/// When something happens, with what makes identifiers for it.
type Moment<'a> = (&'a Mint, Timestamp);
