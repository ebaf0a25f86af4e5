//! `alertmill send`: posts a payload as a monitoring system would, and shows what became of it.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;
use serde_json::Value;

use super::{
    Failure,
    client::{Answer, Client, refused},
    show::{Screen, field, short, table},
};
use crate::{config::Reach, domain::words::Outcome, rules::samples};

/// Post a payload to a webhook, as a monitoring system would.
#[derive(Args)]
pub(super) struct Send {
    #[command(flatten)]
    reach: Reach,
    /// The webhook's URL as `webhook create` printed it, or its identifier together with `--key`.
    #[arg(long, value_name = "URL|ID")]
    webhook: String,
    /// The access key, where the webhook is not given as a URL that holds it.
    #[arg(long)]
    key: Option<String>,
    /// A sample that comes with Alertmill, as `provider/case`; `--sample help` lists them.
    #[arg(long, value_name = "PROVIDER/CASE", conflicts_with = "file")]
    sample: Option<String>,
    /// A header to send along, as `Name: value`; may be repeated.
    #[arg(long, value_name = "NAME:VALUE")]
    header: Vec<String>,
    /// The file to post; `-` reads standard input.
    #[arg(required_unless_present = "sample")]
    file: Option<PathBuf>,
}

/// What is posted.
struct Payload {
    body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Send {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut payload = self.payload()?;
        for header in &self.header {
            payload.headers.push(named(header)?);
        }
        if let Some(key) = &self.key {
            payload.headers.push(("x-access-key".to_owned(), key.clone()));
        }
        let (client, path) = self.address()?;
        let answer = client.deliver(&path, &payload.headers, payload.body).await?;
        if !answer.status.is_success() {
            return Err(without_hint(&answer));
        }
        Screen::new(self.reach.json).show(&answer.body, became)
    }

    fn payload(&self) -> Result<Payload, Failure> {
        if let Some(name) = &self.sample {
            return sample(name);
        }
        let json = vec![("content-type".to_owned(), "application/json".to_owned())];
        let headers = if self.header.iter().any(|header| names_content_type(header)) {
            Vec::new()
        } else {
            json
        };
        Ok(Payload { body: self.read()?, headers })
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        let file = self.file.clone().unwrap_or_default();
        let mut body = Vec::new();
        let read = if file.as_os_str() == "-" {
            io::stdin().lock().read_to_end(&mut body).map(|_| body)
        } else {
            fs::read(&file)
        };
        read.map_err(|cause| {
            Failure::usage(format!("`{}` cannot be read: {cause}.", file.display()))
        })
    }

    /// Who is posted to, and where.
    fn address(&self) -> Result<(Client, String), Failure> {
        if self.webhook.starts_with("http://") || self.webhook.starts_with("https://") {
            return Ok((Client::of(self.webhook.clone())?, String::new()));
        }
        if self.key.is_none() {
            return Err(Failure::usage(
                "A webhook's identifier needs `--key`; or give the URL as `webhook create` printed it.",
            ));
        }
        let base = Client::base(&self.reach)?;
        Ok((Client::of(base)?, format!("/monitoring/v1/webhook/{}/events", self.webhook)))
    }
}

fn names_content_type(header: &str) -> bool {
    header.split(':').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("content-type"))
}

fn sample(name: &str) -> Result<Payload, Failure> {
    let found = name.split_once('/').and_then(|(provider, case)| samples::sample(provider, case));
    let Some(sample) = found else {
        return Err(Failure::usage(format!(
            "There is no sample `{name}`. There are:\n\n  {}",
            known(name).join("\n  ")
        )));
    };
    let content_type = sample.request.content_type.unwrap_or_else(|| "application/json".to_owned());
    let mut headers: Vec<(String, String)> = sample.request.headers.into_iter().collect();
    headers.push(("content-type".to_owned(), content_type));
    Ok(Payload { body: sample.body, headers })
}

/// The samples of the provider that a name begins with; those of all where there is none.
fn known(name: &str) -> Vec<String> {
    let provider = format!("{}/", name.split('/').next().unwrap_or_default());
    let all = samples::names();
    let of_it: Vec<String> = all.iter().filter(|it| it.starts_with(&provider)).cloned().collect();
    if of_it.is_empty() { all } else { of_it }
}

fn named(header: &str) -> Result<(String, String), Failure> {
    let Some((name, value)) = header.split_once(':') else {
        return Err(Failure::usage(format!("`{header}` is no header; expected `Name: value`.")));
    };
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Like [`refused`], for the door, where another token would not help.
fn without_hint(answer: &Answer) -> Failure {
    let text = refused(answer).to_string();
    Failure::refused(text.split(" Give a token").next().unwrap_or_default())
}

/// What became of a delivery, as its receipt says.
pub(super) fn became(receipt: &Value) -> String {
    let Some(items) = receipt.get("items").and_then(Value::as_array) else {
        return match receipt.as_str() {
            Some(text) => text.to_owned(),
            None => receipt.to_string(),
        };
    };
    let nothing = match field(receipt, "ignored") {
        empty if empty.is_empty() => "It holds no events.".to_owned(),
        why => format!("It holds no events: {why}"),
    };
    let rows = items.iter().map(cells).collect();
    let outcomes = table(&["ITEM", "WHAT", "WHY", "EVENT", "ALERT"], rows, &nothing);
    let (id, state) = (field(receipt, "receipt_id"), field(receipt, "state"));
    let mut text = format!("Receipt {id} ({state})\n\n{outcomes}");
    let dead: Vec<String> = items.iter().filter(|item| is_dead(item)).map(reason).collect();
    if !dead.is_empty() {
        let _ = write!(
            text,
            "\n\nNot understood, but kept:\n\n  {}\n\n\
             Once its mapping is mended, read it again:\n\n  alertmill delivery redrive {id}",
            dead.join("\n  ")
        );
    }
    text
}

fn is_dead(item: &Value) -> bool {
    item["what"] == Outcome::Dead.as_str()
}

fn number(item: &Value) -> String {
    if item["index"].is_null() { "all".to_owned() } else { field(item, "index") }
}

fn cells(item: &Value) -> Vec<String> {
    let why = if is_dead(item) { "see below".to_owned() } else { short(item, "why", 24) };
    vec![number(item), field(item, "what"), why, field(item, "event_id"), field(item, "alert_id")]
}

/// Why an item was not understood, and where.
fn reason(item: &Value) -> String {
    let mut text = format!("{}: {}", number(item), field(item, "why"));
    let (file, line) = (field(item, "file"), field(item, "line"));
    if !file.is_empty() {
        let line = if line.is_empty() { line } else { format!(":{line}") };
        let _ = write!(text, " ({file}{line})");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_mistypes_a_case_is_told_those_of_the_provider() {
        let of_cadf = known("cadf/nix");
        assert!(!of_cadf.is_empty() && of_cadf.iter().all(|it| it.starts_with("cadf/")));
        assert!(known("help").len() > of_cadf.len());
    }
}
