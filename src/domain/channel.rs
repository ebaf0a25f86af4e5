//! Where notifications go out.

mod headers;
pub mod kind;
mod settings;
pub mod targets;
