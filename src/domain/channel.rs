//! Where messages go.

/// Where the messages of a project go.
#[derive(Clone, Debug, Default)]
pub struct Channels {}
