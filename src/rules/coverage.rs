//! What of a mapping is used, as a report: counts by the lines of its rule file.

use crate::clock::Timestamp;

/// In how many payloads running a path must have changed before that is more than chance.
const FEWEST_OF_A_DRIFT: u64 = 20;

/// What of a mapping is used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// How many payloads were read.
    pub payloads: u64,
    /// How many items they held.
    pub items: u64,
    /// Its variants.
    pub variants: Vec<VariantUse>,
    /// The arms of its `case`s.
    pub arms: Vec<ArmUse>,
    /// The rows of its `map`s.
    pub rows: Vec<RowUse>,
    /// Its `else`s.
    pub defaults: Vec<DefaultUse>,
    /// The words that its `map`s did not know.
    pub unknown: Vec<UnknownValue>,
    /// How often a `map` met a word that it did not know and that is not in `unknown`, which is bounded.
    pub unknown_others: u64,
    /// In how many payloads paths were looked for: in all of them by [`super::Mapping::apply_tallied`], in one a second
    /// at most by [`super::Mapping::apply_live`], and there in the first 16 items.
    pub looked: u64,
    /// The paths that the `set` and `each` of a variant read, those of variables of an item left out.
    pub paths: Vec<PathUse>,
}

/// How often a variant read a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantUse {
    /// The variant.
    pub name: String,
    /// Where it begins in the rule file.
    pub line: u32,
    /// How many payloads it read.
    pub hits: u64,
}

/// How often an arm of a `case` held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmUse {
    /// The variant; empty at the top of the file.
    pub variant: String,
    /// The field, or `let`.
    pub field: String,
    /// Its line in the rule file.
    pub line: u32,
    /// How often it held.
    pub hits: u64,
}

/// How often a word of a `map` was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowUse {
    /// The variant; empty at the top of the file.
    pub variant: String,
    /// The field, or `let`.
    pub field: String,
    /// Its line in the rule file.
    pub line: u32,
    /// The word, as it is compared.
    pub word: String,
    /// How often it was met.
    pub hits: u64,
}

/// How often an `else` stood in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultUse {
    /// The variant; empty at the top of the file.
    pub variant: String,
    /// The field, or `let`.
    pub field: String,
    /// Its line in the rule file.
    pub line: u32,
    /// How often it stood in.
    pub hits: u64,
}

/// A word that a `map` did not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// The variant; empty at the top of the file.
    pub variant: String,
    /// The field, or `let`.
    pub field: String,
    /// The line of the `map` in the rule file.
    pub line: u32,
    /// The word, cut at 100 letters.
    pub value: String,
    /// How often it was met.
    pub count: u64,
}

/// How often a path was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathUse {
    /// The variant.
    pub variant: String,
    /// The path, as written.
    pub path: String,
    /// Its line in the rule file.
    pub line: u32,
    /// How often something was there.
    pub present: u64,
    /// How often nothing was.
    pub absent: u64,
    /// When it was first there, by the times of receipt.
    pub first_present: Option<Timestamp>,
    /// When it was last there.
    pub last_present: Option<Timestamp>,
    /// When it was first missing.
    pub first_absent: Option<Timestamp>,
    /// When it was last missing.
    pub last_absent: Option<Timestamp>,
    /// In how many payloads running it has been there, or has been missing, as it was in the last one.
    pub run: u64,
    /// When that run began.
    pub run_since: Option<Timestamp>,
    /// In how many payloads running it was there at most before that run.
    pub longest_present: u64,
    /// In how many payloads running it was missing at most before that run.
    pub longest_absent: u64,
}

/// How a provider's payloads have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// A path that used to be there is not any more.
    Gone,
    /// A path that used to be missing is there now.
    Come,
}

impl PathUse {
    /// Whether payloads gained or lost it: it is as it is now for at least 20 payloads running, and for more than four
    /// times as many as ever before. A path that comes and goes does not drift. The change began at `run_since`.
    pub fn drift(&self) -> Option<Drift> {
        let is_present = self.last_present >= self.last_absent;
        let (other, longest) = if is_present {
            (self.absent, self.longest_present)
        } else {
            (self.present, self.longest_absent)
        };
        if other == 0 || self.run < FEWEST_OF_A_DRIFT || self.run <= longest.saturating_mul(4) {
            return None;
        }
        Some(if is_present { Drift::Come } else { Drift::Gone })
    }
}
