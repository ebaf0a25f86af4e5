//! Where each field of a note is.

use super::columns::{
    Column::{Found, Value},
    Owner, Table,
};
use crate::query;

/// Notes, as `note n`.
pub(in crate::store::sqlite) static NOTES: Table = Table {
    catalogue: &query::NOTES,
    from: "note n",
    row: "n.note",
    created_at: "n.created_at",
    project: "n.project",
    owner: Owner::Project,
    always: None,
    hint: None,
    columns: &[
        ("note_id", Value("n.note_id")),
        ("note", Value("n.text")),
        (
            "alert_id",
            Found {
                value: "(SELECT r.alert_id FROM alert r WHERE r.alert = n.alert)",
                one: "n.alert = (SELECT r.alert FROM alert r WHERE r.alert_id = ?)",
                some: "n.alert IN (SELECT r.alert FROM alert r \
                    WHERE r.alert_id IN (SELECT value FROM json_each(?)))",
            },
        ),
        ("created_by", Value("n.created_by")),
        (
            "project_id",
            Found {
                value: "(SELECT r.project_id FROM project r WHERE r.project = n.project)",
                one: "n.project = (SELECT r.project FROM project r WHERE r.project_id = ?)",
                some: "n.project IN (SELECT r.project FROM project r \
                    WHERE r.project_id IN (SELECT value FROM json_each(?)))",
            },
        ),
        (
            "workspace_id",
            Value(
                "(SELECT w.workspace_id FROM project r JOIN workspace w ON w.workspace = r.workspace \
                 WHERE r.project = n.project)",
            ),
        ),
        (
            "domain_id",
            Value(
                "(SELECT d.domain_id FROM project r JOIN workspace w ON w.workspace = r.workspace \
                 JOIN domain d ON d.domain = w.domain WHERE r.project = n.project)",
            ),
        ),
        ("created_at", Value("n.created_at")),
        ("updated_at", Value("n.updated_at")),
    ],
};
