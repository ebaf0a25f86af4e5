//! What a delivery meets on its way before anything is kept, and what must hold of it whatever was posted.

use std::collections::BTreeMap;

use alertmill::{
    clock::{Clock, from_millis},
    domain::{
        delivery::{Delivery, PresentedKey},
        event::{Draft, MapError, Mapped},
        receipt::Unreadable,
        scope::Home,
        webhook::{Overrides, SigningSecret, Webhook, WebhookOptions},
        words::{Severity, WebhookState},
    },
    ingest::{Books, Interpreted, interpret, interpret_tallied, interpret_traced},
    outbound::https_host,
    plugins::{Method, Plugin},
};
use serde_json::Value;

use super::{
    mutate::{depth, nodes},
    shelf::Post,
};

/// How deep a payload may be, as `plugins/README.md` says.
const DEPTH: usize = 128;

/// How heavy all events of a delivery may be where they are more than a multiple of what came in.
const EVENTS_WEIGH: usize = 32 << 20;

/// Where an event may be heavier than what came in: constants of mappings.
const CONSTANTS_WEIGH: usize = 16 << 10;

/// Settings of the webhook that something is posted to.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The zone of times that name none.
    pub time_zone: Option<String>,
    /// A word for how bad something is, and what it means here.
    pub severity: Option<(String, Severity)>,
    /// Whether it is also read with everything counted.
    pub counted: bool,
}

/// What came of a post.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// How many events.
    pub events: usize,
    /// How many items that could not be read.
    pub dead: usize,
    /// How much the events weigh.
    pub weight: usize,
}

/// The delivery that a post is, with its webhook.
pub fn arrived(plugin: &str, post: &Post, settings: &Settings) -> (Delivery, Webhook) {
    let mint = Clock::manual(from_millis(0)).mint().clone();
    let received_at = from_millis(post.now.saturating_mul(1000));
    let delivery = Delivery {
        delivery_id: mint.id(received_at),
        webhook_id: "webhook-1".into(),
        presented: PresentedKey([0; 32]),
        headers: post.headers.clone(),
        query: post.query.clone(),
        body: post.body.clone(),
        remote: "192.0.2.1".to_owned(),
        received_at,
    };
    let options = WebhookOptions {
        signing_secrets: post.secrets.iter().cloned().map(SigningSecret).collect(),
        time_zone: settings.time_zone.clone(),
        overrides: Overrides {
            severity_map: settings.severity.clone().into_iter().collect(),
            additional_info: BTreeMap::new(),
        },
        ..WebhookOptions::default()
    };
    let home = Home {
        domain_id: "domain-1".into(),
        workspace_id: "workspace-1".into(),
        project_id: "project-1".into(),
    };
    let webhook = Webhook {
        webhook_id: "webhook-1".into(),
        name: "fuzzed".to_owned(),
        state: WebhookState::Enabled,
        access_keys: Vec::new(),
        plugin: plugin.to_owned(),
        options,
        home,
        tags: BTreeMap::new(),
        created_at: received_at,
    };
    (delivery, webhook)
}

/// What a delivery becomes: everything that is done for every delivery, once.
pub fn once(
    books: &Books,
    (plugin, webhook): (&Plugin, &Webhook),
    delivery: &Delivery,
) -> (Result<Value, Unreadable>, Interpreted) {
    let decoded = plugin.decode(&delivery.body, delivery.header("content-type"));
    let payload = || decoded.as_ref().ok();
    let secrets = &webhook.options.signing_secrets;
    let _ = plugin.verify(secrets, (delivery, &payload), delivery.received_at);
    for method in [Method::Post, Method::Get, Method::Head, Method::Options] {
        let _ = plugin.handshake(method, (delivery, payload()), secrets);
    }
    let _ = plugin.sender_id(delivery, payload());
    let interpreted = interpret(&books.rulebook, (plugin, webhook), delivery, decoded.clone());
    (decoded, interpreted)
}

/// Takes a post the whole way, several times over.
///
/// # Errors
/// What does not hold of it.
pub fn check(books: &Books, name: &str, post: &Post, settings: &Settings) -> Result<Seen, String> {
    let plugin = books.plugins.get(name).ok_or("no such plugin")?;
    let (delivery, webhook) = arrived(name, post, settings);
    let (decoded, first) = once(books, (plugin, &webhook), &delivery);
    let said = post.headers.iter().chain(&post.query).map(|(name, text)| name.len() + text.len());
    let said: usize = said.sum();
    if let Ok(payload) = &decoded {
        bounded(payload, delivery.body.len())?;
    }
    verified(plugin, &webhook, &delivery, decoded.as_ref().ok())?;
    same(&decoded, &plugin.decode(&delivery.body, delivery.header("content-type")), "decoded")?;
    let weight = decoded.as_ref().map_or(0, weight) + said;
    let most = decoded.as_ref().map_or(1, nodes);
    if settings.counted {
        let tally = books.rulebook.get(plugin.mapping()).map(|mapping| (mapping, mapping.tally()));
        if let Some((mapping, tally)) = tally {
            let read_by = (&**plugin, &webhook);
            let read =
                interpret_tallied(&books.rulebook, read_by, &delivery, decoded.clone(), &tally);
            same(&first.items, &read.items, "read and counted")?;
            let _ = tally.report(mapping);
        }
    }
    read_alike(books, (plugin, &webhook), &delivery, (decoded, &first))?;
    bounded_events(&first, weight, most)
}

/// What does not depend on the rules: refusals, answers and identifiers.
fn verified(
    plugin: &Plugin,
    webhook: &Webhook,
    delivery: &Delivery,
    payload: Option<&Value>,
) -> Result<(), String> {
    let secrets = &webhook.options.signing_secrets;
    let now = delivery.received_at;
    let verify = |secrets| plugin.verify(secrets, (delivery, &|| payload), now);
    same(&verify(secrets), &verify(secrets), "verified")?;
    verify(&[]).map_err(|refusal| format!("refused without a secret: {refusal}"))?;
    let answer = |delivery| plugin.handshake(Method::Post, (delivery, payload), secrets);
    same(&answer(delivery), &answer(delivery), "answered")?;
    if let Some(answer) = answer(delivery) {
        if !(200..300).contains(&answer.status) {
            return Err(format!("answered {}", answer.status));
        }
        let address = answer.confirm.as_deref();
        if let Some(fault) = address.and_then(|address| https_host(address).err()) {
            return Err(format!("would fetch {address:?}: {fault}"));
        }
    }
    match plugin.sender_id(delivery, payload) {
        Some(id) if id.is_empty() || id.chars().count() > 200 => Err(format!("the id is {id:?}")),
        Some(_) | None => Ok(()),
    }
}

/// That a body becomes no more than a multiple of it, and nothing too deep.
fn bounded(payload: &Value, body: usize) -> Result<(), String> {
    let (weighs, deep) = (weight(payload), depth(payload));
    if deep > DEPTH {
        return Err(format!("decoded to {deep} levels"));
    }
    if weighs > 64 * body + 1024 {
        return Err(format!("{body} bytes decoded to {weighs}"));
    }
    Ok(())
}

/// That a delivery is read the same a second time, and with origins.
fn read_alike(
    books: &Books,
    read_by: (&Plugin, &Webhook),
    delivery: &Delivery,
    (decoded, first): (Result<Value, Unreadable>, &Interpreted),
) -> Result<(), String> {
    let again = interpret(&books.rulebook, read_by, delivery, decoded.clone());
    let traced = interpret_traced(&books.rulebook, read_by, delivery, decoded);
    for (other, how) in [(&again, "read again"), (&traced, "read with origins")] {
        same(&first.ignored, &other.ignored, how)?;
        if first.items.len() != other.items.len() {
            return Err(format!("{how}: {} items, {}", first.items.len(), other.items.len()));
        }
        for (one, two) in first.items.iter().zip(&other.items) {
            match (one, two) {
                (Ok(one), Ok(two)) => {
                    same(&(&one.draft, &one.variant), &(&two.draft, &two.variant), how)?;
                }
                (Err(one), Err(two)) => same(one, two, how)?,
                (one, two) => return Err(format!("{how}: {one:?} became {two:?}")),
            }
        }
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(one: &T, two: &T, how: &str) -> Result<(), String> {
    if one == two { Ok(()) } else { Err(format!("{how}: {one:?} became {two:?}")) }
}

/// That what comes out is no more than what came in, times a constant, and can be kept.
fn bounded_events(read: &Interpreted, came_in: usize, most: usize) -> Result<Seen, String> {
    let mut seen = Seen::default();
    if read.items.len() > most.max(1) {
        return Err(format!("{} items of {most} values", read.items.len()));
    }
    for item in &read.items {
        let weight = match item {
            Ok(Mapped { draft, .. }) => {
                seen.events += 1;
                whole(draft)?;
                draft_weight(draft)
            }
            Err(MapError { unreadable, .. }) => {
                seen.dead += 1;
                unreadable.reason.len() + unreadable.path.as_ref().map_or(0, String::len)
            }
        };
        if weight > 32 * came_in + CONSTANTS_WEIGH {
            return Err(format!("an item of {weight} came of {came_in}"));
        }
        seen.weight += weight;
    }
    if seen.weight > (64 * came_in).max(EVENTS_WEIGH) {
        return Err(format!("{} items of {} came of {came_in}", read.items.len(), seen.weight));
    }
    Ok(seen)
}

/// That an event has a key, and that what is kept of it as JSON can be read again.
fn whole(draft: &Draft) -> Result<(), String> {
    if draft.event_key.trim().is_empty() {
        return Err("an event without a key".to_owned());
    }
    let kept = serde_json::to_string(&draft.additional_info).map_err(|why| why.to_string())?;
    let read: Result<BTreeMap<String, Value>, _> = serde_json::from_str(&kept);
    match read {
        Ok(_) => Ok(()),
        Err(why) => Err(format!("`additional_info` cannot be read again: {why}")),
    }
}

fn draft_weight(draft: &Draft) -> usize {
    let texts = [&draft.title, &draft.description, &draft.rule, &draft.image_url];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let named = draft.event_key.len()
        + draft.provider.as_ref().map_or(0, String::len)
        + draft.account.as_ref().map_or(0, String::len);
    let resources: usize = draft.resources.iter().map(String::len).sum();
    let info = draft.additional_info.iter().map(|(name, value)| name.len() + weight(value));
    texts + named + resources + info.sum::<usize>()
}

/// How heavy a value is: its texts, and a little for each node.
pub fn weight(value: &Value) -> usize {
    16 + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| name.len() + weight(field)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
