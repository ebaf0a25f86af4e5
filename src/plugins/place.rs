//! Where a delivery carries something: in a header, in its query string, in its decoded body.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::body_path::BodyPath;
use crate::domain::delivery::Delivery;

/// Where a delivery carries something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// In this header.
    Header(HeaderName),
    /// In this parameter of the query string.
    Query(String),
    /// At this place of the decoded body.
    Body(BodyPath),
}

/// The name of a header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(super) struct HeaderName(String);

/// Why a text is no header's name.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no header's name; expected letters, digits and `-`")]
pub(super) struct BadHeaderName(String);

/// Why a table names no place.
#[derive(Debug, thiserror::Error)]
#[error("expected one of `header`, `query` and `body`")]
pub(super) struct NoPlace;

/// What a delivery says: the delivery itself, and its decoded body, which is decoded only where somebody asks for it.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    /// The delivery.
    pub(super) delivery: &'a Delivery,
    /// Its decoded body; `None` where it cannot be decoded.
    pub(super) payload: &'a dyn Fn() -> Option<&'a Value>,
}

impl TryFrom<String> for HeaderName {
    type Error = BadHeaderName;

    fn try_from(name: String) -> Result<Self, BadHeaderName> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(fits) {
            return Err(BadHeaderName(name));
        }
        Ok(Self(name.to_ascii_lowercase()))
    }
}

impl HeaderName {
    /// Its value in `delivery`.
    pub(super) fn of<'d>(&self, delivery: &'d Delivery) -> Option<&'d str> {
        delivery.header(&self.0)
    }

    /// The name in lower case.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Place {
    /// The place that a table with these three keys names.
    pub(super) fn of(
        header: Option<HeaderName>,
        query: Option<String>,
        body: Option<BodyPath>,
    ) -> Result<Self, NoPlace> {
        match (header, query, body) {
            (Some(name), None, None) => Ok(Self::Header(name)),
            (None, Some(name), None) => Ok(Self::Query(name)),
            (None, None, Some(path)) => Ok(Self::Body(path)),
            _ => Err(NoPlace),
        }
    }

    /// The text that is carried there.
    pub(super) fn text(&self, said: Said<'_>) -> Option<String> {
        match self {
            Self::Header(name) => name.of(said.delivery).map(str::to_owned),
            Self::Query(name) => said.delivery.query.get(name).cloned(),
            Self::Body(path) => path.text((said.payload)()?),
        }
    }

    /// Whether anything is there.
    pub(super) fn is_there(&self, said: Said<'_>) -> bool {
        match self {
            Self::Header(_) | Self::Query(_) => self.text(said).is_some(),
            Self::Body(path) => (said.payload)().and_then(|payload| path.find(payload)).is_some(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header `{}`", name.as_str()),
            Self::Query(name) => write!(f, "parameter `{name}`"),
            Self::Body(path) => write!(f, "field `{}`", path.as_str()),
        }
    }
}
