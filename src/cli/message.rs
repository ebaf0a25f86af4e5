//! `alertmill message`: see messages, and send again what failed.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, brief, field, minute, record, rows, short, table},
};
use crate::config::Reach;

/// See what was sent to whom, and send again what was given up.
#[derive(Args)]
pub(super) struct Message {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List messages, newest first.
    List(Wanted),
    /// Show one message: what it tells, and each attempt to send it.
    Get {
        /// The message's identifier.
        message_id: String,
    },
    /// Try a message from the beginning, or all that were given up of a channel.
    Redrive(Again),
}

/// Which messages are listed.
#[derive(Args)]
struct Wanted {
    /// Only those in this state.
    #[arg(long, ignore_case = true, value_parser = ["WAITING", "SENT", "DEAD", "DROPPED"])]
    state: Option<String>,
    /// Only those about this alert.
    #[arg(long, value_name = "ID")]
    alert: Option<String>,
    /// Only those through this channel.
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Again {
    /// The message's identifier.
    message_id: Option<String>,
    /// The channel whose messages were given up.
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
}

impl Message {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let call = async |verb: &str, asked: Value| {
            client.post(&format!("/api/v1/message/{verb}"), asked).await
        };
        match self.verb {
            Verb::List(wanted) => screen.show(&call("list", wanted.asked()).await?, listed),
            Verb::Get { message_id } => {
                screen.show(&call("get", json!({ "message_id": message_id })).await?, record)
            }
            Verb::Redrive(again) => {
                let asked = match &again.channel {
                    Some(channel) => json!({ "channel_id": channel }),
                    None => json!({ "message_id": again.message_id }),
                };
                screen.show(&call("redrive", asked).await?, redriven)
            }
        }
    }
}

impl Wanted {
    fn asked(&self) -> Value {
        let state = self.state.as_ref().map(|state| state.to_uppercase());
        json!({ "state": state, "alert_id": self.alert, "channel_id": self.channel, "limit": self.limit })
    }
}

fn listed(answer: &Value) -> String {
    let cells = |message: &Value| {
        vec![
            minute(message, "created_at"),
            field(message, "state"),
            field(message, "attempts"),
            field(message, "notices"),
            brief(message, "channel_id"),
            short(message, "reason", 48),
            field(message, "message_id"),
        ]
    };
    let headings = ["WRITTEN (UTC)", "STATE", "ATTEMPTS", "NOTICES", "CHANNEL", "WHY", "ID"];
    table(&headings, rows(answer).map(cells).collect(), "No messages.")
}

fn redriven(answer: &Value) -> String {
    let count = answer["message_ids"].as_array().map_or(0, Vec::len);
    let messages = if count == 1 { "message is" } else { "messages are" };
    let more = if answer["more"] == json!(true) { " There are more: ask again." } else { "" };
    format!("{count} {messages} tried again.{more}")
}
