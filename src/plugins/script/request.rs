//! What a script is given: the delivery as JSON.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{
    clock::{Timestamp, rfc3339},
    domain::{delivery::Delivery, webhook::SigningSecret},
    plugins::Method,
};

/// A delivery that a script reads.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// The delivery.
    pub delivery: &'a Delivery,
    /// Its decoded body; `None` where it cannot be decoded.
    pub payload: Option<&'a Value>,
}

/// The argument `req` of every function.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::plugins) struct Asked<'a> {
    method: Method,
    headers: &'a BTreeMap<String, String>,
    query: &'a BTreeMap<String, String>,
    body: Option<&'a Value>,
    #[serde(flatten)]
    raw: Raw<'a>,
    config: Config,
    #[serde(serialize_with = "time")]
    now: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Vec<&'a str>>,
}

/// The body as it came.
#[derive(Debug, Serialize)]
struct Raw<'a> {
    raw: std::borrow::Cow<'a, str>,
    #[serde(rename = "rawEncoding")]
    encoding: &'static str,
}

/// What is set for the script; nothing yet.
#[derive(Debug, Serialize)]
struct Config {}

impl<'a> Asked<'a> {
    /// What a script is told of a delivery.
    pub(in crate::plugins) fn of(posted: Posted<'a>) -> Self {
        let Posted { delivery, payload } = posted;
        Self {
            method: Method::Post,
            headers: &delivery.headers,
            query: &delivery.query,
            body: payload,
            raw: Raw::of(&delivery.body),
            config: Config {},
            now: delivery.received_at,
            secrets: None,
        }
    }

    /// The same of what came by another method.
    pub(in crate::plugins) fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The same with the webhook's signing secrets.
    pub(in crate::plugins) fn with_secrets(self, secrets: &'a [SigningSecret]) -> Self {
        let secrets = secrets.iter().map(|SigningSecret(secret)| secret.as_str()).collect();
        Self { secrets: Some(secrets), ..self }
    }
}

impl<'a> Raw<'a> {
    fn of(body: &'a [u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => Self { raw: text.into(), encoding: "text" },
            Err(_) => Self { raw: STANDARD.encode(body).into(), encoding: "base64" },
        }
    }
}

fn time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}
