//! Who must be heard from.

/// Who must be heard from.
pub trait Heartbeats {}
