//! What has to be known of each kind of channel.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use super::{
    headers,
    settings::{Settings, Written, wrong},
};
use crate::{
    clock::{Timestamp, rfc3339, to_millis},
    digest::Secret,
    domain::words::words,
    error::{Error, Result},
    outbound::{MailSecurity, MailServer},
};

/// How many secrets may sign at once: the one in use, and the one that it replaces.
const LIVE_KEYS: usize = 2;

words! {
    /// What the body of a webhook's request is.
    BodyFormat {
        /// A CloudEvent, with the notice as its data.
        CloudEvents = "CLOUDEVENTS",
        /// The notice as JSON, without an envelope.
        Json = "JSON",
        /// What the channel's own template of the body makes of it.
        Template = "TEMPLATE",
    }
}

/// HTTP to an address of choice.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookTarget {
    /// Where to; it may hold a secret.
    pub url: Secret,
    /// What is sent beside what a request always has.
    pub headers: BTreeMap<String, Secret>,
    /// What the body is.
    pub body: BodyFormat,
    /// What a templated body says it is.
    pub content_type: String,
    /// What it signs with, newest last.
    pub keys: Vec<SigningKey>,
}

/// A secret that requests are signed with. It has to be readable to sign, so it is kept as it is and never shown again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The secret.
    pub secret: Secret,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops signing, if that is known.
    pub expires_at: Option<Timestamp>,
}

impl WebhookTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        let url = from.secret_url("url")?;
        let headers = from.secrets("headers")?;
        headers::check(&headers, &from.pointer("headers"))?;
        let body = from.word("body")?.unwrap_or(BodyFormat::CloudEvents);
        let content_type = from.text("content_type")?;
        if let Some(given) = content_type.as_deref().filter(|it| !headers::is_media_type(it)) {
            let detail = format!("`{given}` is no media type such as `application/json`");
            return Err(wrong(from.pointer("content_type"), detail));
        }
        let content_type = content_type.unwrap_or_else(|| "application/json".to_owned());
        Ok(Self { url, headers, body, content_type, keys: Vec::new() })
    }

    pub(super) fn write(&self, into: &mut Written) {
        let Self { url, headers, body, content_type, keys: _ } = self;
        into.secret_url("url", url);
        into.secrets("headers", headers);
        into.open("body", body.as_str());
        if *body == BodyFormat::Template {
            into.open("content_type", content_type.as_str());
        }
    }

    /// The secrets that sign at `now`, newest first.
    pub fn live_keys(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().rev().filter(move |key| key.expires_at.is_none_or(|end| now < end))
    }

    pub(super) fn rotated(self, secret: Secret, grace: TimeDelta, now: Timestamp) -> Self {
        let end = now + grace;
        let mut keys: Vec<SigningKey> = self
            .live_keys(now)
            .take(LIVE_KEYS - 1)
            .map(|key| {
                let expires_at = Some(key.expires_at.map_or(end, |at| at.min(end)));
                SigningKey { expires_at, ..key.clone() }
            })
            .filter(|key| key.expires_at.is_none_or(|end| now < end))
            .collect();
        keys.push(SigningKey { secret, created_at: now, expires_at: None });
        Self { keys, ..self }
    }

    pub(super) fn stored_keys(&self) -> Value {
        let one = |key: &SigningKey| {
            json!({
                "secret": key.secret.reveal(),
                "created_at": rfc3339(key.created_at),
                "expires_at": key.expires_at.map(rfc3339),
            })
        };
        self.keys.iter().map(one).collect()
    }

    pub(super) fn with_stored_keys(self, stored: &Value) -> Result<Self> {
        let time = |value: &Value| {
            let read = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
            read.map(|time| to_millis(time.to_utc()))
        };
        let one = |value: &Value| {
            let secret = Secret::from(value["secret"].as_str()?);
            let expires_at = time(&value["expires_at"]);
            Some(SigningKey { secret, created_at: time(&value["created_at"])?, expires_at })
        };
        let all = stored.as_array().into_iter().flatten();
        let keys: Option<Vec<SigningKey>> = all.map(one).collect();
        let broken = || Error::internal("the keys of a channel cannot be read back");
        Ok(Self { keys: keys.ok_or_else(broken)?, ..self })
    }
}

/// Slack.
#[derive(Clone, Debug, PartialEq)]
pub enum SlackTarget {
    /// An incoming webhook: one channel, and no threads, since it does not tell what it wrote.
    Hook {
        /// Where to; whoever knows it may write.
        url: Secret,
    },
    /// A bot, which answers to its first message of an alert.
    Bot {
        /// What the bot shows to be let in.
        token: Secret,
        /// Where it writes: a channel's identifier or name.
        channel: String,
        /// Where Slack's methods are.
        api_url: String,
    },
}

impl SlackTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        let url = from.url("url")?;
        let (token, channel) = (from.secret("token")?, from.text("channel")?);
        let api_url = from.base_url("api_url", "https://slack.com/api")?;
        match (url, token, channel) {
            (Some(url), None, None) => Ok(Self::Hook { url: Secret::from(url) }),
            (None, Some(token), Some(channel)) => Ok(Self::Bot { token, channel, api_url }),
            (None, Some(_), None) => Err(from.missing("channel")),
            (None, None, Some(_)) => Err(from.missing("token")),
            (Some(_), _, _) => {
                let detail = "give either `url`, of an incoming webhook, or `token` and `channel`";
                Err(wrong(from.pointer("url"), detail))
            }
            (None, None, None) => Err(from.missing("url")),
        }
    }

    pub(super) fn write(&self, into: &mut Written) {
        match self {
            Self::Hook { url } => into.secret_url("url", url),
            Self::Bot { token, channel, api_url } => {
                into.secret("token", token);
                into.open("channel", channel.as_str());
                into.open("api_url", api_url.as_str());
            }
        }
    }
}

/// Microsoft Teams.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamsTarget {
    /// The address of a workflow; whoever knows it may write.
    pub url: Secret,
}

impl TeamsTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        Ok(Self { url: from.secret_url("url")? })
    }

    pub(super) fn write(&self, into: &mut Written) {
        into.secret_url("url", &self.url);
    }
}

/// Mail.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailTarget {
    /// To whom.
    pub to: Vec<String>,
    /// In whose name; of account only with a server of its own, which needs it.
    pub from: Option<String>,
    /// The mail server that takes it; the one that the server was started with where absent.
    pub server: Option<MailServer>,
}

impl EmailTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        let mut to = Vec::new();
        for (place, address) in from.texts("to")? {
            check_mailbox(&place, &address)?;
            to.push(address);
        }
        if to.is_empty() {
            return Err(from.missing("to"));
        }
        let sender = from.text("from")?;
        if let Some(address) = &sender {
            check_mailbox(&from.pointer("from"), address)?;
        }
        let server = match from.object("server")? {
            Some(given) => Some(read_server(given)?),
            None => None,
        };
        if server.is_some() && sender.is_none() {
            let detail = "a mail server of one's own needs an address to send from";
            return Err(wrong(from.pointer("from"), detail));
        }
        Ok(Self { to, from: sender, server })
    }

    /// Refuses what may stand in the store since before it was refused: an address to send from is one's own only with a
    /// mail server of one's own.
    pub(super) fn check(&self) -> Result<()> {
        if self.from.is_some() && self.server.is_none() {
            let detail = "only with a `server` of one's own; the operator's sends from the operator's address";
            return Err(wrong("/settings/from", detail));
        }
        Ok(())
    }

    pub(super) fn write(&self, into: &mut Written) {
        into.open("to", self.to.clone());
        into.maybe("from", self.from.as_deref());
        let Some(MailServer { host, port, security, username, password }) = &self.server else {
            return;
        };
        let mut server = Written::new(into.show());
        server.open("host", host.as_str());
        server.open("port", *port);
        server.open("security", security.as_str());
        server.maybe("username", username.as_deref());
        if let Some(password) = password {
            server.secret("password", password);
        }
        into.open("server", server.done());
    }
}

fn read_server(mut from: Settings<'_>) -> Result<MailServer> {
    let host = from.needed("host")?;
    if host.contains(['/', '@', ' ']) {
        return Err(wrong(from.pointer("host"), "a name or an address, and nothing else"));
    }
    let security = match from.text("security")?.map(|word| word.to_ascii_uppercase().parse()) {
        None => MailSecurity::StartTls,
        Some(Ok(security)) => security,
        Some(Err(expected)) => return Err(wrong(from.pointer("security"), expected)),
    };
    let port = from.number("port", (1, 65_535))?;
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(security.usual_port());
    let (username, password) = (from.text("username")?, from.secret("password")?);
    if username.is_some() != password.is_some() {
        let missing = if username.is_some() { "password" } else { "username" };
        return Err(from.missing(missing));
    }
    if password.is_some() && security == MailSecurity::Plain {
        let detail = "a password is not sent unencrypted: use TLS or STARTTLS";
        return Err(wrong(from.pointer("security"), detail));
    }
    from.done()?;
    Ok(MailServer { host, port, security, username, password })
}

/// Refuses what is no address of mail. What stands before the `@` is the receiver's to judge.
fn check_mailbox(place: &str, address: &str) -> Result<()> {
    let fits = address.rsplit_once('@').is_some_and(|(local, host)| {
        let is_dotted = !host.is_empty() && !host.starts_with('.') && !host.ends_with('.');
        (1..=64).contains(&local.len()) && is_dotted
    });
    let is_odd = |letter: char| letter.is_whitespace() || "<>,;:\"()[]\\".contains(letter);
    if fits && address.len() <= 254 && !address.contains(is_odd) {
        return Ok(());
    }
    Err(wrong(place, format!("`{address}` is no address of mail such as `ops@example.org`")))
}

/// PagerDuty.
#[derive(Clone, Debug, PartialEq)]
pub struct PagerDutyTarget {
    /// The integration key of a service.
    pub routing_key: Secret,
    /// Where its events API is.
    pub api_url: String,
}

impl PagerDutyTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        let routing_key = from.needed_secret("routing_key")?;
        let api_url = from.base_url("api_url", "https://events.pagerduty.com")?;
        Ok(Self { routing_key, api_url })
    }

    pub(super) fn write(&self, into: &mut Written) {
        into.secret("routing_key", &self.routing_key);
        into.open("api_url", self.api_url.as_str());
    }
}

/// Opsgenie.
#[derive(Clone, Debug, PartialEq)]
pub struct OpsgenieTarget {
    /// The key of an API integration.
    pub api_key: Secret,
    /// Where its API is.
    pub api_url: String,
    /// The teams that should act; as the integration says where there are none.
    pub teams: Vec<String>,
}

impl OpsgenieTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        let api_key = from.needed_secret("api_key")?;
        let api_url = from.base_url("api_url", "https://api.opsgenie.com")?;
        let teams = from.texts("teams")?.into_iter().map(|(_, team)| team).collect();
        Ok(Self { api_key, api_url, teams })
    }

    pub(super) fn write(&self, into: &mut Written) {
        into.secret("api_key", &self.api_key);
        into.open("api_url", self.api_url.as_str());
        into.maybe("teams", (!self.teams.is_empty()).then(|| self.teams.clone()));
    }
}

/// Telegram.
#[derive(Clone, Debug, PartialEq)]
pub struct TelegramTarget {
    /// What the bot shows to be let in.
    pub token: Secret,
    /// Where it writes: the number of a chat, or the name of a channel.
    pub chat_id: String,
    /// Which topic of the chat, where it has topics.
    pub topic_id: Option<i64>,
    /// Where the bots' API is.
    pub api_url: String,
}

impl TelegramTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        let token = from.needed_secret("token")?;
        // It becomes a part of a path.
        if !token.reveal().chars().all(|it| it.is_ascii_alphanumeric() || ":_-".contains(it)) {
            return Err(wrong(from.pointer("token"), "a bot's token looks like `123456:ABC-def`"));
        }
        let chat_id = from.text_or_number("chat_id")?.ok_or_else(|| from.missing("chat_id"))?;
        let topic_id = from.number("topic_id", (1, i64::MAX))?;
        let api_url = from.base_url("api_url", "https://api.telegram.org")?;
        Ok(Self { token, chat_id, topic_id, api_url })
    }

    pub(super) fn write(&self, into: &mut Written) {
        into.secret("token", &self.token);
        into.open("chat_id", self.chat_id.as_str());
        into.maybe("topic_id", self.topic_id);
        into.open("api_url", self.api_url.as_str());
    }
}

/// Discord.
#[derive(Clone, Debug, PartialEq)]
pub struct DiscordTarget {
    /// The webhook of a channel; whoever knows it may write.
    pub url: Secret,
}

impl DiscordTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        Ok(Self { url: from.secret_url("url")? })
    }

    pub(super) fn write(&self, into: &mut Written) {
        into.secret_url("url", &self.url);
    }
}

/// ntfy.
#[derive(Clone, Debug, PartialEq)]
pub struct NtfyTarget {
    /// The server.
    pub url: String,
    /// The topic; whoever knows it may read and write where the server lets everyone in.
    pub topic: Secret,
    /// What is shown to be let in.
    pub token: Option<Secret>,
}

impl NtfyTarget {
    pub(super) fn read(from: &mut Settings<'_>) -> Result<Self> {
        let url = from.base_url("url", "https://ntfy.sh")?;
        let topic = from.needed_secret("topic")?;
        let is_letter = |it: char| it.is_ascii_alphanumeric() || "_-".contains(it);
        if topic.reveal().len() > 64 || !topic.reveal().chars().all(is_letter) {
            let detail = "a topic has at most 64 letters, digits, `_` and `-`";
            return Err(wrong(from.pointer("topic"), detail));
        }
        Ok(Self { url, topic, token: from.secret("token")? })
    }

    pub(super) fn write(&self, into: &mut Written) {
        into.open("url", self.url.as_str());
        into.secret("topic", &self.topic);
        if let Some(token) = &self.token {
            into.secret("token", token);
        }
    }
}
