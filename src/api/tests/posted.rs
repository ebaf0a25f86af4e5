//! A search looks as far as it may, says how far that was, and goes on from there.

use std::time::Duration;

use serde_json::{Value, json};

use super::house::House;
use crate::{
    api::{
        Call,
        posted::{self, BatchCreateEvents, BatchCreated, Effort, Found, SearchEvents},
    },
    domain::words::Role,
    error::Result,
    store::Tx,
};

fn batch_create(tx: &mut dyn Tx, call: &Call, request: BatchCreateEvents) -> Result<BatchCreated> {
    posted::batch_create(tx, call, request.ready(call)?)
}

/// More than any of these searches needs.
const ENOUGH: Effort = Effort { records: 1000, bytes: 1 << 20, time: Duration::MAX };

fn no_time(tx: &dyn Tx, call: &Call, request: SearchEvents) -> Result<Found> {
    posted::search_within(Effort { time: Duration::ZERO, ..ENOUGH }, tx, call, request)
}

fn three_records(tx: &dyn Tx, call: &Call, request: SearchEvents) -> Result<Found> {
    posted::search_within(Effort { records: 3, ..ENOUGH }, tx, call, request)
}

fn few_bytes(tx: &dyn Tx, call: &Call, request: SearchEvents) -> Result<Found> {
    posted::search_within(Effort { bytes: 20, ..ENOUGH }, tx, call, request)
}

/// Ten events, a second apart.
fn ten() -> Value {
    let event = |at: u32| {
        json!({ "eventId": format!("b096430b-c7a8-47f2-a129-{at:012x}"), "event": {
            "eventTime": format!("2026-01-01T11:00:{at:02}Z"),
            "eventSource": "engine-manager",
            "action": format!("engines/{at}"),
            "readOnly": false,
            "status": {},
            "principal": "users/u",
            "sourceIpAddress": "private",
        }})
    };
    json!({ "requests": (0..10).map(event).collect::<Vec<_>>() })
}

#[tokio::test]
async fn a_search_stops_where_it_has_looked_at_enough_and_goes_on_from_there() {
    let service = House::new().await.seen_by(Role::Service, Some(&["default"]));
    let made = service.write(batch_create, ten()).await.unwrap();
    assert_eq!(made["failedRequests"], json!({}));
    for search in [three_records, few_bytes, no_time] {
        let (mut found, mut until, mut token) = (Vec::new(), Vec::new(), json!(""));
        loop {
            let asked =
                json!({ "filter": { "actionRegex": "^engines/[18]$" }, "page_token": token });
            let page = service.read(search, asked).await.unwrap();
            found.extend(page["events"].as_array().unwrap().iter().map(|it| it["action"].clone()));
            until.push(page["searchedUntilTime"].clone());
            token = page["nextPageToken"].clone();
            if token == "" {
                break;
            }
        }
        assert_eq!(found, ["engines/8", "engines/1"]);
        assert!(
            until.len() > 2 && until.is_sorted_by_key(|time| std::cmp::Reverse(time.to_string()))
        );
        assert_eq!(until.last().unwrap(), "2025-07-01T00:00:00Z");
    }
}
