//! What is announced: that something happened to an alert, as it stood then.

mod record;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::record::{example, record};
use super::{
    alert::{Alert, Standing},
    channel::{Channel, Skip},
    message::Message,
    scope::Home,
    words::words,
};
use crate::{
    clock::{Timestamp, rfc3339},
    id::Id,
};

words! {
    /// What happened to an alert that people should hear of.
    Occasion {
        /// It opened.
        Opened = "OPENED",
        /// Nobody took it in time, so the next step of its escalation hears of it.
        Escalated = "ESCALATED",
        /// Nobody took it in time, and its escalation begins anew.
        Repeated = "REPEATED",
        /// It got worse after someone had acknowledged it.
        Worsened = "WORSENED",
        /// It was opened again.
        Reopened = "REOPENED",
        /// What muted it ended, and it is open still.
        Unmuted = "UNMUTED",
        /// It opens and resolves again and again; nothing more is said of that until it settles.
        Flapping = "FLAPPING",
        /// Someone was made to look after it.
        Assigned = "ASSIGNED",
        /// It is over.
        Resolved = "RESOLVED",
        /// Nothing was heard of it for so long that it counts as over.
        Expired = "EXPIRED",
    }
}

words! {
    /// What kind of notification it is.
    NotificationType {
        /// Something is broken.
        Error = "ERROR",
        /// It works again.
        Success = "SUCCESS",
        /// Good to know.
        Info = "INFO",
    }
}

words! {
    /// Who hears of it: a step of an escalation has a level, and a channel takes some of them.
    NotificationLevel {
        /// Everybody.
        All = "ALL",
        /// The first level.
        Lv1 = "LV1",
        /// The second level.
        Lv2 = "LV2",
        /// The third level.
        Lv3 = "LV3",
        /// The fourth level.
        Lv4 = "LV4",
        /// The fifth level.
        Lv5 = "LV5",
        /// The sixth level.
        Lv6 = "LV6",
        /// The seventh level.
        Lv7 = "LV7",
        /// The eighth level.
        Lv8 = "LV8",
        /// The ninth level.
        Lv9 = "LV9",
        /// The tenth level.
        Lv10 = "LV10",
    }
}

#[expect(clippy::derivable_impls, reason = "the words of a vocabulary are declared by a macro")]
impl Default for NotificationLevel {
    fn default() -> Self {
        Self::All
    }
}

impl Occasion {
    /// Whether it says that an alert is over.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Resolved | Self::Expired => true,
            Self::Opened
            | Self::Escalated
            | Self::Repeated
            | Self::Worsened
            | Self::Reopened
            | Self::Unmuted
            | Self::Flapping
            | Self::Assigned => false,
        }
    }

    /// What the title of such a message begins with.
    pub const fn prefix(self) -> &'static str {
        match self.notification_type() {
            NotificationType::Error => "[Alerting] ",
            NotificationType::Success => "[Resolved] ",
            NotificationType::Info => "[Assigned to me] ",
        }
    }

    /// What kind of notification it makes.
    pub const fn notification_type(self) -> NotificationType {
        match self {
            Self::Resolved | Self::Expired => NotificationType::Success,
            Self::Assigned => NotificationType::Info,
            Self::Opened
            | Self::Escalated
            | Self::Repeated
            | Self::Worsened
            | Self::Reopened
            | Self::Unmuted
            | Self::Flapping => NotificationType::Error,
        }
    }

    /// Whether several of them may be told in one message: all but what is for one person.
    pub const fn gathers(self) -> bool {
        !matches!(self, Self::Assigned)
    }
}

/// What is said of an alert: what happened to it, and how it stood then. Whoever hears of it later hears the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The alert it is about.
    pub alert_id: Id<Alert>,
    /// Where that lives.
    pub home: Home,
    /// What happened.
    pub occasion: Occasion,
    /// Who hears of it.
    pub level: NotificationLevel,
    /// The step of the escalation that it belongs to, from one.
    pub step: u32,
    /// Why now, in a sentence, where that is not plain.
    pub reason: Option<String>,
    /// The alert as it stood, with the fields that its lists show; without what is too large to be sent.
    pub alert: Value,
    /// When it happened.
    pub created_at: Timestamp,
}

/// The longest description that is sent, in characters.
const LONGEST_DESCRIPTION: usize = 4000;

/// The most resources that are sent.
const MOST_RESOURCES: usize = 100;

/// The most bytes of `additional_info` that are sent, each value counted as JSON.
const MOST_INFO: usize = 16 << 10;

/// An alert as a notice keeps it: `record`, as its lists show it, without what is too large to be sent.
#[must_use]
pub fn bounded(mut record: Value) -> Value {
    let Some(fields) = record.as_object_mut() else { return record };
    if let Some(Value::String(text)) = fields.get_mut("description")
        && let Some((end, _)) = text.char_indices().nth(LONGEST_DESCRIPTION)
    {
        text.truncate(end);
        text.push('…');
    }
    if let Some(Value::Array(all)) = fields.get_mut("resources") {
        all.truncate(MOST_RESOURCES);
    }
    if let Some(Value::Object(info)) = fields.get_mut("additional_info") {
        let mut left = MOST_INFO;
        info.retain(|name, value| {
            let size = name.len() + value.to_string().len();
            let fits = size <= left;
            left -= if fits { size } else { 0 };
            fits
        });
    }
    record
}

/// An alert as a notice keeps it that nobody took: what tells which one it was.
#[must_use]
pub fn brief(alert: &Alert) -> Value {
    let Standing { alert_id, state, severity, urgency, .. } = &alert.standing;
    json!({
        "alert_id": alert_id,
        "alert_number": alert.alert_number,
        "title": alert.title,
        "state": state,
        "severity": severity,
        "urgency": urgency,
    })
}

/// A decision about telling people of an alert, for its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum NoticeStep {
    /// It was announced: these messages were written, and these channels passed over.
    Announced {
        /// What happened.
        occasion: Occasion,
        /// Who hears of it.
        level: NotificationLevel,
        /// The step of its escalation, from one.
        step: u32,
        /// Why now, where that is not plain.
        reason: Option<String>,
        /// The messages that were written.
        messages: Vec<Written>,
        /// Who did not take it, and why.
        passed: Vec<Passed>,
    },
    /// A message arrived.
    Sent {
        /// The message.
        message: Written,
        /// How many attempts it took.
        attempts: u32,
    },
    /// A message did not arrive, and is tried again.
    Failed {
        /// The message.
        message: Written,
        /// Which attempt it was.
        attempt: u32,
        /// Why.
        reason: String,
        /// When it is tried again.
        again_at: Timestamp,
    },
    /// A message did not arrive, and is given up until someone drives it again.
    Dead {
        /// The message.
        message: Written,
        /// How many attempts were made.
        attempts: u32,
        /// Why the last one failed.
        reason: String,
    },
    /// A message is not sent after all.
    Dropped {
        /// The message.
        message: Written,
        /// Why not.
        reason: String,
    },
    /// A message that was given up is driven again.
    Redriven {
        /// The message.
        message: Written,
    },
}

/// A message that was written, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// The message.
    pub message_id: Id<Message>,
    /// The channel it goes through.
    pub channel_id: Id<Channel>,
    /// What that is called.
    pub name: String,
    /// Why it goes there, where it is not for its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A channel that did not take an announcement, or someone who has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Passed {
    /// The channel, if it is one.
    pub channel_id: Option<Id<Channel>>,
    /// What it is called.
    pub name: String,
    /// Why not.
    pub why: Skip,
}

impl NoticeStep {
    /// What was decided, in a word.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Announced { messages, .. } if messages.is_empty() => "skipped",
            Self::Announced { .. } => "announced",
            Self::Sent { .. } => "sent",
            Self::Failed { .. } => "failed",
            Self::Dead { .. } => "dead",
            Self::Dropped { .. } => "dropped",
            Self::Redriven { .. } => "redriven",
        }
    }

    /// What was decided and why, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Announced { occasion, level, step, reason, messages, passed } => {
                let why = reason.as_ref().map(|why| format!(" because {why}")).unwrap_or_default();
                let told = listed(messages.iter().map(Written::in_words));
                let passed =
                    listed(passed.iter().map(|one| format!("`{}`, {}", one.name, one.why)));
                let told = told.map_or_else(|| "told nobody".to_owned(), |to| format!("told {to}"));
                let passed = passed.map(|who| format!("; passed over {who}")).unwrap_or_default();
                format!("{occasion}{why} (level {level}, step {step}): {told}{passed}")
            }
            Self::Sent { message, attempts: 1 } => format!("`{}` has it", message.name),
            Self::Sent { message, attempts } => {
                format!("`{}` has it, at attempt {attempts}", message.name)
            }
            Self::Failed { message, attempt, reason, again_at } => format!(
                "attempt {attempt} for `{}` failed: {reason}; it is tried again from {} on",
                message.name,
                rfc3339(*again_at)
            ),
            Self::Dead { message, attempts, reason } => format!(
                "given up for `{}` after attempt {attempts}: {reason}; `message redrive {}` tries again",
                message.name, message.message_id
            ),
            Self::Dropped { message, reason } => {
                format!("not sent to `{}` after all: {reason}", message.name)
            }
            Self::Redriven { message } => format!("driven again for `{}`", message.name),
        }
    }
}

impl Written {
    fn in_words(&self) -> String {
        match &self.why {
            Some(why) => format!("`{}` ({why})", self.name),
            None => format!("`{}`", self.name),
        }
    }
}

/// `a; b; c`, or nothing of nothing.
fn listed(items: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = items.collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// The value at a dotted path of a record, lists on the way fanned out; null where there is nothing.
#[must_use]
pub fn value_at(record: &Value, path: &str) -> Value {
    fn below<'a>(value: &'a Value, step: &str, found: &mut Vec<&'a Value>) {
        match value {
            Value::Object(fields) => found.extend(fields.get(step)),
            Value::Array(items) => items.iter().for_each(|item| below(item, step, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut values = vec![record];
    for step in path.split('.') {
        let mut next = Vec::new();
        for value in &values {
            below(value, step, &mut next);
        }
        values = next;
    }
    match values.as_slice() {
        [] => Value::Null,
        [one] => (*one).clone(),
        many => many.iter().copied().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn titles_begin_as_the_original_writes_them() {
        assert_eq!(Occasion::Unmuted.prefix(), "[Alerting] ");
        assert_eq!(Occasion::Expired.prefix(), "[Resolved] ");
        assert_eq!(Occasion::Assigned.prefix(), "[Assigned to me] ");
    }

    #[test]
    fn what_is_too_large_is_left_out_of_a_notice() {
        let record = json!({
            "description": "ä".repeat(5000),
            "resources": vec![json!({ "name": "a" }); 300],
            "additional_info": { "a": "small", "b": "x".repeat(20_000), "c": "small too" },
        });
        let kept = bounded(record);
        assert_eq!(kept["description"].as_str().unwrap().chars().count(), 4001);
        assert_eq!(kept["resources"].as_array().unwrap().len(), 100);
        assert_eq!(kept["additional_info"], json!({ "a": "small", "c": "small too" }));
    }

    #[test]
    fn a_value_is_found_below_objects_and_lists() {
        let record = json!({ "a": { "b": 1 }, "list": [{ "n": 1 }, { "n": 2 }, {}] });
        assert_eq!(value_at(&record, "a.b"), json!(1));
        assert_eq!(value_at(&record, "list.n"), json!([1, 2]));
        assert_eq!(value_at(&record, "a.b.c"), Value::Null);
    }

    #[test]
    fn a_decision_says_who_was_told_and_who_was_not() {
        let passed = Passed {
            channel_id: Some("channel-2".into()),
            name: "night".to_owned(),
            why: Skip::Level { takes: vec![NotificationLevel::Lv2], level: NotificationLevel::Lv1 },
        };
        let message = Written {
            message_id: "message-1".into(),
            channel_id: "channel-1".into(),
            name: "day".to_owned(),
            why: None,
        };
        let step = NoticeStep::Announced {
            occasion: Occasion::Opened,
            level: NotificationLevel::Lv1,
            step: 1,
            reason: None,
            messages: vec![message],
            passed: vec![passed],
        };
        assert_eq!(step.verdict(), "announced");
        assert_eq!(
            step.sentence(),
            "OPENED (level LV1, step 1): told `day`; passed over `night`, which takes LV2, not LV1"
        );
        let kept = serde_json::to_value(&step).unwrap();
        assert_eq!(serde_json::from_value::<NoticeStep>(kept).unwrap(), step);
    }
}
