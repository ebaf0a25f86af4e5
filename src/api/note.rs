//! `note.*`: what people write about alerts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Done, Moment, Page, Shown, StatInfo, alert,
    asked::{self, list_request},
    call::seen,
    unwound,
};
use crate::{
    domain::{
        alert::Alert,
        history::{Entry, Step},
        life::Life,
        note::Note,
        project::{Domain, Project, Workspace},
        scope::Home,
    },
    error::{Code, Error, Result},
    id::Id,
    query::NOTES,
    store::Tx,
};

/// The longest note, in characters.
const LONGEST: usize = 10_000;

/// Something that a person wrote about an alert.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NoteInfo {
    /// Its identifier.
    pub note_id: Id<Note>,
    /// What was written.
    pub note: String,
    /// The alert it is about.
    pub alert_id: Id<Alert>,
    /// Who wrote it.
    pub created_by: String,
    /// The project of its alert.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was written.
    pub created_at: Moment,
    /// When it was last written anew.
    pub updated_at: Option<Moment>,
}

impl From<Note> for NoteInfo {
    fn from(note: Note) -> Self {
        let Note { note_id, note, alert_id, created_by, home, created_at, updated_at } = note;
        let Home { domain_id, workspace_id, project_id } = home;
        Self {
            note_id,
            note,
            alert_id,
            created_by,
            project_id,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
            updated_at: updated_at.map(Moment),
        }
    }
}

/// What was written, checked.
fn written(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::required("note"));
    }
    if text.chars().count() > LONGEST {
        let detail = format!("a note has at most {LONGEST} characters");
        return Err(Error::at(Code::InvalidParameter, "/note", detail));
    }
    Ok(text.to_owned())
}

/// Asks to write a note.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNote {
    /// The alert it is about.
    alert_id: Id<Alert>,
    /// What is to be written.
    note: String,
}

/// Writes a note about an alert.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateNote) -> Result<NoteInfo> {
    let CreateNote { alert_id, note } = request;
    let alert = alert::existing(tx, call, &alert_id)?;
    let note = Note {
        note_id: call.mint.id(call.now),
        note: written(&note)?,
        alert_id: alert_id.clone(),
        created_by: call.caller.actor.clone(),
        home: alert.home,
        created_at: call.now,
        updated_at: None,
    };
    call.touches("note", &note.note_id);
    tx.put_note(&note)?;
    tx.add_entry(&Entry {
        alert_id: Some(alert_id),
        event_id: None,
        at: call.now,
        actor: call.caller.actor.clone(),
        step: Step::Life(Life::Noted { note_id: note.note_id.as_str().to_owned() }),
    })?;
    let view = NoteInfo::from(note);
    call.touched("note", &view.note_id, None, seen(&view));
    Ok(view)
}

/// Asks to write a note anew.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateNote {
    /// Its identifier.
    note_id: Id<Note>,
    /// What it is to say; it stays as it is where absent.
    note: Option<String>,
}

/// Writes a note anew.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateNote) -> Result<NoteInfo> {
    let UpdateNote { note_id, note } = request;
    let before = existing(tx, call, &note_id)?;
    let Some(text) = asked::text(note) else { return Ok(before.into()) };
    let after = Note { note: written(&text)?, updated_at: Some(call.now), ..before.clone() };
    tx.put_note(&after)?;
    let (before, after) = (NoteInfo::from(before), NoteInfo::from(after));
    call.touched("note", &note_id, seen(&before), seen(&after));
    Ok(after)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Note>) -> Result<Note> {
    call.touches("note", id);
    tx.note(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("note", id))
}

/// Names one note.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneNote {
    /// Its identifier.
    note_id: Id<Note>,
}

/// Deletes a note.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneNote) -> Result<Done> {
    let note = existing(tx, call, &request.note_id)?;
    tx.delete_note(&note.note_id)?;
    call.touched("note", &request.note_id, seen(&NoteInfo::from(note)), None);
    Ok(Done {})
}

/// One note.
pub fn get(tx: &dyn Tx, call: &Call, request: OneNote) -> Result<NoteInfo> {
    existing(tx, call, &request.note_id).map(NoteInfo::from)
}

list_request! {
    /// Asks for notes.
    ListNotes: Asked,
    /// Asks for statistics of notes.
    StatNotes: AskedStat
    of NOTES {
        /// Only the one with this identifier.
        note_id: Id<Note>,
        /// Only those about this alert.
        alert_id: Id<Alert>,
        /// Only those that this person wrote.
        created_by: String,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Notes, newest first where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListNotes) -> Result<Page<Shown<NoteInfo>>> {
    let query = request.checked(call.now)?;
    let scope = &call.caller.scope;
    if query.unwind.is_some() {
        return unwound::page(&query, &NOTES, |scan, each| tx.visit_notes(scope, scan, each));
    }
    let found = tx.notes(scope, &query)?;
    let shown = found
        .rows
        .into_iter()
        .map(|note| Shown::shaped(NoteInfo::from(note), &query.shape, &NOTES));
    Ok(Page::new(shown.collect::<Result<_>>()?, found.total, found.next_cursor))
}

/// Statistics of notes.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatNotes) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    Ok(StatInfo::new(&stat, tx.note_stat(&call.caller.scope, &stat)?))
}
