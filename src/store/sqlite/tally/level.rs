//! The steps of time that are tallied, and how a range of time is covered by few of them.

/// A step of time, from the finest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store::sqlite) enum Level {
    /// A quarter of an hour; no time zone begins its days within one.
    Quarter,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// 32 days.
    Stretch,
}

/// Some steps of one level, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) level: Level,
    pub(super) from: i64,
    /// The first that is not meant.
    pub(super) to: i64,
}

impl Level {
    /// All of them, from the finest.
    pub(super) const ALL: [Self; 4] = [Self::Quarter, Self::Hour, Self::Day, Self::Stretch];

    /// Those above a quarter of an hour, from the finest.
    pub(super) const COARSE: [Self; 3] = [Self::Hour, Self::Day, Self::Stretch];

    /// How many quarters of an hour one step has.
    pub(super) const fn quarters(self) -> i64 {
        match self {
            Self::Quarter => 1,
            Self::Hour => 4,
            Self::Day => 96,
            Self::Stretch => 32 * 96,
        }
    }

    /// The next finer level.
    pub(super) const fn finer(self) -> Option<Self> {
        match self {
            Self::Quarter => None,
            Self::Hour => Some(Self::Quarter),
            Self::Day => Some(Self::Hour),
            Self::Stretch => Some(Self::Day),
        }
    }

    /// The step that a quarter of an hour lies in.
    pub(super) const fn bucket(self, quarter: i64) -> i64 {
        quarter.div_euclid(self.quarters())
    }

    /// Whether the step of `quarter` is tallied on this level, where `folded` is the mark.
    pub(super) const fn holds(self, quarter: i64, folded: i64) -> bool {
        match self {
            Self::Quarter => true,
            Self::Hour | Self::Day | Self::Stretch => self.bucket(quarter) < self.bucket(folded),
        }
    }

    /// Its name in a sentence.
    pub(super) const fn named(self) -> &'static str {
        match self {
            Self::Quarter => "quarter of an hour",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Stretch => "32 days",
        }
    }

    /// Its number in the file.
    pub(super) const fn number(self) -> i64 {
        self as i64
    }
}

/// The steps that make up the quarters of an hour from `from` up to `to`, none wider than `widest`, the oldest first.
pub(super) fn cover(from: i64, to: i64, folded: i64, widest: Level) -> Vec<Part> {
    let mut parts = Vec::new();
    add(&mut parts, (from, to), folded, widest);
    parts
}

fn add(parts: &mut Vec<Part>, (from, to): (i64, i64), folded: i64, level: Level) {
    if from >= to {
        return;
    }
    let Some(finer) = level.finer() else {
        parts.push(Part { level, from, to });
        return;
    };
    let size = level.quarters();
    let first = from.div_euclid(size) + i64::from(from.rem_euclid(size) != 0);
    let end = level.bucket(to.min(folded));
    if first >= end {
        return add(parts, (from, to), folded, finer);
    }
    add(parts, (from, first * size), folded, finer);
    parts.push(Part { level, from: first, to: end });
    add(parts, (end * size, to), folded, finer);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_range_is_covered_once_by_steps_that_are_over(
            from in -9000_i64..9000, length in 0_i64..9000, mark in -2000_i64..2000, widest in 0_usize..4,
        ) {
            let (to, folded) = (from + length, mark * 4);
            let widest = [Level::Quarter, Level::Hour, Level::Day, Level::Stretch][widest];
            let mut at = from;
            for Part { level, from, to } in cover(from, to, folded, widest) {
                prop_assert!(level <= widest && from < to);
                prop_assert_eq!(from * level.quarters(), at);
                at = to * level.quarters();
                prop_assert!(level == Level::Quarter || at <= folded);
            }
            prop_assert_eq!(at, to);
        }
    }

    #[test]
    fn a_year_up_to_now_is_a_few_dozen_steps() {
        let now = 365 * 96 + 50;
        let steps: i64 =
            cover(0, now + 1, now, Level::Stretch).iter().map(|it| it.to - it.from).sum();
        assert!(steps < 60, "{steps}");
    }
}
