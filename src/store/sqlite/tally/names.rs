//! What the rows that combinations name are called.

use std::collections::HashMap;

use rusqlite::params;

use super::super::{
    rows::{Columns, reach},
    work::Work,
};
use crate::{
    domain::scope::{Home, Scope},
    error::Result,
};

/// Identifiers by row.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) projects: HashMap<i64, Home>,
    pub(super) webhooks: HashMap<i64, String>,
}

impl Work {
    /// Where the projects in `scope` are, by row.
    pub(super) fn homes_seen(&self, scope: &Scope) -> Result<HashMap<i64, Home>> {
        let found = self.many(
            "SELECT p.project, d.domain_id, s.workspace_id, p.project_id
             FROM project p CROSS JOIN workspace s ON s.workspace = p.workspace
             CROSS JOIN domain d ON d.domain = s.domain
             WHERE ?1 IS NULL OR p.project_id IN (SELECT value FROM json_each(?1))",
            params![reach(&scope.projects)?],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.get()?, columns.home()?))
            },
        )?;
        Ok(found.into_iter().filter(|(_, home)| scope.contains(home)).collect())
    }

    /// The identifiers of webhooks, by row.
    pub(super) fn webhook_names(&self) -> Result<HashMap<i64, String>> {
        let sql = "SELECT webhook, webhook_id FROM webhook";
        let found = self.many(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.into_iter().collect())
    }
}
