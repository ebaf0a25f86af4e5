//! What statistics and analyses answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{Error, Result},
    query::{Analysis, Flow, Stat},
};

/// The rows of a statistic.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StatInfo {
    /// How many rows there are in all; only where a page of them was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total_count: Option<u64>,
    /// The rows, or the values of `distinct`.
    pub results: Vec<Value>,
}

impl StatInfo {
    /// What is answered of the rows that a statistic made.
    pub(super) fn new(stat: &Stat, rows: Vec<Value>) -> Self {
        let (total_count, results) = stat.paged(rows);
        Self { total_count, results }
    }

    /// The statistic of those `views` that it asks for.
    pub(super) fn of<V: Serialize>(views: impl Iterator<Item = V>, stat: &Stat) -> Result<Self> {
        let mut running = stat.start();
        for view in views {
            let record = serde_json::to_value(view).map_err(Error::internal)?;
            if stat.filter.matches(&record) && running.take(record, 1)? == Flow::Enough {
                break;
            }
        }
        Ok(Self::new(stat, running.finish()?))
    }
}

/// The rows of an analysis.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AnalysisInfo {
    /// The rows.
    pub results: Vec<Value>,
    /// Whether there are more after them; only where a page of them was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub more: Option<bool>,
}

impl AnalysisInfo {
    /// What is answered of the rows that an analysis made.
    pub(super) fn new(analysis: &Analysis, rows: Vec<Value>) -> Self {
        let (results, more) = analysis.paged(rows);
        Self { results, more }
    }
}
