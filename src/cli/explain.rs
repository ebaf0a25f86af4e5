//! `alertmill alert explain`: why an alert is as it is.

use std::fmt::Write as _;

use clap::Args;
use serde_json::Value;

use super::{
    Failure,
    client::Client,
    naming,
    show::{Screen, brief, field, prose},
};

/// Say why an alert is as it is: what was decided, by what, in order of time.
#[derive(Args)]
pub(super) struct Explain {
    /// The alert's identifier, or its number.
    alert_id: String,
}

impl Explain {
    /// Does it.
    pub(super) async fn run(&self, client: &Client, screen: &Screen) -> Result<(), Failure> {
        let alert_id = naming::alert(client, &self.alert_id).await?;
        let path = format!("/api/v1/alerts/{}/explain", urlencoded(&alert_id));
        let mut whole = client.get(&path, &[]).await?;
        while let Value::String(cursor) = whole["next_cursor"].take() {
            let mut rest = client.get(&path, &[("cursor", cursor)]).await?;
            let steps = rest["steps"].take();
            if let (Some(all), Value::Array(steps)) = (whole["steps"].as_array_mut(), steps) {
                all.extend(steps);
            }
            whole["next_cursor"] = rest["next_cursor"].take();
        }
        screen.show(&whole, told)
    }
}

/// An identifier as a part of a path.
fn urlencoded(id: &str) -> String {
    let mut text = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn told(explained: &Value) -> String {
    let steps = explained["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = steps.iter().map(|step| {
        let told = ["at", "of", "verdict", "sentence"].iter().map(|name| field(step, name));
        told.chain([brief(step, "actor")]).collect()
    });
    // A field that ends in `_at` is a time; this one is called `at` alone.
    let rows: Vec<Vec<String>> = rows.collect();
    let rows = rows.into_iter().map(|mut row: Vec<String>| {
        row[0] = row[0].replace('T', " ");
        row
    });
    let table = prose(&["AT", "OF", "VERDICT", "WHAT AND WHY", "BY"], rows.collect());
    let mut text = format!("{}\n{}\n\n{table}", title(explained), field(explained, "summary"));
    let left_out = explained["events_left_out"].as_u64().unwrap_or(0);
    if left_out > 0 {
        let _ = write!(text, "\n\n{left_out} events between the first and the last are not told.");
    }
    text
}

fn title(explained: &Value) -> String {
    let alert = &explained["alert"];
    let (title, key) = (field(alert, "title"), field(alert, "event_key"));
    if title.is_empty() { key } else { title }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_identifier_leads_nowhere_else() {
        assert_eq!(urlencoded("alert-1"), "alert-1");
        assert_eq!(urlencoded("../x?y"), "..%2Fx%3Fy");
    }

    #[test]
    fn steps_are_told_in_order() {
        let step = json!({
            "at": "2026-01-01T00:00:00.000Z",
            "of": "event",
            "verdict": "opened",
            "sentence": "ALERT came",
            "actor": "webhook:w",
        });
        let explained = json!({ "alert": { "title": "Disk" }, "summary": "Open.", "steps": [step], "events_left_out": 3 });
        insta::assert_snapshot!(told(&explained));
    }
}
