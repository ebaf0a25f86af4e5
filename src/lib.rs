//! Alertmill: webhooks in, normalized events, deduplicated alerts, and an answer to every "why".

pub mod clock;
pub mod digest;
pub mod domain;
pub mod error;
pub mod id;
pub mod lab;
pub mod outbound;
pub mod plugins;
pub mod query;
pub mod rules;
pub mod value;
