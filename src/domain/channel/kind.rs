//! The kinds of channels, and what has to be known of each to reach somebody through it.
//!
//! Settings come as JSON. They are parsed here, with mistakes told by JSON pointer; they are written whole for the store,
//! and with secrets hidden for people. Leaving out a secret, or giving it back as it was shown, keeps it as long as the
//! channel goes to the same host; a secret goes only where it was given for.

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::{
    settings::{Settings, Show, Written, escaped},
    targets::{
        DiscordTarget, EmailTarget, NtfyTarget, OpsgenieTarget, PagerDutyTarget, SlackTarget,
        TeamsTarget, TelegramTarget, WebhookTarget,
    },
};
use crate::{
    clock::Timestamp,
    digest::Secret,
    domain::words::words,
    error::{Code, Error, Result},
    outbound::{self, MailServer},
};

/// Where the settings of a channel stand in a request.
const PLACE: &str = "/settings";

words! {
    /// What a channel speaks.
    ChannelType {
        /// HTTP to an address of choice: a signed request with a CloudEvent, plain JSON, or a body of choice.
        Webhook = "WEBHOOK",
        /// Slack: an incoming webhook, or a bot that answers in threads.
        Slack = "SLACK",
        /// Microsoft Teams: a workflow that takes webhook requests.
        Teams = "TEAMS",
        /// Mail.
        Email = "EMAIL",
        /// PagerDuty: events of version 2.
        PagerDuty = "PAGERDUTY",
        /// Opsgenie: alerts.
        Opsgenie = "OPSGENIE",
        /// Telegram: a bot that writes into a chat.
        Telegram = "TELEGRAM",
        /// Discord: a webhook of a channel.
        Discord = "DISCORD",
        /// ntfy: a topic.
        Ntfy = "NTFY",
    }
}

/// What a channel speaks, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// HTTP to an address of choice.
    Webhook(WebhookTarget),
    /// Slack.
    Slack(SlackTarget),
    /// Microsoft Teams.
    Teams(TeamsTarget),
    /// Mail.
    Email(EmailTarget),
    /// PagerDuty.
    PagerDuty(PagerDutyTarget),
    /// Opsgenie.
    Opsgenie(OpsgenieTarget),
    /// Telegram.
    Telegram(TelegramTarget),
    /// Discord.
    Discord(DiscordTarget),
    /// ntfy.
    Ntfy(NtfyTarget),
}

impl ChannelKind {
    /// What a request says, over what was `before` where the kind stays the same: what it leaves out stays, what it
    /// gives as null goes. Where it goes to another host, its secrets are given anew or go.
    ///
    /// # Errors
    /// At the first place below `/settings` that is wrong, or whose secret was given for another host.
    pub fn parse(
        kind: ChannelType,
        given: &Map<String, Value>,
        before: Option<&Self>,
    ) -> Result<Self> {
        let before = before.filter(|before| before.kind() == kind);
        let merged = before.map_or_else(Map::new, |it| it.written(Show::Secrets));
        let shown = before.map_or_else(Map::new, Self::masked);
        let merged = over(merged, given, &shown);
        let read = Self::read(kind, &merged)?;
        if let Self::Email(target) = &read {
            target.check()?;
        }
        if let Some(before) = before.filter(|before| before.destination() != read.destination()) {
            let all = before.written(Show::Secrets);
            only_given_anew((&all, &shown), given, PLACE)?;
        }
        Ok(read.with_keys_of(before))
    }

    /// What [`stored`](Self::stored) wrote.
    ///
    /// # Errors
    /// Where that is not what stands there.
    pub fn restore(kind: ChannelType, stored: &Value) -> Result<Self> {
        let broken = || Error::internal("the settings of a channel cannot be read back");
        let settings = stored["settings"].as_object().ok_or_else(broken)?;
        match Self::read(kind, settings)? {
            Self::Webhook(target) => Ok(Self::Webhook(target.with_stored_keys(&stored["keys"])?)),
            other => Ok(other),
        }
    }

    fn read(kind: ChannelType, given: &Map<String, Value>) -> Result<Self> {
        let mut settings = Settings::new(given, PLACE);
        let from = &mut settings;
        let read = match kind {
            ChannelType::Webhook => Self::Webhook(WebhookTarget::read(from)?),
            ChannelType::Slack => Self::Slack(SlackTarget::read(from)?),
            ChannelType::Teams => Self::Teams(TeamsTarget::read(from)?),
            ChannelType::Email => Self::Email(EmailTarget::read(from)?),
            ChannelType::PagerDuty => Self::PagerDuty(PagerDutyTarget::read(from)?),
            ChannelType::Opsgenie => Self::Opsgenie(OpsgenieTarget::read(from)?),
            ChannelType::Telegram => Self::Telegram(TelegramTarget::read(from)?),
            ChannelType::Discord => Self::Discord(DiscordTarget::read(from)?),
            ChannelType::Ntfy => Self::Ntfy(NtfyTarget::read(from)?),
        };
        settings.done()?;
        Ok(read)
    }

    fn with_keys_of(self, before: Option<&Self>) -> Self {
        match (self, before) {
            (Self::Webhook(target), Some(Self::Webhook(before))) => {
                Self::Webhook(WebhookTarget { keys: before.keys.clone(), ..target })
            }
            (kind, _) => kind,
        }
    }

    /// What it speaks.
    pub fn kind(&self) -> ChannelType {
        match self {
            Self::Webhook(_) => ChannelType::Webhook,
            Self::Slack(_) => ChannelType::Slack,
            Self::Teams(_) => ChannelType::Teams,
            Self::Email(_) => ChannelType::Email,
            Self::PagerDuty(_) => ChannelType::PagerDuty,
            Self::Opsgenie(_) => ChannelType::Opsgenie,
            Self::Telegram(_) => ChannelType::Telegram,
            Self::Discord(_) => ChannelType::Discord,
            Self::Ntfy(_) => ChannelType::Ntfy,
        }
    }

    /// All of it, secrets too, as the store keeps it.
    pub fn stored(&self) -> Value {
        let mut stored = serde_json::json!({ "settings": self.written(Show::Secrets) });
        if let Self::Webhook(target) = self {
            stored["keys"] = target.stored_keys();
        }
        stored
    }

    /// Its settings as people may see them: secrets are hidden, of addresses only the beginning is shown.
    pub fn masked(&self) -> Map<String, Value> {
        self.written(Show::Nothing)
    }

    fn written(&self, show: Show) -> Map<String, Value> {
        let mut into = Written::new(show);
        match self {
            Self::Webhook(target) => target.write(&mut into),
            Self::Slack(target) => target.write(&mut into),
            Self::Teams(target) => target.write(&mut into),
            Self::Email(target) => target.write(&mut into),
            Self::PagerDuty(target) => target.write(&mut into),
            Self::Opsgenie(target) => target.write(&mut into),
            Self::Telegram(target) => target.write(&mut into),
            Self::Discord(target) => target.write(&mut into),
            Self::Ntfy(target) => target.write(&mut into),
        }
        into.done()
    }

    /// Whom it reaches, in a few words that hold no secret: a host, or the first of its addresses.
    pub fn target(&self) -> String {
        let host = |url: &str| outbound::host_of(url).unwrap_or_default();
        match self {
            Self::Webhook(target) => host(target.url.reveal()),
            Self::Slack(target) => match target {
                SlackTarget::Hook { url } => host(url.reveal()),
                SlackTarget::Bot { channel, .. } => channel.clone(),
            },
            Self::Teams(target) => host(target.url.reveal()),
            Self::Email(target) => match target.to.as_slice() {
                [] => String::new(),
                [one] => one.clone(),
                [first, more @ ..] => format!("{first} and {} more", more.len()),
            },
            Self::PagerDuty(target) => host(&target.api_url),
            Self::Opsgenie(target) => host(&target.api_url),
            Self::Telegram(target) => target.chat_id.clone(),
            Self::Discord(target) => host(target.url.reveal()),
            Self::Ntfy(target) => host(&target.url),
        }
    }

    /// Who gets its secrets: scheme, host and port of what is called, or the mail server and how it is spoken to.
    fn destination(&self) -> Option<String> {
        let url = match self {
            Self::Webhook(target) => target.url.reveal(),
            Self::Slack(SlackTarget::Hook { url }) => url.reveal(),
            Self::Slack(SlackTarget::Bot { api_url, .. }) => api_url,
            Self::Teams(target) => target.url.reveal(),
            Self::Email(target) => {
                return target.server.as_ref().map(|server| {
                    let MailServer { host, port, security, .. } = server;
                    format!("{} {}:{port}", security.as_str(), host.to_ascii_lowercase())
                });
            }
            Self::PagerDuty(target) => &target.api_url,
            Self::Opsgenie(target) => &target.api_url,
            Self::Telegram(target) => &target.api_url,
            Self::Discord(target) => target.url.reveal(),
            Self::Ntfy(target) => &target.url,
        };
        outbound::origin_of(url)
    }

    /// All of its secrets, so that they can be taken out of what is shown.
    pub fn secrets(&self) -> Vec<String> {
        let (all, shown) = (self.written(Show::Secrets), self.masked());
        let mut secrets = Vec::new();
        hidden((&Value::Object(all), &Value::Object(shown)), &mut secrets);
        if let Self::Webhook(target) = self {
            secrets.extend(target.keys.iter().map(|key| key.secret.reveal().to_owned()));
        }
        secrets
    }

    /// Whether its messages are signed, so that it has a secret that can be rotated.
    pub fn is_signed(&self) -> bool {
        matches!(self, Self::Webhook(_))
    }

    /// The same channel that signs with `secret`. What it signed with before goes on beside it for `grace`; any older
    /// secret stops. A channel that signs nothing stays as it is.
    #[must_use]
    pub fn rotated(self, secret: Secret, grace: TimeDelta, now: Timestamp) -> Self {
        match self {
            Self::Webhook(target) => Self::Webhook(target.rotated(secret, grace, now)),
            other => other,
        }
    }
}

/// The texts of a value that are not shown as they are.
fn hidden((value, shown): (&Value, &Value), found: &mut Vec<String>) {
    match value {
        _ if value == shown => {}
        Value::String(text) => found.push(text.clone()),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| hidden((field, &shown[name]), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
    }
}

/// Refuses a change that would keep a secret: each text of `all` that is not `shown` as it is was given anew, or is gone.
fn only_given_anew(
    (all, shown): (&Map<String, Value>, &Map<String, Value>),
    given: &Map<String, Value>,
    place: &str,
) -> Result<()> {
    for (name, value) in all.iter().filter(|(name, value)| shown.get(*name) != Some(value)) {
        let pointer = format!("{place}/{}", escaped(name));
        let mask = shown.get(name);
        let given = given.get(name).or(mask);
        match (value, mask, given) {
            (Value::Object(all), Some(Value::Object(masks)), Some(Value::Object(given))) => {
                // Objects are given whole: what is not in them is gone.
                let gone = all.keys().map(|name| (name.clone(), Value::Null));
                let given = gone.chain(given.clone()).collect();
                only_given_anew((all, masks), &given, &pointer)?;
            }
            _ if given == mask => {
                let detail = "say it anew: the channel goes to another host";
                return Err(Error::at(Code::RequiredParameter, pointer, detail));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `given` over `merged`; what was given as it is `shown` counts as left out.
fn over(
    mut merged: Map<String, Value>,
    given: &Map<String, Value>,
    shown: &Map<String, Value>,
) -> Map<String, Value> {
    for (name, value) in given {
        if shown.get(name) == Some(value) {
            continue;
        }
        match (merged.get_mut(name), value, shown.get(name)) {
            (_, Value::Null, _) => {
                merged.remove(name);
            }
            // Objects are given whole, but what is hidden in them may come back as it was shown.
            (Some(Value::Object(old)), Value::Object(new), Some(Value::Object(masks))) => {
                let kept = |name: &String, value: &Value| {
                    let is_mask = masks.get(name) == Some(value);
                    old.get(name).filter(|_| is_mask).unwrap_or(value).clone()
                };
                let new: Map<String, Value> =
                    new.iter().map(|(name, value)| (name.clone(), kept(name, value))).collect();
                merged.insert(name.clone(), Value::Object(new));
            }
            (_, value, _) => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    merged
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
