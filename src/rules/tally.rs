//! What of a mapping is used: how often each variant, case, word and default, and which words and paths it does not know.

use super::mapping::Mapping;

/// Counts of what is used of one mapping; many threads may count at once.
#[derive(Debug, Default)]
pub struct Tally {}

impl Tally {
    /// What was counted, for the mapping that it counts.
    pub fn report(&self, mapping: &Mapping) -> Coverage {
        let _ = mapping;
        Coverage::default()
    }
}

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
    /// The paths that it reads.
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
}
