//! `alertmill alert`: what needs attention, and what is done about it.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    act::Act,
    client::Client,
    export::{self, Destination},
    output::{Listing, Output},
    question::Question,
    show::{Screen, field, minute, more, record, rows, short, table},
};
use crate::{
    api::export::ALERT_COLUMNS,
    config::Reach,
    domain::words::{AlertState, Severity, Urgency},
    query::ALERTS,
};

/// See and answer alerts.
#[derive(Args)]
pub(super) struct Alert {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List alerts, newest first.
    List {
        #[command(flatten)]
        wanted: Box<Wanted>,
        #[command(flatten)]
        listed: Listed,
    },
    /// Write all alerts that are meant to a file, or to standard output; what `import` takes.
    Export {
        #[command(flatten)]
        wanted: Box<Wanted>,
        #[command(flatten)]
        destination: Destination,
    },
    /// Show one alert.
    Get {
        /// The alert's identifier, or its number.
        alert_id: String,
    },
    Explain(super::explain::Explain),
    #[command(flatten)]
    Act(Act),
}

/// Which alerts are meant.
#[derive(Args)]
struct Wanted {
    /// Only those in this state: TRIGGERED, ACKNOWLEDGED, RESOLVED or ERROR.
    #[arg(long)]
    state: Option<AlertState>,
    /// Only those of this urgency: LOW or HIGH.
    #[arg(long)]
    urgency: Option<Urgency>,
    /// Only those of this severity: `NONE`, `INFO`, `WARNING`, `NOT_AVAILABLE`, `ERROR` or `CRITICAL`.
    #[arg(long)]
    severity: Option<Severity>,
    /// Only those of this project.
    #[arg(long, value_name = "ID")]
    project: Option<String>,
    /// Only those of this webhook.
    #[arg(long, value_name = "ID")]
    webhook: Option<String>,
    #[command(flatten)]
    question: Question,
}

/// How a list is shown.
#[derive(Args)]
struct Listed {
    /// How many at most.
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    /// All of them, page by page.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// What they are written as; a table by default.
    #[arg(long, value_enum, value_name = "FORMAT")]
    output: Option<Output>,
}

impl Alert {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::List { wanted, listed: how } => {
                let output = how.output.unwrap_or(if self.reach.json {
                    Output::Json
                } else {
                    Output::Table
                });
                let listing = Listing {
                    path: "/monitoring/v1/alert/list",
                    asked: wanted.shortcuts(),
                    query: wanted.question.query(&ALERTS)?,
                    columns: &wanted.question.columns,
                    standard: ALERT_COLUMNS,
                    limit: (!how.all).then_some(how.limit),
                };
                listing.show(&client, output, listed).await
            }
            Verb::Export { wanted, destination } => {
                let export = export::Wanted {
                    path: "/api/v1/alerts/export",
                    asked: wanted.shortcuts(),
                    query: wanted.question.query(&ALERTS)?,
                    columns: &wanted.question.columns,
                    json: self.reach.json,
                };
                destination.take(&client, export).await
            }
            Verb::Get { alert_id } => {
                let asked = json!({ "alert_id": alert_id });
                screen.show(&client.post("/monitoring/v1/alert/get", asked).await?, record)
            }
            Verb::Explain(explain) => explain.run(&client, &screen).await,
            Verb::Act(act) => act.run(&client, &screen).await,
        }
    }
}

impl Wanted {
    /// The parameters of a list that it makes.
    fn shortcuts(&self) -> Map<String, Value> {
        let mut asked = Map::new();
        let shortcuts = [
            ("state", self.state.map(|state| state.to_string())),
            ("urgency", self.urgency.map(|urgency| urgency.to_string())),
            ("severity", self.severity.map(|severity| severity.to_string())),
            ("project_id", self.project.clone()),
            ("webhook_id", self.webhook.clone()),
        ];
        for (name, value) in shortcuts {
            if let Some(value) = value {
                asked.insert(name.to_owned(), value.into());
            }
        }
        asked
    }
}

fn listed(answer: &Value) -> String {
    let cells = |alert: &Value| {
        vec![
            field(alert, "alert_number"),
            field(alert, "state"),
            marks(alert),
            field(alert, "severity"),
            short(alert, "title", 30),
            field(alert, "event_count"),
            minute(alert, "created_at"),
            field(alert, "alert_id"),
        ]
    };
    let headings = ["#", "STATE", "MARKS", "SEVERITY", "TITLE", "N", "SINCE (UTC)", "ID"];
    let nothing = "No alerts. Post something with `alertmill send`, or see what came in with `alertmill event list`.";
    table(&headings, rows(answer).map(cells).collect(), nothing) + &more(answer, "alerts")
}

/// What is special about an alert, in a word each.
fn marks(alert: &Value) -> String {
    let marks = [
        ("muted", "muted_by"),
        ("snoozed", "snoozed_until"),
        ("merged", "merged_into"),
        ("flapping", "flapping_since"),
    ];
    let held = marks.iter().filter(|(_, name)| !alert[*name].is_null());
    held.map(|(word, _)| *word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_readable() {
        let answer = json!({ "total_count": 2, "results": [{
            "alert_id": "alert-0198c7d2a1b27000a1b2c3d4e5f60718",
            "alert_number": 7,
            "state": "TRIGGERED",
            "urgency": "HIGH",
            "severity": "CRITICAL",
            "title": "HighRequestLatency on api-1 in production since this morning",
            "event_count": 3,
            "muted_by": "silence:silence-1",
            "flapping_since": "2026-01-01T00:00:00.000Z",
            "created_at": "2026-01-01T00:00:00.000Z",
        }] });
        insta::assert_snapshot!(listed(&answer));
        assert!(listed(&json!({ "results": [] })).starts_with("No alerts."));
    }
}
