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
use crate::{
    config::{Reach, Span},
    domain::webhook::AUDIT_PLUGIN,
    plugins::setup_snippet,
    rules::samples::sample,
};

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
    /// Change what a webhook says over its mapping; what is not said stays, and what is said replaces all of its kind.
    Update(Change),
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
    /// Leave out the rules that the project gets with its first webhook of the provider.
    #[arg(long)]
    no_default_rules: bool,
    #[command(flatten)]
    own: Own,
}

/// What a webhook says over its mapping.
#[derive(Args)]
struct Own {
    /// What a word for how bad it is means here, e.g. `P1=CRITICAL`; before the mapping's own words. May be repeated.
    #[arg(long = "severity", value_name = "WORD=SEVERITY", value_parser = pair)]
    severities: Vec<(String, String)>,
    /// A field of `additional_info` that each event carries, e.g. `team=web`. May be repeated.
    #[arg(long = "info", value_name = "NAME=TEXT", value_parser = pair)]
    info: Vec<(String, String)>,
    /// The zone of times that name none, e.g. `Asia/Seoul`.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// After what time without an event its alerts expire, e.g. `1d`, for a sender that never says that it is over; `0s`
    /// for what the project says.
    #[arg(long, value_name = "TIME")]
    stale_after: Option<Span>,
}

#[derive(Args)]
struct Change {
    /// The webhook's identifier.
    webhook_id: String,
    #[command(flatten)]
    own: Own,
    /// Forget the words that were set before.
    #[arg(long, conflicts_with = "severities")]
    no_severity: bool,
    /// Forget the fields that were set before.
    #[arg(long, conflicts_with = "info")]
    no_info: bool,
}

/// What is said as `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is written as `NAME=VALUE`")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Own {
    /// The options of a request; what is not said is left as it is.
    fn options(&self) -> Value {
        let mut options = json!({});
        let object = |pairs: &[(String, String)]| {
            let fields = pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
            Value::Object(fields.collect())
        };
        if !self.severities.is_empty() {
            options["severity_map"] = object(&self.severities);
        }
        if !self.info.is_empty() {
            options["additional_info"] = object(&self.info);
        }
        if let Some(zone) = &self.time_zone {
            options["time_zone"] = zone.as_str().into();
        }
        if let Some(Span(time)) = self.stale_after {
            options["stale_after"] = time.as_secs().into();
        }
        options
    }
}

impl Change {
    fn asked(&self) -> Value {
        let mut options = self.own.options();
        if self.no_severity {
            options["severity_map"] = json!({});
        }
        if self.no_info {
            options["additional_info"] = json!({});
        }
        json!({ "webhook_id": self.webhook_id, "options": options })
    }
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
                let mut asked = json!({ "name": new.name, "provider": new.provider, "project_id": new.project, "options": new.own.options() });
                if new.no_default_rules {
                    asked["default_rules"] = false.into();
                }
                let answer = call("create", asked).await?;
                let mut made = opened(&answer);
                if let Some(rules) = answer.get("default_rules") {
                    made["default_rules"] = rules.clone();
                }
                made["setup"] = setup(&client, &made, &new.provider).await.into();
                screen.show(&made, |made| created(made, &new.provider))
            }
            Verb::Update(change) => {
                said(&screen, &call("update", change.asked()).await?, "is changed")
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

/// What to paste into the sender's configuration. The server, whose plugins count, says it without the key, which need
/// not travel again; there is none where it does not say.
async fn setup(client: &Client, made: &Value, provider: &str) -> Option<String> {
    let plugin = client.get(&format!("/api/v1/plugins/{provider}"), &[]).await.ok()?;
    let setup = plugin.get("setup").and_then(Value::as_str)?;
    Some(setup_snippet(setup, &field(made, "url"), &field(made, "access_key")))
}

fn created(made: &Value, provider: &str) -> String {
    let is_fed = provider == AUDIT_PLUGIN;
    let mut text = if is_fed { fed(made) } else { posted_to(made, provider) };
    let rules = made.get("default_rules").and_then(Value::as_array);
    for (at, rule) in rules.into_iter().flatten().enumerate() {
        if at == 0 {
            text.push_str("\n\nThe project has these rules now, to change or delete:\n");
        }
        let kind = field(rule, "kind").replace('_', "-");
        let _ = write!(text, "\n  {kind} {}  {}", field(rule, "id"), field(rule, "name"));
    }
    let setup = made.get("setup").and_then(Value::as_str).filter(|_| !is_fed);
    if let Some(snippet) = setup {
        text.push_str("\n\nPaste this into the sender's configuration:\n\n");
        text.push_str(snippet.trim_end());
    }
    text
}

/// What is said of a webhook that the server feeds by itself.
fn fed(made: &Value) -> String {
    format!(
        "Webhook {}\n\nNobody needs to post to it: the server feeds it with what is recorded in the audit trail of its domain \
         from now on.",
        field(made, "webhook_id")
    )
}

/// What is said of a webhook that somebody posts to.
fn posted_to(made: &Value, provider: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_posts_nothing_is_there_to_paste() {
        let made = json!({
            "webhook_id": "webhook-1", "url": "http://x/webhook-1/secret", "access_key": "secret", "setup": "curl it",
            "default_rules": [{ "kind": "group_rule", "id": "gr-1", "name": "Five failed logins" }],
        });
        let text = created(&made, AUDIT_PLUGIN);
        assert!(!text.contains("secret") && !text.contains("Paste"), "{text}");
        assert!(text.contains("group-rule gr-1"), "{text}");
        let text = created(&made, "alertmanager");
        assert!(text.contains("http://x/webhook-1/secret") && text.contains("curl it"), "{text}");
    }
}
