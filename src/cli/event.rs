//! `alertmill event`: what came in, one by one.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    export::{self, Destination},
    output::{Listing, Output},
    question::Question,
    rules::explain::fields_told,
    show::{Screen, field, minute, more, record, rows, short, table},
};
use crate::{
    api::export::EVENT_COLUMNS,
    config::Reach,
    domain::words::{EventType, Severity},
    query::EVENTS,
};

/// See events.
#[derive(Args)]
pub(super) struct Event {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List events, newest first.
    List {
        #[command(flatten)]
        wanted: Box<Wanted>,
        #[command(flatten)]
        listed: Listed,
    },
    /// Write all events that are meant to a file, or to standard output; what `import` takes.
    Export {
        #[command(flatten)]
        wanted: Box<Wanted>,
        #[command(flatten)]
        destination: Destination,
    },
    /// Show one event, with what it was made from.
    Get {
        /// The event's identifier.
        event_id: String,
    },
    /// Say how the thing that an event tells of was before, by the event that told of it last.
    Changes {
        /// The event's identifier.
        event_id: String,
    },
    /// Say where each value of an event came from, and why it did to alerts what it did.
    Explain {
        /// The event's identifier.
        event_id: String,
    },
}

/// Which events are meant.
#[derive(Args)]
struct Wanted {
    /// Only those of this alert.
    #[arg(long, value_name = "ID")]
    alert: Option<String>,
    /// Only those of this type: ALERT, RECOVERY or ERROR.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<EventType>,
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

impl Event {
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
                    path: "/monitoring/v1/event/list",
                    asked: wanted.shortcuts(),
                    query: wanted.question.query(&EVENTS)?,
                    columns: &wanted.question.columns,
                    standard: EVENT_COLUMNS,
                    limit: (!how.all).then_some(how.limit),
                };
                listing.show(&client, output, listed).await
            }
            Verb::Export { wanted, destination } => {
                let export = export::Wanted {
                    path: "/api/v1/events/export",
                    asked: wanted.shortcuts(),
                    query: wanted.question.query(&EVENTS)?,
                    columns: &wanted.question.columns,
                    json: self.reach.json,
                };
                destination.take(&client, export).await
            }
            Verb::Get { event_id } => {
                let asked = json!({ "event_id": event_id });
                screen.show(&client.post("/monitoring/v1/event/get", asked).await?, record)
            }
            Verb::Changes { event_id } => {
                let path = format!("/api/v1/events/{event_id}/changes");
                screen.show(&client.get(&path, &[]).await?, changed)
            }
            Verb::Explain { event_id } => {
                let path = format!("/api/v1/events/{event_id}/explain");
                screen.show(&client.get(&path, &[]).await?, explained)
            }
        }
    }
}

impl Wanted {
    /// The parameters of a list that it makes.
    fn shortcuts(&self) -> Map<String, Value> {
        let mut asked = Map::new();
        let shortcuts = [
            ("alert_id", self.alert.clone()),
            ("event_type", self.event_type.map(|kind| kind.to_string())),
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

/// What an event changed, for people.
fn changed(answer: &Value) -> String {
    let shown = |name: &str| {
        let state = answer.pointer(name).filter(|state| !state.is_null())?;
        serde_json::to_string_pretty(state).ok()
    };
    if answer.get("state_of").is_none_or(Value::is_null) {
        return "This event tells of the state of nothing.".to_owned();
    }
    let before = shown("/before/state").map_or_else(
        || "Before: no event that is kept tells of it.".to_owned(),
        |state| {
            let (at, event) = (field(answer, "before.at"), field(answer, "before.event_id"));
            format!("Before, by {event} of {at}:\n{state}")
        },
    );
    let after = shown("/after");
    let after = after.map_or_else(
        || "Now: the event does not say.".to_owned(),
        |state| format!("Now:\n{state}"),
    );
    format!("{before}\n\n{after}")
}

/// Why an event is what it is, for people.
fn explained(answer: &Value) -> String {
    let said = |name: &str| field(answer, name);
    let mut text = said("because");
    let _ = write!(
        text,
        "\n\nItem {} of delivery {}, which came through webhook {} at {}.",
        said("item"),
        said("delivery_id"),
        match said("webhook_name") {
            name if name.is_empty() => said("webhook_id"),
            name => format!("`{name}` ({})", said("webhook_id")),
        },
        said("received_at"),
    );
    if answer.get("mapping").is_some_and(Value::is_object) {
        let is_current = answer.get("mapping_is_current") == Some(&Value::Bool(true));
        let since = if is_current { "as it is today" } else { "which has changed since" };
        let (file, version) = (said("mapping.file"), said("mapping.version"));
        let variant = said("variant");
        let _ =
            write!(text, "\nRead by variant `{variant}` of {file}, version {version}, {since}.");
    }
    let nothing = Value::Null;
    let event = answer.get("event").unwrap_or(&nothing);
    let _ = write!(text, "\n\n{}", fields_told(event, answer.get("origins")));
    if let Some(why) = answer.get("unexplained").and_then(Value::as_str) {
        let _ = write!(text, "\n\nIt cannot be read once more: {why}.");
    }
    let list = |name: &str| answer.get(name).and_then(Value::as_array).into_iter().flatten();
    for error in list("errors") {
        let _ = write!(text, "\n\nNot understood: {}", field(error, "reason"));
        let (file, line) = (field(error, "file"), field(error, "line"));
        if !file.is_empty() {
            let _ = write!(text, " ({file}{}{line})", if line.is_empty() { "" } else { ":" });
        }
    }
    for difference in list("differences") {
        let (name, read) = (field(difference, "field"), field(difference, "read"));
        let stored = field(difference, "stored");
        let _ = write!(text, "\n\nRead once more, `{name}` would be {read}; stored is {stored}.");
    }
    text
}

fn listed(answer: &Value) -> String {
    let cells = |event: &Value| {
        vec![
            minute(event, "created_at"),
            field(event, "event_type"),
            field(event, "severity"),
            short(event, "title", 36),
            field(event, "event_id"),
        ]
    };
    let headings = ["ARRIVED (UTC)", "TYPE", "SEVERITY", "TITLE", "ID"];
    let nothing = "No events. Post something with `alertmill send`.";
    table(&headings, rows(answer).map(cells).collect(), nothing) + &more(answer, "events")
}
