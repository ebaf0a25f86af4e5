//! Alertmill: webhooks in, normalized events, deduplicated alerts, and an answer to every "why".

pub mod value;
pub mod rules;
pub mod plugins;
pub mod query;
pub mod domain;
pub mod clock;
pub mod digest;
pub mod error;
pub mod id;
pub mod outbound;
