//! `alertmill simulate`: tries a configuration out on a timeline, without a server and without waiting.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    Failure,
    show::{Screen, field, harmless, short, table},
};
use crate::{
    config::RuleFiles,
    ingest::Books,
    lab::simulate::{Line, Outcome, Scenario},
    load_error::LoadError,
    value::text::counted,
};

/// How many letters of a line of a message are shown, and how many lines of it.
const LONGEST_LINE: usize = 120;
const MOST_LINES: usize = 20;

/// How much of a file is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Try a configuration out on a timeline: in memory, in no time, sending nothing.
///
/// The exit code is 0 where everything was as expected, 1 where something was not, and 2 where a file has mistakes.
#[derive(Args)]
pub(super) struct Simulate {
    #[command(flatten)]
    rules: RuleFiles,
    /// Print JSON instead of sentences.
    #[arg(long)]
    json: bool,
    /// Only the scenarios whose name holds this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Say only which scenarios are as expected, and what is not.
    #[arg(long, short)]
    quiet: bool,
    /// Files of scenarios, YAML or JSON; `-` reads what is piped in.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Simulate {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut scenarios = Vec::new();
        for file in &self.files {
            scenarios.extend(read(file)?);
        }
        let is_list = scenarios.len() > 1;
        if let Some(only) = &self.only {
            scenarios.retain(|one| one.name.as_ref().is_some_and(|name| name.contains(only)));
            if scenarios.is_empty() {
                return Err(Failure::usage(format!("No scenario has `{only}` in its name.")));
            }
        }
        let (rules, plugins) = (self.rules.rules.as_deref(), self.rules.plugins.as_deref());
        let books = Arc::new(Books::load(rules, plugins).map_err(|mistakes| wrong(&mistakes))?);
        let mut outcomes = Vec::new();
        for scenario in &scenarios {
            outcomes.push(scenario.run(&books).await.map_err(|mistakes| wrong(&mistakes))?);
        }
        Screen::new(self.json).show(&answer(&outcomes, is_list), |_| self.told(&outcomes))?;
        let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
        if failed == 0 {
            return Ok(());
        }
        let failures = outcomes.iter().flat_map(|outcome| &outcome.failures);
        let told: Vec<&str> = failures.map(|failure| failure.told.as_str()).collect();
        let summary =
            format!("{failed} of {} not as expected.", counted(outcomes.len() as u64, "scenario"));
        Err(Failure::refused(harmless(&format!("{}\n\n{summary}", told.join("\n")))))
    }

    fn told(&self, outcomes: &[Outcome]) -> String {
        let told =
            outcomes.iter().map(|outcome| if self.quiet { brief(outcome) } else { whole(outcome) });
        told.collect::<Vec<_>>().join(if self.quiet { "\n" } else { "\n\n\n" })
    }
}

/// The scenarios of a file.
fn read(file: &Path) -> Result<Vec<Scenario>, Failure> {
    let unreadable =
        |cause: io::Error| Failure::usage(format!("`{}` cannot be read: {cause}.", file.display()));
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin().lock().take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
    } else {
        fs::File::open(file)
            .and_then(|opened| opened.take(LARGEST).read_to_string(&mut text))
            .map_err(unreadable)?;
    }
    Scenario::read(&file.display().to_string(), &text).map_err(|mistakes| wrong(&mistakes))
}

/// Everything that is wrong with a file.
fn wrong(mistakes: &[LoadError]) -> Failure {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Failure::usage(harmless(&lines.join("\n")))
}

fn answer(outcomes: &[Outcome], is_list: bool) -> Value {
    match outcomes {
        [one] if !is_list => json!(one),
        all => json!({ "passed": all.iter().all(|one| one.passed), "scenarios": all }),
    }
}

fn name(outcome: &Outcome) -> &str {
    outcome.name.as_deref().unwrap_or("the scenario")
}

fn brief(outcome: &Outcome) -> String {
    let word = if outcome.passed { "ok    " } else { "FAILED" };
    format!("{word}  {}", name(outcome))
}

fn whole(outcome: &Outcome) -> String {
    let mut text = outcome.name.as_ref().map(|name| format!("{name}\n\n")).unwrap_or_default();
    let _ = writeln!(text, "It begins at {}.", outcome.began_at);
    for line in &outcome.timeline {
        let _ = write!(text, "\n{}", told(line));
    }
    let _ = write!(text, "\n\n{}", alerts(outcome));
    let _ = write!(text, "\n\n{}", notifications(outcome));
    let end = if outcome.passed {
        "Everything is as expected."
    } else {
        "Not everything is as expected."
    };
    let _ = write!(text, "\n\n{end}");
    text
}

/// One thing that happened, with what a message says below it.
fn told(line: &Line) -> String {
    let alert = line.alert_number.map(|number| format!("#{number} ")).unwrap_or_default();
    let mark = match line.of {
        "step" => "▶ ".to_owned(),
        "message" => "    ✉ ".to_owned(),
        of => format!("    {alert}{of}: "),
    };
    let width = line.after.len();
    let below = line.text.lines().take(MOST_LINES);
    let below = below.map(|text| format!("\n{:width$}      | {}", "", cut(text)));
    format!("{}  {mark}{}{}", line.after, line.sentence, below.collect::<String>())
}

/// A line of a message, as far as a terminal shows it well; `--json` has all of it.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn alerts(outcome: &Outcome) -> String {
    let headings =
        ["ALERT", "STATE", "URGENCY", "SEVERITY", "EVENTS", "ASSIGNEE", "PROJECT", "TITLE"];
    let rows = outcome.alerts.iter().map(|alert| {
        let number = format!("#{}", field(alert, "alert_number"));
        let fields = ["state", "urgency", "severity", "event_count", "assignee", "project_id"];
        let mut row = vec![number];
        row.extend(fields.iter().map(|name| field(alert, name)));
        row.push(short(alert, "title", 60));
        row
    });
    table(&headings, rows.collect(), "No alert was opened.")
}

/// The channels that took a notification.
fn reached(sent: &Value) -> String {
    let to = sent["to"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let to: Vec<&str> = to.collect();
    if to.is_empty() { "nobody".to_owned() } else { to.join(", ") }
}

fn notifications(outcome: &Outcome) -> String {
    let headings = ["SENT AT", "ALERT", "TYPE", "LEVEL", "TO", "TITLE"];
    let rows = outcome.notifications.iter().map(|sent| {
        vec![
            field(sent, "sent_at"),
            format!("#{}", field(sent, "alert_number")),
            field(sent, "notification_type"),
            field(sent, "notification_level"),
            reached(sent),
            short(sent, "title", 60),
        ]
    });
    table(&headings, rows.collect(), "Nobody was told anything.")
}
