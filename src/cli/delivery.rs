//! `alertmill delivery`: what was posted, what became of it, and another try for what was not understood.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    send::became,
    show::{Screen, field, minute, record, rows, short, table},
};
use crate::config::Reach;

/// See what was posted, and drive again what was not understood.
#[derive(Args)]
pub(super) struct Delivery {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List deliveries, newest first.
    List(Wanted),
    /// Show one delivery: headers, body, and what became of each item.
    Get {
        /// The delivery's identifier, as its receipt says.
        delivery_id: String,
    },
    /// Read a delivery's dead items again, with the rules as they are now.
    Redrive {
        /// The delivery's identifier, as its receipt says.
        delivery_id: String,
    },
}

/// Which deliveries are listed.
#[derive(Args)]
struct Wanted {
    /// Only `dead` ones, which hold something that was not understood, or only `refused` ones.
    #[arg(long, value_parser = ["dead", "refused"])]
    state: Option<String>,
    /// Only those of this webhook.
    #[arg(long, value_name = "ID")]
    webhook: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

impl Delivery {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::List(wanted) => {
                let answer = client.get("/api/v1/deliveries", &wanted.query()).await?;
                let refused = wanted.state.as_deref() == Some("refused");
                screen.show(&answer, if refused { listed_refused } else { listed })
            }
            Verb::Get { delivery_id } => {
                let path = format!("/api/v1/deliveries/{delivery_id}");
                screen.show(&client.get(&path, &[]).await?, record)
            }
            Verb::Redrive { delivery_id } => {
                let path = format!("/api/v1/deliveries/{delivery_id}/redrive");
                screen.show(&client.post(&path, json!({})).await?, became)
            }
        }
    }
}

impl Wanted {
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("limit", self.limit.to_string())];
        query.extend(self.state.clone().map(|state| ("state", state)));
        query.extend(self.webhook.clone().map(|webhook| ("webhook_id", webhook)));
        query
    }
}

fn listed(answer: &Value) -> String {
    let cells = |delivery: &Value| {
        vec![
            minute(delivery, "received_at"),
            field(delivery, "state"),
            field(delivery, "items"),
            field(delivery, "dead"),
            field(delivery, "remote"),
            field(delivery, "delivery_id"),
        ]
    };
    let headings = ["ARRIVED (UTC)", "STATE", "ITEMS", "DEAD", "FROM", "ID"];
    let nothing = "No deliveries. Post something with `alertmill send`.";
    table(&headings, rows(answer).map(cells).collect(), nothing)
}

fn listed_refused(answer: &Value) -> String {
    let cells = |refusal: &Value| {
        vec![
            minute(refusal, "refused_at"),
            field(refusal, "remote"),
            short(refusal, "reason", 48),
            field(refusal, "webhook_id"),
        ]
    };
    let headings = ["TIME (UTC)", "FROM", "REASON", "WEBHOOK"];
    let nothing = "Nothing was refused since the server started.";
    table(&headings, rows(answer).map(cells).collect(), nothing)
}
