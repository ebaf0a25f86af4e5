//! The second stage: what a delivery says. Pure; replay and explain run it too.

use std::{str::FromStr, sync::Arc};

use chrono_tz::Tz;
use serde_json::Value;

use crate::{
    domain::{
        delivery::Delivery,
        event::{MapError, Mapped},
        receipt::Unreadable,
        webhook::Webhook,
        words::Cause,
    },
    plugins::Plugin,
    rules::{self, Input, Mapping, Rulebook, Tally},
};

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
    let input = Input {
        payload: &payload,
        headers: &delivery.headers,
        query: &delivery.query,
        received_at: delivery.received_at,
        zone: zone(webhook),
        overrides: &webhook.options.overrides,
    };
    let (items, ignored) = match apply(mapping, &input) {
        rules::Reading::Items(items) if items.is_empty() => {
            (items, Some("the payload holds no items".to_owned()))
        }
        rules::Reading::Items(items) => (items, None),
        rules::Reading::Ignored(reason) => (Vec::new(), Some(reason)),
        rules::Reading::NoVariant(error) => (vec![Err(error)], None),
    };
    Interpreted { items, ignored, mapping: Some(Arc::clone(mapping)) }
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
