//! Event rules.

/// Event rules.
pub trait EventRules {}
