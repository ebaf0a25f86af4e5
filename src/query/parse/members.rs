//! The members of the objects that a request is made of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::unknown;
use crate::query::QueryError;

/// The most conditions, keys of an order, words of a keyword and parts of anything else that one query has.
pub(in crate::query) const MAX_PARTS: usize = 100;

/// The members of an object by their names in snake case, and where the object stands.
pub(in crate::query) struct Members<'a> {
    pointer: String,
    /// By name in snake case: the name as it is written, and the value.
    members: BTreeMap<String, (&'a str, &'a Value)>,
}

impl<'a> Members<'a> {
    /// The members of `value`, which stands at `pointer`; unknown ones and double ones are mistakes.
    pub(in crate::query) fn of(
        value: &'a Value,
        known: &[&str],
        pointer: &str,
    ) -> Result<Self, QueryError> {
        let Value::Object(object) = value else {
            return Err(QueryError::new(pointer, "this must be an object"));
        };
        let mut members = BTreeMap::new();
        for (name, value) in object {
            let snake = snake_case(name);
            let at = || format!("{pointer}/{}", escaped(name));
            if !known.contains(&snake.as_str()) {
                return Err(QueryError::new(at(), unknown("member", name, known.iter().copied())));
            }
            if members.insert(snake, (name.as_str(), value)).is_some() {
                return Err(QueryError::new(at(), format!("`{name}` is given twice")));
            }
        }
        Ok(Self { pointer: pointer.to_owned(), members })
    }

    /// Where the object stands.
    pub(in crate::query) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Where the member stands, or would stand.
    pub(in crate::query) fn at(&self, name: &str) -> String {
        let written = self.members.get(name).map_or(name, |(written, _)| written);
        format!("{}/{}", self.pointer, escaped(written))
    }

    /// A mistake at this member.
    pub(in crate::query) fn mistake(&self, name: &str, detail: impl Into<String>) -> QueryError {
        QueryError::new(self.at(name), detail)
    }

    /// A member; null is none.
    pub(in crate::query) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).map(|(_, value)| *value).filter(|value| !value.is_null())
    }

    /// A member that has two names, and where it is or should be.
    pub(in crate::query) fn either(
        &self,
        [short, long]: [&str; 2],
    ) -> Result<(Option<&'a Value>, String), QueryError> {
        match (self.members.get(short), self.members.get(long)) {
            (Some(_), Some(_)) => {
                let detail = format!("`{short}` and `{long}` are the same: give one of them");
                Err(self.mistake(long, detail))
            }
            (None, Some((_, value))) => Ok((Some(value), self.at(long))),
            (value, None) => Ok((value.map(|(_, value)| *value), self.at(short))),
        }
    }

    /// A text that has two names; an empty one is none.
    pub(in crate::query) fn either_text(
        &self,
        names: [&str; 2],
        what: &str,
    ) -> Result<(&'a str, String), QueryError> {
        match self.either(names)? {
            (Some(Value::String(text)), at) if !text.is_empty() => Ok((text, at)),
            (_, at) => Err(QueryError::new(at, what)),
        }
    }

    /// A list of so many members that a query may have; nothing is an empty one.
    pub(in crate::query) fn list(&self, name: &str) -> Result<&'a [Value], QueryError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) if items.len() > MAX_PARTS => {
                Err(self.mistake(name, format!("at most {MAX_PARTS} of them")))
            }
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.mistake(name, format!("`{name}` is a list"))),
        }
    }

    /// True or false; nothing is false.
    pub(in crate::query) fn flag(&self, name: &str) -> Result<bool, QueryError> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.mistake(name, format!("`{name}` is true or false"))),
        }
    }

    /// A text; an empty one is none.
    pub(in crate::query) fn text(&self, name: &str) -> Result<Option<&'a str>, QueryError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.mistake(name, format!("`{name}` is a text"))),
        }
    }

    /// A whole number from zero; it may come as text.
    pub(in crate::query) fn number(&self, name: &str) -> Result<Option<u64>, QueryError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match whole(value) {
                Some(number) => Ok(Some(number)),
                None => Err(self.mistake(name, format!("`{name}` is a whole number from zero"))),
            },
        }
    }
}

/// The whole number from zero that a value is, or is written in.
pub(in crate::query) fn whole(value: &Value) -> Option<u64> {
    let read = match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            // Clients that know only floating-point numbers write 10 as 10.0.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
            (float.fract() == 0.0 && (0.0..9e15).contains(&float)).then_some(float as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    // The store counts rows in 64 bits with a sign.
    read.filter(|rows| i64::try_from(*rows).is_ok())
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
