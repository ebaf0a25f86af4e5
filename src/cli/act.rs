//! `alertmill alert ack`, `resolve`, `snooze` and the like: what is done about alerts.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    question::Question,
    show::{Screen, brief, field, prose, rows, short},
};
use crate::{config::Span, domain::words::Urgency, query::ALERTS};

/// What is done about alerts.
#[derive(Subcommand)]
pub(super) enum Act {
    /// Take alerts: someone is on it.
    Ack {
        #[command(flatten)]
        which: Which,
        /// How long that holds, e.g. `2h`: then they are TRIGGERED again. What the project says by default; `0s` for ever.
        #[arg(long = "for", value_name = "TIME")]
        lasts: Option<Span>,
    },
    /// Say that alerts are over.
    Resolve {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        why: Why,
    },
    /// Make alerts TRIGGERED again, so that they are told anew.
    Reopen {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        why: Why,
    },
    /// Put alerts off: nobody is told of them before then, unless they get worse.
    Snooze {
        #[command(flatten)]
        which: Which,
        /// For how long, e.g. `30m` or `2d`; at most 90 days.
        #[arg(long = "for", value_name = "TIME")]
        lasts: Span,
        #[command(flatten)]
        why: Why,
    },
    /// Put alerts off no longer.
    Unsnooze {
        #[command(flatten)]
        which: Which,
    },
    /// Say who looks after an alert.
    Assign {
        /// The alert's identifier, or its number.
        alert_id: String,
        /// Who looks after it; empty for nobody.
        assignee: String,
    },
    /// Say how soon someone must look.
    Urgency {
        #[command(flatten)]
        which: Which,
        /// LOW or HIGH.
        #[arg(long)]
        to: Urgency,
    },
    /// Make alerts one with another, which is told for all and is over when all are.
    Merge {
        #[command(flatten)]
        which: Which,
        /// The alert that leads.
        #[arg(long, value_name = "ID")]
        into: String,
        #[command(flatten)]
        why: Why,
    },
    /// Make alerts ones of their own again.
    Unmerge {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        why: Why,
    },
    /// Show what happened to an alert, oldest first.
    History {
        /// The alert's identifier, or its number.
        alert_id: String,
    },
    /// Write a note about an alert, or list its notes.
    Note {
        /// The alert's identifier, or its number.
        alert_id: String,
        /// What is to be written; its notes are listed where absent.
        text: Option<String>,
    },
}

/// Which alerts are meant: some by their identifiers, or those that a filter finds.
#[derive(Args)]
pub(super) struct Which {
    /// The alerts' identifiers, or their numbers.
    alert_id: Vec<String>,
    #[command(flatten)]
    question: Question,
}

/// Why something is done.
#[derive(Args)]
pub(super) struct Why {
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Act {
    /// Does it.
    pub(super) async fn run(self, client: &Client, screen: &Screen) -> Result<(), Failure> {
        let (which, asked) = match self {
            Self::Ack { which, lasts } => {
                let seconds = lasts.map(|Span(time)| time.as_secs());
                (which, json!({ "action": "acknowledge", "seconds": seconds }))
            }
            Self::Resolve { which, why } => (which, why.said(json!({ "action": "resolve" }))),
            Self::Reopen { which, why } => (which, why.said(json!({ "action": "reopen" }))),
            Self::Snooze { which, lasts: Span(time), why } => {
                let asked = json!({ "action": "snooze", "seconds": time.as_secs() });
                (which, why.said(asked))
            }
            Self::Unsnooze { which } => (which, json!({ "action": "unsnooze" })),
            Self::Urgency { which, to } => {
                (which, json!({ "action": "set_urgency", "urgency": to.as_str() }))
            }
            Self::Merge { which, into, why } => {
                (which, why.said(json!({ "action": "merge", "into": into })))
            }
            Self::Unmerge { which, why } => (which, why.said(json!({ "action": "unmerge" }))),
            Self::Assign { alert_id, assignee } => {
                return assign(client, screen, &alert_id, &assignee).await;
            }
            Self::History { alert_id } => return history(client, screen, &alert_id).await,
            Self::Note { alert_id, text } => return note(client, screen, (&alert_id, text)).await,
        };
        which.change(client, screen, asked).await
    }
}

impl Why {
    fn said(self, mut asked: Value) -> Value {
        if let Some(reason) = self.reason {
            asked["reason"] = reason.into();
        }
        asked
    }
}

impl Which {
    /// Has it done to all that are meant, page by page.
    async fn change(self, client: &Client, screen: &Screen, asked: Value) -> Result<(), Failure> {
        let Value::Object(mut asked) = asked else { return Ok(()) };
        asked.retain(|_, value| !value.is_null());
        let query = self.question.query(&ALERTS)?;
        match (self.alert_id.is_empty(), query.is_empty()) {
            (false, true) => asked.insert("alert_ids".to_owned(), self.alert_id.into()),
            (true, false) => asked.insert("query".to_owned(), query.into()),
            (true, true) => {
                let detail = "Say which alerts: by their identifiers, or with --filter.";
                return Err(Failure::usage(detail));
            }
            (false, false) => {
                let detail = "Give identifiers or filters, not both.";
                return Err(Failure::usage(detail));
            }
        };
        let done = changed(client, asked).await?;
        screen.show(&done, became)?;
        match done["failed"].as_u64() {
            None | Some(0) => Ok(()),
            Some(1) => Err(Failure::refused("It could not be done to one of them.")),
            Some(failed) => {
                Err(Failure::refused(format!("It could not be done to {failed} of them.")))
            }
        }
    }
}

async fn changed(client: &Client, asked: Map<String, Value>) -> Result<Value, Failure> {
    client.post("/api/v1/alert/bulk", Value::Object(asked)).await
}

/// What became of each alert, a line each.
fn became(done: &Value) -> String {
    let mut text = String::new();
    for item in rows(done) {
        let id = field(item, "alert_id");
        let detail = field(&item["error"], "detail");
        let line = if detail.is_empty() {
            let title = short(item, "title", 60);
            format!("Alert {} is {}: {title}", field(item, "alert_number"), field(item, "state"))
        } else {
            format!("{id}: {detail}")
        };
        let _ = writeln!(text, "{line}");
    }
    if text.is_empty() {
        text.push_str("No alert is meant.");
    }
    if done["more"] == Value::Bool(true) {
        text.push_str("There are more; do it again.");
    }
    text
}

async fn assign(
    client: &Client,
    screen: &Screen,
    alert_id: &str,
    assignee: &str,
) -> Result<(), Failure> {
    let asked = json!({ "alert_id": alert_id, "assignee": assignee });
    let answer = client.post("/monitoring/v1/alert/assign-user", asked).await?;
    let whom = if assignee.trim().is_empty() { "nobody" } else { assignee };
    screen.show(&answer, |alert| {
        format!("Alert {} is looked after by {whom}.", field(alert, "alert_number"))
    })
}

async fn history(client: &Client, screen: &Screen, alert_id: &str) -> Result<(), Failure> {
    let mut all = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let asked = json!({ "alert_id": alert_id, "cursor": cursor });
        let mut page = client.post("/api/v1/alert/history", asked).await?;
        if let Value::Array(entries) = page["results"].take() {
            all.extend(entries);
        }
        cursor = page["next_cursor"].take();
        if cursor.is_null() {
            break;
        }
    }
    screen.show(&json!({ "results": all }), lived)
}

fn lived(answer: &Value) -> String {
    let cells = |entry: &Value| {
        let at = field(entry, "at").replace('T', " ");
        vec![at, field(entry, "of"), field(entry, "sentence"), brief(entry, "actor")]
    };
    let lines: Vec<Vec<String>> = rows(answer).map(cells).collect();
    if lines.is_empty() {
        return "Nothing is known of what happened to it.".to_owned();
    }
    prose(&["AT (UTC)", "OF", "WHAT AND WHY", "BY"], lines)
}

async fn note(
    client: &Client,
    screen: &Screen,
    (alert_id, text): (&str, Option<String>),
) -> Result<(), Failure> {
    if let Some(text) = text {
        let asked = json!({ "alert_id": alert_id, "note": text });
        let made = client.post("/monitoring/v1/note/create", asked).await?;
        return screen.show(&made, |made| format!("Noted as {}.", field(made, "note_id")));
    }
    let asked = json!({ "alert_id": alert_id });
    let listed = client.post("/monitoring/v1/note/list", asked).await?;
    screen.show(&listed, |listed| {
        let cells = |note: &Value| {
            vec![field(note, "created_at"), field(note, "note"), field(note, "created_by")]
        };
        let lines: Vec<Vec<String>> = rows(listed).map(cells).collect();
        if lines.is_empty() {
            return "Nobody wrote anything about it.".to_owned();
        }
        prose(&["WRITTEN (UTC)", "NOTE", "BY"], lines)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_each_alert_is_a_line() {
        let done = json!({ "done": 1, "failed": 1, "more": true, "results": [
            { "alert_id": "alert-1", "alert_number": 7, "title": "Disk full", "state": "RESOLVED" },
            { "alert_id": "alert-2", "error": { "code": "ERROR_NOT_FOUND", "detail": "no alert `alert-2`" } },
        ] });
        let told = "Alert 7 is RESOLVED: Disk full\nalert-2: no alert `alert-2`\nThere are more; do it again.";
        assert_eq!(became(&done), told);
        assert_eq!(became(&json!({ "results": [] })), "No alert is meant.");
    }

    #[test]
    fn a_history_is_a_line_for_each_thing_that_happened() {
        let answer = json!({ "results": [{ "at": "2026-01-01T00:00:00.000Z", "of": "life", "verdict": "opened",
            "sentence": "opened as TRIGGERED: no open alert had this key", "actor": "webhook:w" }] });
        let told = lived(&answer);
        assert!(told.contains("opened as TRIGGERED"), "{told}");
        assert!(told.contains("webhook:w"), "{told}");
    }
}
