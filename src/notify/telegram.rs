//! Telegram: a bot that writes into a chat; the later messages of an alert answer to its first one.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Delivered, Retry, SendFault, http, text};
use crate::{
    domain::{channel::targets::TelegramTarget, parcel::Parcel},
    outbound::Outbound,
};

/// The most letters of title and body; a message has 4096 at most.
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 2000;

/// The most letters of a message's facts.
const LONGEST_FACTS: usize = 1500;

/// The longest time to wait that is taken from an answer.
const LONGEST_WAIT: u64 = 3600;

pub(super) async fn send(
    outbound: &Outbound,
    target: &TelegramTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let url = format!("{}/bot{}/sendMessage", target.api_url, target.token.reveal());
    let answer =
        http::post_json(outbound, &url, Vec::new(), &message(target, said, parcel)).await?;
    let words: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if !(200..300).contains(&answer.status) {
        let mut fault =
            http::refused(&answer, &http::words(words["description"].as_str().unwrap_or_default()));
        if let (Retry::Later(_), Some(seconds)) =
            (fault.retry, words["parameters"]["retry_after"].as_u64())
        {
            fault.retry = Retry::Later(Some(Duration::from_secs(seconds.min(LONGEST_WAIT))));
        }
        return Err(fault);
    }
    let thread = words["result"]["message_id"].as_i64().filter(|_| parcel.thread.is_none());
    Ok(Delivered {
        status: Some(answer.status),
        thread: thread.map(|id| id.to_string()),
        note: None,
    })
}

fn message(target: &TelegramTarget, said: &text::Said, parcel: &Parcel) -> Value {
    let mut html = format!("<b>{}</b>", escaped(&text::cut(&said.title, LONGEST_TITLE)));
    if !said.body.is_empty() {
        html = format!("{html}\n{}", escaped(&text::cut(&said.body, LONGEST_BODY)));
    }
    let mut left = LONGEST_FACTS;
    for (name, value) in &said.facts {
        let size = name.len() + value.chars().count();
        if size > left {
            break;
        }
        left -= size;
        html = format!("{html}\n<b>{name}:</b> {}", escaped(value));
    }
    if let Some(url) = &parcel.ack_url {
        html = format!("{html}\n\n<a href=\"{}\">Acknowledge</a>", escaped(url));
    }
    let mut message = json!({
        "chat_id": target.chat_id,
        "text": html,
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
    });
    if let Some(topic) = target.topic_id {
        message["message_thread_id"] = topic.into();
    }
    if let Some(first) = parcel.thread.as_ref().and_then(|id| id.parse::<i64>().ok()) {
        let reply = json!({ "message_id": first, "allow_sending_without_reply": true });
        message["reply_parameters"] = reply;
    }
    message
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
