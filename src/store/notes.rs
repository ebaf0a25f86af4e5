//! What people write down about alerts.

/// What people write down about alerts.
pub trait Notes {}
