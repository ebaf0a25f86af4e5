//! ntfy: a topic.

use serde_json::{Value, json};

use super::{Delivered, SendFault, http, text};
use crate::{
    domain::{channel::targets::NtfyTarget, parcel::Parcel, words::Severity},
    outbound::Outbound,
};

/// The most letters of title and message; more than 4096 bytes become an attachment.
const LONGEST_TITLE: usize = 200;
const LONGEST_MESSAGE: usize = 1000;

pub(super) async fn send(
    outbound: &Outbound,
    target: &NtfyTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let token = target.token.as_ref();
    let headers =
        token.map(|token| ("authorization".to_owned(), format!("Bearer {}", token.reveal())));
    let body = message(target, said, parcel);
    let headers = headers.into_iter().collect();
    let answer = http::post_json(outbound, &target.url, headers, &body).await?;
    http::taken(&answer)
}

fn message(target: &NtfyTarget, said: &text::Said, parcel: &Parcel) -> Value {
    let (priority, tag) = weight(parcel);
    let text = said.plain();
    let mut message = json!({
        "topic": target.topic.reveal(),
        "title": text::cut(&said.title, LONGEST_TITLE),
        // Without any message the server makes up one.
        "message": if text.is_empty() { said.title.clone() } else { text::cut(&text, LONGEST_MESSAGE) },
        "priority": priority,
        "tags": [tag],
    });
    if let Some(url) = &parcel.ack_url {
        message["click"] = url.as_str().into();
        message["actions"] =
            json!([{ "action": "view", "label": "Acknowledge", "url": url, "clear": true }]);
    }
    message
}

/// How loud it is, from 1 to 5, and the sign before its title.
fn weight(parcel: &Parcel) -> (u8, &'static str) {
    if parcel.notices.iter().all(|notice| notice.occasion.is_over()) {
        return (3, "white_check_mark");
    }
    match text::worst(parcel) {
        Severity::Critical => (5, "rotating_light"),
        Severity::Error | Severity::NotAvailable => (4, "warning"),
        Severity::Warning => (3, "warning"),
        Severity::Info | Severity::None => (2, "information_source"),
    }
}
