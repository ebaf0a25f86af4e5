//! Opsgenie: alerts, by the identifier of ours as their alias, so a message that arrives twice does nothing the second
//! time.

use serde_json::{Map, Value, json};

use super::{Delivered, SendFault, http, text};
use crate::{
    domain::{
        channel::targets::OpsgenieTarget,
        notice::{Notice, NotificationType},
        parcel::Parcel,
        words::Severity,
    },
    outbound::Outbound,
};

/// The most letters of a message, a description, a source and a note.
const LONGEST_MESSAGE: usize = 130;
const LONGEST_DESCRIPTION: usize = 14_000;
const LONGEST_SOURCE: usize = 100;
const LONGEST_NOTE: usize = 2000;

pub(super) async fn send(
    outbound: &Outbound,
    target: &OpsgenieTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let key = format!("GenieKey {}", target.api_key.reveal());
    let mut delivered = Delivered::default();
    for notice in &parcel.notices {
        let Some((path, body)) = request(target, notice, (said, parcel)) else { continue };
        let url = format!("{}/v2/alerts{path}", target.api_url);
        let headers = vec![("authorization".to_owned(), key.clone())];
        let answer = http::post_json(outbound, &url, headers, &body).await?;
        delivered = http::taken(&answer)?;
    }
    Ok(delivered)
}

/// The path and the body of a notice; `None` where Opsgenie need not know, since it looks after who is assigned itself.
fn request(
    target: &OpsgenieTarget,
    notice: &Notice,
    (said, parcel): (&text::Said, &Parcel),
) -> Option<(String, Value)> {
    let alias = notice.alert_id.as_str();
    match notice.occasion.notification_type() {
        NotificationType::Error => {}
        NotificationType::Success => {
            let path = format!("/{}/close?identifierType=alias", http::escaped(alias));
            let note = notice.reason.clone().or_else(|| text::text(notice, "resolved_reason"));
            let note = note.map(|note| text::cut(&note, LONGEST_NOTE));
            return Some((path, json!({ "source": "Alertmill", "note": note })));
        }
        NotificationType::Info => return None,
    }
    let alone = parcel.notices.len() == 1;
    let message = if alone { said.title.clone() } else { text::headline(notice) };
    let description =
        if alone { said.plain() } else { text::text(notice, "description").unwrap_or_default() };
    let description = match parcel.ack_url.as_ref().filter(|_| alone) {
        Some(url) => {
            format!("{}\n\nAcknowledge: {url}", text::cut(&description, LONGEST_DESCRIPTION))
        }
        None => text::cut(&description, LONGEST_DESCRIPTION),
    };
    let team = |name: &String| json!({ "name": name, "type": "team" });
    let mut body = json!({
        "message": text::cut(&message, LONGEST_MESSAGE),
        "alias": alias,
        "description": description.trim(),
        "priority": priority(text::severity(notice)),
        "source": "Alertmill",
        "details": details(notice),
    });
    if !target.teams.is_empty() {
        body["responders"] = target.teams.iter().map(team).collect();
    }
    if let Some(entity) = text::resources(notice).first() {
        body["entity"] = text::cut(entity, LONGEST_SOURCE).into();
    }
    Some((String::new(), body))
}

/// Particulars, which are texts there.
fn details(notice: &Notice) -> Value {
    let fields =
        ["alert_number", "severity", "urgency", "project_id", "rule", "account", "triggered_by"];
    let mut details = Map::new();
    for field in fields {
        if let Some(value) = text::text(notice, field) {
            details.insert(field.to_owned(), text::cut(&value, LONGEST_SOURCE).into());
        }
    }
    Value::Object(details)
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::Error | Severity::NotAvailable => "P2",
        Severity::Warning => "P3",
        Severity::Info => "P4",
        Severity::None => "P5",
    }
}
