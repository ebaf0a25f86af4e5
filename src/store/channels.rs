//! Where messages go.

/// Where messages go.
pub trait Channels {}
