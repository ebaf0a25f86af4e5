//! From a checked query to `SQL`: every value is bound, every name comes from a table of ours.
//!
//! A resource's own file writes out its columns and joins; what is composed here follows its `FROM`. What can be found
//! by an index is asked for in the form that uses it; what is in JSON is decided by functions that run the same code as
//! a filter over records in memory ([`functions`]).

mod audits;
mod columns;
mod conditions;
mod declared;
mod functions;
mod keys;
mod notes;
mod shown;
mod stretch;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::BTreeSet;

use rusqlite::types::Value as Bound;
use serde_json::json;

use self::{columns::Owner, conditions::held, keys::Key};
pub(super) use self::{
    columns::{ALERTS, EVENTS, Table},
    declared::{Declared, Lists, Served, servable},
    functions::register,
    notes::NOTES,
    shown::{Form, Showing},
    stretch::stretch,
    trail::{Along, Chain, MOST_STRANDS, Strands, strands},
};
use crate::{
    domain::scope::{Reach, Scope},
    id::Id,
    query::{Count, Cursor, Filter, Keyset, Query, Sort, Test},
    store::{Found, Scan, Total},
};

/// How far rows are counted unless the caller asks for more.
pub(super) const COUNT_BOUND: u64 = 10_000;

/// A query in `SQL`.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    from: String,
    /// Which rows, wherever the page begins.
    filter: Part,
    /// Which rows come after the page before.
    keyset: Option<Part>,
    order: Part,
    skipped: i64,
    limit: i64,
    count: Count,
    /// The index that a project declared and that it is read through.
    index: Option<String>,
}

/// A part of a statement, with the values for its question marks.
#[derive(Clone, Debug, Default)]
struct Part {
    sql: String,
    values: Vec<Bound>,
}

/// The rows of `table` in `scope` that `query` asks for.
pub(super) fn compose(query: &Query, scope: &Scope, table: &Table) -> Composed {
    let (skipped, keyset) = match query.page.from {
        Cursor::Skip(rows) => (i64::try_from(rows).unwrap_or(i64::MAX), None),
        Cursor::After(key) => (0, Some(after(key, table))),
    };
    Composed {
        from: table.from.to_owned(),
        filter: filter(&query.filter, scope, table),
        keyset,
        order: order(&query.sort, table),
        skipped,
        // One more than asked for, which tells whether there is a next page.
        limit: i64::from(query.page.limit) + 1,
        count: query.page.count,
        index: None,
    }
}

impl Composed {
    /// The same query, read through an index that a project declared.
    pub(super) fn served_by(mut self, served: Served) -> Self {
        let Served { index, part } = served;
        self.from = indexed(&self.from, &index);
        self.filter.and(&part.sql, part.values);
        self.index = Some(index);
        self
    }

    /// The index that a project declared and that it is read through, if it is.
    pub(super) fn index(&self) -> Option<&str> {
        self.index.as_deref()
    }

    /// The statement that reads `columns` (with joins to other tables after `FROM`, if it needs any), and its values.
    /// It returns one row more than the page has, if there is one; [`found`] takes that into account.
    pub(super) fn select(&self, columns: &str, joins: &str) -> (String, Vec<Bound>) {
        let Self { from, filter, keyset, order, skipped, limit, count: _, index: _ } = self;
        let mut values = filter.values.clone();
        let mut sql = format!("SELECT {columns} FROM {from} {joins} WHERE {}", filter.sql);
        if let Some(keyset) = keyset {
            sql.push_str(" AND ");
            sql.push_str(&keyset.sql);
            values.extend_from_slice(&keyset.values);
        }
        sql.push_str(" ORDER BY ");
        sql.push_str(&order.sql);
        values.extend_from_slice(&order.values);
        sql.push_str(" LIMIT ? OFFSET ?");
        values.extend([Bound::Integer(*limit), Bound::Integer(*skipped)]);
        (sql, values)
    }

    /// The statement that counts all rows, as far as they are counted, and its values; `None` where nobody asks.
    pub(super) fn count(&self) -> Option<(String, Vec<Bound>)> {
        let Self { from, filter, .. } = self;
        let all = &filter.sql;
        let sql = match self.count {
            Count::None => return None,
            Count::Exact => format!("SELECT count(*) FROM {from} WHERE {all}"),
            Count::Capped => {
                let bound = COUNT_BOUND + 1;
                format!("SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {all} LIMIT {bound})")
            }
        };
        Some((sql, filter.values.clone()))
    }

    /// What a count of so many rows says; `None` where nothing was counted.
    pub(super) fn total(&self, counted: Option<i64>) -> Total {
        let counted = counted.and_then(|rows| u64::try_from(rows).ok());
        match (self.count, counted) {
            (Count::Capped, Some(rows)) if rows > COUNT_BOUND => Total::AtLeast(COUNT_BOUND),
            (Count::Capped | Count::Exact, Some(rows)) => Total::Exact(rows),
            (Count::None, _) | (_, None) => Total::Unknown,
        }
    }
}

/// The page that `rows` make, which [`Composed::select`] read.
pub(super) fn found<T>(query: &Query, mut rows: Vec<(Keyset, T)>, total: Total) -> Found<T> {
    let limit = query.page.limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more).map(|(key, _)| *key);
    let next_cursor = last.map(|key| query.cursor_after(key, rows.len()).text());
    Found { rows: rows.into_iter().map(|(_, row)| row).collect(), total, next_cursor }
}

/// The statement that reads what `scan` asks for of the rows of `table` in `scope`, its values, and what its columns show.
pub(super) fn scan(
    scan: &Scan<'_>,
    scope: &Scope,
    table: &Table,
    served: Option<Served>,
) -> (String, Vec<Bound>, Vec<Showing>) {
    let showing = table.showing(scan.fields);
    let columns: Vec<&str> = showing.iter().map(|it| it.column).collect();
    // A row without columns still counts.
    let columns = if columns.is_empty() { "1".to_owned() } else { columns.join(", ") };
    let mut parts = filter(scan.filter, scope, table);
    let mut from = table.from.to_owned();
    if let Some(Served { index, part }) = served {
        parts.and(&part.sql, part.values);
        from = indexed(&from, &index);
    }
    let Part { sql, mut values } = parts;
    let order =
        if scan.sort.is_empty() { arrival(scan, scope, table) } else { order(scan.sort, table) };
    values.extend(order.values);
    let sql = format!("SELECT {columns} FROM {from} WHERE {sql} ORDER BY {}", order.sql);
    (sql, values, showing)
}

/// A table that is read through this index; without statistics `SQLite` would not know that it is the better one.
fn indexed(from: &str, index: &str) -> String {
    format!("{from} INDEXED BY \"{index}\"")
}

/// The order of arrival in the words that cost no sort. Rows stand in it, and so do the entries of every index that
/// finds the rows of one project or one time; the two differ only where old rows were brought in late.
fn arrival(scan: &Scan<'_>, scope: &Scope, table: &Table) -> Part {
    let is_one = |name: &str, test: &Test| match test {
        Test::Equal(_) => table.has_index(name),
        Test::Compares(..) => name == "created_at",
        _ => false,
    };
    let by_index = matches!(&scope.projects, Reach::Only(some) if some.len() == 1)
        || scan.filter.all.iter().any(|it| is_one(it.field.name, &it.test));
    let Table { created_at, row, .. } = table;
    let sql = if by_index { format!("{created_at}, {row}") } else { (*row).to_owned() };
    Part::new(sql, Vec::new())
}

fn after(key: Keyset, table: &Table) -> Part {
    let Table { created_at, row, .. } = table;
    Part {
        sql: format!("({created_at}, {row}) < (?, ?)"),
        values: vec![Bound::Integer(key.created_at), Bound::Integer(key.row)],
    }
}

/// That a filter holds, wherever the rows are, and its values.
pub(super) fn condition(asked: &Filter, table: &Table) -> (String, Vec<Bound>) {
    let Part { sql, values } = filter(asked, &Scope::EVERYTHING, table);
    (sql, values)
}

fn filter(filter: &Filter, scope: &Scope, table: &Table) -> Part {
    let mut parts = Part::default();
    if let Some(always) = table.always {
        parts.and(always, []);
    }
    within(scope, table, &mut parts);
    for condition in &filter.all {
        let held = held(condition, table);
        parts.and(&held.sql, held.values);
    }
    for some in [&filter.any, &filter.keyword] {
        let mut any = Part::default();
        for condition in some {
            let held = held(condition, table);
            any.or(&held.sql, held.values);
        }
        if !any.sql.is_empty() {
            parts.and(&format!("({})", any.sql), any.values);
        }
    }
    if parts.sql.is_empty() {
        parts.sql.push('1');
    }
    parts
}

impl Part {
    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Bound>) {
        self.add(" AND ", sql, values);
    }

    fn or(&mut self, sql: &str, values: impl IntoIterator<Item = Bound>) {
        self.add(" OR ", sql, values);
    }

    fn add(&mut self, joined: &str, sql: &str, values: impl IntoIterator<Item = Bound>) {
        if !self.sql.is_empty() {
            self.sql.push_str(joined);
        }
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn new(sql: impl Into<String>, values: Vec<Bound>) -> Self {
        Self { sql: sql.into(), values }
    }

    fn constant(holds: bool) -> Self {
        Self::new(if holds { "1" } else { "0" }, Vec::new())
    }
}

/// Adds that a row lies in `scope`.
fn within(scope: &Scope, table: &Table, parts: &mut Part) {
    match table.owner {
        Owner::Project => within_projects(scope, table, parts),
        Owner::Domain => within_domains(scope, table, parts),
    }
}

/// Adds that a row is of a domain that is reached as a whole.
fn within_domains(scope: &Scope, table: &Table, parts: &mut Part) {
    if (&scope.workspaces, &scope.projects) != (&Reach::All, &Reach::All) {
        parts.and("0", []);
        return;
    }
    let mut inner = Part::default();
    among("d.domain_id", &scope.domains, &mut inner);
    let Part { sql, values } = inner;
    if !sql.is_empty() {
        let Table { project: domain, .. } = table;
        parts.and(&format!("{domain} IN (SELECT d.domain FROM domain d WHERE {sql})"), values);
    }
}

fn within_projects(scope: &Scope, table: &Table, parts: &mut Part) {
    const OF: &str = "SELECT p.project FROM project p JOIN workspace w ON w.workspace = p.workspace \
                      JOIN domain d ON d.domain = w.domain WHERE ";

    let mut inner = Part::default();
    among("p.project_id", &scope.projects, &mut inner);
    among("w.workspace_id", &scope.workspaces, &mut inner);
    among("d.domain_id", &scope.domains, &mut inner);
    let Part { sql, values } = inner;
    if sql.is_empty() {
        return;
    }
    let Table { project, .. } = table;
    match &scope.projects {
        Reach::Only(none) if none.is_empty() => parts.and("0", []),
        // One project's rows are read in their order from an index of their own.
        Reach::Only(one) if one.len() == 1 => {
            parts.and(&format!("{project} = ({OF}{sql})"), values);
        }
        // Several projects' rows are picked from all rows in their order; an index on projects would have them sorted.
        Reach::Only(_) | Reach::All => {
            parts.and(&format!("+{project} IN ({OF}{sql})"), values);
        }
    }
}

fn among<T>(column: &str, reach: &Reach<Id<T>>, parts: &mut Part) {
    match reach {
        Reach::All => {}
        Reach::Only(some) => parts.and(&format!("{column} {IN_LIST}"), [list(some)]),
    }
}

/// Membership in a list that is bound as one value.
const IN_LIST: &str = "IN (SELECT value FROM json_each(?))";

fn list<T>(some: &BTreeSet<Id<T>>) -> Bound {
    let texts: Vec<&str> = some.iter().map(Id::as_str).collect();
    Bound::Text(json!(texts).to_string())
}

fn order(sort: &[Sort], table: &Table) -> Part {
    let Table { created_at, row, .. } = table;
    if sort.is_empty() {
        return Part::new(format!("{created_at} DESC, {row} DESC"), Vec::new());
    }
    let mut parts = Part::default();
    for Key { sql, way, value } in sort.iter().filter_map(|sort| keys::key(sort, table)) {
        parts.add(", ", &format!("{sql} {way}"), value);
    }
    // What ties comes in the order of arrival.
    parts.add(", ", &format!("{row} ASC"), []);
    parts
}
