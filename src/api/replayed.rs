//! Stored events read once more, newest first and within bounds: for those who try what is not saved yet.

use serde_json::{Value, json};

use crate::{
    clock::{Timestamp, rfc3339},
    domain::{event::Event, scope::Scope},
    error::Result,
    query::{Cursor, EVENTS, Query},
    store::Tx,
};

/// How many events are looked at, at most.
const MOST: u64 = 50_000;

/// How many events are read at a time.
const TOGETHER: u32 = 1000;

/// How far events were read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Replayed {
    /// How many.
    pub(super) looked_at: u64,
    /// Whether there are more.
    pub(super) is_partial: bool,
}

/// Gives `each` of the events in `scope` that meet a condition and arrived since then, newest first.
pub(super) fn events(
    tx: &dyn Tx,
    scope: &Scope,
    (condition, since, now): (Value, Timestamp, Timestamp),
    each: &mut dyn FnMut(Event) -> Result<()>,
) -> Result<Replayed> {
    let since = json!({ "k": "created_at", "v": rfc3339(since), "o": "datetime_gte" });
    let query = json!({ "filter": [condition, since] });
    let mut query = Query::parse(&query, &EVENTS, now)?.limited_to(TOGETHER).uncounted();
    let mut looked_at = 0;
    loop {
        let found = tx.events(scope, &query)?;
        for event in found.rows {
            looked_at += 1;
            each(event)?;
        }
        let Some(next) = found.next_cursor.as_deref().and_then(Cursor::read) else {
            return Ok(Replayed { looked_at, is_partial: false });
        };
        if looked_at >= MOST {
            return Ok(Replayed { looked_at, is_partial: true });
        }
        query.page.from = next;
    }
}
