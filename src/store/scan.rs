//! Rows read one after the other, with as little of each as is asked for.

use std::collections::BTreeSet;

use crate::query::{Filter, Sort};

/// What is read of which rows, and in which order.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Which rows.
    pub filter: &'a Filter,
    /// The fields that the records have; what costs to read is read only if it is among them.
    pub fields: &'a BTreeSet<&'static str>,
    /// In which order; empty for the order of arrival, the oldest first.
    pub sort: &'a [Sort],
}
