//! `alertmill group-rule`: manage grouping beyond the key.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    event_rule::{Trial, from_file, partly, warned},
    show::{Screen, field, record, rows, table},
};
use crate::config::Reach;

/// Manage grouping beyond the key: alerts that are parts of one, events that wait until there are enough.
#[derive(Args)]
pub(super) struct GroupRule {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a group rule.
    Create(New),
    /// Change a group rule; what the file does not say stays.
    Update {
        /// The rule's identifier.
        group_rule_id: String,
        /// What is to change, as JSON; `-` reads it from the standard input.
        file: String,
    },
    /// List group rules.
    List,
    /// Show one group rule, with how many events it concerned.
    Get {
        /// The rule's identifier.
        group_rule_id: String,
    },
    /// Delete a group rule; alerts that are parts of others stay so.
    Delete {
        /// The rule's identifier.
        group_rule_id: String,
    },
    /// Tell what a group rule would have made of the events of the last days.
    DryRun(Trial),
}

#[derive(Args)]
struct New {
    /// The project.
    #[arg(long, value_name = "ID", default_value = "default")]
    project: String,
    /// What people call it.
    #[arg(long, default_value = "")]
    name: String,
    /// A field whose values the events of a group share, e.g. `additional_info.cluster`. May be repeated.
    #[arg(long = "field", value_name = "FIELD", required = true)]
    fields: Vec<String>,
    /// Within how many seconds events reach the threshold, and alerts become parts of another.
    #[arg(long, value_name = "SECONDS")]
    window: u32,
    /// How many events of a group open an alert.
    #[arg(long, value_name = "EVENTS", default_value_t = 1)]
    threshold: u32,
}

impl New {
    fn asked(&self) -> Value {
        json!({
            "project_id": self.project, "name": self.name, "fields": self.fields, "window": self.window,
            "threshold": self.threshold,
        })
    }
}

impl GroupRule {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let call = async |verb: &str, asked: Value| {
            client.post(&format!("/api/v1/group-rule/{verb}"), asked).await
        };
        match self.verb {
            Verb::Create(new) => {
                screen.show(&call("create", new.asked()).await?, |made| said(made, "is made"))
            }
            Verb::Update { group_rule_id, file } => {
                let mut asked = from_file(&file)?;
                asked["group_rule_id"] = group_rule_id.into();
                screen.show(&call("update", asked).await?, |rule| said(rule, "is changed"))
            }
            Verb::List => {
                let asked = json!({ "query": { "page": { "limit": 1000 } } });
                screen.show(&call("list", asked).await?, listed)
            }
            Verb::Get { group_rule_id } => {
                let asked = json!({ "group_rule_id": group_rule_id });
                screen.show(&call("get", asked).await?, record)
            }
            Verb::Delete { group_rule_id } => {
                let answer = call("delete", json!({ "group_rule_id": group_rule_id })).await?;
                screen.show(&answer, |_| format!("Group rule {group_rule_id} is deleted."))
            }
            Verb::DryRun(trial) => {
                screen.show(&call("dry-run", trial.asked("group_rule")?).await?, tried)
            }
        }
    }
}

fn said(rule: &Value, what: &str) -> String {
    format!("Group rule {} {what}.", field(rule, "group_rule_id"))
}

fn listed(answer: &Value) -> String {
    let cells = |rule: &Value| {
        vec![
            field(rule, "project_id"),
            field(rule, "order"),
            field(rule, "name"),
            field(rule, "group_rule_id"),
            field(rule, "window"),
            field(rule, "threshold"),
            field(rule, "hit_count"),
        ]
    };
    let nothing = "No group rules. Make one with `alertmill group-rule create --field FIELD --window SECONDS`.";
    let headings = ["PROJECT", "ORDER", "NAME", "ID", "WINDOW", "THRESHOLD", "HITS"];
    table(&headings, rows(answer).map(cells).collect(), nothing)
}

/// What a dry run told, as lines.
fn tried(told: &Value) -> String {
    let mut text = format!(
        "{} events since {} were looked at{}: {} alerts would have opened instead of {}, in {} groups.\n",
        field(told, "looked_at"),
        field(told, "since"),
        partly(told),
        field(told, "alerts_with"),
        field(told, "alerts_without"),
        field(told, "groups"),
    );
    text += &warned(told);
    for group in told["examples"].as_array().into_iter().flatten() {
        let _ = writeln!(
            text,
            "  {}: {} leading, {} parts, {} events without an alert",
            field(group, "values"),
            field(group, "leads"),
            field(group, "members"),
            field(group, "below"),
        );
    }
    text
}
