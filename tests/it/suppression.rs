//! What mutes alerts: windows, silences, inhibitions, event rules; and that people hear of what is still open.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House};

/// A house with a webhook that takes events as they are.
struct Mill {
    house: House,
    hook: Hook,
}

impl Mill {
    async fn new() -> Self {
        let house = House::new().await;
        let hook = house.webhook("api-direct").await;
        Self { house, hook }
    }

    /// Posts an event; the identifier of its alert.
    async fn post(&self, event: Value) -> String {
        let receipt = self.house.understood(&self.hook, &json!([event])).await;
        receipt["items"][0]["alert_id"].as_str().unwrap_or_default().to_owned()
    }

    async fn fires(&self, key: &str, more: Value) -> String {
        let mut event = json!({ "event_key": key, "event_type": "ALERT", "title": key, "severity": "CRITICAL" });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(event).await
    }

    async fn recovers(&self, key: &str) {
        self.post(json!({ "event_key": key, "event_type": "RECOVERY", "title": key })).await;
    }

    async fn alert(&self, id: &str) -> Value {
        self.house.done("/monitoring/v1/alert/get", json!({ "alert_id": id })).await
    }

    /// What mutes an alert; empty where nothing does.
    async fn muted_by(&self, id: &str) -> String {
        self.alert(id).await["muted_by"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether anyone was told of an alert.
    async fn is_told(&self, id: &str) -> bool {
        !self.alert(id).await["escalated_at"].is_null()
    }

    /// Lets time pass, and happen what is due then.
    async fn later(&self, by: TimeDelta) {
        self.house.later(by);
        self.house.second().await;
    }

    async fn silence(&self, filter: Value, seconds: u32) -> Value {
        let request = json!({ "project_id": "default", "filter": filter, "reason": "disk swap",
            "duration_seconds": seconds });
        self.house.done("/api/v1/silence/create", request).await
    }

    async fn window(&self, more: Value) -> Answer {
        let mut request = json!({ "title": "upgrade", "projects": ["default"] });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.house.post("/monitoring/v1/maintenance-window/create", request).await
    }

    async fn inhibition(&self) -> Value {
        let request = json!({ "project_id": "default", "name": "host down",
            "source": [{ "k": "rule", "v": "HostDown", "o": "eq" }],
            "target": [{ "k": "rule", "v": "HostDown", "o": "not" }],
            "equal": ["additional_info.host"] });
        self.house.done("/api/v1/inhibition/create", request).await
    }
}

fn about(rule: &str) -> Value {
    json!([{ "k": "rule", "v": rule, "o": "eq" }])
}

fn on(rule: &str, host: &str) -> Value {
    json!({ "rule": rule, "additional_info": { "host": host } })
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

#[actix_web::test]
async fn a_silenced_alert_is_kept_and_shown_and_told_of_once_the_silence_is_over() {
    let mill = Mill::new().await;
    let silence = mill.silence(about("DiskFull"), 600).await;
    assert_eq!((&silence["state"], &silence["project_id"]), (&json!("ACTIVE"), &json!("default")));
    let alert = mill.fires("disk", json!({ "rule": "DiskFull" })).await;
    let other = mill.fires("cpu", json!({ "rule": "CpuHot" })).await;
    let by = format!("silence:{}", silence["silence_id"].as_str().unwrap());
    assert_eq!(mill.muted_by(&alert).await, by);
    assert!(!mill.is_told(&alert).await);
    assert_eq!(mill.muted_by(&other).await, "");

    mill.later(minutes(9)).await;
    assert!(!mill.is_told(&alert).await);
    mill.later(minutes(1)).await;
    assert_eq!(mill.muted_by(&alert).await, "");
    assert!(mill.is_told(&alert).await, "it is open still, so people hear of it");
    let id = json!({ "silence_id": silence["silence_id"] });
    let after = mill.house.done("/api/v1/silence/get", id).await;
    assert_eq!((&after["state"], &after["hit_count"]), (&json!("EXPIRED"), &json!(1)));
    assert_eq!(after["last_hit_at"], silence["created_at"]);
}

#[actix_web::test]
async fn a_recovery_passes_whatever_mutes_its_alert() {
    let mill = Mill::new().await;
    mill.silence(about("DiskFull"), 600).await;
    let alert = mill.fires("disk", json!({ "rule": "DiskFull" })).await;
    mill.recovers("disk").await;
    assert_eq!(mill.alert(&alert).await["state"], "RESOLVED");
    mill.later(minutes(11)).await;
    assert!(!mill.is_told(&alert).await, "nobody hears of what is over");
}

#[actix_web::test]
async fn a_silence_mutes_alerts_that_are_open_already_page_by_page_and_its_end_by_hand_is_heard() {
    let mill = Mill::new().await;
    let events: Vec<Value> = (0..250)
        .map(|number| {
            json!({ "event_key": format!("k{number}"), "event_type": "ALERT", "title": "t",
                "severity": "CRITICAL", "rule": "DiskFull" })
        })
        .collect();
    mill.house.understood(&mill.hook, &json!(events)).await;
    let silence = mill.silence(about("DiskFull"), 3600).await;
    let muted = |muted: bool| {
        let by = if muted {
            json!(format!("silence:{}", silence["silence_id"].as_str().unwrap()))
        } else {
            json!(null)
        };
        json!({ "query": { "filter": [{ "k": "muted_by", "v": by, "o": "eq" }], "count_only": true } })
    };
    let count = async |request| {
        mill.house.done("/monitoring/v1/alert/list", request).await["total_count"].clone()
    };
    assert_eq!(count(muted(true)).await, 0);
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(count(muted(true)).await, 250);
    let id = json!({ "silence_id": silence["silence_id"] });
    let ended = mill.house.done("/api/v1/silence/expire", id.clone()).await;
    assert_eq!(ended["state"], "EXPIRED");
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(count(muted(true)).await, 0);
    assert_eq!(count(muted(false)).await, 250);
    let again = mill.house.post("/api/v1/silence/expire", id).await;
    assert_eq!((again.status, again.code()), (400, "ERROR_INVALID_PARAMETER"));
}

#[actix_web::test]
async fn a_silence_that_begins_later_and_one_that_is_extended_hold_from_and_until_then() {
    let mut mill = Mill::new().await;
    let request = json!({ "project_id": "default", "filter": about("DiskFull"), "reason": "later",
        "start_time": "2026-01-01T01:00:00Z", "end_time": "2026-01-01T02:00:00Z" });
    let silence = mill.house.done("/api/v1/silence/create", request).await;
    assert_eq!(silence["state"], "PENDING");
    let alert = mill.fires("disk", json!({ "rule": "DiskFull" })).await;
    assert_eq!(mill.muted_by(&alert).await, "");
    mill.house.reopen().await;
    mill.later(minutes(60)).await;
    assert_ne!(mill.muted_by(&alert).await, "", "its beginning survives a restart");
    let longer = json!({ "silence_id": silence["silence_id"], "end_time": "2026-01-01T03:00:00Z" });
    mill.house.done("/api/v1/silence/update", longer).await;
    mill.later(minutes(60)).await;
    assert_ne!(mill.muted_by(&alert).await, "");
    mill.later(minutes(60)).await;
    assert_eq!(mill.muted_by(&alert).await, "");
}

#[actix_web::test]
async fn of_two_silences_the_end_of_the_first_says_nothing() {
    let mill = Mill::new().await;
    let long = mill.silence(about("DiskFull"), 1200).await;
    mill.silence(json!([{ "k": "title", "v": "disk", "o": "eq" }]), 600).await;
    let alert = mill.fires("disk", json!({ "rule": "DiskFull" })).await;
    let by = format!("silence:{}", long["silence_id"].as_str().unwrap());
    assert_eq!(mill.muted_by(&alert).await, by, "what lasts longest is named");
    let id = json!({ "silence_id": long["silence_id"] });
    mill.house.done("/api/v1/silence/expire", id).await;
    mill.later(TimeDelta::seconds(1)).await;
    let next = mill.muted_by(&alert).await;
    assert!(next.starts_with("silence:") && next != by, "{next}");
    assert!(!mill.is_told(&alert).await);
    mill.later(minutes(10)).await;
    assert!(mill.is_told(&alert).await);
}

#[actix_web::test]
async fn an_alert_that_becomes_worse_than_its_silence_means_is_heard() {
    let mill = Mill::new().await;
    let warnings = json!([{ "k": "rule", "v": "DiskFull", "o": "eq" }, { "k": "severity", "v": "WARNING", "o": "eq" }]);
    mill.silence(warnings, 3600).await;
    let disk = |severity: &str| json!({ "rule": "DiskFull", "severity": severity });
    let alert = mill.fires("disk", disk("WARNING")).await;
    assert_ne!(mill.muted_by(&alert).await, "");
    mill.fires("disk", disk("WARNING")).await;
    assert_ne!(mill.muted_by(&alert).await, "");
    mill.fires("disk", disk("CRITICAL")).await;
    assert_eq!(mill.muted_by(&alert).await, "");
    assert!(mill.is_told(&alert).await);
}

#[actix_web::test]
async fn what_is_too_broad_or_has_no_reason_is_refused_where_it_says_so() {
    let mill = Mill::new().await;
    let silence = |filter: Value, more: Value| {
        let mut request = json!({ "project_id": "default", "filter": filter, "reason": "r", "duration_seconds": 60 });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let days = |days: u32| json!({ "duration_seconds": days * 86400 });
    let refused = [
        (silence(json!([]), json!({})), "/filter"),
        (silence(json!([{ "k": "severity", "v": "WARNING", "o": "eq" }]), json!({})), "/filter"),
        (silence(json!([{ "k": "rule", "v": ".*", "o": "regex" }]), json!({})), "/filter"),
        (silence(json!([{ "k": "rle", "v": "a", "o": "eq" }]), json!({})), "/filter/0/k"),
        (silence(about("A"), days(32)), "/end_time"),
        (silence(about("A"), json!({ "reason": "  " })), "/reason"),
        (silence(about("A"), json!({ "end_time": "2026-02-01T00:00:00Z" })), "/duration_seconds"),
        (silence(about("A"), json!({ "duration_seconds": null })), "/end_time"),
        (silence(about("A"), json!({ "start_time": "tomorrow" })), "/start_time"),
        (silence(about("A"), json!({ "start_time": "2025-01-01T00:00:00Z" })), "/end_time"),
        (silence(about("A"), json!({ "resource_group": "WORKSPACE" })), "/project_id"),
        (silence(about("A"), json!({ "resource_group": "WEBHOOK" })), "/resource_group"),
        (silence(about("A"), json!({ "project_id": null })), "/project_id"),
    ];
    for (request, pointer) in refused {
        let answer = mill.house.post("/api/v1/silence/create", request.clone()).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (400, vec![pointer]),
            "{request} {}",
            answer.text
        );
    }
    let listed = mill.house.done("/api/v1/silence/list", json!({})).await;
    assert_eq!(listed["total_count"], 0);
    let inhibition = json!({ "project_id": "default", "name": "n", "source": [], "target": [], "equal": ["rule"] });
    let answer = mill.house.post("/api/v1/inhibition/create", inhibition).await;
    assert_eq!((answer.status, answer.pointers()), (400, vec!["/source"]));
}

#[actix_web::test]
async fn a_window_comes_again_by_the_clock_of_its_zone_and_mutes_what_opens_then() {
    let mill = Mill::new().await;
    let made = mill
        .window(json!({ "time_zone": "Europe/Berlin", "rrule": "FREQ=DAILY",
            "start_time": "2026-01-01T02:00", "end_time": "2026-01-01T04:00" }))
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let window = made.body;
    assert_eq!(window["state"], "OPEN");
    let next = &window["next_occurrences"];
    assert_eq!(
        next[0],
        json!({ "start_time": "2026-01-01T01:00:00.000Z", "end_time": "2026-01-01T03:00:00.000Z" })
    );
    assert_eq!(next.as_array().unwrap().len(), 5);

    let open = mill.fires("before", json!({})).await;
    assert_eq!(mill.muted_by(&open).await, "");
    mill.later(minutes(60)).await;
    assert_ne!(mill.muted_by(&open).await, "", "what is open when it begins is muted too");
    let inside = mill.fires("inside", json!({})).await;
    let by = format!("maintenance_window:{}", window["maintenance_window_id"].as_str().unwrap());
    assert_eq!(mill.muted_by(&inside).await, by);
    mill.later(minutes(120)).await;
    assert_eq!(mill.muted_by(&inside).await, "");
    assert!(mill.is_told(&inside).await);

    // In summer the same clock shows two hours more than UTC.
    mill.later(TimeDelta::days(180)).await;
    let id = json!({ "maintenance_window_id": window["maintenance_window_id"] });
    let summer = mill.house.done("/monitoring/v1/maintenance-window/get", id).await;
    assert_eq!(summer["next_occurrences"][0]["start_time"], "2026-07-01T00:00:00.000Z");
    mill.later(TimeDelta::hours(22)).await;
    let inside = mill.fires("inside in summer", json!({})).await;
    assert_eq!(mill.muted_by(&inside).await, by);
}

#[actix_web::test]
async fn a_window_that_is_over_closes_itself_and_stays_as_it_was() {
    let mill = Mill::new().await;
    let made = mill
        .window(json!({ "start_time": "2026-01-01T01:00:00Z", "end_time": "2026-01-01T02:00:00Z" }))
        .await
        .body;
    let id = json!({ "maintenance_window_id": made["maintenance_window_id"] });
    mill.later(minutes(60)).await;
    mill.later(minutes(60)).await;
    let window = mill.house.done("/monitoring/v1/maintenance-window/get", id.clone()).await;
    assert_eq!(
        (&window["state"], &window["closed_at"]),
        (&json!("CLOSED"), &json!("2026-01-01T02:00:00.000Z"))
    );
    let late = mill.house.post("/monitoring/v1/maintenance-window/update", id).await;
    assert_eq!((late.status, late.code()), (400, "ERROR_CLOSED_MAINTENANCE_WINDOW"));
}

#[actix_web::test]
async fn closing_a_window_lets_people_hear_of_what_is_still_open() {
    let mill = Mill::new().await;
    let made = mill
        .window(json!({ "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T02:00:00Z" }))
        .await
        .body;
    let alert = mill.fires("k", json!({})).await;
    assert!(!mill.is_told(&alert).await);
    let id = json!({ "maintenance_window_id": made["maintenance_window_id"] });
    mill.house.done("/monitoring/v1/maintenance-window/close", id).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert!(mill.is_told(&alert).await);
}

#[actix_web::test]
async fn a_window_that_cannot_be_is_refused_where_it_says_so() {
    let mill = Mill::new().await;
    let at = |from: &str, to: &str| json!({ "start_time": from, "end_time": to });
    let with = |more: Value| {
        let mut request = at("2026-01-02T00:00", "2026-01-02T01:00");
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let refused = [
        (with(json!({ "time_zone": "Mars/Olympus" })), "/time_zone"),
        (with(json!({ "rrule": "FREQ=HOURLY" })), "/rrule"),
        (with(json!({ "projects": [] })), "/projects"),
        (with(json!({ "title": "" })), "/title"),
        (at("2026-01-02T01:00", "2026-01-02T00:00"), "/end_time"),
        (at("2025-01-01T00:00", "2025-01-01T01:00"), "/end_time"),
        (at("2026-01-02T00:00", "2026-03-02T00:00"), "/end_time"),
        (at("soon", "2026-03-02T00:00"), "/start_time"),
        (with(json!({ "filter": [{ "k": "rule", "o": "equals", "v": 1 }] })), "/filter/0/o"),
    ];
    for (request, pointer) in refused {
        let answer = mill.window(request.clone()).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (400, vec![pointer]),
            "{request} {}",
            answer.text
        );
    }
}

#[actix_web::test]
async fn an_alert_mutes_what_says_less_of_the_same_host_whichever_came_first() {
    let mill = Mill::new().await;
    let inhibition = mill.inhibition().await;
    let by = format!("inhibition:{}", inhibition["inhibition_id"].as_str().unwrap());
    let early = mill.fires("web on a", on("WebDown", "a")).await;
    assert_eq!(mill.muted_by(&early).await, "");
    mill.fires("host a", on("HostDown", "a")).await;
    let late = mill.fires("db on a", on("DbDown", "a")).await;
    let elsewhere = mill.fires("db on b", on("DbDown", "b")).await;
    let nowhere = mill.fires("db", json!({ "rule": "DbDown" })).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(mill.muted_by(&early).await, by, "what was open when its inhibitor came");
    assert_eq!(mill.muted_by(&late).await, by);
    assert_eq!(mill.muted_by(&elsewhere).await, "");
    assert_eq!(mill.muted_by(&nowhere).await, "", "absent equals nothing");

    mill.recovers("host a").await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(mill.muted_by(&late).await, "");
    assert!(mill.is_told(&late).await);
    let id = json!({ "inhibition_id": inhibition["inhibition_id"] });
    assert_eq!(mill.house.done("/api/v1/inhibition/get", id).await["hit_count"], 2);
}

#[actix_web::test]
async fn while_another_inhibitor_is_open_nothing_is_heard_and_none_of_a_pair_silences_the_other() {
    let mill = Mill::new().await;
    let request = json!({ "project_id": "default", "name": "one is enough",
        "source": [{ "k": "additional_info.site", "v": "x", "o": "eq" }],
        "target": [{ "k": "additional_info.site", "v": "x", "o": "eq" }],
        "equal": ["additional_info.site"] });
    mill.house.done("/api/v1/inhibition/create", request).await;
    let site = json!({ "additional_info": { "site": "x" } });
    let first = mill.fires("first", site.clone()).await;
    let second = mill.fires("second", site.clone()).await;
    let third = mill.fires("third", site).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(mill.muted_by(&first).await, "", "one of them is always heard");
    assert_ne!(mill.muted_by(&second).await, "");
    assert_ne!(mill.muted_by(&third).await, "");
    mill.recovers("first").await;
    mill.later(TimeDelta::seconds(1)).await;
    let heard = [mill.muted_by(&second).await, mill.muted_by(&third).await];
    assert_eq!(heard.iter().filter(|by| by.is_empty()).count(), 1, "{heard:?}");
}

#[actix_web::test]
async fn an_inhibition_that_is_made_or_closed_concerns_what_is_open_already() {
    let mill = Mill::new().await;
    mill.fires("host a", on("HostDown", "a")).await;
    let target = mill.fires("db on a", on("DbDown", "a")).await;
    let inhibition = mill.inhibition().await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_ne!(mill.muted_by(&target).await, "");
    let id = json!({ "inhibition_id": inhibition["inhibition_id"] });
    mill.house.done("/api/v1/inhibition/close", id).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(mill.muted_by(&target).await, "");
}

#[actix_web::test]
async fn event_rules_mute_an_alert_for_good_or_while_the_alert_of_another_key_is_open() {
    let mill = Mill::new().await;
    let rule = |name: &str, actions: Value| {
        json!({ "name": name, "resource_group": "PROJECT", "project_id": "default", "conditions_policy": "ALL",
            "conditions": [{ "key": "rule", "value": name, "operator": "eq" }], "actions": actions })
    };
    for (name, actions) in
        [("Noise", json!({ "suppress": true })), ("Db", json!({ "inhibit_by": "power" }))]
    {
        mill.house.done("/monitoring/v1/event-rule/create", rule(name, actions)).await;
    }
    let noise = mill.fires("noise", json!({ "rule": "Noise" })).await;
    assert!(mill.muted_by(&noise).await.starts_with("event_rule:"));
    let early = mill.fires("db 1", json!({ "rule": "Db" })).await;
    assert_eq!(mill.muted_by(&early).await, "");
    mill.fires("power", json!({})).await;
    let late = mill.fires("db 2", json!({ "rule": "Db" })).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert!(mill.muted_by(&early).await.starts_with("event_rule:"));
    assert!(mill.muted_by(&late).await.starts_with("event_rule:"));
    mill.recovers("power").await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(mill.muted_by(&early).await, "");
    assert!(mill.is_told(&late).await);
    assert!(mill.muted_by(&noise).await.starts_with("event_rule:"), "as long as it is open");
}

#[actix_web::test]
async fn before_it_is_saved_it_is_told_what_it_would_have_muted() {
    let mill = Mill::new().await;
    for host in ["a", "b", "c"] {
        mill.fires(&format!("disk on {host}"), on("DiskFull", host)).await;
        mill.later(minutes(60)).await;
    }
    mill.fires("host c", on("HostDown", "c")).await;
    mill.later(minutes(60)).await;
    mill.fires("db on c", on("DbDown", "c")).await;
    let silence = json!({ "project_id": "default", "filter": about("DiskFull"), "reason": "r", "duration_seconds": 60 });
    let told = mill.house.done("/api/v1/silence/preview", silence).await;
    assert_eq!((&told["would_have_muted"], &told["too_broad"]), (&json!(3), &json!([])));
    assert_eq!(told["alerts"][0]["title"], "disk on c");
    let broad =
        json!({ "project_id": "default", "filter": [], "reason": "r", "duration_seconds": 60 });
    let told = mill.house.done("/api/v1/silence/preview", broad).await;
    assert_eq!(
        (&told["would_have_muted"], told["too_broad"].as_array().unwrap().len()),
        (&json!(5), 1)
    );

    let window = json!({ "title": "w", "projects": ["default"], "rrule": "FREQ=DAILY",
        "start_time": "2026-02-01T00:30", "end_time": "2026-02-01T02:30" });
    let told = mill.house.done("/api/v1/maintenance-window/preview", window).await;
    assert_eq!(told["would_have_muted"], 2, "those that opened at such a time");
    assert_eq!(told["next_occurrences"].as_array().unwrap().len(), 5);
    assert_eq!(told["next_occurrences"][4]["start_time"], "2026-02-05T00:30:00.000Z");

    let inhibition = json!({ "project_id": "default", "name": "n", "source": about("HostDown"), "target": [],
        "equal": ["additional_info.host"] });
    let told = mill.house.done("/api/v1/inhibition/preview", inhibition).await;
    assert_eq!(told["would_have_muted"], 1);
    assert_eq!(told["alerts"][0]["title"], "db on c");
    assert_eq!(mill.house.done("/api/v1/silence/list", json!({})).await["total_count"], 0);
}

#[actix_web::test]
async fn who_reaches_one_project_mutes_that_alone_and_sees_what_mutes_it() {
    let mill = Mill::new().await;
    for project in ["ours", "theirs"] {
        let request = json!({ "project_id": project, "name": project });
        mill.house.done("/api/v1/project/create", request).await;
    }
    let reach = json!({ "workspace_id": "default", "projects": ["ours"] });
    let token = mill.house.token("WORKSPACE_MEMBER", reach).await;
    let member = mill.house.as_token(token);
    let silence = |more: Value| {
        let mut request = json!({ "filter": about("A"), "reason": "r", "duration_seconds": 60 });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let create = "/api/v1/silence/create";
    assert_eq!(member.post(create, silence(json!({ "project_id": "ours" }))).await.status, 200);
    assert_eq!(member.post(create, silence(json!({ "project_id": "theirs" }))).await.status, 404);
    let whole = silence(json!({ "resource_group": "WORKSPACE" }));
    assert_eq!(member.post(create, whole.clone()).await.status, 403);
    let whole = mill.house.done(create, whole).await;
    let theirs = mill.house.done(create, silence(json!({ "project_id": "theirs" }))).await;
    let seen = member.done("/api/v1/silence/list", json!({})).await;
    assert_eq!(seen["total_count"], 2, "its own, and that of the whole workspace");
    let end = async |silence: &Value| {
        let id = json!({ "silence_id": silence["silence_id"] });
        member.post("/api/v1/silence/expire", id).await.status
    };
    assert_eq!(end(&theirs).await, 404);
    assert_eq!(end(&whole).await, 403);
    let shared = json!({ "title": "both", "projects": ["ours", "theirs"],
        "start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-02T01:00:00Z" });
    let window = mill.house.done("/monitoring/v1/maintenance-window/create", shared).await;
    let id = json!({ "maintenance_window_id": window["maintenance_window_id"] });
    let seen = member.done("/monitoring/v1/maintenance-window/get", id.clone()).await;
    assert_eq!(seen["projects"], json!(["ours"]));
    let closed = member.post("/monitoring/v1/maintenance-window/close", id).await;
    assert_eq!(closed.status, 403);
}

#[actix_web::test]
async fn its_history_tells_what_was_looked_at_what_muted_it_and_why_it_is_heard_again() {
    let mill = Mill::new().await;
    mill.silence(about("CpuHot"), 600).await;
    mill.silence(about("DiskFull"), 600).await;
    let alert = mill.fires("disk", json!({ "rule": "DiskFull" })).await;
    mill.later(minutes(10)).await;
    let history = mill.house.done("/api/v1/alert/history", json!({ "alert_id": alert })).await;
    let mutes: Vec<(String, String)> = history["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["of"] == "mute")
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap().to_owned();
            (text("verdict"), text("sentence"))
        })
        .collect();
    let verdicts: Vec<&str> = mutes.iter().map(|(verdict, _)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["mutes", "passes", "muted", "unmuted"], "{mutes:#?}");
    assert!(
        mutes[1].1.ends_with("`rule eq \"CpuHot\"` does not hold: it is \"DiskFull\""),
        "{mutes:#?}"
    );
    assert!(mutes[3].1.ends_with("it is over"), "{mutes:#?}");
}

#[actix_web::test]
async fn an_alert_that_is_reopened_moved_or_deleted_mutes_and_is_muted_as_it_is_then() {
    let mill = Mill::new().await;
    mill.inhibition().await;
    let act = async |path: &str, request: Value| mill.house.done(path, request).await;
    let host = mill.fires("host a", on("HostDown", "a")).await;
    let target = mill.fires("db on a", on("DbDown", "a")).await;
    let to = |state: &str| json!({ "alert_id": host, "state": state });
    act("/monitoring/v1/alert/update", to("RESOLVED")).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(mill.muted_by(&target).await, "");
    act("/monitoring/v1/alert/update", to("TRIGGERED")).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_ne!(mill.muted_by(&target).await, "", "it mutes again");
    act("/monitoring/v1/alert/delete", json!({ "alert_id": host })).await;
    mill.later(TimeDelta::seconds(1)).await;
    assert_eq!(mill.muted_by(&target).await, "");

    mill.silence(json!([{ "k": "title", "v": "late", "o": "eq" }]), 60).await;
    let late = mill.fires("late", json!({})).await;
    assert_ne!(mill.muted_by(&late).await, "");
    let state = |state: &str| json!({ "alert_id": late, "state": state });
    act("/monitoring/v1/alert/update", state("RESOLVED")).await;
    mill.later(minutes(2)).await;
    act("/monitoring/v1/alert/update", state("TRIGGERED")).await;
    assert_eq!(mill.muted_by(&late).await, "", "what muted it before is over");
    assert!(mill.is_told(&late).await);

    mill.silence(json!([{ "k": "title", "v": "mine", "o": "eq" }]), 60).await;
    let mine = mill.fires("mine", json!({})).await;
    act("/api/v1/project/create", json!({ "project_id": "other", "name": "other" })).await;
    act("/monitoring/v1/alert/update", json!({ "alert_id": mine, "project_id": "other" })).await;
    assert_eq!(mill.muted_by(&mine).await, "", "nothing mutes it there");
}
