//! Slack: an incoming webhook, or a bot whose messages of one alert stand in one thread.

use serde_json::{Value, json};

use super::{Delivered, Retry, SendFault, http, text};
use crate::{
    domain::{channel::targets::SlackTarget, notice::NotificationType, parcel::Parcel},
    outbound::{Answer, Outbound},
};

/// The most letters of a section, less what its marks need.
const LONGEST_SECTION: usize = 2500;

/// The most letters of a title.
const LONGEST_TITLE: usize = 200;

/// The most bytes of what names a thread; it is kept, and whoever answers chose it.
const LONGEST_THREAD: usize = 64;

/// What Slack says of a message that it will never take.
const BAD_MESSAGES: [&str; 6] = [
    "invalid_blocks",
    "invalid_attachments",
    "invalid_arguments",
    "msg_too_long",
    "no_text",
    "too_many_attachments",
];

/// What Slack says where the thread is gone.
const BAD_THREADS: [&str; 3] = ["thread_not_found", "message_not_found", "invalid_thread_ts"];

pub(super) async fn send(
    outbound: &Outbound,
    target: &SlackTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let message = message(said, parcel);
    match target {
        SlackTarget::Hook { url } => {
            let answer = http::post_json(outbound, url.reveal(), Vec::new(), &message).await?;
            http::taken(&answer)
        }
        SlackTarget::Bot { .. } => match post(outbound, target, &message, parcel).await {
            // People may delete what the thread began with; the message is told all the same.
            Err(fault) if parcel.thread.is_some() && is_of_thread(&fault) => {
                let anew = Parcel { thread: None, ..parcel.clone() };
                post(outbound, target, &message, &anew).await
            }
            sent => sent,
        },
    }
}

fn is_of_thread(fault: &SendFault) -> bool {
    BAD_THREADS.iter().any(|words| fault.reason.contains(words))
}

async fn post(
    outbound: &Outbound,
    target: &SlackTarget,
    message: &Value,
    parcel: &Parcel,
) -> Result<Delivered, SendFault> {
    let SlackTarget::Bot { token, channel, api_url } = target else {
        return Ok(Delivered::default());
    };
    let mut body = message.clone();
    body["channel"] = channel.as_str().into();
    body["unfurl_links"] = false.into();
    if let Some(thread) = &parcel.thread {
        body["thread_ts"] = thread.as_str().into();
        // Who follows the channel and not the thread must see that nobody acted.
        body["reply_broadcast"] = is_alerting(parcel).into();
    }
    let url = format!("{api_url}/chat.postMessage");
    let headers = vec![("authorization".to_owned(), format!("Bearer {}", token.reveal()))];
    let answer = http::post_json(outbound, &url, headers, &body).await?;
    let delivered = http::taken(&answer)?;
    let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if said["ok"] != true {
        return Err(refused(&answer, said["error"].as_str().unwrap_or("no reason given")));
    }
    let thread = said["ts"].as_str().filter(|ts| ts.len() <= LONGEST_THREAD);
    let thread = thread.filter(|_| parcel.thread.is_none()).map(str::to_owned);
    Ok(Delivered { thread, ..delivered })
}

fn refused(answer: &Answer, error: &str) -> SendFault {
    let retry =
        if BAD_MESSAGES.contains(&error) { Retry::Never } else { Retry::Later(answer.retry_after) };
    SendFault { retry, reason: format!("it answered: {error}"), status: Some(answer.status) }
}

fn is_alerting(parcel: &Parcel) -> bool {
    let kind = |notice: &crate::domain::notice::Notice| notice.occasion.notification_type();
    parcel.notices.first().is_some_and(|notice| kind(notice) == NotificationType::Error)
}

fn message(said: &text::Said, parcel: &Parcel) -> Value {
    let title = text::cut(&said.title, LONGEST_TITLE);
    let mut head = format!("*{}*", escaped(&title));
    if !said.body.is_empty() {
        head = format!("{head}\n{}", escaped(&text::cut(&said.body, LONGEST_SECTION)));
    }
    let mut blocks = vec![section(&head)];
    // A section has ten fields at most.
    for some in said.facts.chunks(10) {
        let field =
            |(name, value): &(&str, String)| markdown(&format!("*{name}*\n{}", escaped(value)));
        let fields: Vec<Value> = some.iter().map(field).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    if let Some(url) = &parcel.ack_url {
        // A button would need an app that answers; a link needs nothing.
        blocks.push(section(&format!("<{}|Acknowledge>", escaped(url))));
    }
    json!({
        "text": escaped(&title),
        "attachments": [{ "color": format!("#{:06x}", text::colour(parcel)), "blocks": blocks }],
    })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": markdown(text) })
}

fn markdown(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text })
}

/// A text in which nothing is a link or calls anybody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
