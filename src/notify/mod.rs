//! What is sent where, and what its answer means: a file per channel.
//!
//! [`deliver`] makes one try. Who calls it decides what is sent when, and tries again where it is told to.

mod discord;
mod email;
mod http;
mod ntfy;
mod opsgenie;
mod pagerduty;
pub mod preview;
mod slack;
mod teams;
mod telegram;
#[cfg(test)]
mod tests;
mod text;
mod webhook;

use std::time::Duration;

use self::text::Said;
pub use crate::domain::parcel::Parcel;
use crate::{
    domain::channel::{ChannelKind, Templates},
    outbound::Outbound,
};

/// A message that its target took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The status of its answer, where it gave one.
    pub status: Option<u16>,
    /// What the target calls the message, so that the next ones of its alert can answer to it.
    pub thread: Option<String>,
    /// What was not as it should be although it was taken, e.g. a template that failed.
    pub note: Option<String>,
}

/// Why a target did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendFault {
    /// Whether to try again.
    pub retry: Retry,
    /// Why, in a sentence that holds no secret.
    pub reason: String,
    /// The status of its answer, where it gave one.
    pub status: Option<u16>,
}

/// Whether another try may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It may; not before this time, where the target named one.
    Later(Option<Duration>),
    /// It cannot: the target refuses the message as it is.
    Never,
}

/// Tries once to send a message.
///
/// # Errors
/// Where the target did not take it, with whether another try may help.
pub async fn deliver(
    outbound: &Outbound,
    (kind, templates): (&ChannelKind, &Templates),
    parcel: &Parcel,
) -> Result<Delivered, SendFault> {
    let sent = send(outbound, (kind, templates), parcel).await;
    sent.map_err(|fault| fault.without_secrets(kind))
}

async fn send(
    outbound: &Outbound,
    (kind, templates): (&ChannelKind, &Templates),
    parcel: &Parcel,
) -> Result<Delivered, SendFault> {
    if let ChannelKind::Webhook(target) = kind {
        return webhook::send(outbound, (target, templates), parcel).await;
    }
    let said = Said::of(parcel, templates);
    let message = (&said, parcel);
    let sent = match kind {
        ChannelKind::Webhook(_) => Ok(Delivered::default()),
        ChannelKind::Slack(target) => slack::send(outbound, target, message).await,
        ChannelKind::Teams(target) => teams::send(outbound, target, message).await,
        ChannelKind::Email(target) => email::send(outbound, target, message).await,
        ChannelKind::PagerDuty(target) => pagerduty::send(outbound, target, message).await,
        ChannelKind::Opsgenie(target) => opsgenie::send(outbound, target, message).await,
        ChannelKind::Telegram(target) => telegram::send(outbound, target, message).await,
        ChannelKind::Discord(target) => discord::send(outbound, target, message).await,
        ChannelKind::Ntfy(target) => ntfy::send(outbound, target, message).await,
    };
    sent.map(|delivered| delivered.noting(said.note))
}

impl Delivered {
    fn noting(self, more: Option<String>) -> Self {
        let note = match (self.note, more) {
            (Some(one), Some(other)) => Some(format!("{one}; {other}")),
            (one, other) => one.or(other),
        };
        Self { note, ..self }
    }
}

impl SendFault {
    /// The same fault; targets may repeat what they were sent, and the reason is shown to people.
    fn without_secrets(self, kind: &ChannelKind) -> Self {
        let mut reason = self.reason;
        for secret in kind.secrets() {
            if !secret.is_empty() && reason.contains(&secret) {
                reason = reason.replace(&secret, "…");
            }
        }
        Self { reason, ..self }
    }
}
