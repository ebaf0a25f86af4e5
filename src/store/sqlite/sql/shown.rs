//! What the columns of a row show: the same that the API's view of its resource shows.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::columns::{Column, Table};
use crate::{
    clock::{from_millis, rfc3339},
    query::Kind,
};

/// One column of a scan.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sqlite) struct Showing {
    /// The field that it shows.
    pub(in crate::store::sqlite) name: &'static str,
    /// The expression that is read.
    pub(super) column: &'static str,
    /// How what is read is shown.
    pub(in crate::store::sqlite) form: Form,
}

/// How what is in a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::sqlite) enum Form {
    /// As it is: a text, a number, or null.
    Plain,
    /// A number of milliseconds, as a time.
    Time,
    /// JSON.
    Json,
    /// A JSON list of names, each as an object.
    Names,
    /// The number of a delivery, as what was posted in it.
    Raw,
}

impl Table {
    /// How each of `fields` that is in the tables is read.
    pub(super) fn showing(&self, fields: &BTreeSet<&'static str>) -> Vec<Showing> {
        let columns = self.columns.iter().filter(|(name, _)| fields.contains(name));
        columns.map(|(name, column)| self.shows(name, *column)).collect()
    }

    fn shows(&self, name: &'static str, column: Column) -> Showing {
        let (column, form) = match column {
            Column::Value(sql) | Column::Found { value: sql, .. } => {
                let is_time = self.catalogue.field(name).is_some_and(|it| it.kind == Kind::Time);
                (sql, if is_time { Form::Time } else { Form::Plain })
            }
            Column::Json(sql) => (sql, Form::Json),
            Column::Names(sql) => (sql, Form::Names),
            Column::Raw { delivery, .. } => (delivery, Form::Raw),
        };
        Showing { name, column, form }
    }
}

impl Form {
    /// What is shown of what is in the column; of a delivery, its number.
    pub(in crate::store::sqlite) fn value(self, column: ValueRef<'_>) -> Value {
        match (self, column) {
            (_, ValueRef::Null | ValueRef::Blob(_)) => Value::Null,
            (Self::Time, ValueRef::Integer(millis)) => Value::from(rfc3339(from_millis(millis))),
            (_, ValueRef::Integer(number)) => Value::from(number),
            (_, ValueRef::Real(number)) => Value::from(number),
            (Self::Plain | Self::Time | Self::Raw, ValueRef::Text(text)) => {
                Value::from(String::from_utf8_lossy(text))
            }
            (Self::Json, ValueRef::Text(text)) => parsed(text),
            (Self::Names, ValueRef::Text(text)) => match parsed(text) {
                Value::Array(names) => names.into_iter().map(named).collect(),
                other => other,
            },
        }
    }
}

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_default()
}

fn named(name: Value) -> Value {
    json!({ "resource_id": null, "resource_type": null, "name": name })
}
