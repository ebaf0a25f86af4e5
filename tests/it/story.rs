//! A small language for stories on a clock that obeys: what arrives when, and what must be so then. Each is told twice,
//! the second time with a restart after every step, which must change nothing.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Hook, House, START, time};

/// What happens, in order.
#[derive(Default)]
pub struct Story {
    recovery_mode: Option<&'static str>,
    steps: Vec<Step>,
}

pub enum Step {
    At(DateTime<Utc>),
    Post(Vec<Said>),
    ByHand { key: &'static str, state: &'static str },
    Expect(Expected),
    Receipt(Vec<(&'static str, &'static str)>),
    Stored { key: &'static str, events: usize },
}

/// What a sender says of one key.
#[derive(Clone)]
pub struct Said(pub Value);

/// How the newest alert of a key must stand.
pub struct Expected {
    key: &'static str,
    alerts: Option<usize>,
    fields: Vec<(&'static str, Value)>,
    reason: Option<&'static str>,
}

pub fn story() -> Story {
    Story::default()
}

/// A time of the day on which stories are told.
pub fn clock(text: &str) -> DateTime<Utc> {
    let (hours, minutes) = text.split_once(':').unwrap();
    let minutes = hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap();
    time(START) + TimeDelta::minutes(minutes)
}

pub fn shown(text: &str) -> Value {
    json!(clock(text).to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

pub fn said(key: &str, event_type: &str) -> Said {
    Said(
        json!({ "event_key": key, "event_type": event_type, "title": "Disk full", "severity": "ERROR" }),
    )
}

pub fn firing(key: &str) -> Said {
    said(key, "ALERT")
}

pub fn recovery(key: &str) -> Said {
    said(key, "RECOVERY")
}

impl Said {
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    pub fn occurred(self, at: &str) -> Self {
        self.with("occurred_at", shown(at))
    }

    pub fn severity(self, severity: &str) -> Self {
        self.with("severity", severity)
    }

    pub fn description(self, text: &str) -> Self {
        self.with("description", text)
    }
}

pub fn alert(key: &'static str) -> Expected {
    Expected { key, alerts: None, fields: Vec::new(), reason: None }
}

impl Expected {
    pub fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((field, value.into()));
        self
    }

    pub fn triggered(self) -> Self {
        self.with("state", "TRIGGERED")
    }

    pub fn acknowledged(self) -> Self {
        self.with("state", "ACKNOWLEDGED")
    }

    pub fn resolved(self) -> Self {
        self.with("state", "RESOLVED")
    }

    pub fn events(self, count: u64) -> Self {
        self.with("event_count", count)
    }

    pub fn number(self, number: u64) -> Self {
        self.with("alert_number", number)
    }

    /// So many alerts of this key there are in all.
    pub fn of(mut self, alerts: usize) -> Self {
        self.alerts = Some(alerts);
        self
    }

    /// Why it was resolved says this.
    pub fn because(mut self, part: &'static str) -> Self {
        self.reason = Some(part);
        self
    }

    pub async fn check(&self, house: &House, told: &str) {
        let alerts = house.alerts(json!({ "event_key": self.key })).await;
        if let Some(count) = self.alerts {
            assert_eq!(alerts.len(), count, "alerts of {}, {told}: {alerts:#?}", self.key);
        }
        let Some(newest) = alerts.last() else {
            assert!(self.fields.is_empty(), "no alert of {}, {told}", self.key);
            return;
        };
        for (field, value) in &self.fields {
            assert_eq!(&newest[field], value, "{field} of {}, {told}: {newest:#}", self.key);
        }
        if let Some(part) = self.reason {
            let reason = newest["resolved_reason"].as_str().unwrap();
            assert!(reason.contains(part), "{reason}, {told}");
        }
    }
}

impl Story {
    pub fn manual(mut self) -> Self {
        self.recovery_mode = Some("MANUAL");
        self
    }

    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub fn at(self, time: &str) -> Self {
        self.then(Step::At(clock(time)))
    }

    pub fn post(self, said: Said) -> Self {
        self.then(Step::Post(vec![said]))
    }

    pub fn batch(self, said: impl IntoIterator<Item = Said>) -> Self {
        self.then(Step::Post(said.into_iter().collect()))
    }

    pub fn by_hand(self, key: &'static str, state: &'static str) -> Self {
        self.then(Step::ByHand { key, state })
    }

    pub fn expect(self, expected: Expected) -> Self {
        self.then(Step::Expect(expected))
    }

    /// What became of the items of the delivery just posted, and why.
    pub fn became(self, items: &[(&'static str, &'static str)]) -> Self {
        self.then(Step::Receipt(items.to_vec()))
    }

    /// So many events of a key are stored.
    pub fn stored(self, key: &'static str, events: usize) -> Self {
        self.then(Step::Stored { key, events })
    }

    pub async fn tell(&self) {
        self.once("told straight", false).await;
        self.once("told with restarts", true).await;
    }

    pub async fn once(&self, how: &str, restarts: bool) {
        let mut house = House::new().await;
        let hook = house.webhook("api-direct").await;
        if let Some(mode) = self.recovery_mode {
            let options = json!({ "project_id": "default", "options": { "recovery_mode": mode } });
            house.done("/monitoring/v1/project-alert-config/update", options).await;
        }
        let mut receipt = Value::Null;
        for (number, step) in (1..).zip(&self.steps) {
            let told = format!("step {number}, {how}");
            if let Some(new) = step.take(&house, &hook, (&told, &receipt)).await {
                receipt = new;
            }
            if restarts {
                house.reopen().await;
            }
        }
    }
}

impl Step {
    /// Does it or looks whether it is so; the receipt if something was posted.
    pub async fn take(
        &self,
        house: &House,
        hook: &Hook,
        (told, receipt): (&str, &Value),
    ) -> Option<Value> {
        match self {
            Self::At(time) => {
                assert!(*time >= house.now(), "time runs forward, {told}");
                house.later(*time - house.now());
                None
            }
            Self::Post(said) => {
                let body: Vec<Value> = said.iter().map(|said| said.0.clone()).collect();
                Some(house.understood(hook, &json!(body)).await)
            }
            Self::ByHand { key, state } => {
                let alerts = house.alerts(json!({ "event_key": key })).await;
                let alert_id = &alerts.last().unwrap()["alert_id"];
                let request = json!({ "alert_id": alert_id, "state": state });
                house.done("/monitoring/v1/alert/update", request).await;
                None
            }
            Self::Expect(expected) => {
                expected.check(house, told).await;
                None
            }
            Self::Receipt(items) => {
                let found: Vec<_> = receipt["items"].as_array().unwrap().iter().collect();
                let found: Vec<_> = found
                    .iter()
                    .map(|item| (item["what"].as_str().unwrap(), item["why"].as_str().unwrap()))
                    .collect();
                assert_eq!(&found, items, "{told}: {receipt:#}");
                None
            }
            Self::Stored { key, events } => {
                let found = house.events(json!({ "event_key": key })).await;
                assert_eq!(found.len(), *events, "{told}: {found:#?}");
                None
            }
        }
    }
}
