//! Reading tallies: how many rows there are of what is asked for, told apart by dimensions and steps of time.

use std::{collections::HashMap, ops::ControlFlow};

use rusqlite::params;
use serde_json::{Map, Value};

use super::{
    super::work::Work,
    QUARTER,
    choose::{Asked, Bounds, Choice, Dimension},
    counts,
    known::{CHUNK, Combos, Kind, Said},
    level::{Level, Part, cover},
    quarter_of, truth, verify, write,
};
use crate::error::Result;

/// How many projects are looked at one by one at the edges of a range, rather than all rows.
const FEW_PROJECTS: usize = 8;

/// How many sums of steps are kept before they are told.
const MAX_SUMS: usize = 65_536;

/// How many groups are summed up row by row.
const FEW_GROUPS: usize = 128;

/// The group of a combination that is not meant.
const NOT_MEANT: u32 = u32::MAX;

/// What an answer is told apart by.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sqlite) struct By<'a> {
    /// These fields, all of which are dimensions.
    pub(in crate::store::sqlite) fields: &'a [&'static str],
    /// And steps of time.
    pub(in crate::store::sqlite) step: Option<Level>,
}

/// How many rows there are of one kind.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sqlite) struct Sum<'a> {
    /// What they have of the fields that were named.
    pub(in crate::store::sqlite) fields: &'a Map<String, Value>,
    /// When their step of time begins, in milliseconds, if they are told apart by it.
    pub(in crate::store::sqlite) begins: Option<i64>,
    /// How many there are; never none.
    pub(in crate::store::sqlite) rows: u64,
}

/// What is done with each sum; one kind may be told in several parts.
pub(in crate::store::sqlite) type Tell<'t> = dyn FnMut(Sum<'_>) -> Result<ControlFlow<()>> + 't;

/// The groups that combinations fall into.
struct Groups {
    /// By a combination's place among those of its kind.
    of: Vec<u32>,
    fields: Vec<Map<String, Value>>,
}

/// The sums so far.
struct Sums<'s, 't> {
    groups: &'s Groups,
    step: Option<Level>,
    /// The sums of each group; where steps are told apart, those of the row that is read.
    whole: Vec<u64>,
    by_step: HashMap<(i64, u32), u64>,
    tell: &'s mut Tell<'t>,
}

/// What covers a range of time.
struct Covered {
    parts: Vec<Part>,
    /// What is shorter than a quarter of an hour.
    edges: Vec<Bounds>,
}

impl Work {
    /// How many rows are meant, if tallies tell.
    pub(in crate::store::sqlite) fn tallied_total(&self, asked: &Asked<'_>) -> Result<Option<u64>> {
        let mut total = 0;
        let told = self.tallied(asked, By { fields: &[], step: None }, &mut |sum| {
            total += sum.rows;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(told.then_some(total))
    }

    /// Tells how many rows there are of each kind; whether tallies can.
    pub(in crate::store::sqlite) fn tallied(
        &self,
        asked: &Asked<'_>,
        by: By<'_>,
        tell: &mut Tell<'_>,
    ) -> Result<bool> {
        let keys = by.fields.iter().map(|field| Dimension::named(field, asked.kind));
        let Some(keys) = keys.collect::<Option<Vec<_>>>() else { return Ok(false) };
        let Some(mut combos) = self.combos() else { return Ok(false) };
        combos.catch_up(&self.connection)?;
        let Some(choice) = self.choose(asked, &combos, &keys)? else {
            return Ok(false);
        };
        let Some(folded) = verify::mark(&self.connection)? else { return Ok(false) };
        let groups = Groups::new(&choice, (&combos, asked.kind), by.fields, &keys);
        let widest = by.step.unwrap_or(Level::Stretch);
        let covered = self.covered(choice.bounds, folded.unwrap_or(i64::MIN), widest)?;
        let mut sums = Sums::new(&groups, by.step, tell);
        for part in &covered.parts {
            let goes_on = self.add_part(asked.kind, *part, &mut sums)?;
            if goes_on.is_break() {
                return Ok(true);
            }
        }
        for edge in &covered.edges {
            self.add_edge((asked.kind, &combos), *edge, &mut sums)?;
        }
        sums.finish()?;
        Ok(true)
    }

    /// What covers the quarters of an hour in a range of time in which there is something.
    fn covered(&self, bounds: Bounds, folded: i64, widest: Level) -> Result<Covered> {
        let mut covered = Covered { parts: Vec::new(), edges: Vec::new() };
        let first = self.number("SELECT min(bucket) FROM tally_quarter", [])?;
        let last = self.number("SELECT max(bucket) FROM tally_quarter", [])?;
        let Some((first, last)) = first.zip(last) else { return Ok(covered) };
        let Bounds { from, to } = bounds;
        if from >= to || to <= first * QUARTER || from >= (last + 1) * QUARTER {
            return Ok(covered);
        }
        // Where a range goes beyond what there is, its end is put where the widest steps end.
        let stretch = Level::Stretch.quarters();
        let (begin, from_edge) = if from <= first * QUARTER {
            (Level::Stretch.bucket(first) * stretch, None)
        } else {
            let begin = quarter_of(from - 1) + 1;
            (begin, Some(Bounds { from, to: (begin * QUARTER).min(to) }))
        };
        let (end, to_edge) = if to >= (last + 1) * QUARTER {
            ((Level::Stretch.bucket(last) + 1) * stretch, None)
        } else {
            let end = quarter_of(to);
            (end, Some(Bounds { from: end * QUARTER, to }))
        };
        if begin > end {
            covered.edges.push(bounds);
            return Ok(covered);
        }
        covered.parts = cover(begin, end, folded, widest);
        let edges = [from_edge, to_edge].into_iter().flatten();
        covered.edges.extend(edges.filter(|edge| edge.from < edge.to));
        Ok(covered)
    }

    fn add_part(&self, kind: Kind, part: Part, sums: &mut Sums<'_, '_>) -> Result<ControlFlow<()>> {
        let chunks = kind.first_chunk()..;
        let chunks = chunks.zip(sums.groups.of.chunks(CHUNK as usize));
        let Part { level, from, to } = part;
        if level == Level::Quarter {
            let mut statement = self.connection.prepare_cached(
                "SELECT bucket, chunk, counts FROM tally_quarter
                 WHERE bucket >= ?1 AND bucket < ?2 AND chunk >= ?3 AND chunk < ?4",
            )?;
            let first = kind.first_chunk();
            let chunks: Vec<&[u32]> = chunks.map(|(_, groups)| groups).collect();
            let end = first + i64::try_from(chunks.len()).unwrap_or(i64::MAX >> 1);
            let mut rows = statement.query(params![from, to, first, end])?;
            while let Some(row) = rows.next()? {
                let (bucket, chunk): (i64, i64) = (row.get(0)?, row.get(1)?);
                let place = usize::try_from(chunk - first).ok();
                let Some(groups) = place.and_then(|place| chunks.get(place)) else {
                    continue;
                };
                if sums.add(groups, bucket, write::blob(row, 2)?)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT bucket, counts FROM tally_coarse
             WHERE level = ?1 AND chunk = ?2 AND bucket >= ?3 AND bucket < ?4",
        )?;
        for (chunk, groups) in chunks {
            if groups.iter().all(|group| *group == NOT_MEANT) {
                continue;
            }
            let mut rows = statement.query([level.number(), chunk, from, to])?;
            while let Some(row) = rows.next()? {
                let quarter = row.get::<_, i64>(0)? * level.quarters();
                if sums.add(groups, quarter, write::blob(row, 1)?)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Adds the rows of a part of a quarter of an hour.
    fn add_edge(
        &self,
        (kind, combos): (Kind, &Combos),
        edge: Bounds,
        sums: &mut Sums<'_, '_>,
    ) -> Result<()> {
        let groups = sums.groups;
        let meant = combos.all(kind).iter().zip(&groups.of);
        let meant = meant.filter(|(_, group)| **group != NOT_MEANT);
        let mut projects: Vec<i64> = meant.map(|(traits, _)| traits.project).collect();
        projects.sort_unstable();
        projects.dedup();
        let mut add = |created_at, said: &Said<'_>| {
            let combo = combos.find(said).map(|combo| (combo - kind.first()) as usize);
            if let Some(group) = combo.and_then(|combo| groups.of.get(combo)) {
                sums.add_rows(*group, quarter_of(created_at), 1);
            }
            Ok(())
        };
        if projects.len() > FEW_PROJECTS {
            return truth::rows(&self.connection, (kind, None), edge, &mut add);
        }
        for project in projects {
            truth::rows(&self.connection, (kind, Some(project)), edge, &mut add)?;
        }
        Ok(())
    }
}

impl Groups {
    fn new(
        choice: &Choice,
        (combos, kind): (&Combos, Kind),
        fields: &[&'static str],
        keys: &[Dimension],
    ) -> Self {
        let mut groups = Self { of: Vec::with_capacity(choice.meant.len()), fields: Vec::new() };
        let mut known: HashMap<Vec<i64>, u32> = HashMap::new();
        for (traits, is_meant) in combos.all(kind).iter().zip(&choice.meant) {
            if !is_meant {
                groups.of.push(NOT_MEANT);
                continue;
            }
            let key: Vec<i64> = keys.iter().map(|dimension| dimension.number(traits)).collect();
            let next = u32::try_from(known.len()).unwrap_or(NOT_MEANT);
            let group = *known.entry(key).or_insert(next);
            if group == next {
                let values = keys.iter().map(|key| choice.value(*key, traits, combos));
                let named = fields.iter().map(|field| (*field).to_owned()).zip(values);
                groups.fields.push(named.collect());
            }
            groups.of.push(group);
        }
        groups
    }
}

impl<'s, 't> Sums<'s, 't> {
    fn new(groups: &'s Groups, step: Option<Level>, tell: &'s mut Tell<'t>) -> Self {
        let whole = vec![0; groups.fields.len()];
        Self { groups, step, whole, by_step: HashMap::new(), tell }
    }

    /// Adds the counts of a chunk, whose combinations are of these groups.
    fn add(&mut self, groups: &[u32], quarter: i64, counts: &[u8]) -> Result<ControlFlow<()>> {
        if self.step.is_none() || self.whole.len() <= FEW_GROUPS {
            let whole = &mut self.whole;
            counts::each(counts, |place, rows| {
                if let Some(sum) = groups.get(place).and_then(|it| whole.get_mut(*it as usize)) {
                    *sum += rows;
                }
            })?;
            return self.end_of_row(quarter);
        }
        let mut last = (NOT_MEANT, 0);
        counts::each(counts, |place, rows| {
            let group = groups.get(place).copied().unwrap_or(NOT_MEANT);
            if group != last.0 {
                let (group, rows) = std::mem::replace(&mut last, (group, 0));
                self.add_rows(group, quarter, rows);
            }
            last.1 += rows;
        })?;
        self.add_rows(last.0, quarter, last.1);
        self.end_of_row(quarter)
    }

    /// Adds the sums of a row to those of its step, if steps are told apart.
    fn end_of_row(&mut self, quarter: i64) -> Result<ControlFlow<()>> {
        let Some(step) = self.step else { return Ok(ControlFlow::Continue(())) };
        for (group, rows) in (0..).zip(&mut self.whole).filter(|(_, rows)| **rows > 0) {
            let sum = self.by_step.entry((step.bucket(quarter), group)).or_default();
            *sum += std::mem::take(rows);
        }
        if self.by_step.len() > MAX_SUMS {
            return self.tell_steps();
        }
        Ok(ControlFlow::Continue(()))
    }

    fn add_rows(&mut self, group: u32, quarter: i64, rows: u64) {
        if group == NOT_MEANT || rows == 0 {
            return;
        }
        match self.step {
            Some(step) => *self.by_step.entry((step.bucket(quarter), group)).or_default() += rows,
            None => self.whole[group as usize] += rows,
        }
    }

    fn tell_steps(&mut self) -> Result<ControlFlow<()>> {
        let Some(step) = self.step else { return Ok(ControlFlow::Continue(())) };
        let mut sums: Vec<_> = self.by_step.drain().collect();
        sums.sort_unstable();
        for ((bucket, group), rows) in sums {
            let begins = Some(bucket * step.quarters() * QUARTER);
            let fields = &self.groups.fields[group as usize];
            if (self.tell)(Sum { fields, begins, rows })?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn finish(&mut self) -> Result<()> {
        for (fields, rows) in self.groups.fields.iter().zip(&self.whole) {
            let sum = Sum { fields, begins: None, rows: *rows };
            if *rows > 0 && (self.tell)(sum)?.is_break() {
                return Ok(());
            }
        }
        self.tell_steps().map(|_| ())
    }
}
