//! Group rules.

/// Group rules.
pub trait GroupRules {}
