//! What people write about an alert.

use super::{alert::Alert, scope::Home};
use crate::{
    clock::Timestamp,
    id::{Id, Identified},
};

/// Something that a person wrote about an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Its identifier.
    pub note_id: Id<Note>,
    /// What was written.
    pub note: String,
    /// The alert it is about.
    pub alert_id: Id<Alert>,
    /// Who wrote it.
    pub created_by: String,
    /// Where it lives: where its alert does.
    pub home: Home,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last written anew, if it was.
    pub updated_at: Option<Timestamp>,
}

impl Identified for Note {
    const PREFIX: &'static str = "note";
}
