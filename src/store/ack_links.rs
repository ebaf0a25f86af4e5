//! Links that acknowledge an alert.

/// Links that acknowledge an alert.
pub trait AckLinks {}
