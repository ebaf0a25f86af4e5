//! From a checked query to `SQL`: every value is bound, every name comes from a table of ours.
//!
//! A resource's own file writes out its columns and joins; what is composed here follows its `FROM`. What can be found
//! by an index is asked for in the form that uses it; what is in JSON is decided by functions that run the same code as
//! a filter over records in memory ([`functions`]).

mod columns;
mod functions;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use rusqlite::types::Value as Bound;
use serde_json::{Value, json};

use self::columns::{Column, Table};
pub(super) use self::{
    columns::{ALERTS, EVENTS},
    functions::register,
};
use crate::{
    clock::Timestamp,
    domain::scope::{Reach, Scope},
    id::Id,
    query::{Condition, Count, Cursor, Direction, Keyset, Kind, Query, Sort, Test},
    store::{Found, Total},
};

/// How far rows are counted unless the caller asks for more.
const COUNT_BOUND: u64 = 10_000;

/// A query in `SQL`.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    from: &'static str,
    /// Which rows, wherever the page begins.
    filter: Part,
    /// Which rows come after the page before.
    keyset: Option<Part>,
    order: Part,
    skipped: i64,
    limit: i64,
    count: Count,
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
        from: table.from,
        filter: filter(query, scope, table),
        keyset,
        order: order(&query.sort, table),
        skipped,
        // One more than asked for, which tells whether there is a next page.
        limit: i64::from(query.page.limit) + 1,
        count: query.page.count,
    }
}

impl Composed {
    /// The statement that reads `columns` (with joins to other tables after `FROM`, if it needs any), and its values.
    /// It returns one row more than the page has, if there is one; [`found`] takes that into account.
    pub(super) fn select(&self, columns: &str, joins: &str) -> (String, Vec<Bound>) {
        let Self { from, filter, keyset, order, skipped, limit, count: _ } = self;
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

fn after(key: Keyset, table: &Table) -> Part {
    let Table { created_at, row, .. } = table;
    Part {
        sql: format!("({created_at}, {row}) < (?, ?)"),
        values: vec![Bound::Integer(key.created_at), Bound::Integer(key.row)],
    }
}

fn filter(query: &Query, scope: &Scope, table: &Table) -> Part {
    let mut parts = Part::default();
    if let Some(always) = table.always {
        parts.and(always, []);
    }
    within(scope, table, &mut parts);
    for condition in &query.filter.all {
        let held = held(condition, table);
        parts.and(&held.sql, held.values);
    }
    for some in [&query.filter.any, &query.filter.keyword] {
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

/// That a condition holds.
fn held(condition: &Condition, table: &Table) -> Part {
    let Condition { field, path, test } = condition;
    let Some(column) = table.column(field.name) else {
        return Part::constant(test.holds(&Value::Null, &["absent".to_owned()], field.kind));
    };
    let part = match column {
        Column::Json(sql) => in_json("holds", sql, path, test),
        Column::Names(sql) => in_json("named_holds", sql, path, test),
        Column::Value(_) | Column::Found { .. } if !path.is_empty() => {
            Part::constant(test.holds(&Value::Null, path, field.kind))
        }
        Column::Value(sql) => plain(sql, field.kind, test),
        Column::Found { value, one, some } => {
            sought([one, some], field.kind, test).unwrap_or_else(|| plain(value, field.kind, test))
        }
    };
    with_hint(part, condition, table)
}

/// Says in the words of an index what follows from the condition, so that the index is used.
fn with_hint(part: Part, condition: &Condition, table: &Table) -> Part {
    let Some((name, left_out, hint)) = table.hint else { return part };
    let Condition { field, path, test } = condition;
    if field.name != name || test.holds(&Value::from(left_out), path, field.kind) {
        return part;
    }
    Part::new(format!("({} AND {hint})", part.sql), part.values)
}

fn in_json(function: &str, column: &str, path: &[String], test: &Test) -> Part {
    let (operator, operand) = test.parts();
    let asked = json!([path, operator.word(), operand]).to_string();
    Part::new(format!("{function}({column}, ?)"), vec![Bound::Text(asked)])
}

/// The condition in the form that uses an index, if it asks for certain values.
fn sought([one, some]: [&str; 2], kind: Kind, test: &Test) -> Option<Part> {
    let values = match test {
        Test::Equal(value) => std::slice::from_ref(value),
        Test::Among(values) => values,
        Test::Unequal(_)
        | Test::NotAmong(_)
        | Test::Compares(..)
        | Test::Contains(_)
        | Test::Lacks(_)
        | Test::Matches(_)
        | Test::Element(_)
        | Test::Instant(..)
        | Test::Exists(_) => return None,
    };
    // What a column cannot hold, null included, is for the other form.
    let bounds: Vec<Bound> = values.iter().map_while(|value| bound(value, kind)).collect();
    if bounds.len() < values.len() {
        return None;
    }
    match bounds.as_slice() {
        [] => None,
        [single] => Some(repeated(one, single)),
        _ => Some(repeated(some, &bound_list(values, kind).1)),
    }
}

/// `sql` with the same value for each of its question marks.
fn repeated(sql: &str, value: &Bound) -> Part {
    let marks = sql.matches('?').count();
    Part::new(sql, vec![value.clone(); marks])
}

/// The condition over an expression that is of one type, or `NULL`.
fn plain(sql: &str, kind: Kind, test: &Test) -> Part {
    match test {
        Test::Equal(Value::Null) => Part::new(format!("{sql} IS NULL"), Vec::new()),
        Test::Unequal(Value::Null) => Part::new(format!("{sql} IS NOT NULL"), Vec::new()),
        Test::Equal(value) => compared(sql, "=", bound(value, kind)),
        Test::Unequal(value) => match bound(value, kind) {
            Some(value) => Part::new(format!("{sql} IS NOT ?"), vec![value]),
            None => Part::constant(true),
        },
        Test::Among(values) => {
            let (null, list) = bound_list(values, kind);
            let null = if null { format!(" OR {sql} IS NULL") } else { String::new() };
            Part::new(format!("({sql} {IN_LIST}{null})"), vec![list])
        }
        Test::NotAmong(values) => {
            let (null, list) = bound_list(values, kind);
            let null = if null { "IS NOT NULL AND" } else { "IS NULL OR" };
            Part::new(format!("({sql} {null} {sql} NOT {IN_LIST})"), vec![list])
        }
        Test::Compares(how, Value::Null) if how.holds_of_equals() => {
            Part::new(format!("{sql} IS NULL"), Vec::new())
        }
        Test::Compares(_, Value::Null) => Part::constant(false),
        Test::Compares(how, value) => compared(sql, how.symbol(), bound(value, kind)),
        Test::Contains(parts) if kind == Kind::Text => {
            let mut any = Part::constant(false);
            for part in parts {
                any.or(&format!("icontains({sql}, ?)"), [Bound::Text(part.clone())]);
            }
            Part::new(format!("({})", any.sql), any.values)
        }
        Test::Lacks(parts) if kind == Kind::Text => {
            let mut any = Part::constant(false);
            for part in parts {
                any.or(&format!("icontains({sql}, ?)"), [Bound::Text(part.clone())]);
            }
            Part::new(format!("NOT ({})", any.sql), any.values)
        }
        Test::Matches(_) if kind == Kind::Text => {
            let (operator, operand) = test.parts();
            let asked = json!([[], operator.word(), operand]).to_string();
            Part::new(format!("holds(json_quote({sql}), ?)"), vec![Bound::Text(asked)])
        }
        Test::Contains(_) | Test::Matches(_) | Test::Element(_) | Test::Instant(..) => {
            Part::constant(false)
        }
        Test::Lacks(_) => Part::constant(true),
        // A column is always there, `NULL` or not.
        Test::Exists(wanted) => Part::constant(*wanted),
    }
}

fn compared(sql: &str, symbol: &str, value: Option<Bound>) -> Part {
    match value {
        Some(value) => Part::new(format!("{sql} {symbol} ?"), vec![value]),
        None => Part::constant(false),
    }
}

/// The value as a column of this kind holds it; `None` where no such column can hold it.
fn bound(value: &Value, kind: Kind) -> Option<Bound> {
    match (kind, value) {
        (Kind::Text, Value::String(text)) => Some(Bound::Text(text.clone())),
        (Kind::Integer, Value::Number(number)) => match number.as_i64() {
            Some(whole) => Some(Bound::Integer(whole)),
            None => number.as_f64().map(Bound::Real),
        },
        (Kind::Time, Value::String(time)) => {
            let time: Timestamp = time.parse().ok()?;
            Some(Bound::Integer(time.timestamp_millis()))
        }
        _ => None,
    }
}

/// Whether null is among the values, and the others that a column of this kind can hold, as one value.
fn bound_list(values: &[Value], kind: Kind) -> (bool, Bound) {
    let others = values.iter().filter_map(|value| bound(value, kind)).filter_map(|value| {
        Some(match value {
            // SQLite reads a text in JSON only up to a NUL, and would find what is another value.
            Bound::Text(text) if text.contains('\0') => return None,
            Bound::Text(text) => Value::from(text),
            Bound::Integer(number) => Value::from(number),
            Bound::Real(number) => Value::from(number),
            Bound::Null | Bound::Blob(_) => return None,
        })
    });
    let others: Vec<Value> = others.collect();
    (values.iter().any(Value::is_null), Bound::Text(Value::Array(others).to_string()))
}

fn order(sort: &[Sort], table: &Table) -> Part {
    let Table { created_at, row, .. } = table;
    if sort.is_empty() {
        return Part::new(format!("{created_at} DESC, {row} DESC"), Vec::new());
    }
    let mut parts = Part::default();
    for Sort { field, path, direction } in sort {
        let (way, flag) = match direction {
            Direction::Ascending => ("ASC", 0),
            Direction::Descending => ("DESC", 1),
        };
        let Some(column) = table.column(field.name) else { continue };
        let ranked = |function: &str, sql: &str| {
            let path = Bound::Text(json!(path).to_string());
            (format!("{function}({sql}, ?, {flag}) {way}"), Some(path))
        };
        let (sql, value) = match column {
            Column::Json(sql) => ranked("rank_of", sql),
            Column::Names(sql) => ranked("named_rank_of", sql),
            Column::Value(_) | Column::Found { .. } if !path.is_empty() => continue,
            Column::Value(sql) | Column::Found { value: sql, .. } => (format!("{sql} {way}"), None),
        };
        parts.add(", ", &sql, value);
    }
    // What ties comes in the order of arrival.
    parts.add(", ", &format!("{row} ASC"), []);
    parts
}
