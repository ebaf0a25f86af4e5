//! `alertmill channel`: manage where messages go.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, brief, field, record, rows, table},
};
use crate::config::Reach;

/// Manage where messages go.
#[derive(Args)]
pub(super) struct Channel {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a channel; prints what it signs with, once.
    Create(New),
    /// Change a channel; what is not said stays.
    Update(Change),
    /// List channels.
    List,
    /// Show one channel.
    Get(One),
    /// Let a channel take messages again.
    Enable(One),
    /// Let a channel take nothing; what waits for it is dropped.
    Disable(One),
    /// Delete a channel; what waits for it is dropped.
    Delete(One),
    /// Give a channel a new secret to sign with; prints it, once.
    RotateSecret(Rotation),
    /// Send one message through a channel at once.
    Test(Trial),
    /// Show what a channel would be sent about an alert; sends nothing.
    Preview(Trial),
}

#[derive(Args)]
struct New {
    /// What it speaks: webhook, slack, teams, email, pagerduty, opsgenie, telegram, discord or ntfy.
    #[arg(long)]
    kind: String,
    /// What people call it; unique in its project, or in its workspace.
    #[arg(long)]
    name: String,
    /// The project whose alerts it hears of.
    #[arg(long, value_name = "ID", conflicts_with = "workspace")]
    project: Option<String>,
    /// The workspace whose alerts it hears of, of all its projects.
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    #[command(flatten)]
    said: Said,
}

#[derive(Args)]
struct Change {
    /// The channel's identifier.
    channel_id: String,
    /// What people call it.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    said: Said,
}

/// What may be said of a channel.
#[derive(Args)]
struct Said {
    /// Something that has to be known to reach it, e.g. `url=https://example.com/hook`; a value that is JSON is read as JSON.
    /// May be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    settings: Vec<(String, String)>,
    /// A level that it takes: ALL, or LV1 to LV10; NONE where it hears only of what names it. May be repeated.
    #[arg(long = "level", value_name = "LEVEL")]
    levels: Vec<String>,
    /// The alerts that it takes, as the `filter` of a query: `[{"k": "severity", "v": "CRITICAL", "o": "eq"}]`.
    #[arg(long, value_name = "JSON", value_parser = parsed)]
    filter: Option<Value>,
    /// Gather what happens within so many seconds into one message; 0 for a message each.
    #[arg(long, value_name = "SECONDS")]
    gather: Option<u32>,
    /// A field in which those agree that are gathered into one message, e.g. `additional_info.cluster`. May be repeated.
    #[arg(long = "gather-by", value_name = "FIELD", requires = "gather")]
    gather_by: Vec<String>,
    /// How many messages a minute it is sent at most; 0 for no limit.
    #[arg(long, value_name = "COUNT")]
    rate: Option<u32>,
    /// The heading of its messages, a template.
    #[arg(long, value_name = "TEMPLATE")]
    title: Option<String>,
    /// The text of its messages, a template; of a webhook the body.
    #[arg(long, value_name = "TEMPLATE")]
    body: Option<String>,
}

/// What is said as `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is written as `NAME=VALUE`")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|fault| format!("it is no JSON: {fault}"))
}

impl Said {
    /// What a request says of it; what is not said is left as it is.
    fn asked(&self) -> Map<String, Value> {
        let mut asked = Map::new();
        if !self.settings.is_empty() {
            let value = |text: &String| parsed(text).unwrap_or_else(|_| json!(text));
            let settings = self.settings.iter().map(|(name, text)| (name.clone(), value(text)));
            asked.insert("settings".to_owned(), Value::Object(settings.collect()));
        }
        if !self.levels.is_empty() {
            let levels = self.levels.iter().map(|level| level.to_uppercase());
            asked.insert("levels".to_owned(), levels.filter(|level| level != "NONE").collect());
        }
        if let Some(filter) = &self.filter {
            asked.insert("filter".to_owned(), filter.clone());
        }
        if let Some(seconds) = self.gather {
            let gather = json!({ "by": self.gather_by, "seconds": seconds });
            asked.insert("gather".to_owned(), if seconds == 0 { Value::Null } else { gather });
        }
        if let Some(rate) = self.rate {
            asked.insert("rate".to_owned(), if rate == 0 { Value::Null } else { json!(rate) });
        }
        if self.title.is_some() || self.body.is_some() {
            let templates = json!({ "title": self.title, "body": self.body });
            asked.insert("templates".to_owned(), templates);
        }
        asked
    }
}

impl New {
    fn asked(&self) -> Value {
        let mut asked = self.said.asked();
        asked.insert("kind".to_owned(), json!(self.kind.to_uppercase()));
        asked.insert("name".to_owned(), json!(self.name));
        let project = self.project.as_deref().unwrap_or("default");
        let (place, id) = match self.workspace.as_deref() {
            Some(workspace) => ("workspace_id", workspace),
            None => ("project_id", project),
        };
        asked.insert(place.to_owned(), json!(id));
        Value::Object(asked)
    }
}

impl Change {
    fn asked(&self) -> Value {
        let mut asked = self.said.asked();
        asked.insert("channel_id".to_owned(), json!(self.channel_id));
        if let Some(name) = &self.name {
            asked.insert("name".to_owned(), json!(name));
        }
        Value::Object(asked)
    }
}

#[derive(Args)]
struct One {
    /// The channel's identifier.
    channel_id: String,
}

#[derive(Args)]
struct Rotation {
    /// The channel's identifier.
    channel_id: String,
    /// For how many seconds the old secret still signs too; it stops at once by default.
    #[arg(long, value_name = "SECONDS")]
    grace: Option<u32>,
}

#[derive(Args)]
struct Trial {
    /// The channel's identifier.
    channel_id: String,
    /// The alert that is told of; the newest one by default.
    #[arg(long, value_name = "ID")]
    alert: Option<String>,
}

impl Channel {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let call = async |verb: &str, asked: Value| {
            client.post(&format!("/api/v1/channel/{verb}"), asked).await
        };
        match self.verb {
            Verb::Create(new) => screen.show(&call("create", new.asked()).await?, created),
            Verb::Update(change) => {
                said(&screen, &call("update", change.asked()).await?, "is changed")
            }
            Verb::List => screen.show(&call("list", json!({})).await?, listed),
            Verb::Get(one) => screen.show(&call("get", one.asked()).await?, record),
            Verb::Enable(one) => said(&screen, &call("enable", one.asked()).await?, "is enabled"),
            Verb::Disable(one) => {
                said(&screen, &call("disable", one.asked()).await?, "takes nothing from now on")
            }
            Verb::Delete(one) => {
                let answer = call("delete", one.asked()).await?;
                screen.show(&answer, |_| format!("Channel {} is deleted.", one.channel_id))
            }
            Verb::RotateSecret(rotation) => {
                let grace = rotation.grace.unwrap_or(0);
                let asked = json!({ "channel_id": rotation.channel_id, "expire_old_after": grace });
                screen.show(&call("rotate-secret", asked).await?, created)
            }
            Verb::Test(trial) => screen.show(&call("test", trial.asked()).await?, tried),
            Verb::Preview(trial) => screen.show(&call("preview", trial.asked()).await?, record),
        }
    }
}

impl One {
    fn asked(&self) -> Value {
        json!({ "channel_id": self.channel_id })
    }
}

impl Trial {
    fn asked(&self) -> Value {
        json!({ "channel_id": self.channel_id, "alert_id": self.alert })
    }
}

fn created(made: &Value) -> String {
    let mut text =
        format!("Channel {} reaches {}.", field(made, "channel_id"), field(made, "target"));
    if let Some(secret) = made.get("signing_secret").and_then(Value::as_str) {
        let _ = write!(
            text,
            "\n\n  signing secret  {secret}\n\nIt is shown only now. Whoever receives the messages checks their \
             `webhook-signature` with it."
        );
    }
    text
}

fn tried(answer: &Value) -> String {
    let reason = answer.get("reason").and_then(Value::as_str).map(|why| format!(": {why}"));
    let reason = reason.unwrap_or_default();
    if answer["sent"] == json!(true) {
        format!("It was taken after {} ms{reason}.", field(answer, "took_ms"))
    } else {
        format!("It was not taken{reason}.")
    }
}

fn said(screen: &Screen, answer: &Value, what: &str) -> Result<(), Failure> {
    screen.show(answer, |channel| format!("Channel {} {what}.", field(channel, "name")))
}

fn listed(answer: &Value) -> String {
    let cells = |channel: &Value| {
        vec![
            field(channel, "name"),
            field(channel, "kind"),
            field(channel, "state"),
            field(channel, "target"),
            brief(channel, "project_id"),
            field(channel, "channel_id"),
        ]
    };
    let headings = ["NAME", "KIND", "STATE", "TARGET", "PROJECT", "ID"];
    let nothing = "No channels. Make one with `alertmill channel create --kind webhook --name <name> --set url=<address>`.";
    table(&headings, rows(answer).map(cells).collect(), nothing)
}
