//! What must hold of one field, in `SQL`.

use rusqlite::types::Value as Bound;
use serde_json::{Value, json};

use super::{
    Form, IN_LIST, Part,
    columns::{Column, Table},
};
use crate::{
    clock::Timestamp,
    query::{Condition, Kind, Test},
};

/// That a condition holds.
pub(super) fn held(condition: &Condition, table: &Table) -> Part {
    let Condition { field, path, test } = condition;
    let Some(column) = table.column(field.name) else {
        return Part::constant(test.holds(&Value::Null, &["absent".to_owned()], field.kind));
    };
    let part = match column {
        Column::Json(sql) => by_function(Form::Json, sql, path, test),
        Column::Names(sql) => by_function(Form::Names, sql, path, test),
        Column::Raw { content, .. } => by_function(Form::Raw, content, path, test),
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

/// The condition as a function of ours decides it.
fn by_function(form: Form, columns: &str, path: &[String], test: &Test) -> Part {
    let (operator, operand) = test.parts();
    let asked = json!([path, operator.word(), operand]).to_string();
    Part::new(format!("{}({columns}, ?)", form.holds()), vec![Bound::Text(asked)])
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
        Test::Compares(_, Value::Null) | Test::Instant(_, None) => Part::constant(false),
        Test::Compares(how, value) => compared(sql, how.symbol(), bound(value, kind)),
        Test::Contains(_) | Test::Lacks(_) | Test::Matches(_) | Test::Element(_) => {
            told(sql, kind, test)
        }
        Test::Instant(how, Some(time)) if kind == Kind::Time => {
            compared(sql, how.symbol(), Some(Bound::Integer(time.timestamp_millis())))
        }
        Test::Instant(..) => told(sql, kind, test),
        // A column is always there, `NULL` or not.
        Test::Exists(wanted) => Part::constant(*wanted),
    }
}

/// The condition over what a text says; what is no text says nothing.
fn told(sql: &str, kind: Kind, test: &Test) -> Part {
    match test {
        _ if kind != Kind::Text => Part::constant(test.holds(&Value::Null, &[], kind)),
        Test::Contains(parts) if parts.len() == 1 => {
            Part::new(format!("icontains({sql}, ?)"), vec![Bound::Text(parts[0].clone())])
        }
        Test::Lacks(parts) if parts.len() == 1 => {
            Part::new(format!("NOT icontains({sql}, ?)"), vec![Bound::Text(parts[0].clone())])
        }
        _ => by_function(Form::Plain, sql, &[], test),
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
