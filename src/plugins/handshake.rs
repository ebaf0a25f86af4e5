//! What is no event but a question that comes before events: recognised, answered, and never turned into one.
//!
//! Some senders ask for an echo of their challenge, others for proof that we know the secret, others to fetch an address
//! once. Fetching is an effect for the caller: only an address whose host the manifest names comes out of here.

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    body_path::BodyPath,
    place::{HeaderName, NoPlace, Place, Said},
    reply::{Headers, Reply},
};
use crate::{domain::webhook::SigningSecret, outbound};

/// The answer to a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The HTTP status to answer with.
    pub status: u16,
    /// The content type of the answer.
    pub content_type: String,
    /// Further headers of the answer.
    pub headers: Vec<(String, String)>,
    /// The answer.
    pub body: String,
    /// What the sender asked, in a sentence, for the receipt.
    pub reason: String,
    /// The address that confirms when it is fetched: https, on a host that the manifest allows.
    pub confirm: Option<String>,
}

/// The HTTP method that something is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// It asks for an answer, and has no body.
    Get,
    /// It asks whether there would be an answer.
    Head,
    /// It asks what is allowed.
    Options,
    /// It delivers.
    Post,
}

/// What is asked of us before events come.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// The HTTP method.
    pub(super) method: Method,
    /// What it says.
    pub(super) said: Said<'a>,
    /// The webhook's signing secrets.
    pub(super) secrets: &'a [SigningSecret],
}

/// One kind of handshake, as a manifest describes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// The HTTP methods it comes with; POST where absent.
    #[serde(default = "post")]
    method: Vec<Method>,
    /// How it is recognised; one of these is enough. Where absent, the method is.
    #[serde(default)]
    when: Vec<Sign>,
    /// What the sender asks, in a sentence.
    reason: String,
    /// The HTTP status to answer with.
    #[serde(default = "ok")]
    status: Status,
    /// The answer.
    reply: Reply,
    /// Further headers of the answer.
    #[serde(default)]
    headers: Headers,
    /// What confirms it.
    confirm: Option<Confirm>,
}

/// A place of a delivery, and what stands there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenSign")]
#[schemars(with = "WrittenSign")]
struct Sign {
    place: Place,
    is: Option<String>,
}

/// A place of a delivery, and what stands there, as a manifest writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenSign {
    /// This header.
    header: Option<HeaderName>,
    /// This parameter of the query string.
    query: Option<String>,
    /// This place of the decoded body.
    body: Option<BodyPath>,
    /// The text that stands there.
    is: Option<String>,
    /// `true`, where it is enough that something stands there.
    exists: Option<bool>,
}

/// What confirms a handshake: an address to fetch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenConfirm")]
#[schemars(with = "WrittenConfirm")]
struct Confirm {
    address: Place,
    host: HostPattern,
}

/// What confirms a handshake, as a manifest writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenConfirm {
    /// Where the body says the address.
    url: Option<BodyPath>,
    /// The header that says the address.
    header: Option<HeaderName>,
    /// What its whole host must match.
    host: HostPattern,
}

/// A pattern that a whole host must match.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(super) struct HostPattern(Regex);

/// The status of a good answer.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "u16")]
#[schemars(with = "u16")]
struct Status(u16);

/// Why a handshake's description is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("expected one of `header`, `query` and `body`, and either `is` or `exists: true`")]
    Sign,
    #[error("expected either `url` or `header`, and `host`")]
    Confirm,
    #[error("`{0}` is no status of a good answer; expected 200 to 299")]
    Status(u16),
    #[error("`{pattern}` is no pattern: {fault}")]
    Pattern { pattern: String, fault: String },
}

const fn ok() -> Status {
    Status(200)
}

fn post() -> Vec<Method> {
    vec![Method::Post]
}

impl TryFrom<WrittenSign> for Sign {
    type Error = Fault;

    fn try_from(written: WrittenSign) -> Result<Self, Fault> {
        let WrittenSign { header, query, body, is, exists } = written;
        let place = Place::of(header, query, body).map_err(|NoPlace| Fault::Sign)?;
        match (&is, exists) {
            (Some(_), None) | (None, Some(true)) => Ok(Self { place, is }),
            (Some(_), Some(_)) | (None, None | Some(false)) => Err(Fault::Sign),
        }
    }
}

impl TryFrom<WrittenConfirm> for Confirm {
    type Error = Fault;

    fn try_from(written: WrittenConfirm) -> Result<Self, Fault> {
        let WrittenConfirm { url, header, host } = written;
        let address = Place::of(header, None, url).map_err(|NoPlace| Fault::Confirm)?;
        Ok(Self { address, host })
    }
}

impl TryFrom<u16> for Status {
    type Error = Fault;

    fn try_from(status: u16) -> Result<Self, Fault> {
        if (200..300).contains(&status) { Ok(Self(status)) } else { Err(Fault::Status(status)) }
    }
}

impl HostPattern {
    /// Whether it is one of the hosts that are meant.
    pub(super) fn allows(&self, host: &str) -> bool {
        self.0.is_match(host)
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

/// The answer of the first of `rules` that knows the question; `None` where none does.
pub(super) fn answer(rules: &[Rule], question: Question<'_>) -> Option<Handshake> {
    rules.iter().filter(|rule| rule.knows(question)).find_map(|rule| rule.answer(question))
}

impl Rule {
    /// Whether its answer shows that we know the webhook's signing secret.
    pub(super) fn needs_secret(&self) -> bool {
        self.reply.needs_secret()
    }

    fn knows(&self, question: Question<'_>) -> bool {
        let shows = |sign: &Sign| match &sign.is {
            Some(text) => sign.place.text(question.said).is_some_and(|found| found == *text),
            None => sign.place.is_there(question.said),
        };
        self.method.contains(&question.method)
            && (self.when.is_empty() || self.when.iter().any(shows))
    }

    /// The answer; `None` where the question lacks what must be echoed, or the webhook the secret it takes.
    fn answer(&self, question: Question<'_>) -> Option<Handshake> {
        let (content_type, body) = self.reply.to(question)?;
        let (confirm, refused) = match self.confirm.as_ref().map(|confirm| confirm.url(question)) {
            None => (None, None),
            Some(Ok(url)) => (Some(url), None),
            Some(Err(refused)) => (None, Some(refused)),
        };
        let reason = match refused {
            None => self.reason.clone(),
            Some(refused) => format!("{}; {refused}", self.reason),
        };
        let (status, content_type) = (self.status.0, content_type.to_owned());
        let headers = self.headers.to(question);
        Some(Handshake { status, content_type, headers, body, reason, confirm })
    }
}

impl Confirm {
    /// The address to fetch, or why there is none, as the end of a sentence.
    fn url(&self, question: Question<'_>) -> Result<String, String> {
        let Some(url) = self.address.text(question.said) else {
            return Err(format!("there is no address in the {}", self.address));
        };
        match outbound::https_host(&url) {
            Err(fault) => Err(format!("its address is not fetched: {fault}")),
            Ok(host) if self.host.allows(&host) => Ok(url),
            Ok(host) => {
                Err(format!("its address is not fetched: `{host}` is no host of the sender"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        digest::{hex, hmac_sha256},
        domain::delivery::Delivery,
        plugins::cases::delivery,
    };

    /// The answer to a question of a webhook whose signing secret is `key`.
    fn asked(
        rules: &[Rule],
        method: Method,
        delivery: &Delivery,
        payload: Option<&Value>,
    ) -> Option<Handshake> {
        let secrets = [SigningSecret("key".to_owned())];
        let said = Said { delivery, payload: &|| payload };
        answer(rules, Question { method, said, secrets: &secrets })
    }

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
        let ask = |payload: Value| asked(&rules, Method::Post, &delivery(&[], ""), Some(&payload));

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
        assert_eq!(asked(&rules, Method::Post, &delivery(&[], "oops"), None), None);
    }

    #[test]
    fn a_header_is_enough_where_there_is_no_body() {
        let rules =
            rules("- {when: [{header: X-Event, is: ping}], reason: a ping, reply: {text: ok}}");
        let answered =
            asked(&rules, Method::Post, &delivery(&[("x-event", "ping")], ""), None).unwrap();
        assert_eq!((answered.body.as_str(), answered.confirm), ("ok", None));
        assert_eq!(asked(&rules, Method::Post, &delivery(&[("x-event", "push")], ""), None), None);
    }

    #[test]
    fn a_wrong_description_is_refused() {
        for (yaml, expected) in [
            (
                "{when: [{is: x}], reason: r, reply: {text: ok}}",
                "expected one of `header`, `query` and `body`",
            ),
            (
                "{when: [{header: a, body: $.b, is: x}], reason: r, reply: {text: ok}}",
                "expected one of",
            ),
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

    #[test]
    fn proof_of_the_secret_is_given_for_a_text_of_the_query_or_the_body() {
        let rules = rules(
            "- {method: [GET], when: [{query: crc_token, exists: true}], reason: a challenge, \
             reply: {json: {response_token: {hmac: {of: {query: crc_token}, encoding: base64, \
             prefix: 'sha256='}}}}}\n\
             - {when: [{body: $.kind, is: validate}], reason: a challenge, \
             reply: {json: {plain: $.plain, encrypted: {hmac: {of: {body: $.plain}}}}}}\n",
        );
        let mut get = delivery(&[], "");
        get.query.insert("crc_token".to_owned(), "abc".to_owned());
        let answered = asked(&rules, Method::Get, &get, None).unwrap();
        // Self-made: HMAC-SHA256 of `abc` under `key`, in base64.
        let token = "sha256=nBluMtwBdfhvSxy4konWYZ3mvuaZ5MN45oMJ7Zehpqs=";
        assert_eq!(answered.body, format!(r#"{{"response_token":"{token}"}}"#));
        assert_eq!(asked(&rules, Method::Post, &get, None), None, "a challenge is no delivery");

        let payload = json!({"kind": "validate", "plain": "abc"});
        let answered = asked(&rules, Method::Post, &delivery(&[], ""), Some(&payload)).unwrap();
        let tag = hex(&hmac_sha256(b"key", b"abc"));
        assert_eq!(answered.body, format!(r#"{{"encrypted":"{tag}","plain":"abc"}}"#));

        let said = Said { delivery: &get, payload: &|| None };
        let question = Question { method: Method::Get, said, secrets: &[] };
        assert_eq!(answer(&rules, question), None, "without a secret nothing is proved");
    }

    #[test]
    fn an_answer_may_have_headers_of_its_own_and_an_address_may_come_in_one() {
        let rules = rules(
            "- {method: [OPTIONS], reason: it asks, reply: {text: ''}, \
             headers: {Allowed-Origin: {header: Request-Origin}, Rate: '*', None: {header: None}}}\n\
             - {when: [{header: Confirmation-URL, exists: true}], reason: it confirms, \
             reply: {text: ok}, confirm: {header: Confirmation-URL, host: 'hooks\\.example\\.com'}}\n",
        );
        let from = delivery(&[("Request-Origin", "events.example.com")], "");
        let answered = asked(&rules, Method::Options, &from, None).unwrap();
        let expected = [("allowed-origin", "events.example.com"), ("rate", "*")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(answered.headers, expected);
        assert_eq!(asked(&rules, Method::Get, &from, None), None);

        let url = "https://hooks.example.com/confirm?x=1";
        let named = delivery(&[("Confirmation-URL", url)], "no JSON");
        let answered = asked(&rules, Method::Post, &named, None).unwrap();
        assert_eq!(answered.confirm.as_deref(), Some(url));
        let elsewhere = delivery(&[("Confirmation-URL", "https://evil.example.org/")], "");
        let answered = asked(&rules, Method::Post, &elsewhere, None).unwrap();
        assert_eq!(answered.confirm, None);
        assert!(answered.reason.contains("`evil.example.org` is no host"), "{}", answered.reason);
    }
}
