//! The methods over a real store.

mod alerts;
mod events;
mod house;
mod posted;
mod sessions;
mod tokens;
mod trail;
mod visits;
mod webhooks;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::house::House;
use super::{
    alert, audit, domain, event, export::SEARCHED_ONLY, project, project_alert_config, token,
    webhook, workspace,
};
use crate::{
    domain::words::Role,
    error::{Code, Error},
    query::{self, Catalogue, Kind},
};

#[tokio::test]
async fn every_view_shows_what_its_catalogue_names() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    house.write(webhook::create, json!({ "name": "w", "provider": "alertmanager" })).await.unwrap();
    let owner = json!({ "name": "t", "role": "WORKSPACE_OWNER", "workspace_id": "default" });
    house.write(token::create, owner).await.unwrap();
    let views: [(&Catalogue, Value); 8] = [
        (&query::EVENTS, house.first(event::list).await),
        (&query::ALERTS, house.first(alert::list).await),
        (&query::WEBHOOKS, house.first(webhook::list).await),
        (&query::PROJECT_ALERT_CONFIGS, house.first(project_alert_config::list).await),
        (&query::DOMAINS, house.first(domain::list).await),
        (&query::WORKSPACES, house.first(workspace::list).await),
        (&query::PROJECTS, house.first(project::list).await),
        (&query::TOKENS, house.first(token::list).await),
    ];
    for (catalogue, view) in views {
        let shown: BTreeSet<&str> = view.as_object().unwrap().keys().map(String::as_str).collect();
        let named = catalogue.fields.iter().map(|field| field.name);
        let named: BTreeSet<&str> = named.filter(|name| !SEARCHED_ONLY.contains(name)).collect();
        assert_eq!(shown, named, "{}", catalogue.resource);
        for field in catalogue.fields {
            let value = view.get(field.name).unwrap_or(&Value::Null);
            let fits = match field.kind {
                Kind::Text | Kind::Time => value.is_string() || value.is_null(),
                Kind::Integer => value.is_i64() || value.is_null(),
                Kind::Texts | Kind::Objects => value.is_array() || value.is_null(),
                // What was posted is whatever it is.
                Kind::Object => value.is_object() || value.is_null() || field.name == "raw_data",
            };
            assert!(fits, "{}.{}: {value}", catalogue.resource, field.name);
        }
    }
}

#[tokio::test]
async fn what_is_done_and_what_is_refused_is_recorded() {
    let house = House::new().await;
    let made = json!({ "name": "prod", "provider": "alertmanager" });
    let made = house.audited("webhook.create", webhook::create, made).await.unwrap();
    let id = made["webhook_id"].as_str().unwrap();
    let gone = json!({ "webhook_id": "nobody" });
    let refused = house.audited("webhook.disable", webhook::disable, gone).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound);

    let records = house.read(audit::list, json!({})).await.unwrap();
    let [refused, done] = records["results"].as_array().unwrap().as_slice() else {
        panic!("{records}")
    };
    assert_eq!(refused["action"], "webhook.disable");
    assert_eq!(refused["outcome"], "ERROR_NOT_FOUND");
    assert_eq!(refused["resource"], "webhook:nobody");
    assert_eq!(done["outcome"], "SUCCESS");
    assert_eq!(done["resource"], format!("webhook:{id}"));
    assert_eq!(done["before"], Value::Null);
    assert_eq!(done["after"]["name"], "prod");
    let key = made["access_key"].as_str().unwrap();
    assert!(!records.to_string().contains(key));
    let digest = crate::digest::hex(&crate::digest::sha256(key.as_bytes()));
    assert!(!records.to_string().contains(&digest));
}

#[tokio::test]
async fn projects_are_alerted_from_the_start_unless_told_otherwise() {
    let house = House::new().await;
    let made = house.write(project::create, json!({ "project_id": "p2", "name": "Two" })).await;
    assert_eq!(made.unwrap()["alert_config"]["recovery_mode"], "AUTO");
    let quiet = json!({ "project_id": "p3", "name": "Three", "alerting": false });
    let quiet = house.write(project::create, quiet).await.unwrap();
    assert_eq!(quiet["alert_config"], Value::Null);
    let on = json!({ "project_id": "p3" });
    let on = house.write(project_alert_config::create, on).await.unwrap();
    assert_eq!(on["options"]["recovery_mode"], "MANUAL");
    let twice = house.write(project_alert_config::create, json!({ "project_id": "p3" })).await;
    assert_eq!(twice.unwrap_err().code, Code::NotUnique);
    let change = json!({ "project_id": "p3", "options": { "recovery_mode": "AUTO" } });
    let changed = house.write(project_alert_config::update, change).await.unwrap();
    assert_eq!(changed["options"]["recovery_mode"], "AUTO");
    assert_eq!(changed["options"]["recovery_hold"], 600);
    let all = house.read(project::list, json!({})).await.unwrap();
    let modes: Vec<&Value> = all["results"].as_array().unwrap().iter().collect();
    assert_eq!(all["total_count"], 3);
    assert!(modes.iter().all(|project| project["alert_config"]["recovery_mode"] == "AUTO"));
    house.write(project_alert_config::delete, json!({ "project_id": "p3" })).await.unwrap();
    house.write(project::delete, json!({ "project_id": "p3" })).await.unwrap();
    let gone = house.read(project::get, json!({ "project_id": "p3" })).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
}

#[tokio::test]
async fn what_lies_outside_the_scope_looks_absent() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    house.write(project::create, json!({ "project_id": "p2", "name": "Two" })).await.unwrap();
    let member = house.seen_by(Role::WorkspaceMember, Some(&["p2"]));
    let nobody = house.seen_by(Role::WorkspaceMember, Some(&[]));
    for house in [&member, &nobody] {
        let absent = |result: Result<Value, Error>| result.unwrap_err().code;
        assert_eq!(
            absent(house.read(event::get, json!({ "event_id": "event-1" })).await),
            Code::NotFound
        );
        assert_eq!(
            absent(house.read(alert::get, json!({ "alert_id": "alert-1" })).await),
            Code::NotFound
        );
        let update = json!({ "alert_id": "alert-1", "state": "RESOLVED" });
        assert_eq!(absent(house.write(alert::update, update).await), Code::NotFound);
        assert_eq!(
            absent(house.read(webhook::get, json!({ "webhook_id": "webhook-1" })).await),
            Code::NotFound
        );
        assert_eq!(house.read(event::list, json!({})).await.unwrap()["total_count"], 0);
        assert_eq!(house.read(alert::list, json!({})).await.unwrap()["total_count"], 0);
        assert_eq!(house.read(webhook::list, json!({})).await.unwrap()["total_count"], 0);
    }
    assert_eq!(member.read(project::list, json!({})).await.unwrap()["total_count"], 1);
    assert_eq!(nobody.read(project::list, json!({})).await.unwrap()["total_count"], 0);
}
