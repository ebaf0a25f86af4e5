//! `alertmill rules coverage`: what of the mappings is used, by samples or by what came in.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Screen, diff::waiting, source::Source};
use crate::{
    cli::client::Client,
    config::{Reach, RuleFiles, Span},
    lab::coverage::{Change, CoverageInfo, NeverInfo, PartKind, Tallies},
    value::text::counted,
};

/// How many lines of a kind are told of each mapping.
const LINES: usize = 12;

/// Say what of the mappings is used: what no payload meets, which words they do not know, how payloads have changed.
///
/// Over samples without a server; over stored deliveries of a running one with `--since`; over all that came in since its
/// rules were loaded with `--live`.
#[derive(Args)]
pub(super) struct Coverage {
    /// Directory of mappings, or the directory of one provider; that of `--rules`, or the built-in ones where absent.
    path: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
    /// Count over the samples, which is what is done where nothing else is said.
    #[arg(long, conflicts_with_all = ["since", "live"])]
    samples: bool,
    /// Count over deliveries that a running server stored since then, e.g. `7d`.
    #[arg(long, value_name = "TIME", conflicts_with = "path")]
    since: Option<Span>,
    /// Tell what a running server has counted since its rules were loaded.
    #[arg(long, conflicts_with_all = ["since", "path"])]
    live: bool,
    /// Only the mapping of this provider.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// List everything, however long.
    #[arg(long)]
    all: bool,
}

impl Coverage {
    /// Does it.
    pub(super) async fn run(self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let answer = if self.since.is_some() || self.live {
            let since = self.since.map(|span| ("since", format!("{}ms", span.0.as_millis())));
            let provider = self.provider.clone().map(|provider| ("provider", provider));
            let query: Vec<(&str, String)> = since.into_iter().chain(provider).collect();
            let client = Client::find(&self.reach)?;
            waiting(client.get("/api/v1/rules/coverage", &query)).await?
        } else {
            json!({ "complete": true, "providers": self.of_samples(files)? })
        };
        screen.show(&answer, |answer| self.told(answer))
    }

    fn of_samples(&self, files: &RuleFiles) -> Result<BTreeMap<String, CoverageInfo>, Failure> {
        let source = Source::find(self.path.as_deref(), files)?;
        let only = self.provider.as_deref().or(source.provider.as_deref());
        let tallies = Tallies::of(&source.books.rulebook);
        let posted = source.shelf.posted(only);
        let posted = posted
            .map_err(|cause| Failure::usage(format!("The samples cannot be read: {cause}.")))?;
        for one in posted {
            let one =
                one.map_err(|why| Failure::usage(format!("A sample cannot be read: {why}.")))?;
            tallies.count_sample(&source.books, &one);
        }
        Ok(tallies.report(&source.books.rulebook, only))
    }

    fn told(&self, answer: &Value) -> String {
        let providers = answer.get("providers").cloned().unwrap_or_default();
        let providers: BTreeMap<String, CoverageInfo> =
            serde_json::from_value(providers).unwrap_or_default();
        if providers.is_empty() {
            return "Nothing was read.".to_owned();
        }
        let mut out = String::new();
        if answer.get("complete") == Some(&Value::Bool(false)) {
            out.push_str(
                "Time was up: only the oldest were read. A shorter `--since` is read whole.\n",
            );
        }
        let (whole, mut others): (Vec<_>, Vec<_>) =
            providers.iter().partition(|(_, info)| info.is_whole());
        others.sort_by_key(|(_, info)| std::cmp::Reverse(info.weight()));
        for (name, info) in others {
            self.provider(&mut out, name, info);
        }
        if !whole.is_empty() {
            let names: Vec<&str> = whole.iter().map(|(name, _)| name.as_str()).collect();
            let _ = writeln!(out, "All hit: {}.", names.join(", "));
        }
        out
    }

    fn provider(&self, out: &mut String, name: &str, info: &CoverageInfo) {
        let CoverageInfo { payloads, items, parts, met, .. } = info;
        let _ = writeln!(
            out,
            "{name}: {met} of {parts} parts met by {}, {}",
            counted(*payloads, "payload"),
            counted(*items, "item")
        );
        let mut lines = Vec::new();
        for drift in &info.drift {
            let change = match drift.change {
                Change::Gone => "no longer there",
                Change::Come => "there now",
            };
            let since = drift.since.as_deref().unwrap_or("some time");
            lines.push(format!(
                "drift    line {}: {} {change}, since {since}",
                drift.line, drift.path
            ));
        }
        lines.extend(info.unreachable.iter().map(|warning| format!("never    {warning}")));
        self.some(out, lines);
        let unknown = info.unknown.iter().map(|word| {
            format!(
                "unknown  line {}: {} `{}`, {}",
                word.line,
                word.field,
                word.word,
                counted(word.count, "time")
            )
        });
        let mut unknown: Vec<String> = unknown.collect();
        if info.unknown_others > 0 {
            unknown.push(format!("unknown  other words, {}", counted(info.unknown_others, "time")));
        }
        self.some(out, unknown);
        for (part, called) in [
            (PartKind::Variant, "variants"),
            (PartKind::Case, "whens"),
            (PartKind::Path, "paths"),
            (PartKind::Word, "words"),
        ] {
            let never = info.never.iter().filter(|never| never.part == part).map(never);
            self.listed(out, &format!("never    {called}"), never.collect());
        }
        let defaults =
            info.defaults.iter().map(|it| format!("{} {}×{}", it.field, at(it.line), it.count));
        self.listed(out, "else", defaults.collect());
    }

    /// A line of a few words, unless all are asked for.
    fn listed(&self, out: &mut String, name: &str, words: Vec<String>) {
        if words.is_empty() {
            return;
        }
        let most = if self.all { usize::MAX } else { LINES };
        let shown: Vec<&str> = words.iter().take(most).map(String::as_str).collect();
        let more = words.len() - shown.len();
        let more = if more > 0 { format!(", … {more} more") } else { String::new() };
        let _ = writeln!(out, "  {name}: {}{more}", shown.join(", "));
    }

    /// The first few lines, unless all are asked for.
    fn some(&self, out: &mut String, lines: Vec<String>) {
        let most = if self.all { usize::MAX } else { LINES };
        for line in lines.iter().take(most) {
            let _ = writeln!(out, "  {line}");
        }
        if lines.len() > most {
            let _ = writeln!(out, "  … and {} more; `--all` lists them", lines.len() - most);
        }
    }
}

fn never(never: &NeverInfo) -> String {
    let NeverInfo { part, field, line, what, .. } = never;
    let at = at(*line);
    match part {
        PartKind::Variant | PartKind::Path => format!("{what} {at}"),
        PartKind::Case => format!("{field} {at}"),
        PartKind::Word => format!("{field} `{what}` {at}"),
    }
}

/// A line of the rule file.
fn at(line: u32) -> String {
    format!("(line {line})")
}
