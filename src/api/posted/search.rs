//! Looks for events, the last first, a bounded stretch at a time.
//!
//! What an index knows is asked of the store; the rest is looked at here, row by row. A search that has looked at enough
//! stops where it is, says how far it got, and goes on from there by its page token.

use std::{cell::Cell, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    EventInfo, Found,
    filter::{FilterForm, Patience, Text, Wanted},
};
use crate::{
    api::{Call, audit, chain, trail::POSTED_BY},
    clock::{Stopwatch, from_millis, rfc3339, to_millis},
    digest::{hex, sha256},
    domain::{
        audit::{AuditRecord, Trail},
        posted::{OURSELVES, PostedEvent, written},
        scope::{Reach, Scope},
        words::Role,
    },
    error::{Code, Error, Result},
    query::{AUDITS, Query},
    store::Tx,
};

/// How many events a page has where nothing is said, and at most.
const USUAL: usize = 50;
const MOST: usize = 1000;

/// How far one call looks.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Effort {
    /// At how many records.
    pub(in crate::api) records: usize,
    /// At how many bytes of text by expressions.
    pub(in crate::api) bytes: usize,
    /// For how long; one record is always looked at.
    pub(in crate::api) time: Duration,
}

/// How far a call of ours looks: a second at most, since some expressions take long for each byte.
const EFFORT: Effort = Effort { records: 10_000, bytes: 16 << 20, time: Duration::from_secs(1) };

/// How many records are read at once.
const STRETCH: usize = 1000;

/// Looks for events.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchEvents {
    /// Which events.
    filter: Option<FilterForm>,
    /// How many at most: 50 where absent or 0, 1000 where more.
    page_size: Option<i64>,
    /// `nextPageToken` of the page before; absent or empty for the first.
    page_token: Option<String>,
}

/// Where a search goes on. The last event of a page is named by itself, since others may come to stand before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    /// What is looked for, as a digest.
    of: String,
    /// Where the search ends, in milliseconds since 1970, unless the filter says so.
    end: i64,
    /// The stretch that the last event is in: the store's cursor.
    cursor: Option<String>,
    /// When that last event occurred, in milliseconds, and the record it is.
    last: (i64, String),
}

/// Who looks, where, and for what.
struct Search<'a> {
    scope: Scope,
    trails: Vec<Trail>,
    /// Whose reports alone are seen, if not all.
    only_of: Option<&'a str>,
    wanted: Wanted,
    /// The token of the next page, but for its place.
    token: Token,
}

/// Looks for events, the last first.
///
/// # Errors
/// Where the caller may not, the filter cannot be read, or the page token is of another search.
pub fn search(tx: &dyn Tx, call: &Call, request: SearchEvents) -> Result<Found> {
    search_within(EFFORT, tx, call, request)
}

/// The same, looking this far.
pub(in crate::api) fn search_within(
    effort: Effort,
    tx: &dyn Tx,
    call: &Call,
    request: SearchEvents,
) -> Result<Found> {
    let SearchEvents { filter, page_size, page_token } = request;
    let most = match usize::try_from(page_size.unwrap_or(0)) {
        Ok(0) => USUAL,
        Ok(size) => size.min(MOST),
        Err(_) => {
            let detail = "`page_size` is not negative";
            return Err(Error::at(Code::InvalidParameter, "/page_size", detail));
        }
    };
    let filter = filter.unwrap_or_default();
    let of = hex(&sha256(json!(filter).to_string().as_bytes())[..8]);
    let begun = match page_token.filter(|token| !token.is_empty()) {
        Some(text) => Some(Token::read(&text).filter(|token| token.of == of).ok_or_else(|| {
            let detail = "`page_token` is of another search: give `nextPageToken` of the page before, as it is, with \
                          the same filter";
            Error::at(Code::InvalidParameter, "/page_token", detail)
        })?),
        None => None,
    };
    let end = begun.as_ref().map_or(call.now, |token| from_millis(token.end));
    let wanted = filter.read(end)?;
    let last = (0, String::new());
    let token = Token { of, end: end.timestamp_millis(), cursor: None, last };
    Search::of(call, wanted, token)?.run(tx, begun, (most, effort))
}

impl<'a> Search<'a> {
    fn of(call: &'a Call, wanted: Wanted, token: Token) -> Result<Self> {
        let caller = &call.caller;
        let mut trails = match wanted.source.exact.as_deref() {
            Some(OURSELVES) => vec![Trail::Own],
            Some(_) => vec![Trail::Posted],
            None => vec![Trail::Own, Trail::Posted],
        };
        // A service sees what it reported, whatever part of its domain it belongs to.
        if caller.role == Role::Service {
            trails.retain(|trail| *trail == Trail::Posted);
            let domains = Reach::one(chain::of_caller(call));
            let scope = Scope { domains, ..Scope::EVERYTHING };
            return Ok(Self { scope, trails, only_of: Some(&caller.actor), wanted, token });
        }
        audit::admit(call)?;
        Ok(Self { scope: caller.scope.clone(), trails, only_of: None, wanted, token })
    }

    fn run(
        &self,
        tx: &dyn Tx,
        begun: Option<Token>,
        (most, effort): (usize, Effort),
    ) -> Result<Found> {
        let watch = Stopwatch::start();
        let patience = Patience(Cell::new(effort.bytes));
        let mut looked_at = 0;
        let mut events = Vec::new();
        let (mut cursor, mut behind) = match begun {
            Some(Token { cursor, last, .. }) => (cursor, Some(last)),
            None => (None, None),
        };
        if self.trails.is_empty() || self.wanted.start >= self.wanted.end {
            return Ok(self.ended(events));
        }
        loop {
            let found = tx.audits(&self.scope, &self.query(cursor.as_deref(), stretch(most))?)?;
            let mut left = found.rows.len();
            for record in found.rows {
                left -= 1;
                if let Some(last) = &behind {
                    let place = Place::of(&record, last);
                    if place == Place::Before {
                        continue;
                    }
                    behind = None;
                    if place == Place::There {
                        continue;
                    }
                }
                looked_at += 1;
                let event = PostedEvent::of(&record);
                let time = event.event_time;
                if self.is_wanted(&record, &event, &patience) {
                    events.push(EventInfo::shown(&record, event));
                }
                let is_tired = patience.0.get() == 0 || watch.elapsed() >= effort.time;
                let is_enough = events.len() >= most || looked_at >= effort.records || is_tired;
                if is_enough && (left > 0 || found.next_cursor.is_some()) {
                    return Ok(self.paused(events, (cursor, &record), time));
                }
            }
            match found.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(self.ended(events)),
            }
        }
    }

    fn is_wanted(&self, record: &AuditRecord, event: &PostedEvent, patience: &Patience) -> bool {
        let is_seen = self.only_of.is_none_or(|by| record.entry.details[POSTED_BY] == by);
        is_seen && self.wanted.holds(event, patience)
    }

    /// What an index knows of what is looked for.
    fn query(&self, cursor: Option<&str>, limit: usize) -> Result<Query> {
        let Wanted { start, end, .. } = &self.wanted;
        let trails: Vec<&str> = self.trails.iter().map(|trail| trail.as_str()).collect();
        // What is finer than a millisecond is looked at by us.
        let until = to_millis(*end) + TimeDelta::milliseconds(1);
        let mut filter = vec![
            json!({ "k": "trail", "v": trails, "o": "in" }),
            json!({ "k": "occurred_at", "v": rfc3339(*start), "o": "gte" }),
            json!({ "k": "occurred_at", "v": rfc3339(until), "o": "lt" }),
        ];
        filter.extend(self.known());
        let mut page = json!({ "limit": limit, "total": "none" });
        if let Some(cursor) = cursor {
            page["cursor"] = cursor.into();
        }
        Query::parse(&json!({ "filter": filter, "page": page }), &AUDITS, *end).map_err(|fault| {
            // All of it is ours but for the cursor.
            let detail = "`page_token` cannot be read";
            Error::at(Code::InvalidParameter, "/page_token", detail).because(fault)
        })
    }

    /// The condition that leaves least, of those that an index serves.
    fn known(&self) -> Option<Value> {
        let Wanted { source, resource, principal, address, action, .. } = &self.wanted;
        // What is ours is kept by its bare identifier.
        let bare = |text: &str| text.split_once('/').map_or("", |(_, id)| id).to_owned();
        let exactly = |text: &Text| text.exact.clone().filter(|text| !text.is_empty());
        if let Some(resource) = exactly(resource) {
            let own = bare(&bare(resource.trim_start_matches('/')));
            return Some(json!({ "k": "entity_id", "v": [resource, own], "o": "in" }));
        }
        if let Some(principal) = exactly(principal).filter(|text| text != "anonymous") {
            let own = bare(&principal);
            return Some(json!({ "k": "actor_id", "v": [principal, own], "o": "in" }));
        }
        if let Some(action) = exactly(action) {
            return Some(json!({ "k": "action", "v": action, "o": "eq" }));
        }
        // Of our own, a private address is kept as it is.
        if let Some(address) = exactly(address).filter(|_| self.trails == [Trail::Posted]) {
            return Some(json!({ "k": "remote", "v": address, "o": "eq" }));
        }
        let source = exactly(source).filter(|_| self.trails == [Trail::Posted])?;
        Some(json!({ "k": "details.source", "v": source, "o": "eq" }))
    }

    fn ended(&self, events: Vec<EventInfo>) -> Found {
        let until = self.wanted.start.min(self.wanted.end);
        Found { events, next_page_token: String::new(), searched_until_time: written(until) }
    }

    fn paused(
        &self,
        events: Vec<EventInfo>,
        (cursor, record): (Option<String>, &AuditRecord),
        until: DateTime<Utc>,
    ) -> Found {
        let last = (record.entry.occurred_at.timestamp_millis(), record.audit_id.to_string());
        let token = Token { cursor, last, ..self.token.clone() };
        let until = until.clamp(self.wanted.start, self.wanted.end);
        Found { events, next_page_token: token.text(), searched_until_time: written(until) }
    }
}

/// How many records are read at once for a page of this size.
fn stretch(most: usize) -> usize {
    (most + 1).clamp(100, STRETCH)
}

/// Where a record stands to the one that a page ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    There,
    After,
}

impl Place {
    /// Records of the same time stand in the order of arrival; where the one that is named is gone, they count as before.
    fn of(record: &AuditRecord, (millis, id): &(i64, String)) -> Self {
        if record.audit_id.as_str() == id {
            return Self::There;
        }
        let is_older = record.entry.occurred_at.timestamp_millis() < *millis;
        if is_older { Self::After } else { Self::Before }
    }
}

impl Token {
    /// The token as callers see it: opaque, and safe in a URL.
    fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    /// Reads what [`text`](Self::text) wrote; `None` for anything else.
    fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_read_back_as_they_were_written(end: i64, last: i64, id: String, cursor: Option<String>) {
            let token = Token { of: "0123".to_owned(), end, cursor, last: (last, id) };
            prop_assert_eq!(Token::read(&token.text()), Some(token));
        }

        #[test]
        fn what_is_no_token_is_refused_and_never_panics(text: String) {
            prop_assert!(Token::read(&text).is_none());
        }
    }
}
