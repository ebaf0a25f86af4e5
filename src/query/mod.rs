//! The filter language: what a caller asks of a list, checked once and then only followed.
//!
//! A [`Query`] is made from JSON by [`Query::parse`] against the [`Catalogue`] of a resource, so whoever holds one need
//! not doubt it: its fields exist, its operators take what they were given, its page has bounds. The store turns it into
//! SQL; [`mod@matches`] follows the same query over records in memory. Both mean the same (tested).

mod fields;
pub mod matches;
mod operator;
mod page;
mod parse;
mod patterns;
mod stat;
#[cfg(test)]
mod tests;
mod time;

use serde_json::Value;

use self::parse::Asking;
pub use self::{
    fields::{
        ALERTS, Catalogue, DOMAINS, EVENT_RULES, EVENTS, Field, GROUP_RULES, Kind, NOTES, Order,
        PROJECT_ALERT_CONFIGS, PROJECTS, TOKENS, WEBHOOKS, WORKSPACES,
        audits::AUDITS,
        channels::CHANNELS,
        people::{CONTACTS, ESCALATION_POLICIES, HEARTBEATS, ON_CALLS},
        suppression::{INHIBITIONS, MAINTENANCE_WINDOWS, SILENCES},
        users::{APPLICATIONS, SESSIONS, USERS},
    },
    operator::{Comparison, Operator, Test},
    page::{Count, Cursor, Keyset, MAX_ROWS, Page},
    patterns::Patterns,
    stat::{Analysis, COMPUTES, Coarse, Flow, GATHERS, Grain, Running, Stat},
};
use crate::{
    clock::Timestamp,
    error::{Code, Error},
};

/// What a caller asks of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which records.
    pub filter: Filter,
    /// In which order; empty for the resource's own.
    pub sort: Vec<Sort>,
    /// Which part of them.
    pub page: Page,
    /// What of each.
    pub shape: Shape,
    /// The list whose elements make a row each, if the rows are not the records themselves.
    pub unwind: Option<Unwind>,
}

/// A list whose elements make a row each: the record, in which the list has only this element.
#[derive(Clone, Debug, PartialEq)]
pub struct Unwind {
    /// The field.
    pub field: &'static Field,
    /// The way on below that field.
    pub path: Vec<String>,
    /// Each of these must hold of a row.
    pub filter: Vec<Condition>,
}

/// Which records are meant: those that meet every condition of `all`, and one of each of the other two where these have
/// any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Each of these must hold.
    pub all: Vec<Condition>,
    /// One of these must hold.
    pub any: Vec<Condition>,
    /// One of these must hold: a word of the keyword in one of the fields that it looks at.
    pub keyword: Vec<Condition>,
}

/// What must hold of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The field.
    pub field: &'static Field,
    /// The way on below that field: keys of objects and places in lists.
    pub path: Vec<String>,
    /// What must hold of what is there.
    pub test: Test,
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// The field.
    pub field: &'static Field,
    /// The way on below that field.
    pub path: Vec<String>,
    /// Which way.
    pub direction: Direction,
}

/// Which way an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The least first, and what has no value before it.
    Ascending,
    /// The greatest first, and what has no value last.
    Descending,
}

/// What of each record is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// All fields.
    #[default]
    Whole,
    /// The resource's minimal fields.
    Minimal,
    /// These paths and the identifier.
    Only(Vec<String>),
    /// No records, only how many there are.
    Count,
}

/// Why a query is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct QueryError {
    /// Which error it is.
    pub code: Code,
    /// Where in the request, as a JSON pointer, e.g. `/query/filter/0/k`.
    pub pointer: String,
    /// What is wrong there, and what was expected.
    pub detail: String,
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        Self::at(error.code, error.pointer, error.detail)
    }
}

impl QueryError {
    /// A mistake in the language itself.
    fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: Code::Query, pointer: pointer.into(), detail: detail.into() }
    }
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            sort: Vec::new(),
            page: Page::default(),
            shape: Shape::Whole,
            unwind: None,
        }
    }
}

impl Query {
    /// Reads the `query` object of a request about the resource of `catalogue`; `null` asks for everything. Times are
    /// counted from `now`.
    pub fn parse(
        value: &Value,
        catalogue: &'static Catalogue,
        now: Timestamp,
    ) -> Result<Self, QueryError> {
        parse::query(value, &Asking::of(catalogue, now))
    }

    /// The same query, with one more condition: a parameter of the request beside its query.
    pub fn narrowed(
        mut self,
        parameter: &str,
        value: Value,
        catalogue: &'static Catalogue,
    ) -> Result<Self, QueryError> {
        self.filter.all.push(parse::parameter(parameter, value, catalogue)?);
        Ok(self)
    }

    /// The same query, for at most so many rows.
    #[must_use]
    pub fn limited_to(mut self, rows: u32) -> Self {
        self.page.limit = rows.min(self.page.limit);
        self
    }

    /// The same query, without a total.
    #[must_use]
    pub fn uncounted(mut self) -> Self {
        self.page.count = Count::None;
        self
    }

    /// Whether records are asked for, not only how many there are.
    pub fn wants_rows(&self) -> bool {
        self.shape != Shape::Count
    }

    /// Whether `field` is part of what is answered of each record.
    pub fn shows(&self, field: &str, catalogue: &Catalogue) -> bool {
        match &self.shape {
            Shape::Whole => true,
            Shape::Minimal => catalogue.minimal.contains(&field),
            Shape::Only(paths) => paths.iter().any(|path| path.split('.').next() == Some(field)),
            Shape::Count => false,
        }
    }
}
