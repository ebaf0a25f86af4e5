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

    /// What was counted of one provider's mapping, or of all that read something.
    pub fn report(
        &self,
        rulebook: &Rulebook,
        only: Option<&str>,
    ) -> BTreeMap<String, CoverageInfo> {
        report(rulebook, only, |name, mapping| Some(self.tallies.get(name)?.report(mapping)))
    }
}

/// What deliveries have used since the mappings were loaded: of one provider's, or of all that read something.
pub fn live(rulebook: &Rulebook, only: Option<&str>) -> BTreeMap<String, CoverageInfo> {
    report(rulebook, only, |_, mapping| Some(mapping.live().report(mapping)))
}

fn report(
    rulebook: &Rulebook,
    only: Option<&str>,
    counted: impl Fn(&str, &Mapping) -> Option<Coverage>,
) -> BTreeMap<String, CoverageInfo> {
    let meant = rulebook.providers().filter(|name| only.is_none_or(|only| only == *name));
    meant
        .filter_map(|name| Some((name, counted(name, rulebook.get(name)?)?)))
        .filter(|(_, coverage)| only.is_some() || coverage.payloads > 0)
        .map(|(name, coverage)| (name.to_owned(), CoverageInfo::of(rulebook, name, &coverage)))
        .collect()
}

impl CoverageInfo {
    /// What was counted of a provider's mapping.
    fn of(rulebook: &Rulebook, provider: &str, coverage: &Coverage) -> Self {
        let (never, parts) = never(coverage);
        let warnings = check_provider(rulebook, provider).into_iter();
        let variants = coverage.variants.iter().map(|variant| VariantInfo {
            name: variant.name.clone(),
            line: variant.line,
            payloads: variant.hits,
        });
        Self {
            payloads: coverage.payloads,
            items: coverage.items,
            parts: parts as u64,
            met: parts.saturating_sub(never.len()) as u64,
            variants: variants.collect(),
            drift: coverage.paths.iter().filter_map(drift).collect(),
            unknown: unknown(coverage),
            unknown_others: coverage.unknown_others,
            never,
            defaults: defaults(coverage),
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

/// The words that no `map` knew. Variants that share a `map` by an anchor count together, here and below.
fn unknown(coverage: &Coverage) -> Vec<UnknownInfo> {
    let mut found: BTreeMap<(u32, &str), UnknownInfo> = BTreeMap::new();
    for word in &coverage.unknown {
        let info = found.entry((word.line, &word.value)).or_insert_with(|| UnknownInfo {
            variant: word.variant.clone(),
            field: word.field.clone(),
            line: word.line,
            word: word.value.clone(),
            count: 0,
        });
        info.count += word.count;
    }
    let mut unknown: Vec<UnknownInfo> = found.into_values().collect();
    unknown.sort_by_key(|word| std::cmp::Reverse(word.count));
    unknown
}

fn defaults(coverage: &Coverage) -> Vec<DefaultInfo> {
    let mut found: BTreeMap<u32, DefaultInfo> = BTreeMap::new();
    for default in coverage.defaults.iter().filter(|default| default.hits > 0) {
        let info = found.entry(default.line).or_insert_with(|| DefaultInfo {
            variant: default.variant.clone(),
            field: default.field.clone(),
            line: default.line,
            count: 0,
        });
        info.count += default.hits;
    }
    found.into_values().collect()
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

/// The parts that no payload met, and how many parts there are.
fn never(coverage: &Coverage) -> (Vec<NeverInfo>, usize) {
    let mut parts = Parts::default();
    for variant in &coverage.variants {
        let name = variant.name.as_str();
        parts.add(PartKind::Variant, (name, "", variant.line, name), variant.hits);
    }
    for arm in &coverage.arms {
        parts.add(PartKind::Case, (&arm.variant, &arm.field, arm.line, ""), arm.hits);
    }
    for path in &coverage.paths {
        parts.add(PartKind::Path, (&path.variant, "", path.line, &path.path), path.present);
    }
    for row in &coverage.rows {
        parts.add(PartKind::Word, (&row.variant, &row.field, row.line, &row.word), row.hits);
    }
    let all = parts.found.len();
    let never = parts.found.into_values().filter(|(_, hits)| *hits == 0);
    (never.map(|(part, _)| part).collect(), all)
}

/// Parts by kind, line and name, with how often each was met.
#[derive(Default)]
struct Parts {
    found: BTreeMap<(PartKind, u32, String), (NeverInfo, u64)>,
}

impl Parts {
    fn add(
        &mut self,
        part: PartKind,
        (variant, field, line, what): (&str, &str, u32, &str),
        hits: u64,
    ) {
        let (_, met) = self.found.entry((part, line, what.to_owned())).or_insert_with(|| {
            let (variant, field) = (variant.to_owned(), field.to_owned());
            (NeverInfo { part, variant, field, line, what: what.to_owned() }, 0)
        });
        *met += hits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let books = Books { rulebook, ..Books::default() };
        let tallies = Tallies::of(&books.rulebook);
        for body in bodies {
            tallies.count_sample(&books, &Posted::new("t", body.as_bytes().to_vec()));
        }
        tallies.report(&books.rulebook, None).remove("t").unwrap()
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
