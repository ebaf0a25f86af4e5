//! A record is in the chain of the domain of what was touched, tells what went along, and what failed as that.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::harness::{Caller, House};

/// A house with a tenant `acme`, its workspace `ops` and its project `watch`, all made by the administrator.
async fn with_a_tenant() -> House {
    let house = House::new().await;
    house.done("/api/v1/domain/create", json!({ "domain_id": "acme", "name": "acme" })).await;
    let workspace = json!({ "workspace_id": "ops", "domain_id": "acme", "name": "ops" });
    house.done("/api/v1/workspace/create", workspace).await;
    let project = json!({ "project_id": "watch", "workspace_id": "ops", "name": "watch" });
    house.done("/api/v1/project/create", project).await;
    house
}

async fn reader<'a>(house: &'a House, domain: &str) -> Caller<'a> {
    house.as_token(house.token("DOMAIN_ADMIN", json!({ "domain_id": domain })).await)
}

/// What a reader sees, newest first.
async fn seen(reader: &Caller<'_>, query: &str) -> Vec<Value> {
    let page = reader.found(&format!("/api/v1/audit?{query}")).await;
    page["results"].as_array().unwrap().clone()
}

async fn actions(reader: &Caller<'_>) -> Vec<String> {
    let all = seen(reader, "limit=1000").await;
    all.iter().rev().map(|record| record["action"].as_str().unwrap().to_owned()).collect()
}

async fn alert(house: &House, project: &str, title: &str) -> String {
    let made = json!({ "project_id": project, "title": title });
    let made = house.done("/monitoring/v1/alert/create", made).await;
    made["alert_id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn what_the_administrator_does_in_a_tenant_is_in_its_chain_and_in_no_other() {
    let house = with_a_tenant().await;
    let (acme, default) = (reader(&house, "acme").await, reader(&house, "default").await);
    let user = json!({ "name": "amy", "password": "correct horse battery", "role": "WORKSPACE_OWNER",
        "workspace_id": "ops" });
    let user = house.done("/api/v1/user/create", user).await;
    let id = alert(&house, "watch", "disk").await;
    let renamed = json!({ "project_id": "watch", "name": "a tenant's secret" });
    house.done("/api/v1/project/update", renamed).await;
    let bulk = json!({ "alert_ids": [id], "action": "acknowledge" });
    house.done("/api/v1/alert/bulk", bulk).await;
    house.done("/api/v1/user/delete", json!({ "user_id": user["user_id"] })).await;
    house.get("/api/v1/alerts/export?project_id=watch").await;
    let refused = house.post("/api/v1/project/update", json!({ "project_id": "watch" })).await;
    assert!(refused.status < 500, "{refused:?}");

    let told = actions(&acme).await;
    for action in [
        "workspace.create",
        "project.create",
        "user.create",
        "alert.create",
        "project.update",
        "alert.bulk",
        "user.delete",
        "alert.export",
    ] {
        assert!(told.iter().any(|it| it == action), "{action}: {told:?}");
    }
    let told = seen(&default, "limit=1000").await;
    let theirs = ["watch", "ops", id.as_str(), user["user_id"].as_str().unwrap()];
    for record in &told {
        let about = record["entity_id"].as_str().unwrap_or_default();
        assert!(!theirs.contains(&about), "{record:#}");
        assert!(!record.to_string().contains("a tenant's secret"), "{record:#}");
    }
    assert!(told.iter().any(|it| it["action"] == "domain.create" && it["entity_id"] == "acme"));
}

#[actix_web::test]
async fn a_refusal_is_told_where_what_it_names_is() {
    let house = with_a_tenant().await;
    let acme = reader(&house, "acme").await;
    let id = alert(&house, "watch", "disk").await;
    for (path, request) in [
        ("/monitoring/v1/alert/update", json!({ "alert_id": id, "state": "NONSENSE" })),
        ("/monitoring/v1/webhook/create", json!({ "name": "x", "project_id": "watch" })),
        ("/monitoring/v1/note/create", json!({ "alert_id": id, "note": "" })),
    ] {
        let answer = house.post(path, request).await;
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        let newest = seen(&acme, "limit=1").await.remove(0);
        assert_eq!(newest["domain_id"], "acme", "{path}");
        assert_ne!(newest["outcome"], "SUCCESS", "{path}: {newest:#}");
        assert_eq!(newest["request_id"], answer.header("X-Request-Id").unwrap(), "{path}");
    }
    house.post("/monitoring/v1/alert/update", json!({ "alert_id": "alert-nope" })).await;
    let newest = seen(&house.admin(), "limit=1").await.remove(0);
    assert_eq!(
        (&newest["domain_id"], &newest["entity_id"]),
        (&json!("default"), &json!("alert-nope"))
    );
}

#[actix_web::test]
async fn one_call_in_two_domains_is_told_in_each() {
    let house = with_a_tenant().await;
    let (theirs, ours) =
        (alert(&house, "watch", "theirs").await, alert(&house, "default", "ours").await);
    let bulk = json!({ "alert_ids": [theirs, ours], "action": "resolve" });
    house.done("/api/v1/alert/bulk", bulk).await;
    for (domain, own) in [("acme", &theirs), ("default", &ours)] {
        let told = seen(&reader(&house, domain).await, "action=alert.bulk").await;
        let about: Vec<&Value> = told.iter().map(|record| &record["entity_id"]).collect();
        assert_eq!(about, [own], "{domain}");
        assert_eq!(told[0]["details"]["act"], "resolve");
    }
}

#[actix_web::test]
async fn what_an_import_brings_to_a_domain_is_told_in_its_chain() {
    let house = with_a_tenant().await;
    let line = |id: &str, (domain, workspace, project): (&str, &str, &str)| {
        json!({ "alert_id": id, "alert_number": 900, "title": "Old", "state": "TRIGGERED", "urgency": "HIGH",
            "triggered_by": "somebody", "project_id": project, "workspace_id": workspace,
            "domain_id": domain, "created_at": "2020-01-01T00:00:00.000Z" })
        .to_string()
    };
    let text = [
        line("alert-a", ("acme", "ops", "watch")),
        line("alert-b", ("default", "default", "default")),
    ];
    let request = TestRequest::post().uri("/api/v1/alert/import").set_payload(text.join("\n"));
    let done = house.admin().send(request).await;
    assert_eq!(done.body["imported"], 2, "{done:?}");
    for domain in ["acme", "default"] {
        let told = seen(&reader(&house, domain).await, "action=alert.import").await;
        assert_eq!(told.len(), 1, "{domain}");
        assert_eq!(told[0]["after"]["imported"], 1, "{domain}");
    }
}

#[actix_web::test]
async fn what_is_emitted_for_a_tenant_is_told_there() {
    let house = with_a_tenant().await;
    let said = json!({ "source": "a test", "kind": "Test.Made", "severity": "info",
        "classification": "system", "description": "made" });
    let tenant = json!({ "tenant": { "data": { "type": "tenant", "id": "acme" } } });
    let emitted =
        json!({ "data": { "type": "event", "attributes": said, "relationships": tenant } });
    assert_eq!(house.post("/api/manual_events", emitted).await.status, 201);
    let told = seen(&reader(&house, "acme").await, "action=manual_event.emit").await;
    assert_eq!(told.len(), 1);
    assert!(seen(&reader(&house, "default").await, "action=manual_event.emit").await.is_empty());
}

#[actix_web::test]
async fn what_failed_of_a_bulk_act_is_told_as_refused() {
    let house = House::new().await;
    let id = alert(&house, "default", "disk").await;
    let bulk = json!({ "alert_ids": ["alert-nope", id, id], "action": "delete" });
    let done = house.done("/api/v1/alert/bulk", bulk).await;
    assert_eq!((&done["done"], &done["failed"]), (&json!(1), &json!(2)), "{done}");
    let told = seen(&house.admin(), "action=alert.bulk").await;
    let outcomes = |about: &str| {
        let of_it = told.iter().rev().filter(|it| it["entity_id"] == about);
        of_it.map(|it| it["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(outcomes("alert-nope"), ["ERROR_NOT_FOUND"]);
    assert_eq!(outcomes(&id), ["SUCCESS", "ERROR_NOT_FOUND"]);

    let (one, other) = (alert(&house, "default", "a").await, alert(&house, "default", "b").await);
    let merge = json!({ "alert_ids": [one], "action": "merge", "into": "alert-nope" });
    house.done("/api/v1/alert/bulk", merge).await;
    let told = seen(&house.admin(), "action=alert.bulk&limit=1").await.remove(0);
    assert_eq!((&told["entity_id"], &told["outcome"]), (&json!(one), &json!("ERROR_NOT_FOUND")));

    let twice = json!({ "alert_ids": [other, other], "action": "merge", "into": one });
    house.done("/api/v1/alert/bulk", twice).await;
    let of_it = format!("action=alert.bulk&resource=alert:{other}");
    let told = seen(&house.admin(), &of_it).await;
    let done = told.iter().find(|it| it["outcome"] == "SUCCESS").unwrap();
    assert!(done["after"].is_object() && done["before"].is_object(), "{done:#}");
}

#[actix_web::test]
async fn what_goes_along_with_a_deletion_is_listed_in_its_record() {
    let house = House::new().await;
    let project = json!({ "project_id": "p", "name": "p", "workspace_id": "default" });
    house.done("/api/v1/project/create", project).await;
    let policy = json!({ "name": "mine", "resource_group": "PROJECT", "project_id": "p", "rules": [
        { "notification_level": "ALL", "escalate_minutes": 5 }] });
    house.done("/monitoring/v1/escalation-policy/create", policy).await;
    house.done("/api/v1/project/delete", json!({ "project_id": "p" })).await;
    let told = seen(&house.admin(), "action=project.delete").await.remove(0);
    let gone = &told["details"]["escalation_policies"];
    assert_eq!(
        (&gone["count"], &gone["which"][0]["name"]),
        (&json!(1), &json!("mine")),
        "{told:#}"
    );

    let id = alert(&house, "default", "disk").await;
    for note in ["one", "two"] {
        let note = json!({ "alert_id": id, "note": note });
        house.done("/monitoring/v1/note/create", note).await;
    }
    house.done("/monitoring/v1/alert/delete", json!({ "alert_id": id })).await;
    let told = seen(&house.admin(), "action=alert.delete").await.remove(0);
    assert_eq!(told["details"]["notes"]["count"], 2, "{told:#}");
}

#[actix_web::test]
async fn the_policy_that_is_the_default_no_more_is_told_of_and_so_is_the_first_one() {
    let house = with_a_tenant().await;
    let acme = reader(&house, "acme").await;
    let first = seen(&acme, "action=workspace.create").await;
    let first = first.iter().find(|it| it["entity_type"] == "escalation_policy").unwrap().clone();
    assert_eq!(first["after"]["is_default"], true, "{first:#}");
    let policy = json!({ "name": "new", "resource_group": "WORKSPACE", "workspace_id": "ops", "rules": [
        { "notification_level": "ALL", "escalate_minutes": 5 }] });
    let made = house.done("/monitoring/v1/escalation-policy/create", policy).await;
    let chosen = json!({ "escalation_policy_id": made["escalation_policy_id"] });
    house.done("/monitoring/v1/escalation-policy/set-default", chosen).await;
    let told = seen(&acme, "action=escalation_policy.set_default").await;
    let former = told.iter().find(|it| it["entity_id"] == first["entity_id"]).unwrap();
    assert_eq!(
        (&former["before"]["is_default"], &former["after"]["is_default"]),
        (&json!(true), &json!(false))
    );
}

#[actix_web::test]
async fn the_oldest_session_that_makes_room_for_a_new_one_is_told_of() {
    let house = House::new().await;
    crate::users::user(&house, "amy", "WORKSPACE_OWNER").await;
    for _ in 0..101 {
        house.later(chrono::TimeDelta::seconds(30));
        crate::users::log_in(&house, "amy", crate::users::PASSWORD).await;
    }
    let told = seen(&house.admin(), "action=session.end").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0]["before"].is_object() && told[0]["actor_type"] == "user", "{told:#?}");
}

#[actix_web::test]
async fn what_anybody_may_write_is_cut_and_no_secret_of_ours_stays() {
    let house = House::new().await;
    let long = "a".repeat(5000);
    let request = TestRequest::delete().uri(&format!("/api/audit_events/{long}"));
    assert_eq!(house.admin().send(request).await.status, 405);
    let newest = seen(&house.admin(), "limit=1").await.remove(0);
    let id = newest["entity_id"].as_str().unwrap();
    assert!(id.len() < 300 && id.ends_with("(cut, 5000 characters)"), "{id}");

    let pasted = json!({ "token_id": house.admin_token() });
    assert!((400..=404).contains(&house.post("/api/v1/token/revoke", pasted).await.status));
    let newest = seen(&house.admin(), "limit=1").await.remove(0);
    assert_eq!(newest["entity_id"], "amt_***", "{newest:#}");
    assert!(!newest.to_string().contains(house.admin_token()), "{newest:#}");
}
