//! What comes in at the door: events that are normalized already, bodies as their senders wrote them, and noise.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    furnish::{PLAIN, WEBHOOK},
    house::{House, NOBODY},
    run::{Halt, Run},
    step::{Action, Body, Deliver, Step},
};
use crate::{
    digest::sha256,
    domain::{
        delivery::{Delivery, PresentedKey},
        receipt::{ItemOutcome, Reason, Receipt},
        webhook::Webhook,
    },
    error::{Code, Error},
    id::Id,
    ingest::{Answer, ingest},
    rules::{At, Kind, samples::sample},
};

/// What the door answered.
pub(super) struct Answered {
    /// The status.
    pub(super) http: u16,
    /// What became of each item: a word, and a sentence.
    pub(super) told: Vec<(String, String)>,
}

/// A body with what stands around it.
struct Posted {
    body: Vec<u8>,
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
}

/// Brings in what a step brings in, on the way that every delivery goes.
pub(super) async fn deliver(run: &mut Run<'_>, step: &Step) -> Result<Answered, Halt> {
    let webhook_id = webhook(run, step).await?;
    let posted = posted(run, step)?;
    let (house, at) = (&run.house, step.at);
    let webhooks = &house.intake.store.snapshots().webhooks;
    let webhook = webhooks
        .get(&webhook_id)
        .ok_or_else(|| run.scenario.halted(Error::not_found("webhook", &webhook_id), |_| at))?;
    if !webhook.is_enabled() {
        let error = Error::new(Code::WebhookDisabled, "this webhook is switched off");
        return Err(run.scenario.halted(error, |_| at));
    }
    let delivery = Delivery {
        delivery_id: house.intake.mint.id(house.now()),
        webhook_id,
        presented: PresentedKey(sha256(b"")),
        headers: posted.headers,
        query: posted.query,
        body: posted.body,
        remote: NOBODY.to_owned(),
        received_at: house.now(),
    };
    match ingest(&house.intake, webhook, delivery).await {
        Ok(Answer::Receipt(receipt)) => {
            Ok(Answered { http: 200, told: told(house, &receipt).await })
        }
        Ok(Answer::Handshake(handshake)) => {
            let sentence = format!("no event: {}", handshake.reason);
            Ok(Answered { http: handshake.status, told: vec![("handshake".to_owned(), sentence)] })
        }
        Err(error) => Err(run.scenario.halted(error, |_| at)),
    }
}

/// The webhook that a step comes through.
async fn webhook(run: &mut Run<'_>, step: &Step) -> Result<Id<Webhook>, Halt> {
    if let Some((name, at)) = &step.webhook {
        return named(run, name, *at);
    }
    let provider = match &step.action {
        Action::Deliver(Deliver { provider: Some((provider, at)), .. }) => (provider.clone(), *at),
        Action::Deliver(_) => {
            let detail =
                "expected the `provider` whose body it is, or the `webhook` that it comes through";
            return Err(Halt::Mistake(vec![run.scenario.source.mistake(step.at, detail)]));
        }
        _ => return Ok(WEBHOOK.into()),
    };
    let (provider, at) = provider;
    if provider == PLAIN {
        return Ok(WEBHOOK.into());
    }
    if let Some(known) = run.webhooks.get(&provider) {
        return Ok(known.clone());
    }
    is_plugin(run, &provider, at)?;
    let id = format!("webhook-{provider}");
    let made = run.house.webhook(&id, &provider, &run.scenario.project).await;
    let made = made.map_err(|error| run.scenario.halted(error, |_| at))?;
    run.webhooks.insert(provider, made.clone());
    Ok(made)
}

/// The webhook of this name that the file made.
fn named(run: &Run<'_>, name: &str, at: At) -> Result<Id<Webhook>, Halt> {
    let all = run.house.intake.store.snapshots().webhooks.all();
    let is_it = |webhook: &&std::sync::Arc<Webhook>| {
        webhook.name == name || webhook.webhook_id.as_str() == name
    };
    if let Some(webhook) = all.iter().find(is_it) {
        return Ok(webhook.webhook_id.clone());
    }
    let detail = format!("there is no webhook `{name}`; `webhooks` makes one");
    Err(Halt::Mistake(vec![run.scenario.source.mistake(at, detail)]))
}

fn is_plugin(run: &Run<'_>, provider: &str, at: At) -> Result<(), Halt> {
    let plugins = &run.books.plugins;
    if plugins.get(provider).is_some() {
        return Ok(());
    }
    let hint = crate::load_error::did_you_mean(provider, plugins.names());
    let detail = format!("there is no plugin `{provider}`{hint}");
    Err(Halt::Mistake(vec![run.scenario.source.mistake(at, detail)]))
}

/// What a step posts.
fn posted(run: &Run<'_>, step: &Step) -> Result<Posted, Halt> {
    let json = || BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    let plain = |body: Vec<u8>| Posted { body, headers: json(), query: BTreeMap::new() };
    Ok(match &step.action {
        Action::Post(node) => {
            let mut events = node.to_json();
            if matches!(node.kind, Kind::Table(_)) {
                events = Value::Array(vec![events]);
            }
            plain(events.to_string().into_bytes())
        }
        Action::Unparsable(body) => plain(body.clone().into_bytes()),
        Action::Deliver(deliver) => delivered(run, deliver, plain)?,
        Action::Advance(_)
        | Action::AdvanceTo(_)
        | Action::Update(_)
        | Action::Call(..)
        | Action::Look
        | Action::Expect(_) => plain(Vec::new()),
    })
}

fn delivered(
    run: &Run<'_>,
    deliver: &Deliver,
    plain: impl Fn(Vec<u8>) -> Posted,
) -> Result<Posted, Halt> {
    let mut posted = match &deliver.body {
        Body::Given(Value::String(text)) => {
            Posted { headers: BTreeMap::new(), ..plain(text.clone().into_bytes()) }
        }
        Body::Given(value) => plain(value.to_string().into_bytes()),
        Body::Sample(case, at) => {
            let provider = deliver.provider.as_ref().map_or(PLAIN, |(name, _)| name.as_str());
            let Some(sample) = sample(provider, case) else {
                return Err(Halt::Mistake(vec![
                    run.scenario.source.mistake(*at, no_sample(provider, case)),
                ]));
            };
            let mut headers = sample.request.headers;
            if let Some(kind) = sample.request.content_type {
                headers.insert("content-type".to_owned(), kind);
            }
            Posted { body: sample.body, headers, query: sample.request.query }
        }
    };
    posted.headers.extend(deliver.headers.clone());
    posted.query.extend(deliver.query.clone());
    Ok(posted)
}

fn no_sample(provider: &str, case: &str) -> String {
    let names = crate::rules::samples::names();
    let own = names.iter().filter_map(|name| name.strip_prefix(provider)?.strip_prefix('/'));
    let own: Vec<&str> = own.collect();
    format!("`{provider}` has no sample `{case}`; expected one of `{}`", own.join("`, `"))
}

/// What became of each item, in a sentence.
async fn told(house: &House, receipt: &Receipt) -> Vec<(String, String)> {
    let mut told = Vec::new();
    if let Some(reason) = &receipt.ignored {
        told.push(("ignored".to_owned(), format!("a delivery came in that is no event: {reason}")));
    }
    for item in &receipt.items {
        let number = number(house, item).await;
        let event = event(house, item).await;
        let why = match &item.why {
            Reason::Decided(why) => why.as_str().to_owned(),
            Reason::Unreadable(unreadable) => unreadable.reason.clone(),
        };
        let alert = number.map(|number| format!(" #{number}")).unwrap_or_default();
        told.push((
            item.what.as_str().to_owned(),
            format!("{event}: {}{alert} ({why})", item.what.as_str()),
        ));
    }
    told
}

async fn number(house: &House, item: &ItemOutcome) -> Option<u64> {
    let id = item.alert_id.clone()?;
    let found = house.read(move |tx| tx.alert(&crate::domain::scope::Scope::EVERYTHING, &id)).await;
    found.ok().flatten().map(|alert| alert.alert_number)
}

async fn event(house: &House, item: &ItemOutcome) -> String {
    let Some(id) = item.event_id.clone() else { return "an item".to_owned() };
    let found = house.read(move |tx| tx.event(&crate::domain::scope::Scope::EVERYTHING, &id)).await;
    let Some(event) = found.ok().flatten() else { return "an event".to_owned() };
    let draft = &event.draft;
    let title = draft.title.as_ref().map(|title| format!(" \"{title}\"")).unwrap_or_default();
    format!("{} {} {}{title}", draft.event_type, draft.severity, draft.event_key)
}
