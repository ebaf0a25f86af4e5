//! Web forms, and JSON in one of their fields.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Repeated, add, as_text, json, unreadable};
use crate::domain::receipt::Unreadable;

/// A web form.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::plugins) struct Form {
    /// The field that holds the whole payload as JSON; where absent, the fields are the payload.
    pub(super) json_field: Option<String>,
}

/// The fields of a form by name; those of one that comes more than once as a list.
pub(super) fn decode(form: &Form, body: &[u8]) -> Result<Value, Unreadable> {
    as_text(body, "the form")?;
    let fields: Vec<(Cow<'_, str>, Cow<'_, str>)> = serde_urlencoded::from_bytes(body)
        .map_err(|fault| unreadable(format!("the body is no form: {fault}")))?;
    let Some(name) = &form.json_field else { return Ok(as_object(fields)) };
    let Some((_, text)) = fields.into_iter().find(|(field, _)| field == name) else {
        return Err(unreadable(format!("the form has no field `{name}`")));
    };
    serde_json::from_str(&text).map_err(|fault| {
        let path = Some(name.clone());
        let reason = format!("the form's field `{name}` is no JSON: {fault}");
        Unreadable { path, ..unreadable(reason) }
    })
}

/// A form, or JSON that was sent as one: what posts forms unless it is told otherwise is used to post JSON.
pub(super) fn or_json(body: &[u8]) -> Result<Value, Unreadable> {
    let looks_like_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    match json::strict(body) {
        Ok(value) if looks_like_json => Ok(value),
        Ok(_) | Err(_) => decode(&Form::default(), body),
    }
}

fn as_object(fields: Vec<(Cow<'_, str>, Cow<'_, str>)>) -> Value {
    let (mut object, mut repeated) = (Map::new(), Repeated::default());
    for (name, text) in fields {
        add(&mut object, &mut repeated, name, Value::String(text.into_owned()));
    }
    Value::Object(object)
}
