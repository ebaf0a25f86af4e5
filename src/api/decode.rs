//! From a JSON object to what a method asks for, every mistake with its place.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Code, Error, Result};

/// What was sent, as the type that a method asks for.
///
/// # Errors
/// Where it is not of that type: which of it, and what was expected there.
pub(crate) fn request<Q: DeserializeOwned>(sent: Value) -> Result<Q> {
    serde_path_to_error::deserialize(sent)
        .map_err(|cause| mistake(&cause.inner().to_string(), pointer(cause.path())))
}

/// What a decoder complained of, as a catalogued error with its place.
pub(crate) fn mistake(reason: &str, mut pointer: String) -> Error {
    if let Some(field) = quoted_after(reason, "missing field ") {
        pointer.push('/');
        pointer.push_str(&escaped(field));
        return Error::at(Code::RequiredParameter, pointer, format!("`{field}` is required"));
    }
    if let Some(field) = quoted_after(reason, "unknown field ") {
        let place = format!("/{}", escaped(field));
        if !pointer.ends_with(&place) {
            pointer.push_str(&place);
        }
        return Error::at(Code::InvalidParameter, pointer, reason);
    }
    let code = if reason.starts_with("invalid type") {
        Code::InvalidParameterType
    } else {
        Code::InvalidParameter
    };
    Error::at(code, pointer, reason)
}

/// The text between backquotes that follows `start`.
fn quoted_after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_prefix('`')?.split('`').next()
}

/// A path as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&escaped(key));
            }
            Segment::Unknown => {}
        }
    }
    pointer
}

/// A name as a step of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
