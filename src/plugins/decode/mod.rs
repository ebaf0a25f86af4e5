//! From the bytes of a body to JSON, as the manifest says they are encoded.
//!
//! Each format reads in time and memory proportional to the body, whose size was limited at the door, and none makes
//! anything nested deeper than [`DEPTH`]. What cannot be read is told with its place: the delivery is kept as it came.

mod charset;
mod format;
mod json;
mod multipart;
mod text;
mod web_form;
mod xml;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Map, Value};

pub(super) use self::format::BodyFormat;
use crate::domain::{receipt::Unreadable, words::Cause};

/// How deeply what comes out of a body is nested at most; what reads it may go down without counting.
const DEPTH: usize = 128;

/// What `body` says, as JSON.
pub(super) fn decode(
    format: &BodyFormat,
    body: &[u8],
    content_type: Option<&str>,
) -> Result<Value, Unreadable> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(unreadable("the body is empty".to_owned()));
    }
    let kind = kind_of(content_type);
    let is_json = kind.ends_with("/json") || kind.ends_with("+json");
    match format {
        BodyFormat::Multipart => return multipart::decode(body, content_type),
        BodyFormat::Auto if kind == "multipart/form-data" => {
            return multipart::decode(body, content_type);
        }
        _ => {}
    }
    let body = &*charset::to_utf8(body, content_type)?;
    match format {
        BodyFormat::Json | BodyFormat::Multipart => json::strict(body),
        BodyFormat::LenientJson => json::lenient(body),
        BodyFormat::Ndjson => json::lines(body),
        BodyFormat::Form(_) if is_json => json::strict(body),
        BodyFormat::Form(form) => web_form::decode(form, body),
        BodyFormat::Text(lines) => text::decode(lines, body),
        BodyFormat::Xml(xml) => xml::decode(xml, body),
        BodyFormat::Auto => match kind.as_str() {
            "application/x-www-form-urlencoded" => web_form::or_json(body),
            "application/xml" | "text/xml" => xml::decode(&xml::Xml::default(), body),
            kind if kind.ends_with("+xml") => xml::decode(&xml::Xml::default(), body),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/jsonlines"
            | "application/x-jsonlines" => json::lines(body),
            _ => json::strict(body),
        },
    }
}

/// What a text in XML says, as JSON; the elements named in `lists` are lists even where there is one.
#[cfg(feature = "plugins-js")]
pub(super) fn xml(lists: BTreeSet<String>, text: &str) -> Result<Value, Unreadable> {
    xml::decode(&xml::Xml { lists }, text.as_bytes())
}

/// What a content type says, without its parameters, in lower case; empty where there is none.
fn kind_of(content_type: Option<&str>) -> String {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// `body` as text.
fn as_text<'b>(body: &'b [u8], what: &str) -> Result<&'b str, Unreadable> {
    std::str::from_utf8(body).map_err(|fault| {
        unreadable(format!("{what} is no UTF-8 from byte {} on", fault.valid_up_to()))
    })
}

/// Adds a value under `name`; the values of a name that comes more than once become a list.
fn add(object: &mut Map<String, Value>, repeated: &mut Repeated, name: Cow<'_, str>, value: Value) {
    match object.get_mut(&*name) {
        None => drop(object.insert(name.into_owned(), value)),
        Some(Value::Array(values)) if repeated.0.contains(&*name) => values.push(value),
        Some(first) => {
            *first = Value::Array(vec![first.take(), value]);
            repeated.0.insert(name.into_owned());
        }
    }
}

/// The names that came more than once: a list may also be the value of one that came once.
#[derive(Debug, Default)]
struct Repeated(BTreeSet<String>);

fn unreadable(reason: String) -> Unreadable {
    Unreadable { cause: Cause::BadBody, reason, file: None, line: None, path: None }
}
