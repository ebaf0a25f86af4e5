//! The life of alerts: what people do to them, what time does to them, and what their history tells of it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House};

const UPDATE: &str = "/monitoring/v1/alert/update";
const CONFIG: &str = "/monitoring/v1/project-alert-config/update";

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

    /// The same with these options of the project.
    async fn with(options: Value) -> Self {
        let mill = Self::new().await;
        let request = json!({ "project_id": "default", "options": options });
        mill.house.done(CONFIG, request).await;
        mill
    }

    /// Posts an event; what became of it, and its alert.
    async fn says(&self, key: &str, event_type: &str, severity: &str) -> (String, String) {
        let event = json!({ "event_key": key, "event_type": event_type, "title": format!("About {key}"),
            "severity": severity });
        let receipt = self.house.understood(&self.hook, &json!([event])).await;
        let item = &receipt["items"][0];
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        (text("what"), text("alert_id"))
    }

    async fn fires(&self, key: &str) -> String {
        self.says(key, "ALERT", "ERROR").await.1
    }

    async fn recovers(&self, key: &str) -> String {
        self.says(key, "RECOVERY", "NONE").await.0
    }

    async fn alert(&self, id: &str) -> Value {
        self.house.done("/monitoring/v1/alert/get", json!({ "alert_id": id })).await
    }

    async fn state(&self, id: &str) -> String {
        self.alert(id).await["state"].as_str().unwrap().to_owned()
    }

    async fn act(&self, path: &str, request: Value) -> Value {
        self.house.done(&format!("/api/v1/alert/{path}"), request).await
    }

    async fn refused(&self, path: &str, request: Value) -> Answer {
        let answer = self.house.post(path, request).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        answer
    }

    /// Lets so many seconds pass, with what happens in them.
    async fn later(&self, seconds: i64) {
        self.house.later(TimeDelta::seconds(seconds));
        self.house.second().await;
    }

    /// What happened in the life of an alert, in words.
    async fn life(&self, id: &str) -> Vec<String> {
        let history = self.act("history", json!({ "alert_id": id })).await;
        let lived = history["results"].as_array().unwrap().iter();
        let lived = lived.filter(|entry| entry["of"] == "life");
        lived.map(|entry| entry["verdict"].as_str().unwrap().to_owned()).collect()
    }

    /// The sentences of the history of an alert.
    async fn sentences(&self, id: &str) -> String {
        let history = self.act("history", json!({ "alert_id": id })).await;
        let all = history["results"].as_array().unwrap().iter();
        let all: Vec<&str> = all.map(|entry| entry["sentence"].as_str().unwrap()).collect();
        all.join("\n")
    }

    /// How often the escalation of an alert began.
    async fn began(&self, id: &str) -> usize {
        let history = self.act("history", json!({ "alert_id": id })).await;
        let all = history["results"].as_array().unwrap().iter();
        all.filter(|entry| entry["verdict"] == "began").count()
    }
}

#[actix_web::test]
async fn a_worse_event_alarms_whoever_had_acknowledged_the_alert() {
    let mill = Mill::new().await;
    let (_, id) = mill.says("disk", "ALERT", "WARNING").await;
    let acked = json!({ "alert_id": id, "state": "ACKNOWLEDGED" });
    mill.house.done(UPDATE, acked).await;
    mill.says("disk", "ALERT", "WARNING").await;
    assert_eq!(mill.state(&id).await, "ACKNOWLEDGED");
    mill.says("disk", "ALERT", "CRITICAL").await;
    let alert = mill.alert(&id).await;
    assert_eq!((&alert["state"], &alert["urgency"]), (&json!("TRIGGERED"), &json!("HIGH")));
    assert_eq!(alert["responder"], Value::Null);
    assert_eq!(mill.life(&id).await, ["opened", "acknowledged", "worsened", "reopened"]);
    assert_eq!(mill.began(&id).await, 2);
}

#[actix_web::test]
async fn an_acknowledgement_runs_out_to_the_second_and_survives_a_restart() {
    let mut mill = Mill::new().await;
    let id = mill.fires("disk").await;
    let acked = json!({ "alert_id": id, "state": "ACKNOWLEDGED", "acknowledged_for": 600 });
    let acked = mill.house.done(UPDATE, acked).await;
    assert_eq!(acked["acknowledged_until"], "2026-01-01T00:10:00.000Z");
    mill.later(599).await;
    mill.house.reopen().await;
    mill.house.second().await;
    assert_eq!(mill.state(&id).await, "ACKNOWLEDGED");
    mill.later(1).await;
    let open = mill.alert(&id).await;
    assert_eq!((&open["state"], &open["acknowledged_until"]), (&json!("TRIGGERED"), &Value::Null));
    assert_eq!(mill.began(&id).await, 2);
    assert!(mill.sentences(&id).await.contains("the acknowledgement by token:"));
}

#[actix_web::test]
async fn a_project_says_how_long_acknowledgements_last_where_nobody_else_does() {
    let mill = Mill::with(json!({ "acknowledgement_expiry": 60 })).await;
    let ids = [mill.fires("a").await, mill.fires("b").await];
    let acked = json!({ "alert_id": ids[0], "state": "ACKNOWLEDGED" });
    mill.house.done(UPDATE, acked).await;
    let forever = json!({ "alert_id": ids[1], "state": "ACKNOWLEDGED", "acknowledged_for": 0 });
    mill.house.done(UPDATE, forever).await;
    mill.later(60).await;
    assert_eq!(mill.state(&ids[0]).await, "TRIGGERED");
    assert_eq!(mill.state(&ids[1]).await, "ACKNOWLEDGED");
    let stray = json!({ "alert_id": ids[0], "title": "x", "acknowledged_for": 60 });
    assert_eq!(mill.refused(UPDATE, stray).await.pointers(), ["/acknowledged_until"]);
}

#[actix_web::test]
async fn a_snooze_ends_by_itself_and_by_what_is_worse() {
    let mill = Mill::new().await;
    let (_, id) = mill.says("disk", "ALERT", "WARNING").await;
    let snooze = json!({ "alert_id": id, "seconds": 300, "reason": "known, patch tonight" });
    let snoozed = mill.act("snooze", snooze.clone()).await;
    assert_eq!(snoozed["snoozed_until"], "2026-01-01T00:05:00.000Z");
    mill.later(300).await;
    assert_eq!(mill.alert(&id).await["snoozed_until"], Value::Null);
    assert_eq!(mill.life(&id).await, ["opened", "snoozed", "snooze_ended"]);
    mill.act("snooze", snooze.clone()).await;
    mill.says("disk", "ALERT", "ERROR").await;
    assert_eq!(mill.alert(&id).await["snoozed_until"], Value::Null);
    mill.act("snooze", snooze).await;
    let woken = mill.act("unsnooze", json!({ "alert_id": id })).await;
    assert_eq!(woken["snoozed_until"], Value::Null);
    let endless = json!({ "alert_id": id });
    let answer = mill.refused("/api/v1/alert/snooze", endless).await;
    assert_eq!((answer.code(), answer.pointers()), ("ERROR_REQUIRED_PARAMETER", vec!["/until"]));
    let over = json!({ "alert_id": id, "until": "2025-12-31T00:00:00Z" });
    assert_eq!(mill.refused("/api/v1/alert/snooze", over).await.pointers(), ["/until"]);
}

#[actix_web::test]
async fn what_flaps_says_so_once_and_closes_after_a_quiet_time() {
    let mill =
        Mill::with(json!({ "flapping_count": 2, "flapping_within": 600, "flapping_quiet": 60 }))
            .await;
    for _ in 0..2 {
        mill.fires("disk").await;
        assert_eq!(mill.recovers("disk").await, "resolved");
        mill.later(10).await;
    }
    let id = mill.fires("disk").await;
    assert_ne!(mill.alert(&id).await["flapping_since"], Value::Null);
    assert!(mill.sentences(&id).await.contains("its key opened 3 times within 600 s"));
    assert_eq!(mill.recovers("disk").await, "joined");
    mill.later(59).await;
    assert_eq!(mill.state(&id).await, "TRIGGERED");
    assert_eq!(mill.fires("disk").await, id);
    mill.later(59).await;
    assert_eq!(mill.recovers("disk").await, "joined");
    mill.later(60).await;
    let over = mill.alert(&id).await;
    assert_eq!(over["state"], "RESOLVED");
    assert_eq!(over["resolved_reason"], "it flapped, recovered, and stayed quiet");
    let life = mill.life(&id).await;
    let told = ["opened", "flapping", "flap_recovered", "flap_fired", "flap_recovered", "settled"];
    assert_eq!(life[..6], told);
    assert_eq!(life[6], "resolved");
}

#[actix_web::test]
async fn what_flapped_and_stays_broken_is_an_alert_as_any_other_again() {
    let mill =
        Mill::with(json!({ "flapping_count": 2, "flapping_within": 600, "flapping_quiet": 60 }))
            .await;
    for _ in 0..2 {
        mill.fires("disk").await;
        mill.recovers("disk").await;
    }
    let id = mill.fires("disk").await;
    mill.later(60).await;
    let alert = mill.alert(&id).await;
    assert_eq!((&alert["state"], &alert["flapping_since"]), (&json!("TRIGGERED"), &Value::Null));
    assert_eq!(mill.began(&id).await, 2, "it is told again");
    assert_eq!(mill.recovers("disk").await, "resolved");
}

#[actix_web::test]
async fn an_alert_that_nobody_hears_of_expires_and_does_not_claim_to_have_recovered() {
    let mill = Mill::new().await;
    let before = mill.fires("before").await;
    let options = json!({ "webhook_id": mill.hook.webhook_id, "options": { "stale_after": 600 } });
    mill.house.done("/monitoring/v1/webhook/update", options).await;
    mill.later(300).await;
    let (heard, silent) = (mill.fires("heard").await, mill.fires("silent").await);
    mill.later(300).await;
    assert_eq!(mill.state(&before).await, "RESOLVED");
    mill.fires("heard").await;
    mill.later(300).await;
    let over = mill.alert(&silent).await;
    assert_eq!((&over["state"], &over["resolved_as"]), (&json!("RESOLVED"), &json!("EXPIRED")));
    assert!(over["resolved_reason"].as_str().unwrap().starts_with("expired:"));
    assert_eq!(mill.state(&heard).await, "TRIGGERED");
    mill.later(300).await;
    assert_eq!(mill.state(&heard).await, "RESOLVED");
    let again = json!({ "alert_id": silent, "state": "TRIGGERED" });
    let again = mill.house.done(UPDATE, again).await;
    assert_eq!(again["resolved_as"], Value::Null);
}

#[actix_web::test]
async fn merged_alerts_are_over_when_all_of_them_are() {
    let mill = Mill::new().await;
    let (lead, part) = (mill.fires("lead").await, mill.fires("part").await);
    let merge = json!({ "alert_id": part, "into": lead, "reason": "same switch" });
    let merged = mill.act("merge", merge).await;
    assert_eq!(merged["merged_into"], lead);
    assert_eq!(mill.recovers("lead").await, "joined");
    assert_eq!(mill.state(&lead).await, "TRIGGERED");
    assert_eq!(mill.recovers("part").await, "resolved");
    let over = mill.alert(&lead).await;
    assert_eq!(over["state"], "RESOLVED");
    let reason = over["resolved_reason"].as_str().unwrap();
    assert!(reason.ends_with("and what was merged into it is over too"), "{reason}");
    assert_eq!(mill.life(&lead).await, ["opened", "took_in", "held_open", "resolved"]);
}

#[actix_web::test]
async fn a_part_that_is_worse_than_its_lead_alarms_whoever_took_the_lead() {
    let mill = Mill::new().await;
    let (_, lead) = mill.says("lead", "ALERT", "WARNING").await;
    let (_, part) = mill.says("part", "ALERT", "WARNING").await;
    mill.act("merge", json!({ "alert_id": part, "into": lead })).await;
    mill.house.done(UPDATE, json!({ "alert_id": lead, "state": "ACKNOWLEDGED" })).await;
    mill.says("part", "ALERT", "CRITICAL").await;
    let alert = mill.alert(&lead).await;
    assert_eq!((&alert["state"], &alert["severity"]), (&json!("TRIGGERED"), &json!("CRITICAL")));
    assert_eq!(mill.began(&part).await, 2, "it began, and was withheld");
    assert!(mill.sentences(&part).await.contains("which tells for both"));
}

#[actix_web::test]
async fn a_lead_that_breaks_again_is_not_over_with_its_parts() {
    let mill = Mill::new().await;
    let (lead, part) = (mill.fires("lead").await, mill.fires("part").await);
    mill.act("merge", json!({ "alert_id": part, "into": lead })).await;
    mill.recovers("lead").await;
    mill.fires("lead").await;
    mill.recovers("part").await;
    assert_eq!(mill.state(&lead).await, "TRIGGERED");
    assert_eq!(mill.recovers("lead").await, "resolved");
}

#[actix_web::test]
async fn who_resolves_the_lead_resolves_what_is_merged_into_it() {
    let mill = Mill::new().await;
    let lead = mill.fires("lead").await;
    let mut parts = Vec::new();
    for number in 0..3 {
        let part = mill.fires(&format!("part {number}")).await;
        mill.act("merge", json!({ "alert_id": part, "into": lead })).await;
        parts.push(part);
    }
    mill.act("unmerge", json!({ "alert_id": parts[0] })).await;
    mill.house.done(UPDATE, json!({ "alert_id": lead, "state": "RESOLVED" })).await;
    assert_eq!(mill.state(&parts[0]).await, "TRIGGERED");
    for part in &parts[1..] {
        let over = mill.alert(part).await;
        assert_eq!(over["state"], "RESOLVED");
        let reason = over["resolved_reason"].as_str().unwrap();
        assert!(reason.ends_with(&format!("with {lead}, which it is merged into")), "{reason}");
    }
    let open = json!({ "alert_id": parts[1], "state": "TRIGGERED" });
    let open = mill.house.done(UPDATE, open).await;
    assert_eq!(open["merged_into"], Value::Null, "its lead would tell nobody");
}

#[actix_web::test]
async fn nothing_is_merged_into_what_cannot_lead() {
    let mill = Mill::new().await;
    let ids = [mill.fires("a").await, mill.fires("b").await, mill.fires("c").await];
    mill.act("merge", json!({ "alert_id": ids[1], "into": ids[0] })).await;
    let merge = async |alert: &str, into: &str| {
        let request = json!({ "alert_id": alert, "into": into });
        mill.refused("/api/v1/alert/merge", request).await.pointers().join(" ")
    };
    assert_eq!(merge(&ids[2], &ids[1]).await, "/into");
    assert_eq!(merge(&ids[0], &ids[0]).await, "/into");
    let alone = json!({ "alert_id": ids[2] });
    assert_eq!(mill.refused("/api/v1/alert/unmerge", alone).await.pointers(), ["/alert_id"]);
    mill.act("merge", json!({ "alert_id": ids[0], "into": ids[2] })).await;
    assert_eq!(mill.alert(&ids[1]).await["merged_into"], ids[2], "parts go with their lead");
    mill.recovers("c").await;
    mill.recovers("a").await;
    assert_eq!(mill.state(&ids[2]).await, "TRIGGERED");
    mill.recovers("b").await;
    assert_eq!(mill.state(&ids[2]).await, "RESOLVED");
}

#[actix_web::test]
async fn what_was_merged_into_a_deleted_alert_is_told_by_itself_again() {
    let mill = Mill::new().await;
    let (lead, part) = (mill.fires("lead").await, mill.fires("part").await);
    mill.act("merge", json!({ "alert_id": part, "into": lead })).await;
    mill.house.done("/monitoring/v1/alert/delete", json!({ "alert_id": lead })).await;
    assert_eq!(mill.alert(&part).await["merged_into"], Value::Null);
    assert_eq!(mill.began(&part).await, 2);
}

#[actix_web::test]
async fn many_alerts_are_changed_at_once_and_each_says_what_became_of_it() {
    let mill = Mill::new().await;
    let ids = [mill.fires("a").await, mill.fires("b").await];
    mill.house.done(UPDATE, json!({ "alert_id": ids[1], "state": "RESOLVED" })).await;
    let named = json!([ids[0], "nobody", ids[1]]);
    let snooze = json!({ "alert_ids": named, "action": "snooze", "seconds": 60 });
    let done = mill.act("bulk", snooze).await;
    assert_eq!((&done["done"], &done["failed"]), (&json!(1), &json!(2)));
    let codes: Vec<&Value> =
        done["results"].as_array().unwrap().iter().map(|item| &item["error"]["code"]).collect();
    let codes = json!(codes);
    assert_eq!(codes, json!([null, "ERROR_NOT_FOUND", "ERROR_INVALID_PARAMETER"]));
    let query = json!({ "filter": [{ "k": "state", "v": "TRIGGERED", "o": "eq" }] });
    let ack = json!({ "query": query, "action": "acknowledge" });
    let done = mill.act("bulk", ack).await;
    let all = json!([{ "alert_id": ids[0], "alert_number": 1, "title": "About a", "state": "ACKNOWLEDGED" }]);
    assert_eq!((&done["results"], &done["more"]), (&all, &json!(false)));
    for (request, pointer) in [
        (json!({ "action": "resolve" }), "/alert_ids"),
        (json!({ "action": "resolve", "alert_ids": [], "query": {} }), "/query"),
        (json!({ "action": "assign", "alert_ids": [] }), "/assignee"),
        (json!({ "action": "merge", "alert_ids": [] }), "/into"),
        (json!({ "action": "resolve", "alert_ids": [], "into": ids[0] }), "/into"),
        (json!({ "action": "snooze", "alert_ids": [] }), "/until"),
        (json!({ "action": "resolve", "alert_ids": vec!["a"; 1001] }), "/alert_ids"),
    ] {
        assert_eq!(mill.refused("/api/v1/alert/bulk", request).await.pointers(), [pointer]);
    }
    let gone = json!({ "alert_ids": ids, "action": "delete" });
    assert_eq!(mill.act("bulk", gone).await["done"], 2);
}

#[actix_web::test]
async fn nobody_changes_alerts_beyond_their_own_projects() {
    let mill = Mill::new().await;
    let id = mill.fires("disk").await;
    let request = json!({ "project_id": "p2", "name": "Two" });
    mill.house.done("/api/v1/project/create", request).await;
    let token = mill
        .house
        .token("WORKSPACE_MEMBER", json!({ "workspace_id": "default", "projects": ["p2"] }))
        .await;
    let member = mill.house.as_token(token);
    let raised = json!({ "title": "Mine", "project_id": "p2" });
    let mine = member.done("/monitoring/v1/alert/create", raised).await;
    for (path, request) in [
        ("snooze", json!({ "alert_id": id, "seconds": 60 })),
        ("unsnooze", json!({ "alert_id": id })),
        ("merge", json!({ "alert_id": mine["alert_id"], "into": id })),
        ("merge", json!({ "alert_id": id, "into": mine["alert_id"] })),
        ("unmerge", json!({ "alert_id": id })),
        ("history", json!({ "alert_id": id })),
    ] {
        let answer = member.post(&format!("/api/v1/alert/{path}"), request).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    let bulk = json!({ "query": {}, "action": "delete" });
    let done = member.done("/api/v1/alert/bulk", bulk).await;
    assert_eq!(done["results"], json!([{ "alert_id": mine["alert_id"] }]));
}

#[actix_web::test]
async fn notes_are_written_about_an_alert_and_go_with_it() {
    let mill = Mill::new().await;
    let id = mill.fires("disk").await;
    let note = |text: &str| json!({ "alert_id": id, "note": text });
    let first = mill.house.done("/monitoring/v1/note/create", note(" Ordered a disk. ")).await;
    assert_eq!(first["note"], "Ordered a disk.");
    assert_eq!((&first["alert_id"], &first["updated_at"]), (&json!(id), &Value::Null));
    mill.later(1).await;
    let second = mill.house.done("/monitoring/v1/note/create", note("It came.")).await;
    let anew = json!({ "note_id": first["note_id"], "note": "Ordered two." });
    let anew = mill.house.done("/monitoring/v1/note/update", anew).await;
    assert_eq!(anew["updated_at"], "2026-01-01T00:00:01.000Z");
    let list = async |request: Value| mill.house.done("/monitoring/v1/note/list", request).await;
    let all = list(json!({ "alert_id": id })).await;
    assert_eq!(all["results"], json!([second, anew]));
    let page = json!({ "query": { "page": { "limit": 1 }, "keyword": "two" } });
    assert_eq!(list(page).await["results"], json!([anew]));
    let counted = json!({ "query": { "aggregate": [{ "group": { "keys": [{ "key": "created_by", "name": "who" }],
        "fields": [{ "name": "count", "operator": "count" }] } }] } });
    let counted = mill.house.done("/monitoring/v1/note/stat", counted).await;
    assert_eq!(counted["results"][0]["count"], 2);
    assert!(mill.life(&id).await.ends_with(&["noted".to_owned(), "noted".to_owned()]));
    for (request, pointer) in [(note(" "), "/note"), (note(&"x".repeat(10_001)), "/note")] {
        let answer = mill.refused("/monitoring/v1/note/create", request).await;
        assert_eq!(answer.pointers(), [pointer]);
    }

    let request = json!({ "project_id": "p2", "name": "Two" });
    mill.house.done("/api/v1/project/create", request).await;
    mill.house.done(UPDATE, json!({ "alert_id": id, "project_id": "p2" })).await;
    assert_eq!(list(json!({ "project_id": "p2" })).await["total_count"], 2);
    let gone = json!({ "note_id": second["note_id"] });
    mill.house.done("/monitoring/v1/note/delete", gone.clone()).await;
    assert_eq!(mill.house.post("/monitoring/v1/note/get", gone).await.status, 404);
    mill.house.done("/monitoring/v1/alert/delete", json!({ "alert_id": id })).await;
    assert_eq!(list(json!({})).await["total_count"], 0);
}

#[actix_web::test]
async fn what_is_open_can_be_closed_where_alerting_was_switched_off() {
    let mill = Mill::new().await;
    let id = mill.fires("disk").await;
    let off = json!({ "project_id": "default" });
    mill.house.done("/monitoring/v1/project-alert-config/delete", off).await;
    let over = json!({ "alert_id": id, "state": "RESOLVED", "reason": "replaced" });
    let over = mill.house.done(UPDATE, over).await;
    assert_eq!(over["state"], "RESOLVED");
    assert!(over["resolved_reason"].as_str().unwrap().ends_with(": replaced"));
}

#[actix_web::test]
async fn a_history_comes_page_by_page_oldest_first() {
    let mill = Mill::new().await;
    let id = mill.fires("disk").await;
    for state in ["ACKNOWLEDGED", "TRIGGERED", "RESOLVED"] {
        mill.later(1).await;
        mill.house.done(UPDATE, json!({ "alert_id": id, "state": state })).await;
    }
    let whole = mill.act("history", json!({ "alert_id": id })).await;
    let (mut read, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let request = json!({ "alert_id": id, "limit": 1, "cursor": cursor });
        let page = mill.act("history", request).await;
        read.extend(page["results"].as_array().unwrap().clone());
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(json!(read), whole["results"]);
    for (request, pointer) in [
        (json!({ "alert_id": id, "limit": 0 }), "/limit"),
        (json!({ "alert_id": id, "cursor": "x" }), "/cursor"),
    ] {
        assert_eq!(mill.refused("/api/v1/alert/history", request).await.pointers(), [pointer]);
    }
}
