//! One page out of several lists, each of which is in order: read from each no further than the page needs.

use std::{cmp::Ordering, collections::VecDeque};

use serde_json::{Value, json};

use super::{
    EventInfo,
    list::{By, Key},
};
use crate::{
    api::Call,
    clock::Timestamp,
    domain::scope::Scope,
    error::Result,
    query::{AUDITS, Direction, Query},
    store::{Found, Total, Tx},
};

/// How many records are read at once where several lists are merged.
const CHUNK: u64 = 200;

/// What is the same for all parts of a list.
pub(super) struct Merging<'a> {
    /// The store.
    pub(super) tx: &'a dyn Tx,
    /// The call.
    pub(super) call: &'a Call,
    /// What may be seen.
    pub(super) scope: Scope,
    /// The order; newest first where it is empty.
    pub(super) order: Vec<Key>,
    /// How far is counted.
    pub(super) count: &'static str,
}

/// A part of a list: a question to the store, whose answer is in the order of the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// Its conditions.
    pub(super) filter: Vec<Value>,
    /// Its order.
    pub(super) sort: Vec<Value>,
}

/// A page of events.
pub(super) struct Merged {
    /// The events.
    pub(super) rows: Vec<EventInfo>,
    /// How many there are in all.
    pub(super) total: Total,
    /// Whether there is another page.
    pub(super) has_more: bool,
}

/// A record as an event, and what it is sorted by.
struct Row {
    occurred_at: Timestamp,
    created_at: Timestamp,
    event: EventInfo,
}

/// The page of so many rows after so many others, of all parts together.
pub(super) fn merged(merging: &Merging<'_>, parts: &[Part], page: (u64, u32)) -> Result<Merged> {
    let (skip, size) = page;
    if size == 0 {
        let totals = parts.iter().map(|part| merging.counted(part)).collect::<Result<Vec<_>>>()?;
        return Ok(Merged { rows: Vec::new(), total: together(totals), has_more: false });
    }
    if let [only] = parts {
        return merging.alone(only, page);
    }
    let chunk = skip.saturating_add(u64::from(size)).min(CHUNK);
    let mut streams: Vec<Stream<'_>> = parts.iter().map(|part| Stream::new(part, chunk)).collect();
    for stream in &mut streams {
        stream.refill(merging)?;
    }
    let total = together(streams.iter().map(|stream| stream.total));
    let (mut passed, mut rows) = (0, Vec::new());
    while rows.len() < size as usize {
        let Some(row) = least(&mut streams, merging)? else { break };
        passed += 1;
        if passed > skip {
            rows.push(row.event);
        }
    }
    let has_more = streams.iter().any(|stream| !stream.rows.is_empty());
    Ok(Merged { rows, total, has_more })
}

/// Takes the row that comes first of all.
fn least(streams: &mut [Stream<'_>], merging: &Merging<'_>) -> Result<Option<Row>> {
    let first = streams
        .iter()
        .enumerate()
        .filter_map(|(at, stream)| Some((at, stream.rows.front()?)))
        .min_by(|(_, one), (_, other)| compare(one, other, &merging.order))
        .map(|(at, _)| at);
    let Some(stream) = first.and_then(|at| streams.get_mut(at)) else { return Ok(None) };
    let row = stream.rows.pop_front();
    stream.refill(merging)?;
    Ok(row)
}

/// How two rows stand to each other in an order; the newer one first where that leaves it open.
fn compare(one: &Row, other: &Row, order: &[Key]) -> Ordering {
    for (by, direction) in order {
        let (a, b) = (&one.event.attributes.said, &other.event.attributes.said);
        let ordering = match by {
            By::Id => one.event.id.as_str().cmp(other.event.id.as_str()),
            By::Created => one.created_at.cmp(&other.created_at),
            By::Occurred => one.occurred_at.cmp(&other.occurred_at),
            By::Source => a.source.cmp(&b.source),
            By::Kind => a.kind.cmp(&b.kind),
            By::Severity => a.severity.cmp(&b.severity),
            By::Classification => a.classification.cmp(&b.classification),
            By::Visibility => a.visibility.cmp(&b.visibility),
        };
        let ordering = match direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    let is_by_time = order.iter().all(|(by, _)| by.field().is_none());
    let ordering = if is_by_time {
        one.age().cmp(&other.age())
    } else {
        one.event.id.as_str().cmp(other.event.id.as_str())
    };
    ordering.reverse()
}

impl Row {
    /// When it happened; of what happened at once, which came later.
    fn age(&self) -> (Timestamp, Timestamp, &str) {
        (self.occurred_at, self.created_at, self.event.id.as_str())
    }
}

/// A part of a list that is read as it is needed.
struct Stream<'a> {
    part: &'a Part,
    chunk: u64,
    rows: VecDeque<Row>,
    next: Next,
    total: Total,
}

/// Where a part is read on.
enum Next {
    /// At its beginning.
    Beginning,
    /// Here.
    From(String),
    /// Nowhere: it is at its end.
    Nowhere,
}

impl<'a> Stream<'a> {
    fn new(part: &'a Part, chunk: u64) -> Self {
        let (rows, next) = (VecDeque::new(), Next::Beginning);
        Self { part, chunk, rows, next, total: Total::Unknown }
    }

    /// Reads on where nothing is left of what was read.
    fn refill(&mut self, merging: &Merging<'_>) -> Result<()> {
        if !self.rows.is_empty() {
            return Ok(());
        }
        let page = match &self.next {
            Next::Beginning => json!({ "limit": self.chunk, "total": merging.count }),
            Next::From(cursor) => json!({ "limit": CHUNK, "cursor": cursor, "total": "none" }),
            Next::Nowhere => return Ok(()),
        };
        let is_first = matches!(self.next, Next::Beginning);
        let (found, cursor) = merging.asked(self.part, &page)?;
        if is_first {
            self.total = found.total;
        }
        self.rows = found.rows.into();
        self.next = cursor.map_or(Next::Nowhere, Next::From);
        Ok(())
    }
}

impl Merging<'_> {
    /// A page of a single part, which the store makes.
    fn alone(&self, part: &Part, (skip, size): (u64, u32)) -> Result<Merged> {
        let page = json!({ "limit": size, "start": skip.saturating_add(1), "total": self.count });
        let (Found { rows, total, .. }, cursor) = self.asked(part, &page)?;
        let rows = rows.into_iter().map(|row| row.event).collect();
        Ok(Merged { rows, total, has_more: cursor.is_some() })
    }

    fn asked(&self, part: &Part, page: &Value) -> Result<(Found<Row>, Option<String>)> {
        let asked = json!({ "filter": part.filter, "sort": part.sort, "page": page });
        let query = Query::parse(&asked, &AUDITS, self.call.now)?;
        let Found { rows, total, next_cursor } = self.tx.audits(&self.scope, &query)?;
        let row = |record: crate::domain::audit::AuditRecord| Row {
            occurred_at: record.entry.occurred_at,
            created_at: record.entry.received_at,
            event: EventInfo::new(record, &self.call.kinds),
        };
        let rows = rows.into_iter().map(row).collect();
        Ok((Found { rows, total, next_cursor: None }, next_cursor))
    }

    fn counted(&self, part: &Part) -> Result<Total> {
        let page = json!({ "total": self.count });
        let asked = json!({ "filter": part.filter, "count_only": true, "page": page });
        let query = Query::parse(&asked, &AUDITS, self.call.now)?;
        Ok(self.tx.audits(&self.scope, &query)?.total)
    }
}

/// How many there are of several together.
fn together(totals: impl IntoIterator<Item = Total>) -> Total {
    totals.into_iter().fold(Total::Exact(0), |sum, total| match (sum, total) {
        (Total::Exact(a), Total::Exact(b)) => Total::Exact(a + b),
        (Total::Exact(a) | Total::AtLeast(a), Total::Exact(b) | Total::AtLeast(b)) => {
            Total::AtLeast(a + b)
        }
        (Total::Unknown, _) | (_, Total::Unknown) => Total::Unknown,
    })
}
