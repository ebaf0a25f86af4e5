//! The usual questions are answered from an index, without a sort.

use super::*;

#[test]
fn the_usual_questions_are_answered_from_an_index() {
    let connection = store();
    let everything = Scope::EVERYTHING;
    let member = Scope { projects: Reach::one("project-1".into()), ..domain_one() };
    let of = |key: &str, value: Value| json!({ "filter": [{ "k": key, "v": value, "o": "eq" }] });
    let open = json!({ "filter": [
        { "k": "project_id", "v": "project-1", "o": "eq" },
        { "k": "state", "v": ["TRIGGERED", "ACKNOWLEDGED"], "o": "in" },
    ] });
    let cases = [
        ("Event", json!(null), &everything, "event_by_time"),
        ("Event", json!(null), &domain_one(), "event_by_time"),
        ("Event", json!(null), &member, "event_of_project"),
        ("Event", of("project_id", json!("project-1")), &everything, "event_of_project"),
        ("Event", of("alert_id", json!("alert-01")), &everything, "event_of_alert"),
        ("Event", of("alert_id", json!("alert-01")), &domain_one(), "event_of_alert"),
        ("Alert", json!(null), &everything, "alert_by_time"),
        ("Alert", of("project_id", json!("project-1")), &everything, "alert_of_project"),
        ("Alert", open, &domain_one(), "alert_still_open"),
    ];
    for (resource, asked, scope, index) in cases {
        let plan = plan(&connection, resource, &asked, scope);
        assert!(plan.contains(index), "{resource} {asked}:\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{resource} {asked}:\n{plan}");
    }
    let by_key = [
        ("Event", of("event_key", json!("key-1")), "event_without_alert"),
        ("Alert", of("event_key", json!("key-1")), "alert_of_key"),
        ("Alert", of("alert_number", json!(3)), "alert_number"),
        ("Event", of("delivery_id", json!("receipt-1")), "USING INTEGER PRIMARY KEY"),
    ];
    for (resource, asked, index) in by_key {
        let plan = plan(&connection, resource, &asked, &domain_one());
        assert!(plan.contains(index), "{resource} {asked}:\n{plan}");
        assert!(
            !plan.contains("SCAN e") && !plan.contains("SCAN a"),
            "{resource} {asked}:\n{plan}"
        );
    }
}

#[test]
fn what_was_posted_lately_is_read_in_the_order_of_its_rows() {
    let connection = store();
    for order in ["ASC", "DESC"] {
        let rows = crate::store::sqlite::windows::ROWS;
        let mut statement =
            connection.prepare(&format!("EXPLAIN QUERY PLAN {rows} {order}")).unwrap();
        let lines = statement.query_map([1, 2], |row| row.get::<_, String>(3)).unwrap();
        let plan = lines.map(Result::unwrap).collect::<Vec<_>>().join("\n");
        let wanted = "SEARCH v USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
        assert!(plan.starts_with(wanted), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

fn plan(connection: &Connection, resource: &str, asked: &Value, scope: &Scope) -> String {
    let (table, catalogue) = of(resource);
    let query = Query::parse(asked, catalogue, now()).unwrap();
    let (sql, values) = compose(&query, scope, table).select(table.row, "");
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let lines =
        statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}
