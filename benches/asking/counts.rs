//! What is counted: totals, and statistics by one dimension and by time.

use alertmill::{
    domain::scope::Scope,
    query::{ALERTS, Catalogue, EVENTS},
};
use serde_json::{Value, json};

use super::questions::Question;

/// When the newest ten days begin, in the middle of a quarter of an hour, and so what no tally holds whole.
const SINCE: &str = "2025-12-22T03:07:11Z";

/// All that is counted, over everything.
pub(crate) fn counts() -> Vec<Question> {
    let total = |filter: Value| json!({ "filter": filter, "count_only": true, "page": { "total": "exact" } });
    let since = json!({ "k": "created_at", "v": SINCE, "o": "gte" });
    let critical = json!({ "k": "severity", "v": "CRITICAL", "o": "eq" });
    let large = json!({ "k": "project_id", "v": "project-000", "o": "eq" });
    let mut all = Vec::new();
    let mut add = |name: &str, catalogue: &'static Catalogue, query: Value| {
        let what = catalogue.resource;
        all.push(Question::new(&format!("{what}s {name}"), catalogue, query, Scope::EVERYTHING));
    };
    for catalogue in [&EVENTS, &ALERTS] {
        add("in all", catalogue, total(json!([])));
        add("critical, in all", catalogue, total(json!([critical])));
        add("critical, of ten days", catalogue, total(json!([critical, since])));
        add("of a large project, ten days", catalogue, total(json!([large, since])));
        for key in ["severity", "project_id", "webhook_id", "provider"] {
            let name = format!("by {key}");
            add(&name, catalogue, by(&json!({ "key": key, "name": "of" }), json!([])));
            let name = format!("by {key}, of ten days");
            add(&name, catalogue, by(&json!({ "key": key, "name": "of" }), json!([since])));
        }
        for bucket in ["1h", "1d"] {
            let key = json!({ "key": "created_at", "name": "at", "bucket": bucket });
            add(&format!("by {bucket}"), catalogue, by(&key, json!([])));
            let name = format!("by {bucket}, critical ones of ten days of a project");
            add(&name, catalogue, by(&key, json!([critical, large, since])));
        }
    }
    add("by event_type", &EVENTS, by(&json!({ "key": "event_type", "name": "of" }), json!([])));
    add("by state", &ALERTS, by(&json!({ "key": "state", "name": "of" }), json!([])));
    add(
        "by rule, of ten days (from the rows)",
        &ALERTS,
        by(&json!({ "key": "rule", "name": "of" }), json!([since])),
    );
    all
}

/// How many there are for each value of a key.
fn by(key: &Value, filter: Value) -> Value {
    let field = json!({ "name": "count", "operator": "count" });
    json!({ "filter": filter, "aggregate": [{ "group": { "keys": [key], "fields": [field] } }] })
}
