//! The operators: the words, what each takes, and what it means.
//!
//! An operator is added here: a word of [`Operator`] with its arm in [`Operator::applied`], and, where it means something
//! new, a variant of [`Test`] with its arm in [`super::matches`] and in the store's SQL.

use serde_json::{Map, Value};

use super::{
    QueryError,
    fields::Kind,
    parse::unknown,
    patterns::{Fault, Patterns},
    time,
};
use crate::{
    clock::{Timestamp, rfc3339},
    error::Code,
};

macro_rules! operators {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal),+ $(,)?) => {
        /// What may stand in a condition's `o`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operator { $($(#[doc = $doc])+ $name),+ }

        impl Operator {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What it asks, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

operators! {
    /// It, or one of its elements, is this value; null also means that it is not there.
    Eq = "eq",
    /// Neither it nor one of its elements is this value.
    Not = "not",
    /// It, or one of its elements, is one of these values.
    In = "in",
    /// Neither it nor one of its elements is one of these values.
    NotIn = "not_in",
    /// It, or one of its elements, is greater.
    Gt = "gt",
    /// It, or one of its elements, is greater or the same.
    Gte = "gte",
    /// It, or one of its elements, is less.
    Lt = "lt",
    /// It, or one of its elements, is less or the same.
    Lte = "lte",
    /// It, or one of its elements, contains this text, in whatever case.
    Contain = "contain",
    /// Neither it nor one of its elements contains this text, in whatever case.
    NotContain = "not_contain",
    /// It, or one of its elements, contains one of these texts, in whatever case.
    ContainIn = "contain_in",
    /// Neither it nor one of its elements contains any of these texts, in whatever case.
    NotContainIn = "not_contain_in",
    /// This regular expression matches somewhere in it or in one of its elements, in whatever case.
    Regex = "regex",
    /// One of these regular expressions matches somewhere in it or in one of its elements, in whatever case.
    RegexIn = "regex_in",
    /// It is there (true), or is not (false); null is there.
    Exists = "exists",
    /// It is a list, and one of its elements is an object with all these members.
    Match = "match",
    /// It is later than this time of ISO 8601.
    DatetimeGt = "datetime_gt",
    /// It is later than this time of ISO 8601, or the same.
    DatetimeGte = "datetime_gte",
    /// It is earlier than this time of ISO 8601.
    DatetimeLt = "datetime_lt",
    /// It is earlier than this time of ISO 8601, or the same.
    DatetimeLte = "datetime_lte",
    /// It is later than this distance from now, such as `now-2h` or `now/d`.
    TimediffGt = "timediff_gt",
    /// It is later than this distance from now, or the same.
    TimediffGte = "timediff_gte",
    /// It is earlier than this distance from now.
    TimediffLt = "timediff_lt",
    /// It is earlier than this distance from now, or the same.
    TimediffLte = "timediff_lte",
}

/// What must hold of a value: an operator with what it was given, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Some candidate equals this.
    Equal(Value),
    /// No candidate equals this.
    Unequal(Value),
    /// Some candidate is one of these.
    Among(Vec<Value>),
    /// No candidate is one of these.
    NotAmong(Vec<Value>),
    /// Some candidate of the same type compares so with this.
    Compares(Comparison, Value),
    /// Some candidate that is text contains one of these, which are in lower case.
    Contains(Vec<String>),
    /// No candidate that is text contains any of these, which are in lower case.
    Lacks(Vec<String>),
    /// Some candidate that is text matches one of these, in whatever case.
    Matches(Patterns),
    /// Some element of a list is an object with all these members.
    Element(Map<String, Value>),
    /// Some candidate that is a text naming an instant (RFC 3339) compares so with this instant; with none, nothing
    /// does. On a field that holds a time this is [`Compares`](Self::Compares).
    Instant(Comparison, Option<Timestamp>),
    /// The path leads somewhere, or does not.
    Exists(bool),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Is greater.
    Greater,
    /// Is greater or the same.
    GreaterOrEqual,
    /// Is less.
    Less,
    /// Is less or the same.
    LessOrEqual,
}

impl Comparison {
    /// How `SQL` writes it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    /// Whether it holds of things that stand so to each other.
    pub fn holds_of(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }

    /// Whether it holds of things that are the same.
    pub const fn holds_of_equals(self) -> bool {
        match self {
            Self::GreaterOrEqual | Self::LessOrEqual => true,
            Self::Greater | Self::Less => false,
        }
    }
}

impl Operator {
    /// The operator called `word`; `pointer` is where the word stands.
    pub(super) fn named(word: &str, pointer: &str) -> Result<Self, QueryError> {
        let found = Self::ALL.iter().find(|operator| operator.word() == word);
        found.copied().ok_or_else(|| {
            let words = Self::ALL.iter().map(|operator| operator.word());
            QueryError::new(pointer, unknown("operator", word, words))
        })
    }

    /// What it asks of a value when it is given `operand`.
    pub(super) fn applied(self, operand: Value, place: &Place<'_>) -> Result<Test, QueryError> {
        // A number contains nothing: as the original has it, the operator then asks whether it is the same.
        if place.kind == Kind::Integer
            && let Some(plain) = self.of_numbers()
        {
            return plain.applied(operand, place);
        }
        Ok(match self {
            // What is no time equals none.
            Self::Eq => match self.single(operand, place)? {
                Some(value) => Test::Equal(value),
                None => Test::Among(Vec::new()),
            },
            Self::Not => match self.single(operand, place)? {
                Some(value) => Test::Unequal(value),
                None => Test::NotAmong(Vec::new()),
            },
            Self::In => Test::Among(self.several(operand, place)?),
            Self::NotIn => Test::NotAmong(self.several(operand, place)?),
            Self::Gt => self.compares(Comparison::Greater, operand, place)?,
            Self::Gte => self.compares(Comparison::GreaterOrEqual, operand, place)?,
            Self::Lt => self.compares(Comparison::Less, operand, place)?,
            Self::Lte => self.compares(Comparison::LessOrEqual, operand, place)?,
            Self::Contain => Test::Contains(vec![self.text(operand, place)?.to_lowercase()]),
            Self::NotContain => Test::Lacks(vec![self.text(operand, place)?.to_lowercase()]),
            Self::ContainIn => Test::Contains(lowered(self.texts(operand, place)?)),
            Self::NotContainIn => Test::Lacks(lowered(self.texts(operand, place)?)),
            Self::Regex => {
                let patterns = Patterns::compile(vec![self.text(operand, place)?]);
                let at = |Fault { detail, .. }| QueryError::new(place.pointer, detail);
                Test::Matches(patterns.map_err(at)?)
            }
            Self::RegexIn => {
                let patterns = Patterns::compile(self.texts(operand, place)?);
                Test::Matches(patterns.map_err(|fault| place.faulty(fault))?)
            }
            Self::Exists => Test::Exists(self.truth(&operand, place)?),
            Self::Match => Test::Element(self.members(operand, place)?),
            Self::DatetimeGt => self.datetime(Comparison::Greater, &operand, place)?,
            Self::DatetimeGte => self.datetime(Comparison::GreaterOrEqual, &operand, place)?,
            Self::DatetimeLt => self.datetime(Comparison::Less, &operand, place)?,
            Self::DatetimeLte => self.datetime(Comparison::LessOrEqual, &operand, place)?,
            Self::TimediffGt => self.timediff(Comparison::Greater, &operand, place)?,
            Self::TimediffGte => self.timediff(Comparison::GreaterOrEqual, &operand, place)?,
            Self::TimediffLt => self.timediff(Comparison::Less, &operand, place)?,
            Self::TimediffLte => self.timediff(Comparison::LessOrEqual, &operand, place)?,
        })
    }

    /// What it means of whole numbers, where that is another operator.
    const fn of_numbers(self) -> Option<Self> {
        match self {
            Self::Contain => Some(Self::Eq),
            Self::NotContain => Some(Self::Not),
            Self::ContainIn => Some(Self::In),
            Self::NotContainIn => Some(Self::NotIn),
            _ => None,
        }
    }

    /// Whether it takes regular expressions.
    pub(super) const fn takes_patterns(self) -> bool {
        matches!(self, Self::Regex | Self::RegexIn)
    }

    fn compares(
        self,
        how: Comparison,
        operand: Value,
        place: &Place<'_>,
    ) -> Result<Test, QueryError> {
        Ok(match self.single(operand, place)? {
            Some(value) => Test::Compares(how, value),
            None => Test::Instant(how, None),
        })
    }

    fn datetime(
        self,
        how: Comparison,
        operand: &Value,
        place: &Place<'_>,
    ) -> Result<Test, QueryError> {
        let Value::String(text) = operand else {
            self.not_a_list(operand, place)?;
            return Ok(Test::Instant(how, None));
        };
        let Some(time) = time::iso(text) else {
            let detail = format!("`{text}` is no time of ISO 8601, such as 2024-05-15T12:30:00Z");
            return Err(QueryError::new(place.pointer, detail));
        };
        Ok(place.instant(how, time))
    }

    fn timediff(
        self,
        how: Comparison,
        operand: &Value,
        place: &Place<'_>,
    ) -> Result<Test, QueryError> {
        self.not_a_list(operand, place)?;
        let read = operand.as_str().and_then(|text| time::diff(text, place.now));
        let Some(time) = read else {
            let detail = format!(
                "{operand} is no distance from now: now, now/d, now/w or now/m, then perhaps + or -, a number and \
                 one of s m h d w, such as now-2h"
            );
            return Err(QueryError::new(place.pointer, detail));
        };
        Ok(place.instant(how, time))
    }

    fn not_a_list(self, operand: &Value, place: &Place<'_>) -> Result<(), QueryError> {
        if !operand.is_array() {
            return Ok(());
        }
        let detail = format!("the value of `{}` must not be a list", self.word());
        Err(place.mistake(Code::OperatorValueType, detail))
    }

    fn single(self, operand: Value, place: &Place<'_>) -> Result<Option<Value>, QueryError> {
        self.not_a_list(&operand, place)?;
        place.coerced(operand)
    }

    fn list(self, operand: Value, place: &Place<'_>) -> Result<Vec<Value>, QueryError> {
        if let Value::Array(items) = operand {
            return Ok(items);
        }
        let detail = format!("the value of `{}` must be a list", self.word());
        Err(place.mistake(Code::OperatorListValueType, detail))
    }

    /// The values of a list, without those that are no times where times are asked for.
    fn several(self, operand: Value, place: &Place<'_>) -> Result<Vec<Value>, QueryError> {
        let items = self.list(operand, place)?.into_iter().enumerate();
        let values = items.map(|(at, item)| {
            let pointer = format!("{}/{at}", place.pointer);
            Place { pointer: &pointer, ..*place }.coerced(item)
        });
        values.filter_map(Result::transpose).collect()
    }

    fn text(self, operand: Value, place: &Place<'_>) -> Result<String, QueryError> {
        self.not_a_list(&operand, place)?;
        if let Value::String(text) = operand {
            return Ok(text);
        }
        let detail = format!("the value of `{}` must be a text", self.word());
        Err(QueryError::new(place.pointer, detail))
    }

    fn texts(self, operand: Value, place: &Place<'_>) -> Result<Vec<String>, QueryError> {
        let items = self.list(operand, place)?.into_iter().enumerate();
        let texts = items.map(|(at, item)| {
            if let Value::String(text) = item {
                return Ok(text);
            }
            let detail = format!("the values of `{}` must be texts", self.word());
            Err(QueryError::new(format!("{}/{at}", place.pointer), detail))
        });
        texts.collect()
    }

    fn truth(self, operand: &Value, place: &Place<'_>) -> Result<bool, QueryError> {
        operand.as_bool().ok_or_else(|| {
            let word = self.word();
            let detail = format!("the value of `{word}` must be true or false, not {operand}");
            place.mistake(Code::OperatorBooleanType, detail)
        })
    }

    fn members(self, operand: Value, place: &Place<'_>) -> Result<Map<String, Value>, QueryError> {
        if let Value::Object(members) = operand {
            return Ok(members);
        }
        let detail = format!("the value of `{}` must be an object", self.word());
        Err(place.mistake(Code::OperatorDictValueType, detail))
    }
}

fn lowered(texts: Vec<String>) -> Vec<String> {
    texts.iter().map(|text| text.to_lowercase()).collect()
}

/// What an operand is held against, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// What kind of value it is held against.
    pub(super) kind: Kind,
    /// What the time is.
    pub(super) now: Timestamp,
    /// Where it stands in the request.
    pub(super) pointer: &'a str,
}

impl Place<'_> {
    fn mistake(&self, code: Code, detail: String) -> QueryError {
        QueryError { code, pointer: self.pointer.to_owned(), detail }
    }

    fn faulty(&self, fault: Fault) -> QueryError {
        let pointer = match fault.at {
            Some(at) => format!("{}/{at}", self.pointer),
            None => self.pointer.to_owned(),
        };
        QueryError::new(pointer, fault.detail)
    }

    fn instant(&self, how: Comparison, time: Timestamp) -> Test {
        match self.kind {
            Kind::Time => Test::Compares(how, Value::from(rfc3339(time))),
            Kind::Text | Kind::Integer | Kind::Texts => Test::Instant(how, None),
            Kind::Objects | Kind::Object => Test::Instant(how, Some(time)),
        }
    }

    /// The operand as a field of this kind takes it: numbers may come as text, truths as such, times in several
    /// forms. `None` where it names no time.
    fn coerced(&self, operand: Value) -> Result<Option<Value>, QueryError> {
        match (self.kind, operand) {
            (Kind::Integer, Value::String(text)) => match text.trim().parse::<i64>() {
                Ok(number) => Ok(Some(Value::from(number))),
                Err(_) => {
                    Err(QueryError::new(self.pointer, format!("`{text}` is not a whole number")))
                }
            },
            // A text says whether something is so by a word.
            (Kind::Text, Value::Bool(truth)) => Ok(Some(Value::from(truth.to_string()))),
            (Kind::Time, Value::String(text)) => {
                Ok(time::lenient(&text, self.now).map(|time| Value::from(rfc3339(time))))
            }
            (Kind::Time, Value::Number(number)) => {
                let detail = format!("{number} is no time; write it like 2026-01-02T03:04:05Z");
                Err(QueryError::new(self.pointer, detail))
            }
            (_, operand) => Ok(Some(operand)),
        }
    }
}

impl Test {
    /// The operator and the operand that make it, for a place that takes only text.
    pub fn parts(&self) -> (Operator, Value) {
        let text = |text: &String| Value::from(text.as_str());
        match self {
            Self::Equal(value) => (Operator::Eq, value.clone()),
            Self::Unequal(value) => (Operator::Not, value.clone()),
            Self::Among(values) => (Operator::In, Value::Array(values.clone())),
            Self::NotAmong(values) => (Operator::NotIn, Value::Array(values.clone())),
            Self::Compares(Comparison::Greater, value) => (Operator::Gt, value.clone()),
            Self::Compares(Comparison::GreaterOrEqual, value) => (Operator::Gte, value.clone()),
            Self::Compares(Comparison::Less, value) => (Operator::Lt, value.clone()),
            Self::Compares(Comparison::LessOrEqual, value) => (Operator::Lte, value.clone()),
            Self::Contains(parts) => (Operator::ContainIn, parts.iter().map(text).collect()),
            Self::Lacks(parts) => (Operator::NotContainIn, parts.iter().map(text).collect()),
            Self::Matches(patterns) => {
                (Operator::RegexIn, patterns.sources().iter().map(text).collect())
            }
            Self::Element(members) => (Operator::Match, Value::Object(members.clone())),
            Self::Instant(how, time) => {
                let operator = match how {
                    Comparison::Greater => Operator::DatetimeGt,
                    Comparison::GreaterOrEqual => Operator::DatetimeGte,
                    Comparison::Less => Operator::DatetimeLt,
                    Comparison::LessOrEqual => Operator::DatetimeLte,
                };
                (operator, time.map(rfc3339).into())
            }
            Self::Exists(wanted) => (Operator::Exists, Value::Bool(*wanted)),
        }
    }

    /// The test that these [`parts`](Self::parts) make, of a value whose type is free.
    pub fn from_parts(operator: &str, operand: Value) -> Result<Self, QueryError> {
        // No part is counted from now.
        let place = Place { kind: Kind::Object, now: Timestamp::UNIX_EPOCH, pointer: "" };
        Operator::named(operator, "")?.applied(operand, &place)
    }
}
