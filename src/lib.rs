//! Alertmill: webhooks in, normalized events, deduplicated alerts, and an answer to every "why".

pub mod app;
pub mod cli;
pub mod http;

pub mod jobs;
pub mod lab;

pub mod notify;

pub mod api;
pub mod export;
pub mod ingest;

pub mod care;

pub mod plugins;
pub mod rules;
pub mod store;

pub mod domain;

pub mod query;
pub mod value;

pub mod bus;
pub mod clock;
pub mod config;
pub mod digest;
pub mod error;
pub mod id;
pub mod load_error;
pub mod metrics;
pub mod outbound;
pub mod password;
