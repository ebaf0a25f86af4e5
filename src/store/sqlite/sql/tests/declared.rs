//! An index that a project declared changes how fast an answer comes, and nothing else.

use proptest::{collection::vec, sample::select};

use super::{
    agree::{cases, filled, now, shown},
    random::{row, scalar},
    *,
};
use crate::{
    domain::project::IndexedField,
    store::sqlite::{sql::Declared, work::Work},
};

const PATHS: [&str; 6] = ["a", "b", "0", "a.b", "a.0", "type"];

/// Declares all of them for a project.
fn declare(work: &Work, project: i64) {
    for path in PATHS {
        let field = IndexedField::parse(&format!("additional_info.{path}")).unwrap();
        let declared = Declared { project, field: &field };
        work.connection.execute(&declared.create(), []).unwrap();
        let sql = "INSERT INTO indexed_field (project, path) VALUES (?1, ?2)";
        work.connection.execute(sql, params![project, field.to_string()]).unwrap();
    }
}

/// A condition that an index may serve.
fn condition() -> impl Strategy<Value = Value> {
    let one = scalar().prop_map(|value| ("eq", value));
    let some = vec(scalar(), 0..4).prop_map(|values| ("in", Value::from(values)));
    (select(PATHS.to_vec()), prop_oneof![one, some]).prop_map(
        |(path, (o, v))| json!({ "k": format!("additional_info.{path}"), "o": o, "v": v }),
    )
}

fn page(work: &Work, query: &Query, scope: &Scope) -> (Vec<String>, String) {
    let composed = work.composed(query, scope, &EVENTS).unwrap();
    let (sql, values) = composed.select("e.event_id", "");
    let mut statement = work.connection.prepare(&sql).unwrap();
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0)).unwrap();
    (rows.map(Result::unwrap).collect(), sql)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn an_index_that_a_project_declared_finds_what_is_found_without_it(
        alerts in vec(row(), 0..2),
        events in vec(row(), 1..10),
        queries in vec(vec(condition(), 1..3), 20),
    ) {
        let work = filled(&alerts, &events);
        declare(&work, 1);
        let records = shown(&work, "Event");
        let scope = Scope { projects: Reach::one("project-1".into()), ..Scope::EVERYTHING };
        let ours: Vec<Value> =
            records.into_iter().filter(|record| record["project_id"] == "project-1").collect();
        for filter in queries {
            let asked = json!({ "filter": filter });
            let query = Query::parse(&asked, &query::EVENTS, now()).unwrap();
            let expected = query.list(ours.clone(), &query::EVENTS);
            let (found, sql) = page(&work, &query, &scope);
            prop_assert_eq!(found, ids(&expected.rows, &query::EVENTS), "{}: {}", asked, sql);
        }
    }
}

#[test]
fn one_value_is_found_in_the_order_of_time_by_its_index() {
    let work = filled(&[], &[]);
    declare(&work, 1);
    let plan = |value: Value, operator: &str| {
        let filter = json!([
            { "k": "additional_info.a.b", "o": operator, "v": value },
            { "k": "project_id", "o": "eq", "v": "project-1" },
        ]);
        let query = Query::parse(&json!({ "filter": filter }), &query::EVENTS, now()).unwrap();
        let (_, sql) = page(&work, &query, &Scope::EVERYTHING);
        let mut plan = work.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let marks = plan.parameter_count();
        let rows = plan.query_map(params_from_iter(vec![1; marks]), |row| row.get::<_, String>(3));
        (rows.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("\n"), sql)
    };
    let (one, sql) = plan(json!("§"), "eq");
    assert!(one.contains("USING INDEX declared 1 additional_info.a.b (<expr>=?)"), "{one}");
    assert!(!one.contains("TEMP B-TREE"), "{one}");
    assert!(sql.is_ascii(), "{sql}");
    let (some, _) = plan(json!(["x", 3]), "in");
    assert!(some.contains("declared 1 additional_info.a.b (<expr>=?)"), "{some}");
    for unservable in [json!(null), json!(0.5), json!({}), json!("a\u{0}")] {
        let (plan, _) = plan(unservable, "eq");
        assert!(!plan.contains("declared"), "{plan}");
    }
}
