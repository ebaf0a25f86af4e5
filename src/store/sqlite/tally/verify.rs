//! Whether tallies equal the rows, and counting all rows anew.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Rows, Transaction, TransactionBehavior};

use super::{
    super::work::Work,
    QUARTER,
    choose::Bounds,
    counts::{self, Counts},
    known::{CHUNK, Combos, Kind, Said},
    level::Level,
    quarter_of, truth, write,
};
use crate::{
    clock::{from_millis, rfc3339},
    error::Result,
};

/// All time.
const ALWAYS: Bounds = Bounds { from: i64::MIN, to: i64::MAX };

/// How many differences are told at most.
const MAX_TOLD: usize = 20;

/// How many rows there are of each combination.
type Counted = BTreeMap<u32, u64>;

/// How far the coarse levels go, if there is anything; `None` where nobody counted yet.
#[expect(clippy::option_option, reason = "a row that may be absent, of a column that may be NULL")]
pub(super) fn mark(connection: &Connection) -> Result<Option<Option<i64>>> {
    let mut statement = connection.prepare_cached("SELECT folded FROM tally_mark")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Counts all rows anew, in a transaction of its own; how far the coarse levels go then.
pub(super) fn count_anew(connection: &Connection, combos: &mut Combos) -> Result<Option<i64>> {
    let step = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    step.execute_batch(
        "DELETE FROM tally_combo; DELETE FROM tally_quarter; DELETE FROM tally_coarse; DELETE FROM tally_mark;",
    )?;
    *combos = Combos::default();
    for kind in [Kind::Event, Kind::Alert] {
        let mut combo_of = |said: &Said<'_>| {
            let (combo, is_new) = combos.enter(said);
            if is_new && let Some(traits) = combos.traits(combo) {
                write::put_combo(connection, combos, combo, &traits)?;
            }
            Ok(Some(combo))
        };
        by_quarter(connection, kind, &mut combo_of, &mut |quarter, counted| {
            for (chunk, counts) in in_chunks(counted) {
                write::put(connection, (Level::Quarter, chunk, quarter), &counts)?;
            }
            Ok(())
        })?;
    }
    let edge = |sql: &str| -> Result<Option<i64>> { Ok(step.query_row(sql, [], |it| it.get(0))?) };
    let first = edge("SELECT min(bucket) FROM tally_quarter")?;
    let last = edge("SELECT max(bucket) FROM tally_quarter")?;
    let folded = last.map(|last| Level::Hour.bucket(last) * Level::Hour.quarters());
    if let Some((first, folded)) = first.zip(folded) {
        let first = Level::Stretch.bucket(first) * Level::Stretch.quarters();
        write::fold(connection, first, folded)?;
    }
    write::put_mark(connection, folded)?;
    step.commit()?;
    Ok(folded)
}

fn in_chunks(counted: &Counted) -> BTreeMap<i64, Counts> {
    let mut chunks: BTreeMap<i64, Counts> = BTreeMap::new();
    for (combo, rows) in counted {
        let (chunk, place) = place_of(*combo);
        chunks.entry(chunk).or_default().change(place, rows.cast_signed());
    }
    chunks
}

/// The chunk of a combination, and its place there.
pub(super) fn place_of(combo: u32) -> (i64, usize) {
    (i64::from(combo / CHUNK), (combo % CHUNK) as usize)
}

/// Counts the rows of a kind; calls `close` with each quarter of an hour in which there are some, the oldest first.
fn by_quarter(
    connection: &Connection,
    kind: Kind,
    combo_of: &mut dyn FnMut(&Said<'_>) -> Result<Option<u32>>,
    close: &mut dyn FnMut(i64, &Counted) -> Result<()>,
) -> Result<()> {
    let mut at = i64::MIN;
    let mut counted = Counted::new();
    truth::rows(connection, (kind, None), ALWAYS, &mut |created_at, said| {
        let quarter = quarter_of(created_at);
        if quarter != at && !counted.is_empty() {
            close(at, &counted)?;
            counted.clear();
        }
        at = quarter;
        if let Some(combo) = combo_of(said)? {
            *counted.entry(combo).or_default() += 1;
        }
        Ok(())
    })?;
    if counted.is_empty() { Ok(()) } else { close(at, &counted) }
}

/// Differences in words, the first of them.
#[derive(Debug)]
struct Differences<'c> {
    combos: &'c Combos,
    told: Vec<String>,
}

impl Differences<'_> {
    fn tell(&mut self, difference: impl FnOnce() -> String) {
        if self.told.len() < MAX_TOLD {
            self.told.push(difference());
        }
    }

    fn compare(&mut self, (level, bucket): (Level, i64), combo: u32, (tallied, rows): (u64, u64)) {
        if tallied != rows {
            let what = self.combos.described(combo);
            let begins = rfc3339(from_millis(bucket * level.quarters() * QUARTER));
            let of = level.named();
            self.tell(|| format!("{of} from {begins}: {tallied} tallied, {rows} there, of {what}"));
        }
    }
}

impl Work {
    /// Compares all tallies with what they tally; the differences in words, none if all is well.
    pub(in crate::store::sqlite) fn verify_tallies(&self) -> Result<Vec<String>> {
        let Some(folded) = mark(&self.connection)? else {
            return Ok(vec![
                "rows were never tallied; the next start of the server does".to_owned(),
            ]);
        };
        let mut combos = Combos::default();
        combos.catch_up(&self.connection)?;
        let mut found = Differences { combos: &combos, told: Vec::new() };
        for kind in [Kind::Event, Kind::Alert] {
            self.verify_quarters(kind, &mut found)?;
        }
        for level in Level::COARSE {
            self.verify_level(level, folded.unwrap_or(i64::MIN), &mut found)?;
        }
        Ok(found.told)
    }

    fn verify_quarters(&self, kind: Kind, found: &mut Differences<'_>) -> Result<()> {
        let combos = found.combos;
        let mut statement = self.connection.prepare(
            "SELECT bucket, chunk, counts FROM tally_quarter WHERE chunk >= ?1 AND chunk < ?2 ORDER BY bucket, chunk",
        )?;
        let first = kind.first_chunk();
        let mut filed = Filed {
            rows: statement.query([first, first + Kind::Alert.first_chunk()])?,
            next: None,
        };
        filed.step()?;
        let mut unknown = 0_u64;
        let mut combo_of = |said: &Said<'_>| {
            let combo = combos.find(said);
            unknown += u64::from(combo.is_none());
            Ok(combo)
        };
        by_quarter(&self.connection, kind, &mut combo_of, &mut |quarter, counted| {
            let tallied = filed.take_up_to(quarter, found)?;
            let both = tallied.keys().chain(counted.keys().filter(|it| !tallied.contains_key(it)));
            for combo in both {
                let of = |counted: &Counted| counted.get(combo).copied().unwrap_or_default();
                found.compare((Level::Quarter, quarter), *combo, (of(&tallied), of(counted)));
            }
            Ok(())
        })?;
        filed.take_up_to(i64::MAX, found)?;
        if unknown > 0 {
            found.tell(|| format!("{unknown} rows are of no combination that is known"));
        }
        Ok(())
    }

    /// Compares a level with the one below it.
    fn verify_level(&self, level: Level, folded: i64, found: &mut Differences<'_>) -> Result<()> {
        let sql = match level.finer() {
            Some(Level::Quarter) => {
                "SELECT bucket, chunk, counts FROM tally_quarter WHERE ?1 = ?1 ORDER BY bucket"
            }
            Some(_) => "SELECT bucket, chunk, counts FROM tally_coarse WHERE level = ?1",
            None => return Ok(()),
        };
        let finer = level.finer().unwrap_or(level);
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([finer.number()])?;
        let mut sums: BTreeMap<i64, Counts> = BTreeMap::new();
        let (mut at, mut compared) = (i64::MIN, 0);
        while let Some(row) = rows.next()? {
            let quarter = row.get::<_, i64>(0)? * finer.quarters();
            if !level.holds(quarter, folded) {
                continue;
            }
            if level.bucket(quarter) != at {
                compared += self.compare_sums((level, at), &mut sums, found)?;
                at = level.bucket(quarter);
            }
            sums.entry(row.get(1)?).or_default().add_all(write::blob(row, 2)?)?;
        }
        compared += self.compare_sums((level, at), &mut sums, found)?;
        let sql = "SELECT count(*) FROM tally_coarse WHERE level = ?1";
        let filed = self.number(sql, [level.number()])?.unwrap_or_default();
        if filed != compared {
            found.tell(|| {
                format!("{compared} tallies by {} are due, {filed} are there", level.named())
            });
        }
        Ok(())
    }

    fn compare_sums(
        &self,
        (level, bucket): (Level, i64),
        sums: &mut BTreeMap<i64, Counts>,
        found: &mut Differences<'_>,
    ) -> Result<i64> {
        let mut compared = 0;
        for (chunk, sum) in std::mem::take(sums) {
            let tallied = write::counts_in(&self.connection, (level, chunk, bucket))?;
            compared += 1;
            for place in 0..CHUNK {
                let combo = u32::try_from(chunk).unwrap_or_default() * CHUNK + place;
                let pair = (tallied.at(place), sum.at(place));
                found.compare((level, bucket), combo, pair);
            }
        }
        Ok(compared)
    }
}

/// What is tallied by quarters of an hour, in their order.
struct Filed<'s> {
    rows: Rows<'s>,
    next: Option<(i64, i64, Vec<u8>)>,
}

impl Filed<'_> {
    fn step(&mut self) -> Result<()> {
        self.next = match self.rows.next()? {
            Some(row) => Some((row.get(0)?, row.get(1)?, row.get(2)?)),
            None => None,
        };
        Ok(())
    }

    /// What is tallied of a quarter of an hour. What is tallied before it is too much.
    fn take_up_to(&mut self, quarter: i64, found: &mut Differences<'_>) -> Result<Counted> {
        let mut taken = Counted::new();
        while let Some((bucket, chunk, bytes)) = self.next.take_if(|it| it.0 <= quarter) {
            counts::each(&bytes, |place, rows| {
                let place = u32::try_from(place).unwrap_or_default();
                let combo = u32::try_from(chunk).unwrap_or_default() * CHUNK + place;
                if bucket == quarter {
                    taken.insert(combo, rows);
                } else {
                    found.compare((Level::Quarter, bucket), combo, (rows, 0));
                }
            })?;
            self.step()?;
        }
        Ok(taken)
    }
}
