//! Tallies at the end of a commit: what it counted is added to what is in the file, and what is over is folded.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::{
    super::work::Work,
    counts::Counts,
    known::{Combos, Kind, Provider, Traits, Way},
    ledger::Ledger,
    level::Level,
    truth,
    verify::place_of,
};
use crate::error::{Error, Result};

/// A chunk of a step of a level.
type Key = (Level, i64, i64);

/// What is added to the counts of a chunk: how many of which place.
type Added = (Key, usize, i64);

impl Work {
    /// Writes what the commit counted.
    pub(in crate::store::sqlite) fn write_tallies(&self) -> Result<()> {
        let mut live = self.live()?.borrow_mut();
        let ledger = live.tallies();
        write_combos(&self.connection, ledger)?;
        let newest = ledger.changes.last_key_value().map(|((quarter, _), _)| *quarter);
        let oldest = ledger.changes.first_key_value().map(|((quarter, _), _)| *quarter);
        let Some((oldest, newest)) = oldest.zip(newest) else { return Ok(()) };
        // While there is nothing, all that is older is over.
        let oldest = Level::Stretch.bucket(oldest) * Level::Stretch.quarters();
        let folded = ledger.folded.unwrap_or(oldest);
        for added in added(ledger, folded).chunk_by(|(a, ..), (b, ..)| a == b) {
            self.add(ledger, added)?;
        }
        let over = Level::Hour.bucket(newest) * Level::Hour.quarters();
        if over > folded || ledger.folded.is_none() {
            fold(&self.connection, folded, over)?;
            put_mark(&self.connection, Some(over))?;
            ledger.next_folded = Some(over);
        }
        Ok(())
    }

    /// Counts down these rows, which are about to be removed in this unit of work.
    pub(in crate::store::sqlite) fn tally_removed(&self, kind: Kind, rows: &[i64]) -> Result<()> {
        self.flush_standings()?;
        for row in rows {
            truth::row(&self.connection, (kind, *row), &mut |created_at, said| {
                self.live()?.borrow_mut().tally(|tallies| {
                    let place = tallies.place(said, created_at);
                    tallies.gone(place);
                });
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Adds to one chunk of one step.
    fn add(&self, ledger: &mut Ledger, added: &[Added]) -> Result<()> {
        let Some((key, ..)) = added.first().copied() else { return Ok(()) };
        let mut counts = match ledger.remembered(key) {
            Some(counts) => counts.clone(),
            None => counts_in(&self.connection, key)?,
        };
        for (_, place, by) in added {
            if !counts.change(*place, *by) {
                tracing::error!("a tally fell below nothing; `admin verify` tells where");
            }
        }
        put(&self.connection, key, &counts)?;
        ledger.remember(key, counts);
        Ok(())
    }
}

/// What the commit counted, by level, chunk and step.
fn added(ledger: &Ledger, folded: i64) -> Vec<Added> {
    let mut all = Vec::with_capacity(ledger.changes.len());
    for ((quarter, combo), by) in &ledger.changes {
        let (chunk, place) = place_of(*combo);
        for level in Level::ALL {
            if level.holds(*quarter, folded) {
                all.push(((level, chunk, level.bucket(*quarter)), place, *by));
            }
        }
    }
    all.sort_unstable();
    all
}

/// The counts of a chunk in a step.
pub(super) fn counts_in(connection: &Connection, key: Key) -> Result<Counts> {
    let mut counts = Counts::default();
    bytes_in(connection, key, &mut |bytes| counts.add_all(bytes))?;
    Ok(counts)
}

/// Calls `take` with the counts of a chunk in a step, if there are any.
pub(super) fn bytes_in(
    connection: &Connection,
    (level, chunk, bucket): Key,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let sql = match level {
        Level::Quarter => {
            "SELECT counts FROM tally_quarter WHERE ?1 = ?1 AND chunk = ?2 AND bucket = ?3"
        }
        Level::Hour | Level::Day | Level::Stretch => {
            "SELECT counts FROM tally_coarse WHERE level = ?1 AND chunk = ?2 AND bucket = ?3"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![level.number(), chunk, bucket])?;
    rows.next()?.map_or(Ok(()), |row| take(blob(row, 0)?))
}

/// Writes the counts of a chunk in a step; where there is nothing, nothing stays.
pub(super) fn put(
    connection: &Connection,
    (level, chunk, bucket): Key,
    counts: &Counts,
) -> Result<()> {
    let bytes = counts.bytes();
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<()> {
        connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    };
    match (level, bytes.is_empty()) {
        (Level::Quarter, false) => run(
            "REPLACE INTO tally_quarter (bucket, chunk, counts) VALUES (?1, ?2, ?3)",
            &[&bucket, &chunk, &bytes],
        ),
        (Level::Quarter, true) => {
            run("DELETE FROM tally_quarter WHERE bucket = ?1 AND chunk = ?2", &[&bucket, &chunk])
        }
        (_, false) => run(
            "REPLACE INTO tally_coarse (level, chunk, bucket, counts) VALUES (?1, ?2, ?3, ?4)",
            &[&level.number(), &chunk, &bucket, &bytes],
        ),
        (_, true) => run(
            "DELETE FROM tally_coarse WHERE level = ?1 AND chunk = ?2 AND bucket = ?3",
            &[&level.number(), &chunk, &bucket],
        ),
    }
}

/// Writes how far the coarse levels go.
pub(super) fn put_mark(connection: &Connection, folded: Option<i64>) -> Result<()> {
    let sql = "REPLACE INTO tally_mark (only, folded) VALUES (1, ?1)";
    connection.prepare_cached(sql)?.execute([folded])?;
    Ok(())
}

fn write_combos(connection: &Connection, ledger: &Ledger) -> Result<()> {
    for (number, traits) in ledger.unwritten() {
        put_combo(connection, &ledger.combos, number, &traits)?;
    }
    Ok(())
}

/// Writes a combination.
pub(super) fn put_combo(
    connection: &Connection,
    combos: &Combos,
    number: u32,
    traits: &Traits,
) -> Result<()> {
    let Traits { project, webhook, provider, severity, way } = *traits;
    let (provider, other) = match provider {
        Provider::None => (None, false),
        Provider::Named(name) => (Some(combos.name(name)), false),
        Provider::Other => (None, true),
    };
    let (event_type, state, urgency) = match way {
        Way::Event(event_type) => (Some(event_type.as_str()), None, None),
        Way::Alert(state, urgency) => (None, Some(state.as_str()), Some(urgency.as_str())),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO tally_combo (combo, project, webhook, provider, other_provider, severity, event_type, state, urgency)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    statement.execute(params![
        number,
        project,
        webhook,
        provider,
        other,
        severity.as_str(),
        event_type,
        state,
        urgency
    ])?;
    Ok(())
}

/// Folds the quarters of an hour from `from` up to `to`, both the first of an hour: the hours, and the longer steps that
/// are over with them.
pub(super) fn fold(connection: &Connection, from: i64, to: i64) -> Result<()> {
    let day = Level::Day.quarters();
    let mut at = from;
    while at < to {
        // One day at a time, since all hours of it are in memory meanwhile.
        let end = to.min((Level::Day.bucket(at) + 1) * day);
        fold_hours(connection, at, end)?;
        // Where long nothing came, there is nothing to fold.
        let next = if end < to { next_quarter(connection, end)?.min(to) } else { end };
        let next = end.max(Level::Day.bucket(next) * day);
        for level in [Level::Day, Level::Stretch] {
            if level.bucket(at) < level.bucket(next) {
                fold_step(connection, level, level.bucket(at))?;
            }
        }
        at = next;
    }
    Ok(())
}

/// The first quarter of an hour from `from` on in which something came.
fn next_quarter(connection: &Connection, from: i64) -> Result<i64> {
    let sql = "SELECT min(bucket) FROM tally_quarter WHERE bucket >= ?1";
    let found: Option<i64> = connection.prepare_cached(sql)?.query_row([from], |row| row.get(0))?;
    Ok(found.unwrap_or(i64::MAX))
}

fn fold_hours(connection: &Connection, from: i64, to: i64) -> Result<()> {
    let mut hours: BTreeMap<(i64, i64), Counts> = BTreeMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT bucket, chunk, counts FROM tally_quarter WHERE bucket >= ?1 AND bucket < ?2",
    )?;
    let mut rows = statement.query([from, to])?;
    while let Some(row) = rows.next()? {
        let (quarter, chunk): (i64, i64) = (row.get(0)?, row.get(1)?);
        let counts = hours.entry((chunk, Level::Hour.bucket(quarter))).or_default();
        counts.add_all(blob(row, 2)?)?;
    }
    for ((chunk, hour), counts) in hours {
        put(connection, (Level::Hour, chunk, hour), &counts)?;
    }
    Ok(())
}

/// Folds one step of a level from the level below it.
fn fold_step(connection: &Connection, level: Level, bucket: i64) -> Result<()> {
    let Some(finer) = level.finer() else { return Ok(()) };
    let steps = level.quarters() / finer.quarters();
    for chunk in chunks(connection, finer)? {
        let mut counts = Counts::default();
        let mut statement = connection.prepare_cached(
            "SELECT counts FROM tally_coarse WHERE level = ?1 AND chunk = ?2 AND bucket >= ?3 AND bucket < ?4",
        )?;
        let range = [finer.number(), chunk, bucket * steps, (bucket + 1) * steps];
        let mut rows = statement.query(range)?;
        while let Some(row) = rows.next()? {
            counts.add_all(blob(row, 0)?)?;
        }
        drop(rows);
        put(connection, (level, chunk, bucket), &counts)?;
    }
    Ok(())
}

/// The chunks that a level has something of.
fn chunks(connection: &Connection, level: Level) -> Result<Vec<i64>> {
    let mut chunks = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT chunk FROM tally_coarse WHERE level = ?1 AND chunk > ?2 ORDER BY chunk LIMIT 1",
    )?;
    loop {
        let after = chunks.last().copied().unwrap_or(-1);
        let mut rows = statement.query([level.number(), after])?;
        let Some(row) = rows.next()? else { return Ok(chunks) };
        chunks.push(row.get(0)?);
    }
}

/// The bytes in a column of a row.
pub(super) fn blob<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<&'r [u8]> {
    row.get_ref(column)?.as_blob().map_err(Error::internal)
}
