//! Statistics: what becomes of rows that go through stages.
//!
//! A [`Stat`] is read and checked once. Whoever has the records starts it and hands them over one by one, or counts of
//! equal ones at once ([`Running::take`]); the rows it makes come out at the end.

mod analyze;
mod bucket;
mod check;
mod coarse;
mod fill;
mod format;
mod gather;
mod group;
mod parse;
mod path;
mod project;
mod run;
#[cfg(test)]
mod tests;
mod value;
mod zone;

use std::collections::BTreeSet;

use serde_json::Value;

pub use self::{
    analyze::Analysis,
    coarse::{Coarse, Grain},
    parse::{group::GATHERS, project::COMPUTES},
    run::{Flow, Running},
};
use self::{check::RowTest, fill::Fill, gather::Aim, group::Group, path::Path, project::Project};
use super::{Catalogue, Direction, Filter, QueryError};
use crate::clock::Timestamp;

/// What a caller asks of many records at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Stat {
    /// Which records.
    pub filter: Filter,
    pub(super) catalogue: &'static Catalogue,
    work: Work,
    page: Option<Slice>,
}

/// What is made of the records.
#[derive(Clone, Debug, PartialEq)]
enum Work {
    /// The rows that come out of the last stage.
    Aggregate(Vec<Stage>),
    /// The different values that this path leads to.
    Distinct(Vec<String>),
}

/// Which of the rows are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    skipped: u64,
    limit: u64,
}

/// One step of rows.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// A row for each element of a list.
    Unwind(Path, Vec<RowTest>),
    /// The rows that meet all of these.
    Match(Vec<RowTest>),
    /// A row for each group of rows.
    Group(Box<Group>),
    /// The groups of time in which nothing was.
    Fill(Box<Fill>),
    /// One row that says how many there are, under this name.
    Count(String),
    /// The rows in this order.
    Sort(Vec<RowSort>),
    /// The rows made over.
    Project(Project),
    /// The first so many rows.
    Limit(u64),
    /// The rows after the first so many.
    Skip(u64),
}

/// One key of an order of rows.
#[derive(Clone, Debug, PartialEq)]
struct RowSort {
    path: Vec<String>,
    direction: Direction,
}

impl Stat {
    /// Reads the `query` object of a request for statistics about the resource of `catalogue`. Times are counted from
    /// `now`.
    pub fn parse(
        value: &Value,
        catalogue: &'static Catalogue,
        now: Timestamp,
    ) -> Result<Self, QueryError> {
        parse::stat(value, &super::Asking::of(catalogue, now))
    }

    /// The same, with one more condition: a parameter of the request beside its query.
    pub fn narrowed(
        mut self,
        parameter: &str,
        value: Value,
        catalogue: &'static Catalogue,
    ) -> Result<Self, QueryError> {
        self.filter.all.push(super::parse::parameter(parameter, value, catalogue)?);
        Ok(self)
    }

    /// The fields of the records that it looks at; a record needs no others.
    pub fn fields(&self) -> BTreeSet<&'static str> {
        let mut used = Used { names: BTreeSet::new(), catalogue: self.catalogue };
        match &self.work {
            Work::Distinct(path) => used.add(path.first().map_or("", String::as_str)),
            Work::Aggregate(stages) => {
                let is_made_over = stages.iter().any(|stage| used.of_stage(stage));
                if !is_made_over {
                    // Whole records come out, except for what is long and read from elsewhere.
                    let fields = self.catalogue.fields.iter().map(|field| field.name);
                    used.names.extend(fields.filter(|name| *name != "raw_data"));
                }
            }
        }
        used.names
    }

    /// Begins.
    pub fn start(&self) -> Running {
        Running::new(self)
    }

    /// How many rows there are, where a page of them is asked for, and the rows that are answered.
    pub fn paged(&self, mut rows: Vec<Value>) -> (Option<u64>, Vec<Value>) {
        let Some(Slice { skipped, limit }) = self.page else { return (None, rows) };
        let total = rows.len();
        let bounded = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX).min(total);
        let end = bounded(skipped.saturating_add(limit));
        rows.truncate(end);
        rows.drain(..bounded(skipped).min(end));
        (Some(total as u64), rows)
    }
}

/// The fields of records that stages look at.
struct Used {
    names: BTreeSet<&'static str>,
    catalogue: &'static Catalogue,
}

impl Used {
    fn add(&mut self, name: &str) {
        self.names.extend(self.catalogue.field(name).map(|field| field.name));
    }

    /// Adds those that a stage looks at, and tells whether what comes out of it are other rows.
    fn of_stage(&mut self, stage: &Stage) -> bool {
        match stage {
            Stage::Unwind(path, tests) => {
                self.add(path.field());
                tests.iter().for_each(|test| self.add(test.field()));
                false
            }
            Stage::Match(tests) => {
                tests.iter().for_each(|test| self.add(test.field()));
                false
            }
            Stage::Sort(keys) => {
                let fields = keys.iter().filter_map(|key| key.path.first());
                fields.for_each(|field| self.add(field));
                false
            }
            Stage::Limit(_) | Stage::Skip(_) | Stage::Fill(_) => false,
            Stage::Count(_) => true,
            Stage::Group(group) => {
                for key in &group.keys {
                    self.add(key.path.field());
                }
                for field in &group.fields {
                    for check in &field.conditions {
                        self.add(check.path.field());
                    }
                    match &field.aim {
                        Aim::Rows => {}
                        Aim::Of(path) => self.add(path.field()),
                        Aim::Parts(parts) => {
                            parts.iter().for_each(|part| self.add(part.path.field()));
                        }
                    }
                }
                true
            }
            Stage::Project(project) => {
                project.paths(&mut |path| self.add(path.field()));
                true
            }
        }
    }
}
