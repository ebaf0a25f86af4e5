//! JSON: as it should be, as some write it, and one document a line.

use serde::Deserialize;
use serde_json::Value;
use serde_json_lenient::Deserializer;

use super::unreadable;
use crate::domain::receipt::Unreadable;

/// A JSON document.
pub(super) fn strict(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body)
        .map_err(|fault| unreadable(format!("the body is no JSON: {fault}")))
}

/// A JSON document whose texts may hold raw newlines and control characters, with trailing commas and comments.
pub(super) fn lenient(body: &[u8]) -> Result<Value, Unreadable> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let mut reader = Deserializer::from_slice_with_options(body, false, true, true, false, false);
    Value::deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|fault| unreadable(format!("the body is no JSON, even read kindly: {fault}")))
}

/// The JSON documents that stand one a line, as a list.
pub(super) fn lines(body: &[u8]) -> Result<Value, Unreadable> {
    let mut documents = Vec::new();
    for (line, number) in body.split(|byte| *byte == b'\n').zip(1_usize..) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let document: Value = serde_json::from_slice(line).map_err(|fault| {
            let fault = fault.to_string();
            // The place that the reader tells is that in the line.
            let (what, column) = fault.split_once(" at line 1").unwrap_or((&fault, ""));
            unreadable(format!("line {number} of the body is no JSON document: {what}{column}"))
        })?;
        documents.push(document);
    }
    Ok(Value::Array(documents))
}
