//! What of the mappings is used: what no payload ever met, which words they do not know, and how payloads have changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::posted::Posted;
use crate::{
    clock::rfc3339,
    domain::{delivery::Delivery, webhook::Webhook},
    ingest::{Books, interpret_again_tallied},
    rules::{Coverage, Drift, Mapping, PathUse, Rulebook, Tally, check::check_provider},
};

/// What of one mapping is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageInfo {
    /// How many payloads were read.
    pub payloads: u64,
    /// How many items they held.
    pub items: u64,
    /// How many parts the mapping has: variants, arms of `case`, rows of `map` and paths.
    pub parts: u64,
    /// How many of these were met.
    pub met: u64,
    /// Its variants, with how many payloads each read.
    pub variants: Vec<VariantInfo>,
    /// Paths that payloads gained or lost for good.
    pub drift: Vec<DriftInfo>,
    /// Words that a `map` does not know, most frequent first.
    pub unknown: Vec<UnknownInfo>,
    /// How often a `map` met words that it does not know and that are not listed.
    pub unknown_others: u64,
    /// Parts that no payload met.
    pub never: Vec<NeverInfo>,
    /// Where values fell to `else`.
    pub defaults: Vec<DefaultInfo>,
    /// What `rules check` says of variants that no payload can reach.
    pub unreachable: Vec<String>,
}

/// A variant, and how often it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VariantInfo {
    /// Its name.
    pub name: String,
    /// Its line in the rule file.
    pub line: u32,
    /// How many payloads it read.
    pub payloads: u64,
}

/// A path that payloads gained or lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftInfo {
    /// The variant that reads it.
    pub variant: String,
    /// The path.
    pub path: String,
    /// Its line in the rule file.
    pub line: u32,
    /// Whether it is there no more, or has come.
    pub change: Change,
    /// Since when, by the times of receipt.
    pub since: Option<String>,
}

/// How a path has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It used to be there and is not any more.
    Gone,
    /// It used to be missing and is there now.
    Come,
}

/// A word that a `map` does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownInfo {
    /// The variant.
    pub variant: String,
    /// The field.
    pub field: String,
    /// The line of the `map`.
    pub line: u32,
    /// The word.
    pub word: String,
    /// How often it was met.
    pub count: u64,
}

/// A part that no payload met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeverInfo {
    /// What kind of part.
    pub part: PartKind,
    /// The variant; empty at the top of the file.
    pub variant: String,
    /// The field; empty for a variant or a path.
    pub field: String,
    /// The line in the rule file.
    pub line: u32,
    /// The variant's name, the word or the path; empty for an arm.
    pub what: String,
}

/// What kind of part of a mapping something is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// A variant.
    Variant,
    /// An arm of a `case`.
    Case,
    /// A path.
    Path,
    /// A row of a `map`.
    Word,
}

/// A default that stood in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefaultInfo {
    /// The variant.
    pub variant: String,
    /// The field.
    pub field: String,
    /// Its line in the rule file.
    pub line: u32,
    /// How often.
    pub count: u64,
}

/// Counts for every mapping of a rulebook.
#[derive(Debug, Default)]
pub struct Tallies {
    tallies: BTreeMap<String, Tally>,
}

impl Tallies {
    /// Empty counts.
    pub fn of(rulebook: &Rulebook) -> Self {
        let mappings = rulebook.providers().filter_map(|name| Some((name, rulebook.get(name)?)));
        let tallies = mappings.map(|(name, mapping)| (name.to_owned(), mapping.tally())).collect();
        Self { tallies }
    }

    /// Counts what one delivery uses. Many threads may count at once.
    pub fn count(&self, books: &Books, webhook: &Webhook, delivery: &Delivery) {
        let tally = |mapping: &Mapping| self.tallies.get(&mapping.version().provider);
        let _ = interpret_again_tallied(books, (webhook, delivery), tally);
    }

    /// Counts what a sample uses.
    pub fn count_sample(&self, books: &Books, posted: &Posted) {
        let plugin = posted.plugin(books).name().to_owned();
        let webhook = Webhook { plugin, ..posted.webhook() };
        self.count(books, &webhook, &posted.delivery());
    }

    /// What was counted, by provider; mappings that read nothing are in it too.
    pub fn report(&self, rulebook: &Rulebook) -> BTreeMap<String, CoverageInfo> {
        let counted = self.tallies.iter().filter_map(|(name, tally)| {
            let mapping = rulebook.get(name)?;
            Some((name.clone(), CoverageInfo::of(rulebook, name, &tally.report(mapping))))
        });
        counted.collect()
    }
}

/// What deliveries have used of the mappings since these were loaded, by provider.
pub fn live(rulebook: &Rulebook) -> BTreeMap<String, CoverageInfo> {
    let mappings = rulebook.providers().filter_map(|name| Some((name, rulebook.get(name)?)));
    mappings
        .map(|(name, mapping)| {
            let coverage = mapping.live().report(mapping);
            (name.to_owned(), CoverageInfo::of(rulebook, name, &coverage))
        })
        .collect()
}

impl CoverageInfo {
    /// What was counted of a provider's mapping.
    fn of(rulebook: &Rulebook, provider: &str, coverage: &Coverage) -> Self {
        let never = never(coverage);
        let parts = coverage.variants.len()
            + coverage.arms.len()
            + coverage.rows.len()
            + coverage.paths.len();
        let mut unknown: Vec<UnknownInfo> = coverage.unknown.iter().map(unknown_word).collect();
        unknown.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.word.cmp(&b.word)));
        let warnings = check_provider(rulebook, provider).into_iter();
        let variants = coverage.variants.iter().map(|variant| VariantInfo {
            name: variant.name.clone(),
            line: variant.line,
            payloads: variant.hits,
        });
        let defaults = coverage.defaults.iter().filter(|default| default.hits > 0);
        Self {
            payloads: coverage.payloads,
            items: coverage.items,
            parts: parts as u64,
            met: (parts - never.len()) as u64,
            variants: variants.collect(),
            drift: coverage.paths.iter().filter_map(drift).collect(),
            unknown,
            unknown_others: coverage.unknown_others,
            never,
            defaults: defaults
                .map(|default| DefaultInfo {
                    variant: default.variant.clone(),
                    field: default.field.clone(),
                    line: default.line,
                    count: default.hits,
                })
                .collect(),
            unreachable: warnings
                .filter(|warning| warning.detail.contains("no payload reaches"))
                .map(|warning| format!("{}:{}: {}", warning.file, warning.line, warning.detail))
                .collect(),
        }
    }

    /// How much is to be looked at: worst is most. What payloads lost weighs more than words that are not known, and these
    /// more than what was never met.
    pub fn weight(&self) -> (usize, u64, usize) {
        let unknown: u64 = self.unknown.iter().map(|word| word.count).sum();
        let gone = self.drift.iter().filter(|drift| drift.change == Change::Gone).count();
        (
            gone * 2 + self.drift.len() + self.unreachable.len(),
            unknown + self.unknown_others,
            self.never.len(),
        )
    }

    /// Whether everything was met and everything was known.
    pub fn is_whole(&self) -> bool {
        self.weight() == (0, 0, 0)
    }
}

fn unknown_word(word: &crate::rules::UnknownValue) -> UnknownInfo {
    UnknownInfo {
        variant: word.variant.clone(),
        field: word.field.clone(),
        line: word.line,
        word: word.value.clone(),
        count: word.count,
    }
}

fn drift(path: &PathUse) -> Option<DriftInfo> {
    let change = match path.drift()? {
        Drift::Gone => Change::Gone,
        Drift::Come => Change::Come,
    };
    Some(DriftInfo {
        variant: path.variant.clone(),
        path: path.path.clone(),
        line: path.line,
        change,
        since: path.run_since.map(rfc3339),
    })
}

fn never(coverage: &Coverage) -> Vec<NeverInfo> {
    let variants = coverage.variants.iter().filter(|variant| variant.hits == 0);
    let variants = variants.map(|variant| NeverInfo {
        part: PartKind::Variant,
        variant: variant.name.clone(),
        field: String::new(),
        line: variant.line,
        what: variant.name.clone(),
    });
    let arms = coverage.arms.iter().filter(|arm| arm.hits == 0).map(|arm| NeverInfo {
        part: PartKind::Case,
        variant: arm.variant.clone(),
        field: arm.field.clone(),
        line: arm.line,
        what: String::new(),
    });
    let paths = coverage.paths.iter().filter(|path| path.present == 0).map(|path| NeverInfo {
        part: PartKind::Path,
        variant: path.variant.clone(),
        field: String::new(),
        line: path.line,
        what: path.path.clone(),
    });
    let rows = coverage.rows.iter().filter(|row| row.hits == 0).map(|row| NeverInfo {
        part: PartKind::Word,
        variant: row.variant.clone(),
        field: row.field.clone(),
        line: row.line,
        what: row.word.clone(),
    });
    variants.chain(arms).chain(paths).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::PluginBook;

    const RULES: &str = "\
title: T
events:
  - name: a
    when: { $.id: { exists: true } }
    set:
      event_key: $.id
      severity:
        from: $.level
        map: { bad: ERROR, worse: CRITICAL }
        else: NONE
      title:
        case:
          - when: { $.loud: true }
            use: LOUD
        else: $.title
  - name: b
    set: { event_key: $.other }
";

    fn counted(bodies: &[&str]) -> CoverageInfo {
        let texts = [("t".to_owned(), RULES.to_owned())];
        let rulebook = Rulebook::from_texts(texts).unwrap();
        let books = Books { rulebook, plugins: PluginBook::default() };
        let tallies = Tallies::of(&books.rulebook);
        for body in bodies {
            tallies.count_sample(&books, &Posted::new("t", body.as_bytes().to_vec()));
        }
        tallies.report(&books.rulebook).remove("t").unwrap()
    }

    #[test]
    fn what_no_payload_met_is_told() {
        let info = counted(&[
            r#"{"id": 1, "level": "bad", "title": "x"}"#,
            r#"{"id": 2, "level": "odd", "title": "x"}"#,
            r#"{"id": 3, "level": "odd", "title": "x"}"#,
        ]);
        assert_eq!((info.payloads, info.items), (3, 3));
        assert_eq!(info.unknown.len(), 1);
        assert_eq!((info.unknown[0].word.as_str(), info.unknown[0].count), ("odd", 2));
        let never: Vec<_> = info.never.iter().map(|it| (it.part, it.what.as_str())).collect();
        assert!(never.contains(&(PartKind::Variant, "b")), "{never:?}");
        assert!(never.contains(&(PartKind::Case, "")), "{never:?}");
        assert!(never.contains(&(PartKind::Word, "worse")), "{never:?}");
        assert!(!never.contains(&(PartKind::Word, "bad")), "{never:?}");
        assert!(info.met < info.parts && !info.is_whole());
    }

    #[test]
    fn when_all_was_met_there_is_nothing_to_say() {
        let info = counted(&[
            r#"{"id": 1, "level": "bad", "title": "x"}"#,
            r#"{"id": 2, "level": "worse", "loud": true}"#,
            r#"{"other": 1}"#,
        ]);
        assert!(info.is_whole(), "{info:#?}");
        assert_eq!(info.met, info.parts);
    }
}
