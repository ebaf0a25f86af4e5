//! What messages say: the words that all channels use, and what a channel's own templates make of them.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::{
    clock::rfc3339,
    domain::{
        channel::Templates,
        notice::{Notice, NotificationType, Occasion, value_at},
        parcel::Parcel,
        words::Severity,
    },
    value::template::{Template, TemplateFault},
};

/// How many alerts of a storm are named in one message.
const MOST_NAMED: usize = 20;

/// How many resources of an alert are named in a message.
const MOST_RESOURCES: usize = 5;

/// The most letters of a fact.
const LONGEST_FACT: usize = 200;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// What a person reads first.
    pub(super) title: String,
    /// What a person reads next; may be empty.
    pub(super) body: String,
    /// Particulars with their names, below the body; none where a template made the body.
    pub(super) facts: Vec<(&'static str, String)>,
    /// What went wrong with the channel's templates, if something did.
    pub(super) note: Option<String>,
}

impl Said {
    /// What a message says, by the channel's templates where it has any. A template that fails costs nobody the message:
    /// then it says what is usual, and that it failed is noted.
    pub(super) fn of(parcel: &Parcel, templates: &Templates) -> Self {
        let scene = scene(parcel);
        let mut note = None;
        let mut made = |template: &Option<String>| match rendered(template.as_deref()?, &scene) {
            Ok(text) if text.trim().is_empty() => None,
            Ok(text) => Some(text),
            Err(fault) => {
                note = Some(format!("the template failed, so the usual text was sent: {fault}"));
                None
            }
        };
        let title = made(&templates.title).map(|title| one_line(&title));
        let body = made(&templates.body);
        let facts = if body.is_some() { Vec::new() } else { facts(parcel) };
        Self {
            title: title.unwrap_or_else(|| usual_title(parcel)),
            body: body.unwrap_or_else(|| usual_body(parcel)),
            facts,
            note,
        }
    }

    /// All of it as plain text, but for the title.
    pub(super) fn plain(&self) -> String {
        let mut lines = Vec::new();
        if !self.body.is_empty() {
            lines.push(self.body.clone());
            lines.push(String::new());
        }
        lines.extend(self.facts.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.join("\n").trim_end().to_owned()
    }
}

/// What a template makes of a scene.
pub(super) fn rendered(template: &str, scene: &Value) -> Result<String, TemplateFault> {
    Template::parse(template)?.render(scene)
}

/// What templates may fill in.
pub(super) fn scene(parcel: &Parcel) -> Value {
    let notices: Vec<Value> = parcel.notices.iter().map(noticed).collect();
    let mut scene = notices.first().cloned().unwrap_or_else(|| json!({}));
    scene["title"] = usual_title(parcel).into();
    scene["message_id"] = parcel.message_id.as_str().into();
    scene["ack_url"] = json!(parcel.ack_url);
    scene["base_url"] = parcel.base_url.as_str().into();
    scene["count"] = notices.len().into();
    scene["notices"] = notices.into();
    scene
}

/// A notice as templates and receivers see it.
pub(super) fn noticed(notice: &Notice) -> Value {
    json!({
        "occasion": notice.occasion,
        "notification_type": notice.occasion.notification_type(),
        "level": notice.level,
        "step": notice.step,
        "reason": notice.reason,
        "noticed_at": rfc3339(notice.created_at),
        "alert": notice.alert,
    })
}

/// A text of the alert of a notice, if it has one.
pub(super) fn text(notice: &Notice, path: &str) -> Option<String> {
    let text = match value_at(&notice.alert, path) {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// What a person reads first of an alert.
pub(super) fn headline(notice: &Notice) -> String {
    let title = text(notice, "title").or_else(|| text(notice, "event_key"));
    one_line(&title.unwrap_or_else(|| notice.alert_id.to_string()))
}

/// How bad it is.
pub(super) fn severity(notice: &Notice) -> Severity {
    let word = text(notice, "severity").and_then(|word| word.parse().ok());
    word.unwrap_or(Severity::NotAvailable)
}

/// What the alert is about, in the words that its lists show.
pub(super) fn resources(notice: &Notice) -> Vec<String> {
    let Value::Array(all) = &notice.alert["resources"] else { return Vec::new() };
    let name = |resource: &Value| {
        let named = |field: &str| resource[field].as_str().filter(|name| !name.is_empty());
        let name = resource.as_str().or_else(|| named("name")).or_else(|| named("resource_id"));
        name.map(str::to_owned)
    };
    all.iter().filter_map(name).collect()
}

/// A message's colour: of the worst alert that it tells of, or that of all being well.
pub(super) fn colour(parcel: &Parcel) -> u32 {
    let over = parcel.notices.iter().all(|notice| notice.occasion.is_over());
    if over {
        return 0x002e_a44f;
    }
    match worst(parcel) {
        Severity::Critical => 0x00d7_263d,
        Severity::Error | Severity::NotAvailable => 0x00f0_8c00,
        Severity::Warning => 0x00f2_c037,
        Severity::Info | Severity::None => 0x0036_7bf5,
    }
}

/// The worst severity of the alerts that a message tells of.
pub(super) fn worst(parcel: &Parcel) -> Severity {
    parcel.notices.iter().map(severity).max().unwrap_or(Severity::NotAvailable)
}

/// A text of at most so many letters.
pub(super) fn cut(text: &str, letters: usize) -> String {
    if text.chars().nth(letters).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// A text in one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn usual_title(parcel: &Parcel) -> String {
    match parcel.notices.as_slice() {
        [] => "[Alerting] ".to_owned(),
        [one] => format!("{}{}", one.occasion.prefix(), headline(one)),
        [first, more @ ..] => {
            let prefix = first.occasion.prefix();
            format!(
                "{prefix}{} alerts: {} and {} more",
                more.len() + 1,
                headline(first),
                more.len()
            )
        }
    }
}

fn usual_body(parcel: &Parcel) -> String {
    match parcel.notices.as_slice() {
        [one] => text(one, "description").unwrap_or_default(),
        many => {
            let mut lines: Vec<String> = many.iter().take(MOST_NAMED).map(line).collect();
            if many.len() > MOST_NAMED {
                lines.push(format!("and {} more", many.len() - MOST_NAMED));
            }
            lines.join("\n")
        }
    }
}

fn line(notice: &Notice) -> String {
    let number = text(notice, "alert_number").map(|number| format!("#{number} "));
    let number = number.unwrap_or_default();
    format!("{number}{} {}", severity(notice), cut(&headline(notice), LONGEST_FACT))
}

/// The particulars of an alert, in the order and by the names that Cloudforet's messages have; and why people are told.
fn facts(parcel: &Parcel) -> Vec<(&'static str, String)> {
    let [notice] = parcel.notices.as_slice() else { return Vec::new() };
    let mut facts = Vec::new();
    let mut say = |name: &'static str, value: Option<String>| {
        facts.extend(value.map(|value| (name, cut(&one_line(&value), LONGEST_FACT))));
    };
    say("Why", why(notice));
    say("Alert Number", text(notice, "alert_number").map(|number| format!("#{number}")));
    say("State", text(notice, "state"));
    say("Severity", text(notice, "severity"));
    say("Urgency", text(notice, "urgency"));
    say("Triggered by", text(notice, "triggered_by"));
    say("Project", text(notice, "project_id"));
    say("Rule", text(notice, "rule"));
    say("Resource", named(&resources(notice)));
    say("Assigned to", text(notice, "assignee"));
    say("Acknowledged by", text(notice, "responder"));
    say("Account", text(notice, "account"));
    say("Since", text(notice, "created_at").map(|at| when(&at)));
    facts
}

/// Why people are told, where the title does not say it.
fn why(notice: &Notice) -> Option<String> {
    let occasion = match notice.occasion {
        Occasion::Opened | Occasion::Resolved => None,
        Occasion::Escalated => Some("nobody took it in time"),
        Occasion::Repeated => Some("nobody took it yet"),
        Occasion::Worsened => Some("it became worse"),
        Occasion::Reopened => Some("it is open again"),
        Occasion::Unmuted => Some("what muted it is over, and it is open still"),
        Occasion::Flapping => Some("it opens and recovers again and again"),
        Occasion::Assigned => Some("it was given to you"),
        Occasion::Expired => Some("nothing was heard of it any more"),
    };
    let resolved = text(notice, "resolved_reason");
    let reason = match notice.occasion.notification_type() {
        NotificationType::Success => notice.reason.clone().or(resolved),
        NotificationType::Error | NotificationType::Info => notice.reason.clone(),
    };
    match (occasion, reason) {
        (Some(occasion), Some(reason)) => Some(format!("{occasion}: {reason}")),
        (Some(one), None) => Some(one.to_owned()),
        (None, reason) => reason,
    }
}

fn named(all: &[String]) -> Option<String> {
    let more = all.len().saturating_sub(MOST_RESOURCES);
    let named = all.iter().take(MOST_RESOURCES).cloned().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("{named}{more}"))
}

/// A time as people read it.
fn when(time: &str) -> String {
    match DateTime::parse_from_rfc3339(time) {
        Ok(time) => time.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => time.to_owned(),
    }
}
