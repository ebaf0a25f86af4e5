//! What a message would look like, without sending it.

use serde_json::{Value, json};

use super::{SendFault, text::Said, webhook};
use crate::domain::{
    channel::{ChannelKind, Templates},
    parcel::Parcel,
};

/// What a channel would be sent: title, text and particulars; of a webhook the body.
///
/// # Errors
/// Where its templates fail and the message would not be sent.
pub fn preview(
    (kind, templates): (&ChannelKind, &Templates),
    parcel: &Parcel,
) -> Result<Value, SendFault> {
    if let ChannelKind::Webhook(target) = kind {
        let body = webhook::body(target, templates, parcel)?;
        let text = String::from_utf8_lossy(&body.bytes).into_owned();
        return Ok(json!({ "content_type": body.content_type, "body": text, "note": body.note }));
    }
    let said = Said::of(parcel, templates);
    let fact = |(name, value): &(&str, String)| json!({ "name": name, "value": value });
    let facts: Vec<Value> = said.facts.iter().map(fact).collect();
    Ok(json!({ "title": said.title, "body": said.body, "facts": facts, "note": said.note }))
}
