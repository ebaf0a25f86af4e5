//! How far back a number of rows goes.

use super::{
    super::work::Work,
    QUARTER,
    choose::{Asked, Choice, Others},
    counts,
    known::CHUNK,
    level::Level,
    quarter_of, verify, write,
};
use crate::error::Result;

/// A walk from the newest step to the oldest.
struct Walk<'w> {
    work: &'w Work,
    choice: &'w Choice,
    first_chunk: i64,
    folded: i64,
    /// How many rows are still to be found.
    missing: u64,
}

/// Tells how far back rows go.
///
/// A time in milliseconds such that at least `rows` rows that the conditions on dimensions allow lie at or after it and
/// before `upper`; conditions on anything else are as if they were not there. `None` where there are not so many, or
/// tallies cannot tell.
pub(in crate::store::sqlite) fn span_of(
    work: &Work,
    asked: &Asked<'_>,
    upper: Option<i64>,
    rows: u64,
) -> Result<Option<i64>> {
    let Some(mut combos) = work.combos() else { return Ok(None) };
    combos.catch_up(&work.connection)?;
    let Some(Some(folded)) = verify::mark(&work.connection)? else { return Ok(None) };
    let choice = work.choose(asked, &combos, (&[], Others::Ignored))?;
    let first = work.number("SELECT min(bucket) FROM tally_quarter", [])?;
    let last = work.number("SELECT max(bucket) FROM tally_quarter", [])?;
    let (Some(choice), Some((first, last))) = (choice, first.zip(last)) else { return Ok(None) };
    // A quarter of an hour that is meant in part may have nothing in that part.
    let from = quarter_of(choice.bounds.from.saturating_add(QUARTER - 1)).max(first);
    let to = quarter_of(choice.bounds.to.min(upper.unwrap_or(i64::MAX))).min(last + 1);
    let first_chunk = asked.kind.first_chunk();
    let mut walk = Walk { work, choice: &choice, first_chunk, folded, missing: rows.max(1) };
    Ok(walk.back(from, to, Level::Stretch)?.map(|quarter| quarter * QUARTER))
}

impl Walk<'_> {
    /// The quarter of an hour at which nothing is missing any more, from `to` back to `from` in steps no wider than
    /// `widest`.
    fn back(&mut self, from: i64, to: i64, widest: Level) -> Result<Option<i64>> {
        let mut at = to;
        while at > from {
            let (level, begin) = self.step_before(at, from, widest);
            let found = self.rows_in(level, begin)?;
            if found < self.missing {
                self.missing -= found;
                at = begin;
                continue;
            }
            return match level.finer() {
                Some(finer) => self.back(begin, at, finer),
                None => Ok(Some(begin)),
            };
        }
        Ok(None)
    }

    /// The widest step that ends at `at` and does not begin before `from`, with its first quarter of an hour.
    fn step_before(&self, at: i64, from: i64, widest: Level) -> (Level, i64) {
        for level in Level::COARSE.into_iter().rev().filter(|level| *level <= widest) {
            let begin = at - level.quarters();
            let is_step = at.rem_euclid(level.quarters()) == 0;
            if is_step && begin >= from && level.holds(begin, self.folded) {
                return (level, begin);
            }
        }
        (Level::Quarter, at - 1)
    }

    fn rows_in(&self, level: Level, quarter: i64) -> Result<u64> {
        let (bucket, mut sum) = (level.bucket(quarter), 0);
        let chunks = self.choice.meant.chunks(CHUNK as usize);
        for (chunk, meant) in (self.first_chunk..).zip(chunks) {
            if !meant.contains(&true) {
                continue;
            }
            let key = (level, chunk, bucket);
            write::bytes_in(&self.work.connection, key, &mut |bytes| {
                counts::each(bytes, |place, rows| {
                    sum += if meant.get(place) == Some(&true) { rows } else { 0 };
                })
            })?;
        }
        Ok(sum)
    }
}
