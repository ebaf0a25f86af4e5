//! The nouns and the decisions. No I/O, no clock, no async.

pub mod alert;
pub mod audit;
pub mod calendar;
pub mod correlate;
pub mod delivery;
pub mod event;
pub mod happening;
pub mod project;
pub mod receipt;
pub mod retention;
pub mod scope;
pub mod secret;
pub mod token;
pub mod webhook;
pub mod words;
