//! Who sees and changes what: what lies outside a token's scope looks absent.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House};

/// Two tenants with one alert each, and what belongs to the second.
struct Neighbours {
    house: House,
    theirs: Tenant,
}

struct Tenant {
    hook: Hook,
    event_id: Value,
    alert_id: Value,
    delivery_id: String,
}

async fn tenant(house: &House, project: &str) -> Tenant {
    let hook = house.webhook_in(project, "api-direct", json!({})).await;
    let receipt = house.understood(&hook, &json!({ "event_key": "k", "title": project })).await;
    let item = &receipt["items"][0];
    Tenant {
        hook,
        event_id: item["event_id"].clone(),
        alert_id: item["alert_id"].clone(),
        delivery_id: receipt["receipt_id"].as_str().unwrap().to_owned(),
    }
}

async fn neighbours() -> Neighbours {
    let house = House::new().await;
    for (id, name) in [("ours", "Ours"), ("rival", "Rival")] {
        house.done("/api/v1/domain/create", json!({ "domain_id": id, "name": name })).await;
        let workspace = json!({ "workspace_id": id, "name": name, "domain_id": id });
        house.done("/api/v1/workspace/create", workspace).await;
        let project = json!({ "project_id": id, "name": name, "workspace_id": id });
        house.done("/api/v1/project/create", project).await;
    }
    tenant(&house, "ours").await;
    let theirs = tenant(&house, "rival").await;
    Neighbours { house, theirs }
}

fn owner_of(workspace: &str) -> Value {
    json!({ "workspace_id": workspace })
}

/// Every way to ask for or change one thing of the tenant, by its identifier.
fn by_identifier(theirs: &Tenant) -> Vec<(&'static str, Value)> {
    let alert = json!({ "alert_id": theirs.alert_id });
    let hook = json!({ "webhook_id": theirs.hook.webhook_id });
    let project = json!({ "project_id": "rival" });
    let with = |base: &Value, more: Value| {
        let mut base = base.clone();
        base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        base
    };
    vec![
        ("/monitoring/v1/event/get", json!({ "event_id": theirs.event_id })),
        ("/monitoring/v1/alert/get", alert.clone()),
        ("/monitoring/v1/alert/update", with(&alert, json!({ "state": "RESOLVED" }))),
        ("/monitoring/v1/alert/assign-user", with(&alert, json!({ "assignee": "amy" }))),
        ("/monitoring/v1/alert/delete", alert),
        ("/monitoring/v1/alert/create", with(&project, json!({ "title": "by hand" }))),
        ("/monitoring/v1/webhook/get", hook.clone()),
        ("/monitoring/v1/webhook/update", with(&hook, json!({ "name": "mine" }))),
        ("/monitoring/v1/webhook/rotate-key", hook.clone()),
        ("/monitoring/v1/webhook/disable", hook.clone()),
        ("/monitoring/v1/webhook/enable", hook.clone()),
        ("/monitoring/v1/webhook/delete", hook),
        (
            "/monitoring/v1/webhook/create",
            with(&project, json!({ "name": "mine", "provider": "api-direct" })),
        ),
        ("/monitoring/v1/project-alert-config/get", project.clone()),
        ("/monitoring/v1/project-alert-config/update", project.clone()),
        ("/monitoring/v1/project-alert-config/delete", project.clone()),
        ("/monitoring/v1/project-alert-config/create", project.clone()),
        ("/api/v1/project/get", project.clone()),
        ("/api/v1/project/update", with(&project, json!({ "name": "mine" }))),
        ("/api/v1/project/delete", project),
        ("/api/v1/workspace/get", json!({ "workspace_id": "rival" })),
        ("/api/v1/domain/get", json!({ "domain_id": "rival" })),
    ]
}

#[actix_web::test]
async fn what_belongs_to_another_tenant_looks_absent() {
    let Neighbours { house, theirs } = neighbours().await;
    let before = (house.alerts(json!({})).await, house.events(json!({})).await);
    let token = house.token("WORKSPACE_OWNER", owner_of("ours")).await;
    let owner = house.as_token(token);
    for (path, request) in by_identifier(&theirs) {
        let answer = owner.post(path, request).await;
        assert_eq!((answer.status, answer.code()), (404, "ERROR_NOT_FOUND"), "{path}: {answer:?}");
        assert!(!answer.text.contains("Rival"), "{path}: {answer:?}");
    }
    let delivery = format!("/api/v1/deliveries/{}", theirs.delivery_id);
    assert_eq!(owner.get(&delivery).await.status, 404);
    assert_eq!(owner.post(&format!("{delivery}/redrive"), json!({})).await.status, 404);
    let refused = format!("/api/v1/deliveries?state=refused&webhook_id={}", theirs.hook.webhook_id);
    assert_eq!(owner.get(&refused).await.status, 404);
    assert_eq!(before, (house.alerts(json!({})).await, house.events(json!({})).await));
    assert_eq!(house.deliver(&theirs.hook, &json!({ "event_key": "k" })).await.status, 200);
}

#[actix_web::test]
async fn what_belongs_to_another_tenant_is_not_listed() {
    let Neighbours { house, theirs } = neighbours().await;
    let token = house.token("WORKSPACE_OWNER", owner_of("ours")).await;
    let owner = house.as_token(token);
    for path in [
        "/monitoring/v1/event/list",
        "/monitoring/v1/alert/list",
        "/monitoring/v1/webhook/list",
        "/monitoring/v1/project-alert-config/list",
        "/api/v1/project/list",
        "/api/v1/workspace/list",
        "/api/v1/domain/list",
        "/api/v1/token/list",
    ] {
        let page = owner.done(path, json!({})).await;
        assert_eq!(page["results"].as_array().unwrap().len(), 1, "{path}: {page:#}");
        assert_eq!(page["total_count"], 1, "{path}");
        assert!(!page.to_string().contains("rival"), "{path}: {page:#}");
    }
    for request in [
        json!({ "project_id": "rival" }),
        json!({ "workspace_id": "rival" }),
        json!({ "domain_id": "rival" }),
        json!({ "alert_id": theirs.alert_id }),
        json!({ "query": { "filter": [{ "k": "project_id", "v": "rival", "o": "eq" }] } }),
        json!({ "query": { "filter_or": [{ "k": "project_id", "v": "rival", "o": "eq" }] } }),
        json!({ "query": { "keyword": "rival" } }),
        json!({ "query": { "filter": [{ "k": "title", "v": "rival", "o": "eq" }], "count_only": true } }),
    ] {
        for path in ["/monitoring/v1/event/list", "/monitoring/v1/alert/list"] {
            let page = owner.done(path, request.clone()).await;
            assert_eq!(
                (&page["results"], &page["total_count"]),
                (&json!([]), &json!(0)),
                "{path} {request}"
            );
        }
    }
    let deliveries = owner.found("/api/v1/deliveries").await;
    assert_eq!(deliveries["results"].as_array().unwrap().len(), 1);
    assert_eq!(owner.get("/api/v1/audit").await.status, 403);
    assert_eq!(owner.get("/api/v1/deliveries?state=refused").await.status, 400);
}

#[actix_web::test]
async fn a_domain_admin_reads_all_of_its_domain_and_changes_nothing() {
    let Neighbours { house, theirs } = neighbours().await;
    let token = house.token("DOMAIN_ADMIN", json!({ "domain_id": "rival" })).await;
    let admin = house.as_token(token);
    let page = admin.done("/monitoring/v1/alert/list", json!({})).await;
    assert_eq!(page["total_count"], 1);
    assert_eq!(page["results"][0]["alert_id"], theirs.alert_id);
    let resolve = json!({ "alert_id": theirs.alert_id, "state": "RESOLVED" });
    let refused = admin.post("/monitoring/v1/alert/update", resolve).await;
    assert_eq!((refused.status, refused.code()), (403, "ERROR_PERMISSION_DENIED"));
}

#[actix_web::test]
async fn the_trail_of_a_domain_is_for_who_reaches_all_of_it() {
    let Neighbours { house, .. } = neighbours().await;
    let owner = house.token("WORKSPACE_OWNER", owner_of("rival")).await;
    let request = json!({ "name": "made by rival", "workspace_id": "rival" });
    house.as_token(&owner).done("/api/v1/project/create", request).await;
    assert_eq!(house.as_token(owner).get("/api/v1/audit").await.status, 403);
    for domain in ["rival", "ours"] {
        let token = house.token("DOMAIN_ADMIN", json!({ "domain_id": domain })).await;
        let trail = house.as_token(token).found("/api/v1/audit").await;
        let rows = trail["results"].as_array().unwrap();
        let is_seen = rows.iter().any(|row| row["entity_name"] == "made by rival");
        assert_eq!(is_seen, domain == "rival", "{domain}: {trail:#}");
        // What the administrator of all of it did there belongs there, too.
        assert!(rows.iter().any(|row| row["action"] == "workspace.create"), "{domain}: {trail:#}");
        assert!(rows.iter().all(|row| row["domain_id"] == domain), "{domain}: {trail:#}");
    }
}

#[actix_web::test]
async fn a_member_sees_only_its_projects() {
    let house = House::new().await;
    house.done("/api/v1/project/create", json!({ "project_id": "rival", "name": "Rival" })).await;
    let ours = tenant(&house, "default").await;
    let theirs = tenant(&house, "rival").await;
    let reach = json!({ "workspace_id": "default", "projects": ["default"] });
    for role in ["WORKSPACE_MEMBER", "SERVICE"] {
        let token = house.token(role, reach.clone()).await;
        let member = house.as_token(token);
        for path in [
            "/monitoring/v1/event/list",
            "/monitoring/v1/alert/list",
            "/monitoring/v1/webhook/list",
        ] {
            let page = member.done(path, json!({})).await;
            assert_eq!(
                (&page["total_count"], &page["results"][0]["project_id"]),
                (&json!(1), &json!("default"))
            );
        }
        let get = json!({ "event_id": ours.event_id });
        assert_eq!(member.done("/monitoring/v1/event/get", get).await["title"], "default");
        for (path, request) in by_identifier(&theirs) {
            let answer = member.post(path, request).await;
            let owners = path.starts_with("/api/v1/project/") && !path.ends_with("/get");
            let others =
                path.starts_with("/api/v1/workspace") || path.starts_with("/api/v1/domain");
            assert_eq!(answer.status, if owners { 403 } else { 404 }, "{role} {path}: {answer:?}");
            assert!(!others || answer.code() == "ERROR_NOT_FOUND");
        }
        let moved = json!({ "alert_id": ours.alert_id, "project_id": "rival" });
        assert_eq!(member.post("/monitoring/v1/alert/update", moved).await.status, 404);
    }
}

#[actix_web::test]
async fn a_member_without_projects_sees_nothing() {
    let Neighbours { house, .. } = neighbours().await;
    let reach = json!({ "workspace_id": "ours", "projects": [] });
    let token = house.token("WORKSPACE_MEMBER", reach).await;
    let member = house.as_token(token);
    for path in [
        "/monitoring/v1/event/list",
        "/monitoring/v1/alert/list",
        "/monitoring/v1/webhook/list",
        "/monitoring/v1/project-alert-config/list",
        "/api/v1/project/list",
    ] {
        let page = member.done(path, json!({})).await;
        assert_eq!((&page["results"], &page["total_count"]), (&json!([]), &json!(0)), "{path}");
    }
    assert_eq!(member.found("/api/v1/deliveries").await["results"], json!([]));
}

#[actix_web::test]
async fn nobody_calls_without_a_token_that_works() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let refused = |answer: &Answer| {
        assert_eq!(
            (answer.status, answer.code()),
            (401, "ERROR_AUTHENTICATE_FAILURE"),
            "{answer:?}"
        );
    };
    let without = actix_web::test::TestRequest::post().uri("/monitoring/v1/event/list");
    refused(&house.send(without.set_json(json!({}))).await);
    for token in ["", "amt_0", hook.access_key.as_str()] {
        refused(&house.as_token(token).post("/monitoring/v1/event/list", json!({})).await);
    }
}

#[actix_web::test]
async fn expired_and_revoked_tokens_are_refused_at_once() {
    let mut house = House::new().await;
    let request = json!({ "name": "short", "role": "WORKSPACE_OWNER", "workspace_id": "default", "expires_in": 60 });
    let short =
        house.done("/api/v1/token/create", request).await["token"].as_str().unwrap().to_owned();
    let request = json!({ "name": "taken", "role": "WORKSPACE_OWNER", "workspace_id": "default" });
    let taken = house.done("/api/v1/token/create", request).await;
    let (id, taken) = (taken["token_id"].clone(), taken["token"].as_str().unwrap().to_owned());
    house.reopen().await;
    let list = "/monitoring/v1/event/list";
    house.later(TimeDelta::seconds(59));
    assert_eq!(house.as_token(&short).post(list, json!({})).await.status, 200);
    assert_eq!(house.as_token(&taken).post(list, json!({})).await.status, 200);
    house.later(TimeDelta::seconds(1));
    assert_eq!(house.as_token(&short).post(list, json!({})).await.status, 401);
    house.done("/api/v1/token/revoke", json!({ "token_id": id })).await;
    assert_eq!(house.as_token(&taken).post(list, json!({})).await.status, 401);
    house.reopen().await;
    assert_eq!(house.as_token(&taken).post(list, json!({})).await.status, 401);
}

#[actix_web::test]
async fn nobody_grants_more_than_it_has() {
    let Neighbours { house, .. } = neighbours().await;
    let owner = house.token("WORKSPACE_OWNER", owner_of("ours")).await;
    let owner = house.as_token(owner);
    for (request, status) in [
        (json!({ "role": "WORKSPACE_OWNER", "workspace_id": "ours" }), 200),
        (json!({ "role": "WORKSPACE_MEMBER", "workspace_id": "ours", "projects": ["ours"] }), 200),
        (json!({ "role": "SYSTEM_ADMIN" }), 403),
        (json!({ "role": "DOMAIN_ADMIN", "domain_id": "ours" }), 403),
        (json!({ "role": "WORKSPACE_OWNER", "workspace_id": "rival" }), 404),
        (json!({ "role": "WORKSPACE_MEMBER", "workspace_id": "ours", "projects": ["rival"] }), 404),
    ] {
        let mut request = request;
        request["name"] = json!("granted");
        let answer = owner.post("/api/v1/token/create", request.clone()).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
    }
    let reach = json!({ "workspace_id": "ours", "projects": ["ours"] });
    let member = house.token("WORKSPACE_MEMBER", reach).await;
    let request = json!({ "name": "granted", "role": "WORKSPACE_MEMBER", "workspace_id": "ours", "projects": ["ours"] });
    assert_eq!(house.as_token(member).post("/api/v1/token/create", request).await.status, 403);
}

/// The operations of the API, with what each needs in the words of its description.
async fn operations(house: &House) -> Vec<(String, String, String)> {
    let document = house.get("/api/v1/openapi.json").await.body;
    let mut found = Vec::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        for (verb, operation) in verbs.as_object().unwrap() {
            let needs = operation["description"].as_str().unwrap_or_default().to_owned();
            let path = path.replace("{delivery_id}", "receipt-0");
            if path.starts_with("/api/") || !path.contains('{') && path.starts_with("/monitoring/")
            {
                found.push((verb.clone(), path, needs));
            }
        }
    }
    found
}

#[actix_web::test]
async fn every_role_may_call_what_the_route_table_says_and_no_more() {
    let house = House::new().await;
    let project = json!({ "workspace_id": "default", "projects": ["default"] });
    let reads = "Any token may call it";
    let writes = "Needs a token that may write";
    let owns = "Needs a token that may manage a workspace";
    let administers = "Needs a SYSTEM_ADMIN token";
    let operations = operations(&house).await;
    assert!(operations.len() > 30, "{operations:#?}");
    for (role, reach, may) in [
        ("SYSTEM_ADMIN", json!({}), vec![reads, writes, owns, administers]),
        ("DOMAIN_ADMIN", json!({ "domain_id": "default" }), vec![reads]),
        ("WORKSPACE_OWNER", owner_of("default"), vec![reads, writes, owns]),
        ("WORKSPACE_MEMBER", project.clone(), vec![reads, writes]),
        ("SERVICE", project, vec![reads, writes]),
    ] {
        let token = house.token(role, reach).await;
        let caller = house.as_token(token);
        // A stream does not end by itself; tests/it/stream.rs looks at who sees what in it.
        // Other dialects have tests of their own, which look at who may call what in them.
        let is_here = |path: &str| {
            let is_ours = path.starts_with("/api/v1/") || path.starts_with("/monitoring/");
            is_ours && !["/api/v1/stream", "/api/v1/logout"].contains(&path)
        };
        let ending = operations.iter().filter(|(_, path, _)| is_here(path));
        for (verb, path, needs) in ending {
            let answer = match verb.as_str() {
                "get" => caller.get(path).await,
                _ => caller.post(path, json!({})).await,
            };
            // Who reaches less than a domain has no part in its trail, whatever the role.
            let is_trail = path.starts_with("/api/v1/audit")
                && !matches!(role, "SYSTEM_ADMIN" | "DOMAIN_ADMIN");
            let is_free = needs.contains("Needs no token");
            // What is said of the trail is not said in the words of a right.
            let is_free = is_free || needs.contains("Needs a token that reaches a whole domain");
            let may = is_free || may.iter().any(|right| needs.contains(right));
            if is_trail {
                // What is missing in a request is said before who asks is looked at.
                let refused =
                    answer.status == 403 || answer.body["code"] == "ERROR_REQUIRED_PARAMETER";
                assert!(refused, "{role} {path}: {answer:?}");
                continue;
            }
            assert_eq!(answer.status != 403, may, "{role} {path} ({needs}): {answer:?}");
        }
    }
}
