//! Messages on their way.

/// Messages on their way.
pub trait Outbox {}
