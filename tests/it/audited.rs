//! How the methods of event rules, group rules and mutes are called, so that each leaves a record.

use serde_json::{Value, json};

use crate::harness::House;

/// A request that succeeds for a method of these resources, made anew for each call; `None` for other methods.
pub async fn request(house: &House, name: &str, title: &str) -> Option<Value> {
    let (resource, verb) = name.split_once('.').unwrap();
    if let Some(request) = of_users(house, name, title).await {
        return Some(request);
    }
    if name == "manual_event.emit" {
        let said = json!({
            "source": "a test", "kind": "Test.Made", "severity": "info", "classification": "system",
            "description": title,
        });
        return Some(json!({ "data": { "type": "event", "attributes": said } }));
    }
    let (path, create) = created(resource, title)?;
    if verb == "create" {
        return Some(create);
    }
    let made = house.done(&format!("{path}/create"), create).await;
    let id = format!("{resource}_id");
    let mut request = json!({ id.as_str(): made[id.as_str()] });
    match (resource, verb) {
        ("event_rule", "change_order") => {
            let (_, one_more) = created(resource, title)?;
            let last = house.done(&format!("{path}/create"), one_more).await;
            request = json!({ id.as_str(): last[id.as_str()], "order": 1 });
        }
        ("silence", "update") => request["reason"] = json!("it takes longer"),
        ("maintenance_window", "update") => request["title"] = json!(format!("{title} anew")),
        (_, "update") => request["name"] = json!(format!("{title} anew")),
        (_, _) => {}
    }
    Some(request)
}

/// Whether a method is there only to say that it is refused, so that no request for it succeeds.
pub fn is_refused_always(name: &str) -> bool {
    name.starts_with("manual_event.delete")
}

/// Whether a method is for people who log in or out, or who change their own password: tests/it/users.rs and
/// tests/it/iguazio.rs look at the records of those.
pub fn is_for_anyone(name: &str) -> bool {
    let of_people = [
        "user.login",
        "user.logout",
        "user.change_password",
        "application.login",
        "application.token",
        "session.open",
    ];
    of_people.contains(&name)
}

/// A request that succeeds for a method of users, applications and sessions; `None` for other methods.
async fn of_users(house: &House, name: &str, title: &str) -> Option<Value> {
    let title = &title.replace(' ', "-");
    let (kind, verb) = name.split_once('.')?;
    if kind == "session" {
        crate::users::user(house, title, "WORKSPACE_OWNER").await;
        let opened = crate::users::log_in(house, title, crate::users::PASSWORD).await;
        assert_eq!(opened.status, 200, "{opened:?}");
        let listed = house.done("/api/v1/session/list", json!({})).await;
        let of_it = listed["results"].as_array().unwrap().iter();
        let mut of_it = of_it.filter(|session| session["name"] == title.as_str());
        return Some(json!({ "session_id": of_it.next().unwrap()["session_id"] }));
    }
    if kind != "user" && kind != "application" {
        return None;
    }
    let create = json!({ "name": title, "role": "WORKSPACE_OWNER", "workspace_id": "default" });
    if verb == "create" {
        return Some(create);
    }
    let id = format!("{kind}_id");
    let made = house.done(&format!("/api/v1/{kind}/create"), create).await;
    let mut request = json!({ id.as_str(): made[id.as_str()] });
    match verb {
        "update" => request["email"] = json!("new@example.org"),
        "set_password" => request["password"] = json!(crate::users::PASSWORD),
        "enable" => {
            house.done(&format!("/api/v1/{kind}/disable"), request.clone()).await;
        }
        _ => {}
    }
    Some(request)
}

/// Where a resource is made, and how.
fn created(resource: &str, title: &str) -> Option<(&'static str, Value)> {
    let about = json!([{ "k": "rule", "v": "DiskFull", "o": "eq" }]);
    let span = ("2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z");
    Some(match resource {
        "event_rule" => (
            "/monitoring/v1/event-rule",
            json!({
                "name": title, "resource_group": "PROJECT", "project_id": "default",
                "conditions": [], "conditions_policy": "ALWAYS", "actions": { "change_urgency": "LOW" },
            }),
        ),
        "group_rule" => (
            "/api/v1/group-rule",
            json!({
                "project_id": "default", "name": title, "fields": ["additional_info.cluster"],
                "window": 300, "threshold": 1,
            }),
        ),
        "silence" => (
            "/api/v1/silence",
            json!({
                "project_id": "default", "filter": about, "reason": title,
                "start_time": span.0, "end_time": span.1,
            }),
        ),
        "inhibition" => (
            "/api/v1/inhibition",
            json!({
                "project_id": "default", "name": title, "source": about,
                "target": [{ "k": "rule", "v": "DiskSlow", "o": "eq" }], "equal": ["additional_info.host"],
            }),
        ),
        "maintenance_window" => (
            "/monitoring/v1/maintenance-window",
            json!({
                "title": title, "projects": ["default"], "start_time": span.0, "end_time": span.1,
            }),
        ),
        _ => return None,
    })
}
