//! Inhibitions: while one alert is open, others that say less than it are muted.

use serde_json::Value;

use super::{AlertFilter, Area, filter::short, record::values};
use crate::{
    clock::Timestamp,
    digest::sha256,
    error::{Code, Error, Result},
    id::{Id, Identified},
    query::{ALERTS, Query, Shape},
};

/// The most fields that must be equal.
const MOST_FIELDS: usize = 10;

/// While an alert that meets one filter is open, alerts that meet another are muted where the named fields are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Inhibition {
    /// Its identifier.
    pub inhibition_id: Id<Inhibition>,
    /// What people call it.
    pub name: String,
    /// Whose alerts it is about.
    pub area: Area,
    /// Which alerts mute others.
    pub source: AlertFilter,
    /// Which alerts are muted.
    pub target: AlertFilter,
    /// In what both must be equal.
    pub equal: Vec<EqualField>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was closed; it mutes no more.
    pub closed_at: Option<Timestamp>,
}

/// A field in which two alerts must be equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EqualField {
    /// As it was written, e.g. `additional_info.cluster`.
    pub written: String,
    path: Vec<String>,
}

/// What the named fields of an alert hold, as one number: equal where they hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EqualValues(pub [u8; 16]);

/// The part that an alert may play in an inhibition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It mutes others.
    Source,
    /// It is muted by others.
    Target,
}

impl Identified for Inhibition {
    const PREFIX: &'static str = "inhibition";
}

impl EqualValues {
    /// The number as 32 hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// The number that these 32 hexadecimal digits are.
    pub fn from_hex(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl EqualField {
    /// The field that is written so, at `pointer` of a request.
    pub fn read(written: &str, pointer: &str) -> Result<Self> {
        let query = serde_json::json!({ "only": [written] });
        let query = Query::parse(&query, &ALERTS, Timestamp::UNIX_EPOCH);
        let query = query
            .map_err(|error| crate::query::QueryError { pointer: pointer.to_owned(), ..error })?;
        let Shape::Only(paths) = query.shape else {
            return Err(Error::at(Code::InvalidParameter, pointer, "expected the name of a field"));
        };
        let path = paths.first().map(|path| path.split('.').map(str::to_owned).collect());
        Ok(Self { written: written.to_owned(), path: path.unwrap_or_default() })
    }

    /// The fields that are written so, in a list at `pointer` of a request.
    pub fn list(written: &[String], pointer: &str) -> Result<Vec<Self>> {
        if written.is_empty() || written.len() > MOST_FIELDS {
            let detail = format!(
                "expected 1 to {MOST_FIELDS} fields in which both alerts are equal, such as additional_info.cluster"
            );
            return Err(Error::at(Code::InvalidParameter, pointer, detail));
        }
        let fields = written.iter().enumerate();
        fields.map(|(at, field)| Self::read(field, &format!("{pointer}/{at}"))).collect()
    }
}

impl Inhibition {
    /// What it is called where something says what muted an alert.
    pub fn by(&self) -> String {
        format!("inhibition:{}", self.inhibition_id)
    }

    /// Why it is too broad, if it is.
    pub fn too_broad(&self) -> Option<String> {
        (!self.source.is_narrow()).then(|| {
            "`source` names nothing that tells alerts apart: give at least one condition with `eq` or `in`, of another field than severity, urgency, state or where the alert lives".to_owned()
        })
    }

    /// What an alert holds in the named fields, or the first of them that it does not have: what is absent equals nothing.
    pub fn values(&self, record: &Value) -> std::result::Result<EqualValues, &EqualField> {
        let mut text = String::new();
        for field in &self.equal {
            let mut found: Vec<String> =
                values(record, &field.path).into_iter().map(plain).collect();
            if found.is_empty() {
                return Err(field);
            }
            found.sort_unstable();
            found.dedup();
            for value in found {
                text.push_str(&value);
                text.push('\u{1}');
            }
            text.push('\u{2}');
        }
        let mut half = [0; 16];
        half.copy_from_slice(&sha256(text.as_bytes())[..16]);
        Ok(EqualValues(half))
    }

    /// The parts that an alert plays, with what it holds in the named fields.
    pub fn sides(&self, record: &Value) -> Vec<(Side, EqualValues)> {
        let Ok(values) = self.values(record) else { return Vec::new() };
        let sides = [(Side::Source, &self.source), (Side::Target, &self.target)];
        let played = sides.into_iter().filter(|(_, filter)| filter.matches(record));
        played.map(|(side, _)| (side, values)).collect()
    }

    /// What is equal of an alert and its inhibitor, in words.
    pub fn equal_in_words(&self, record: &Value) -> String {
        let said = self.equal.iter().map(|field| {
            let found: Vec<String> =
                values(record, &field.path).iter().map(ToString::to_string).collect();
            format!("`{}` {}", field.written, short(&found.join(", ")))
        });
        said.collect::<Vec<_>>().join(" and ")
    }
}

/// A value such that equal ones look the same: a number that is whole has no point.
fn plain(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Some(_) | None => value.to_string(),
    }
}
