//! What an event says: the attributes that a caller sends, the checks that they pass, and what is kept of them.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        hidden::looked_at,
        kind::{
            Classification, EventKind, EventSeverity, Kinds, Misfit, ParameterType, Visibility,
            is_own, kind_fault, repeated,
        },
    },
    error::{Code, Error, Mistake, Result},
    value::time,
};

/// Where the attributes stand in a request.
const AT: &str = "/data/attributes";

/// The source of what is recorded of Alertmill itself.
pub(super) const OWN_SOURCE: &str = "alertmill";

/// The longest name of anything in an event, in characters.
const LONGEST_NAME: usize = 255;

/// The longest text in an event, in characters.
const LONGEST_TEXT: usize = 10_000;

/// The most parameters, resources or tags that an event has of each.
const MOST: usize = 100;

/// What an event says. In a request each may be absent; what is shown has what could be filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// The service that it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What happened, in dot notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// When it happened: seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size; zero
    /// counts as absent. Where it is filled in, it is milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_uint64: Option<u64>,
    /// The same as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_uint64_str: Option<String>,
    /// When it happened, in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_iso8601: Option<String>,
    /// Its parameters that are texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters_text: Option<Vec<TextParameter>>,
    /// Its parameters that are whole numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters_uint64: Option<Vec<NumberParameter>>,
    /// What happened, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How bad it is; needed where its kind has no definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<EventSeverity>,
    /// Labels to find it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// What it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affected_resources: Option<Vec<AffectedResource>>,
    /// What it is about; needed where its kind has no definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// Whether the system did it, not a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_event: Option<bool>,
    /// Whom it is shown to; `internal` where neither it nor its kind says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
}

/// A parameter that is a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextParameter {
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// A parameter that is a whole number from zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberParameter {
    /// Its name.
    pub name: String,
    /// The number.
    pub value: u64,
}

/// Something that an event happened to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AffectedResource {
    /// What it is, e.g. `project`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its identifier.
    pub id_str: String,
    /// Its number, where its system numbers such things.
    #[serde(default)]
    pub id: i64,
    /// What people call it.
    #[serde(default)]
    pub name: String,
}

/// An event whose attributes are as they should be, with what could be filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checked {
    /// The service that it happened in.
    pub(super) source: String,
    /// What happened.
    pub(super) kind: String,
    /// When it happened.
    pub(super) occurred_at: Timestamp,
    /// All else.
    pub(super) rest: Attributes,
}

/// The mistakes that were found in attributes.
#[derive(Debug, Default)]
struct Found(Vec<(Code, Mistake)>);

impl Found {
    fn add(&mut self, code: Code, place: &str, detail: impl Into<String>) {
        let mistake = Mistake { pointer: format!("{AT}/{place}"), detail: detail.into() };
        self.0.push((code, mistake));
    }

    /// A name that must be there.
    fn name(&mut self, place: &str, given: Option<&String>) -> String {
        let text = given.map_or("", |text| text.trim()).to_owned();
        if text.is_empty() {
            self.add(Code::RequiredParameter, place, format!("`{place}` is required"));
        }
        self.short(place, &text, LONGEST_NAME);
        text
    }

    fn short(&mut self, place: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.add(Code::InvalidParameter, place, format!("it has at most {most} characters"));
        }
    }

    fn few(&mut self, place: &str, count: usize) {
        if count > MOST {
            self.add(Code::InvalidParameter, place, format!("there are at most {MOST} of them"));
        }
    }

    /// All of it as one error, if there is any.
    fn into_error(self) -> Option<Error> {
        let (code, first) = self.0.first()?.clone();
        let mistakes = self.0.into_iter().map(|(_, mistake)| mistake).collect();
        Some(Error { mistakes, ..Error::new(code, first.detail) })
    }
}

impl Attributes {
    /// These, checked and filled in: by the definition of the event's kind where there is one, and by the time that it
    /// was received where it says none.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its place.
    pub(super) fn checked(mut self, kinds: &Kinds, now: Timestamp) -> Result<Checked> {
        let mut found = Found::default();
        let source = found.name("source", self.source.take().as_ref());
        let kind = found.name("kind", self.kind.take().as_ref());
        if looked_at(&source) == OWN_SOURCE {
            let detail = format!("`{OWN_SOURCE}` is what this server says of itself");
            found.add(Code::InvalidParameter, "source", detail);
        }
        if let Some(fault) = kind_fault(&kind).filter(|_| !kind.is_empty()) {
            found.add(Code::InvalidParameter, "kind", fault);
        } else if is_own(&kind) {
            let detail =
                "kinds that begin with `Alertmill.` are those of this server's own records";
            found.add(Code::InvalidParameter, "kind", detail);
        }
        self.check_sizes(&mut found);
        self.check_names(&mut found);
        let definition = kinds.get(&kind);
        match definition {
            Some(definition) => self.fit(definition, &mut found),
            None => self.stand_alone(&kind, &mut found),
        }
        let occurred_at = self.timed(now, &mut found);
        self.visibility.get_or_insert(Visibility::Internal);
        self.system_event.get_or_insert(false);
        match found.into_error() {
            Some(error) => Err(error),
            None => Ok(Checked { source, kind, occurred_at, rest: self }),
        }
    }

    fn check_sizes(&self, found: &mut Found) {
        found.short("description", self.description.as_deref().unwrap_or_default(), LONGEST_TEXT);
        let tags = self.tags.as_deref().unwrap_or_default();
        found.few("tags", tags.len());
        for (at, tag) in tags.iter().enumerate() {
            found.short(&format!("tags/{at}"), tag, LONGEST_NAME);
        }
        let resources = self.affected_resources.as_deref().unwrap_or_default();
        found.few("affected_resources", resources.len());
        for (at, resource) in resources.iter().enumerate() {
            let AffectedResource { resource_type, id_str, id: _, name } = resource;
            for (field, text) in [("type", resource_type), ("id_str", id_str), ("name", name)] {
                found.short(&format!("affected_resources/{at}/{field}"), text, LONGEST_NAME);
            }
        }
        let texts = self.parameters_text.as_deref().unwrap_or_default();
        found.few("parameters_text", texts.len());
        for (at, TextParameter { value, .. }) in texts.iter().enumerate() {
            found.short(&format!("parameters_text/{at}/value"), value, LONGEST_TEXT);
        }
        let numbers = self.parameters_uint64.as_deref().unwrap_or_default();
        found.few("parameters_uint64", numbers.len());
    }

    /// The names of the parameters, by the list that they stand in.
    fn names(&self) -> [(&'static str, Vec<&str>); 2] {
        let texts = self.parameters_text.as_deref().unwrap_or_default();
        let numbers = self.parameters_uint64.as_deref().unwrap_or_default();
        [
            (list_of(ParameterType::Text), texts.iter().map(|it| it.name.as_str()).collect()),
            (list_of(ParameterType::Uint64), numbers.iter().map(|it| it.name.as_str()).collect()),
        ]
    }

    /// Parameters have names, and no two have one.
    fn check_names(&self, found: &mut Found) {
        let [(texts, of_texts), (numbers, of_numbers)] = self.names();
        for (list, names) in [(texts, &of_texts), (numbers, &of_numbers)] {
            for (at, name) in names.iter().enumerate() {
                let place = format!("{list}/{at}/name");
                found.short(&place, name, LONGEST_NAME);
                if name.trim().is_empty() {
                    found.add(Code::InvalidParameter, &place, "a parameter has a name");
                }
            }
        }
        let all = of_texts.iter().chain(&of_numbers).copied();
        if let Some((at, name)) = repeated(all) {
            let place = match at.checked_sub(of_texts.len()) {
                None => format!("{texts}/{at}/name"),
                Some(at) => format!("{numbers}/{at}/name"),
            };
            found.add(Code::InvalidParameter, &place, format!("`{name}` is given twice"));
        }
    }

    /// Fills in what the definition of the kind says; its parameters must be those that it has.
    fn fit(&mut self, definition: &EventKind, found: &mut Found) {
        let [(_, texts), (_, numbers)] = self.names();
        for Misfit { list, at, detail } in definition.misfits(&texts, &numbers) {
            let list = list_of(list);
            let place = at.map_or_else(|| list.to_owned(), |at| format!("{list}/{at}/name"));
            found.add(Code::InvalidParameter, &place, detail);
        }
        self.severity.get_or_insert(definition.severity);
        self.classification.get_or_insert(definition.classification);
        self.visibility.get_or_insert(definition.visibility);
        self.description.get_or_insert_with(|| definition.description.clone());
    }

    /// An event of a kind without a definition says itself what it is.
    fn stand_alone(&self, kind: &str, found: &mut Found) {
        let missing = [
            ("severity", self.severity.is_none()),
            ("classification", self.classification.is_none()),
        ];
        for (field, _) in missing.iter().filter(|(_, is_missing)| *is_missing) {
            let detail =
                format!("`{field}` is required, since the kind `{kind}` has no definition");
            found.add(Code::RequiredParameter, field, detail);
        }
    }

    /// When it happened; the spellings of it that are absent are filled in.
    fn timed(&mut self, now: Timestamp, found: &mut Found) -> Timestamp {
        if let Some(text) = self.timestamp_uint64_str.take().filter(|text| !text.is_empty()) {
            match text.parse() {
                Ok(number) => {
                    self.timestamp_uint64.get_or_insert(number);
                }
                Err(_) => found.add(
                    Code::InvalidParameter,
                    "timestamp_uint64_str",
                    "it is a whole number, written as a text",
                ),
            }
        }
        let number = self.timestamp_uint64.filter(|number| *number > 0);
        let text = self.timestamp_iso8601.take().filter(|text| !text.is_empty());
        let given = [
            ("timestamp_iso8601", text.as_ref().map(|text| json!(text))),
            ("timestamp_uint64", number.map(|number| json!(number))),
        ];
        let mut occurred_at = None;
        for (place, value) in given {
            let Some(value) = value else { continue };
            match read(&value) {
                Some(time) => {
                    occurred_at.get_or_insert(time);
                }
                None => found.add(Code::InvalidParameter, place, "it is no time"),
            }
        }
        let occurred_at = occurred_at.unwrap_or(now);
        let millis = u64::try_from(occurred_at.timestamp_millis()).unwrap_or_default();
        let number = number.unwrap_or(millis);
        self.timestamp_uint64 = Some(number);
        self.timestamp_uint64_str = Some(number.to_string());
        self.timestamp_iso8601 = Some(text.unwrap_or_else(|| rfc3339(occurred_at)));
        occurred_at
    }
}

fn read(value: &Value) -> Option<Timestamp> {
    time::auto(value, Tz::UTC)
}

/// The attribute that parameters of a type stand in.
pub(super) const fn list_of(holds: ParameterType) -> &'static str {
    match holds {
        ParameterType::Text => "parameters_text",
        ParameterType::Uint64 => "parameters_uint64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::kinds;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn check(attributes: Value) -> Result<Checked> {
        let attributes: Attributes = serde_json::from_value(attributes).unwrap();
        attributes.checked(&kinds::load(None).unwrap(), now())
    }

    fn places(attributes: Value) -> Vec<String> {
        let error = check(attributes).unwrap_err();
        error.mistakes.iter().map(|it| it.pointer.replace("/data/attributes/", "")).collect()
    }

    fn secret() -> Value {
        json!({
            "source": "projects", "kind": "Software.Project.Secret.Created",
            "parameters_text": [
                { "name": "secret_name", "value": "mine" }, { "name": "project", "value": "p" },
            ],
        })
    }

    #[test]
    fn a_definition_says_what_an_event_does_not() {
        let Checked { rest, .. } = check(secret()).unwrap();
        assert_eq!(rest.severity, Some(EventSeverity::Info));
        assert_eq!(rest.visibility, Some(Visibility::External));
        let mut worse = secret();
        worse["severity"] = json!("major");
        assert_eq!(check(worse).unwrap().rest.severity, Some(EventSeverity::Major));
    }

    #[test]
    fn a_parameter_that_does_not_fit_has_its_place() {
        let mut wrong = secret();
        wrong["parameters_text"][1]["name"] = json!("proyect");
        assert_eq!(places(wrong), ["parameters_text/1/name", "parameters_text"]);
        let mut twice = secret();
        twice["parameters_uint64"] = json!([{ "name": "project", "value": 1 }]);
        assert_eq!(places(twice), ["parameters_uint64/0/name", "parameters_uint64/0/name"]);
    }

    #[test]
    fn a_kind_without_a_definition_needs_a_severity_and_a_classification() {
        let unknown = json!({ "source": "s", "kind": "My.Own" });
        assert_eq!(places(unknown), ["severity", "classification"]);
        let said = json!({ "source": "s", "kind": "My.Own", "severity": "debug", "classification": "cap" });
        let checked = check(said).unwrap();
        assert_eq!(checked.rest.visibility, Some(Visibility::Internal));
    }

    #[test]
    fn what_is_no_event_is_refused_with_all_that_is_wrong() {
        assert_eq!(places(json!({})), ["source", "kind", "severity", "classification"]);
        let own = json!({ "source": "Alertmill", "kind": "Alertmill.user.login", "severity": "info", "classification": "sec" });
        assert_eq!(places(own), ["source", "kind"]);
        let mut long = secret();
        long["description"] = json!("x".repeat(10_001));
        long["tags"] = json!(vec!["t"; 101]);
        assert_eq!(places(long), ["description", "tags"]);
    }

    #[test]
    fn the_spellings_of_its_time_that_are_absent_are_filled_in() {
        let timed = |field: &str, value: Value| {
            let mut event = secret();
            event[field] = value;
            let Checked { rest, occurred_at, .. } = check(event).unwrap();
            (rest.timestamp_iso8601.unwrap(), rest.timestamp_uint64.unwrap(), rfc3339(occurred_at))
        };
        let moment = "2025-06-01T10:00:00.000Z".to_owned();
        let iso = "2025-06-01T12:00:00+02:00";
        assert_eq!(
            timed("timestamp_iso8601", json!(iso)),
            (iso.to_owned(), 1_748_772_000_000, moment.clone())
        );
        assert_eq!(
            timed("timestamp_uint64", json!(1_748_772_000)),
            (moment.clone(), 1_748_772_000, moment.clone())
        );
        assert_eq!(
            timed("timestamp_uint64_str", json!("1748772000000000000")),
            (moment.clone(), 1_748_772_000_000_000_000, moment)
        );
        let (_, _, received) = timed("timestamp_uint64", json!(0));
        assert_eq!(received, rfc3339(now()));
        let mut wrong = secret();
        wrong["timestamp_iso8601"] = json!("yesterday");
        assert_eq!(places(wrong), ["timestamp_iso8601"]);
    }
}
