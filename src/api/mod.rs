//! What callers can ask for: one file per resource, one function per method.
//!
//! Every method has one of two shapes, and the shape says what it may do:
//!
//! ```text
//! fn get(tx: &dyn Tx, call: &Call, request: R) -> Result<S>         // reads
//! fn update(tx: &mut dyn Tx, call: &Call, request: R) -> Result<S>  // writes
//! ```
//!
//! Whether the caller's role may call a method at all is the route table's business; what lies outside the caller's
//! scope looks absent to every method. What the outside sees of a record is its view, here; domain types are never
//! serialised.

mod along;
mod asked;
mod bounded;
mod call;
pub(crate) mod decode;
mod grant;
mod journal;
mod named;
mod place;
mod shown;
mod stat;
mod suppressed;
#[cfg(test)]
mod tests;
mod unwound;

pub mod ack;
pub mod alert;
pub mod application;
pub mod audit;
pub mod audits;
pub mod by_itself;
pub mod chain;
pub mod changes;
pub mod channel;
pub mod contact;
pub mod defaults;
pub mod delivery;
pub mod domain;
pub mod escalation_policy;
pub mod event;
pub mod event_rule;
pub mod explain;
pub mod export;
pub mod group_rule;
pub mod heartbeat;
pub mod import;
pub mod inhibition;
pub mod maintenance_window;
pub mod manual_event;
pub mod message;
pub mod note;
pub mod on_call;
pub mod posted;
pub mod project;
pub mod project_alert_config;
mod replayed;
mod retention;
pub mod session;
pub mod silence;
pub mod stream;
pub mod token;
pub mod trail;
pub mod user;
pub mod webhook;
pub mod workspace;

pub use self::{
    asked::{Asked, AskedAnalysis, AskedStat},
    call::{Call, Caller, CountRequests, Refused, TellDefaults, TellRefused},
    journal::{Journal, Touched},
    shown::{Done, Moment, Page, Shown},
    stat::{AnalysisInfo, StatInfo},
};
