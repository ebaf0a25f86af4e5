//! The kinds of channels, and what has to be known of each.

use serde_json::{Map, Value};

use crate::domain::words::words;
use crate::error::Result;

words! {
    /// What a channel speaks.
    ChannelType {
        /// HTTP to an address of choice.
        Webhook = "WEBHOOK",
    }
}

/// What a channel speaks, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// HTTP to an address of choice.
    Webhook(Map<String, Value>),
}

impl ChannelKind {
    /// Parses.
    pub fn parse(
        _kind: ChannelType,
        given: &Map<String, Value>,
        _before: Option<&Self>,
    ) -> Result<Self> {
        Ok(Self::Webhook(given.clone()))
    }

    /// Restores.
    pub fn restore(_kind: ChannelType, stored: &Value) -> Result<Self> {
        Ok(Self::Webhook(stored["settings"].as_object().cloned().unwrap_or_default()))
    }

    /// What it speaks.
    pub fn kind(&self) -> ChannelType {
        ChannelType::Webhook
    }

    /// All of it.
    pub fn stored(&self) -> Value {
        let Self::Webhook(map) = self;
        serde_json::json!({ "settings": map })
    }

    /// What may be seen.
    pub fn masked(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Whom it reaches.
    pub fn target(&self) -> String {
        String::new()
    }

    /// Whether its messages are signed.
    pub fn is_signed(&self) -> bool {
        true
    }
}
