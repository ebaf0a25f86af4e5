//! Discord: a webhook of a channel.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Delivered, Retry, SendFault, http, text};
use crate::{
    domain::{channel::targets::DiscordTarget, parcel::Parcel},
    outbound::Outbound,
};

/// The most letters of a title, a text and a value; all of an embed has 6000 at most.
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 2000;
const LONGEST_VALUE: usize = 200;

/// What means more than itself in a text.
const MARKS: &str = r"\`*_~|[]()<>#";

/// The longest time to wait that is taken from an answer.
const LONGEST_WAIT: f64 = 3600.0;

pub(super) async fn send(
    outbound: &Outbound,
    target: &DiscordTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let url = target.url.reveal();
    // Without it the answer comes before the message is kept, and mistakes are not told.
    let url = format!("{url}{}wait=true", if url.contains('?') { '&' } else { '?' });
    let answer = http::post_json(outbound, &url, Vec::new(), &message(said, parcel)).await?;
    http::taken(&answer).map_err(|fault| {
        let words: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match (fault.retry, words["retry_after"].as_f64()) {
            (Retry::Later(None), Some(seconds)) if seconds >= 0.0 => {
                let wait = Duration::from_secs_f64(seconds.min(LONGEST_WAIT));
                SendFault { retry: Retry::Later(Some(wait)), ..fault }
            }
            _ => fault,
        }
    })
}

fn message(said: &text::Said, parcel: &Parcel) -> Value {
    let title = cut(&said.title, LONGEST_TITLE);
    let mut description = cut(&said.body, LONGEST_BODY);
    if let Some(url) = &parcel.ack_url {
        description = format!("{description}\n\n[Acknowledge]({url})");
    }
    let field = |(name, value): &(&str, String)| json!({ "name": name, "value": cut(value, LONGEST_VALUE), "inline": true });
    let fields: Vec<Value> = said.facts.iter().map(field).collect();
    let at = parcel.notices.first().map(|notice| crate::clock::rfc3339(notice.created_at));
    json!({
        "embeds": [{
            "title": title,
            "description": description.trim(),
            "color": text::colour(parcel),
            "fields": fields,
            "timestamp": at,
        }],
        // Nobody is called by what stands in an alert.
        "allowed_mentions": { "parse": [] },
    })
}

/// A text of at most so many letters in which nothing is a mark or a link; no mark is cut from what lifts it.
fn cut(text: &str, letters: usize) -> String {
    let mut plain = String::new();
    let mut count = 0;
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let is_mark = MARKS.contains(letter);
        let needed = if is_mark { 2 } else { 1 };
        // One letter is left for the sign that there was more.
        if count + needed + usize::from(rest.peek().is_some()) > letters {
            plain.push('…');
            break;
        }
        if is_mark {
            plain.push('\\');
        }
        plain.push(letter);
        count += needed;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_of_a_sender_means_anything() {
        assert_eq!(cut("[Acknowledge](https://evil)", 200), r"\[Acknowledge\]\(https://evil\)");
        assert_eq!(cut(r"\`*_~|<>#", 200), r"\\\`\*\_\~\|\<\>\#");
        assert_eq!(cut("plain é", 7), "plain é");
        assert_eq!(cut("a[[", 4), r"a\[…");
        assert_eq!(cut("a[[", 5), r"a\[\[");
        assert_eq!(cut("a[[", 3), "a…");
    }
}
