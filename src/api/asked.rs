//! What requests are made of: the query of a list, and texts that a person typed.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

use crate::{
    error::{Code, Error, Result},
    query::{Catalogue, Operator, Query},
};

/// The `query` of a list: conditions, order, page and shape.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Asked(pub Value);

impl JsonSchema for Asked {
    fn schema_name() -> Cow<'static, str> {
        "Query".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = Operator::ALL.iter().map(|operator| operator.word()).collect();
        let meanings = Operator::ALL
            .iter()
            .map(|operator| format!("`{}`: {}", operator.word(), operator.meaning()));
        let condition = json_schema!({
            "type": "object",
            "required": ["k", "o"],
            "additionalProperties": false,
            "properties": {
                "k": { "type": "string", "description": "The field, and the way on below it: `additional_info.region`. Also `key`." },
                "v": { "description": "What it is held against. Also `value`." },
                "o": {
                    "enum": words,
                    "description": format!("How. Also `operator`. {}", meanings.collect::<Vec<_>>().join(" ")),
                },
            },
        });
        let sort = json_schema!({
            "type": "object",
            "required": ["key"],
            "additionalProperties": false,
            "properties": { "key": { "type": "string" }, "desc": { "type": "boolean", "default": false } },
        });
        json_schema!({
            "type": ["object", "null"],
            "description": "Which records, in which order, and which part of them.",
            "additionalProperties": false,
            "properties": {
                "filter": { "type": "array", "items": condition, "description": "All of these must hold." },
                "filter_or": { "type": "array", "items": condition, "description": "One of these must hold." },
                "keyword": { "type": "string", "description": "Words of which one must occur in an identifier or a title." },
                "sort": { "type": "array", "items": sort },
                "page": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "start": { "type": "integer", "minimum": 0, "description": "The first row, from 1." },
                        "limit": { "type": "integer", "minimum": 0, "description": "How many rows; 1000 by default and at most." },
                        "cursor": { "type": "string", "description": "`next_cursor` of the page before." },
                        "total": { "enum": ["exact", "capped", "none"], "default": "capped", "description": "How far rows are counted; `capped` stops at 10000." },
                    },
                },
                "minimal": { "type": "boolean", "description": "Only the most important fields." },
                "only": { "type": "array", "items": { "type": "string" }, "description": "Only these fields, and the identifier." },
                "count_only": { "type": "boolean", "description": "No records, only how many there are." },
            },
        })
    }
}

/// Makes the request of a list: its query, and the parameters beside it that are short for conditions.
macro_rules! list_request {
    (
        $(#[doc = $title:literal])+
        $name:ident of $catalogue:path {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty),* $(,)?
        }
    ) => {
        $(#[doc = $title])+
        #[derive(Clone, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// Which records, in which order, and which part of them.
            query: $crate::api::Asked,
            $(
                $(#[doc = $doc])+
                #[serde(deserialize_with = "crate::api::asked::given")]
                $field: Option<$type>,
            )*
        }

        impl $name {
            /// The query that all of it makes, with times counted from `now`.
            pub(in crate::api) fn checked(
                self,
                now: $crate::clock::Timestamp,
            ) -> $crate::error::Result<$crate::query::Query> {
                let query = $crate::query::Query::parse(&self.query.0, &$catalogue, now)?;
                $(let query = $crate::api::asked::narrowed(query, stringify!($field), self.$field, &$catalogue)?;)*
                Ok(query)
            }
        }
    };
}

pub(super) use list_request;

/// A parameter of a list; as in the original, an empty text is none.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        given => T::deserialize(given).map(Some).map_err(D::Error::custom),
    }
}

/// `query`, with a parameter of the request if it is given.
pub(super) fn narrowed(
    query: Query,
    name: &str,
    value: Option<impl Serialize>,
    catalogue: &'static Catalogue,
) -> Result<Query> {
    let Some(value) = value else { return Ok(query) };
    let value = serde_json::to_value(value).map_err(Error::internal)?;
    Ok(query.narrowed(name, value, catalogue)?)
}

/// The longest name of anything, in characters.
const LONGEST_NAME: usize = 255;

/// A name that a person gave, without blanks around it.
pub(super) fn name(parameter: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::required(parameter));
    }
    if text.chars().count() > LONGEST_NAME {
        let detail = format!("`{parameter}` has at most {LONGEST_NAME} characters");
        return Err(Error::at(Code::InvalidParameter, format!("/{parameter}"), detail));
    }
    Ok(text.to_owned())
}

/// A text that a person gave, without blanks around it; as in the original, an empty one is none.
pub(super) fn text(given: Option<String>) -> Option<String> {
    let text = given?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
