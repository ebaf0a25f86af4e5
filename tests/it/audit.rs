//! What was done and what was refused is recorded, in a chain, without secrets.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use alertmill::digest::{hex, sha256};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, Hook, House};

/// The verbs of methods that change nothing. Every other method must leave a record.
const READING: [&str; 9] =
    ["get", "list", "stat", "analyze", "export", "export_asked", "history", "search", "shifts"];

/// Methods that only work something out and keep nothing.
const WORKING_OUT: [&str; 20] = [
    "alert.explain",
    "audit.head",
    "audit.verify",
    "audit.verify_against",
    "channel.preview",
    "event_rule.dry_run",
    "group_rule.dry_run",
    "inhibition.preview",
    "maintenance_window.preview",
    "silence.preview",
    "query.explain",
    "event.explain",
    "rules.check",
    "rules.test",
    "rules.explain",
    "rules.draft",
    "rules.diff",
    "rules.coverage",
    "session.verify",
    "posted_event.search",
];

/// What takes no JSON object: the receipt of a delivery is its record; tests/it/import.rs looks at the records of imports;
/// a stream only tells. What a service reports becomes a record of a trail of its own: tests/it/h2o.rs looks at those.
const DOORS: [&str; 7] = [
    "webhook.receive",
    "webhook.receive_with_header",
    "event.import",
    "alert.import",
    "stream",
    "posted_event.create",
    "posted_event.batch_create",
];

/// What from its nature touches more than the one thing that it names: the lead and its part, a project and
/// how it is alerted, a workspace and its first policy, a default policy and the former one.
const TOUCHES_MORE: [&str; 5] = [
    "alert.merge",
    "alert.unmerge",
    "project.create",
    "workspace.create",
    "escalation_policy.set_default",
];

/// An operation of the API: what it is called, its address, and the HTTP method.
struct Operation {
    name: String,
    path: String,
    verb: String,
}

impl Operation {
    /// Whether it changes nothing.
    fn only_reads(&self) -> bool {
        let verb = self.name.rsplit('.').next().unwrap();
        let reads =
            READING.iter().any(|read| verb == *read || verb.starts_with(&format!("{read}_")));
        // What is asked for with an address alone changes nothing, whoever follows it.
        let is_get = self.verb == "get";
        is_get
            || self.name.starts_with("server.")
            || reads
            || WORKING_OUT.contains(&self.name.as_str())
    }

    /// Calls it; what stands in its path is taken from the request.
    async fn call(&self, caller: &Caller<'_>, mut request: Value) -> Answer {
        let fields = request.as_object_mut().unwrap();
        let parts = self.path.split('/').map(|part| {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                return part.to_owned();
            };
            let id = fields.remove(name).unwrap_or(json!(format!("{name}-0")));
            id.as_str().unwrap().to_owned()
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let asked = match self.verb.as_str() {
            "delete" => TestRequest::delete().uri(&path),
            "put" => TestRequest::put().uri(&path).set_json(request),
            "get" => TestRequest::get().uri(&path),
            _ => TestRequest::post().uri(&path).set_json(request),
        };
        caller.send(asked.insert_header(("User-Agent", "a test/1.0"))).await
    }
}

/// The operations that must leave a record.
async fn mutating(house: &House) -> Vec<Operation> {
    let document = house.get("/api/v1/openapi.json").await.body;
    let mut found = Vec::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        for (verb, operation) in verbs.as_object().unwrap() {
            let Some(name) = operation["operationId"].as_str() else { continue };
            let (name, path, verb) = (name.to_owned(), path.clone(), verb.clone());
            let operation = Operation { name, path, verb };
            if !operation.only_reads() && !DOORS.contains(&operation.name.as_str()) {
                found.push(operation);
            }
        }
    }
    found
}

fn channel_called(name: &str) -> Value {
    let settings = json!({ "url": "https://127.0.0.1/hook" });
    json!({ "name": name, "kind": "WEBHOOK", "settings": settings, "project_id": "default" })
}

/// The name of a new channel, to which nothing is sent.
async fn channel(house: &House, name: &str) -> Value {
    let made = house.done("/api/v1/channel/create", channel_called(name)).await;
    json!({ "channel_id": made["channel_id"] })
}

/// A request that succeeds, made anew for each call.
#[expect(clippy::too_many_lines, reason = "one line for each method")]
async fn success(house: &House, name: &str, number: usize) -> Value {
    let title = format!("made {number}");
    if let Some(request) = crate::escalation::request(house, name, &title).await {
        return request;
    }
    if let Some(request) = crate::audited::request(house, name, &title).await {
        return request;
    }
    let hook = || async { json!({ "webhook_id": house.webhook("api-direct").await.webhook_id }) };
    let alert = || async {
        let raised = json!({ "title": title, "project_id": "default" });
        let raised = house.done("/monitoring/v1/alert/create", raised).await;
        json!({ "alert_id": raised["alert_id"] })
    };
    let made = |kind: &'static str, more: Value| async move {
        let id = format!("{kind}_id");
        let mut request = json!({ "name": format!("made {number}") });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = house.done(&format!("/api/v1/{kind}/create"), request).await;
        json!({ id.as_str(): made[id.as_str()] })
    };
    let project = |alerting: bool| made("project", json!({ "alerting": alerting }));
    let token = json!({ "name": title, "role": "WORKSPACE_OWNER", "workspace_id": "default" });
    let with = |mut base: Value, field: &str, value: &str| {
        base[field] = json!(value);
        base
    };
    match name {
        "alert.create" => json!({ "title": title, "project_id": "default" }),
        "alert.update" => with(alert().await, "state", "RESOLVED"),
        "alert.assign_user" => with(alert().await, "assignee", "amy"),
        "alert.delete" => alert().await,
        "alert.unsnooze" => {
            let put_off = with(alert().await, "until", "2026-01-02T00:00:00Z");
            house.done("/api/v1/alert/snooze", put_off.clone()).await;
            json!({ "alert_id": put_off["alert_id"] })
        }
        "alert.snooze" => with(alert().await, "until", "2026-01-02T00:00:00Z"),
        "alert.merge" | "alert.unmerge" => {
            let lead = alert().await["alert_id"].as_str().unwrap().to_owned();
            let part = alert().await;
            if name == "alert.merge" {
                return with(part, "into", &lead);
            }
            let merge = with(part.clone(), "into", &lead);
            house.done("/api/v1/alert/merge", merge).await;
            part
        }
        "alert.bulk" => {
            let id = alert().await["alert_id"].clone();
            json!({ "alert_ids": [id], "action": "resolve" })
        }
        "note.create" => with(alert().await, "note", &title),
        "note.update" | "note.delete" => {
            let note = with(alert().await, "note", &title);
            let note = house.done("/monitoring/v1/note/create", note).await;
            let id = json!({ "note_id": note["note_id"] });
            if name == "note.update" { with(id, "note", "written anew") } else { id }
        }
        "webhook.create" => json!({ "name": title, "provider": "api-direct" }),
        "webhook.update" => with(hook().await, "name", &title),
        "webhook.rotate_key" | "webhook.enable" | "webhook.disable" | "webhook.delete" => {
            hook().await
        }
        "project_alert_config.create" | "project.delete" => project(false).await,
        "project_alert_config.update" => {
            let mut request = project(true).await;
            request["options"] = json!({ "stale_after": 7200 });
            request
        }
        "project_alert_config.delete" => project(true).await,
        "domain.create" | "workspace.create" | "project.create" => json!({ "name": title }),
        "domain.update" => with(made("domain", json!({})).await, "name", "renamed"),
        "domain.delete" => made("domain", json!({})).await,
        "workspace.update" => with(made("workspace", json!({})).await, "name", "renamed"),
        "workspace.delete" => made("workspace", json!({})).await,
        "project.update" => with(project(false).await, "name", "renamed"),
        "token.create" => token,
        "token.revoke" => {
            let token = house.done("/api/v1/token/create", token).await;
            json!({ "token_id": token["token_id"] })
        }
        "delivery.redrive" => {
            let hook = Hook::from(
                &house
                    .done(
                        "/monitoring/v1/webhook/create",
                        json!({ "name": title, "provider": "api-direct" }),
                    )
                    .await,
            );
            let receipt = house.deliver_bytes(&hook, b"{", &[]).await;
            json!({ "delivery_id": receipt.body["receipt_id"] })
        }
        "rules.reload" => json!({}),
        "audit.accept" => json!({ "reason": "a test" }),
        "channel.create" => channel_called(&title),
        "channel.update" => with(channel(house, &title).await, "name", &format!("{title} anew")),
        "channel.rotate_secret"
        | "channel.enable"
        | "channel.disable"
        | "channel.delete"
        | "channel.test"
        | "message.redrive" => channel(house, &title).await,
        other => panic!("say in {} how `{other}` is called", file!()),
    }
}

/// The records of an answer, newest first.
async fn records_of(house: &House, answer: &Answer, name: &str) -> Vec<Value> {
    let page = house.admin().found("/api/v1/audit?limit=20").await;
    let request_id = answer.header("X-Request-Id").unwrap();
    let of_it = page["results"].as_array().unwrap().iter();
    let of_it: Vec<Value> =
        of_it.filter(|record| record["request_id"] == request_id).cloned().collect();
    let name = if crate::audited::is_refused_always(name) { "manual_event.delete" } else { name };
    for record in &of_it {
        assert_eq!(record["action"], name);
        assert_eq!((&record["remote"], &record["trail"]), (&json!("192.0.2.7"), &json!("OWN")));
        assert_eq!(record["user_agent"], "a test/1.0", "{name}");
        assert_eq!(record["actor_type"], "token", "{name}");
        assert!(!record["actor_name"].as_str().unwrap().is_empty(), "{name}");
        assert!(record["occurred_at"].is_string() && record["created_at"].is_string());
    }
    of_it
}

/// The one record of an answer.
async fn record_of(house: &House, answer: &Answer, name: &str) -> Value {
    let mut records = records_of(house, answer, name).await;
    assert_eq!(records.len(), 1, "`{name}` left no record, or more: {records:#?} {answer:?}");
    records.remove(0)
}

/// All records, oldest first.
async fn trail(house: &House) -> Vec<Value> {
    let mut records = Vec::new();
    let mut path = "/api/v1/audit?limit=7".to_owned();
    loop {
        let page = house.admin().found(&path).await;
        records.extend(page["results"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        let cursor = serde_urlencoded::to_string([("cursor", cursor)]).unwrap();
        path = format!("/api/v1/audit?limit=7&{cursor}");
    }
    records.reverse();
    records
}

#[actix_web::test]
async fn whatever_changes_something_leaves_one_record_with_old_and_new_value() {
    let house = House::new().await;
    let operations = mutating(&house).await;
    assert!(operations.len() >= 80, "{}", operations.len());
    let mut wrong = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        let name = operation.name.as_str();
        if crate::audited::is_refused_always(name) || crate::audited::is_for_anyone(name) {
            continue;
        }
        let request = success(&house, name, number).await;
        // So that a new secret, of which nothing else is shown, is newer than the one before.
        house.later(TimeDelta::seconds(1));
        let answer = operation.call(&house.admin(), request.clone()).await;
        if !(200..300).contains(&answer.status) {
            wrong.push(format!("{name} {request}: {} {}", answer.status, answer.text));
            continue;
        }
        let records = records_of(&house, &answer, name).await;
        let most = if TOUCHES_MORE.contains(&name) { 2 } else { 1 };
        if records.is_empty() || records.len() > most {
            wrong.push(format!("{name} left {} records: {records:#?}", records.len()));
        }
        for record in records {
            if let Some(lacks) = lacking(&record, name) {
                wrong.push(format!("{name}: {lacks}: {record:#}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a record of something that was done lacks of what it must say.
fn lacking(record: &Value, name: &str) -> Option<String> {
    // Nothing listens where the channels of these tests send to.
    let (outcome, has_reason) =
        if name == "channel.test" { ("ERROR_UNAVAILABLE", true) } else { ("SUCCESS", false) };
    if record["outcome"] != outcome || record["reason"].is_string() != has_reason {
        return Some("it was not done, or was done that should not be".to_owned());
    }
    for field in ["entity_type", "entity_id"] {
        if record[field].as_str().is_none_or(str::is_empty) {
            return Some(format!("it has no {field}"));
        }
    }
    let is_named = !NAMELESS.contains(&record["entity_type"].as_str().unwrap());
    if record["entity_name"].is_string() != is_named {
        return Some("it says not what people call it, or what nobody does".to_owned());
    }
    if CHANGES_NOTHING.contains(&name) {
        return None;
    }
    let verb = name.rsplit('.').next().unwrap();
    if record["before"].is_null() != CREATING.contains(&verb) {
        return Some("the old value is missing, or there though there was none".to_owned());
    }
    if record["after"].is_null() != matches!(verb, "delete" | "end") {
        return Some("the new value is missing, or there though there is none".to_owned());
    }
    // The patch turns the one into the other, and says what was so before.
    let patch = record["patch"].as_array().unwrap();
    if record["before"] == record["after"] {
        let is_expected = patch.is_empty() && STAYS.contains(&name);
        return (!is_expected).then(|| "it changed nothing".to_owned());
    }
    let is_there = |value: Option<Value>| value.filter(|value| !value.is_null());
    let holds = |step: &Value| {
        let side = if step["op"] == "test" { "before" } else { "after" };
        let found = record[side].pointer(step["path"].as_str().unwrap()).cloned();
        is_there(found) == is_there(step.get("value").cloned())
    };
    let is_right = !patch.is_empty() && patch.iter().all(holds);
    (!is_right).then(|| "its patch is wrong".to_owned())
}

/// The verbs of methods that make something.
const CREATING: [&str; 3] = ["create", "test", "emit"];

/// Kinds of things that nobody gives a name.
const NAMELESS: [&str; 7] =
    ["delivery", "rules", "message", "event", "audit", "audit_event", "communication_event"];

/// What succeeds here without changing anything, as there is nothing to change.
const CHANGES_NOTHING: [&str; 1] = ["message.redrive"];

/// What may leave everything as it was.
const STAYS: [&str; 4] = ["delivery.redrive", "rules.reload", "webhook.enable", "channel.enable"];

#[actix_web::test]
async fn whatever_is_refused_leaves_a_record_too() {
    let house = House::new().await;
    let token = house.token("DOMAIN_ADMIN", json!({ "domain_id": "default" })).await;
    let reader = house.as_token(token);
    for operation in mutating(&house).await {
        let name = operation.name.as_str();
        if crate::audited::is_for_anyone(name) {
            continue;
        }
        let not_allowed = operation.call(&reader, json!({})).await;
        let status = not_allowed.status;
        assert!(status == 403 || status == 405, "{name}: {not_allowed:?}");
        let record = record_of(&house, &not_allowed, name).await;
        let outcome = record["outcome"].as_str().unwrap();
        assert!(outcome == "ERROR_PERMISSION_DENIED" || status == 405, "{name}: {record:#}");
        assert!(record["reason"].is_string(), "{name}: {record:#}");

        let nonsense = operation.call(&house.admin(), json!({ "nonsense": 1 })).await;
        assert!((400..=405).contains(&nonsense.status), "{name}: {nonsense:?}");
        let record = record_of(&house, &nonsense, name).await;
        assert_ne!(record["outcome"], "SUCCESS", "{name}");
        assert!(record["before"].is_null() && record["after"].is_null(), "{name}: {record:#}");
    }
}

#[actix_web::test]
async fn a_refusal_names_what_it_was_about_as_far_as_its_caller_may_know() {
    let house = House::new().await;
    let absent = json!({ "alert_id": "alert-0", "state": "RESOLVED" });
    let absent = house.post("/monitoring/v1/alert/update", absent).await;
    assert_eq!(absent.status, 404);
    let record = newest(&house).await;
    assert_eq!(
        (&record["resource"], &record["outcome"], &record["entity_name"]),
        (&json!("alert:alert-0"), &json!("ERROR_NOT_FOUND"), &Value::Null)
    );
    let hook = house.webhook("api-direct").await;
    let token = house.token("DOMAIN_ADMIN", json!({ "domain_id": "default" })).await;
    let refused = json!({ "webhook_id": hook.webhook_id });
    let refused = house.as_token(token).post("/monitoring/v1/webhook/delete", refused).await;
    assert_eq!(refused.status, 403);
    let record = newest(&house).await;
    assert_eq!(record["entity_id"], hook.webhook_id.as_str());
    assert!(record["entity_name"].as_str().unwrap().starts_with("api-direct"), "{record:#}");

    house.done("/api/v1/domain/create", json!({ "domain_id": "rival", "name": "Rival" })).await;
    let rival = house.token("DOMAIN_ADMIN", json!({ "domain_id": "rival" })).await;
    let refused = json!({ "webhook_id": hook.webhook_id });
    house.as_token(rival).post("/monitoring/v1/webhook/delete", refused).await;
    let record = newest(&house).await;
    assert_eq!((&record["domain_id"], &record["entity_name"]), (&json!("rival"), &Value::Null));
}

#[actix_web::test]
async fn who_may_not_read_something_is_recorded_too() {
    let house = House::new().await;
    let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    let refused = house.as_token(owner).get("/api/v1/audit").await;
    assert_eq!(refused.status, 403);
    let record = newest(&house).await;
    assert_eq!(
        (&record["action"], &record["outcome"]),
        (&json!("audit.list"), &json!("ERROR_PERMISSION_DENIED"))
    );
}

/// The newest record.
async fn newest(house: &House) -> Value {
    house.admin().found("/api/v1/audit?limit=1").await["results"][0].clone()
}

#[actix_web::test]
async fn whatever_only_reads_leaves_no_record() {
    let house = House::new().await;
    let before = trail(&house).await.len();
    house.done("/monitoring/v1/event/list", json!({})).await;
    house.post("/monitoring/v1/event/get", json!({ "event_id": "event-0" })).await;
    house.get("/api/v1/deliveries").await;
    assert_eq!(trail(&house).await.len(), before);
}

/// The hash of a record, computed as the documentation says.
pub fn hash_of(record: &Value) -> String {
    let named = |kind: &str| {
        let of = |what: &str| record[format!("{kind}_{what}")].clone();
        json!({ "type": of("type"), "id": of("id"), "name": of("name") })
    };
    let entity = if record["entity_type"].is_null() { Value::Null } else { named("entity") };
    let mut said = json!({
        "domain": record["domain_id"],
        "received_at": record["created_at"],
        "actor": named("actor"),
        "entity": entity,
    });
    let as_shown = [
        "format",
        "trail",
        "sequence",
        "audit_id",
        "posted_id",
        "occurred_at",
        "action",
        "outcome",
        "reason",
        "before",
        "after",
        "remote",
        "user_agent",
        "request_id",
        "details",
        "previous",
    ];
    for field in as_shown {
        said[field] = record[field].clone();
    }
    hex(&sha256(said.to_string().as_bytes()))
}

#[actix_web::test]
async fn each_record_is_chained_to_the_one_before() {
    let mut house = House::new().await;
    for number in 0..12 {
        let raised = json!({ "title": format!("{number}"), "project_id": "default" });
        house.done("/monitoring/v1/alert/create", raised).await;
        house.post("/monitoring/v1/alert/delete", json!({})).await;
        if number % 5 == 0 {
            house.reopen().await;
        }
    }
    let records = trail(&house).await;
    assert!(records.len() >= 25);
    let mut previous = "0".repeat(64);
    for (sequence, record) in (1..).zip(&records) {
        assert_eq!(record["sequence"], sequence, "no gap: {record:#}");
        assert_eq!(record["previous"], previous.as_str(), "{record:#}");
        assert_eq!(record["hash"], hash_of(record), "{record:#}");
        previous = record["hash"].as_str().unwrap().to_owned();
    }
}

#[actix_web::test]
async fn each_domain_has_a_chain_of_its_own_and_all_are_listed_to_the_end() {
    let house = House::new().await;
    house.done("/api/v1/domain/create", json!({ "domain_id": "rival", "name": "Rival" })).await;
    let workspace = json!({ "workspace_id": "rival", "name": "Rival", "domain_id": "rival" });
    house.done("/api/v1/workspace/create", workspace).await;
    let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "rival" })).await;
    let owner = house.as_token(owner);
    for number in 0..10 {
        owner
            .done(
                "/api/v1/project/create",
                json!({ "name": format!("p{number}"), "workspace_id": "rival" }),
            )
            .await;
        let raised = json!({ "title": format!("{number}"), "project_id": "default" });
        house.done("/monitoring/v1/alert/create", raised).await;
    }
    let records = trail(&house).await;
    for domain in ["default", "rival"] {
        let chain: Vec<_> = records.iter().filter(|record| record["domain_id"] == domain).collect();
        assert!(chain.len() >= 10, "{domain}: {}", chain.len());
        let sequences: Vec<_> =
            chain.iter().map(|record| record["sequence"].as_u64().unwrap()).collect();
        assert_eq!(sequences, (1..=chain.len() as u64).collect::<Vec<_>>(), "{domain}");
    }
    let ids: BTreeSet<_> = records.iter().map(|record| record["audit_id"].to_string()).collect();
    assert_eq!(ids.len(), records.len(), "no record twice");
}

#[actix_web::test]
async fn no_record_holds_a_secret() {
    let house = House::new().await;
    let options = json!({ "signing_secrets": ["open sesame"] });
    let hook = house.webhook_in("default", "grafana", options.clone()).await;
    let rotated = json!({ "webhook_id": hook.webhook_id, "expire_old_after": 60 });
    let rotated = Hook::from(&house.done("/monitoring/v1/webhook/rotate-key", rotated).await);
    let update = json!({ "webhook_id": hook.webhook_id, "options": options });
    house.done("/monitoring/v1/webhook/update", update).await;
    let token = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    house.done("/monitoring/v1/webhook/delete", json!({ "webhook_id": hook.webhook_id })).await;
    let wrong = json!({ "name": "x", "provider": "grafana", "options": { "signing_secrets": ["open sesame", ""] } });
    assert_eq!(house.post("/monitoring/v1/webhook/create", wrong).await.status, 400);

    let records = json!(trail(&house).await).to_string();
    let secrets =
        [hook.access_key.as_str(), &rotated.access_key, &token, house.admin_token(), "open sesame"];
    for secret in secrets {
        assert!(!records.contains(secret), "a secret stands in the trail");
        assert!(
            !records.contains(&hex(&sha256(secret.as_bytes()))),
            "a digest stands in the trail"
        );
    }
}

#[actix_web::test]
async fn records_are_found_by_what_they_say() {
    let house = House::new().await;
    let raised = house
        .done("/monitoring/v1/alert/create", json!({ "title": "x", "project_id": "default" }))
        .await;
    let resource = format!("alert:{}", raised["alert_id"].as_str().unwrap());
    let resolve = json!({ "alert_id": raised["alert_id"], "state": "RESOLVED" });
    house.done("/monitoring/v1/alert/update", resolve).await;
    let of_it = house.admin().found(&format!("/api/v1/audit?resource={resource}")).await;
    let actions: Vec<_> = of_it["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["alert.update", "alert.create"]);
    let change = &of_it["results"][0];
    assert_eq!(
        (&change["before"]["state"], &change["after"]["state"]),
        (&json!("TRIGGERED"), &json!("RESOLVED"))
    );
    let by_action = house.admin().found("/api/v1/audit?action=alert.update").await;
    assert_eq!(by_action["results"].as_array().unwrap().len(), 1);
}
