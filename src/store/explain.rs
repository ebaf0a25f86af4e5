//! How a query would be answered.

use super::Bulk;
use crate::{
    domain::scope::Scope,
    error::Result,
    query::{Query, Stat},
};

/// What may be explained.
#[derive(Clone, Copy, Debug)]
pub enum Explainable<'a> {
    /// A page of a list.
    List(&'a Query),
    /// A statistic.
    Stat(&'a Stat),
}

/// How a query would be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// How its rows are found, in a sentence each.
    pub steps: Vec<String>,
    /// The indexes that serve it.
    pub indexes: Vec<String>,
    /// Whether all that is found is sorted before the first row is answered.
    pub sorts: bool,
    /// Where the total comes from: `tallies`, `search`, `rows` or `none`.
    pub total: &'static str,
    /// What would make it quicker, where nothing serves it.
    pub hint: Option<String>,
    /// The plan of `SQLite`, line by line.
    pub plan: Vec<String>,
}

/// How queries would be answered.
pub trait Explains {
    /// How a query over the records in `scope` would be answered.
    fn explain(&self, bulk: Bulk, scope: &Scope, asked: Explainable<'_>) -> Result<Explained>;
}
