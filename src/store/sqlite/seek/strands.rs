//! Strands: each stands in order, newest first, and the newest heads are taken off until the page is full.

use std::collections::{BinaryHeap, VecDeque};

use rusqlite::types::Value as Bound;

use super::{Asked, Of, Stretch, places::number, plan::Rest};
use crate::{
    error::Result,
    query::Keyset,
    store::sqlite::{sql::Table, work::Work},
};

/// How far back the first window reaches, in milliseconds, and by how much each is wider than the one before.
const FIRST_WINDOW: i64 = 15 * 60 * 1000;
const WIDER: i64 = 8;

/// What the rows of a strand have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Where rows are read in order.
    from: &'static str,
    /// What they have in common.
    held: &'static str,
}

impl Kind {
    /// Events of an alert.
    pub(super) const ALERT: Self =
        Self { from: "event e INDEXED BY event_of_alert", held: "e.alert = ?" };

    /// Events of a project's key that have no alert.
    pub(super) const LONE: Self = Self {
        from: "event e INDEXED BY event_without_alert",
        held: "e.alert IS NULL AND e.project = ? AND e.event_key = ?",
    };

    /// All there are.
    pub(super) const fn all(of: Of) -> Self {
        let from = match of {
            Of::Events => "event e INDEXED BY event_by_time",
            Of::Alerts => {
                "alert a INDEXED BY alert_by_time CROSS JOIN standing t ON t.alert = a.alert"
            }
        };
        Self { from, held: "1" }
    }

    /// Those of a webhook.
    pub(super) const fn webhook(of: Of) -> Self {
        match of {
            Of::Events => {
                Self { from: "event e INDEXED BY event_of_webhook", held: "e.webhook = ?" }
            }
            Of::Alerts => Self {
                from: "alert a INDEXED BY alert_of_webhook CROSS JOIN standing t ON t.alert = a.alert",
                held: "a.webhook = ?",
            },
        }
    }

    /// Those of a project that meet this condition.
    pub(super) fn project(of: Of, condition: &str) -> Self {
        match of {
            Of::Events => {
                Self { from: "event e INDEXED BY event_of_project", held: "e.project = ?" }
            }
            // Open alerts are few, and have an index of their own.
            Of::Alerts if condition.contains("a.state <> 'RESOLVED'") => Self {
                from: "alert a CROSS JOIN standing t ON t.alert = a.alert",
                held: "a.project = ?",
            },
            Of::Alerts => Self {
                from: "alert a INDEXED BY alert_of_project CROSS JOIN standing t ON t.alert = a.alert",
                held: "a.project = ?",
            },
        }
    }
}

/// Several strands, and what is left to check of their rows.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Strands {
    kinds: Vec<Kind>,
    /// The kind of each, and the values of what its rows have in common.
    each: Vec<(usize, Vec<Bound>)>,
    rest: Rest,
}

/// What was read of a strand and is not taken off yet.
struct Head {
    read: VecDeque<Keyset>,
    /// The place of the last row that was read.
    last: Keyset,
    /// How many rows are read at once.
    chunk: usize,
    /// Whether there is nothing more.
    is_done: bool,
}

impl Strands {
    pub(super) fn new(kinds: Vec<Kind>, each: Vec<(usize, Vec<Bound>)>, rest: Rest) -> Self {
        Self { kinds, each, rest }
    }

    /// Whether rows that come in order are still checked, so that many may be read in vain.
    pub(in crate::store::sqlite) fn checks_rows(&self) -> bool {
        self.rest.is_picky
    }

    /// The statement of each kind.
    pub(in crate::store::sqlite) fn statements(&self, table: &Table) -> Vec<String> {
        let Table { created_at, row, .. } = table;
        let rest = &self.rest.sql;
        let statement = |Kind { from, held }: &Kind| {
            format!(
                "SELECT {created_at}, {row} FROM {from} WHERE {held} AND {rest} AND {created_at} >= ?
                 AND ({created_at}, {row}) < (?, ?) ORDER BY {created_at} DESC, {row} DESC LIMIT ?"
            )
        };
        self.kinds.iter().map(statement).collect()
    }

    /// The statement of a kind, for whoever wants to see its plan.
    #[cfg(test)]
    pub(super) fn statement(&self, table: &Table) -> String {
        self.statements(table).join("; ")
    }
}

impl Work {
    /// The newest places of several strands.
    pub(super) fn merge(
        &self,
        asked: &Asked<'_>,
        strands: &Strands,
        limit: usize,
    ) -> Result<Vec<Keyset>> {
        let statements = strands.statements(asked.table);
        let Rest { after, oldest, is_picky, .. } = strands.rest;
        let start = Keyset { created_at: i64::MAX, row: i64::MAX };
        let mut stretch = Stretch { after: after.unwrap_or(start), oldest, limit };
        // Where rows are turned away, one strand would be read to its end for a row that is older than all others'.
        if !is_picky || strands.each.len() < 2 {
            return self.take(strands, &statements, stretch);
        }
        let newest = self.newest(asked)?.min(stretch.after.created_at);
        let (mut found, mut width) = (Vec::new(), FIRST_WINDOW);
        loop {
            stretch.oldest = newest.saturating_sub(width).max(oldest);
            stretch.limit = limit - found.len();
            if width > i64::MAX / WIDER || stretch.oldest <= 0 {
                stretch.oldest = oldest;
            }
            found.extend(self.take(strands, &statements, stretch)?);
            if found.len() >= limit || stretch.oldest <= oldest {
                return Ok(found);
            }
            stretch.after = Keyset { created_at: stretch.oldest, row: i64::MIN };
            width *= WIDER;
        }
    }

    /// When the newest row came.
    fn newest(&self, asked: &Asked<'_>) -> Result<i64> {
        let sql = match asked.of {
            Of::Events => "SELECT max(created_at) FROM event",
            Of::Alerts => "SELECT max(created_at) FROM alert",
        };
        Ok(self.number(sql, [])?.unwrap_or_default())
    }

    /// The newest places of several strands within a stretch.
    fn take(
        &self,
        strands: &Strands,
        statements: &[String],
        stretch: Stretch,
    ) -> Result<Vec<Keyset>> {
        let Stretch { after, limit, .. } = stretch;
        let count = strands.each.len();
        let chunk = if count == 1 { limit } else { (2 * limit / count.max(1)).max(8) };
        let mut heads = Vec::with_capacity(count);
        let mut newest = BinaryHeap::with_capacity(count);
        for at in 0..count {
            let mut head = Head { read: VecDeque::new(), last: after, chunk, is_done: false };
            self.read_on(strands, statements, (at, &mut head), stretch)?;
            newest.extend(head.read.front().map(|place| (*place, at)));
            heads.push(head);
        }
        let mut found: Vec<Keyset> = Vec::with_capacity(limit.min(1024));
        while found.len() < limit {
            let Some((place, at)) = newest.pop() else { break };
            // A row may be on two strands.
            if found.last() != Some(&place) {
                found.push(place);
            }
            let head = &mut heads[at];
            head.read.pop_front();
            if head.read.is_empty() {
                self.read_on(strands, statements, (at, head), stretch)?;
            }
            newest.extend(head.read.front().map(|place| (*place, at)));
        }
        Ok(found)
    }

    /// Reads some more of a strand.
    fn read_on(
        &self,
        strands: &Strands,
        statements: &[String],
        (at, front): (usize, &mut Head),
        stretch: Stretch,
    ) -> Result<()> {
        if front.is_done {
            return Ok(());
        }
        let (kind, held) = &strands.each[at];
        let mut values = held.clone();
        values.extend_from_slice(&strands.rest.values);
        values.extend([
            Bound::Integer(stretch.oldest),
            Bound::Integer(front.last.created_at),
            Bound::Integer(front.last.row),
            Bound::Integer(number(front.chunk)),
        ]);
        let read = self.places(&statements[*kind], values)?;
        front.is_done = read.len() < front.chunk;
        front.last = read.last().copied().unwrap_or(front.last);
        front.chunk = front.chunk.saturating_mul(2);
        front.read.extend(read);
        Ok(())
    }
}
