//! Microsoft Teams: a workflow that posts an adaptive card.

use serde_json::{Value, json};

use super::{Delivered, SendFault, http, text};
use crate::{
    domain::{channel::targets::TeamsTarget, parcel::Parcel, words::Severity},
    outbound::Outbound,
};

/// The most letters of title and body; a message has 28 KB at most.
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 4000;

pub(super) async fn send(
    outbound: &Outbound,
    target: &TeamsTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let message = message(said, parcel);
    let answer = http::post_json(outbound, target.url.reveal(), Vec::new(), &message).await?;
    http::taken(&answer)
}

fn message(said: &text::Said, parcel: &Parcel) -> Value {
    let title = plain(&text::cut(&said.title, LONGEST_TITLE));
    let mut body = vec![json!({
        "type": "TextBlock", "text": title, "weight": "Bolder", "size": "Medium", "wrap": true,
        "color": colour(parcel),
    })];
    if !said.body.is_empty() {
        // One line break is none in a card's text.
        let text = plain(&text::cut(&said.body, LONGEST_BODY)).replace('\n', "\n\n");
        body.push(json!({ "type": "TextBlock", "text": text, "wrap": true }));
    }
    if !said.facts.is_empty() {
        let fact = |(name, value): &(&str, String)| json!({ "title": name, "value": plain(value) });
        let facts: Vec<Value> = said.facts.iter().map(fact).collect();
        body.push(json!({ "type": "FactSet", "facts": facts }));
    }
    let open =
        |url: &String| json!({ "type": "Action.OpenUrl", "title": "Acknowledge", "url": url });
    let actions: Vec<Value> = parcel.ack_url.iter().map(open).collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": body,
        "actions": actions,
    });
    json!({
        "type": "message",
        "summary": said.title,
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

fn colour(parcel: &Parcel) -> &'static str {
    if parcel.notices.iter().all(|notice| notice.occasion.is_over()) {
        return "Good";
    }
    match text::worst(parcel) {
        Severity::Critical | Severity::Error | Severity::NotAvailable => "Attention",
        Severity::Warning => "Warning",
        Severity::Info | Severity::None => "Accent",
    }
}

/// A text in which nothing is a link or a mark of its own.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if "\\`*_[]()#".contains(letter) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}
