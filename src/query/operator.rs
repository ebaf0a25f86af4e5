//! The operators: the words, what each takes, and what it means.
//!
//! An operator is added here: a word of [`Operator`] with its arm in [`Operator::applied`], and, where it means something
//! new, a variant of [`Test`] with its arm in [`super::matches`] and in the store's SQL.

use serde_json::Value;

use super::{QueryError, fields::Kind, parse::unknown, time};
use crate::error::Code;

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
    /// It is there (true), or is not (false); null is there.
    Exists = "exists",
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
    /// Some candidate that is text contains this, which is in lower case.
    Contains(String),
    /// No candidate that is text contains this, which is in lower case.
    Lacks(String),
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

    /// What it asks of a value of this `kind` when it is given `operand`, which stands at `pointer`.
    pub(super) fn applied(
        self,
        operand: Value,
        kind: Kind,
        pointer: &str,
    ) -> Result<Test, QueryError> {
        match self {
            Self::Eq => Ok(Test::Equal(self.single(operand, kind, pointer)?)),
            Self::Not => Ok(Test::Unequal(self.single(operand, kind, pointer)?)),
            Self::In => Ok(Test::Among(self.several(operand, kind, pointer)?)),
            Self::NotIn => Ok(Test::NotAmong(self.several(operand, kind, pointer)?)),
            Self::Gt => self.compares(Comparison::Greater, operand, kind, pointer),
            Self::Gte => self.compares(Comparison::GreaterOrEqual, operand, kind, pointer),
            Self::Lt => self.compares(Comparison::Less, operand, kind, pointer),
            Self::Lte => self.compares(Comparison::LessOrEqual, operand, kind, pointer),
            // A number contains nothing: as the original has it, the operator then asks whether it is the same.
            Self::Contain if kind == Kind::Integer => Self::Eq.applied(operand, kind, pointer),
            Self::NotContain if kind == Kind::Integer => Self::Not.applied(operand, kind, pointer),
            Self::Contain => Ok(Test::Contains(self.text(operand, pointer)?)),
            Self::NotContain => Ok(Test::Lacks(self.text(operand, pointer)?)),
            Self::Exists => match operand {
                Value::Bool(wanted) => Ok(Test::Exists(wanted)),
                other => Err(QueryError {
                    code: Code::OperatorBooleanType,
                    pointer: pointer.to_owned(),
                    detail: format!("the value of `exists` must be true or false, not {other}"),
                }),
            },
        }
    }

    fn compares(
        self,
        how: Comparison,
        operand: Value,
        kind: Kind,
        pointer: &str,
    ) -> Result<Test, QueryError> {
        Ok(Test::Compares(how, self.single(operand, kind, pointer)?))
    }

    fn single(self, operand: Value, kind: Kind, pointer: &str) -> Result<Value, QueryError> {
        if operand.is_array() {
            return Err(QueryError {
                code: Code::OperatorValueType,
                pointer: pointer.to_owned(),
                detail: format!("the value of `{}` must not be a list", self.word()),
            });
        }
        coerced(operand, kind, pointer)
    }

    fn several(self, operand: Value, kind: Kind, pointer: &str) -> Result<Vec<Value>, QueryError> {
        let Value::Array(items) = operand else {
            return Err(QueryError {
                code: Code::OperatorListValueType,
                pointer: pointer.to_owned(),
                detail: format!("the value of `{}` must be a list", self.word()),
            });
        };
        let items = items.into_iter().enumerate();
        items.map(|(at, item)| coerced(item, kind, &format!("{pointer}/{at}"))).collect()
    }

    fn text(self, operand: Value, pointer: &str) -> Result<String, QueryError> {
        match operand {
            Value::String(text) => Ok(text.to_lowercase()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                let detail = format!("the value of `{}` must be a text", self.word());
                Err(QueryError::new(pointer, detail))
            }
        }
    }
}

impl Test {
    /// The operator and the operand that make it, for a place that takes only text.
    pub fn parts(&self) -> (Operator, Value) {
        match self {
            Self::Equal(value) => (Operator::Eq, value.clone()),
            Self::Unequal(value) => (Operator::Not, value.clone()),
            Self::Among(values) => (Operator::In, Value::Array(values.clone())),
            Self::NotAmong(values) => (Operator::NotIn, Value::Array(values.clone())),
            Self::Compares(Comparison::Greater, value) => (Operator::Gt, value.clone()),
            Self::Compares(Comparison::GreaterOrEqual, value) => (Operator::Gte, value.clone()),
            Self::Compares(Comparison::Less, value) => (Operator::Lt, value.clone()),
            Self::Compares(Comparison::LessOrEqual, value) => (Operator::Lte, value.clone()),
            Self::Contains(part) => (Operator::Contain, Value::from(part.as_str())),
            Self::Lacks(part) => (Operator::NotContain, Value::from(part.as_str())),
            Self::Exists(wanted) => (Operator::Exists, Value::Bool(*wanted)),
        }
    }

    /// The test that these [`parts`](Self::parts) make, of a value whose type is free.
    pub fn from_parts(operator: &str, operand: Value) -> Result<Self, QueryError> {
        Operator::named(operator, "")?.applied(operand, Kind::Object, "")
    }
}

/// The operand as a field of this kind takes it: numbers may come as text, times in several forms.
fn coerced(operand: Value, kind: Kind, pointer: &str) -> Result<Value, QueryError> {
    match (kind, operand) {
        (Kind::Integer, Value::String(text)) => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => Err(QueryError::new(pointer, format!("`{text}` is not a whole number"))),
        },
        (Kind::Time, Value::String(text)) => match time::lenient(&text) {
            Some(time) => Ok(Value::from(crate::clock::rfc3339(time))),
            None => Err(QueryError::new(
                pointer,
                format!("`{text}` is no time; write it like 2026-01-02T03:04:05Z or 2026-01-02"),
            )),
        },
        (Kind::Time, Value::Number(number)) => Err(QueryError::new(
            pointer,
            format!("{number} is no time; write it like 2026-01-02T03:04:05Z"),
        )),
        (_, operand) => Ok(operand),
    }
}
