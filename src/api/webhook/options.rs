//! What is set for one webhook alone, as a request says it.

use std::{collections::BTreeMap, ops::RangeInclusive};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    domain::{
        webhook::{Overrides, SigningSecret, WebhookOptions},
        words::Severity,
    },
    error::{Code, Error, Result},
    value::text::folded,
};

/// The most secrets a sender may sign with.
const MOST_SECRETS: usize = 8;

/// The most words of a severity map, and the most letters of one.
const MOST_WORDS: usize = 100;
const LONGEST_WORD: usize = 100;

/// The most fields that events carry for their webhook, and the most bytes of them.
const MOST_FIELDS: usize = 32;
const MOST_BYTES: usize = 4096;

/// What is set for one webhook alone; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OptionsRequest {
    /// The secrets its sender may sign with, all of them; an empty list where it signs nothing.
    signing_secrets: Option<Vec<String>>,
    /// The zone of times that name none, as in the IANA database, e.g. `Asia/Seoul`; empty for UTC.
    time_zone: Option<String>,
    /// How many deliveries a second it takes at most; zero for no limit.
    rate_limit: Option<u32>,
    /// Whether a confirmation address that a handshake carries may be fetched.
    confirm_subscriptions: Option<bool>,
    /// After how many seconds without an event its alerts expire, for a sender that sends no recoveries: 60 to 31622400
    /// (a year); zero for what the project says, which is so where never said.
    stale_after: Option<u32>,
    /// What a word for how bad it is means here: words of the sender, asked for before the mapping's own, or our
    /// severities, which then stand for others, e.g. `{"P1": "CRITICAL", "INFO": "NONE"}`. Letter case does not matter.
    /// All of them; empty for none.
    severity_map: Option<BTreeMap<String, String>>,
    /// Fields that each of its events carries beside those that the mapping gives it, whose place they take. All of
    /// them; empty for none.
    additional_info: Option<Map<String, Value>>,
}

impl OptionsRequest {
    /// What is set once this is set over `options`.
    pub(super) fn over(self, options: WebhookOptions) -> Result<WebhookOptions> {
        let Self {
            signing_secrets,
            time_zone,
            rate_limit,
            confirm_subscriptions,
            stale_after,
            severity_map,
            additional_info,
        } = self;
        Ok(WebhookOptions {
            signing_secrets: match signing_secrets {
                Some(secrets) => checked(secrets)?,
                None => options.signing_secrets,
            },
            time_zone: match time_zone {
                Some(name) => zone(&name)?,
                None => options.time_zone,
            },
            rate_limit: match rate_limit {
                Some(0) => None,
                limit => limit.or(options.rate_limit),
            },
            confirm_subscriptions: confirm_subscriptions.unwrap_or(options.confirm_subscriptions),
            stale_after: match stale_after {
                None => options.stale_after,
                Some(0) => None,
                Some(seconds) => Some(stale(seconds)?),
            },
            overrides: Overrides {
                severity_map: match severity_map {
                    Some(words) => severities(words)?,
                    None => options.overrides.severity_map,
                },
                additional_info: match additional_info {
                    Some(fields) => constants(fields)?,
                    None => options.overrides.additional_info,
                },
            },
        })
    }
}

/// The shortest and the longest time after which alerts expire, in seconds.
const STALE: RangeInclusive<u32> = 60..=366 * 24 * 60 * 60;

fn stale(seconds: u32) -> Result<u32> {
    if STALE.contains(&seconds) {
        return Ok(seconds);
    }
    let detail = format!("`stale_after` is {} to {} seconds", STALE.start(), STALE.end());
    Err(wrong("/options/stale_after", detail))
}

fn checked(secrets: Vec<String>) -> Result<Vec<SigningSecret>> {
    let pointer = "/options/signing_secrets";
    if secrets.len() > MOST_SECRETS {
        let detail = format!("at most {MOST_SECRETS} secrets");
        return Err(Error::at(Code::InvalidParameter, pointer, detail));
    }
    if let Some(at) = secrets.iter().position(String::is_empty) {
        let detail = "a secret is not empty";
        return Err(Error::at(Code::InvalidParameter, format!("{pointer}/{at}"), detail));
    }
    Ok(secrets.into_iter().map(SigningSecret).collect())
}

/// Words for how bad it is, as they are compared, and what they mean.
fn severities(words: BTreeMap<String, String>) -> Result<BTreeMap<String, Severity>> {
    let pointer = "/options/severity_map";
    if words.len() > MOST_WORDS {
        return Err(wrong(pointer, format!("at most {MOST_WORDS} words")));
    }
    let mut known = BTreeMap::new();
    for (word, means) in words {
        let place = format!("{pointer}/{}", escaped(&word));
        let compared = folded(word.trim()).into_owned();
        if compared.is_empty() || word.chars().count() > LONGEST_WORD {
            let detail = format!("a word has 1 to {LONGEST_WORD} letters");
            return Err(wrong(&place, detail));
        }
        let severity: Severity = means.trim().to_ascii_uppercase().parse().map_err(|_| {
            let all: Vec<&str> = Severity::ALL.iter().map(|known| known.as_str()).collect();
            wrong(&place, format!("`{means}` is none of {}", all.join(", ")))
        })?;
        if known.insert(compared, severity).is_some() {
            let detail = format!("`{word}` stands twice: letter case does not matter");
            return Err(wrong(&place, detail));
        }
    }
    Ok(known)
}

/// Fields that each event carries.
fn constants(fields: Map<String, Value>) -> Result<BTreeMap<String, Value>> {
    let pointer = "/options/additional_info";
    if let Some(name) = fields.keys().find(|name| name.is_empty() || name.contains('\0')) {
        let detail = "a field has a name, and no NUL in it";
        return Err(wrong(&format!("{pointer}/{}", escaped(name)), detail));
    }
    let bytes = Value::Object(fields.clone()).to_string().len();
    if fields.len() > MOST_FIELDS || bytes > MOST_BYTES {
        let detail = format!("at most {MOST_FIELDS} fields, and {MOST_BYTES} bytes as JSON");
        return Err(wrong(pointer, detail));
    }
    Ok(fields.into_iter().collect())
}

/// A name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn wrong(pointer: &str, detail: impl Into<String>) -> Error {
    Error::at(Code::InvalidParameter, pointer, detail)
}

fn zone(name: &str) -> Result<Option<String>> {
    let name = name.trim();
    if name.is_empty() {
        return Ok(None);
    }
    if name.parse::<chrono_tz::Tz>().is_err() {
        let detail = format!("there is no time zone `{name}` in the IANA database");
        return Err(Error::at(Code::InvalidParameter, "/options/time_zone", detail));
    }
    Ok(Some(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(over: WebhookOptions, request: Value) -> Result<WebhookOptions> {
        serde_json::from_value::<OptionsRequest>(request).unwrap().over(over)
    }

    #[test]
    fn what_is_left_out_stays_and_what_is_emptied_goes() {
        let first = json!({ "time_zone": "Asia/Seoul", "rate_limit": 5, "signing_secrets": ["s"] });
        let first = set(WebhookOptions::default(), first).unwrap();
        assert_eq!(first.time_zone.as_deref(), Some("Asia/Seoul"));
        assert_eq!(first.rate_limit, Some(5));
        let stale = set(first.clone(), json!({ "stale_after": 60 })).unwrap();
        assert_eq!(stale.stale_after, Some(60));
        assert_eq!(set(stale, json!({ "stale_after": 0 })).unwrap(), first);
        let error = set(first.clone(), json!({ "stale_after": 59 })).unwrap_err();
        assert_eq!(error.mistakes[0].pointer, "/options/stale_after");
        assert_eq!(set(first.clone(), json!({})).unwrap(), first);
        let emptied = json!({ "time_zone": "", "rate_limit": 0, "signing_secrets": [] });
        assert_eq!(set(first, emptied).unwrap(), WebhookOptions::default());
    }

    #[test]
    fn words_and_fields_of_a_webhook_are_checked() {
        let asked = json!({
            "severity_map": { " P1 ": "critical", "1.0": "INFO" },
            "additional_info": { "team": "web", "floor": 3 },
        });
        let set_once = set(WebhookOptions::default(), asked).unwrap();
        let words: Vec<_> = set_once.overrides.severity_map.iter().collect();
        let known = [(&"1".to_owned(), &Severity::Info), (&"p1".to_owned(), &Severity::Critical)];
        assert_eq!(words, known);
        assert_eq!(set_once.overrides.additional_info["floor"], 3);
        let emptied = json!({ "severity_map": {}, "additional_info": {} });
        assert_eq!(set(set_once, emptied).unwrap(), WebhookOptions::default());
        let many: Map<String, Value> =
            (0..40).map(|number| (number.to_string(), json!(1))).collect();
        let mistakes = [
            (json!({ "severity_map": { "P1": "URGENT" } }), "/options/severity_map/P1"),
            (json!({ "severity_map": { "p1": "INFO", "P1": "INFO" } }), "/options/severity_map/p1"),
            (json!({ "severity_map": { " ": "INFO" } }), "/options/severity_map/ "),
            (json!({ "additional_info": { "": 1 } }), "/options/additional_info/"),
            (json!({ "additional_info": many }), "/options/additional_info"),
            (json!({ "additional_info": { "a": "x".repeat(5000) } }), "/options/additional_info"),
        ];
        for (asked, pointer) in mistakes {
            let error = set(WebhookOptions::default(), asked).unwrap_err();
            assert_eq!(error.mistakes[0].pointer, pointer);
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_is_a_mistake() {
        let error =
            set(WebhookOptions::default(), json!({ "time_zone": "Asia/Soul" })).unwrap_err();
        assert_eq!(error.mistakes[0].pointer, "/options/time_zone");
    }
}
