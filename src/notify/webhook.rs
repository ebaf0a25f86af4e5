//! HTTP to an address of choice, signed as Standard Webhooks has it: `webhook-id` is the same at each try of a message,
//! `webhook-signature` holds one signature for each secret that is live.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Delivered, Retry, SendFault, http, text};
use crate::{
    clock::rfc3339,
    digest::{Secret, hmac_sha256},
    domain::{
        channel::{
            Templates,
            targets::{BodyFormat, WebhookTarget},
        },
        parcel::Parcel,
    },
    outbound::{Outbound, Post},
};

/// What the types of our `CloudEvents` begin with.
const EVENT_TYPE: &str = "alertmill.alert";

pub(super) async fn send(
    outbound: &Outbound,
    (target, templates): (&WebhookTarget, &Templates),
    parcel: &Parcel,
) -> Result<Delivered, SendFault> {
    let Body { content_type, bytes, note } = body(target, templates, parcel)?;
    let mut headers: Vec<(String, String)> = target
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
        .collect();
    headers.extend(signed(target, parcel, &bytes));
    let url = target.url.reveal();
    let post = Post { url, content_type: &content_type, headers, body: bytes };
    let answer = http::post(outbound, post).await?;
    Ok(Delivered { note, ..http::taken(&answer)? })
}

/// What is posted.
pub(super) struct Body {
    /// What it is.
    pub(super) content_type: String,
    /// It.
    pub(super) bytes: Vec<u8>,
    /// What went wrong with it, though it can be sent.
    pub(super) note: Option<String>,
}

/// The body of a request.
///
/// # Errors
/// Where its template fails: the receiver would not understand anything else, so the message waits until it is mended
/// and driven again.
pub(super) fn body(
    target: &WebhookTarget,
    templates: &Templates,
    parcel: &Parcel,
) -> Result<Body, SendFault> {
    let (content_type, json, note) = match (target.body, &templates.body) {
        (BodyFormat::Template, Some(template)) => return templated(target, template, parcel),
        (BodyFormat::CloudEvents, _) => {
            let (data, note) = data(parcel, templates);
            ("application/cloudevents+json; charset=utf-8", event(parcel, data), note)
        }
        (BodyFormat::Json, _) | (BodyFormat::Template, None) => {
            let (data, note) = data(parcel, templates);
            ("application/json", data, note)
        }
    };
    Ok(Body { content_type: content_type.to_owned(), bytes: json.to_string().into_bytes(), note })
}

fn templated(target: &WebhookTarget, template: &str, parcel: &Parcel) -> Result<Body, SendFault> {
    let never = |reason: String| SendFault { retry: Retry::Never, reason, status: None };
    let text = text::rendered(template, &text::scene(parcel))
        .map_err(|fault| never(format!("the template of the body failed: {fault}")))?;
    let content_type = target.content_type.clone();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    if media_type == "application/json" || media_type.ends_with("+json") {
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|fault| {
            never(format!("the template of the body does not make JSON ({fault}); use `|tojson`"))
        })?;
    }
    Ok(Body { content_type, bytes: text.into_bytes(), note: None })
}

/// What happened, for programs.
fn data(parcel: &Parcel, templates: &Templates) -> (Value, Option<String>) {
    // The template of the body is of the request here, or of nothing.
    let said = text::Said::of(parcel, &Templates { body: None, ..templates.clone() });
    let first = parcel.notices.first();
    let data = json!({
        "message_id": parcel.message_id,
        "title": said.title,
        "occasion": first.map(|notice| notice.occasion),
        "notification_type": first.map(|notice| notice.occasion.notification_type()),
        "ack_url": parcel.ack_url,
        "notices": parcel.notices.iter().map(text::noticed).collect::<Vec<_>>(),
    });
    (data, said.note)
}

/// The same as a `CloudEvent` of version 1.0, in structured form.
fn event(parcel: &Parcel, data: Value) -> Value {
    let first = parcel.notices.first();
    let occasion = first.map(|notice| notice.occasion.as_str().to_lowercase()).unwrap_or_default();
    let source = if parcel.base_url.is_empty() { "urn:alertmill" } else { &parcel.base_url };
    json!({
        "specversion": "1.0",
        "id": parcel.message_id,
        "source": source,
        "type": format!("{EVENT_TYPE}.{occasion}"),
        "subject": first.map(|notice| &notice.alert_id),
        "time": first.map(|notice| rfc3339(notice.created_at)),
        "datacontenttype": "application/json",
        "data": data,
    })
}

/// The headers that tell the message again and prove that it is ours.
fn signed(target: &WebhookTarget, parcel: &Parcel, body: &[u8]) -> Vec<(String, String)> {
    let id = parcel.message_id.as_str();
    let sent_at = http::seconds(parcel.now).to_string();
    let mut message = format!("{id}.{sent_at}.").into_bytes();
    message.extend_from_slice(body);
    let signatures: Vec<String> = target
        .live_keys(parcel.now)
        .map(|key| format!("v1,{}", STANDARD.encode(hmac_sha256(&bytes_of(&key.secret), &message))))
        .collect();
    let mut headers = vec![
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), sent_at),
        ("idempotency-key".to_owned(), id.to_owned()),
    ];
    if !signatures.is_empty() {
        headers.push(("webhook-signature".to_owned(), signatures.join(" ")));
    }
    headers
}

/// The bytes that a secret stands for.
fn bytes_of(secret: &Secret) -> Vec<u8> {
    let text = secret.reveal();
    let encoded = text.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
    encoded.unwrap_or_else(|| text.as_bytes().to_vec())
}
