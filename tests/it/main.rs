//! Black-box tests: everything goes in and comes out over HTTP.

// Helpers of tests are no `#[test]` functions, so Clippy's allowance for tests does not reach them; a test binary has no
// callers, so `pub` and documentation of its items mean nothing outside.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs)]

mod architecture;
mod asking;
mod audit;
mod audit_export;
mod audited;
mod bounds;
mod by_itself;
mod cadf;
mod cadf_out;
mod chains;
mod client;
mod clients;
mod commands;
mod concurrency;
mod crash;
mod described;
mod door;
mod escalation;
mod event_rules;
mod explain;
mod explain_alert;
mod export;
mod feed;
mod fuzzed;
mod group_rules;
mod h2o;
mod handshakes;
mod harness;
mod hostile;
mod iguazio;
mod import;
mod lab;
mod language;
mod lies;
mod life;
mod limits;
mod links;
mod login_abuse;
mod misasked;
mod mistakes;
mod needs;
mod outbox;
mod ping;
mod plans;
mod prometheus;
mod providers;
mod receiver;
#[expect(dead_code, reason = "the tests of channels use the rest")]
#[path = "../../src/notify/tests/receivers.rs"]
mod receivers;
mod redrive;
mod reload;
mod retention;
mod runai;
mod schemas;
#[cfg(feature = "plugins-js")]
mod scripts;
mod self_check;
mod simulate;
mod storm;
mod story;
mod stream;
mod suppression;
mod tamper;
mod tenancy;
mod timeline;
mod trail;
mod upkeep;
mod users;
mod vectors;
