//! The audit trail feeds alerting: chosen records become events, each once, and nothing feeds itself.

use std::fs;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    harness::House,
    users::{log_in, user},
};

/// The office hours of these tests; a house is built on a Thursday at midnight.
const HOURS: &[&str] = &["--office-hours", "Mon-Fri 08:00-18:00 UTC"];

/// The events that came from the trail, oldest first.
async fn fed(house: &House) -> Vec<Value> {
    house.events(json!({ "webhook_id": "webhook-audit" })).await
}

async fn alerts_of_system(house: &House) -> Vec<Value> {
    house.alerts(json!({ "project_id": "system" })).await
}

#[actix_web::test]
async fn a_token_made_at_night_raises_an_alert_that_ends_when_it_is_taken_back() {
    let house = House::with(HOURS).await;
    let made = house
        .done("/api/v1/token/create", json!({ "name": "deploy", "role": "SYSTEM_ADMIN" }))
        .await;
    house.second().await;
    let alerts = alerts_of_system(&house).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let title = alerts[0]["title"].as_str().unwrap();
    assert!(title.contains("deploy") && title.contains("outside office hours"), "{title}");
    assert_eq!(alerts[0]["severity"], "WARNING");

    let one = json!({ "token_id": made["token_id"] });
    house.done("/api/v1/token/revoke", one).await;
    house.second().await;
    assert_eq!(alerts_of_system(&house).await[0]["state"], "RESOLVED");

    house.later(TimeDelta::hours(12));
    house.done("/api/v1/token/create", json!({ "name": "by day", "role": "SYSTEM_ADMIN" })).await;
    house.second().await;
    assert_eq!(alerts_of_system(&house).await.len(), 1, "by day nobody minds");
}

#[actix_web::test]
async fn where_no_office_hours_are_said_no_time_is_odd() {
    let house = House::new().await;
    house.done("/api/v1/token/create", json!({ "name": "deploy", "role": "SYSTEM_ADMIN" })).await;
    house.second().await;
    assert_eq!(fed(&house).await, Vec::<Value>::new());
}

#[actix_web::test]
async fn each_record_is_fed_once_also_by_a_server_that_was_stopped_in_between() {
    let mut house = House::with(HOURS).await;
    for round in 0..3 {
        let name = format!("round {round}");
        house.done("/api/v1/token/create", json!({ "name": name, "role": "SYSTEM_ADMIN" })).await;
        if round == 1 {
            house.reopen().await;
        }
        for _ in 0..2 {
            house.second().await;
        }
        house.reopen().await;
        house.second().await;
        assert_eq!(fed(&house).await.len(), round + 1);
    }
}

#[actix_web::test]
async fn a_reload_that_was_refused_joins_the_alert_of_the_servers_own_check() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().display().to_string();
    let house = House::with(&["--rules", &rules]).await;
    fs::create_dir(directory.path().join("mine")).unwrap();
    fs::write(directory.path().join("mine/mapping.yaml"), "events: [").unwrap();
    let answer = house.post("/api/v1/rules/reload", json!({})).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    house.second().await;
    let alerts = alerts_of_system(&house).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["event_count"], 2, "{alerts:?}");
    assert_eq!(fed(&house).await[0]["additional_info"]["kind"], "refused_reload");
}

#[actix_web::test]
async fn rules_that_changed_while_no_server_ran_are_recorded_once() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().display().to_string();
    let mut house = House::with(&["--rules", &rules]).await;
    let records = async |house: &House| {
        let asked =
            json!({ "query": { "filter": [{ "k": "action", "v": "rules.reload", "o": "eq" }] } });
        house.done("/api/v1/audit/list", asked).await["results"].as_array().unwrap().clone()
    };
    house.tick().await;
    house.tick().await;
    let first = records(&house).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0]["actor"], "command:serve");

    house.reopen().await;
    house.tick().await;
    assert_eq!(records(&house).await.len(), 1, "a start is no change");

    fs::create_dir(directory.path().join("mine")).unwrap();
    let mapping =
        "title: Mine\nevents:\n  - name: all\n    set:\n      event_key: $.id\n      title: $.id\n";
    fs::write(directory.path().join("mine/mapping.yaml"), mapping).unwrap();
    house.later(TimeDelta::minutes(1));
    house.reopen().await;
    house.tick().await;
    house.tick().await;
    let all = records(&house).await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0]["before"], first[0]["after"]);
    assert_ne!(all[0]["after"], first[0]["after"]);

    // Whoever reloads records it, and nobody else does.
    let mapping = mapping.replace("Mine", "Ours");
    fs::write(directory.path().join("mine/mapping.yaml"), mapping).unwrap();
    house.done("/api/v1/rules/reload", json!({})).await;
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    assert_eq!(records(&house).await.len(), 3);
}

#[actix_web::test]
async fn five_failed_logins_of_one_user_within_a_minute_open_an_alert() {
    let house = House::new().await;
    let hook = house.webhook_in("system", "alertmill-audit", json!({})).await;
    let sample = fs::read_to_string("rules/alertmill-audit/samples/failed-login.json").unwrap();
    let record: Value = serde_json::from_str(&sample).unwrap();
    let fails = async |user: &str| {
        let record = Value::Object({
            let mut fields = record.as_object().unwrap().clone();
            fields.insert("entity_name".to_owned(), user.into());
            fields
        });
        house.understood(&hook, &record).await["items"][0]["what"].clone()
    };
    for _ in 0..4 {
        assert_eq!(fails("amy").await, "kept");
        assert_eq!(fails("bob").await, "kept");
    }
    house.later(TimeDelta::seconds(61));
    assert_eq!(fails("bob").await, "kept", "his first ones are too long ago");
    for _ in 0..3 {
        assert_eq!(fails("amy").await, "kept");
    }
    assert_eq!(fails("amy").await, "kept");
    assert_eq!(fails("amy").await, "opened");
    assert_eq!(fails("amy").await, "joined");
    let alerts = alerts_of_system(&house).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["title"], "Logins of amy fail");
}

#[actix_web::test]
async fn wrong_passwords_reach_the_system_project_by_themselves() {
    let house = House::new().await;
    user(&house, "amy", "WORKSPACE_OWNER").await;
    for _ in 0..5 {
        assert_eq!(log_in(&house, "amy", "anything but that").await.status, 401);
    }
    house.second().await;
    let alerts = alerts_of_system(&house).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(
        (&alerts[0]["title"], &alerts[0]["event_count"]),
        (&json!("Logins of amy fail"), &json!(6))
    );
    let kinds: Vec<Value> =
        fed(&house).await.iter().map(|event| event["additional_info"]["kind"].clone()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "failed_login").count(), 5, "{kinds:?}");
    assert_eq!(kinds.last().unwrap(), "locked_out");
}

#[actix_web::test]
async fn nothing_that_was_fed_feeds_itself() {
    let directory = tempfile::tempdir().unwrap();
    let all = directory.path().join("alertmill-audit");
    fs::create_dir(&all).unwrap();
    let mapping = "title: All\nevents:\n  - name: all\n    when:\n      $.action: {exists: true}\n    set:\n      \
                   event_key: $.audit_id\n      severity: CRITICAL\n      title: $.action\n";
    fs::write(all.join("mapping.yaml"), mapping).unwrap();
    let rules = directory.path().display().to_string();
    let house = House::with(&["--rules", &rules]).await;
    house
        .done(
            "/monitoring/v1/project-alert-config/update",
            json!({ "project_id": "system", "options": { "stale_after": 60 } }),
        )
        .await;
    house.done("/api/v1/token/create", json!({ "name": "one", "role": "SYSTEM_ADMIN" })).await;
    let mut counts = Vec::new();
    for _ in 0..10 {
        house.second().await;
        house.later(TimeDelta::minutes(20));
        counts.push(fed(&house).await.len());
    }
    assert!(counts[0] >= 2, "everything that people do is fed: {counts:?}");
    assert_eq!(counts.first(), counts.last(), "{counts:?}");
}

#[actix_web::test]
async fn nobody_posts_to_the_webhook_of_the_trail_or_changes_it() {
    let house = House::new().await;
    for verb in ["delete", "disable", "rotate-key", "update"] {
        let path = format!("/monitoring/v1/webhook/{verb}");
        let answer = house.post(&path, json!({ "webhook_id": "webhook-audit" })).await;
        assert_eq!(answer.code(), "ERROR_PERMISSION_DENIED", "{verb}: {answer:?}");
    }
    let hook = crate::harness::Hook {
        webhook_id: "webhook-audit".to_owned(),
        access_key: "guessed".to_owned(),
    };
    assert_eq!(house.deliver(&hook, &json!({ "action": "user.login" })).await.status, 401);
}

#[actix_web::test]
async fn a_domain_has_a_feed_of_its_own_and_sees_no_other() {
    let house = House::with(HOURS).await;
    house.done("/api/v1/domain/create", json!({ "domain_id": "acme", "name": "acme" })).await;
    let workspace = json!({ "workspace_id": "ops", "domain_id": "acme", "name": "ops" });
    house.done("/api/v1/workspace/create", workspace).await;
    let project = json!({ "project_id": "watch", "workspace_id": "ops", "name": "watch" });
    house.done("/api/v1/project/create", project).await;
    let owner = json!({ "domain_id": "acme", "workspace_id": "ops" });
    let owner = house.token("WORKSPACE_OWNER", owner).await;
    let wanted = json!({ "name": "trail", "provider": "alertmill-audit", "project_id": "watch" });
    let refused =
        house.as_token(&owner).post("/monitoring/v1/webhook/create", wanted.clone()).await;
    assert_eq!(refused.code(), "ERROR_PERMISSION_DENIED", "{refused:?}");
    let made = house.done("/monitoring/v1/webhook/create", wanted).await;
    assert_eq!(made["default_rules"][0]["kind"], "group_rule", "{made}");

    let token = json!({ "name": "theirs", "role": "WORKSPACE_MEMBER", "domain_id": "acme",
        "workspace_id": "ops", "projects": ["watch"] });
    house.as_token(&owner).done("/api/v1/token/create", token.clone()).await;
    // Whoever makes it: the administrator's doings in the domain are the domain's too.
    house.done("/api/v1/token/create", token).await;
    house.done("/api/v1/token/create", json!({ "name": "ours", "role": "SYSTEM_ADMIN" })).await;
    house.second().await;
    let theirs = house.events(json!({ "webhook_id": made["webhook_id"] })).await;
    assert_eq!(theirs.len(), 2, "{theirs:?}");
    assert!(theirs.iter().all(|event| event["title"].as_str().unwrap().contains("theirs")));
    let ours = fed(&house).await;
    assert!(
        ours.iter().all(|event| event["additional_info"]["domain_id"] == "default"
            && !event["title"].as_str().unwrap().contains("theirs")),
        "{ours:?}"
    );
}

#[actix_web::test]
async fn old_and_new_values_stay_in_the_trail() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("alertmill-audit");
    fs::create_dir(&rules).unwrap();
    let mapping = "title: everything\nevents:\n  - name: all\n    set:\n      event_key: $.audit_id\n      \
        event_type: ALERT\n      severity: INFO\n      title: $.action\n";
    fs::write(rules.join("mapping.yaml"), mapping).unwrap();
    let house = House::with(&["--rules", &directory.path().display().to_string()]).await;
    let token = json!({ "name": "hush hush", "role": "SYSTEM_ADMIN" });
    let made = house.done("/api/v1/token/create", token).await;
    house.done("/api/v1/token/revoke", json!({ "token_id": made["token_id"] })).await;
    house.second().await;
    let all = fed(&house).await;
    assert!(all.iter().any(|event| event["title"] == "token.revoke"), "{all:?}");
    for event in all {
        let asked = json!({ "event_id": event["event_id"] });
        let whole = house.done("/monitoring/v1/event/get", asked).await;
        let raw = &whole["raw_data"];
        assert!(raw["action"].is_string(), "{whole:#}");
        for field in ["before", "patch", "hash", "previous"] {
            assert!(raw.get(field).is_none(), "{field}: {raw:#}");
        }
        let after = raw["after"].as_object().map(serde_json::Map::len);
        assert_eq!(after.unwrap_or_default(), 0, "{raw:#}");
    }
}

#[actix_web::test]
async fn what_is_found_against_given_heads_alone_is_no_critical_alert() {
    let house = House::new().await;
    let reader = house.token("DOMAIN_ADMIN", json!({ "domain_id": "default" })).await;
    let head = |domain: &str| json!({ "domain_id": domain, "trail": "OWN", "sequence": 1, "hash": "ab".repeat(32) });
    for heads in [json!([head("default")]), json!([head("nowhere")])] {
        let asked = json!({ "heads": heads });
        let found = house.as_token(&reader).done("/api/v1/audit/verify", asked).await;
        assert_eq!(
            (&found["ok"], &found["only_against_heads"]),
            (&json!(false), &json!(true)),
            "{found:#}"
        );
        house.second().await;
        let alerts = alerts_of_system(&house).await;
        assert_eq!(alerts.len(), 1, "{alerts:#?}");
        assert_eq!(alerts[0]["severity"], "WARNING", "{alerts:#?}");
        assert!(alerts[0]["title"].as_str().unwrap().contains("the heads"), "{alerts:#?}");
    }
    let newest = house.get("/api/v1/audit?action=audit.verify&limit=1").await.body;
    assert_eq!(newest["results"][0]["details"], json!({ "against": "given heads" }));
}
