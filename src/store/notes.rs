//! Notes: what people write about alerts.

use serde_json::Value;

use super::{Each, Found, Scan};
use crate::{
    domain::{alert::Alert, note::Note, project::Project, scope::Scope},
    error::Result,
    id::Id,
    query::{Query, Stat},
};

/// Notes.
pub trait Notes {
    /// The note, if it exists in `scope`.
    fn note(&self, scope: &Scope, id: &Id<Note>) -> Result<Option<Note>>;
    /// The notes in `scope` that `query` asks for.
    fn notes(&self, scope: &Scope, query: &Query) -> Result<Found<Note>>;
    /// Gives `each` of the notes in `scope` that `scan` asks for, until it breaks off.
    fn visit_notes(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()>;
    /// The rows of a statistic about the notes in `scope`; a page of it is not taken yet.
    fn note_stat(&self, scope: &Scope, stat: &Stat) -> Result<Vec<Value>>;
    /// Adds a note, or replaces what it says.
    fn put_note(&mut self, note: &Note) -> Result<()>;
    /// Removes a note.
    fn delete_note(&mut self, id: &Id<Note>) -> Result<()>;
    /// Removes what was written about an alert.
    fn delete_notes_of(&mut self, alert: &Id<Alert>) -> Result<()>;
    /// Takes what was written about an alert along to the project it moved to.
    fn move_notes_of(&mut self, alert: &Id<Alert>, project: &Id<Project>) -> Result<()>;
}
