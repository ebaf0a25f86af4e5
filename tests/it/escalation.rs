//! Who is told next when nobody answers, and exactly when; told with a restart in between, which must change nothing.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    harness::{Hook, House, START, time},
    story::{firing, recovery},
};

/// A house whose default project is escalated so; the second half of each story happens after a restart.
struct Home {
    house: House,
    hook: Hook,
}

impl Home {
    async fn with(policy: Value, options: Value) -> Self {
        let house = House::new().await;
        let made = house.done("/monitoring/v1/escalation-policy/create", policy).await;
        let chosen = json!({
            "project_id": "default",
            "escalation_policy_id": made["escalation_policy_id"],
            "options": options,
        });
        house.done("/monitoring/v1/project-alert-config/update", chosen).await;
        let hook = house.webhook("api-direct").await;
        Self { house, hook }
    }

    async fn two_steps() -> Self {
        let rules = json!([
            { "notification_level": "LV1", "escalate_minutes": 10 },
            { "notification_level": "LV2", "escalate_minutes": 5 },
        ]);
        Self::with(json!({ "name": "Two", "rules": rules, "repeat_count": 1 }), json!({})).await
    }

    /// Posts an event, and gives the alert it belongs to.
    async fn post(&self, said: crate::story::Said) -> Value {
        let receipt = self.house.understood(&self.hook, &said.0).await;
        let id = receipt["items"][0]["alert_id"].clone();
        self.alert(&id).await
    }

    async fn alert(&self, id: &Value) -> Value {
        self.house.done("/monitoring/v1/alert/get", json!({ "alert_id": id })).await
    }

    /// Lets so many seconds pass, second by second at the end, and restarts the server on the way.
    async fn after(&mut self, seconds: i64) {
        self.house.later(TimeDelta::seconds(seconds - 1));
        self.house.reopen().await;
        self.house.second().await;
        self.house.later(TimeDelta::seconds(1));
        self.house.second().await;
    }

    async fn history(&self, alert: &Value) -> Vec<Value> {
        let asked = json!({ "alert_id": alert["alert_id"] });
        let mut page = self.house.done("/api/v1/alert/history", asked).await;
        let Value::Array(results) = page["results"].take() else { panic!("{page}") };
        results
    }

    /// All that was announced of an alert: after how many seconds, on what occasion, at which level.
    async fn told(&self, alert: &Value) -> Vec<(i64, String, String)> {
        let mut told = Vec::new();
        for entry in self.history(alert).await {
            if entry["step"]["what"] == "announced" {
                let at = time(entry["at"].as_str().unwrap()) - time(START);
                let text = |name: &str| entry["step"][name].as_str().unwrap().to_owned();
                told.push((at.num_seconds(), text("occasion"), text("level")));
            }
        }
        told
    }

    async fn sentences(&self, alert: &Value) -> Vec<String> {
        let entries = self.history(alert).await.into_iter();
        let ours = entries.filter(|entry| entry["of"] == "escalation");
        ours.map(|entry| entry["sentence"].as_str().unwrap().to_owned()).collect()
    }
}

/// A request of ours that succeeds, made anew for each call; for whoever calls every method.
pub async fn request(house: &House, name: &str, title: &str) -> Option<Value> {
    let made = |path: &'static str, id: &'static str, request: Value| async move {
        json!({ id: house.done(path, request).await[id] })
    };
    let with = |mut base: Value, field: &str, value: Value| {
        base[field] = value;
        base
    };
    let (resource, verb) = name.split_once('.')?;
    let hook = async || json!(house.webhook("api-direct").await.webhook_id);
    let (path, id, create) = match resource {
        "escalation_policy" => {
            let create = json!({ "name": title, "rules": [{ "escalate_minutes": 5 }] });
            ("/monitoring/v1/escalation-policy/create", "escalation_policy_id", create)
        }
        "on_call" => {
            let create = json!({ "name": title, "rotation": { "users": ["amy"] } });
            ("/api/v1/on-call/create", "on_call_id", create)
        }
        "contact" => {
            let settings = json!({ "url": "https://127.0.0.1/hook" });
            let channel = json!({ "name": title, "kind": "WEBHOOK", "settings": settings });
            let channel = house.done("/api/v1/channel/create", channel).await;
            let create = json!({ "user_id": "amy", "channel_id": channel["channel_id"] });
            ("/api/v1/contact/create", "contact_id", create)
        }
        "heartbeat" => {
            let create = json!({ "name": title, "webhook_id": hook().await, "every": 300 });
            ("/api/v1/heartbeat/create", "heartbeat_id", create)
        }
        _ => return None,
    };
    if verb == "create" {
        return Some(create);
    }
    let one = made(path, id, create).await;
    let stand_in = json!("2026-02-01T00:00:00Z");
    Some(match (resource, verb) {
        ("contact", "update") => with(one, "urgency", json!("HIGH_ONLY")),
        (_, "update") => with(one, "name", json!(format!("{title} anew"))),
        (_, "add_override") => with(with(one, "user_id", json!("bob")), "until", stand_in),
        (_, "remove_override") => {
            let add = with(with(one.clone(), "user_id", json!("bob")), "until", stand_in);
            let add = with(add, "from", json!("2026-01-15T00:00:00Z"));
            house.done("/api/v1/on-call/add-override", add).await;
            with(with(one, "user_id", json!("bob")), "from", json!("2026-01-15T00:00:00Z"))
        }
        _ => one,
    })
}

fn told(expected: &[(i64, &str, &str)]) -> Vec<(i64, String, String)> {
    let each = expected.iter();
    each.map(|(at, what, level)| (*at, (*what).to_owned(), (*level).to_owned())).collect()
}

#[actix_web::test]
async fn each_step_is_told_to_the_second_across_restarts_until_the_last_pass_is_over() {
    let mut home = Home::two_steps().await;
    let alert = home.post(firing("k")).await;
    assert_eq!((&alert["escalation_step"], &alert["escalation_ttl"]), (&json!(1), &json!(2)));
    assert_eq!(alert["escalated_at"], START);
    for seconds in [600, 300, 600, 300] {
        home.after(seconds).await;
    }
    home.after(10_000).await;
    let expected = [
        (0, "OPENED", "LV1"),
        (600, "ESCALATED", "LV2"),
        (900, "REPEATED", "LV1"),
        (1500, "ESCALATED", "LV2"),
    ];
    assert_eq!(home.told(&alert).await, told(&expected));
    let alert = home.alert(&alert["alert_id"]).await;
    assert_eq!((&alert["escalation_step"], &alert["escalation_ttl"]), (&json!(2), &json!(0)));
    insta::assert_snapshot!(home.sentences(&alert).await.join("\n"), @r"
    escalation policy `Two` began (2 steps, 2 times, until ACKNOWLEDGED): it is the project's
    step 2 of 2, pass 1 of 2, level LV2: nobody answered in 10 minutes
    step 1 of 2, pass 2 of 2, level LV1: nobody answered in 5 minutes
    step 2 of 2, pass 2 of 2, level LV2: nobody answered in 10 minutes
    all of it is over (2 steps, 2 times) and nobody answered
    ");
}

#[actix_web::test]
async fn who_acknowledges_ends_it_and_every_step_that_was_told_hears_of_the_end() {
    let mut home = Home::two_steps().await;
    let alert = home.post(firing("k")).await;
    for seconds in [600, 300] {
        home.after(seconds).await;
    }
    let id = alert["alert_id"].clone();
    let acked = json!({ "alert_id": id, "state": "ACKNOWLEDGED" });
    let acked = home.house.done("/monitoring/v1/alert/update", acked).await;
    assert_eq!((&acked["escalation_step"], &acked["escalation_ttl"]), (&json!(1), &json!(0)));
    home.after(100_000).await;
    home.post(recovery("k")).await;
    let expected = [
        (0, "OPENED", "LV1"),
        (600, "ESCALATED", "LV2"),
        (900, "REPEATED", "LV1"),
        (100_900, "RESOLVED", "LV1"),
        (100_900, "RESOLVED", "LV2"),
    ];
    assert_eq!(home.told(&alert).await, told(&expected));
}

#[actix_web::test]
async fn who_was_never_told_hears_of_no_end() {
    let mut home = Home::two_steps().await;
    let alert = home.post(firing("k")).await;
    home.after(300).await;
    home.post(recovery("k")).await;
    home.after(1000).await;
    let expected = [(0, "OPENED", "LV1"), (300, "RESOLVED", "LV1")];
    assert_eq!(home.told(&alert).await, told(&expected));
}

#[actix_web::test]
async fn a_policy_that_ends_with_the_alert_goes_on_after_it_is_acknowledged() {
    let rules = json!([{ "escalate_minutes": 10 }]);
    let policy = json!({ "name": "Stubborn", "rules": rules, "repeat_count": 5, "finish_condition": "RESOLVED" });
    let mut home = Home::with(policy, json!({})).await;
    let alert = home.post(firing("k")).await;
    let acked = json!({ "alert_id": alert["alert_id"], "state": "ACKNOWLEDGED" });
    home.house.done("/monitoring/v1/alert/update", acked).await;
    home.after(600).await;
    let expected = [(0, "OPENED", "ALL"), (600, "REPEATED", "ALL")];
    assert_eq!(home.told(&alert).await, told(&expected));
}

#[actix_web::test]
async fn what_is_not_urgent_is_not_told_where_only_urgent_alerts_are_until_it_is() {
    let rules = json!([{ "escalate_minutes": 10 }, { "escalate_minutes": 10 }]);
    let options = json!({ "notification_urgency": "HIGH_ONLY" });
    let mut home = Home::with(json!({ "name": "Two", "rules": rules }), options).await;
    let alert = home.post(firing("k").severity("WARNING")).await;
    assert_eq!((&alert["urgency"], &alert["escalation_ttl"]), (&json!("LOW"), &json!(0)));
    assert_eq!(alert["escalated_at"], Value::Null);
    home.after(3600).await;
    assert_eq!(home.told(&alert).await, told(&[]));
    home.post(firing("k").severity("CRITICAL")).await;
    home.after(600).await;
    let expected = [(3600, "WORSENED", "ALL"), (4200, "ESCALATED", "ALL")];
    assert_eq!(home.told(&alert).await, told(&expected));
}

#[actix_web::test]
async fn reopening_begins_the_policy_anew() {
    let mut home = Home::two_steps().await;
    let alert = home.post(firing("k")).await;
    home.after(600).await;
    let id = &alert["alert_id"];
    for state in ["RESOLVED", "TRIGGERED"] {
        let update = json!({ "alert_id": id, "state": state });
        home.house.done("/monitoring/v1/alert/update", update).await;
    }
    home.after(600).await;
    let expected = [
        (0, "OPENED", "LV1"),
        (600, "ESCALATED", "LV2"),
        (600, "RESOLVED", "LV1"),
        (600, "RESOLVED", "LV2"),
        (600, "REOPENED", "LV1"),
        (1200, "ESCALATED", "LV2"),
    ];
    assert_eq!(home.told(&alert).await, told(&expected));
}

#[actix_web::test]
async fn a_snoozed_alert_stays_on_its_step_and_its_time_begins_again_after() {
    let mut home = Home::two_steps().await;
    let alert = home.post(firing("k")).await;
    let snooze = json!({ "alert_id": alert["alert_id"], "seconds": 3600 });
    home.house.done("/api/v1/alert/snooze", snooze).await;
    for seconds in [600, 3000, 600] {
        home.after(seconds).await;
    }
    let expected = [(0, "OPENED", "LV1"), (3600, "UNMUTED", "LV1"), (4200, "ESCALATED", "LV2")];
    assert_eq!(home.told(&alert).await, told(&expected));
}

#[actix_web::test]
async fn a_workspace_has_a_default_policy_that_stays() {
    let house = House::new().await;
    let config = json!({ "project_id": "default" });
    let config = house.done("/monitoring/v1/project-alert-config/get", config).await;
    let id = &config["escalation_policy_id"];
    assert_eq!(config["escalation_policy_info"]["name"], "Default");
    let default =
        house.done("/monitoring/v1/escalation-policy/get", json!({ "escalation_policy_id": id }));
    let default = default.await;
    assert_eq!(default["is_default"], true);
    assert_eq!(
        default["rules"],
        json!([{ "notification_level": "ALL", "escalate_minutes": 0, "targets": [] }])
    );
    let refused = house
        .post("/monitoring/v1/escalation-policy/delete", json!({ "escalation_policy_id": id }))
        .await;
    let code = &refused.body["detail"]["code"];
    assert_eq!(code, "ERROR_DEFAULT_ESCALATION_POLICY_NOT_ALLOW_DELETION");

    let rules = json!([{ "escalate_minutes": 1 }]);
    let other = json!({ "name": "Other", "rules": rules, "resource_group": "WORKSPACE" });
    let other = house.done("/monitoring/v1/escalation-policy/create", other).await;
    let named = json!({ "escalation_policy_id": other["escalation_policy_id"] });
    house.done("/monitoring/v1/escalation-policy/set-default", named.clone()).await;
    let config = json!({ "project_id": "default" });
    let config = house.done("/monitoring/v1/project-alert-config/get", config).await;
    assert_eq!(config["escalation_policy_id"], other["escalation_policy_id"]);
    let list = house.done("/monitoring/v1/escalation-policy/list", json!({})).await;
    let flags: Vec<(&Value, &Value)> = list["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| (&policy["name"], &policy["is_default"]))
        .collect();
    assert_eq!(flags, [(&json!("Default"), &json!(false)), (&json!("Other"), &json!(true))]);
}

#[actix_web::test]
async fn mistakes_in_policies_are_told_where_they_are() {
    let house = House::new().await;
    let step = json!({ "escalate_minutes": 1 });
    let cases = [
        (json!({ "name": "a", "rules": [] }), "/rules"),
        (json!({ "name": " ", "rules": [step] }), "/name"),
        (
            json!({ "name": "a", "rules": [{ "escalate_minutes": 50_000 }] }),
            "/rules/0/escalate_minutes",
        ),
        (json!({ "name": "a", "rules": [step], "repeat_count": 5000 }), "/repeat_count"),
        (
            json!({ "name": "a", "rules": [step, { "targets": [{ "on_call": "oncall-1" }] }] }),
            "/rules/1/targets/0/on_call",
        ),
        (
            json!({ "name": "a", "rules": [{ "targets": [{ "user": "" }] }] }),
            "/rules/0/targets/0/user",
        ),
        (json!({ "name": "Default", "rules": [step] }), "/name"),
        (json!({ "name": "a", "rules": [step], "resource_group": "PROJECT" }), "/project_id"),
    ];
    for (request, pointer) in cases {
        let refused = house.post("/monitoring/v1/escalation-policy/create", request.clone()).await;
        let found = &refused.body["detail"]["errors"][0]["pointer"];
        assert_eq!(found, pointer, "{request}: {}", refused.text);
        assert!(refused.status == 400 || refused.status == 409, "{}", refused.text);
    }
}

#[actix_web::test]
async fn whoever_is_on_call_is_told_beside_the_level_of_the_step() {
    let house = House::new().await;
    let channel = json!({
        "name": "phone of bob",
        "kind": "WEBHOOK",
        "settings": { "url": "https://hooks.example.com/bob" },
        "levels": [],
    });
    let channel = house.done("/api/v1/channel/create", channel).await;
    let contact = json!({ "user_id": "bob", "channel_id": channel["channel_id"] });
    house.done("/api/v1/contact/create", contact).await;
    let rotation =
        json!({ "users": ["amy", "bob"], "starts_on": "2025-12-22", "handoff": "09:00" });
    let primary = json!({ "name": "primary", "rotation": rotation, "time_zone": "Asia/Seoul" });
    let primary = house.done("/api/v1/on-call/create", primary).await;
    assert_eq!(primary["on_duty"]["user_id"], "bob");
    assert_eq!(primary["on_duty"]["until"], "2026-01-05T00:00:00.000Z");
    let rules =
        json!([{ "notification_level": "LV1", "targets": [{ "on_call": primary["on_call_id"] }] }]);
    let policy = json!({ "name": "Night", "rules": rules });
    let policy = house.done("/monitoring/v1/escalation-policy/create", policy).await;
    let chosen =
        json!({ "project_id": "default", "escalation_policy_id": policy["escalation_policy_id"] });
    house.done("/monitoring/v1/project-alert-config/update", chosen).await;
    let hook = house.webhook("api-direct").await;
    let home = Home { house, hook };
    let alert = home.post(firing("k")).await;
    let entries = home.history(&alert).await;
    let announced = entries.iter().find(|entry| entry["step"]["what"] == "announced").unwrap();
    let messages = announced["step"]["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1, "{announced}");
    assert_eq!(messages[0]["name"], "phone of bob");
}

#[actix_web::test]
async fn silence_opens_an_alert_and_the_next_delivery_resolves_it() {
    let mut home = Home::two_steps().await;
    let beat = json!({ "name": "backup", "webhook_id": home.hook.webhook_id, "every": 300 });
    let beat = home.house.done("/api/v1/heartbeat/create", beat).await;
    let id = json!({ "heartbeat_id": beat["heartbeat_id"] });
    assert_eq!(beat["state"], "WAITING");
    home.house.later(TimeDelta::seconds(200));
    home.house.understood(&home.hook, &recovery("nothing").0).await;
    home.after(299).await;
    let heard = home.house.done("/api/v1/heartbeat/get", id.clone()).await;
    assert_eq!((&heard["state"], &heard["alert_id"]), (&json!("HEARD"), &Value::Null));
    home.after(1).await;
    let silent = home.house.done("/api/v1/heartbeat/get", id.clone()).await;
    assert_eq!(silent["state"], "SILENT");
    let alert = home.alert(&silent["alert_id"]).await;
    assert_eq!(alert["title"], "backup was not heard from for 5 min");
    assert_eq!((&alert["state"], &alert["urgency"]), (&json!("TRIGGERED"), &json!("HIGH")));
    home.after(600).await;
    home.house.understood(&home.hook, &firing("other").0).await;
    let over = home.alert(&silent["alert_id"]).await;
    assert_eq!(over["state"], "RESOLVED");
    let expected = [
        (500, "OPENED", "LV1"),
        (1100, "ESCALATED", "LV2"),
        (1100, "RESOLVED", "LV1"),
        (1100, "RESOLVED", "LV2"),
    ];
    assert_eq!(home.told(&alert).await, told(&expected));
}

#[actix_web::test]
async fn a_member_sees_the_policies_of_its_workspace_and_changes_those_of_its_project() {
    let house = House::new().await;
    let reach = json!({ "workspace_id": "default", "projects": ["default"] });
    let member = house.token("WORKSPACE_MEMBER", reach).await;
    let member = house.as_token(member);
    let page = member.done("/monitoring/v1/escalation-policy/list", json!({})).await;
    let default = page["results"][0].clone();
    assert_eq!((&default["name"], &default["project_id"]), (&json!("Default"), &json!("*")));
    let path = "/monitoring/v1/escalation-policy/update";
    let update = json!({ "escalation_policy_id": default["escalation_policy_id"], "name": "Mine" });
    assert_eq!(member.post(path, update).await.status, 403);
    let rules = json!([{ "escalate_minutes": 5 }]);
    let own = json!({ "name": "Own", "rules": rules, "project_id": "default" });
    let own = member.done("/monitoring/v1/escalation-policy/create", own).await;
    let update = json!({ "escalation_policy_id": own["escalation_policy_id"], "name": "Mine" });
    assert_eq!(member.done(path, update).await["name"], "Mine");

    house.done("/api/v1/domain/create", json!({ "domain_id": "rival", "name": "Rival" })).await;
    let workspace = json!({ "workspace_id": "rival", "name": "Rival", "domain_id": "rival" });
    house.done("/api/v1/workspace/create", workspace).await;
    let rival = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "rival" })).await;
    let rival = house.as_token(rival);
    let page = rival.done("/monitoring/v1/escalation-policy/list", json!({})).await;
    assert_eq!(page["total_count"], 1, "only the default of its own workspace: {page}");
    for id in [&default["escalation_policy_id"], &own["escalation_policy_id"]] {
        let asked = json!({ "escalation_policy_id": id });
        for verb in ["get", "delete", "set-default"] {
            let path = format!("/monitoring/v1/escalation-policy/{verb}");
            assert_eq!(rival.post(&path, asked.clone()).await.status, 404, "{verb}");
        }
    }
}

#[actix_web::test]
async fn a_muted_alert_stays_on_its_step_and_is_told_once_when_the_mute_is_over() {
    let mut home = Home::two_steps().await;
    let silence = json!({
        "project_id": "default",
        "reason": "we are on it",
        "filter": [{ "k": "event_key", "v": "k", "o": "eq" }],
        "end_time": "2026-01-01T00:20:00Z",
    });
    home.house.done("/api/v1/silence/create", silence).await;
    let muted = home.post(firing("k")).await;
    assert_eq!((&muted["escalated_at"], &muted["escalation_ttl"]), (&Value::Null, &json!(2)));
    for seconds in [600, 600, 600] {
        home.after(seconds).await;
    }
    let expected = [(1200, "UNMUTED", "LV1"), (1800, "ESCALATED", "LV2")];
    assert_eq!(home.told(&muted).await, told(&expected));
}

#[actix_web::test]
async fn the_alert_of_a_silence_ends_with_the_webhook_that_was_to_be_heard() {
    let mut home = Home::two_steps().await;
    let beat = json!({ "name": "backup", "webhook_id": home.hook.webhook_id, "every": 300 });
    let beat = home.house.done("/api/v1/heartbeat/create", beat).await;
    home.after(300).await;
    let id = json!({ "heartbeat_id": beat["heartbeat_id"] });
    let silent = home.house.done("/api/v1/heartbeat/get", id).await;
    let hook = json!({ "webhook_id": home.hook.webhook_id });
    home.house.done("/monitoring/v1/webhook/delete", hook).await;
    assert_eq!(home.alert(&silent["alert_id"]).await["state"], "RESOLVED");
}
