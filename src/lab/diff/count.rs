//! Counts what two readings of a delivery have apart.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Again, Comparison, EXAMPLES, Example, Gained, Lost, ProviderChanges, SeverityChange,
    alerts::{Firing, Partition},
    recoveries::Ending,
};
use crate::{
    clock::rfc3339,
    domain::{
        event::{Draft, MapError, Mapped},
        words::{EventType, Severity},
    },
    ingest::{Books, Interpreted, interpret_again},
};

/// How long a text of an example may be, in letters.
const LONGEST: usize = 200;

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    providers: BTreeMap<String, Provider>,
}

/// What was counted of one provider's deliveries.
#[derive(Debug, Default)]
struct Provider {
    deliveries: u64,
    items: u64,
    changed: u64,
    fields: BTreeMap<&'static str, u64>,
    severities: BTreeMap<(Severity, Severity), u64>,
    lost: Lost,
    gained: Gained,
    partition: Partition,
    examples: BTreeMap<&'static str, Vec<Example>>,
}

/// One item, as one of the rules reads it.
#[derive(Clone, Copy)]
enum Read<'a> {
    /// It is an event.
    Event(&'a Draft),
    /// It is not understood.
    Dead(&'a MapError),
    /// There is no such item, because the delivery is ignored.
    Ignored(&'a str),
    /// There is no such item.
    Absent,
}

impl Counts {
    /// Reads a delivery twice.
    pub(super) fn add(&mut self, (old, new): (&Books, &Books), again: &Again) {
        let (before, after) = readings((old, new), again);
        let provider = self.providers.entry(again.webhook.plugin.clone()).or_default();
        provider.deliveries += 1;
        provider.items += before.items.len() as u64;
        for item in 0..before.items.len().max(after.items.len()) {
            let pair = (Read::of(&before, item), Read::of(&after, item));
            provider.item(again, item, pair);
        }
    }

    /// Takes over what another has counted.
    pub(super) fn absorb(&mut self, other: Self) {
        for (name, other) in other.providers {
            self.providers.entry(name).or_default().absorb(other);
        }
    }

    pub(super) fn deliveries(&self) -> u64 {
        self.providers.values().map(|provider| provider.deliveries).sum()
    }

    pub(super) fn finish(self) -> Comparison {
        let mut comparison = Comparison::default();
        for (name, provider) in self.providers {
            comparison.deliveries += provider.deliveries;
            comparison.items += provider.items;
            let changes = provider.finish();
            if !changes.is_empty() {
                comparison.providers.insert(name, changes);
            }
        }
        comparison
    }
}

/// A delivery as both rules read it.
fn readings((old, new): (&Books, &Books), again: &Again) -> (Interpreted, Interpreted) {
    let read = |books: &Books| interpret_again(books, &again.webhook, &again.delivery);
    (read(old), read(new))
}

impl<'a> Read<'a> {
    fn of(interpreted: &'a Interpreted, item: usize) -> Self {
        match (interpreted.items.get(item), &interpreted.ignored) {
            (Some(Ok(Mapped { draft, .. })), _) => Self::Event(draft),
            (Some(Err(error)), _) => Self::Dead(error),
            (None, Some(reason)) => Self::Ignored(reason),
            (None, None) => Self::Absent,
        }
    }

    /// It as an example shows it.
    fn shown(self) -> Value {
        match self {
            Self::Event(draft) => {
                json!({ "event_key": short(&draft.event_key), "title": draft.title.as_deref().map(short) })
            }
            Self::Dead(error) => json!({ "dead": short(&error.unreadable.reason) }),
            Self::Ignored(reason) => json!({ "ignored": short(reason) }),
            Self::Absent => Value::Null,
        }
    }

    /// The key that it recovers, if it does.
    fn recovering(self) -> Option<&'a str> {
        match self {
            Self::Event(draft) if draft.event_type == EventType::Recovery => Some(&draft.event_key),
            Self::Event(_) | Self::Dead(_) | Self::Ignored(_) | Self::Absent => None,
        }
    }

    /// The key under which it fires, if it does.
    fn firing(self) -> Option<&'a str> {
        match self {
            Self::Event(draft) if draft.event_type != EventType::Recovery => Some(&draft.event_key),
            Self::Event(_) | Self::Dead(_) | Self::Ignored(_) | Self::Absent => None,
        }
    }
}

impl Provider {
    fn item(&mut self, again: &Again, item: usize, (old, new): (Read<'_>, Read<'_>)) {
        let firing = Firing {
            project: again.webhook.home.project_id.as_str(),
            old: old.firing(),
            new: new.firing(),
        };
        let place = || (again.delivery.delivery_id.to_string(), item);
        self.partition.add(&firing, place);
        // What would be no event any more is told as lost.
        if let (Some(ended), Read::Event(after)) = (old.recovering(), new) {
            let new = (after.event_type == EventType::Recovery).then_some(after.event_key.as_str());
            let ending = Ending { project: firing.project, old: ended, new };
            self.partition.recovers(&ending, place);
        }
        match (old, new) {
            (Read::Event(before), Read::Event(after)) => self.events(again, item, (before, after)),
            (Read::Event(_), Read::Dead(_)) => self.lost.dead += 1,
            (Read::Event(_), Read::Ignored(_)) => self.lost.ignored += 1,
            (Read::Event(_), Read::Absent) => self.lost.gone += 1,
            (Read::Dead(_), Read::Event(_)) => self.gained.readable += 1,
            (Read::Ignored(_), Read::Event(_)) => self.gained.heeded += 1,
            (Read::Absent, Read::Event(_)) => self.gained.more += 1,
            (
                Read::Dead(_) | Read::Ignored(_) | Read::Absent,
                Read::Dead(_) | Read::Ignored(_) | Read::Absent,
            ) => {}
        }
        let was_event = matches!(old, Read::Event(_));
        if was_event != matches!(new, Read::Event(_)) {
            let kind = if was_event { "lost" } else { "gained" };
            self.example(kind, again, (item, old.shown(), new.shown()));
        }
    }

    fn events(&mut self, again: &Again, item: usize, (old, new): (&Draft, &Draft)) {
        if old == new {
            return;
        }
        self.changed += 1;
        if old.severity != new.severity {
            *self.severities.entry((old.severity, new.severity)).or_default() += 1;
        }
        for ((field, before), (_, after)) in fields(old).into_iter().zip(fields(new)) {
            if before != after {
                *self.fields.entry(field).or_default() += 1;
                self.example(field, again, (item, cut(before), cut(after)));
            }
        }
    }

    fn example(
        &mut self,
        kind: &'static str,
        again: &Again,
        (item, old, new): (usize, Value, Value),
    ) {
        let examples = self.examples.entry(kind).or_default();
        if examples.len() < EXAMPLES {
            let delivery_id = again.delivery.delivery_id.to_string();
            examples.push(Example { delivery_id, item, old, new });
        }
    }

    fn absorb(&mut self, other: Self) {
        let Self {
            deliveries,
            items,
            changed,
            fields,
            severities,
            lost,
            gained,
            partition,
            examples,
        } = other;
        self.deliveries += deliveries;
        self.items += items;
        self.changed += changed;
        for (field, count) in fields {
            *self.fields.entry(field).or_default() += count;
        }
        for (pair, count) in severities {
            *self.severities.entry(pair).or_default() += count;
        }
        let Lost { dead, ignored, gone } = lost;
        self.lost.dead += dead;
        self.lost.ignored += ignored;
        self.lost.gone += gone;
        let Gained { readable, heeded, more } = gained;
        self.gained.readable += readable;
        self.gained.heeded += heeded;
        self.gained.more += more;
        self.partition.absorb(partition);
        for (kind, examples) in examples {
            let known = self.examples.entry(kind).or_default();
            known.extend(examples);
            known.truncate(EXAMPLES);
        }
    }

    fn finish(self) -> ProviderChanges {
        let severities = self.severities.into_iter();
        ProviderChanges {
            deliveries: self.deliveries,
            items: self.items,
            changed: self.changed,
            fields: self
                .fields
                .into_iter()
                .map(|(field, count)| (field.to_owned(), count))
                .collect(),
            severities: severities
                .map(|((old, new), count)| SeverityChange { old, new, count })
                .collect(),
            lost: self.lost,
            gained: self.gained,
            alerts: self.partition.finish(),
            examples: self.examples.into_iter().map(|(kind, all)| (kind.to_owned(), all)).collect(),
        }
    }
}

impl ProviderChanges {
    /// Whether nothing would change.
    fn is_empty(&self) -> bool {
        self.changed == 0 && self.lost == Lost::default() && self.gained == Gained::default()
    }
}

/// The fields of an event by name, always in the same order.
fn fields(draft: &Draft) -> [(&'static str, Value); 12] {
    let Draft {
        event_key,
        event_type,
        severity,
        title,
        description,
        rule,
        image_url,
        resources,
        provider,
        account,
        additional_info,
        occurred_at,
    } = draft;
    [
        ("event_key", json!(event_key)),
        ("event_type", json!(event_type)),
        ("severity", json!(severity)),
        ("title", json!(title)),
        ("description", json!(description)),
        ("rule", json!(rule)),
        ("image_url", json!(image_url)),
        ("resources", json!(resources)),
        ("provider", json!(provider)),
        ("account", json!(account)),
        ("additional_info", json!(additional_info)),
        ("occurred_at", json!(occurred_at.map(rfc3339))),
    ]
}

/// A value short enough for an example.
fn cut(value: Value) -> Value {
    match value {
        Value::String(text) => short(&text).into(),
        Value::Array(_) | Value::Object(_) if value.to_string().len() > LONGEST * 2 => {
            short(&value.to_string()).into()
        }
        _ => value,
    }
}

/// A text short enough for an example.
pub(super) fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}
