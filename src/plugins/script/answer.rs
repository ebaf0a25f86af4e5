//! What the functions of a script give, and what they must not.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use crate::{
    outbound,
    plugins::handshake::{Handshake, HostPattern},
};

/// How many events one delivery may become by a script.
const EVENTS: usize = 10_000;

/// What `map` makes of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// These events, in a list: objects whose fields have the names that events have here.
    Events(Value),
    /// No event, for this reason.
    Nothing(String),
}

/// What `map` returned.
pub(super) fn made(value: Value) -> Result<Made, Failure> {
    match value {
        Value::Array(events) if events.len() > EVENTS => {
            Err(Failure::new(format!("`map` returned more than {EVENTS} events")))
        }
        Value::Array(_) => Ok(Made::Events(value)),
        Value::Object(mut fields) => match fields.remove("ignore") {
            Some(Value::String(reason)) if fields.is_empty() => Ok(Made::Nothing(reason)),
            _ => Err(wrong_map("an object")),
        },
        other => Err(wrong_map(kind(&other))),
    }
}

fn wrong_map(found: &str) -> Failure {
    let expected = "expected a list of events, or `{ignore: \"why\"}`";
    Failure::new(format!("`map` returned {found}; {expected}"))
}

/// What `verify` returned: why it refuses, if it does.
pub(super) fn verified(value: Value) -> Result<Option<String>, Failure> {
    match value {
        Value::Bool(true) => Ok(None),
        Value::Bool(false) => Ok(Some("the script of its plugin refuses it".to_owned())),
        Value::String(reason) => Ok(Some(reason)),
        other => {
            let expected = "expected true, false, or a text that says why not";
            Err(Failure::new(format!("`verify` returned {}; {expected}", kind(&other))))
        }
    }
}

/// An answer as `handshake` returns it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Answer {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default = "text_plain")]
    content_type: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    confirm: Option<String>,
    #[serde(default = "a_question")]
    reason: String,
}

const fn ok() -> u16 {
    200
}

fn text_plain() -> String {
    "text/plain; charset=utf-8".to_owned()
}

fn a_question() -> String {
    "it asks something before it sends events".to_owned()
}

/// What `handshake` returned; an address to confirm only where `hosts` know its host.
pub(super) fn answered(value: Value, hosts: &[HostPattern]) -> Result<Option<Handshake>, Failure> {
    if value.is_null() {
        return Ok(None);
    }
    let answer: Answer = serde_json::from_value(value)
        .map_err(|fault| Failure::new(format!("`handshake` returned no answer: {fault}")))?;
    let Answer { status, content_type, body, headers, confirm, reason } = answer;
    if !(200..300).contains(&status) {
        return Err(Failure::new(format!(
            "`handshake` returned the status {status}; expected 200 to 299"
        )));
    }
    let is_line = |text: &str| text.chars().all(|letter| matches!(letter, ' '..='~'));
    let named = |name: &str| {
        !name.is_empty()
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    let headers: Vec<(String, String)> = headers.into_iter().collect();
    let are_headers = headers.iter().all(|(name, value)| named(name) && is_line(value));
    if !(are_headers && is_line(&content_type)) {
        return Err(Failure::new("`handshake` returned a header that is none"));
    }
    let (confirm, reason) = match confirm.map(|url| allowed(url, hosts)) {
        None => (None, reason),
        Some(Ok(url)) => (Some(url), reason),
        Some(Err(refused)) => (None, format!("{reason}; its address is not fetched: {refused}")),
    };
    Ok(Some(Handshake { status, content_type, headers, body, reason, confirm }))
}

/// An address, if its host is one of the manifest's, or why it is not fetched.
fn allowed(url: String, hosts: &[HostPattern]) -> Result<String, String> {
    let host = outbound::https_host(&url).map_err(|fault| fault.to_string())?;
    if hosts.iter().any(|pattern| pattern.allows(&host)) {
        return Ok(url);
    }
    Err(format!("`{host}` is none of the manifest's `confirm_hosts`"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
