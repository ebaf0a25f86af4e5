//! The filter language.

/// A checked query.
#[derive(Clone, Debug)]
pub struct Query {}
