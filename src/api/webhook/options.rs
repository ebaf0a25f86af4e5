//! What is set for one webhook alone, as a request says it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    domain::webhook::{SigningSecret, WebhookOptions},
    error::{Code, Error, Result},
};

/// The most secrets a sender may sign with.
const MOST_SECRETS: usize = 8;

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
}

impl OptionsRequest {
    /// What is set once this is set over `options`.
    pub(super) fn over(self, options: WebhookOptions) -> Result<WebhookOptions> {
        let Self { signing_secrets, time_zone, rate_limit, confirm_subscriptions } = self;
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
        })
    }
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
        assert_eq!(set(first.clone(), json!({})).unwrap(), first);
        let emptied = json!({ "time_zone": "", "rate_limit": 0, "signing_secrets": [] });
        assert_eq!(set(first, emptied).unwrap(), WebhookOptions::default());
    }

    #[test]
    fn a_zone_that_does_not_exist_is_a_mistake() {
        let error =
            set(WebhookOptions::default(), json!({ "time_zone": "Asia/Soul" })).unwrap_err();
        assert_eq!(error.mistakes[0].pointer, "/options/time_zone");
    }
}
