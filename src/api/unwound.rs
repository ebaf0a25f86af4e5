//! Lists with `unwind`: a row for each element of a list in a stored record.

use std::{collections::BTreeSet, ops::ControlFlow};

use serde_json::Value;

use super::{Page, Shown};
use crate::{
    error::{Code, Error, Result},
    query::{Catalogue, Count, Cursor, Direction, Order, Query, Shape, Sort, Unwind},
    store::{Each, Scan, Total},
};

/// How far rows are counted unless the caller asks for more.
const COUNTED: usize = 10_000;

/// How many rows are put in order at most, where they are ordered by what was unwound.
const SORTED: usize = 100_000;

/// The page of rows that `query` asks for, of the records that `visit` gives.
pub(super) fn page<V>(
    query: &Query,
    catalogue: &'static Catalogue,
    visit: impl FnOnce(&Scan<'_>, &mut Each<'_>) -> Result<()>,
) -> Result<Page<Shown<V>>> {
    let Some(unwind) = &query.unwind else {
        return Ok(Page::new(Vec::new(), Total::Unknown, None));
    };
    let is_own_order = query.sort.iter().any(|sort| sort.field == unwind.field);
    let order = if is_own_order { Vec::new() } else { order(query, catalogue) };
    let fields = fields(query, unwind, catalogue);
    let scan = Scan { filter: &query.filter, fields: &fields, sort: &order };
    let mut rows = Rows::new(query);
    visit(&scan, &mut |record| {
        for row in unwind.rows(&record) {
            if is_own_order {
                rows.keep(row)?;
            } else if rows.add(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if is_own_order {
        rows.put_in_order(catalogue);
    }
    let Rows { page, seen, end, count, .. } = rows;
    let total = match count {
        Count::None => Total::Unknown,
        Count::Capped if seen > COUNTED => Total::AtLeast(COUNTED as u64),
        Count::Capped | Count::Exact => Total::Exact(seen as u64),
    };
    let is_more = query.wants_rows() && seen > end;
    let next = is_more.then(|| Cursor::Skip(end as u64).text());
    let results = page.into_iter().map(|row| Shown::Part(query.shape.of(row, catalogue)));
    Ok(Page::new(results.collect(), total, next))
}

/// The order in which records are read.
fn order(query: &Query, catalogue: &'static Catalogue) -> Vec<Sort> {
    if !query.sort.is_empty() {
        return query.sort.clone();
    }
    let (name, direction) = match catalogue.order {
        Order::NewestFirst => ("created_at", Direction::Descending),
        Order::LatestFirst => ("occurred_at", Direction::Descending),
        Order::By(name) => (name, Direction::Ascending),
    };
    let field = catalogue.field(name);
    field.map(|field| Sort { field, path: Vec::new(), direction }).into_iter().collect()
}

/// The fields that are read. What was posted is read only where it is asked for by name.
fn fields(query: &Query, unwind: &Unwind, catalogue: &'static Catalogue) -> BTreeSet<&'static str> {
    let shown = catalogue.fields.iter().filter(|field| match &query.shape {
        Shape::Whole => field.name != "raw_data",
        _ => query.shows(field.name, catalogue),
    });
    let shown = shown.map(|field| field.name);
    let filtered = unwind.filter.iter().map(|condition| condition.field.name);
    let sorted = query.sort.iter().map(|sort| sort.field.name);
    shown.chain(filtered).chain(sorted).chain([unwind.field.name, catalogue.id]).collect()
}

/// Rows as they come.
struct Rows<'a> {
    query: &'a Query,
    count: Count,
    /// How many rows come before the page.
    skipped: usize,
    /// How many rows come before what follows the page.
    end: usize,
    seen: usize,
    page: Vec<Value>,
}

impl<'a> Rows<'a> {
    fn new(query: &'a Query) -> Self {
        let skipped = match query.page.from {
            Cursor::Skip(rows) => usize::try_from(rows).unwrap_or(usize::MAX),
            Cursor::After(_) => 0,
        };
        let limit = if query.wants_rows() { query.page.limit as usize } else { 0 };
        let (count, end) = (query.page.count, skipped.saturating_add(limit));
        Self { query, count, skipped, end, seen: 0, page: Vec::new() }
    }

    /// Adds the next row, unless enough is known.
    fn add(&mut self, row: Value) -> ControlFlow<()> {
        if (self.skipped..self.end).contains(&self.seen) {
            self.page.push(row);
        }
        self.seen += 1;
        let counted = match self.count {
            Count::Exact => usize::MAX,
            Count::Capped => COUNTED,
            Count::None => 0,
        };
        // One row more tells that there are more.
        if self.seen > self.end.max(counted) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Keeps a row that has to be put in order first.
    fn keep(&mut self, row: Value) -> Result<()> {
        if self.page.len() == SORTED {
            let detail = format!(
                "at most {SORTED} rows are put in order by what was unwound: narrow the filter"
            );
            return Err(Error::at(Code::Query, "/query/sort", detail));
        }
        self.page.push(row);
        Ok(())
    }

    fn put_in_order(&mut self, catalogue: &Catalogue) {
        let mut rows = std::mem::take(&mut self.page);
        self.query.put_in_order(&mut rows, catalogue);
        self.seen = rows.len();
        let end = self.end.min(rows.len());
        rows.truncate(end);
        rows.drain(..self.skipped.min(end));
        self.page = rows;
    }
}
