//! Conditions: which records are meant.

use std::cell::Cell;

use serde_json::Value;

use super::{MAX_PARTS, Members, unknown};
use crate::{
    clock::Timestamp,
    query::{Catalogue, Condition, Field, Kind, Operator, QueryError, operator::Place},
};

/// The members of a condition, both spellings.
const CONDITION: &[&str] = &["k", "key", "v", "value", "o", "operator"];

/// The longest key, in characters.
const LONGEST_KEY: usize = 1000;

/// The most conditions with regular expressions that one query has.
const MAX_PATTERNS: u32 = 20;

/// What a query is read against.
pub(in crate::query) struct Asking {
    /// The fields that may be asked about.
    pub(in crate::query) catalogue: &'static Catalogue,
    /// What the time is.
    pub(in crate::query) now: Timestamp,
    patterns: Cell<u32>,
}

/// A condition as it is written.
pub(in crate::query) struct Written<'a> {
    pub(in crate::query) key: &'a str,
    pub(in crate::query) key_at: String,
    pub(in crate::query) operator: Operator,
    pub(in crate::query) operand: Value,
    pub(in crate::query) operand_at: String,
}

impl<'a> Written<'a> {
    /// The condition that stands at `pointer`.
    pub(in crate::query) fn read(value: &'a Value, pointer: &str) -> Result<Self, QueryError> {
        let members = Members::of(value, CONDITION, pointer)?;
        let what = "a condition needs a key: the field it is about";
        let (key, key_at) = members.either_text(["k", "key"], what)?;
        let what = "a condition needs an operator, e.g. `eq`";
        let (word, word_at) = members.either_text(["o", "operator"], what)?;
        let (operand, operand_at) = members.either(["v", "value"])?;
        let operator = Operator::named(word, &word_at)?;
        let operand = operand.cloned().unwrap_or_default();
        Ok(Self { key, key_at, operator, operand, operand_at })
    }
}

impl Asking {
    pub(in crate::query) fn of(catalogue: &'static Catalogue, now: Timestamp) -> Self {
        Self { catalogue, now, patterns: Cell::new(0) }
    }

    /// The conditions of a list that stands at `pointer`.
    pub(in crate::query) fn conditions(
        &self,
        list: &[Value],
        pointer: &str,
    ) -> Result<Vec<Condition>, QueryError> {
        let each = list.iter().enumerate();
        each.map(|(at, value)| self.condition(Written::read(value, &format!("{pointer}/{at}"))?))
            .collect()
    }

    pub(super) fn condition(&self, written: Written<'_>) -> Result<Condition, QueryError> {
        let operator = written.operator;
        let name = self.catalogue.resolved(written.key).split('.').next().unwrap_or_default();
        let (field, path) = match self.catalogue.field(self.catalogue.id) {
            // As in the original, an expression about an unknown field is met by nothing: as below a text, where
            // nothing is.
            Some(id) if operator.takes_patterns() && self.catalogue.field(name).is_none() => {
                (id, vec![name.to_owned()])
            }
            _ => located(written.key, self.catalogue, &written.key_at)?,
        };
        let kind = if path.is_empty() { field.kind } else { Kind::Object };
        let Written { operator, operand, operand_at, .. } = written;
        Ok(Condition { field, path, test: self.test(operator, operand, (kind, &operand_at))? })
    }

    /// What `operator` asks of a value of this kind when it is given `operand`, which stands there.
    pub(in crate::query) fn test(
        &self,
        operator: Operator,
        operand: Value,
        (kind, pointer): (Kind, &str),
    ) -> Result<crate::query::Test, QueryError> {
        if operator.takes_patterns() {
            self.patterns.set(self.patterns.get() + 1);
            if self.patterns.get() > MAX_PATTERNS {
                let detail = format!("at most {MAX_PATTERNS} conditions with regular expressions");
                return Err(QueryError::new(pointer, detail));
            }
        }
        operator.applied(operand, &Place { kind, now: self.now, pointer })
    }

    /// Each word in each of the fields that a keyword looks at.
    pub(in crate::query) fn keyword(
        &self,
        members: &Members<'_>,
        fields: &[&str],
    ) -> Result<Vec<Condition>, QueryError> {
        let Some(words) = members.text("keyword")? else { return Ok(Vec::new()) };
        let words: Vec<&str> = words.split_whitespace().collect();
        if words.len() > MAX_PARTS {
            return Err(members.mistake("keyword", format!("at most {MAX_PARTS} words")));
        }
        let places = words.iter().flat_map(|word| fields.iter().map(move |at| (word, at)));
        let each = places.map(|(word, field)| {
            self.condition(Written {
                key: field,
                key_at: members.at("keyword"),
                operator: Operator::Contain,
                operand: Value::from(*word),
                operand_at: members.at("keyword"),
            })
        });
        each.collect()
    }
}

/// The field that `key` begins with, and the way on below it.
pub(in crate::query) fn located(
    key: &str,
    catalogue: &'static Catalogue,
    pointer: &str,
) -> Result<(&'static Field, Vec<String>), QueryError> {
    if key.len() > LONGEST_KEY {
        let detail = format!("a key has at most {LONGEST_KEY} characters");
        return Err(QueryError::new(pointer, detail));
    }
    let mut segments = catalogue.resolved(key).split('.').map(str::to_owned);
    let name = segments.next().unwrap_or_default();
    let Some(field) = catalogue.field(&name) else {
        let names = catalogue.fields.iter().map(|field| field.name);
        return Err(QueryError::new(pointer, unknown("field", &name, names)));
    };
    Ok((field, segments.collect()))
}
