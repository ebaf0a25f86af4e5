//! `alertmill tail`: what happens, as it happens.

use std::time::Duration;

use clap::{Args, ValueEnum};
use reqwest::Response;
use serde_json::{Value, json};

use super::{
    Failure, FailureKind,
    client::Client,
    question::Question,
    show::{field, harmless, print, short},
};
use crate::{
    config::Reach,
    query::{ALERTS, Catalogue, EVENTS},
};

/// How long to wait before connecting again, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// The most bytes that a message has; what is longer is none of ours.
const LONGEST: usize = 64 << 20;

/// Watch what happens to events and alerts, as it happens.
#[derive(Args)]
pub(super) struct Tail {
    #[command(flatten)]
    reach: Reach,
    /// Only these; both by default.
    #[arg(value_enum)]
    what: Option<What>,
    #[command(flatten)]
    question: Question,
    /// Go on after the message with this id, instead of from now on.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Events as they arrive.
    Events,
    /// Alerts as they open, change, are resolved or deleted.
    Alerts,
}

impl What {
    const fn resource(self) -> (&'static str, &'static Catalogue) {
        match self {
            Self::Events => ("event", &EVENTS),
            Self::Alerts => ("alert", &ALERTS),
        }
    }
}

/// What came over the wire and was not read yet, and how far the messages are read.
struct Reading {
    unread: Vec<u8>,
    last: Option<String>,
    json: bool,
}

/// How a connection ended.
enum End {
    /// It may be tried again.
    Lost,
    /// The server said that it is of no use to try again.
    Over(Failure),
}

impl Tail {
    /// Watches until told to stop.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let parameters = self.parameters()?;
        let mut reading = Reading { unread: Vec::new(), last: self.after, json: self.reach.json };
        let mut pause = PAUSES[0];
        let mut was_there = false;
        loop {
            match client.watch("/api/v1/stream", &parameters, reading.last.as_deref()).await {
                Ok(answer) => {
                    (was_there, pause) = (true, PAUSES[0]);
                    match reading.follow(answer).await? {
                        End::Lost => {}
                        End::Over(failure) => return Err(failure),
                    }
                }
                // What was never there may be misspelt; what was comes back.
                Err(failure) if !was_there || failure.kind != FailureKind::Unreachable => {
                    return Err(failure);
                }
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES[1]);
        }
    }

    fn parameters(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let (resource, catalogue) = match self.what {
            Some(what) => {
                let (resource, catalogue) = what.resource();
                (Some(resource), catalogue)
            }
            None => (None, &EVENTS),
        };
        let mut query = self.question.query(catalogue)?;
        if !self.question.columns.is_empty() {
            query.insert("only".to_owned(), json!(self.question.columns));
        }
        if resource.is_none() && !query.is_empty() {
            let detail = "A filter is about one kind of record: say `alertmill tail events` or `alertmill tail alerts`.";
            return Err(Failure::usage(detail));
        }
        let resource = resource.map(|name| ("resource", name.to_owned()));
        let query = (!query.is_empty()).then(|| ("query", Value::Object(query).to_string()));
        Ok(resource.into_iter().chain(query).collect())
    }
}

impl Reading {
    /// Shows messages until the connection ends.
    async fn follow(&mut self, mut answer: Response) -> Result<End, Failure> {
        self.unread.clear();
        loop {
            let Ok(Some(part)) = answer.chunk().await else { return Ok(End::Lost) };
            self.unread.extend_from_slice(&part);
            if self.unread.len() > LONGEST {
                return Ok(End::Over(Failure::refused(
                    "What the server sends is no stream of ours.",
                )));
            }
            while let Some(block) = self.block() {
                if let Some(end) = self.show(&block)? {
                    return Ok(end);
                }
            }
        }
    }

    /// The next block of lines, if all of it is there.
    fn block(&mut self) -> Option<String> {
        let end = self.unread.windows(2).position(|two| two == b"\n\n")?;
        let block: Vec<u8> = self.unread.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&block).into_owned())
    }

    fn show(&mut self, block: &str) -> Result<Option<End>, Failure> {
        let said =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let data: Value =
            said("data").and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
        let end = match said("event") {
            None => None,
            Some("dropped") => Some(dropped(&data)),
            Some(kind) => {
                print(&if self.json {
                    line(kind, &data)
                } else {
                    harmless(&sentence(kind, &data))
                })?;
                None
            }
        };
        if let Some(id) = said("id") {
            self.last = Some(id.to_owned());
        }
        Ok(end)
    }
}

/// What a last message means for who would go on.
fn dropped(data: &Value) -> End {
    let said = format!("The server ended the stream: {}.", field(data, "detail"));
    if data["missed"] == true || data["reason"] == "REVOKED" {
        return End::Over(Failure::refused(said));
    }
    End::Lost
}

/// A message as one line of JSON.
fn line(kind: &str, data: &Value) -> String {
    json!({ "event": kind, "data": data }).to_string()
}

/// A message for people.
fn sentence(kind: &str, data: &Value) -> String {
    let is_event = kind == "event";
    let (at, word) = if is_event { ("created_at", "event_type") } else { ("what.at", "state") };
    let named = if is_event { field(data, "event_id") } else { field(data, "alert_id") };
    let time: String = field(data, at).chars().take("2026-01-01 00:00:00".len()).collect();
    let word = field(data, word);
    let severity = field(data, "severity");
    let title = short(data, "title", 60);
    format!("{time:19}  {kind:14}  {word:12}  {severity:13}  {title}  {named}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        Reading { unread: Vec::new(), last: None, json: true }
    }

    #[test]
    fn messages_are_told_apart_wherever_they_are_cut() {
        let whole = b"retry: 2000\nid: 1-0\n\n:\n\nevent: event\nid: 2-0\ndata: {\"a\":1}\n\n";
        let mut reading = reading();
        let mut blocks = 0;
        for byte in whole {
            reading.unread.push(*byte);
            while let Some(block) = reading.block() {
                blocks += 1;
                assert!(reading.show(&block).unwrap().is_none());
            }
        }
        assert_eq!((blocks, reading.last.as_deref()), (3, Some("2-0")));
    }

    #[test]
    fn who_missed_something_is_told_and_who_did_not_goes_on() {
        let missed = json!({ "reason": "TOO_FAR_BEHIND", "detail": "too much", "missed": true });
        assert!(matches!(dropped(&missed), End::Over(_)));
        let stopping =
            json!({ "reason": "STOPPING", "detail": "the server stops", "missed": false });
        assert!(matches!(dropped(&stopping), End::Lost));
    }
}
