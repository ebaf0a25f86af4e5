//! `alertmill webhook`: the addresses that monitoring systems post to.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    program,
    show::{Screen, brief, field, record, rows, table},
};
use crate::{config::Reach, plugins::PluginBook, rules::samples::sample};

/// Manage the addresses that monitoring systems post to.
#[derive(Args)]
pub(super) struct Webhook {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a webhook; prints its URL and its access key, once.
    Create(New),
    /// List webhooks.
    List,
    /// Show one webhook, with what was refused at it lately.
    Get(One),
    /// Let a webhook take deliveries again.
    Enable(One),
    /// Let a webhook answer 403 from now on.
    Disable(One),
    /// Delete a webhook; its events and alerts stay.
    Delete(One),
    /// Give a webhook a new access key; prints it, once.
    RotateKey(Rotation),
}

#[derive(Args)]
struct New {
    /// Which monitoring system posts there, e.g. the name of a directory below `plugins/`.
    #[arg(long)]
    provider: String,
    /// What people call it; unique in its project.
    #[arg(long)]
    name: String,
    /// The project that its alerts go to.
    #[arg(long, value_name = "ID", default_value = "default")]
    project: String,
}

#[derive(Args)]
struct One {
    /// The webhook's identifier.
    webhook_id: String,
}

#[derive(Args)]
struct Rotation {
    /// The webhook's identifier.
    webhook_id: String,
    /// How many seconds the old key still works; it stops at once by default.
    #[arg(long, value_name = "SECONDS")]
    grace: Option<u32>,
}

impl Webhook {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let call = async |verb: &str, asked: Value| {
            client.post(&format!("/monitoring/v1/webhook/{verb}"), asked).await
        };
        match self.verb {
            Verb::Create(new) => {
                let asked = json!({ "name": new.name, "provider": new.provider, "project_id": new.project });
                let made = opened(&call("create", asked).await?);
                screen.show(&made, |made| created(made, &new.provider))
            }
            Verb::List => {
                let answer =
                    call("list", json!({ "query": { "page": { "limit": 1000 } } })).await?;
                screen.show(&answer, listed)
            }
            Verb::Get(one) => screen.show(&call("get", one.asked()).await?, record),
            Verb::Enable(one) => said(&screen, &call("enable", one.asked()).await?, "is enabled"),
            Verb::Disable(one) => {
                said(&screen, &call("disable", one.asked()).await?, "answers 403 from now on")
            }
            Verb::Delete(one) => {
                let answer = call("delete", one.asked()).await?;
                screen.show(&answer, |_| format!("Webhook {} is deleted.", one.webhook_id))
            }
            Verb::RotateKey(rotation) => {
                let mut asked = json!({ "webhook_id": rotation.webhook_id });
                if let Some(grace) = rotation.grace {
                    asked["expire_old_after"] = grace.into();
                }
                screen.show(&opened(&call("rotate-key", asked).await?), rotated)
            }
        }
    }
}

impl One {
    fn asked(&self) -> Value {
        json!({ "webhook_id": self.webhook_id })
    }
}

/// What is told of a webhook whose key is shown: where to post, and what opens it.
fn opened(answer: &Value) -> Value {
    json!({
        "webhook_id": field(answer, "webhook_id"),
        "url": field(answer, "url"),
        "access_key": field(answer, "access_key"),
    })
}

fn created(made: &Value, provider: &str) -> String {
    let (url, key) = (field(made, "url"), field(made, "access_key"));
    let mut text = format!(
        "Webhook {}\n\n  URL         {url}\n  access key  {key}\n\n\
         The URL holds the key, which is shown only now. Senders that can set a header may leave it out of the URL and \
         send it as `X-Access-Key`.",
        field(made, "webhook_id")
    );
    if sample(provider, "firing").is_some() {
        let program = program();
        let _ = write!(
            text,
            "\n\nTo post a sample to it:\n\n  {program} send --webhook {url} --sample {provider}/firing"
        );
    }
    let book = PluginBook::embedded().unwrap_or_default();
    let snippet = book.get(provider).and_then(|plugin| plugin.setup_snippet(&url, &key));
    if let Some(snippet) = snippet {
        text.push_str("\n\nPaste this into the sender's configuration:\n\n");
        text.push_str(snippet.trim_end());
    }
    text
}

fn rotated(made: &Value) -> String {
    format!(
        "Webhook {} has a new key, which is shown only now:\n\n  URL         {}\n  access key  {}",
        field(made, "webhook_id"),
        field(made, "url"),
        field(made, "access_key")
    )
}

fn said(screen: &Screen, answer: &Value, what: &str) -> Result<(), Failure> {
    screen.show(answer, |webhook| format!("Webhook {} {what}.", field(webhook, "name")))
}

fn listed(answer: &Value) -> String {
    let cells = |webhook: &Value| {
        vec![
            field(webhook, "name"),
            field(webhook, "provider"),
            field(webhook, "state"),
            brief(webhook, "project_id"),
            field(webhook, "requests.total"),
            field(webhook, "requests.error"),
            field(webhook, "webhook_id"),
        ]
    };
    let headings = ["NAME", "PROVIDER", "STATE", "PROJECT", "REQUESTS", "ERRORS", "ID"];
    let nothing =
        "No webhooks. Make one with `alertmill webhook create --provider <name> --name <name>`.";
    table(&headings, rows(answer).map(cells).collect(), nothing)
}
