//! Which webhooks are fed with the audit trail, how far, and what events tell of the state of things.

use crate::{
    domain::{event::Event, project::Domain, webhook::Webhook},
    error::Result,
    id::Id,
};

/// A webhook that is fed with the audit trail of its domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The webhook.
    pub webhook_id: Id<Webhook>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// The number of the last record that it was fed.
    pub sequence: u64,
}

/// Which webhooks are fed with the audit trail, and what events tell of the state of things.
pub trait Feeds {
    /// The enabled webhooks that were not fed everything yet, in the order in which they were made.
    fn hungry(&self) -> Result<Vec<Feed>>;
    /// Says that a webhook was fed everything up to the record with this number.
    fn put_fed(&mut self, webhook: &Id<Webhook>, sequence: u64) -> Result<()>;
    /// The event that told last, before this one, the state of the thing that this one is about; `None` where it names no
    /// thing, or none before it did.
    fn told_before(&self, event: &Event) -> Result<Option<Event>>;
}
