//! A password as somebody typed it: it is never shown, whatever goes wrong.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use crate::digest::Secret;

/// A password, or another secret, that a request holds.
#[derive(Clone)]
pub struct Typed(Secret);

impl Typed {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The secret itself, to be taken along.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl From<&str> for Typed {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The usual message quotes what it found.
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text.into())),
            _ => Err(D::Error::custom("it is no text, and a secret is one")),
        }
    }
}

impl JsonSchema for Typed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Typed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_quoted_by_no_mistake() {
        let wrong = serde_json::from_str::<Typed>("4711").unwrap_err().to_string();
        assert!(!wrong.contains("4711"), "{wrong}");
        let typed: Typed = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!((format!("{typed:?}").as_str(), typed.reveal()), ("Typed(…)", "hunter2"));
    }
}
