//! Deliveries of a file, one JSON object a line, so that rules can be compared without a server.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::Again;
use crate::{domain::webhook::Webhook, id::Id, lab::posted::Posted, rules::samples::SampleRequest};

/// One line of such a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Whose payload it is.
    provider: String,
    /// What it is called in examples; its number in the file where absent.
    delivery_id: Option<String>,
    /// The project whose alerts it makes.
    project_id: Option<String>,
    /// The body: a text as it was posted, or JSON.
    body: Option<Value>,
    /// The body in base64, where it is no text.
    body_base64: Option<String>,
    /// The headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The parameters of the query string.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// The content type, where it is not among the headers.
    content_type: Option<String>,
    /// When it arrived, in RFC 3339.
    received_at: Option<String>,
    /// The zone of times that name none.
    time_zone: Option<String>,
}

/// The delivery that a line stands for; `number` is the line's, from one.
///
/// # Errors
/// What is wrong with the line.
pub fn read(line: &str, number: usize) -> Result<Again, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let body = match (line.body, line.body_base64) {
        (Some(Value::String(text)), None) => text.into_bytes(),
        (Some(json), None) => json.to_string().into_bytes(),
        (None, Some(bytes)) => {
            STANDARD.decode(bytes).map_err(|error| format!("`body_base64`: {error}"))?
        }
        _ => return Err("expected `body` or `body_base64`, and not both".to_owned()),
    };
    let request = SampleRequest {
        headers: line.headers,
        query: line.query,
        content_type: line.content_type,
        received_at: line.received_at,
    };
    let mut posted = Posted::sample(&line.provider, body, request)?;
    if let Some(zone) = line.time_zone {
        posted = posted.in_zone(&zone)?;
    }
    let mut webhook = posted.webhook();
    if let Some(project) = line.project_id {
        webhook.home.project_id = project.into();
    }
    // Each provider of a file is one webhook.
    webhook.webhook_id = Id::<Webhook>::from(line.provider);
    let mut delivery = posted.delivery();
    delivery.delivery_id = line.delivery_id.unwrap_or_else(|| format!("line {number}")).into();
    delivery.webhook_id = webhook.webhook_id.clone();
    Ok(Again { webhook: Arc::new(webhook), delivery })
}
