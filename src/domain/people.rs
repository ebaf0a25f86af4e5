//! Who is on call, and how people are reached.

/// Who may be told about the alerts of a project.
#[derive(Clone, Debug, Default)]
pub struct People {}
