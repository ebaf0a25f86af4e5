//! A connection at work.

use std::{
    cell::{RefCell, RefMut},
    sync::Arc,
};

use rusqlite::{Connection, OptionalExtension, Params, Row, params_from_iter};

use super::{
    changes::Watched,
    live::Live,
    seek,
    sql::Composed,
    tally::{Asked, Combos},
};
use crate::{
    domain::audit::SealKey,
    error::{Error, Result},
    store::{
        Total, Tx,
        limit::{Reading, Turns, Watch},
    },
};

/// After about how many of its steps `SQLite` asks whether a read goes on: every millisecond or sooner.
const STEPS: i32 = 1000;

/// A connection at work: a reader's, or the writer's with what it keeps in memory.
pub(super) struct Work {
    pub(super) connection: Connection,
    live: Option<RefCell<Live>>,
    combos: RefCell<Combos>,
    /// Until when it may read; none for the writer.
    watch: Option<Arc<Watch>>,
    /// How many commits with deliveries came since the counters of webhooks were written.
    pub(super) commits_since_counters: usize,
    /// What signs how the chains of the audit trail stand; nothing on a reader, which signs nothing.
    seal: SealKey,
    /// Which alerts were changed, while somebody watches.
    pub(super) watched: Watched,
}

impl Work {
    /// A connection that reads.
    pub(super) fn reader(connection: Connection) -> Self {
        Self::with(connection, None)
    }

    /// The connection that writes.
    pub(super) fn writer(connection: Connection, seal: SealKey) -> Result<Self> {
        let live = Live::load(&connection)?;
        Ok(Self { seal, ..Self::with(connection, Some(RefCell::new(live))) })
    }

    fn with(connection: Connection, live: Option<RefCell<Live>>) -> Self {
        let combos = RefCell::default();
        Self {
            connection,
            live,
            combos,
            watch: None,
            commits_since_counters: 0,
            watched: Watched::default(),
            seal: SealKey::default(),
        }
    }

    /// Has statements interrupted where `watch` says so, from now on.
    pub(super) fn watch(&mut self, watch: Option<&Arc<Watch>>, turns: &Arc<Turns>) -> Result<()> {
        self.watch = watch.cloned();
        let handler = watch.map(|watch| {
            let mut reading = Reading::new(Arc::clone(watch), Arc::clone(turns));
            move || !reading.goes_on()
        });
        Ok(self.connection.progress_handler(STEPS, handler)?)
    }

    /// What signs how the chains of the audit trail stand.
    pub(super) fn seal(&self) -> &SealKey {
        &self.seal
    }

    /// An error where a read must stop; for loops over rows that spend their time outside of `SQLite`.
    pub(super) fn goes_on(&self) -> Result<()> {
        match self.watch.as_ref().and_then(|watch| watch.stop().map(|why| watch.error(why))) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// What the writer keeps in memory; an error on a reader, which has none.
    pub(super) fn live(&self) -> Result<&RefCell<Live>> {
        self.live.as_ref().ok_or_else(|| Error::internal("a reader was asked to write"))
    }

    /// Whether this is the writer's connection.
    pub(super) fn live_if_writer(&self) -> Option<&RefCell<Live>> {
        self.live.as_ref()
    }

    /// The combinations of tallies that are known here; the writer, whose tallies are in the file only at the end of its
    /// commit, has none.
    pub(super) fn combos(&self) -> Option<RefMut<'_, Combos>> {
        self.live.is_none().then(|| self.combos.borrow_mut())
    }

    /// Runs a statement without parameters or rows.
    pub(super) fn command(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Runs a statement that returns no rows; how many it changed.
    pub(super) fn put(&self, sql: &str, params: impl Params) -> Result<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row of a query, if it has one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// All rows of a query.
    pub(super) fn many<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// How many rows a query has in all: exactly where tallies tell, else as far as it wants them counted.
    pub(super) fn total(
        &self,
        asked: &Asked<'_>,
        (sought, plan): (&seek::Asked<'_>, &seek::Plan),
        composed: &Composed,
    ) -> Result<Total> {
        let Some((sql, values)) = composed.count() else { return Ok(composed.total(None)) };
        if let Some(rows) = self.tallied_total(asked)? {
            return Ok(Total::Exact(rows));
        }
        if let Some(total) = self.counted(sought, plan, composed)? {
            return Ok(total);
        }
        Ok(composed.total(self.number(&sql, params_from_iter(values))?))
    }

    /// The number that a query returns, if it returns one.
    pub(super) fn number(&self, sql: &str, params: impl Params) -> Result<Option<i64>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<Option<i64>> =
            statement.query_row(params, |row| row.get(0)).optional()?;
        Ok(found.flatten())
    }
}

impl Tx for Work {
    fn attempt(&mut self, part: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        // SQLite ends a transaction by itself where the disk is full or fails: nothing may be added to that.
        if self.connection.is_autocommit() {
            return Err(Error::unavailable("the store could not write; nothing was kept", 5));
        }
        let mark = self.live()?.borrow().mark();
        self.command("SAVEPOINT part")?;
        let done = part(self);
        if done.is_err() {
            self.command("ROLLBACK TO part")?;
            self.undo_to(mark);
        }
        self.command("RELEASE part")?;
        done
    }
}
