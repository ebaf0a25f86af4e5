//! Maintenance windows, silences, inhibitions.

/// Maintenance windows, silences, inhibitions.
pub trait Suppression {}
