//! What is no event but a question that comes before events: recognised, answered, and never turned into one.
//!
//! Some senders ask for an echo of their challenge, others to fetch an address once. Fetching is an effect for the
//! caller: only an address whose host the manifest names comes out of here.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    body_path::BodyPath,
    manifest::{HeaderName, Place},
};
use crate::{domain::delivery::Delivery, outbound};

/// The answer to a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The HTTP status to answer with.
    pub status: u16,
    /// The content type of the answer.
    pub content_type: String,
    /// The answer.
    pub body: String,
    /// What the sender asked, in a sentence, for the receipt.
    pub reason: String,
    /// The address that confirms when it is fetched: https, on a host that the manifest allows.
    pub confirm: Option<String>,
}

/// One kind of handshake, as a manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// How it is recognised; one of these is enough.
    when: Vec<Sign>,
    /// What the sender asks, in a sentence.
    reason: String,
    /// The HTTP status to answer with.
    #[serde(default = "ok")]
    status: Status,
    /// The answer.
    reply: Reply,
    /// What confirms it.
    confirm: Option<Confirm>,
}

/// A place of a delivery, and what stands there.
#[derive(Debug, Deserialize)]
#[serde(try_from = "WrittenSign")]
struct Sign {
    place: Place,
    is: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSign {
    header: Option<HeaderName>,
    body: Option<BodyPath>,
    is: String,
}

/// What is answered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    /// This text.
    Text(String),
    /// The text at this place of the body.
    Echo(BodyPath),
    /// A JSON object whose fields are the texts at these places of the body.
    Json(BTreeMap<String, BodyPath>),
}

/// What confirms a handshake: an address to fetch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    /// Where the body says it.
    url: BodyPath,
    /// What its whole host must match.
    host: HostPattern,
}

/// A pattern that a whole host must match.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct HostPattern(Regex);

/// The status of a good answer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u16")]
struct Status(u16);

/// Why a handshake's description is refused.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("expected either `header` or `body`, and `is`")]
    Sign,
    #[error("`{0}` is no status of a good answer; expected 200 to 299")]
    Status(u16),
    #[error("`{pattern}` is no pattern: {fault}")]
    Pattern { pattern: String, fault: String },
}

const fn ok() -> Status {
    Status(200)
}

impl TryFrom<WrittenSign> for Sign {
    type Error = Fault;

    fn try_from(written: WrittenSign) -> Result<Self, Fault> {
        let WrittenSign { header, body, is } = written;
        match (header, body) {
            (Some(name), None) => Ok(Self { place: Place::Header(name), is }),
            (None, Some(path)) => Ok(Self { place: Place::Body(path), is }),
            (None, None) | (Some(_), Some(_)) => Err(Fault::Sign),
        }
    }
}

impl TryFrom<u16> for Status {
    type Error = Fault;

    fn try_from(status: u16) -> Result<Self, Fault> {
        if (200..300).contains(&status) { Ok(Self(status)) } else { Err(Fault::Status(status)) }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = Fault;

    fn try_from(pattern: String) -> Result<Self, Fault> {
        match Regex::new(&format!(r"\A(?:{pattern})\z")) {
            Ok(regex) => Ok(Self(regex)),
            Err(fault) => {
                let fault = fault.to_string().lines().last().unwrap_or_default().to_owned();
                Err(Fault::Pattern { pattern, fault })
            }
        }
    }
}

/// The answer of the first of `rules` that knows `delivery`; `None` where none does.
pub(super) fn answer(
    rules: &[Rule],
    delivery: &Delivery,
    payload: Option<&Value>,
) -> Option<Handshake> {
    rules.iter().filter(|rule| rule.knows(delivery, payload)).find_map(|rule| rule.answer(payload))
}

impl Rule {
    fn knows(&self, delivery: &Delivery, payload: Option<&Value>) -> bool {
        self.when
            .iter()
            .any(|sign| sign.place.text(delivery, payload).is_some_and(|found| found == sign.is))
    }

    /// The answer; `None` where the body lacks what must be echoed.
    fn answer(&self, payload: Option<&Value>) -> Option<Handshake> {
        let (content_type, body) = self.reply.to(payload)?;
        let (confirm, refused) = match self.confirm.as_ref().map(|confirm| confirm.url(payload)) {
            None => (None, None),
            Some(Ok(url)) => (Some(url), None),
            Some(Err(refused)) => (None, Some(refused)),
        };
        let reason = match refused {
            None => self.reason.clone(),
            Some(refused) => format!("{}; {refused}", self.reason),
        };
        let content_type = content_type.to_owned();
        Some(Handshake { status: self.status.0, content_type, body, reason, confirm })
    }
}

impl Reply {
    fn to(&self, payload: Option<&Value>) -> Option<(&'static str, String)> {
        const TEXT: &str = "text/plain; charset=utf-8";
        match self {
            Self::Text(text) => Some((TEXT, text.clone())),
            Self::Echo(path) => Some((TEXT, path.text(payload?)?)),
            Self::Json(fields) => {
                let mut object = Map::new();
                for (name, path) in fields {
                    object.insert(name.clone(), Value::String(path.text(payload?)?));
                }
                Some(("application/json", Value::Object(object).to_string()))
            }
        }
    }
}

impl Confirm {
    /// The address to fetch, or why there is none, as the end of a sentence.
    fn url(&self, payload: Option<&Value>) -> Result<String, String> {
        let Some(url) = payload.and_then(|payload| self.url.text(payload)) else {
            return Err(format!("the body has no address at `{}`", self.url.as_str()));
        };
        match outbound::https_host(&url) {
            Err(fault) => Err(format!("its address is not fetched: {fault}")),
            Ok(host) if self.host.0.is_match(&host) => Ok(url),
            Ok(host) => {
                Err(format!("its address is not fetched: `{host}` is no host of the sender"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::cases::delivery;

    fn rules(yaml: &str) -> Vec<Rule> {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn a_challenge_is_echoed_as_text_or_as_json() {
        let rules = rules(
            "- {when: [{body: $.type, is: verify}], reason: it checks, reply: {echo: $.challenge}}\n\
             - {when: [{body: '$[0].kind', is: validate}], reason: it validates, status: 201, \
             reply: {json: {answer: '$[0].data.code'}}}\n",
        );
        let ask = |payload: Value| answer(&rules, &delivery(&[], ""), Some(&payload));

        let echoed = ask(json!({"type": "verify", "challenge": "3eZbrw\"<b>"})).unwrap();
        assert_eq!((echoed.status, echoed.body.as_str()), (200, "3eZbrw\"<b>"));
        assert!(echoed.content_type.starts_with("text/plain"));
        assert_eq!(echoed.reason, "it checks");

        let validated = ask(json!([{"kind": "validate", "data": {"code": "a\"b"}}])).unwrap();
        assert_eq!((validated.status, validated.body.as_str()), (201, r#"{"answer":"a\"b"}"#));
        assert_eq!(validated.content_type, "application/json");

        for other in [json!({"type": "event"}), json!({"type": "verify"}), json!([]), json!(1)] {
            assert_eq!(ask(other), None);
        }
        assert_eq!(answer(&rules, &delivery(&[], "oops"), None), None);
    }

    #[test]
    fn a_header_is_enough_where_there_is_no_body() {
        let rules =
            rules("- {when: [{header: X-Event, is: ping}], reason: a ping, reply: {text: ok}}");
        let answered = answer(&rules, &delivery(&[("x-event", "ping")], ""), None).unwrap();
        assert_eq!((answered.body.as_str(), answered.confirm), ("ok", None));
        assert_eq!(answer(&rules, &delivery(&[("x-event", "push")], ""), None), None);
    }

    #[test]
    fn a_wrong_description_is_refused() {
        for (yaml, expected) in [
            ("{when: [{is: x}], reason: r, reply: {text: ok}}", "either `header` or `body`"),
            ("{when: [{header: a, body: $.b, is: x}], reason: r, reply: {text: ok}}", "either"),
            ("{when: [], reason: r, status: 404, reply: {text: ok}}", "`404` is no status"),
            ("{when: [], reason: r, reply: {echo: challenge}}", "`challenge` is no path"),
            (
                "{when: [], reason: r, reply: {text: ok}, confirm: {url: $.u, host: '('}}",
                "`(` is no pattern: error: unclosed group",
            ),
        ] {
            let fault = serde_saphyr::from_str::<Rule>(yaml).unwrap_err().to_string();
            assert!(fault.contains(expected), "{yaml}: {fault}");
        }
    }
}
