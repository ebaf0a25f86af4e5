//! How a page is found, newest first, without reading what is not on it.
//!
//! A page of one project, one alert, one webhook or of everything is the end of an index that stands in the order of
//! time. Everything else is put together from such pieces:
//!
//! - Several projects, webhooks or alerts, and the alerts of an event key, are *strands* ([`strands`]): each stands in
//!   order, and the newest heads are taken off until the page is full.
//! - Resources and words have no index of their own, since one on random values costs the writer more with each row that
//!   is there. Rows are numbered as they come; what can be sought of them is gathered by blocks of 256 rows and turned,
//!   64 blocks at a time, into lists of rows by number ([`fill`], [`places`], [`keys`]). A search ([`search`]) takes the
//!   newest blocks first, reads the rows that their lists name, and stops when what is left is older than the page.
//!
//! [`plan`] says which of them it is. All of it finds *places* (`created_at` and row); the rows of the page are read
//! after that, so that nothing is joined that is not shown. Whatever a plan finds is checked against the whole filter
//! and scope: a plan may look at too much, never show too much.

mod fill;
mod keys;
mod places;
mod plan;
mod search;
mod strands;
#[cfg(test)]
mod tests;

use rusqlite::{params_from_iter, types::Value as Bound};

pub(super) use self::{
    fill::{Filling, Findable},
    plan::Plan,
};
use super::{
    sql::{self, Composed, Table},
    work::Work,
};
use crate::{
    domain::scope::Scope,
    error::Result,
    query::{Count, Cursor, Keyset, Query},
    store::Total,
};

/// How many rows make a block.
const BLOCK: i64 = 256;

/// How many blocks make a group.
const BLOCKS: usize = 64;

/// How many rows may be skipped one by one.
const SKIPPED: u64 = 10_000;

/// How many places are kept in memory to be counted; more are counted in the order of rows.
const FOUND: u64 = 1_000_000;

/// What is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Events.
    Events,
    /// Alerts.
    Alerts,
}

impl Of {
    /// How many there are.
    pub(super) const COUNT: usize = 2;

    /// The number of its first block or group, as the file keeps it, and so many more.
    const fn place(self, count: i64) -> i64 {
        (self as i64) << 40 | count
    }

    /// What comes after its last.
    const fn end(self) -> i64 {
        (self as i64 + 1) << 40
    }

    /// What its identifiers begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Events => "event",
            Self::Alerts => "alert",
        }
    }
}

/// What is asked of which table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) query: &'a Query,
    pub(super) scope: &'a Scope,
    pub(super) table: &'static Table,
    pub(super) of: Of,
}

/// What part of the order is looked at.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Only what comes after this place.
    after: Keyset,
    /// Nothing that came before this time.
    oldest: i64,
    /// How many places at most.
    limit: usize,
}

impl Work {
    /// The way to the page: the index that a project declared, where it serves the query, or what the plan says.
    pub(super) fn way(&self, asked: &Asked<'_>, composed: &Composed) -> Result<Plan> {
        if composed.index().is_some() { Ok(Plan::Walk) } else { self.plan(asked) }
    }

    /// Where the rows of the page stand, in its order, and one more if there is one.
    pub(super) fn page(
        &self,
        asked: &Asked<'_>,
        plan: &Plan,
        composed: &Composed,
    ) -> Result<Vec<Keyset>> {
        let page = &asked.query.page;
        let skipped = match page.from {
            Cursor::Skip(rows) if rows > SKIPPED => return self.walk(asked, composed),
            Cursor::Skip(rows) => usize::try_from(rows).unwrap_or(usize::MAX),
            Cursor::After(_) => 0,
        };
        let limit = skipped + page.limit as usize + 1;
        let mut found = match plan {
            Plan::Walk => return self.walk(asked, composed),
            Plan::Strands(strands) => self.merge(asked, strands, limit)?,
            Plan::Search(search) => self.search(asked, search, limit)?,
        };
        found.drain(..skipped.min(found.len()));
        Ok(found)
    }

    /// How many rows there are in all, where the plan knows a better way than to count them all.
    pub(super) fn counted(
        &self,
        asked: &Asked<'_>,
        plan: &Plan,
        composed: &Composed,
    ) -> Result<Option<Total>> {
        let limit = match asked.query.page.count {
            Count::None => return Ok(Some(Total::Unknown)),
            Count::Capped => sql::COUNT_BOUND + 1,
            Count::Exact => FOUND,
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let Plan::Search(search) = plan else { return Ok(None) };
        let found = self.search(asked, &search.whole(), limit)?;
        if asked.query.page.count == Count::Exact && found.len() == limit {
            return Ok(None);
        }
        Ok(Some(composed.total(Some(places::number(found.len())))))
    }

    /// The places in one statement, from the index that the database chooses.
    fn walk(&self, asked: &Asked<'_>, composed: &Composed) -> Result<Vec<Keyset>> {
        let Table { created_at, row, .. } = asked.table;
        let (sql, values) = composed.select(&format!("{created_at}, {row}"), "");
        self.places(&sql, values)
    }

    /// The places that a statement finds.
    fn places(&self, sql: &str, values: Vec<Bound>) -> Result<Vec<Keyset>> {
        self.many(sql, params_from_iter(values), |row| {
            Ok(Keyset { created_at: row.get(0)?, row: row.get(1)? })
        })
    }
}

/// The rows at these places as one value, for `json_each`.
pub(super) fn rows_at(places: &[Keyset]) -> String {
    list(places.iter().map(|place| place.row))
}

/// Numbers as one value, for `json_each`.
fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    let mut json = String::from("[");
    for number in numbers {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&number.to_string());
    }
    json.push(']');
    json
}
