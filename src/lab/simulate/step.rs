//! The steps of a timeline: what comes in, what people do, how time passes, and what must be so.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use chrono_tz::Tz;
use serde_json::Value;

use super::{
    expected::Expected,
    source::{Reader, Table},
    span,
};
use crate::{
    clock::Timestamp,
    rules::{At, Kind, Node},
    value::text::text,
};

/// What a step does; each step has exactly one of these keys.
const VERBS: &[&str] = &[
    "post",
    "post_unparsable",
    "deliver",
    "advance",
    "advance_seconds",
    "advance_to",
    "update_alert",
    "set_alert",
    "call",
    "worker",
    "scheduler_tick",
    "expect",
];

/// What may stand beside it.
const BESIDE: &[&str] = &["fields", "webhook", "note", "refused"];

/// One step of a timeline.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Where it stands.
    pub(super) at: At,
    /// What the file says about it, for people.
    pub(super) note: Option<String>,
    /// What happens.
    pub(super) action: Action,
    /// The webhook it comes through, by name, where it says so.
    pub(super) webhook: Option<(String, At)>,
    /// What the refusal must say that it must meet; `None` where it must not be refused.
    pub(super) refused: Option<String>,
}

/// What happens in a step.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Events arrive that are normalized already.
    Post(Node),
    /// A body arrives that nobody can read.
    Unparsable(String),
    /// A body arrives as its sender wrote it.
    Deliver(Deliver),
    /// Time passes.
    Advance(TimeDelta),
    /// Time passes until a moment.
    AdvanceTo(Timestamp),
    /// Somebody changes an alert.
    Update(Update),
    /// Somebody calls a method of the API.
    Call(String, Node),
    /// What is due is done, and what was sent since the last such step is looked at.
    Look,
    /// Something must be so.
    Expect(Expected),
}

/// A body as its sender wrote it.
#[derive(Clone, Debug)]
pub(super) struct Deliver {
    /// Whose body it is.
    pub(super) provider: Option<(String, At)>,
    /// The body itself, or the sample that it is.
    pub(super) body: Body,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) query: BTreeMap<String, String>,
}

/// What is delivered.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// This, as JSON unless it is a text.
    Given(Value),
    /// The sample of the provider that shows this.
    Sample(String, At),
}

/// What somebody changes of an alert.
#[derive(Clone, Debug)]
pub(super) struct Update {
    /// Which alert: its number, its key or its identifier.
    pub(super) which: (Which, At),
    /// What is changed, as the API has it.
    pub(super) fields: Vec<(String, Node)>,
    /// Who does it.
    pub(super) by: Option<String>,
}

/// Which alert is meant.
#[derive(Clone, Debug)]
pub(super) enum Which {
    /// The one with this number.
    Number(u64),
    /// The newest one with this key.
    Key(String),
}

/// Reads the steps of a timeline.
pub(super) fn steps(reader: &mut Reader<'_>, node: &Node, zone: Tz) -> Option<Vec<Step>> {
    let list = reader.list(node, "`steps`")?;
    Some(list.iter().filter_map(|one| step(reader, one, zone)).collect())
}

fn step(reader: &mut Reader<'_>, node: &Node, zone: Tz) -> Option<Step> {
    let table = reader.table(node, "a step", &[VERBS, BESIDE].concat())?;
    let said: Vec<&'static str> =
        VERBS.iter().copied().filter(|verb| table.get(verb).is_some()).collect();
    let [verb] = said[..] else {
        let known = table
            .keys()
            .all(|key| VERBS.contains(&key.text.as_str()) || BESIDE.contains(&key.text.as_str()));
        // What is misspelt was told already.
        if !known {
            return None;
        }
        let detail = format!(
            "a step does one thing, not {}; expected one of `{}`",
            said.len(),
            VERBS.join("`, `")
        );
        return reader.wrong(node.at, detail);
    };
    let what = table.get(verb)?;
    let webhook = table
        .get("webhook")
        .and_then(|node| reader.text(node, "`webhook`").map(|name| (name.to_owned(), node.at)));
    let refused =
        table.get("refused").and_then(|node| reader.text(node, "`refused`").map(str::to_owned));
    let told = table.get("note").and_then(|told| reader.text(told, "`note`").map(str::to_owned));
    let action = action(reader, (verb, what), &table, zone)?;
    Some(Step { at: node.at, note: told, action, webhook, refused })
}

fn action(
    reader: &mut Reader<'_>,
    (verb, node): (&'static str, &Node),
    table: &Table<'_>,
    zone: Tz,
) -> Option<Action> {
    Some(match verb {
        "post" => match &node.kind {
            Kind::List(_) | Kind::Table(_) => Action::Post(node.clone()),
            Kind::Scalar(_) => {
                return reader.wrong(
                    node.at,
                    format!("`post` is a list of events, not {}", node.describe()),
                );
            }
        },
        "post_unparsable" => Action::Unparsable(match &node.kind {
            Kind::Scalar(Value::String(body)) => body.clone(),
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => "this is no JSON".to_owned(),
        }),
        "deliver" => Action::Deliver(deliver(reader, node)?),
        "advance" => Action::Advance(said(reader, node, verb, span::span)?),
        "advance_seconds" => Action::Advance(seconds(reader, node)?),
        "advance_to" => {
            Action::AdvanceTo(said(reader, node, verb, |text| span::moment(text, zone))?)
        }
        "update_alert" => Action::Update(update(reader, node)?),
        "set_alert" => Action::Update(set(reader, node, table)?),
        "call" => call(reader, node)?,
        "worker" | "scheduler_tick" => Action::Look,
        _ => Action::Expect(Expected::read(reader, node)?),
    })
}

/// What `read` makes of a text.
fn said<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    verb: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    // `advance: 90` is as likely to mean seconds as minutes.
    let text = match &node.kind {
        Kind::Scalar(value) => text(value).into_owned(),
        Kind::List(_) | Kind::Table(_) => reader.text(node, &format!("`{verb}`"))?.to_owned(),
    };
    read(&text).map_err(|detail| reader.wrong::<()>(node.at, detail)).ok()
}

fn seconds(reader: &mut Reader<'_>, node: &Node) -> Option<TimeDelta> {
    let value = match &node.kind {
        Kind::Scalar(value) => value.as_f64(),
        Kind::List(_) | Kind::Table(_) => None,
    };
    let seconds = value.filter(|seconds| *seconds >= 0.0 && *seconds < 1e9);
    #[expect(clippy::cast_possible_truncation, reason = "it is below a billion seconds")]
    let span = seconds.and_then(|seconds| span::bounded((seconds * 1000.0).round() as i64));
    match span {
        Some(span) => Some(span),
        None => reader.wrong(
            node.at,
            format!("`advance_seconds` is a number of seconds, not {}", node.describe()),
        ),
    }
}

fn deliver(reader: &mut Reader<'_>, node: &Node) -> Option<Deliver> {
    let keys = ["provider", "body", "sample", "headers", "query", "content_type"];
    let table = reader.table(node, "`deliver`", &keys)?;
    let provider = table
        .get("provider")
        .and_then(|node| reader.text(node, "`provider`").map(|name| (name.to_owned(), node.at)));
    let body = match (table.get("body"), table.get("sample")) {
        (Some(body), None) => Body::Given(body.to_json()),
        (None, Some(sample)) => {
            Body::Sample(reader.text(sample, "`sample`")?.to_owned(), sample.at)
        }
        (Some(_), Some(sample)) => {
            return reader.wrong(sample.at, "either a `body` or a `sample` is delivered, not both");
        }
        (None, None) => {
            return reader.wrong(
                node.at,
                "expected the `body` that is delivered, or the `sample` that it is",
            );
        }
    };
    let mut headers = texts(reader, &table, "headers");
    headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    if let Some(kind) =
        table.get("content_type").and_then(|node| reader.text(node, "`content_type`"))
    {
        headers.insert("content-type".to_owned(), kind.to_owned());
    }
    let query = texts(reader, &table, "query");
    Some(Deliver { provider, body, headers, query })
}

/// A table of texts; empty where there is none.
fn texts(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> BTreeMap<String, String> {
    let Some(node) = table.get(key) else { return BTreeMap::new() };
    let Some(below) = reader.open_table(node, &format!("`{key}`")) else { return BTreeMap::new() };
    let mut texts = BTreeMap::new();
    for name in below.keys() {
        match below.get(&name.text).map(|node| (node.at, &node.kind)) {
            Some((_, Kind::Scalar(value))) => {
                texts.insert(name.text.clone(), text(value).into_owned());
            }
            Some((at, _)) => {
                reader.wrong::<()>(at, format!("`{}` is a text", name.text));
            }
            None => {}
        }
    }
    texts
}

/// `update_alert: {alert: 1, state: ACKNOWLEDGED}`.
fn update(reader: &mut Reader<'_>, node: &Node) -> Option<Update> {
    let table = reader.open_table(node, "`update_alert`")?;
    let named = ["alert", "alert_number", "event_key"];
    let Some((_, which)) = table.first(&named) else {
        return reader
            .wrong(node.at, "expected which alert: its number under `alert`, or its `event_key`");
    };
    let which = (which_alert(reader, which)?, which.at);
    let by = table.get("by").and_then(|node| reader.text(node, "`by`").map(str::to_owned));
    let is_field = |key: &str| !named.contains(&key) && key != "by";
    Some(Update { which, fields: fields(&table, is_field), by })
}

/// `set_alert: 1, fields: {state: ACKNOWLEDGED}`, as scenarios were recorded.
fn set(reader: &mut Reader<'_>, node: &Node, table: &Table<'_>) -> Option<Update> {
    let which = (which_alert(reader, node)?, node.at);
    let Some(changed) = table.get("fields") else {
        return reader.wrong(node.at, "expected `fields` beside `set_alert`: what is changed");
    };
    let changed = reader.open_table(changed, "`fields`")?;
    Some(Update { which, fields: fields(&changed, |_| true), by: None })
}

fn fields(table: &Table<'_>, is_field: impl Fn(&str) -> bool) -> Vec<(String, Node)> {
    let keys = table.keys().filter(|key| is_field(&key.text));
    keys.filter_map(|key| Some((key.text.clone(), table.get(&key.text)?.clone()))).collect()
}

fn which_alert(reader: &mut Reader<'_>, node: &Node) -> Option<Which> {
    match &node.kind {
        Kind::Scalar(Value::String(key)) => Some(Which::Key(key.clone())),
        Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => {
            reader.number(node, "an alert's number").map(Which::Number)
        }
    }
}

/// `call: {silence.create: {…}}`.
fn call(reader: &mut Reader<'_>, node: &Node) -> Option<Action> {
    let table = reader.open_table(node, "`call`")?;
    let mut keys = table.keys();
    match (keys.next(), keys.next()) {
        (Some(key), None) => Some(Action::Call(key.text.clone(), table.get(&key.text)?.clone())),
        _ => reader.wrong(
            node.at,
            "expected one method with its request, such as `call: {silence.create: {…}}`",
        ),
    }
}
