//! A scan of the store gives the records that the views show.

use std::{collections::BTreeSet, ops::ControlFlow};

use serde_json::{Map, Value, json};

use super::{
    SEARCHED_ONLY,
    house::{House, noon},
};
use crate::{
    api::{alert, event},
    domain::scope::Scope,
    error::Result,
    query::{self, Catalogue, Filter, Query},
    store::{Scan, Tx},
};

fn names(catalogue: &Catalogue) -> BTreeSet<&'static str> {
    let names = catalogue.fields.iter().map(|field| field.name);
    names.filter(|name| !SEARCHED_ONLY.contains(name)).collect()
}

/// The records of a scan of a resource.
fn visited(tx: &dyn Tx, resource: &str, scan: &Scan<'_>) -> Result<Value> {
    let mut found = Vec::new();
    let mut each = |record| {
        found.push(record);
        Ok(ControlFlow::Continue(()))
    };
    match resource {
        "event" => tx.visit_events(&Scope::EVERYTHING, scan, &mut each)?,
        _ => tx.visit_alerts(&Scope::EVERYTHING, scan, &mut each)?,
    }
    Ok(Value::Array(found))
}

#[tokio::test]
async fn a_scan_gives_what_the_views_show_oldest_first() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    house.firing("event-2", "alert-2", "memory").await;
    house.posted("event-3", None, "text", "no JSON at all").await;
    for catalogue in [&query::EVENTS, &query::ALERTS] {
        let listed = match catalogue.resource {
            "event" => house.read(event::list, json!({})).await,
            _ => house.read(alert::list, json!({})).await,
        };
        let mut listed = listed.unwrap()["results"].as_array().unwrap().clone();
        listed.reverse();
        let fields = names(catalogue);
        let all = house
            .tx(move |tx| {
                let filter = Filter::default();
                visited(
                    tx,
                    catalogue.resource,
                    &Scan { filter: &filter, fields: &fields, sort: &[] },
                )
            })
            .await;
        assert_eq!(all.unwrap(), json!(listed), "{}", catalogue.resource);
    }
}

#[tokio::test]
async fn a_scan_reads_what_is_asked_for_in_the_order_that_is_asked_for() {
    let house = House::new().await;
    for (event, key) in [("event-1", "b"), ("event-2", "c"), ("event-3", "a"), ("event-4", "d")] {
        house.posted(event, None, key, "{}").await;
    }
    let asked = json!({
        "filter": [{ "k": "event_key", "v": "d", "o": "not" }],
        "sort": [{ "key": "event_key" }],
    });
    let found = house
        .tx(move |tx| {
            let Query { filter, sort, .. } = Query::parse(&asked, &query::EVENTS, noon())?;
            let fields = BTreeSet::from(["event_id", "resources"]);
            visited(tx, "event", &Scan { filter: &filter, fields: &fields, sort: &sort })
        })
        .await
        .unwrap();
    let one = |id: &str| {
        let members = [("event_id", json!(id)), ("resources", json!(["db-1"]))];
        Value::Object(Map::from_iter(members.map(|(name, value)| (name.to_owned(), value))))
    };
    assert_eq!(found, json!([one("event-3"), one("event-1"), one("event-2")]));
}

#[tokio::test]
async fn a_scan_ends_when_enough_was_seen() {
    let house = House::new().await;
    for event in ["event-1", "event-2", "event-3"] {
        house.posted(event, None, "k", "{}").await;
    }
    let seen = house.tx(|tx| {
        let (mut seen, filter) = (0, Filter::default());
        let scan = Scan { filter: &filter, fields: &BTreeSet::new(), sort: &[] };
        tx.visit_events(&Scope::EVERYTHING, &scan, &mut |record| {
            assert_eq!(record, json!({}));
            seen += 1;
            Ok(if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(seen)
    });
    assert_eq!(seen.await.unwrap(), 2);
}
