//! Where messages go.

mod headers;
pub mod kind;
mod settings;
pub mod targets;
pub mod templates;

/// Where the messages of a project go.
#[derive(Clone, Debug, Default)]
pub struct Channels {}
