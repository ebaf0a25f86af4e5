//! What answers are made of: pages, times, and records of which only a part is shown.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{
    clock::{Timestamp, rfc3339},
    error::{Error, Result},
    query::{Catalogue, Query, Shape, matches::Listed},
    store::Total,
};

/// A page of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Page<T> {
    /// The records of the page.
    pub results: Vec<T>,
    /// How many records there are in all; zero where nobody counted.
    pub total_count: u64,
    /// Whether there are more than `total_count`; absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub total_capped: bool,
    /// What to give as `page.cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of what a store found.
    pub(super) fn new(results: Vec<T>, total: Total, next_cursor: Option<String>) -> Self {
        let (total_count, total_capped) = match total {
            Total::Exact(rows) => (rows, false),
            Total::AtLeast(rows) => (rows, true),
            Total::Unknown => (0, false),
        };
        Self { results, total_count, total_capped, next_cursor }
    }
}

impl<V: Serialize> Page<Shown<V>> {
    /// The page of `views` that `query` asks for.
    pub(super) fn listed(
        views: impl IntoIterator<Item = V>,
        query: &Query,
        catalogue: &Catalogue,
    ) -> Result<Self> {
        let views = views.into_iter().map(|view| serde_json::to_value(view));
        let views = views.collect::<Result<_, _>>().map_err(Error::internal)?;
        let Listed { rows, total, next_cursor } = query.list(views, catalogue);
        let results = rows.into_iter().map(Shown::Part).collect();
        Ok(Self::new(results, Total::Exact(total), next_cursor))
    }
}

/// A record as its view `V`, or a part of it if only that was asked for.
#[derive(Clone, Debug)]
pub enum Shown<V> {
    /// All of it.
    Whole(Box<V>),
    /// What was asked for of it.
    Part(Value),
}

impl<V: Serialize> Shown<V> {
    /// What `shape` leaves of `view`.
    pub(super) fn shaped(view: V, shape: &Shape, catalogue: &Catalogue) -> Result<Self> {
        match shape {
            Shape::Whole | Shape::Count => Ok(Self::Whole(Box::new(view))),
            Shape::Minimal | Shape::Only(_) => {
                let value = serde_json::to_value(view).map_err(Error::internal)?;
                Ok(Self::Part(shape.of(value, catalogue)))
            }
        }
    }
}

impl<V: Serialize> Serialize for Shown<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(view) => view.serialize(serializer),
            Self::Part(part) => part.serialize(serializer),
        }
    }
}

impl<V: JsonSchema> JsonSchema for Shown<V> {
    fn inline_schema() -> bool {
        V::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        V::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        V::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        V::json_schema(generator)
    }
}

/// A time as the API writes it: `2026-01-02T03:04:05.678Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// The answer of a method that has nothing to say: `{}`.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Done {}
