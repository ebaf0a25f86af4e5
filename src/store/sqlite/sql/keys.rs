//! The keys of an order in `SQL`.

use rusqlite::types::Value as Bound;
use serde_json::json;

use super::{
    Form,
    columns::{Column, Table},
};
use crate::query::{Direction, Sort};

/// One key of an order.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Key {
    /// What is sorted by.
    pub(super) sql: String,
    /// Which way.
    pub(super) way: &'static str,
    /// The value for its question mark, if it has one.
    pub(super) value: Option<Bound>,
}

/// The key that `sort` is; none where everything ties.
pub(super) fn key(sort: &Sort, table: &Table) -> Option<Key> {
    let Sort { field, path, direction } = sort;
    let (way, flag) = match direction {
        Direction::Ascending => ("ASC", 0),
        Direction::Descending => ("DESC", 1),
    };
    let ranked = |form: Form, sql: &str| {
        let value = Some(Bound::Text(json!(path).to_string()));
        Key { sql: format!("{}({sql}, ?, {flag})", form.rank_of()), way, value }
    };
    Some(match table.column(field.name)? {
        Column::Json(sql) => ranked(Form::Json, sql),
        Column::Names(sql) => ranked(Form::Names, sql),
        Column::Raw { content, .. } => ranked(Form::Raw, content),
        Column::Value(_) | Column::Found { .. } if !path.is_empty() => return None,
        Column::Value(sql) | Column::Found { value: sql, .. } => {
            Key { sql: sql.to_owned(), way, value: None }
        }
    })
}
