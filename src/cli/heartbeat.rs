//! `alertmill heartbeat`: manage who must be heard from.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, minute, more, record, rows, table},
};
use crate::config::Reach;

/// Manage what must be heard from every so often: silence opens an alert.
#[derive(Args)]
pub(super) struct Heartbeat {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a heartbeat.
    Create {
        /// What people call it; unique for its webhook.
        #[arg(long)]
        name: String,
        /// The webhook that must be heard from.
        #[arg(long, value_name = "ID")]
        webhook: String,
        /// How long it may be silent, e.g. `90s`, `5m`, `2h` or `1d`.
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        every: u32,
        /// The events of which key must come; any delivery will do by default.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// How bad silence is.
        #[arg(long, value_name = "SEVERITY")]
        severity: Option<String>,
    },
    /// Change a heartbeat; what is left out stays as it is.
    Update {
        /// The heartbeat's identifier.
        heartbeat_id: String,
        /// What people call it; unique for its webhook.
        #[arg(long)]
        name: Option<String>,
        /// How long it may be silent, e.g. `90s`, `5m`, `2h` or `1d`.
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        every: Option<u32>,
        /// How bad silence is.
        #[arg(long, value_name = "SEVERITY")]
        severity: Option<String>,
    },
    /// List heartbeats.
    List,
    /// Show one heartbeat.
    Get(One),
    /// Delete a heartbeat; the alert of its silence is resolved.
    Delete(One),
}

#[derive(Args)]
struct One {
    /// The heartbeat's identifier.
    heartbeat_id: String,
}

/// A length of time such as `90s`, in seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let (number, unit) =
        text.split_at(text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len()));
    let size = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(format!("`{unit}` is none of s, m, h and d")),
    };
    let number: u32 =
        number.parse().map_err(|_| format!("`{text}` is no length of time, such as `5m`"))?;
    number.checked_mul(size).ok_or_else(|| format!("`{text}` is too long"))
}

impl Heartbeat {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let call = async |verb: &str, asked: Value| {
            client.post(&format!("/api/v1/heartbeat/{verb}"), asked).await
        };
        match self.verb {
            Verb::Create { name, webhook, every, key, severity } => {
                let mut asked = json!({ "name": name, "webhook_id": webhook, "every": every });
                if let Some(key) = key {
                    asked["event_key"] = key.into();
                }
                if let Some(severity) = severity {
                    asked["severity"] = severity.to_ascii_uppercase().into();
                }
                said(&screen, &call("create", asked).await?, "is made")
            }
            Verb::Update { heartbeat_id, name, every, severity } => {
                let mut asked = json!({ "heartbeat_id": heartbeat_id });
                if let Some(name) = name {
                    asked["name"] = name.into();
                }
                if let Some(every) = every {
                    asked["every"] = every.into();
                }
                if let Some(severity) = severity {
                    asked["severity"] = severity.to_ascii_uppercase().into();
                }
                said(&screen, &call("update", asked).await?, "is changed")
            }
            Verb::List => screen.show(&call("list", json!({})).await?, listed),
            Verb::Get(one) => screen.show(&call("get", one.asked()).await?, record),
            Verb::Delete(one) => screen.show(&call("delete", one.asked()).await?, |_| {
                format!("Heartbeat {} is deleted.", one.heartbeat_id)
            }),
        }
    }
}

impl One {
    fn asked(&self) -> Value {
        json!({ "heartbeat_id": self.heartbeat_id })
    }
}

fn said(screen: &Screen, answer: &Value, what: &str) -> Result<(), Failure> {
    screen.show(answer, |beat| {
        let (name, id) = (field(beat, "name"), field(beat, "heartbeat_id"));
        format!(
            "Heartbeat {name} ({id}) {what}; it must be heard by {} UTC.",
            minute(beat, "due_at")
        )
    })
}

fn listed(answer: &Value) -> String {
    let cells = |beat: &Value| {
        vec![
            field(beat, "name"),
            field(beat, "state"),
            field(beat, "webhook_id"),
            field(beat, "event_key"),
            format!("{} s", beat["every"]),
            minute(beat, "last_heard_at"),
            field(beat, "heartbeat_id"),
        ]
    };
    let nothing = "No heartbeats. Make one with `alertmill heartbeat create --name <name> --webhook <id> --every 5m`.";
    let headings = ["NAME", "STATE", "WEBHOOK", "KEY", "EVERY", "HEARD", "ID"];
    let text = table(&headings, rows(answer).map(cells).collect(), nothing);
    format!("{text}{}", more(answer, "heartbeats"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        let read = ["90", "90s", "5m", "2h", "1d"].map(|text| seconds(text).unwrap());
        assert_eq!(read, [90, 90, 300, 7200, 86_400]);
        for wrong in ["", "m", "5 parsecs", "-5m", "99999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
