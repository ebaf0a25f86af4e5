//! Texts with holes for what an event says: `{{ additional_info.cluster | upper }} is down`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use super::subject::{KNOWN, said};
use crate::load_error::did_you_mean;

/// The longest template, in characters.
const LONGEST: usize = 1000;

/// The longest text that one makes, in characters; what is beyond is cut off.
const LONGEST_MADE: usize = 4000;

/// A text with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    written: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Vec<String>, Vec<Filter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Lower,
    Upper,
    Trim,
}

/// What a template made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// The text, without blanks around it.
    pub(super) text: String,
    /// The holes that nothing was found for, as they are written.
    pub(super) missing: Vec<String>,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl Template {
    /// Reads a template. Its holes name fields of an event that are known when rules are asked, and paths below them.
    pub fn parse(written: &str) -> Result<Self, TemplateError> {
        if written.trim().is_empty() {
            return Err(TemplateError("the template is empty".to_owned()));
        }
        if written.chars().count() > LONGEST {
            return Err(TemplateError(format!("a template has at most {LONGEST} characters")));
        }
        let (mut parts, mut rest) = (Vec::new(), written);
        while let Some((text, behind)) = rest.split_once("{{") {
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let Some((hole, behind)) = behind.split_once("}}") else {
                return Err(TemplateError("a `{{` has no `}}` behind it".to_owned()));
            };
            parts.push(hole_of(hole)?);
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { written: written.to_owned(), parts })
    }

    /// As it is written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether one of its holes is filled with this field, or with what is below it.
    pub fn uses(&self, field: &str) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Hole(path, _) => path.first().is_some_and(|first| first == field),
        })
    }

    /// The text that it makes of `record`; a hole that nothing is found for is empty.
    pub(super) fn made_of(&self, record: &Value) -> Made {
        let (mut text, mut missing) = (String::new(), Vec::new());
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Hole(path, filters) => match said(record, path) {
                    Some(found) => {
                        text.push_str(&filters.iter().fold(found, |text, filter| filter.of(&text)));
                    }
                    None => missing.push(path.join(".")),
                },
            }
        }
        let text = text.trim().chars().take(LONGEST_MADE).collect();
        Made { text, missing }
    }
}

fn hole_of(hole: &str) -> Result<Part, TemplateError> {
    let mut words = hole.split('|').map(str::trim);
    let path: Vec<String> =
        words.next().unwrap_or_default().split('.').map(str::to_owned).collect();
    let field = path.first().map(String::as_str).unwrap_or_default();
    if !KNOWN.contains(&field) {
        let mut hint = did_you_mean(field, KNOWN.iter().copied());
        if hint.is_empty() {
            hint = format!("; they know {}", KNOWN.join(", "));
        }
        let detail = format!("`{{{{{hole}}}}}` names no field of an event that rules know{hint}");
        return Err(TemplateError(detail));
    }
    if path.iter().any(String::is_empty) {
        return Err(TemplateError(format!("`{{{{{hole}}}}}` has an empty step in its path")));
    }
    let filters = words.map(|word| match word {
        "lower" => Ok(Filter::Lower),
        "upper" => Ok(Filter::Upper),
        "trim" => Ok(Filter::Trim),
        other => {
            Err(TemplateError(format!("unknown filter `{other}`; there are lower, upper, trim")))
        }
    });
    Ok(Part::Hole(path, filters.collect::<Result<_, _>>()?))
}

impl Filter {
    fn of(self, text: &str) -> String {
        match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Trim => text.trim().to_owned(),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Template {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": LONGEST })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(template: &str, record: &Value) -> String {
        Template::parse(template).unwrap().made_of(record).text
    }

    #[test]
    fn holes_are_filled_with_what_the_event_says() {
        let record = json!({
            "title": "disk full", "resources": ["db-1", "db-2"],
            "additional_info": {"cluster": "eu1", "pods": [{"name": "a"}, {"name": "b"}], "n": 5},
        });
        assert_eq!(
            made("[{{additional_info.cluster | upper}}] {{ title }}", &record),
            "[EU1] disk full"
        );
        assert_eq!(
            made("{{resources}}; {{additional_info.pods.name}}", &record),
            "db-1, db-2; a, b"
        );
        assert_eq!(
            made("{{additional_info.n}} of {{ additional_info.pods.1.name }}", &record),
            "5 of b"
        );
    }

    #[test]
    fn a_hole_that_nothing_is_found_for_is_empty_and_told() {
        let record = json!({ "title": null, "resources": [], "additional_info": {} });
        let made = Template::parse("a{{title}}{{resources}}{{additional_info.x}}b").unwrap();
        let made = made.made_of(&record);
        assert_eq!(made.text, "ab");
        assert_eq!(made.missing, ["title", "resources", "additional_info.x"]);
    }

    #[test]
    fn what_is_no_template_is_refused_with_what_was_expected() {
        let told = |text: &str| Template::parse(text).unwrap_err().to_string();
        assert!(told("{{ titel }}").contains("did you mean `title`?"), "{}", told("{{ titel }}"));
        assert!(told("{{ raw_data.x }}").contains("names no field"));
        assert!(told("{{ title").contains("has no `}}`"));
        assert!(told("{{ title | shout }}").contains("unknown filter `shout`"));
        assert!(told("{{ additional_info..x }}").contains("empty step"));
        assert!(told("  ").contains("empty"));
    }
}
