//! The reader's side: the newest blocks first, what their lists name is read and checked.

use std::collections::BinaryHeap;

use rusqlite::{Statement, params, types::Value as Bound};

use super::{
    Asked, BLOCK, BLOCKS, Of,
    keys::{Key, Term},
    places::{Packed, Rows, number},
    plan::Rest,
};
use crate::{
    error::Result,
    query::Keyset,
    store::sqlite::{rows::Columns, sql::Table, work::Work},
};

/// How many rows are read at once at least.
const BATCH: usize = 64;

/// How many rows are read at once at most, or little more.
const MOST_AT_ONCE: usize = 8192;

/// One of these terms belongs to what is sought.
pub(super) type Clause = Vec<Term>;

/// What is sought: one term of each clause, and what is left to check.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Search {
    clauses: Vec<Clause>,
    rest: Rest,
    /// Where the whole filter begins, wherever the page does.
    start: Option<Keyset>,
}

/// A place to look, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    newest: i64,
    oldest: i64,
    where_: Where,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    /// A group of blocks.
    Group(i64),
    /// A block that is in no group yet.
    Block(i64),
    /// These rows.
    Rows(Vec<i64>),
}

/// A search under way.
struct Looking<'a> {
    search: &'a Search,
    sources: BinaryHeap<Source>,
    after: Keyset,
    /// Rows to be read.
    named: Vec<i64>,
    found: Vec<Keyset>,
    limit: usize,
}

impl Search {
    pub(super) fn new(clauses: Vec<Clause>, rest: Rest, start: Option<Keyset>) -> Self {
        Self { clauses, rest, start }
    }

    /// The same, wherever the page begins.
    pub(super) fn whole(&self) -> Self {
        let mut all = self.clone();
        all.rest.after = self.start;
        all
    }

    /// The rows that the clauses leave, where `rows_of` tells which rows have a number.
    fn left(&self, none: &Rows, mut rows_of: impl FnMut(Key) -> Result<Rows>) -> Result<Rows> {
        let mut left: Option<Rows> = None;
        for clause in &self.clauses {
            let mut some = none.clone();
            for term in clause {
                some.or(&all_of(term, none, &mut rows_of)?);
            }
            if let Some(left) = &left {
                some.and(left);
            }
            if some.is_empty() {
                return Ok(some);
            }
            left = Some(some);
        }
        Ok(left.unwrap_or_else(|| none.clone()))
    }
}

fn all_of(term: &Term, none: &Rows, rows_of: &mut impl FnMut(Key) -> Result<Rows>) -> Result<Rows> {
    let mut all: Option<Rows> = None;
    for key in term {
        let mut rows = rows_of(*key)?;
        if let Some(all) = &all {
            rows.and(all);
        }
        if rows.is_empty() {
            return Ok(rows);
        }
        all = Some(rows);
    }
    Ok(all.unwrap_or_else(|| none.clone()))
}

impl Work {
    /// The newest places of what is sought.
    pub(super) fn search(
        &self,
        asked: &Asked<'_>,
        search: &Search,
        limit: usize,
    ) -> Result<Vec<Keyset>> {
        let start = Keyset { created_at: i64::MAX, row: i64::MAX };
        let after = search.rest.after.unwrap_or(start);
        let (named, found) = (Vec::new(), Vec::new());
        let sources = self.sources(asked.of)?;
        let mut looking = Looking { search, sources, after, named, found, limit };
        let mut lists = self
            .connection
            .prepare_cached("SELECT places FROM sought WHERE span = ?1 AND key = ?2")?;
        while let Some(source) = looking.sources.pop() {
            if looking.is_full_before(&source) {
                self.read_named(asked, &mut looking)?;
                if looking.is_settled_before(&source) {
                    break;
                }
            }
            let is_outside = source.oldest > after.created_at || source.newest < search.rest.oldest;
            if is_outside {
                continue;
            }
            match source.where_ {
                Where::Group(group) => {
                    self.open_group(asked.of, group, &mut lists, &mut looking)?;
                }
                Where::Block(block) => self.open_block(asked.of, block, &mut looking)?,
                Where::Rows(rows) => looking.named.extend(rows),
            }
            if looking.named.len() >= limit.clamp(BATCH, MOST_AT_ONCE) {
                self.read_named(asked, &mut looking)?;
            }
        }
        self.read_named(asked, &mut looking)?;
        let mut found = looking.found;
        found.truncate(limit);
        Ok(found)
    }

    /// Where to look: groups, blocks that are in none, and the rows that are in no block.
    fn sources(&self, of: Of) -> Result<BinaryHeap<Source>> {
        let first = of.place(0);
        let read = |sql: &str, from: i64, kind: fn(i64) -> Where| {
            self.many(sql, params![from, of.end()], |row| {
                let where_ = kind(row.get::<_, i64>(0)? - first);
                Ok(Source { where_, oldest: row.get(1)?, newest: row.get(2)? })
            })
        };
        let groups = read(
            "SELECT span, oldest, newest FROM sought_group WHERE span >= ?1 AND span < ?2",
            first,
            Where::Group,
        )?;
        let last = groups.iter().map(|source| match source.where_ {
            Where::Group(group) => group + 1,
            Where::Block(_) | Where::Rows(_) => 0,
        });
        let ungrouped = of.place(last.max().unwrap_or_default() * number(BLOCKS));
        let blocks = read(
            "SELECT block, oldest, newest FROM sought_block WHERE block >= ?1 AND block < ?2",
            ungrouped,
            Where::Block,
        )?;
        let tail = self.first_open_block(of)? * BLOCK;
        let anew = match of {
            Of::Events => "SELECT event FROM event WHERE event >= ?1",
            Of::Alerts => {
                "SELECT alert FROM alert WHERE alert >= ?1 UNION SELECT alert FROM sought_anew"
            }
        };
        let rows = self.many(anew, [tail], |row| Ok(row.get(0)?))?;
        let tail = Source { newest: i64::MAX, oldest: i64::MIN, where_: Where::Rows(rows) };
        Ok(groups.into_iter().chain(blocks).chain([tail]).collect())
    }

    /// Looks at the lists of a group.
    fn open_group(
        &self,
        of: Of,
        group: i64,
        lists: &mut Statement<'_>,
        looking: &mut Looking<'_>,
    ) -> Result<()> {
        let none = Rows::none_of_group();
        let left = looking.search.left(&none, |key| {
            let mut found = lists.query(params![of.place(group), key])?;
            match found.next()? {
                Some(row) => Ok(Rows::of_group(row.get_ref(0)?.as_blob().unwrap_or_default())),
                None => Ok(none.clone()),
            }
        })?;
        let blocks = number(BLOCKS);
        let places: Vec<i64> = left.places().map(|place| group * blocks * BLOCK + place).collect();
        if places.len() <= BATCH {
            looking.named.extend(places);
            return Ok(());
        }
        // Many: the newest blocks first, each within its own time.
        let spans = self.many(
            "SELECT block, oldest, newest FROM sought_block WHERE block >= ?1 AND block < ?2",
            [of.place(group * blocks), of.place((group + 1) * blocks)],
            |row| Ok((row.get::<_, i64>(0)? - of.place(0), row.get(1)?, row.get(2)?)),
        )?;
        for rows in places.chunk_by(|a, b| a / BLOCK == b / BLOCK) {
            let block = rows[0] / BLOCK;
            let span = spans.iter().find(|(at, ..)| *at == block);
            let (oldest, newest) =
                span.map_or((i64::MIN, i64::MAX), |(_, oldest, newest)| (*oldest, *newest));
            looking.sources.push(Source { newest, oldest, where_: Where::Rows(rows.to_vec()) });
        }
        Ok(())
    }

    /// Looks at the lists of a block.
    fn open_block(&self, of: Of, block: i64, looking: &mut Looking<'_>) -> Result<()> {
        let packed = self.one(
            "SELECT ids, keys, places FROM sought_block WHERE block = ?1",
            [of.place(block)],
            |row| {
                let mut columns = Columns::of(row);
                let (ids, keys, places) = (columns.get()?, columns.get()?, columns.get()?);
                Ok(Packed { at: 0, ids, keys, places })
            },
        )?;
        let Some(packed) = packed else { return Ok(()) };
        let none = Rows::none_of_block();
        let left = looking.search.left(&none, |key| Ok(Rows::of_block(&packed, key)))?;
        looking.named.extend(left.places().map(|place| block * BLOCK + place));
        Ok(())
    }

    /// Reads the rows that were named, and keeps those that are meant.
    fn read_named(&self, asked: &Asked<'_>, looking: &mut Looking<'_>) -> Result<()> {
        if looking.named.is_empty() {
            return Ok(());
        }
        let Table { from, row, created_at, .. } = asked.table;
        let Rest { sql, values: held, oldest, .. } = &looking.search.rest;
        let sql = format!(
            "SELECT {created_at}, {row} FROM json_each(?) c CROSS JOIN {from} WHERE {row} = c.value AND {sql}
             AND {created_at} >= ? AND ({created_at}, {row}) < (?, ?)"
        );
        let mut values = vec![Bound::Text(super::list(looking.named.drain(..)))];
        values.extend_from_slice(held);
        values.extend([
            Bound::Integer(*oldest),
            Bound::Integer(looking.after.created_at),
            Bound::Integer(looking.after.row),
        ]);
        looking.found.extend(self.places(&sql, values)?);
        looking.found.sort_by(|a, b| b.cmp(a));
        looking.found.dedup();
        Ok(())
    }
}

impl Looking<'_> {
    /// Whether the page may be full without what is in `next`.
    fn is_full_before(&self, next: &Source) -> bool {
        let named = self.named.len();
        self.found.len() + named >= self.limit && (named > 0 || self.is_settled_before(next))
    }

    /// Whether the page is full and all that is in `next` is older.
    fn is_settled_before(&self, next: &Source) -> bool {
        let last = self.limit.checked_sub(1).and_then(|last| self.found.get(last));
        last.is_some_and(|last| last.created_at > next.newest)
    }
}
