//! A filter and an order mean the same in memory and in the store, whatever the records and whatever is asked.
//!
//! Memory is asked about the records that a scan shows, and those are what the API's views show. There are 125 sets of
//! records for each resource and 20 queries over each, so 5 000 queries; `PROPTEST_CASES=10000` makes 80 times as many.

use std::{collections::BTreeSet, ops::ControlFlow};

use proptest::collection::vec;

use super::{
    random::{Row, query, row},
    *,
};
use crate::{
    query::Filter,
    store::{
        Scan,
        sqlite::{connect, work::Work},
    },
};

/// How many queries are asked of each set of records.
const QUERIES: usize = 20;

/// How many sets of records there are: so many, or more if the environment asks for it.
pub(super) fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if asked.cases > 256 { asked.cases } else { 125 };
    ProptestConfig { cases, max_shrink_iters: 4096, ..asked }
}

pub(super) fn now() -> Timestamp {
    "2024-05-15T14:00:00Z".parse().unwrap()
}

/// A store with these alerts and events.
pub(super) fn filled(alerts: &[Row], events: &[Row]) -> Work {
    let connection = Connection::open_in_memory().unwrap();
    connect::migrate(&connection, &crate::domain::audit::SealKey::default()).unwrap();
    connection
        .execute_batch(
            "INSERT INTO domain VALUES (1, 'domain-1', 'one', 0), (2, 'domain-2', 'two', 0);
             INSERT INTO workspace VALUES (1, 'ws-1', 1, 'one', 0, 0), (9, 'ws-9', 2, 'nine', 0, 0);
             INSERT INTO project (project, project_id, workspace, name, created_at) VALUES
               (1, 'project-1', 1, '1', 0), (2, 'project-2', 1, '2', 0), (3, 'project-3', 9, '3', 0);
             INSERT INTO webhook (webhook, webhook_id, project, name, state, plugin, created_at) VALUES
               (1, 'webhook-1', 1, '1', 'ENABLED', 'x', 0), (2, 'webhook-2', 2, '2', 'ENABLED', 'x', 0);
             INSERT INTO delivery (delivery, delivery_id, webhook, state, items, dead, first_event, events, remote,
               received_at) VALUES (0, 'nothing', 1, 'applied', 0, 0, 0, 0, '', 0);",
        )
        .unwrap();
    register(&connection).unwrap();
    for (number, alert) in (1..).zip(alerts) {
        alert.add_alert(&connection, number);
    }
    for (number, event) in (1..).zip(events) {
        event.add_event(&connection, number, i64::try_from(alerts.len()).unwrap());
    }
    Work::reader(connection)
}

/// All records of a resource, as they are shown.
pub(super) fn shown(work: &Work, resource: &str) -> Vec<Value> {
    let (table, catalogue) = of(resource);
    let (filter, mut records) = (Filter::default(), Vec::new());
    let fields: BTreeSet<_> = catalogue.fields.iter().map(|field| field.name).collect();
    let scan = Scan { filter: &filter, fields: &fields, sort: &[] };
    work.visit(table, &Scope::EVERYTHING, &scan, &mut |record| {
        records.push(record);
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    records
}

/// How many of `queries` were well formed; all of those mean the same.
fn agree(alerts: &[Row], events: &[Row], resource: &str, queries: &[Value]) -> usize {
    let work = filled(alerts, events);
    let records = shown(&work, resource);
    let (_, catalogue) = of(resource);
    let queries = queries.iter().filter_map(|asked| {
        let query = Query::parse(asked, catalogue, now()).ok()?;
        let in_memory = query.list(records.clone(), catalogue);
        let (found, sql) = run(&work.connection, &query, &Scope::EVERYTHING, resource);
        let expected = ids(&in_memory.rows, catalogue);
        assert_eq!(found.rows, expected, "{asked}\n{sql}\n{}", json!(records));
        assert_eq!(found.total, Total::Exact(in_memory.total), "{asked}: {sql}");
        Some(())
    });
    queries.count()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_query_over_events_means_the_same_in_memory_and_in_the_store(
        alerts in vec(row(), 0..3),
        events in vec(row(), 1..10),
        queries in vec(query(&query::EVENTS), QUERIES),
    ) {
        let asked = agree(&alerts, &events, "Event", &queries);
        prop_assert!(asked * 10 > queries.len() * 4, "most are well formed: {asked}");
    }

    #[test]
    fn a_query_over_alerts_means_the_same_in_memory_and_in_the_store(
        alerts in vec(row(), 1..7),
        queries in vec(query(&query::ALERTS), QUERIES),
    ) {
        let asked = agree(&alerts, &[], "Alert", &queries);
        prop_assert!(asked * 10 > queries.len() * 4, "most are well formed: {asked}");
    }

    #[test]
    fn what_users_say_never_reaches_the_text_of_a_statement(mut asked in query(&query::EVENTS)) {
        mark(&mut asked);
        let Ok(query) = Query::parse(&asked, &query::EVENTS, now()) else { return Ok(()) };
        let scope = Scope { projects: Reach::one("§'".into()), ..Scope::EVERYTHING };
        let composed = compose(&query, &scope, &EVENTS);
        let sql = composed.select("e.event", "").0 + &composed.count().unwrap().0;
        prop_assert!(sql.is_ascii(), "{sql}");
        let scan = Scan { filter: &query.filter, fields: &BTreeSet::new(), sort: &query.sort };
        prop_assert!(super::super::scan(&scan, &scope, &EVENTS, None).0.is_ascii());
    }
}

/// Puts a letter that is not in any statement of ours into all that a user may choose.
fn mark(asked: &mut Value) {
    match asked {
        Value::String(text) => *text = format!("§{text}'"),
        Value::Array(items) => items.iter_mut().for_each(mark),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), &value) {
                    ("o", _) => {}
                    ("k" | "key", Value::String(key)) => *value = json!(format!("{key}.§'\"--")),
                    _ => mark(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
