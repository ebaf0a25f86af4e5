//! What is asked of a list of events, and the questions to the store that it makes.
//!
//! The list of audit events is made of two trails: what was emitted, and what is recorded of Alertmill itself. What the
//! second says as events follows from its actions, so a filter on it is a question about actions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    EventInfo, Meta,
    attributes::OWN_SOURCE,
    is_inside,
    merge::{Merging, Part, merged},
    tenant_of, trail_of,
};
use crate::{
    api::Call,
    domain::{
        audit::Trail,
        kind::{
            Actions, Classification, EventList, EventSeverity, Grain, Records, Slice, Verdict,
            Visibility, Wanted,
        },
        project::Domain,
        scope::Scope,
    },
    error::{Code, Error, Result},
    id::Id,
    query::Direction,
    store::{Total, Tx},
};

/// The most events a page has, and how many it has where nothing is said.
const MOST: u32 = 1000;

/// Asks for events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListEvents {
    /// Only those of this tenant; the caller's own where absent.
    #[serde(
        rename = "filter[tenant]",
        alias = "filter[tenant_id]",
        skip_serializing_if = "Option::is_none"
    )]
    tenant: Option<Id<Domain>>,
    /// Only those of this service.
    #[serde(rename = "filter[source]", skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Only those of this kind.
    #[serde(rename = "filter[kind]", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Only those that are as bad.
    #[serde(rename = "filter[severity]", skip_serializing_if = "Option::is_none")]
    severity: Option<EventSeverity>,
    /// Only those that are about this.
    #[serde(rename = "filter[classification]", skip_serializing_if = "Option::is_none")]
    classification: Option<Classification>,
    /// Only those that are shown to these.
    #[serde(rename = "filter[visibility]", skip_serializing_if = "Option::is_none")]
    visibility: Option<Visibility>,
    /// In which order: `id`, `source`, `kind`, `severity`, `classification`, `visibility`, `timestamp_iso8601` or
    /// `created_at`; several with commas between, each with `-` before it for the greatest first. Newest first where
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<String>,
    /// Which page, from zero.
    #[serde(rename = "page[number]", skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    /// How many events a page has; 1000 where absent and at most. With zero, only the total is answered.
    #[serde(rename = "page[size]", skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
    /// `records` counts to the last one; else counting ends where it would take long.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Counted>,
}

/// What can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Counted {
    /// The events.
    Records,
}

/// A page of events.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventsDocument {
    /// The events.
    pub data: Vec<EventInfo>,
    /// Where to go on.
    pub links: Links,
    /// What is said about the answer.
    pub meta: Meta,
}

/// Where to go on from a page.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Links {
    /// The next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What events are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Id,
    Source,
    Kind,
    Severity,
    Classification,
    Visibility,
    Occurred,
    Created,
}

/// One key of an order.
pub(super) type Key = (By, Direction);

/// What sorts by what; `timestamp` has as many names as an event has for it.
const KEYS: [(&str, By); 11] = [
    ("id", By::Id),
    ("source", By::Source),
    ("kind", By::Kind),
    ("severity", By::Severity),
    ("classification", By::Classification),
    ("visibility", By::Visibility),
    ("timestamp_iso8601", By::Occurred),
    ("timestamp_uint64", By::Occurred),
    ("timestamp_uint64_str", By::Occurred),
    ("timestamp", By::Occurred),
    ("created_at", By::Created),
];

/// Events, newest first.
pub fn events(tx: &dyn Tx, call: &Call, request: ListEvents) -> Result<EventsDocument> {
    list(tx, call, request, EventList::Event)
}

/// Audit events, newest first, those of Alertmill itself among them.
pub fn audit_events(tx: &dyn Tx, call: &Call, request: ListEvents) -> Result<EventsDocument> {
    list(tx, call, request, EventList::AuditEvent)
}

/// Communication events, newest first.
pub fn communication_events(
    tx: &dyn Tx,
    call: &Call,
    request: ListEvents,
) -> Result<EventsDocument> {
    list(tx, call, request, EventList::CommunicationEvent)
}

fn list(tx: &dyn Tx, call: &Call, request: ListEvents, list: EventList) -> Result<EventsDocument> {
    let order = order(request.sort.as_deref().unwrap_or_default())?;
    let size = request.size.unwrap_or(MOST);
    if size > MOST {
        let detail = format!("a page has at most {MOST} events");
        return Err(Error::at(Code::InvalidParameter, "/page[size]", detail));
    }
    let number = request.number.unwrap_or(0);
    let tenant = request.tenant.clone().unwrap_or_else(|| tenant_of(call));
    // What is emitted is its tenant's; whoever reaches a part of it sees what is shown outside, and `parts` asks for no more.
    let domains = call.caller.scope.domains.narrowed(&tenant);
    let merging = Merging {
        tx,
        call,
        scope: Scope { domains, ..Scope::EVERYTHING },
        order: order.clone(),
        count: if request.count.is_some() { "exact" } else { "capped" },
    };
    let skip = number.saturating_mul(u64::from(size));
    let page = merged(&merging, &request.parts(call, list, &order), (skip, size))?;
    let next = page.has_more.then(|| request.next(list, (number.saturating_add(1), size)));
    let (total, total_capped) = match page.total {
        Total::Exact(rows) => (Some(rows), false),
        Total::AtLeast(rows) => (Some(rows), true),
        Total::Unknown => (None, false),
    };
    Ok(EventsDocument {
        data: page.rows,
        links: Links { next: next.transpose()? },
        meta: Meta { total, total_capped, ..Meta::of(call) },
    })
}

/// The order that a text names.
fn order(text: &str) -> Result<Vec<Key>> {
    let wrong = |detail: String| Error::at(Code::InvalidParameter, "/sort", detail);
    let mut keys: Vec<Key> = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let (name, direction) = match word.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (word, Direction::Ascending),
        };
        let Some((_, by)) = KEYS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = KEYS.iter().map(|(known, _)| *known).collect();
            return Err(wrong(format!(
                "events cannot be sorted by `{name}`, but by {}",
                known.join(", ")
            )));
        };
        keys.push((*by, direction));
    }
    if keys.iter().filter(|(by, _)| by.words().is_some()).count() > 1 {
        let detail = "sort by one of `severity`, `classification` and `visibility`, not by several";
        return Err(wrong(detail.to_owned()));
    }
    Ok(keys)
}

impl By {
    /// What of an emitted event it is, and the values that has in their order, where these are few.
    fn words(self) -> Option<(&'static str, Vec<&'static str>)> {
        match self {
            Self::Severity => {
                Some(("severity", EventSeverity::ALL.iter().map(|it| it.as_str()).collect()))
            }
            Self::Classification => {
                Some(("classification", Classification::ALL.iter().map(|it| it.as_str()).collect()))
            }
            Self::Visibility => {
                Some(("visibility", Visibility::ALL.iter().map(|it| it.as_str()).collect()))
            }
            Self::Id | Self::Source | Self::Kind | Self::Occurred | Self::Created => None,
        }
    }

    /// The field of a record that it is; `None` where all records of a part are alike in it.
    pub(super) const fn field(self) -> Option<&'static str> {
        match self {
            Self::Id => Some("audit_id"),
            Self::Created => Some("created_at"),
            Self::Occurred => Some("occurred_at"),
            Self::Source => Some("actor_id"),
            Self::Kind => Some("action"),
            Self::Severity | Self::Classification | Self::Visibility => None,
        }
    }
}

impl ListEvents {
    /// The parts that the list is made of, none of which shares a record with another.
    fn parts(&self, call: &Call, list: EventList, order: &[Key]) -> Vec<Part> {
        let mut emitted = self.emitted(call, list, order);
        if list != EventList::AuditEvent || !is_inside(call) {
            return emitted;
        }
        if self.source.as_ref().is_some_and(|source| source != OWN_SOURCE) {
            return emitted;
        }
        let wanted = Wanted {
            kind: self.kind.clone(),
            severity: self.severity,
            classification: self.classification,
            visibility: self.visibility,
        };
        let is_by_kind = order.iter().any(|(by, _)| *by == By::Kind || by.words().is_some());
        let grain = if is_by_kind { Grain::Fine } else { Grain::Coarse };
        let own = equal("trail", Trail::Own.as_str());
        let is_by_source = order.iter().any(|(by, _)| *by == By::Source);
        match call.kinds.records(&wanted, grain) {
            Records::All if self.source.is_none() && !is_by_source => {
                let both = [Trail::AuditEvent.as_str(), Trail::Own.as_str()];
                let filter = vec![json!({ "k": "trail", "v": both, "o": "in" })];
                vec![Part { filter, sort: sorted(order, |_| true) }]
            }
            Records::All => {
                let sort = sorted(order, |by| by != By::Source);
                emitted.push(Part { filter: vec![own], sort });
                emitted
            }
            Records::Of(slices) => {
                emitted.extend(slices.into_iter().map(|slice| recorded(&own, slice, order)));
                emitted
            }
        }
    }

    /// What was emitted; a part for each word where the order is by words, so that they come in theirs.
    fn emitted(&self, call: &Call, list: EventList, order: &[Key]) -> Vec<Part> {
        if self.source.as_deref() == Some(OWN_SOURCE) {
            return Vec::new();
        }
        let mut filter = vec![equal("trail", trail_of(list).as_str())];
        let given = [
            ("actor_id", self.source.as_deref()),
            ("action", self.kind.as_deref()),
            ("details.severity", self.severity.map(EventSeverity::as_str)),
            ("details.classification", self.classification.map(Classification::as_str)),
            ("details.visibility", self.visibility.map(Visibility::as_str)),
        ];
        for (field, value) in given {
            filter.extend(value.map(|value| equal(field, value)));
        }
        if !is_inside(call) {
            let outside = Visibility::ALL.iter().filter(|it| it.is_shown_outside());
            let outside: Vec<&str> = outside.map(|it| it.as_str()).collect();
            filter.push(json!({ "k": "details.visibility", "v": outside, "o": "in" }));
        }
        let sort = sorted(order, |_| true);
        let Some((field, words)) = order.iter().find_map(|(by, _)| by.words()) else {
            return vec![Part { filter, sort }];
        };
        let of = |word: &str| {
            let mut filter = filter.clone();
            filter.push(equal(&format!("details.{field}"), word));
            Part { filter, sort: sort.clone() }
        };
        words.into_iter().map(of).collect()
    }

    /// The address of another page of the same.
    fn next(&self, list: EventList, (number, size): (u64, u32)) -> Result<String> {
        let next = Self { number: Some(number), size: Some(size), ..self.clone() };
        let query = serde_urlencoded::to_string(&next).map_err(Error::internal)?;
        Ok(format!("/api/{list}s?{query}"))
    }
}

/// Some records of Alertmill's own.
fn recorded(own: &Value, slice: Slice, order: &[Key]) -> Part {
    let Slice { verdict, actions } = slice;
    let is_done = match verdict {
        Verdict::Done => "true",
        Verdict::Refused => "false",
    };
    let (actions, operator) = match actions {
        Actions::Only(actions) => (actions, "in"),
        Actions::But(actions) => (actions, "not_in"),
    };
    let filter = vec![
        own.clone(),
        equal("is_success", is_done),
        json!({ "k": "action", "v": actions, "o": operator }),
    ];
    Part { filter, sort: sorted(order, |by| by != By::Source) }
}

/// The order of a part, by the fields of records, and the newest first where it leaves that open.
fn sorted(order: &[Key], differs: impl Fn(By) -> bool) -> Vec<Value> {
    let keys = order.iter().filter(|(by, _)| differs(*by));
    let mut keys: Vec<(&str, Direction)> =
        keys.filter_map(|(by, direction)| Some((by.field()?, *direction))).collect();
    if keys.is_empty() {
        return Vec::new();
    }
    keys.push(("audit_id", Direction::Descending));
    keys.into_iter()
        .map(|(key, direction)| json!({ "key": key, "desc": direction == Direction::Descending }))
        .collect()
}

fn equal(field: &str, value: &str) -> Value {
    json!({ "k": field, "v": value, "o": "eq" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_words_with_a_minus_before_what_goes_down() {
        let keys = order("-timestamp_iso8601, source").unwrap();
        assert_eq!(
            keys,
            [(By::Occurred, Direction::Descending), (By::Source, Direction::Ascending)]
        );
        assert_eq!(order("").unwrap(), []);
        for wrong in ["sevrity", "-", "severity,visibility"] {
            assert_eq!(order(wrong).unwrap_err().mistakes[0].pointer, "/sort", "{wrong}");
        }
    }

    #[test]
    fn a_query_string_is_read_and_written_the_same_way() {
        let text = "filter%5Btenant%5D=default&filter%5Bseverity%5D=info&sort=-id&page%5Bnumber%5D=2&page%5Bsize%5D=50";
        let asked: ListEvents = serde_urlencoded::from_str(text).unwrap();
        assert_eq!((asked.severity, asked.number), (Some(EventSeverity::Info), Some(2)));
        let next = asked.next(EventList::AuditEvent, (3, 50)).unwrap();
        assert_eq!(next, format!("/api/audit_events?{}", text.replace("=2&", "=3&")));
        for unknown in ["filter[sevrity]=info", "filter[severity]=bad", "include=tenant"] {
            assert!(serde_urlencoded::from_str::<ListEvents>(unknown).is_err(), "{unknown}");
        }
    }
}
