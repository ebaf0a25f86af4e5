//! How long a project keeps what, as callers say it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    domain::retention::{Age, Retention},
    error::{Code, Error, Result},
};

/// How long a project keeps what: ages such as `90d`; null for ever.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RetentionInfo {
    /// Events, from their arrival; those of open alerts stay.
    events: Option<String>,
    /// Raw bodies of deliveries, from their arrival.
    payloads: Option<String>,
    /// Resolved and deleted alerts, from when they were.
    resolved_alerts: Option<String>,
}

impl From<Retention> for RetentionInfo {
    fn from(retention: Retention) -> Self {
        let Retention { events, payloads, resolved_alerts } = retention;
        let text = |age: Option<Age>| age.map(|age| age.to_string());
        Self {
            events: text(events),
            payloads: text(payloads),
            resolved_alerts: text(resolved_alerts),
        }
    }
}

/// How long a project keeps what: ages such as `36h`, `90d` or `2w`, null for ever. What is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetentionRequest {
    /// Events, from their arrival; those of open alerts stay.
    #[serde(deserialize_with = "said")]
    events: Option<Said>,
    /// Raw bodies of deliveries, from their arrival. Nothing of these can be driven again then.
    #[serde(deserialize_with = "said")]
    payloads: Option<Said>,
    /// Resolved and deleted alerts, from when they were.
    #[serde(deserialize_with = "said")]
    resolved_alerts: Option<Said>,
}

/// What was said of an age: one, or that there is none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Said(Option<String>);

/// A member that is there, be it null.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Said>, D::Error> {
    Said::deserialize(deserializer).map(Some)
}

impl RetentionRequest {
    /// What is kept how long once this is said over `retention`.
    pub(super) fn over(self, retention: Retention) -> Result<Retention> {
        let age = |name: &str, said: Option<Said>, before: Option<Age>| match said {
            None => Ok(before),
            Some(Said(None)) => Ok(None),
            Some(Said(Some(text))) => text.parse().map(Some).map_err(|wrong| {
                let pointer = format!("/retention/{name}");
                Error::at(Code::InvalidParameter, pointer, format!("{wrong}"))
            }),
        };
        Ok(Retention {
            events: age("events", self.events, retention.events)?,
            payloads: age("payloads", self.payloads, retention.payloads)?,
            resolved_alerts: age(
                "resolved_alerts",
                self.resolved_alerts,
                retention.resolved_alerts,
            )?,
        })
    }
}
