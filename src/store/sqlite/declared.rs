//! The indexes that projects declare: made, dropped, and asked for.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::{
    rows::Columns,
    sql::{self, Composed, Declared, Lists, Served, Table},
    work::Work,
};
use crate::{
    domain::{
        project::{IndexedField, Project},
        scope::Scope,
    },
    error::{Code, Error, Result},
    id::Id,
    query::{Filter, Query},
    store::IndexedFields,
};

/// In a store with more events no index is made, since the writer does nothing else meanwhile: 1-4 s a million.
const MOST_EVENTS: i64 = 2_000_000;

/// How many there may be in all: every event that comes is held against each of them.
const MOST_INDEXES: i64 = 64;

impl Work {
    /// A query over `table`, served by an index that a project declared if there is one.
    pub(super) fn composed(&self, query: &Query, scope: &Scope, table: &Table) -> Result<Composed> {
        let composed = sql::compose(query, scope, table);
        Ok(match self.served(&query.filter, scope, table)? {
            Some(served) => composed.served_by(served),
            None => composed,
        })
    }

    /// How an index that a project declared serves a filter, if one does.
    pub(super) fn served(
        &self,
        filter: &Filter,
        scope: &Scope,
        table: &Table,
    ) -> Result<Option<Served>> {
        if !table.is_events() {
            return Ok(None);
        }
        let Some(servable) = sql::servable(filter, scope) else { return Ok(None) };
        for (field, values) in servable.asked {
            let sql = "SELECT i.project FROM indexed_field i JOIN project p USING (project)
                 WHERE p.project_id = ?1 AND i.path = ?2";
            let path = field.to_string();
            if let Some(project) = self.number(sql, [&servable.project_id, &path])? {
                let declared = Declared { project, field: &field };
                let lists = match self.number(&declared.has_lists(), [])? {
                    Some(1) => Lists::Some,
                    _ => Lists::None,
                };
                return Ok(Some(declared.serves(values, lists)));
            }
        }
        Ok(None)
    }

    /// The paths that a project has an index on.
    fn declared(&self, project: i64) -> Result<BTreeSet<IndexedField>> {
        let sql = "SELECT path FROM indexed_field WHERE project = ?1";
        let found = self.many(sql, [project], |row| field(&mut Columns::of(row)))?;
        Ok(found.into_iter().collect())
    }

    fn declare(&self, declared: &Declared<'_>) -> Result<()> {
        let all = self.number("SELECT count(*) FROM indexed_field", [])?.unwrap_or(0);
        if all >= MOST_INDEXES {
            let detail = format!("there are {all} indexed fields already, which is the most");
            return Err(refused(detail));
        }
        let sql = "SELECT max(event) - min(event) FROM event";
        let events = self.number(sql, [])?.unwrap_or(0);
        if events > MOST_EVENTS {
            let detail = format!(
                "an index is made only while there are at most {MOST_EVENTS} events, since nothing else is written \
                 meanwhile; there are about {events}"
            );
            return Err(refused(detail));
        }
        self.connection.execute(&declared.create(), [])?;
        let sql = "INSERT INTO indexed_field (project, path) VALUES (?1, ?2)";
        self.put(sql, params![declared.project, declared.field.to_string()])?;
        Ok(())
    }

    fn undeclare(&self, declared: &Declared<'_>) -> Result<()> {
        self.connection.execute(&declared.drop(), [])?;
        let sql = "DELETE FROM indexed_field WHERE project = ?1 AND path = ?2";
        self.put(sql, params![declared.project, declared.field.to_string()])?;
        Ok(())
    }
}

fn refused(detail: String) -> Error {
    Error::at(Code::InvalidParameter, "/indexed_fields", detail)
}

fn field(columns: &mut Columns<'_>) -> Result<IndexedField> {
    let path = columns.text()?;
    IndexedField::parse(&path).ok_or_else(|| Error::internal(format!("`{path}` has an index")))
}

impl IndexedFields for Work {
    fn indexed_fields(
        &self,
        scope: &Scope,
    ) -> Result<BTreeMap<Id<Project>, BTreeSet<IndexedField>>> {
        let found = self.many(
            "SELECT d.domain_id, w.workspace_id, p.project_id, i.path
             FROM indexed_field i JOIN project p USING (project)
             JOIN workspace w USING (workspace) JOIN domain d USING (domain)",
            [],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.home()?, field(&mut columns)?))
            },
        )?;
        let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (home, field) in found.into_iter().filter(|(home, _)| scope.contains(home)) {
            all.entry(home.project_id).or_default().insert(field);
        }
        Ok(all)
    }

    fn put_indexed_fields(
        &mut self,
        project: &Id<Project>,
        fields: &BTreeSet<IndexedField>,
    ) -> Result<()> {
        let project = self.project_row(project)?;
        let before = self.declared(project)?;
        for field in before.difference(fields) {
            self.undeclare(&Declared { project, field })?;
        }
        for field in fields.difference(&before) {
            self.declare(&Declared { project, field })?;
        }
        Ok(())
    }
}
