//! Stories on a clock that obeys: what arrives when, and what must be so then. Each is told twice, the second time with
//! a restart after every step, which must change nothing.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Hook, House, START, time};

/// What happens, in order.
#[derive(Default)]
struct Story {
    recovery_mode: Option<&'static str>,
    steps: Vec<Step>,
}

enum Step {
    At(DateTime<Utc>),
    Post(Vec<Said>),
    ByHand { key: &'static str, state: &'static str },
    Expect(Expected),
    Receipt(Vec<(&'static str, &'static str)>),
    Stored { key: &'static str, events: usize },
}

/// What a sender says of one key.
#[derive(Clone)]
struct Said(Value);

/// How the newest alert of a key must stand.
struct Expected {
    key: &'static str,
    alerts: Option<usize>,
    fields: Vec<(&'static str, Value)>,
    reason: Option<&'static str>,
}

fn story() -> Story {
    Story::default()
}

/// A time of the day on which stories are told.
fn clock(text: &str) -> DateTime<Utc> {
    let (hours, minutes) = text.split_once(':').unwrap();
    let minutes = hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap();
    time(START) + TimeDelta::minutes(minutes)
}

fn shown(text: &str) -> Value {
    json!(clock(text).to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

fn said(key: &str, event_type: &str) -> Said {
    Said(
        json!({ "event_key": key, "event_type": event_type, "title": "Disk full", "severity": "ERROR" }),
    )
}

fn firing(key: &str) -> Said {
    said(key, "ALERT")
}

fn recovery(key: &str) -> Said {
    said(key, "RECOVERY")
}

impl Said {
    fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    fn occurred(self, at: &str) -> Self {
        self.with("occurred_at", shown(at))
    }

    fn severity(self, severity: &str) -> Self {
        self.with("severity", severity)
    }

    fn description(self, text: &str) -> Self {
        self.with("description", text)
    }
}

fn alert(key: &'static str) -> Expected {
    Expected { key, alerts: None, fields: Vec::new(), reason: None }
}

impl Expected {
    fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((field, value.into()));
        self
    }

    fn triggered(self) -> Self {
        self.with("state", "TRIGGERED")
    }

    fn acknowledged(self) -> Self {
        self.with("state", "ACKNOWLEDGED")
    }

    fn resolved(self) -> Self {
        self.with("state", "RESOLVED")
    }

    fn events(self, count: u64) -> Self {
        self.with("event_count", count)
    }

    fn number(self, number: u64) -> Self {
        self.with("alert_number", number)
    }

    /// So many alerts of this key there are in all.
    fn of(mut self, alerts: usize) -> Self {
        self.alerts = Some(alerts);
        self
    }

    /// Why it was resolved says this.
    fn because(mut self, part: &'static str) -> Self {
        self.reason = Some(part);
        self
    }

    async fn check(&self, house: &House, told: &str) {
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
    fn manual(mut self) -> Self {
        self.recovery_mode = Some("MANUAL");
        self
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn at(self, time: &str) -> Self {
        self.then(Step::At(clock(time)))
    }

    fn post(self, said: Said) -> Self {
        self.then(Step::Post(vec![said]))
    }

    fn batch(self, said: impl IntoIterator<Item = Said>) -> Self {
        self.then(Step::Post(said.into_iter().collect()))
    }

    fn by_hand(self, key: &'static str, state: &'static str) -> Self {
        self.then(Step::ByHand { key, state })
    }

    fn expect(self, expected: Expected) -> Self {
        self.then(Step::Expect(expected))
    }

    /// What became of the items of the delivery just posted, and why.
    fn became(self, items: &[(&'static str, &'static str)]) -> Self {
        self.then(Step::Receipt(items.to_vec()))
    }

    /// So many events of a key are stored.
    fn stored(self, key: &'static str, events: usize) -> Self {
        self.then(Step::Stored { key, events })
    }

    async fn tell(&self) {
        self.once("told straight", false).await;
        self.once("told with restarts", true).await;
    }

    async fn once(&self, how: &str, restarts: bool) {
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
    async fn take(
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

#[actix_web::test]
async fn repeats_join_and_recovery_resolves() {
    story()
        .at("00:00")
        .post(firing("k"))
        .became(&[("opened", "new_key")])
        .expect(alert("k").triggered().events(1).number(1))
        .at("00:05")
        .post(firing("k"))
        .became(&[("joined", "same_key")])
        .expect(alert("k").triggered().events(2))
        .at("00:09")
        .post(recovery("k"))
        .became(&[("resolved", "recovers")])
        .expect(alert("k").of(1).resolved().events(3).because("recovery event-"))
        .tell()
        .await;
}

#[actix_web::test]
async fn fire_eleven_minutes_recover_ends_resolved() {
    story()
        .at("00:00")
        .post(firing("k").occurred("00:00"))
        .at("00:11")
        .post(recovery("k").occurred("00:11"))
        .expect(alert("k").of(1).resolved().events(2).with("resolved_at", shown("00:11")))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_repeat_joins_whatever_its_age() {
    story()
        .at("00:00")
        .post(firing("k"))
        .at("23:59")
        .post(firing("k"))
        .expect(alert("k").of(1).triggered().events(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_refire_opens_a_new_alert() {
    story()
        .post(firing("k").occurred("00:00"))
        .at("00:02")
        .post(recovery("k").occurred("00:02"))
        .at("00:03")
        .post(firing("k").occurred("00:03"))
        .became(&[("opened", "opens_again")])
        .expect(alert("k").of(2).triggered().events(1).number(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn what_occurred_when_it_recovered_opens_again() {
    story()
        .post(firing("k").occurred("00:00"))
        .at("00:02")
        .post(recovery("k").occurred("00:02"))
        .post(firing("k").occurred("00:02"))
        .became(&[("opened", "opens_again")])
        .post(recovery("k").occurred("00:02"))
        .post(firing("k"))
        .became(&[("opened", "opens_again")])
        .expect(alert("k").of(3).triggered())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_late_event_does_not_reopen() {
    story()
        .at("00:05")
        .post(firing("k").occurred("00:00"))
        .at("00:06")
        .post(recovery("k").occurred("00:04"))
        .at("00:07")
        .post(firing("k").occurred("00:03"))
        .became(&[("kept", "late")])
        .expect(alert("k").of(1).resolved().events(2))
        .stored("k", 3)
        .tell()
        .await;
}

#[actix_web::test]
async fn after_a_resolve_by_hand_an_old_repeat_opens() {
    story()
        .at("00:00")
        .post(firing("k").occurred("00:00"))
        .at("00:01")
        .by_hand("k", "RESOLVED")
        .expect(alert("k").resolved().because("resolved by token:"))
        .at("00:02")
        .post(firing("k").occurred("00:00"))
        .became(&[("opened", "opens_again")])
        .expect(alert("k").of(2).triggered())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_that_overtakes_its_firing_ends_it_at_once() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:05"))
        .became(&[("kept", "nothing_to_recover")])
        .expect(alert("k").of(0))
        .at("00:20")
        .post(firing("k").occurred("00:04"))
        .became(&[("opened", "already_recovered")])
        .expect(alert("k").of(1).resolved().events(2).because("had arrived before its firing"))
        .stored("k", 2)
        .tell()
        .await;
}

#[actix_web::test]
async fn of_two_recoveries_that_overtook_the_later_one_ends_the_firing() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:07"))
        .post(recovery("k").occurred("00:03"))
        .at("00:11")
        .post(firing("k").occurred("00:06"))
        .became(&[("opened", "already_recovered")])
        .expect(alert("k").of(1).resolved())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_that_came_too_early_ends_nothing() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:05"))
        .at("00:21")
        .post(firing("k").occurred("00:04"))
        .became(&[("opened", "new_key")])
        .expect(alert("k").of(1).triggered().events(1))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_does_not_end_what_fired_after_it() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:05"))
        .post(firing("k").occurred("00:06"))
        .became(&[("opened", "new_key")])
        .expect(alert("k").triggered())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_that_matches_nothing_is_stored_with_its_reason() {
    story()
        .post(recovery("k"))
        .became(&[("kept", "nothing_to_recover")])
        .stored("k", 1)
        .expect(alert("k").of(0))
        .tell()
        .await;
}

#[actix_web::test]
async fn severity_and_urgency_only_rise() {
    story()
        .post(firing("k").severity("INFO"))
        .expect(alert("k").with("severity", "INFO").with("urgency", "LOW"))
        .post(firing("k").severity("CRITICAL"))
        .became(&[("joined", "worse")])
        .expect(alert("k").with("severity", "CRITICAL").with("urgency", "HIGH"))
        .post(firing("k").severity("WARNING"))
        .became(&[("joined", "same_key")])
        .expect(alert("k").with("severity", "CRITICAL").with("urgency", "HIGH"))
        .post(recovery("k").severity("NONE"))
        .expect(alert("k").resolved().with("severity", "CRITICAL").with("urgency", "HIGH"))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_only_joins_where_people_resolve() {
    story()
        .manual()
        .post(firing("k"))
        .post(recovery("k").description("it works"))
        .became(&[("joined", "manual_recovery")])
        .expect(alert("k").of(1).triggered().events(2).with("description", "it works"))
        .by_hand("k", "RESOLVED")
        .expect(alert("k").of(1).resolved())
        .tell()
        .await;
}

#[actix_web::test]
async fn an_acknowledged_alert_takes_repeats_and_is_resolved_by_recovery() {
    story()
        .post(firing("k"))
        .by_hand("k", "ACKNOWLEDGED")
        .post(firing("k"))
        .expect(alert("k").acknowledged().events(2))
        .post(recovery("k"))
        .expect(alert("k").of(1).resolved().events(3))
        .tell()
        .await;
}

#[actix_web::test]
async fn the_description_is_the_newest_that_there_is() {
    story()
        .post(firing("k").description("91 %"))
        .post(firing("k").description("95 %"))
        .expect(alert("k").with("description", "95 %"))
        .post(firing("k"))
        .expect(alert("k").with("description", "95 %"))
        .post(recovery("k").description("50 %"))
        .expect(alert("k").with("description", "50 %").with("title", "Disk full"))
        .tell()
        .await;
}

#[actix_web::test]
async fn first_and_last_are_when_events_arrived() {
    story()
        .at("00:01")
        .post(firing("k").occurred("00:00"))
        .at("00:03")
        .post(firing("k").occurred("00:00"))
        .expect(
            alert("k").with("first_event_at", shown("00:01")).with("last_event_at", shown("00:03")),
        )
        .expect(alert("k").with("created_at", shown("00:01")).with("updated_at", shown("00:03")))
        .tell()
        .await;
}

#[actix_web::test]
async fn the_events_of_one_delivery_are_taken_in_order() {
    story()
        .batch([firing("a"), firing("b"), recovery("a"), firing("a").description("again")])
        .became(&[
            ("opened", "new_key"),
            ("opened", "new_key"),
            ("resolved", "recovers"),
            ("opened", "opens_again"),
        ])
        .expect(alert("a").of(2).triggered().number(3).with("description", "again"))
        .expect(alert("b").of(1).triggered().number(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_firing_and_its_recovery_in_one_delivery_end_resolved() {
    story()
        .batch([recovery("k").occurred("00:00"), firing("k").occurred("00:00")])
        .became(&[("kept", "nothing_to_recover"), ("opened", "already_recovered")])
        .expect(alert("k").of(1).resolved().events(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn alert_numbers_have_no_gaps_even_where_something_was_refused() {
    let mut house = House::new().await;
    let hook = house.webhook("api-direct").await;
    for number in 1..=3_u64 {
        let key = format!("k{number}");
        let raised = json!({ "title": "", "project_id": "default" });
        let refused = house.post("/monitoring/v1/alert/create", raised).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        let nowhere = json!({ "title": "by hand", "project_id": "project-0" });
        assert_eq!(house.post("/monitoring/v1/alert/create", nowhere).await.status, 404);
        house.understood(&hook, &firing(&key).0).await;
        let replayed = hook.delivery(firing(&key).0.to_string().as_bytes(), &[]);
        assert_eq!(house.send(replayed).await.status, 200);
        house.reopen().await;
    }
    let raised = json!({ "title": "by hand", "project_id": "default" });
    house.done("/monitoring/v1/alert/create", raised).await;
    let numbers: Vec<_> = house.alerts(json!({})).await;
    let numbers: Vec<_> = numbers.iter().map(|alert| alert["alert_number"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4)]);
}

#[actix_web::test]
async fn a_resolved_alert_is_not_reopened_by_hand_beside_an_open_one() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    house.understood(&hook, &json!([firing("k").0, recovery("k").0, firing("k").0])).await;
    let alerts = house.alerts(json!({ "event_key": "k" })).await;
    let reopen = json!({ "alert_id": alerts[0]["alert_id"], "state": "TRIGGERED" });
    let refused = house.post("/monitoring/v1/alert/update", reopen).await;
    assert_eq!((refused.status, refused.code()), (409, "ERROR_NOT_UNIQUE"));
    assert_eq!(house.alerts(json!({ "event_key": "k" })).await, alerts);
}
