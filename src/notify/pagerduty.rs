//! PagerDuty: events of version 2. Alert and incident are the same to both: the alert's identifier is the deduplication
//! key, so a message that arrives twice does nothing the second time.

use serde_json::{Value, json};

use super::{Delivered, SendFault, http, text};
use crate::{
    domain::{
        channel::targets::PagerDutyTarget,
        notice::{Notice, NotificationType},
        parcel::Parcel,
        words::Severity,
    },
    outbound::Outbound,
};

/// The most letters of a summary, and of a description among the details.
const LONGEST_SUMMARY: usize = 1024;
const LONGEST_DESCRIPTION: usize = 8000;

pub(super) async fn send(
    outbound: &Outbound,
    target: &PagerDutyTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let url = format!("{}/v2/enqueue", target.api_url);
    let mut delivered = Delivered::default();
    for notice in &parcel.notices {
        let Some(mut event) = event(notice, (said, parcel)) else { continue };
        event["routing_key"] = target.routing_key.reveal().into();
        let answer = http::post_json(outbound, &url, Vec::new(), &event).await?;
        delivered = http::taken(&answer)?;
    }
    Ok(delivered)
}

/// The event of a notice; `None` where it need not know, since it looks after who is assigned itself.
fn event(notice: &Notice, (said, parcel): (&text::Said, &Parcel)) -> Option<Value> {
    let action = match notice.occasion.notification_type() {
        NotificationType::Error => "trigger",
        NotificationType::Success => "resolve",
        NotificationType::Info => return None,
    };
    let mut event = json!({ "event_action": action, "dedup_key": notice.alert_id });
    if action == "resolve" {
        return Some(event);
    }
    let alone = parcel.notices.len() == 1;
    let summary = if alone { said.title.clone() } else { text::headline(notice) };
    let resources = text::resources(notice);
    let source = resources.first().cloned().or_else(|| text::text(notice, "provider"));
    event["payload"] = json!({
        "summary": text::cut(&summary, LONGEST_SUMMARY),
        "source": source.as_deref().unwrap_or("alertmill"),
        "severity": severity(text::severity(notice)),
        "timestamp": text::text(notice, "created_at"),
        "component": resources.first(),
        "group": text::text(notice, "project_id"),
        "class": text::text(notice, "rule"),
        "custom_details": details(notice),
    });
    event["client"] = "Alertmill".into();
    if parcel.base_url.starts_with("http") {
        event["client_url"] = parcel.base_url.as_str().into();
    }
    if let Some(url) = parcel.ack_url.as_ref().filter(|_| alone) {
        event["links"] = json!([{ "href": url, "text": "Acknowledge in Alertmill" }]);
    }
    if let Some(image) = text::text(notice, "image_url").filter(|url| url.starts_with("https://")) {
        event["images"] = json!([{ "src": image }]);
    }
    Some(event)
}

fn details(notice: &Notice) -> Value {
    let description = text::text(notice, "description");
    json!({
        "alert_number": notice.alert["alert_number"],
        "description": description.map(|text| text::cut(&text, LONGEST_DESCRIPTION)),
        "occasion": notice.occasion,
        "reason": notice.reason,
        "severity": notice.alert["severity"],
        "urgency": notice.alert["urgency"],
        "resources": text::resources(notice),
        "triggered_by": notice.alert["triggered_by"],
        "account": notice.alert["account"],
        "additional_info": notice.alert["additional_info"],
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Error | Severity::NotAvailable => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::None => "info",
    }
}
