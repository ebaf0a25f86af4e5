//! Saying outside that Alertmill is alive.
