//! What the writer counts during a commit, and how it is undone.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use super::{
    counts::Counts,
    known::{Combos, Kind, Said, Traits, Way},
    level::Level,
    quarter_of, verify,
};
use crate::{domain::alert::Standing, error::Result};

/// How many chunks of the newest quarter of an hour are kept as they were written last.
const MAX_NEWEST: usize = 256;

/// Where a row is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store::sqlite) struct Place {
    quarter: i32,
    combo: u32,
}

/// How to undo one change.
#[derive(Debug)]
enum Undo {
    Counted(Place, i64),
    Entered(Kind),
}

/// What the writer counts.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Ledger {
    pub(super) combos: Combos,
    /// How many combinations of each kind are in the file.
    written: [usize; 2],
    /// What the commit adds, by quarter of an hour and combination.
    pub(super) changes: BTreeMap<(i64, u32), i64>,
    /// The mark in the file.
    pub(super) folded: Option<i64>,
    /// The mark that this commit writes.
    pub(super) next_folded: Option<i64>,
    /// Chunks of the newest quarter of an hour, as they were written last.
    newest: (i64, HashMap<i64, Counts>),
    log: Vec<Undo>,
}

impl Ledger {
    /// Reads what must be known at start; counts all rows first if nobody did.
    pub(in crate::store::sqlite) fn load(connection: &Connection) -> Result<Self> {
        let mut combos = Combos::default();
        combos.catch_up(connection)?;
        let folded = match verify::mark(connection)? {
            Some(folded) => folded,
            None => verify::count_anew(connection, &mut combos)?,
        };
        let written = [combos.all(Kind::Event).len(), combos.all(Kind::Alert).len()];
        Ok(Self { combos, written, folded, ..Self::default() })
    }

    /// Where a row of these traits is counted.
    pub(in crate::store::sqlite) fn place(&mut self, said: &Said<'_>, created_at: i64) -> Place {
        let (combo, is_new) = self.combos.enter(said);
        self.entered(combo, is_new);
        // Times that are no times of ours are counted at the end of what can be told.
        let last = i64::from(i32::MAX);
        let quarter = quarter_of(created_at).clamp(-last, last);
        Place { quarter: i32::try_from(quarter).unwrap_or_default(), combo }
    }

    /// Counts one more row of these traits; where.
    pub(in crate::store::sqlite) fn come(&mut self, said: &Said<'_>, created_at: i64) -> Place {
        let place = self.place(said, created_at);
        self.count(place, 1);
        place
    }

    /// Counts one row fewer there.
    pub(in crate::store::sqlite) fn gone(&mut self, place: Place) {
        self.count(place, -1);
    }

    /// Counts an alert that was counted at `place` as what it has become; where it is counted from now on.
    pub(in crate::store::sqlite) fn turned(&mut self, place: Place, standing: &Standing) -> Place {
        let (severity, way) = (standing.severity, Way::of(standing));
        let Some(before) = self.combos.traits(place.combo) else { return place };
        let (combo, is_new) = self.combos.enter_traits(Traits { severity, way, ..before });
        self.entered(combo, is_new);
        let after = Place { combo, ..place };
        if after != place {
            self.count(place, -1);
            self.count(after, 1);
        }
        after
    }

    fn entered(&mut self, combo: u32, is_new: bool) {
        if is_new {
            self.log.push(Undo::Entered(Kind::of(combo)));
        }
    }

    fn count(&mut self, place: Place, by: i64) {
        self.add(place, by);
        self.log.push(Undo::Counted(place, by));
    }

    fn add(&mut self, Place { quarter, combo }: Place, by: i64) {
        let key = (i64::from(quarter), combo);
        let changed = self.changes.entry(key).or_default();
        *changed += by;
        if *changed == 0 {
            self.changes.remove(&key);
        }
    }

    /// Where the log of changes stands.
    pub(in crate::store::sqlite) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Undoes all changes since `mark`, newest first.
    pub(in crate::store::sqlite) fn undo_to(&mut self, mark: usize) {
        while self.log.len() > mark {
            match self.log.pop() {
                Some(Undo::Counted(place, by)) => self.add(place, -by),
                Some(Undo::Entered(kind)) => self.combos.forget(kind),
                None => return,
            }
        }
        // If it was written already, that is undone too.
        self.newest.1.clear();
        self.next_folded = None;
    }

    /// The commit is on disk: nothing of it will be undone.
    pub(in crate::store::sqlite) fn settled(&mut self) {
        self.log.clear();
        self.changes.clear();
        self.folded = self.next_folded.take().or(self.folded);
        self.written = [Kind::Event, Kind::Alert].map(|kind| self.combos.all(kind).len());
    }

    /// The combinations that are not in the file yet, with their numbers.
    pub(super) fn unwritten(&self) -> impl Iterator<Item = (u32, Traits)> {
        [Kind::Event, Kind::Alert].into_iter().zip(self.written).flat_map(|(kind, written)| {
            let numbers = kind.first()..;
            numbers.zip(self.combos.all(kind).iter().copied()).skip(written)
        })
    }

    /// The counts of a chunk of a step, if they are in memory.
    pub(super) fn remembered(&self, (level, chunk, quarter): (Level, i64, i64)) -> Option<&Counts> {
        let is_newest = level == Level::Quarter && self.newest.0 == quarter;
        self.newest.1.get(&chunk).filter(|_| is_newest)
    }

    /// Remembers what was written, if it is of the newest quarter of an hour.
    pub(super) fn remember(&mut self, (level, chunk, quarter): (Level, i64, i64), counts: Counts) {
        let (newest, chunks) = &mut self.newest;
        if level != Level::Quarter || quarter < *newest {
            return;
        }
        if quarter > *newest || chunks.len() >= MAX_NEWEST {
            chunks.clear();
            *newest = quarter;
        }
        chunks.insert(chunk, counts);
    }
}
