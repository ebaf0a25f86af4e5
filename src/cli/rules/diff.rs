//! `alertmill rules diff`: what edited rules would change of deliveries that came in already.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::File,
    future::Future,
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Screen, books};
use crate::{
    cli::client::Client,
    clock::Stopwatch,
    config::{Reach, RuleFiles, Span},
    ingest::Books,
    lab::diff::{
        AlertChanges, AlertExample, Comparison, Differ, Gained, Lost, Objection, ProviderChanges,
        file,
    },
    value::text::counted,
};

/// How many lines of a file are compared at once.
const PAGE: usize = 512;

/// Say what edited rules would change of deliveries that came in already.
///
/// The mappings of `--rules` (and the manifests of `--plugins`) are held against the rules of a running server, over its
/// stored deliveries; or against the built-in ones, over a file. Nothing is changed. The exit code is 4 where something
/// that `--fail-on` names would happen.
#[derive(Args)]
pub(super) struct Diff {
    #[command(flatten)]
    reach: Reach,
    /// How far back stored deliveries are read.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: Span,
    /// Compare over this file and without a server: one JSON object a line, with `provider` and `body` (or `body_base64`),
    /// and if need be `headers`, `query`, `content_type`, `received_at`, `time_zone`, `project_id`, `delivery_id`.
    #[arg(long, value_name = "FILE")]
    deliveries: Option<PathBuf>,
    /// With `--deliveries`: the rules to compare with, in place of the built-in ones.
    #[arg(long, value_name = "DIR", requires = "deliveries")]
    against: Option<PathBuf>,
    /// Exit with 4 where this would happen; may be several, separated by commas.
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = ["recoveries-parted", "alerts-lost", "key-changed", "severity-lowered", "dead", "any"])]
    fail_on: Vec<String>,
}

impl Diff {
    /// Does it.
    pub(super) async fn run(self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let Some(rules) = &files.rules else {
            return Err(Failure::usage("Say with `--rules DIR` where the edited mappings are."));
        };
        let edited = books(files)?;
        let answer = match &self.deliveries {
            Some(file) => self.over_file(file, edited)?,
            None => self.over_server((rules, files.plugins.as_deref()), &edited).await?,
        };
        screen.show(&answer, told)?;
        let comparison = comparison(&answer)?;
        let asked: Vec<Objection> = Objection::ALL
            .iter()
            .filter(|(name, _)| self.fail_on.iter().any(|asked| asked == name))
            .map(|(_, objection)| *objection)
            .collect();
        let held: Vec<&str> =
            comparison.objections(&asked).into_iter().map(Objection::as_str).collect();
        if held.is_empty() {
            return Ok(());
        }
        Err(Failure::objected(format!("Would happen, against `--fail-on`: {}.", held.join(", "))))
    }

    async fn over_server(
        &self,
        (rules, plugins): (&Path, Option<&Path>),
        edited: &Books,
    ) -> Result<Value, Failure> {
        let mut mappings = BTreeMap::new();
        for provider in names_in(rules, "mapping.yaml")? {
            if let Some(mapping) = edited.rulebook.get(&provider) {
                // The text holds what the mapping extends, too.
                mappings.insert(provider, mapping.text().to_owned());
            }
        }
        let mut manifests = BTreeMap::new();
        for name in plugins.map_or(Ok(Vec::new()), |dir| names_in(dir, "plugin.yaml"))? {
            let path = plugins.unwrap_or(Path::new("")).join(&name).join("plugin.yaml");
            let text = std::fs::read_to_string(&path).map_err(|cause| unreadable(&path, &cause))?;
            manifests.insert(name, text);
        }
        let since = format!("{}ms", self.since.0.as_millis());
        let body = json!({ "mappings": mappings, "plugins": manifests, "since": since });
        let client = Client::find(&self.reach)?;
        waiting(client.post("/api/v1/rules/diff", body)).await
    }

    fn over_file(&self, path: &Path, edited: Books) -> Result<Value, Failure> {
        let old = books(&RuleFiles { rules: self.against.clone(), plugins: None })?;
        let mut differ = Differ::new(Arc::new(old), Arc::new(edited));
        let lines = BufReader::new(File::open(path).map_err(|cause| unreadable(path, &cause))?);
        let mut page = Vec::with_capacity(PAGE);
        let mut progress = Progress::new();
        for (line, number) in lines.lines().zip(1..) {
            let line = line.map_err(|cause| unreadable(path, &cause))?;
            if line.trim().is_empty() {
                continue;
            }
            let again = file::read(&line, number)
                .map_err(|why| Failure::usage(format!("{}:{number}: {why}.", path.display())))?;
            page.push(again);
            if page.len() >= PAGE {
                differ.add(&page);
                page.clear();
                progress.say(|| format!("{} deliveries compared", differ.deliveries()));
            }
        }
        differ.add(&page);
        progress.end();
        let comparison = serde_json::to_value(differ.finish());
        comparison.map_err(|error| Failure::usage(error.to_string()))
    }
}

/// The directories below `directory` that hold such a file.
fn names_in(directory: &Path, file: &str) -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(directory).map_err(|cause| unreadable(directory, &cause))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join(file).is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

fn unreadable(path: &Path, cause: &io::Error) -> Failure {
    Failure::usage(format!("`{}` cannot be read: {cause}.", path.display()))
}

/// Says on a terminal that something takes its time.
struct Progress {
    watch: Stopwatch,
    is_seen: bool,
    said: Duration,
}

impl Progress {
    fn new() -> Self {
        let (watch, is_seen) = (Stopwatch::start(), io::stderr().is_terminal());
        Self { watch, is_seen, said: Duration::ZERO }
    }

    /// Says it, twice a second at most.
    fn say(&mut self, what: impl FnOnce() -> String) {
        let now = self.watch.elapsed();
        if self.is_seen && now > self.said + Duration::from_millis(500) {
            self.said = now;
            let _ = write!(io::stderr().lock(), "\r{} …\x1b[K", what());
        }
    }

    fn end(&self) {
        if self.said > Duration::ZERO {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

/// Waits for an answer, and says on a terminal for how long it has.
pub(super) async fn waiting<T>(answer: impl Future<Output = T>) -> T {
    let mut progress = Progress::new();
    let mut answer = std::pin::pin!(answer);
    loop {
        let tick = tokio::time::timeout(Duration::from_secs(1), answer.as_mut());
        if let Ok(answer) = tick.await {
            progress.end();
            return answer;
        }
        let seconds = progress.watch.elapsed().as_secs();
        progress.say(|| format!("the server reads its deliveries, {seconds} s"));
    }
}

fn comparison(answer: &Value) -> Result<Comparison, Failure> {
    serde_json::from_value(answer.clone()).map_err(|error| {
        Failure::usage(format!(
            "The server answers something else than this command knows: {error}."
        ))
    })
}

fn told(answer: &Value) -> String {
    let Ok(comparison) = comparison(answer) else { return answer.to_string() };
    let mut out = String::new();
    let since = answer.get("since").and_then(Value::as_str);
    let since = since.map(|since| format!(" since {since}")).unwrap_or_default();
    let Comparison { deliveries, items, providers } = &comparison;
    let (deliveries, items) = (counted(*deliveries, "delivery"), counted(*items, "item"));
    let _ = writeln!(out, "Compared {deliveries} with {items}{since}.");
    if answer.get("complete") == Some(&Value::Bool(false)) {
        out.push_str(
            "Time was up: only the newest were read. A shorter `--since` is read whole.\n",
        );
    }
    let unchanged = answer.get("unchanged").and_then(Value::as_array).into_iter().flatten();
    let unchanged: Vec<&str> = unchanged.filter_map(Value::as_str).collect();
    if !unchanged.is_empty() {
        let _ = writeln!(out, "The same as today, so not read: {}.", unchanged.join(", "));
    }
    if providers.is_empty() {
        out.push_str("Nothing would change.\n");
    }
    let mut providers: Vec<(&String, &ProviderChanges)> = providers.iter().collect();
    providers.sort_by_key(|(_, changes)| std::cmp::Reverse(gravity(changes)));
    for (name, changes) in providers {
        out.push_str(&provider(name, changes));
    }
    out
}

/// How bad changes are: what is lost first.
fn gravity(changes: &ProviderChanges) -> (u64, u64, u64) {
    let Lost { dead, ignored, gone } = changes.lost;
    let AlertChanges { parted, vanished, appeared, split, merged, renamed, .. } = changes.alerts;
    (
        parted + dead + ignored + gone + vanished,
        appeared + split + merged + renamed,
        changes.changed,
    )
}

fn provider(name: &str, changes: &ProviderChanges) -> String {
    let ProviderChanges {
        items, changed, fields, severities, lost, gained, alerts, examples, ..
    } = changes;
    let mut out = format!("\n{name}: {changed} of {} would change\n", counted(*items, "item"));
    line(&mut out, "parted", &[("recoveries that would not end their alert", alerts.parted)]);
    let Lost { dead, ignored, gone } = lost;
    line(&mut out, "lost", &[("not understood", *dead), ("ignored", *ignored), ("gone", *gone)]);
    let AlertChanges { vanished, appeared, split, merged, renamed, uncounted, .. } = alerts;
    let kinds = [
        ("vanish", *vanished),
        ("merge", *merged),
        ("split", *split),
        ("with another key", *renamed),
        ("appear", *appeared),
        ("events too many to count", *uncounted),
    ];
    line(&mut out, "alerts", &kinds);
    let Gained { readable, heeded, more } = gained;
    let kinds = [("understood now", *readable), ("no longer ignored", *heeded), ("more", *more)];
    line(&mut out, "gained", &kinds);
    let mut counts: Vec<(&str, u64)> =
        fields.iter().map(|(field, count)| (field.as_str(), *count)).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    line(&mut out, "fields", &counts);
    for change in severities {
        let _ = writeln!(out, "  severity  {} → {}: {}", change.old, change.new, change.count);
    }
    let (parted, others): (Vec<_>, Vec<_>) =
        alerts.examples.iter().partition(|(kind, _)| *kind == "parted");
    for (kind, examples) in parted.into_iter().chain(others) {
        for example in examples.iter().take(2) {
            out.push_str(&alert_example(kind, example));
        }
    }
    for (kind, examples) in examples {
        for example in examples.iter().take(2) {
            let (old, new) = (&example.old, &example.new);
            let _ = writeln!(
                out,
                "  e.g. {kind}: {old} → {new} ({} #{})",
                example.delivery_id, example.item
            );
        }
    }
    out
}

fn alert_example(kind: &str, example: &AlertExample) -> String {
    let AlertExample { old, new, problem, delivery_id, item } = example;
    let keys = |keys: &[String]| if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
    let problem =
        if problem.is_empty() { String::new() } else { format!(", its problem {}", keys(problem)) };
    format!("  e.g. {kind}: {} → {}{problem} ({delivery_id} #{item})\n", keys(old), keys(new))
}

/// A line of counts, those of zero left out; none where all are.
fn line(out: &mut String, name: &str, counts: &[(&str, u64)]) {
    let said: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    if !said.is_empty() {
        let _ = writeln!(out, "  {name:9} {}", said.join(", "));
    }
}
