//! A payload that stands in a file or a request, read as if it had been posted to a webhook of its provider.

use std::{collections::BTreeMap, sync::Arc};

use chrono::DateTime;
use chrono_tz::Tz;
use serde_json::Value;

use crate::{
    clock::{Timestamp, from_millis},
    domain::{
        delivery::{Delivery, PresentedKey},
        receipt::Unreadable,
        scope::Home,
        webhook::{Webhook, WebhookOptions},
        words::WebhookState,
    },
    ingest::{Books, Interpreted, interpret_tallied, interpret_traced, interpret_uncounted},
    plugins::Plugin,
    rules::{Rulebook, Tally, samples::SampleRequest},
};

/// When a payload arrives that does not say when: `2026-01-01T00:00:00Z`.
const NEW_YEAR_2026: i64 = 1_767_225_600_000;

/// What stands where a stored delivery and its webhook have names.
const NOWHERE: &str = "none";

/// A payload and the request around it.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Whose payload it is: the name of a plugin, or of a mapping that no plugin reads by.
    pub provider: String,
    /// The body.
    pub body: Vec<u8>,
    /// The headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The parameters of the query string.
    pub query: BTreeMap<String, String>,
    /// When it arrives.
    pub received_at: Timestamp,
    /// What is set for the webhook it comes through.
    pub options: WebhookOptions,
}

impl Posted {
    /// A payload with nothing said about the request around it.
    pub fn new(provider: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            provider: provider.into(),
            body,
            headers: BTreeMap::new(),
            query: BTreeMap::new(),
            received_at: from_millis(NEW_YEAR_2026),
            options: WebhookOptions::default(),
        }
    }

    /// A payload with what is said about the request around it.
    ///
    /// # Errors
    /// Where its time of arrival is none.
    pub fn sample(provider: &str, body: Vec<u8>, request: SampleRequest) -> Result<Self, String> {
        let SampleRequest { mut headers, query, content_type, received_at } = request;
        headers =
            headers.into_iter().map(|(name, text)| (name.to_ascii_lowercase(), text)).collect();
        if let Some(content_type) = content_type {
            headers.insert("content-type".to_owned(), content_type);
        }
        let mut posted = Self { headers, query, ..Self::new(provider, body) };
        if let Some(text) = received_at {
            let time = DateTime::parse_from_rfc3339(&text);
            posted.received_at =
                time.map_err(|error| format!("received_at: `{text}`: {error}"))?.to_utc();
        }
        Ok(posted)
    }

    /// The same, where times that name no zone are of this one.
    ///
    /// # Errors
    /// Where there is no such zone.
    pub fn in_zone(mut self, zone: &str) -> Result<Self, String> {
        zone.parse::<Tz>().map_err(|_| {
            format!("`{zone}` is no time zone; expected one such as `Asia/Seoul` or `UTC`")
        })?;
        self.options.time_zone = Some(zone.to_owned());
        Ok(self)
    }

    /// The plugin that reads it: the provider's own, else the first that reads by the provider's mapping.
    pub fn plugin(&self, books: &Books) -> Arc<Plugin> {
        let plugins = &books.plugins;
        let others = || plugins.names().filter_map(|name| plugins.get(name));
        plugins
            .get(&self.provider)
            .or_else(|| others().find(|plugin| plugin.mapping() == self.provider))
            .cloned()
            .unwrap_or_else(|| Arc::new(Plugin::plain(&self.provider)))
    }

    /// It as a delivery.
    pub fn delivery(&self) -> Delivery {
        Delivery {
            delivery_id: NOWHERE.into(),
            webhook_id: NOWHERE.into(),
            presented: PresentedKey([0; 32]),
            headers: self.headers.clone(),
            query: self.query.clone(),
            body: self.body.clone(),
            remote: NOWHERE.to_owned(),
            received_at: self.received_at,
        }
    }

    /// The webhook that it would come through.
    pub fn webhook(&self) -> Webhook {
        let home = Home {
            domain_id: NOWHERE.into(),
            workspace_id: NOWHERE.into(),
            project_id: NOWHERE.into(),
        };
        Webhook {
            webhook_id: NOWHERE.into(),
            name: NOWHERE.to_owned(),
            state: WebhookState::Enabled,
            access_keys: Vec::new(),
            plugin: self.provider.clone(),
            options: self.options.clone(),
            home,
            tags: BTreeMap::new(),
            created_at: self.received_at,
        }
    }

    /// What it says.
    pub fn read(&self, books: &Books) -> Interpreted {
        self.read_by(books, interpret_uncounted)
    }

    /// What it says, and where each value came from.
    pub fn read_traced(&self, books: &Books) -> Interpreted {
        self.read_by(books, interpret_traced)
    }

    /// What it says, counted in `tally`, which is of its mapping.
    pub fn read_tallied(&self, books: &Books, tally: &Tally) -> Interpreted {
        self.read_by(books, |rulebook, reads, delivery, payload| {
            interpret_tallied(rulebook, reads, delivery, payload, tally)
        })
    }

    fn read_by(
        &self,
        books: &Books,
        interpret: impl FnOnce(
            &Rulebook,
            (&Plugin, &Webhook),
            &Delivery,
            Result<Value, Unreadable>,
        ) -> Interpreted,
    ) -> Interpreted {
        let (plugin, delivery) = (self.plugin(books), self.delivery());
        let payload = plugin.decode(&self.body, delivery.header("content-type"));
        interpret(&books.rulebook, (&plugin, &self.webhook()), &delivery, payload)
    }
}
