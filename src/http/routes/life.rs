//! The routes of the life of alerts.

use super::super::method::{Method, read, write};
use crate::api::{alert, note};

/// The methods of the life of alerts.
pub(super) fn methods() -> Vec<Method> {
    let mut all = alerts();
    all.extend(notes());
    all
}

fn alerts() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/alert/snooze",
            "alert.snooze",
            "Puts an alert off: nobody is told of it before then, unless it gets worse.",
            write(alert::snooze),
        ),
        Method::post(
            "/api/v1/alert/unsnooze",
            "alert.unsnooze",
            "Puts an alert off no longer.",
            write(alert::unsnooze),
        ),
        Method::post(
            "/api/v1/alert/merge",
            "alert.merge",
            "Makes an alert one with another, which is told for both and is over when both are.",
            write(alert::merge),
        ),
        Method::post(
            "/api/v1/alert/unmerge",
            "alert.unmerge",
            "Makes an alert one of its own again.",
            write(alert::unmerge),
        ),
        Method::post(
            "/api/v1/alert/bulk",
            "alert.bulk",
            "Does the same to many alerts, each by itself, and tells what became of each.",
            write(alert::bulk),
        ),
        Method::post(
            "/api/v1/alert/history",
            "alert.history",
            "Tells what happened to an alert and what was decided for it, oldest first.",
            read(alert::history),
        ),
    ]
}

fn notes() -> Vec<Method> {
    vec![
        Method::post(
            "/monitoring/v1/note/create",
            "note.create",
            "Writes a note about an alert.",
            write(note::create),
        ),
        Method::post(
            "/monitoring/v1/note/update",
            "note.update",
            "Writes a note anew.",
            write(note::update),
        ),
        Method::post(
            "/monitoring/v1/note/delete",
            "note.delete",
            "Deletes a note.",
            write(note::delete),
        ),
        Method::post("/monitoring/v1/note/get", "note.get", "Shows a note.", read(note::get)),
        Method::post("/monitoring/v1/note/list", "note.list", "Lists notes.", read(note::list)),
        Method::post(
            "/monitoring/v1/note/stat",
            "note.stat",
            "Counts notes, and more.",
            read(note::stat),
        ),
    ]
}
