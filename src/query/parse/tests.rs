//! What is a query, and where one that is none goes wrong.

use serde_json::json;

use super::*;
use crate::{
    error::Code,
    query::{EVENTS, Keyset, Test, WEBHOOKS},
};

fn now() -> Timestamp {
    "2024-05-15T12:34:56.789Z".parse().unwrap()
}

fn read(value: &Value, catalogue: &'static Catalogue) -> Result<Query, QueryError> {
    Query::parse(value, catalogue, now())
}

fn parsed(value: Value) -> Query {
    read(&value, &EVENTS).unwrap()
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn every_mistake_has_its_code_and_its_place() {
    let condition =
        |condition: Value| json!({ "filter_or": [{ "k": "title", "o": "eq" }, condition] });
    for (asked, code, pointer) in [
        (json!([]), Code::Query, "/query"),
        (json!({ "filters": [] }), Code::Query, "/query/filters"),
        (json!({ "filter": {} }), Code::Query, "/query/filter"),
        (condition(json!(1)), Code::Query, "/query/filter_or/1"),
        (condition(json!({ "o": "eq" })), Code::Query, "/query/filter_or/1/k"),
        (condition(json!({ "k": "", "o": "eq" })), Code::Query, "/query/filter_or/1/k"),
        (condition(json!({ "k": "x", "key": "x" })), Code::Query, "/query/filter_or/1/key"),
        (condition(json!({ "key": "x", "o": "eq" })), Code::Query, "/query/filter_or/1/key"),
        (condition(json!({ "k": "title" })), Code::Query, "/query/filter_or/1/o"),
        (condition(json!({ "k": "title", "o": "is" })), Code::Query, "/query/filter_or/1/o"),
        (
            condition(json!({ "k": "created_at", "o": "datetime_lt", "v": "soon" })),
            Code::Query,
            "/query/filter_or/1/v",
        ),
        (
            condition(json!({ "k": "created_at", "o": "timediff_lt", "v": "now-1y" })),
            Code::Query,
            "/query/filter_or/1/v",
        ),
        (
            condition(json!({ "k": "title", "o": "regex_in", "v": ["x", "(["] })),
            Code::Query,
            "/query/filter_or/1/v/1",
        ),
        (
            condition(json!({ "k": "title", "o": "contain_in", "v": ["x", 1] })),
            Code::Query,
            "/query/filter_or/1/v/1",
        ),
        (
            condition(json!({ "k": "title", "o": "match", "v": "x" })),
            Code::OperatorDictValueType,
            "/query/filter_or/1/v",
        ),
        (
            condition(json!({ "k": "created_at", "o": "datetime_lt", "v": [] })),
            Code::OperatorValueType,
            "/query/filter_or/1/v",
        ),
        (json!({ "unwind": { "x": 1 } }), Code::Query, "/query/unwind/x"),
        (json!({ "unwind": { "filter": [] } }), Code::Query, "/query/unwind/path"),
        (
            json!({ "unwind": { "path": "resources", "filter": [{ "k": "x", "o": "eq" }] } }),
            Code::Query,
            "/query/unwind/filter/0/k",
        ),
        (
            condition(json!({ "k": "item", "operator": "in", "value": [1, "x"] })),
            Code::Query,
            "/query/filter_or/1/value/1",
        ),
        (
            condition(json!({ "k": "title", "o": "in", "v": "x" })),
            Code::OperatorListValueType,
            "/query/filter_or/1/v",
        ),
        (
            condition(json!({ "k": "title", "o": "gt", "v": [] })),
            Code::OperatorValueType,
            "/query/filter_or/1/v",
        ),
        (
            condition(json!({ "k": "title", "o": "exists", "v": 1 })),
            Code::OperatorBooleanType,
            "/query/filter_or/1/v",
        ),
        (json!({ "sort": [{ "desc": true }] }), Code::Query, "/query/sort/0/key"),
        (json!({ "sort": [{ "key": "title", "desc": 1 }] }), Code::Query, "/query/sort/0/desc"),
        (json!({ "page": { "limit": -1 } }), Code::Query, "/query/page/limit"),
        (json!({ "page": { "start": 1.5 } }), Code::Query, "/query/page/start"),
        (json!({ "page": { "cursor": "x" } }), Code::Query, "/query/page/cursor"),
        (json!({ "page": { "total": "all" } }), Code::Query, "/query/page/total"),
        (json!({ "only": ["titel"] }), Code::Query, "/query/only/0"),
        (json!({ "minimal": "yes" }), Code::Query, "/query/minimal"),
        (json!({ "keyword": 1 }), Code::Query, "/query/keyword"),
    ] {
        let error = read(&asked, &EVENTS).unwrap_err();
        assert_eq!((error.code, error.pointer.as_str()), (code, pointer), "{asked}");
    }
}

#[test]
fn both_spellings_and_both_forms_of_an_order_mean_the_same() {
    let snake = json!({ "filter_or": [{ "k": "title", "v": "x", "o": "eq" }], "count_only": true });
    let camel = json!({ "filterOr": [{ "key": "title", "value": "x", "operator": "eq" }], "countOnly": true });
    assert_eq!(parsed(snake), parsed(camel));
    let list = json!({ "sort": [{ "key": "title", "desc": true }] });
    assert_eq!(parsed(list), parsed(json!({ "sort": { "key": "title", "desc": true } })));
}

#[test]
fn pages_take_numbers_as_text_and_stay_within_bounds() {
    let page = |page: Value| parsed(json!({ "page": page })).page;
    let second = Page { limit: 10, from: Cursor::Skip(10), count: Count::Capped };
    assert_eq!(page(json!({ "start": "11", "limit": "10" })), second);
    assert_eq!(page(json!({ "start": 11.0, "limit": 10.0 })), second);
    assert_eq!(page(json!({ "start": 5 })), Page::default());
    assert_eq!(page(json!({ "limit": 5000 })).limit, MAX_ROWS);
    let key = Cursor::After(Keyset { created_at: 5, row: 7 });
    assert_eq!(page(json!({ "cursor": key.text(), "limit": 3 })).from, key);
}

#[test]
fn newest_first_by_name_pages_as_newest_first_by_nature() {
    let newest = json!([{ "key": "created_at", "desc": true }]);
    let key = Cursor::After(Keyset { created_at: 5, row: 7 }).text();
    let asked = json!({ "sort": newest, "page": { "cursor": key } });
    assert!(parsed(asked.clone()).is_newest_first());
    let error = read(&asked, &WEBHOOKS).unwrap_err();
    assert_eq!(error.pointer, "/query/page/cursor");
}

#[test]
fn a_keyword_is_its_words_in_the_fields_it_looks_at() {
    let filter = parsed(json!({ "keyword": "  CPU  disk ", "filter_or": [] })).filter;
    let places = filter.keyword.iter().map(|condition| (condition.field.name, &condition.test));
    let (cpu, disk) =
        (Test::Contains(vec!["cpu".to_owned()]), Test::Contains(vec!["disk".to_owned()]));
    let expected = [("event_id", &cpu), ("title", &cpu), ("event_id", &disk), ("title", &disk)];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    assert!(filter.any.is_empty());
}
