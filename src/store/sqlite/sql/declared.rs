//! Indexes that projects declare: one path of `additional_info` of one project's events, and the time.
//!
//! The path stands in the text of statements, since an index is used only by the very words that it was made of. That is
//! why an [`IndexedField`] can be made of letters, digits, `_` and `-` alone; it is quoted all the same. Values are bound
//! as ever.
//!
//! What an index says is not what a filter means: a list has several candidates, and numbers have several spellings. So
//! rows with a list on the way are kept in it under a mark, the search is for a value or the mark, and what it finds is
//! decided by the condition itself.

use rusqlite::types::Value as Bound;
use serde_json::Value;

use super::Part;
use crate::{
    domain::{
        project::IndexedField,
        scope::{Reach, Scope},
    },
    query::{Condition, Filter, Test},
};

/// How many values are sought at most.
const MOST_VALUES: usize = 50;

/// The greatest whole number that no float before it is rounded to.
const EXACT: u64 = 1 << 53;

/// An index that a project declared.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Declared<'a> {
    /// The number of the project.
    pub(in crate::store::sqlite) project: i64,
    /// What it is of.
    pub(in crate::store::sqlite) field: &'a IndexedField,
}

/// What a filter asks that an index may serve.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Servable {
    /// The project whose events are asked for.
    pub(in crate::store::sqlite) project_id: String,
    /// The paths, each with the values of which one must be there.
    pub(in crate::store::sqlite) asked: Vec<(IndexedField, Vec<Bound>)>,
}

/// How an index serves a query: what is added to its statement.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Served {
    /// The name of the index.
    pub(super) index: String,
    /// What follows from the filter, in the words of the index.
    pub(super) part: Part,
}

impl Declared<'_> {
    /// What it is called.
    pub(in crate::store::sqlite) fn name(&self) -> String {
        format!("declared {} {}", self.project, self.field)
    }

    /// The statement that makes it.
    pub(in crate::store::sqlite) fn create(&self) -> String {
        let Self { project, field } = self;
        let (name, expression) = (self.name(), expression(field, ""));
        format!(
            "CREATE INDEX \"{name}\" ON event ({expression}, created_at) WHERE project = {project}"
        )
    }

    /// The statement that drops it.
    pub(in crate::store::sqlite) fn drop(&self) -> String {
        format!("DROP INDEX IF EXISTS \"{}\"", self.name())
    }

    /// The statement that tells whether there are lists on the way, which are kept under the mark.
    pub(in crate::store::sqlite) fn has_lists(&self) -> String {
        let (name, expression) = (self.name(), expression(self.field, "e."));
        let project = self.project;
        format!(
            "SELECT EXISTS (SELECT 1 FROM event e INDEXED BY \"{name}\" \
             WHERE e.project = {project} AND {expression} = x'')"
        )
    }

    /// How it serves a search for these values. A single one is found in the order of time, without a sort, if there are
    /// no lists on the way.
    pub(in crate::store::sqlite) fn serves(&self, values: Vec<Bound>, lists: Lists) -> Served {
        let (project, expression) = (self.project, expression(self.field, "e."));
        let sought = match (values.len(), lists) {
            (1, Lists::None) => "= ?".to_owned(),
            (several, Lists::None) => format!("IN ({})", vec!["?"; several].join(", ")),
            (several, Lists::Some) => format!("IN ({}, x'')", vec!["?"; several].join(", ")),
        };
        let sql = format!("e.project = {project} AND {expression} {sought}");
        Served { index: self.name(), part: Part::new(sql, values) }
    }
}

/// Whether there are rows with lists on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::sqlite) enum Lists {
    /// There are.
    Some,
    /// There are none.
    None,
}

/// What the index holds of a row: the mark where there is a list on the way or at its end, else the value.
fn expression(field: &IndexedField, alias: &str) -> String {
    let mut path = "$".to_owned();
    let mut lists = Vec::new();
    for segment in field.segments() {
        path.push_str(&format!(".\"{segment}\""));
        lists.push(format!("json_type({alias}additional_info, '{path}') = 'array'"));
    }
    let lists = lists.join(" OR ");
    format!("CASE WHEN {lists} THEN x'' ELSE json_extract({alias}additional_info, '{path}') END")
}

/// What of a filter over events an index may serve, if one project's events are asked for.
pub(in crate::store::sqlite) fn servable(filter: &Filter, scope: &Scope) -> Option<Servable> {
    let asked: Vec<_> = filter.all.iter().filter_map(sought).collect();
    if asked.is_empty() {
        return None;
    }
    let named = filter.all.iter().find_map(|condition| match &condition.test {
        Test::Equal(Value::String(id)) if condition.field.name == "project_id" => Some(id.clone()),
        _ => None,
    });
    let project_id = named.or_else(|| match &scope.projects {
        Reach::Only(some) if some.len() == 1 => some.first().map(|id| id.as_str().to_owned()),
        Reach::Only(_) | Reach::All => None,
    })?;
    Some(Servable { project_id, asked })
}

/// The path and the values of which one must be there, if it is so simple.
fn sought(condition: &Condition) -> Option<(IndexedField, Vec<Bound>)> {
    let values = match &condition.test {
        Test::Equal(value) => std::slice::from_ref(value),
        Test::Among(values) => values,
        _ => return None,
    };
    let is_ours = condition.field.name == "additional_info" && !condition.path.is_empty();
    if !is_ours || values.is_empty() || values.len() > MOST_VALUES {
        return None;
    }
    let field = IndexedField::of(&condition.path)?;
    let values: Option<Vec<Bound>> = values.iter().map(spelled).collect();
    Some((field, values?))
}

/// A value as SQLite reads it out of JSON; `None` where the two may differ, and for null, which may be absent too.
fn spelled(value: &Value) -> Option<Bound> {
    match value {
        Value::Bool(truth) => Some(Bound::Integer(i64::from(*truth))),
        Value::Number(number) => {
            number.as_i64().filter(|whole| whole.unsigned_abs() <= EXACT).map(Bound::Integer)
        }
        Value::String(text) if !text.contains('\0') => Some(Bound::Text(text.clone())),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
