//! Who must be heard from how often: silence opens an alert, and whatever is heard next resolves it.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use serde_json::Value;

use super::{
    alert::{Alert, Standing},
    care::{Care, Marks},
    scope::Home,
    webhook::Webhook,
    words::{AlertState, Severity, words},
};
use crate::{
    clock::{Timestamp, rfc3339},
    id::{Id, Identified, Mint},
};

words! {
    /// Where a heartbeat stands.
    HeartbeatState {
        /// Nothing was heard yet, and it is not late.
        Waiting = "WAITING",
        /// It was heard in time.
        Heard = "HEARD",
        /// It fell silent.
        Silent = "SILENT",
    }
}

/// What must be heard from every so often: a webhook, or the events of one key that come through it.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// Its identifier.
    pub heartbeat_id: Id<Heartbeat>,
    /// What people call it; unique for its webhook.
    pub name: String,
    /// The webhook.
    pub webhook_id: Id<Webhook>,
    /// Where that lives, and the alerts of silence.
    pub home: Home,
    /// The events of which key must come; any delivery will do where absent.
    pub event_key: Option<String>,
    /// How long it may be silent.
    pub every: TimeDelta,
    /// How bad silence is.
    pub severity: Severity,
    /// When it was heard last.
    pub last_heard_at: Option<Timestamp>,
    /// The alert that says that it fell silent.
    pub alert_id: Option<Id<Alert>>,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made, which counts as heard.
    pub created_at: Timestamp,
}

impl Identified for Heartbeat {
    const PREFIX: &'static str = "heartbeat";
}

/// The heartbeats of a project, by webhook: what a delivery is looked at for.
#[derive(Clone, Debug, Default)]
pub struct Heartbeats(pub BTreeMap<Id<Webhook>, Vec<Arc<Heartbeat>>>);

impl Heartbeats {
    /// Those that hear something in a delivery of `webhook` with events of these keys.
    pub fn hearing<'a>(
        &'a self,
        webhook: &Id<Webhook>,
        keys: &'a [&str],
    ) -> impl Iterator<Item = &'a Heartbeat> {
        let of_webhook = self.0.get(webhook).into_iter().flatten().map(Arc::as_ref);
        of_webhook.filter(|heartbeat| heartbeat.hears(keys))
    }

    /// Whether anything of a webhook is listened to.
    pub fn listen_to(&self, webhook: &Id<Webhook>) -> bool {
        self.0.contains_key(webhook)
    }
}

impl Heartbeat {
    /// Whether it hears something in a delivery with events of these keys.
    fn hears(&self, keys: &[&str]) -> bool {
        self.event_key.as_deref().is_none_or(|key| keys.contains(&key))
    }

    /// When it is silent for too long, if nothing is heard before.
    pub fn due_at(&self) -> Timestamp {
        let since = self.last_heard_at.unwrap_or(self.created_at);
        since.checked_add_signed(self.every).unwrap_or(Timestamp::MAX_UTC)
    }

    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> HeartbeatState {
        match self.last_heard_at {
            _ if self.alert_id.is_some() || self.due_at() <= now => HeartbeatState::Silent,
            Some(_) => HeartbeatState::Heard,
            None => HeartbeatState::Waiting,
        }
    }

    /// The key of the alerts that say that it fell silent.
    pub fn alert_key(&self) -> String {
        format!("heartbeat:{}", self.heartbeat_id)
    }

    /// What is said once it fell silent.
    fn says(&self) -> String {
        let whose = match &self.event_key {
            Some(key) => format!("No event with key `{key}` came"),
            None => "Nothing was delivered".to_owned(),
        };
        let since = self.last_heard_at.map_or_else(
            || format!("since the heartbeat was made at {}", rfc3339(self.created_at)),
            |at| format!("since {}", rfc3339(at)),
        );
        let every = in_words(self.every);
        format!(
            "{whose} through webhook `{}` {since}; it must be heard from every {every}.",
            self.webhook_id
        )
    }

    /// The alert that says that it fell silent.
    pub fn silence(&self, mint: &Mint, now: Timestamp) -> Alert {
        let every = in_words(self.every);
        Alert {
            standing: Standing {
                alert_id: mint.id(now),
                state: AlertState::Triggered,
                severity: self.severity,
                urgency: self.severity.urgency(),
                event_count: 0,
                last_event_at: now,
                updated_at: now,
                marks: Marks::default(),
            },
            alert_number: 0,
            event_key: self.alert_key(),
            title: Some(format!("{} was not heard from for {every}", self.name)),
            description: Some(self.says()),
            rule: Some(self.name.clone()),
            image_url: None,
            resources: Vec::new(),
            provider: Some(String::new()),
            account: Some(String::new()),
            additional_info: BTreeMap::from([(
                "heartbeat_id".to_owned(),
                self.heartbeat_id.as_str().into(),
            )]),
            assignee: None,
            responder: None,
            triggered_by: format!("heartbeat:{}", self.heartbeat_id),
            webhook_id: Some(self.webhook_id.clone()),
            home: self.home.clone(),
            created_at: now,
            acknowledged_at: None,
            ending: None,
            care: Care::default(),
        }
    }
}

/// A length of time as people say it: `90 s`, `5 min`, `2 h`, `3 d`.
fn in_words(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let fits = units.into_iter().find(|(size, _)| seconds > 0 && seconds % size == 0);
    let (size, unit) = fits.unwrap_or((1, "s"));
    format!("{} {unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn heartbeat(event_key: Option<&str>) -> Heartbeat {
        Heartbeat {
            heartbeat_id: "heartbeat-1".into(),
            name: "backup".to_owned(),
            webhook_id: "webhook-1".into(),
            home: Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() },
            event_key: event_key.map(str::to_owned),
            every: TimeDelta::minutes(5),
            severity: Severity::Critical,
            last_heard_at: None,
            alert_id: None,
            tags: BTreeMap::new(),
            created_at: from_millis(0),
        }
    }

    #[test]
    fn it_is_late_at_the_very_millisecond() {
        let mut beat = heartbeat(None);
        assert_eq!(beat.state(from_millis(299_999)), HeartbeatState::Waiting);
        assert_eq!(beat.state(from_millis(300_000)), HeartbeatState::Silent);
        beat.last_heard_at = Some(from_millis(100_000));
        assert_eq!(beat.state(from_millis(399_999)), HeartbeatState::Heard);
        assert_eq!(beat.due_at(), from_millis(400_000));
    }

    #[test]
    fn one_with_a_key_hears_only_that_key() {
        assert!(heartbeat(None).hears(&[]));
        assert!(heartbeat(Some("watchdog")).hears(&["a", "watchdog"]));
        assert!(!heartbeat(Some("watchdog")).hears(&["a"]));
    }

    #[test]
    fn silence_says_what_was_awaited() {
        let alert = heartbeat(Some("watchdog")).silence(&Mint::repeatable(), from_millis(300_000));
        assert_eq!(alert.title.as_deref(), Some("backup was not heard from for 5 min"));
        let said = alert.description.unwrap();
        assert!(said.starts_with("No event with key `watchdog` came through webhook"), "{said}");
        assert_eq!(in_words(TimeDelta::seconds(90)), "90 s");
        assert_eq!(in_words(TimeDelta::hours(48)), "2 d");
    }
}
