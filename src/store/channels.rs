//! Where messages go.

use crate::{
    clock::Timestamp,
    domain::{channel::Channel, scope::Scope},
    error::Result,
    id::Id,
};

/// Where messages go.
pub trait Channels {
    /// The channel, if it exists in `scope`.
    fn channel(&self, scope: &Scope, id: &Id<Channel>) -> Result<Option<Channel>>;
    /// The channels in `scope`, by name.
    fn channels(&self, scope: &Scope) -> Result<Vec<Channel>>;
    /// Adds or replaces a channel; `ERROR_NOT_UNIQUE` where its place has another of that name.
    fn put_channel(&mut self, channel: &Channel) -> Result<()>;
    /// Removes a channel; its messages stay.
    fn delete_channel(&mut self, id: &Id<Channel>, now: Timestamp) -> Result<()>;
}
