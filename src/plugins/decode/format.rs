//! How a manifest says that bodies are encoded: `body: json`, or `body: {text: {line: …}}`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{text::Lines, web_form::Form, xml::Xml};

/// How a provider encodes its bodies.
#[derive(Debug, Default)]
pub(in crate::plugins) enum BodyFormat {
    /// As JSON, whatever the content type says: several senders call their JSON plain text.
    #[default]
    Json,
    /// As JSON with the mistakes that senders make who write it with templates.
    LenientJson,
    /// As JSON documents, one a line.
    Ndjson,
    /// As a web form, or as JSON where the content type says so.
    Form(Form),
    /// As the parts of a form with files.
    Multipart,
    /// As text for people.
    Text(Lines),
    /// As XML.
    Xml(Xml),
    /// As the content type says, else as JSON.
    Auto,
}

/// The names of all formats, for messages.
const NAMES: &[&str] =
    &["json", "lenient_json", "ndjson", "form", "multipart", "text", "xml", "auto"];

/// The formats that take options, as a manifest writes them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// A web form.
    form: Option<Form>,
    /// Text for people.
    text: Option<Lines>,
    /// XML.
    xml: Option<Xml>,
}

impl<'de> Deserialize<'de> for BodyFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrOptions)
    }
}

struct NameOrOptions;

impl<'de> Visitor<'de> for NameOrOptions {
    type Value = BodyFormat;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}, or a table with one of form, text, xml", NAMES.join(", "))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<BodyFormat, E> {
        Ok(match name {
            "json" => BodyFormat::Json,
            "lenient_json" => BodyFormat::LenientJson,
            "ndjson" => BodyFormat::Ndjson,
            "form" => BodyFormat::Form(Form::default()),
            "multipart" => BodyFormat::Multipart,
            "text" => BodyFormat::Text(Lines::default()),
            "xml" => BodyFormat::Xml(Xml::default()),
            "auto" => BodyFormat::Auto,
            other => return Err(E::unknown_variant(other, NAMES)),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BodyFormat, A::Error> {
        match Options::deserialize(MapAccessDeserializer::new(map))? {
            Options { form: Some(form), text: None, xml: None } => Ok(BodyFormat::Form(form)),
            Options { form: None, text: Some(lines), xml: None } => Ok(BodyFormat::Text(lines)),
            Options { form: None, text: None, xml: Some(xml) } => Ok(BodyFormat::Xml(xml)),
            Options { form: _, text: _, xml: _ } => {
                Err(A::Error::custom("expected one of `form`, `text` and `xml`"))
            }
        }
    }
}

impl JsonSchema for BodyFormat {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("BodyFormat")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let options = generator.subschema_for::<Options>();
        json_schema!({
            "description": "How a provider encodes its bodies.",
            "anyOf": [{ "enum": NAMES }, options],
        })
    }
}
