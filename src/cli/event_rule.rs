//! `alertmill event-rule`: manage what is changed of events before they become alerts.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read},
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, record, rows, table},
};
use crate::config::Reach;

/// Manage what is changed of events before they become alerts.
#[derive(Args)]
pub(super) struct EventRule {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an event rule from a file; it is asked after those that there are.
    Create {
        /// The rule as JSON; `-` reads it from the standard input.
        file: String,
    },
    /// Change an event rule; what the file does not say stays.
    Update {
        /// The rule's identifier.
        event_rule_id: String,
        /// What is to change, as JSON; `-` reads it from the standard input.
        file: String,
    },
    /// List event rules in the order in which they are asked.
    List,
    /// Show one event rule, with how often it matched.
    Get {
        /// The rule's identifier.
        event_rule_id: String,
    },
    /// Move an event rule among those of its webhook, project or workspace.
    Move {
        /// The rule's identifier.
        event_rule_id: String,
        /// Its new place, from 1.
        order: u32,
    },
    /// Delete an event rule.
    Delete {
        /// The rule's identifier.
        event_rule_id: String,
    },
    /// Tell what an event rule would have done to the events of the last days.
    DryRun(Trial),
}

/// What is tried.
#[derive(Args)]
pub(super) struct Trial {
    /// The rule as JSON; `-` reads it from the standard input.
    #[arg(required_unless_present = "id")]
    pub(super) file: Option<String>,
    /// The saved rule that is tried, or that the one in the file would replace.
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    /// How many days to look back.
    #[arg(long, default_value_t = 7)]
    pub(super) days: u32,
}

impl EventRule {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let call = async |verb: &str, asked: Value| {
            client.post(&format!("/monitoring/v1/event-rule/{verb}"), asked).await
        };
        match self.verb {
            Verb::Create { file } => {
                screen.show(&call("create", from_file(&file)?).await?, |made| said(made, "is made"))
            }
            Verb::Update { event_rule_id, file } => {
                let mut asked = from_file(&file)?;
                asked["event_rule_id"] = event_rule_id.into();
                screen.show(&call("update", asked).await?, |rule| said(rule, "is changed"))
            }
            Verb::List => {
                let asked = json!({ "query": { "page": { "limit": 1000 } } });
                screen.show(&call("list", asked).await?, listed)
            }
            Verb::Get { event_rule_id } => {
                let asked = json!({ "event_rule_id": event_rule_id });
                screen.show(&call("get", asked).await?, record)
            }
            Verb::Move { event_rule_id, order } => {
                let asked = json!({ "event_rule_id": event_rule_id, "order": order });
                screen.show(&call("change-order", asked).await?, |rule| said(rule, "is moved"))
            }
            Verb::Delete { event_rule_id } => {
                let answer = call("delete", json!({ "event_rule_id": event_rule_id })).await?;
                screen.show(&answer, |_| format!("Event rule {event_rule_id} is deleted."))
            }
            Verb::DryRun(trial) => {
                let asked = trial.asked("event_rule")?;
                screen.show(&client.post("/api/v1/event-rule/dry-run", asked).await?, tried)
            }
        }
    }
}

impl Trial {
    /// The request that tries a rule of this kind.
    pub(super) fn asked(&self, kind: &str) -> Result<Value, Failure> {
        let mut asked = json!({ "days": self.days });
        if let Some(file) = &self.file {
            asked[kind] = from_file(file)?;
        }
        if let Some(id) = &self.id {
            asked[format!("{kind}_id")] = id.as_str().into();
        }
        Ok(asked)
    }
}

/// The JSON object in a file, or from the standard input.
pub(super) fn from_file(file: &str) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = match file {
        "-" => io::stdin().lock().read_to_string(&mut text).map(|_| ()),
        file => fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|cause| Failure::usage(format!("Cannot read {file}: {cause}.")))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(Failure::usage(format!("{file} must hold a JSON object."))),
        Err(wrong) => Err(Failure::usage(format!("{file} is not JSON: {wrong}."))),
    }
}

fn said(rule: &Value, what: &str) -> String {
    format!(
        "Event rule {} {what}; its place is {}.",
        field(rule, "event_rule_id"),
        field(rule, "order")
    )
}

fn listed(answer: &Value) -> String {
    let cells = |rule: &Value| {
        vec![
            field(rule, "resource_group"),
            field(rule, "project_id"),
            field(rule, "order"),
            field(rule, "name"),
            field(rule, "event_rule_id"),
            field(rule, "hit_count"),
            field(rule, "last_hit_at"),
        ]
    };
    let nothing = "No event rules. Make one with `alertmill event-rule create FILE`.";
    let headings = ["OF", "PROJECT", "ORDER", "NAME", "ID", "HITS", "LAST HIT"];
    table(&headings, rows(answer).map(cells).collect(), nothing)
}

/// What a dry run told, as lines.
fn tried(told: &Value) -> String {
    let mut text = format!(
        "{} events since {} were looked at{}: {} match, of {} alerts.\n",
        field(told, "looked_at"),
        field(told, "since"),
        partly(told),
        field(told, "matched"),
        field(told, "alerts"),
    );
    for (what, events) in told["changed"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "  {what} would differ for {events} events");
    }
    text += &warned(told);
    for example in told["examples"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "\n{} {}", field(example, "event_id"), field(example, "title"));
        for (what, change) in example["changes"].as_object().into_iter().flatten() {
            let _ = writeln!(text, "  {what}: {} → {}", change["before"], change["after"]);
        }
    }
    text
}

/// Says that not all was looked at.
pub(super) fn partly(told: &Value) -> &'static str {
    if told["is_partial"] == Value::Bool(true) { " (there are more)" } else { "" }
}

/// What a dry run warns of, as lines.
pub(super) fn warned(told: &Value) -> String {
    let warnings = told["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    warnings.fold(String::new(), |text, warning| text + "Note: " + warning + ".\n")
}
