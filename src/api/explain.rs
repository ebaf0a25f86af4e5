//! `query.explain`: how a list or a statistic would be answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, Call};
use crate::{
    error::{Code, Error, Result},
    query::{ALERTS, EVENTS, Query, Stat},
    store::{Bulk, Explainable, Explained, Tx},
};

/// What a query is about.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Resource {
    /// Events.
    Event,
    /// Alerts.
    Alert,
}

/// Asks how a query would be answered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainQuery {
    /// What it is about.
    resource: Resource,
    /// The query of a list.
    #[serde(default)]
    query: Option<Asked>,
    /// The query of a statistic, in place of that of a list.
    #[serde(default)]
    stat: Option<Asked>,
}

/// How a query would be answered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct QueryPlan {
    /// How its rows are found, in a sentence each.
    pub steps: Vec<String>,
    /// The indexes that serve it. `sought` finds words and resources, `tallies` are counts of rows that agree; an index
    /// that a project declared has its path in its name.
    pub indexes: Vec<String>,
    /// Whether all that is found is sorted before the first row is answered.
    pub sorts: bool,
    /// Where the total comes from: from `tallies` or a `search`, by counting `rows`, or `none` is given.
    pub total: String,
    /// What would make it quicker, where no index serves it.
    pub hint: Option<String>,
    /// The plan of the store, line by line.
    pub plan: Vec<String>,
}

/// How a query would be answered.
pub fn explain(tx: &dyn Tx, call: &Call, request: ExplainQuery) -> Result<QueryPlan> {
    let (bulk, catalogue) = match request.resource {
        Resource::Event => (Bulk::Events, &EVENTS),
        Resource::Alert => (Bulk::Alerts, &ALERTS),
    };
    let scope = &call.caller.scope;
    let told = match (request.query, request.stat) {
        (Some(_), Some(_)) => {
            let detail = "either a `query` or a `stat` is explained, not both at once";
            return Err(Error::at(Code::InvalidParameter, "/stat", detail));
        }
        (None, Some(stat)) => {
            let stat = Stat::parse(&stat.0, catalogue, call.now)?;
            tx.explain(bulk, scope, Explainable::Stat(&stat))?
        }
        (query, None) => {
            let query = Query::parse(&query.unwrap_or_default().0, catalogue, call.now)?;
            tx.explain(bulk, scope, Explainable::List(&query))?
        }
    };
    let Explained { steps, indexes, sorts, total, hint, plan } = told;
    Ok(QueryPlan { steps, indexes, sorts, total: total.to_owned(), hint, plan })
}
