//! What a handshake is answered: a text, an echo, a JSON object, and what of it only somebody with the secret can say.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};

use super::{
    body_path::BodyPath,
    handshake::Question,
    place::{HeaderName, Place},
    scheme::{Algorithm, Encoding, SecretRule},
};

/// What is answered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// This text.
    Text(String),
    /// The text at this place of the body, or in this header or parameter.
    Echo(Told),
    /// A JSON object with these fields.
    Json(BTreeMap<String, Told>),
}

/// Further headers of an answer, by name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct Headers(BTreeMap<HeaderName, Constant>);

/// A text that is told back, or made of what was said.
#[derive(Debug)]
pub(super) enum Told {
    /// What stands there.
    At(Place),
    /// An HMAC of what stands there, under the webhook's signing secret.
    Hmac(HmacOf),
}

/// The value of a header: a constant, or what is told back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Constant {
    /// Always the same.
    Text(String),
    /// What is told back.
    Told(ToldTable),
}

/// A table that says what is told back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ToldTable {
    /// In this header.
    Header(HeaderName),
    /// In this parameter of the query string.
    Query(String),
    /// At this place of the decoded body.
    Body(BodyPath),
    /// An HMAC of a text, under the webhook's signing secret.
    Hmac(HmacOf),
}

/// An HMAC of a text, under the first of the webhook's signing secrets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HmacOf {
    /// Where the text stands.
    of: Place,
    /// The hash.
    #[serde(default)]
    algorithm: Algorithm,
    /// How its bytes are written.
    #[serde(default)]
    encoding: Encoding,
    /// What stands before it.
    #[serde(default)]
    prefix: String,
    /// How the secret is written.
    #[serde(default)]
    secret: SecretRule,
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ToldVisitor)
    }
}

struct ToldVisitor;

impl<'de> Visitor<'de> for ToldVisitor {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a path such as `$.challenge`, or a table with `header`, `query`, `body` or `hmac`",
        )
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<Told, E> {
        let path = BodyPath::try_from(path.to_owned()).map_err(E::custom)?;
        Ok(Told::At(Place::Body(path)))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Told, A::Error> {
        ToldTable::deserialize(MapAccessDeserializer::new(table)).map(Told::from)
    }
}

impl JsonSchema for Told {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Told".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let path = generator.subschema_for::<BodyPath>();
        let table = generator.subschema_for::<ToldTable>();
        json_schema!({ "anyOf": [path, table] })
    }
}

impl From<ToldTable> for Told {
    fn from(table: ToldTable) -> Self {
        match table {
            ToldTable::Header(name) => Self::At(Place::Header(name)),
            ToldTable::Query(name) => Self::At(Place::Query(name)),
            ToldTable::Body(path) => Self::At(Place::Body(path)),
            ToldTable::Hmac(hmac) => Self::Hmac(hmac),
        }
    }
}

impl Reply {
    /// Whether it takes the webhook's signing secret.
    pub(super) fn needs_secret(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Echo(told) => told.needs_secret(),
            Self::Json(fields) => fields.values().any(Told::needs_secret),
        }
    }

    /// The content type and the text; `None` where something that must be told back is missing.
    pub(super) fn to(&self, question: Question<'_>) -> Option<(&'static str, String)> {
        const TEXT: &str = "text/plain; charset=utf-8";
        match self {
            Self::Text(text) => Some((TEXT, text.clone())),
            Self::Echo(told) => Some((TEXT, told.text(question)?)),
            Self::Json(fields) => {
                let mut object = Map::new();
                for (name, told) in fields {
                    object.insert(name.clone(), Value::String(told.text(question)?));
                }
                Some(("application/json", Value::Object(object).to_string()))
            }
        }
    }
}

impl Told {
    fn needs_secret(&self) -> bool {
        matches!(self, Self::Hmac(_))
    }

    fn text(&self, question: Question<'_>) -> Option<String> {
        match self {
            Self::At(place) => place.text(question.said),
            Self::Hmac(hmac) => hmac.text(question),
        }
    }
}

impl HmacOf {
    fn text(&self, question: Question<'_>) -> Option<String> {
        let text = self.of.text(question.said)?;
        let secret = question.secrets.iter().find_map(|secret| self.secret.bytes(secret))?;
        let tag = self.algorithm.tag(&secret, text.as_bytes());
        Some(format!("{}{}", self.prefix, self.encoding.text(&tag)))
    }
}

impl Headers {
    /// The headers of an answer, without those of which nothing was said.
    pub(super) fn to(&self, question: Question<'_>) -> Vec<(String, String)> {
        let text = |constant: &Constant| match constant {
            Constant::Text(text) => Some(text.clone()),
            Constant::Told(ToldTable::Header(name)) => {
                name.of(question.said.delivery).map(str::to_owned)
            }
            Constant::Told(ToldTable::Query(name)) => {
                question.said.delivery.query.get(name).cloned()
            }
            Constant::Told(ToldTable::Body(path)) => path.text((question.said.payload)()?),
            Constant::Told(ToldTable::Hmac(hmac)) => hmac.text(question),
        };
        let told = self.0.iter().filter_map(|(name, value)| Some((name, text(value)?)));
        told.map(|(name, value)| (name.as_str().to_owned(), value)).collect()
    }
}
