//! The second stage: what a delivery says. Pure; replay and explain run it too.

use std::{str::FromStr, sync::Arc};

use chrono_tz::Tz;
use serde_json::Value;

use super::Books;
use crate::{
    domain::{
        delivery::Delivery,
        event::{MapError, Mapped},
        receipt::Unreadable,
        webhook::Webhook,
        words::Cause,
    },
    plugins::{Made, Method, Plugin, Posted, Script},
    rules::{self, Input, Mapping, Rulebook, Tally},
};

/// Why an empty batch is no event.
pub const NO_ITEMS: &str = "the payload holds no items";

/// What a delivery says.
#[derive(Clone, Debug)]
pub struct Interpreted {
    /// What each of its items says, or why it could not be read.
    pub items: Vec<Result<Mapped, MapError>>,
    /// Why it is no event, where it is none.
    pub ignored: Option<String>,
    /// What read it.
    pub mapping: Option<Arc<Mapping>>,
}

impl Interpreted {
    /// A delivery that is no event, for a reason.
    pub fn ignored(reason: String) -> Self {
        Self { items: Vec::new(), ignored: Some(reason), mapping: None }
    }

    /// A delivery that could not be read as a whole.
    fn dead(unreadable: Unreadable) -> Self {
        let error = MapError { item: None, unreadable };
        Self { items: vec![Err(error)], ignored: None, mapping: None }
    }

    /// How many of its items could not be read.
    pub fn dead_items(&self) -> usize {
        self.items.iter().filter(|item| item.is_err()).count()
    }
}

/// What `delivery` says, read as its plugin and the rules say; `payload` is its decoded body. What is used of the
/// mapping is counted in its live tally.
pub fn interpret(
    rulebook: &Rulebook,
    read_by: (&Plugin, &Webhook),
    delivery: &Delivery,
    payload: Result<Value, Unreadable>,
) -> Interpreted {
    read(rulebook, read_by, (delivery, payload), Mapping::apply_live)
}

/// The same; counts nothing.
pub fn interpret_uncounted(
    rulebook: &Rulebook,
    read_by: (&Plugin, &Webhook),
    delivery: &Delivery,
    payload: Result<Value, Unreadable>,
) -> Interpreted {
    read(rulebook, read_by, (delivery, payload), Mapping::apply)
}

/// The same with the origin of each value; counts nothing.
pub fn interpret_traced(
    rulebook: &Rulebook,
    read_by: (&Plugin, &Webhook),
    delivery: &Delivery,
    payload: Result<Value, Unreadable>,
) -> Interpreted {
    read(rulebook, read_by, (delivery, payload), Mapping::apply_traced)
}

/// The same, counted in `tally` alone.
pub fn interpret_tallied(
    rulebook: &Rulebook,
    read_by: (&Plugin, &Webhook),
    delivery: &Delivery,
    payload: Result<Value, Unreadable>,
    tally: &Tally,
) -> Interpreted {
    read(rulebook, read_by, (delivery, payload), |mapping, input| {
        mapping.apply_tallied(input, tally)
    })
}

/// What a delivery that was kept says by these rules, as if it came in now; counts nothing.
pub fn interpret_again(books: &Books, webhook: &Webhook, delivery: &Delivery) -> Interpreted {
    again(books, (webhook, delivery), Mapping::apply)
}

/// The same, counted in the tally of the mapping that reads it, if there is one for it.
pub fn interpret_again_tallied<'t>(
    books: &Books,
    (webhook, delivery): (&Webhook, &Delivery),
    tally: impl Fn(&Mapping) -> Option<&'t Tally>,
) -> Interpreted {
    again(books, (webhook, delivery), |mapping, input| match tally(mapping) {
        Some(tally) => mapping.apply_tallied(input, tally),
        None => mapping.apply(input),
    })
}

fn again(
    books: &Books,
    (webhook, delivery): (&Webhook, &Delivery),
    apply: impl Fn(&Mapping, &Input<'_>) -> rules::Reading,
) -> Interpreted {
    let plain = || Arc::new(Plugin::plain(&webhook.plugin));
    let plugin = books.plugins.get(&webhook.plugin).cloned().unwrap_or_else(plain);
    let payload = plugin.decode(&delivery.body, delivery.header("content-type"));
    let asked = (delivery, payload.as_ref().ok());
    let secrets = &webhook.options.signing_secrets;
    if let Some(handshake) = plugin.handshake(Method::Post, asked, secrets) {
        return Interpreted::ignored(handshake.reason);
    }
    read(&books.rulebook, (&plugin, webhook), (delivery, payload), apply)
}

/// What a delivery says, where `apply` says what a mapping makes of its payload.
fn read(
    rulebook: &Rulebook,
    (plugin, webhook): (&Plugin, &Webhook),
    (delivery, payload): (&Delivery, Result<Value, Unreadable>),
    apply: impl Fn(&Mapping, &Input<'_>) -> rules::Reading,
) -> Interpreted {
    let payload = match payload {
        Ok(payload) => payload,
        Err(unreadable) => return Interpreted::dead(unreadable),
    };
    let Some(mapping) = rulebook.get(plugin.mapping()) else {
        return Interpreted::dead(no_mapping(plugin));
    };
    let payload = match made(plugin, mapping, delivery, payload) {
        Ok(Made::Events(payload)) => payload,
        Ok(Made::Nothing(reason)) => {
            return Interpreted {
                mapping: Some(Arc::clone(mapping)),
                ..Interpreted::ignored(reason)
            };
        }
        Err(unreadable) => return Interpreted::dead(unreadable),
    };
    let input = Input {
        payload: &payload,
        headers: &delivery.headers,
        query: &delivery.query,
        received_at: delivery.received_at,
        zone: zone(webhook),
        overrides: &webhook.options.overrides,
    };
    let (items, ignored) = match apply(mapping, &input) {
        rules::Reading::Items(items) if items.is_empty() => (items, Some(NO_ITEMS.to_owned())),
        rules::Reading::Items(items) => (items, None),
        rules::Reading::Ignored(reason) => (Vec::new(), Some(reason)),
        rules::Reading::NoVariant(error) => (vec![Err(error)], None),
    };
    Interpreted { items, ignored, mapping: Some(Arc::clone(mapping)) }
}

/// What the mapping reads: the payload, or what a script makes of it.
fn made(
    plugin: &Plugin,
    mapping: &Mapping,
    delivery: &Delivery,
    payload: Value,
) -> Result<Made, Unreadable> {
    if !mapping.is_scripted() {
        return Ok(Made::Events(payload));
    }
    let posted = Posted { delivery, payload: Some(&payload) };
    match plugin.script().filter(|script| script.text() == mapping.text()) {
        Some(script) => script.map(posted),
        // An earlier script, to show how a delivery was read in its time.
        None => Script::restore(mapping.file(), mapping.text())?.map(posted),
    }
}

/// The zone of times that name none.
fn zone(webhook: &Webhook) -> Tz {
    let named = webhook.options.time_zone.as_deref();
    named.and_then(|name| Tz::from_str(name).ok()).unwrap_or(Tz::UTC)
}

fn no_mapping(plugin: &Plugin) -> Unreadable {
    Unreadable {
        cause: Cause::NoMapping,
        reason: format!(
            "plugin `{}` reads by the mapping `{}`, and there is none",
            plugin.name(),
            plugin.mapping()
        ),
        file: Some(format!("{}/mapping.yaml", plugin.mapping())),
        line: None,
        path: None,
    }
}
