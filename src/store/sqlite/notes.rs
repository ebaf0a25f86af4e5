//! Notes.

use std::ops::ControlFlow;

use rusqlite::{params, params_from_iter};
use serde_json::Value;

use super::{
    rows::{Columns, maybe_millis, millis},
    sql,
    work::Work,
};
use crate::{
    domain::{alert::Alert, note::Note, project::Project, scope::Scope},
    error::{Error, Result},
    id::Id,
    query::{Flow, Keyset, Query, Stat},
    store::{Each, Found, Notes, Scan},
};

/// Every column of a note, as [`note`] reads them.
const COLUMNS: &str =
    "n.note_id, n.text, a.alert_id, n.created_by, d.domain_id, s.workspace_id, p.project_id,
        n.created_at, n.updated_at";

/// The tables that name what a note is about and where it lives.
const HOME: &str = "CROSS JOIN alert a ON a.alert = n.alert CROSS JOIN project p ON p.project = n.project
     CROSS JOIN workspace s ON s.workspace = p.workspace CROSS JOIN domain d ON d.domain = s.domain";

impl Notes for Work {
    fn note(&self, scope: &Scope, id: &Id<Note>) -> Result<Option<Note>> {
        let sql = format!("SELECT {COLUMNS} FROM note n {HOME} WHERE n.note_id = ?1");
        let found = self.one(&sql, [id.as_str()], |row| note(&mut Columns::of(row)))?;
        Ok(found.filter(|note| scope.contains(&note.home)))
    }

    fn notes(&self, scope: &Scope, query: &Query) -> Result<Found<Note>> {
        let composed = sql::compose(query, scope, &sql::NOTES);
        let counted = match composed.count() {
            Some((sql, values)) => self.number(&sql, params_from_iter(values))?,
            None => None,
        };
        let total = composed.total(counted);
        if !query.wants_rows() {
            return Ok(sql::found(query, Vec::new(), total));
        }
        let columns = format!("n.created_at, n.note, {COLUMNS}");
        let (sql, values) = composed.select(&columns, HOME);
        let rows = self.many(&sql, params_from_iter(values), |row| {
            let mut columns = Columns::of(row);
            let key = Keyset { created_at: columns.get()?, row: columns.get()? };
            Ok((key, note(&mut columns)?))
        })?;
        Ok(sql::found(query, rows, total))
    }

    fn visit_notes(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()> {
        self.visit(&sql::NOTES, scope, scan, each)
    }

    fn note_stat(&self, scope: &Scope, stat: &Stat) -> Result<Vec<Value>> {
        let mut running = stat.start();
        let fields = stat.fields();
        let scan = Scan { filter: &stat.filter, fields: &fields, sort: &[] };
        self.visit(&sql::NOTES, scope, &scan, &mut |record| {
            Ok(match running.take(record, 1)? {
                Flow::More => ControlFlow::Continue(()),
                Flow::Enough => ControlFlow::Break(()),
            })
        })?;
        running.finish()
    }

    fn put_note(&mut self, note: &Note) -> Result<()> {
        let alert =
            self.number("SELECT alert FROM alert WHERE alert_id = ?1", [note.alert_id.as_str()])?;
        let alert = alert.ok_or_else(|| Error::not_found("alert", &note.alert_id))?;
        self.put(
            "INSERT INTO note (note_id, alert, project, text, created_by, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (note_id) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at",
            params![
                note.note_id.as_str(),
                alert,
                self.project_row(&note.home.project_id)?,
                note.note,
                note.created_by,
                millis(note.created_at),
                maybe_millis(note.updated_at)
            ],
        )?;
        Ok(())
    }

    fn delete_note(&mut self, id: &Id<Note>) -> Result<()> {
        self.put("DELETE FROM note WHERE note_id = ?1", [id.as_str()])?;
        Ok(())
    }

    fn delete_notes_of(&mut self, alert: &Id<Alert>) -> Result<()> {
        self.put(
            "DELETE FROM note WHERE alert = (SELECT alert FROM alert WHERE alert_id = ?1)",
            [alert.as_str()],
        )?;
        Ok(())
    }

    fn move_notes_of(&mut self, alert: &Id<Alert>, project: &Id<Project>) -> Result<()> {
        self.put(
            "UPDATE note SET project = ?2 WHERE alert = (SELECT alert FROM alert WHERE alert_id = ?1)",
            params![alert.as_str(), self.project_row(project)?],
        )?;
        Ok(())
    }
}

fn note(columns: &mut Columns<'_>) -> Result<Note> {
    Ok(Note {
        note_id: columns.id()?,
        note: columns.text()?,
        alert_id: columns.id()?,
        created_by: columns.text()?,
        home: columns.home()?,
        created_at: columns.time()?,
        updated_at: columns.maybe_time()?,
    })
}
