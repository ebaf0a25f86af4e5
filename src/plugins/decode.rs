//! From the bytes of a body to JSON, as the manifest says they are encoded.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::{receipt::Unreadable, words::Cause};

/// How a provider encodes its bodies.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BodyFormat {
    /// As JSON, whatever the content type says: several senders call their JSON plain text.
    #[default]
    Json,
    /// As a web form, or as JSON where the content type says so.
    Form(Form),
}

/// A web form.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// The field that holds the whole payload as JSON; where absent, the fields are the payload.
    json_field: Option<String>,
}

/// What `body` says, as JSON.
pub(super) fn decode(
    format: &BodyFormat,
    body: &[u8],
    content_type: Option<&str>,
) -> Result<Value, Unreadable> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(unreadable("the body is empty".to_owned(), None));
    }
    match format {
        BodyFormat::Json => json(body),
        BodyFormat::Form(_) if content_type.is_some_and(says_json) => json(body),
        BodyFormat::Form(fields) => form(fields, body),
    }
}

fn says_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.ends_with("/json") || kind.ends_with("+json")
}

fn json(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body)
        .map_err(|fault| unreadable(format!("the body is no JSON: {fault}"), None))
}

fn form(form: &Form, body: &[u8]) -> Result<Value, Unreadable> {
    if let Err(fault) = std::str::from_utf8(body) {
        let reason = format!("the form is no UTF-8 from byte {} on", fault.valid_up_to());
        return Err(unreadable(reason, None));
    }
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(body)
        .map_err(|fault| unreadable(format!("the body is no form: {fault}"), None))?;
    let Some(name) = &form.json_field else { return Ok(as_object(fields)) };
    let Some((_, text)) = fields.into_iter().find(|(field, _)| field == name) else {
        return Err(unreadable(format!("the form has no field `{name}`"), None));
    };
    serde_json::from_str(&text).map_err(|fault| {
        unreadable(format!("the form's field `{name}` is no JSON: {fault}"), Some(name.clone()))
    })
}

/// The fields of a form by name; those of one that comes more than once as a list.
fn as_object(fields: Vec<(String, String)>) -> Value {
    let mut object = Map::new();
    for (name, text) in fields {
        let text = Value::String(text);
        match object.get_mut(&name) {
            None => drop(object.insert(name, text)),
            Some(Value::Array(texts)) => texts.push(text),
            Some(first) => *first = Value::Array(vec![first.take(), text]),
        }
    }
    Value::Object(object)
}

fn unreadable(reason: String, path: Option<String>) -> Unreadable {
    Unreadable { cause: Cause::BadBody, reason, file: None, line: None, path }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const JSON: BodyFormat = BodyFormat::Json;
    const FORM: BodyFormat = BodyFormat::Form(Form { json_field: None });

    #[test]
    fn json_is_read_whatever_the_content_type_says() {
        for content_type in [None, Some("text/plain; charset=UTF-8"), Some("application/json")] {
            assert_eq!(decode(&JSON, b"{\"a\": 1}\n", content_type), Ok(json!({"a": 1})));
        }
        assert_eq!(decode(&JSON, b"\xef\xbb\xbf[]", None), Ok(json!([])));
        assert_eq!(decode(&JSON, b"18446744073709551615", None), Ok(json!(u64::MAX)));
        assert_eq!(decode(&JSON, br#""a\u0000b""#, None), Ok(json!("a\0b")));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        let deep = "[".repeat(100_000);
        let huge = "9".repeat(400);
        for (body, reason) in [
            (&b""[..], "the body is empty"),
            (b" \r\n", "the body is empty"),
            (b"\xef\xbb\xbf", "the body is empty"),
            (b"{\"a\": \n  oops}", "the body is no JSON: expected value at line 2 column 3"),
            (b"{\"a\"", "the body is no JSON: EOF while parsing an object at line 1 column 4"),
            (b"{} {}", "the body is no JSON: trailing characters at line 1 column 4"),
            (b"\"\xff\"", "the body is no JSON: invalid unicode code point at line 1 column 2"),
            (deep.as_bytes(), "the body is no JSON: recursion limit exceeded at line 1 column 128"),
            (huge.as_bytes(), "the body is no JSON: number out of range at line 1 column 400"),
        ] {
            let fault = decode(&JSON, body, None).unwrap_err();
            assert_eq!((fault.reason.as_str(), fault.cause), (reason, Cause::BadBody));
        }
    }

    #[test]
    fn a_form_becomes_an_object() {
        let body = b"Name=a+b%26c&Tag=x&Tag=y&Tag=z&Empty=";
        let expected = json!({"Name": "a b&c", "Tag": ["x", "y", "z"], "Empty": ""});
        assert_eq!(decode(&FORM, body, Some("application/x-www-form-urlencoded")), Ok(expected));
        let posted = decode(&FORM, b"{\"Name\": 1}", Some("application/json; charset=utf-8"));
        assert_eq!(posted, Ok(json!({"Name": 1})));
        assert!(decode(&FORM, b"a=\xff", None).unwrap_err().reason.contains("from byte 2 on"));
    }

    #[test]
    fn a_form_may_hold_json_in_one_field() {
        let format = BodyFormat::Form(Form { json_field: Some("payload".to_owned()) });
        assert_eq!(decode(&format, b"payload=%7B%22a%22%3A1%7D&x=y", None), Ok(json!({"a": 1})));
        let missing = decode(&format, b"x=y", None).unwrap_err();
        assert_eq!(missing.reason, "the form has no field `payload`");
        let broken = decode(&format, b"payload=%7B", None).unwrap_err();
        assert_eq!(broken.path.as_deref(), Some("payload"));
        assert!(broken.reason.starts_with("the form's field `payload` is no JSON: EOF"));
    }
}
