//! Rows made over: fields renamed, measured and computed with.

use std::borrow::Cow;

use serde_json::{Map, Number, Value, json};

use super::{
    gather::named,
    path::Path,
    value::{Sum, as_float},
};
use crate::error::{Code, Error, Result};

/// What each row becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Project {
    pub(super) fields: Vec<ProjectField>,
    /// The keys of the group before, which rows keep.
    pub(super) keys: Vec<Path>,
}

/// A field of the new row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ProjectField {
    pub(super) name: String,
    pub(super) value: Computed,
    /// Where it stands in the request.
    pub(super) pointer: String,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Computed {
    /// What a path leads to.
    Of(Path),
    /// This number.
    Number(Number),
    /// How long a list is.
    Size(Path),
    /// The sum of a list, or the number itself.
    Sum(Path),
    /// The members of an object as a list of `{k, v}`.
    ObjectToArray(Path),
    /// A list of `{k, v}` as an object.
    ArrayToObject(Path),
    /// What comes out of numbers.
    Reckoned(Reckoning, Vec<Self>),
}

/// What is done with numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reckoning {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Project {
    pub(super) fn of(&self, row: &Value) -> Result<Value> {
        let mut made = Value::Object(Map::new());
        for path in &self.keys {
            if let Some(value) = path.of(row) {
                path.put(&mut made, value.into_owned());
            }
        }
        for field in &self.fields {
            let value = field.value.of(row).map_err(|detail| {
                Error::at(Code::Query, &field.pointer, format!("`{}`: {detail}", field.name))
            })?;
            if let (Some(value), Some(members)) = (value, made.as_object_mut()) {
                members.insert(field.name.clone(), value.into_owned());
            }
        }
        Ok(made)
    }

    /// Shows every path that it looks at.
    pub(super) fn paths(&self, each: &mut dyn FnMut(&Path)) {
        self.keys.iter().for_each(&mut *each);
        self.fields.iter().for_each(|field| field.value.paths(each));
    }
}

impl Computed {
    fn paths(&self, each: &mut dyn FnMut(&Path)) {
        match self {
            Self::Of(path)
            | Self::Size(path)
            | Self::Sum(path)
            | Self::ObjectToArray(path)
            | Self::ArrayToObject(path) => each(path),
            Self::Number(_) => {}
            Self::Reckoned(_, parts) => parts.iter().for_each(|part| part.paths(each)),
        }
    }

    /// The value for a row, if there is one, or why there is none.
    fn of<'a>(&'a self, row: &'a Value) -> Result<Option<Cow<'a, Value>>, String> {
        let value = match self {
            Self::Of(path) => return Ok(path.of(row)),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Size(path) => match path.of(row).as_deref() {
                Some(Value::Array(items)) => Value::from(items.len()),
                other => {
                    return Err(format!("`size` takes a list, and one row has {}", there(other)));
                }
            },
            Self::Sum(path) => {
                let found = path.of(row);
                let mut sum = Sum::default();
                let numbers = match found.as_deref() {
                    Some(Value::Array(items)) => items.as_slice(),
                    Some(single) => std::slice::from_ref(single),
                    None => &[],
                };
                numbers.iter().filter_map(Value::as_number).for_each(|number| sum.add(number, 1));
                sum.value()
            }
            Self::ObjectToArray(path) => match path.there(row).as_deref() {
                None => Value::Null,
                Some(Value::Object(members)) => {
                    members.iter().map(|(name, value)| json!({ "k": name, "v": value })).collect()
                }
                other => {
                    let there = there(other);
                    return Err(format!(
                        "`object_to_array` takes an object, and one row has {there}"
                    ));
                }
            },
            Self::ArrayToObject(path) => match path.there(row).as_deref() {
                None => Value::Null,
                other => object(other).ok_or_else(|| {
                    let there = there(other);
                    format!("`array_to_object` takes a list of {{k, v}}, and one row has {there}")
                })?,
            },
            Self::Reckoned(reckoning, parts) => reckoned(*reckoning, parts, row)?,
        };
        Ok(Some(Cow::Owned(value)))
    }
}

fn there(value: Option<&Value>) -> &'static str {
    value.map_or("nothing", named)
}

fn object(value: Option<&Value>) -> Option<Value> {
    let members = value?.as_array()?.iter().map(|pair| match pair {
        Value::Object(pair) => Some((pair.get("k")?.as_str()?.to_owned(), pair.get("v")?.clone())),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(name), value] => Some((name.clone(), value.clone())),
            _ => None,
        },
        _ => None,
    });
    members.collect::<Option<Map<_, _>>>().map(Value::Object)
}

/// The result; null where a number is missing, or where nothing divides.
fn reckoned(reckoning: Reckoning, parts: &[Computed], row: &Value) -> Result<Value, String> {
    let mut result: Option<Number> = None;
    for part in parts {
        let number = match part.of(row)?.as_deref() {
            None | Some(Value::Null) => return Ok(Value::Null),
            Some(Value::Number(number)) => number.clone(),
            other => {
                return Err(format!("numbers are reckoned with, and one row has {}", there(other)));
            }
        };
        result = match result {
            None => Some(number),
            Some(before) => match together(reckoning, &before, &number) {
                Some(result) => Some(result),
                None => return Ok(Value::Null),
            },
        };
    }
    Ok(result.map_or(Value::Null, Value::Number))
}

fn together(reckoning: Reckoning, a: &Number, b: &Number) -> Option<Number> {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        let whole = match reckoning {
            Reckoning::Add => a.checked_add(b),
            Reckoning::Subtract => a.checked_sub(b),
            Reckoning::Multiply => a.checked_mul(b),
            Reckoning::Divide if b == 0 => return None,
            Reckoning::Divide => {
                return Number::from_f64(as_float(i128::from(a)) / as_float(i128::from(b)));
            }
        };
        if let Some(whole) = whole {
            return Some(Number::from(whole));
        }
    }
    let (a, b) = (a.as_f64()?, b.as_f64()?);
    Number::from_f64(match reckoning {
        Reckoning::Add => a + b,
        Reckoning::Subtract => a - b,
        Reckoning::Multiply => a * b,
        Reckoning::Divide => a / b,
    })
}
