//! Who is on call, and how people are reached.

/// Who is on call, and how people are reached.
pub trait People {}
