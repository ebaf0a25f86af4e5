//! `stream`: what happens, as it happens. What a watcher is told of a stretch of the store's logs is decided here; when it
//! is told, and how, is not.

use std::ops::ControlFlow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Moment, alert::AlertInfo, event};
use crate::{
    bus::Place,
    clock::Timestamp,
    domain::{
        delivery::Delivery,
        event::Event,
        happening::{Happening, What},
        scope::Scope,
        words::AlertState,
    },
    error::{Code, Error, Result},
    id::Id,
    query::{ALERTS, Catalogue, EVENTS, Filter, Query, Shape},
    store::{Between, Happened, Tx},
};

/// How many rows one read tells at most, whether they are wanted or not.
const ROWS: usize = 500;

/// After how many bytes of messages a read ends early.
const BYTES: usize = 1 << 20;

/// Asks to be told what happens to events and alerts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stream {
    /// `event` or `alert`; both where absent.
    resource: Option<String>,
    /// Conditions that all must hold, as a JSON list like the `filter` of a query. It needs a `resource`.
    filter: Option<String>,
    /// Words of which one must occur in an identifier or a title.
    keyword: Option<String>,
    /// A query as lists take it, as a JSON object; its `filter`, `filter_or`, `keyword`, `only` and `minimal` count. It
    /// needs a `resource`.
    query: Option<String>,
    /// The `id` of the last message that was read, to go on after it; the header `Last-Event-ID` goes before it. From now
    /// on where absent.
    last_event_id: Option<String>,
}

/// What is watched: a checked [`Stream`].
#[derive(Clone, Debug)]
pub struct Watched {
    events: Option<Wanted>,
    alerts: Option<Wanted>,
}

/// Which records of one resource are told, and what of each.
#[derive(Clone, Debug)]
struct Wanted {
    filter: Filter,
    shape: Shape,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What kind of message it is: `event`, `alert.opened`, `alert.changed`, `alert.resolved` or `alert.deleted`.
    pub kind: &'static str,
    /// Up to where everything was told once this is.
    pub place: Place,
    /// The record, as its view shows it.
    pub data: Value,
}

/// What one read found.
#[derive(Clone, Debug)]
pub struct Told {
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// Up to where everything was looked at.
    pub reached: Place,
    /// Up to where something in scope was removed.
    pub forgotten: Place,
}

/// What an alert did, beside the alert.
#[derive(Serialize)]
struct WhatInfo {
    kind: &'static str,
    at: Moment,
    state_before: Option<&'static str>,
    state_after: Option<&'static str>,
}

impl Stream {
    /// What is to be watched. Conditions about spans of time are about `now`, when watching begins.
    pub fn checked(&self, now: Timestamp) -> Result<Watched> {
        let both = Watched {
            events: Some(self.wanted(&EVENTS, now)?),
            alerts: Some(self.wanted(&ALERTS, now)?),
        };
        match self.resource.as_deref() {
            Some("event") => Ok(Watched { alerts: None, ..both }),
            Some("alert") => Ok(Watched { events: None, ..both }),
            Some(other) => {
                let detail = format!("`{other}` cannot be watched; expected event or alert");
                Err(Error::at(Code::InvalidParameter, "/resource", detail))
            }
            None => Ok(both),
        }
    }

    /// After which place to go on, by the header of a reader that comes back or else by the parameter; `None` where neither
    /// is there.
    pub fn place(&self, header: Option<&str>) -> Result<Option<Place>> {
        let given = header.or(self.last_event_id.as_deref()).filter(|given| !given.is_empty());
        let Some(given) = given else { return Ok(None) };
        let wrong = || {
            let detail = format!("`{given}` is no id of a message of this stream");
            Error::at(Code::InvalidParameter, "/last_event_id", detail)
        };
        Place::read(given).map(Some).ok_or_else(wrong)
    }

    fn wanted(&self, catalogue: &'static Catalogue, now: Timestamp) -> Result<Wanted> {
        let is_meant = self.resource.as_deref().is_none_or(|named| named == catalogue.resource);
        if !is_meant {
            return Ok(Wanted { filter: Filter::default(), shape: Shape::Whole });
        }
        for (name, given) in [("filter", &self.filter), ("query", &self.query)] {
            if given.is_some() && self.resource.is_none() {
                let detail = format!(
                    "a `{name}` is about one resource: say `resource=event` or `resource=alert`"
                );
                return Err(Error::at(Code::RequiredParameter, "/resource", detail));
            }
        }
        let asked = self.asked()?;
        let query = parsed(&asked, catalogue, now).map_err(|error| self.placed(error))?;
        Ok(Wanted { filter: query.filter, shape: query.shape })
    }

    /// The query that all parameters make.
    fn asked(&self) -> Result<Value> {
        let mut asked = match &self.query {
            Some(text) => read::<Map<String, Value>>(text, "query", "a JSON object")?,
            None => Map::new(),
        };
        for name in ["sort", "page", "count_only", "countOnly"] {
            if asked.contains_key(name) {
                let detail =
                    format!("a stream has no `{name}`: it tells what happens, as it happens");
                return Err(Error::at(Code::InvalidParameter, format!("/query/{name}"), detail));
            }
        }
        let filter = self.filter.as_ref().map(|text| read::<Value>(text, "filter", "a JSON list"));
        let keyword = self.keyword.as_ref().map(|words| Ok(Value::from(words.as_str())));
        for (name, given) in [("filter", filter), ("keyword", keyword)] {
            let Some(given) = given else { continue };
            if asked.insert(name.to_owned(), given?).is_some() {
                let detail = format!("`{name}` is given twice: as a parameter and in the query");
                return Err(Error::at(Code::InvalidParameter, format!("/{name}"), detail));
            }
        }
        Ok(Value::Object(asked))
    }

    /// A mistake in the query, at the parameter that it stands in.
    fn placed(&self, mut error: Error) -> Error {
        let filter = ("/query/filter", "/filter", self.filter.is_some());
        let keyword = ("/query/keyword", "/keyword", self.keyword.is_some());
        for mistake in &mut error.mistakes {
            for (within, parameter, is_given) in [filter, keyword] {
                let rest = mistake.pointer.strip_prefix(within).map(str::to_owned);
                if let Some(rest) = rest.filter(|rest| is_given && !rest.starts_with('_')) {
                    mistake.pointer = format!("{parameter}{rest}");
                }
            }
        }
        error
    }
}

fn parsed(asked: &Value, catalogue: &'static Catalogue, now: Timestamp) -> Result<Query> {
    Ok(Query::parse(asked, catalogue, now)?)
}

fn read<T: serde::de::DeserializeOwned>(text: &str, name: &str, expected: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|cause| {
        let detail = format!("`{name}` is no JSON: {cause}; expected {expected}");
        Error::at(Code::InvalidParameter, format!("/{name}"), detail)
    })
}

/// What a stretch holds for a watcher who sees `scope`.
pub fn tell(tx: &dyn Tx, scope: &Scope, watched: &Watched, stretch: Between) -> Result<Told> {
    let mut messages = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    let mut payloads = Payloads::default();
    let reached = tx.happened(scope, stretch, &mut |happened, place| {
        rows += 1;
        let told = match happened {
            Happened::Event(event) => watched.event(*event, |id| payloads.of(tx, scope, id))?,
            Happened::Alert(happening) => watched.alert(*happening)?,
        };
        if let Some((kind, data, size)) = told {
            messages.push(Message { kind, place, data });
            bytes += size;
        }
        let is_enough = rows >= ROWS || bytes >= BYTES;
        Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(Told { messages, reached, forgotten: tx.forgotten(scope)? })
}

/// A message's kind and record, with about how many bytes it has.
type Telling = Option<(&'static str, Value, usize)>;

impl Watched {
    /// The message about an event, if it is wanted.
    fn event(
        &self,
        event: Event,
        raw: impl FnOnce(&Id<Delivery>) -> Result<(event::Raw, usize)>,
    ) -> Result<Telling> {
        let Some(wanted) = &self.events else { return Ok(None) };
        let reads_raw = wanted.reads("raw_data");
        if !reads_raw && !wanted.shows("raw_data", &EVENTS) {
            return wanted.told("event", &event::EventInfo::new(event, event::Raw::default()), 0);
        }
        // The payload is read of those only that are wanted, where that can be told without it.
        let bare = event::EventInfo::new(event.clone(), event::Raw::default());
        if !reads_raw && !wanted.filter.matches(&as_json(&bare)?) {
            return Ok(None);
        }
        let (raw, size) = raw(&event.delivery_id)?;
        wanted.told("event", &event::EventInfo::new(event, raw), size)
    }

    /// The message about an alert, if it is wanted.
    fn alert(&self, happening: Happening) -> Result<Telling> {
        let Some(wanted) = &self.alerts else { return Ok(None) };
        let Happening { what, at, before, after, alert } = happening;
        let kind = match what {
            What::Opened => "alert.opened",
            What::Changed => "alert.changed",
            What::Resolved => "alert.resolved",
            What::Deleted => "alert.deleted",
        };
        let info = WhatInfo {
            kind: what.as_str(),
            at: at.into(),
            state_before: before.map(AlertState::as_str),
            state_after: after.map(AlertState::as_str),
        };
        let told = wanted.told_of(kind, as_json(&AlertInfo::from(alert))?, &ALERTS);
        Ok(told.map(|(kind, mut data, size)| {
            data["what"] = json!(info);
            (kind, data, size)
        }))
    }
}

impl Wanted {
    /// Whether the filter asks about a field.
    fn reads(&self, field: &str) -> bool {
        let Filter { all, any, keyword } = &self.filter;
        all.iter().chain(any).chain(keyword).any(|condition| condition.field.name == field)
    }

    /// Whether a field is told.
    fn shows(&self, field: &str, catalogue: &Catalogue) -> bool {
        let query = Query { shape: self.shape.clone(), ..Query::default() };
        query.shows(field, catalogue)
    }

    fn told(&self, kind: &'static str, view: &impl Serialize, size: usize) -> Result<Telling> {
        let told = self.told_of(kind, as_json(view)?, &EVENTS);
        Ok(told.map(|(kind, data, bytes)| (kind, data, bytes + size)))
    }

    fn told_of(&self, kind: &'static str, record: Value, catalogue: &Catalogue) -> Telling {
        /// About how many bytes a record has beside what a sender may make long.
        const RECORD: usize = 1024;
        let is_wanted = self.filter.matches(&record);
        is_wanted.then(|| {
            let long = |name: &str| record[name].as_str().map_or(0, str::len);
            let extra = record["additional_info"].as_object().map_or(0, Map::len) * 64;
            let size = RECORD + long("description") + long("title") + extra;
            (kind, self.shape.of(record, catalogue), size)
        })
    }
}

fn as_json(view: &impl Serialize) -> Result<Value> {
    serde_json::to_value(view).map_err(Error::internal)
}

/// The payload that was read last, since the events of a delivery come one after the other.
#[derive(Default)]
struct Payloads {
    last: Option<(Id<Delivery>, event::Raw, usize)>,
}

impl Payloads {
    fn of(&mut self, tx: &dyn Tx, scope: &Scope, id: &Id<Delivery>) -> Result<(event::Raw, usize)> {
        if let Some((last, raw, size)) = &self.last
            && last == id
        {
            return Ok((raw.clone(), *size));
        }
        let (raw, size) = event::raw(tx, scope, id)?;
        self.last = Some((id.clone(), raw.clone(), size));
        Ok((raw, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn checked(stream: &Stream) -> Result<Watched> {
        stream.checked(from_millis(0))
    }

    #[test]
    fn a_filter_is_about_one_resource() {
        let filter = Some(r#"[{"k": "severity", "v": "CRITICAL", "o": "eq"}]"#.to_owned());
        let refused = checked(&Stream { filter: filter.clone(), ..Stream::default() }).unwrap_err();
        assert_eq!(refused.mistakes[0].pointer, "/resource");
        let resource = Some("event".to_owned());
        let watched = checked(&Stream { resource, filter, ..Stream::default() }).unwrap();
        assert!(watched.alerts.is_none());
        assert_eq!(watched.events.unwrap().filter.all.len(), 1);
    }

    #[test]
    fn a_mistake_is_told_at_the_parameter_it_stands_in() {
        let asked = |filter: Option<&str>, query: Option<&str>| Stream {
            resource: Some("alert".to_owned()),
            filter: filter.map(str::to_owned),
            query: query.map(str::to_owned),
            ..Stream::default()
        };
        let pointer = |stream: Stream| checked(&stream).unwrap_err().mistakes[0].pointer.clone();
        assert_eq!(pointer(asked(Some(r#"[{"k": "x", "o": "eq"}]"#), None)), "/filter/0/k");
        assert_eq!(pointer(asked(Some("["), None)), "/filter");
        assert_eq!(pointer(asked(None, Some(r#"{"sort": []}"#))), "/query/sort");
        assert_eq!(pointer(asked(Some("[]"), Some(r#"{"filter": []}"#))), "/filter");
    }

    #[test]
    fn a_reader_that_comes_back_says_where_it_was() {
        let stream = Stream { last_event_id: Some("1-2".to_owned()), ..Stream::default() };
        let place = |event, happening| Some(Place { event, happening });
        assert_eq!(stream.place(None).unwrap(), place(1, 2));
        assert_eq!(stream.place(Some("3-4")).unwrap(), place(3, 4));
        assert_eq!(Stream::default().place(None).unwrap(), None);
        assert!(stream.place(Some("yesterday")).is_err());
    }
}
