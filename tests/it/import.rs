//! Bringing records in, from our own exports and from the original's lists.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::harness::{Answer, House};

const EVENTS: &str = "/api/v1/event/import";
const ALERTS: &str = "/api/v1/alert/import";

async fn brought(house: &House, path: &str, records: &[Value]) -> Value {
    let text: Vec<String> = records.iter().map(Value::to_string).collect();
    let answer = sent(house, path, &text.join("\n")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn sent(house: &House, path: &str, text: &str) -> Answer {
    let request = TestRequest::post().uri(path).set_payload(text.to_owned());
    house.admin().send(request).await
}

/// An alert as the original lists it.
fn alert(id: &str, number: u64) -> Value {
    json!({
        "alert_id": id, "alert_number": number, "alert_number_str": number.to_string(), "title": "Disk full",
        "state": "TRIGGERED", "urgency": "HIGH", "severity": "ERROR", "resources": [{ "name": "db-1" }],
        "triggered_by": "webhook-old", "webhook_id": "webhook-old", "escalation_step": 3, "escalation_policy_id": "ep-1",
        "project_id": "project-old", "workspace_id": "workspace-old", "domain_id": "domain-old", "provider": "aws",
        "created_at": "2020-01-01T00:00:00.000Z", "updated_at": "2020-01-01T00:00:01.000Z",
    })
}

/// An event as the original lists it.
fn event(id: &str, alert: &str) -> Value {
    json!({
        "event_id": id, "event_key": "disk", "event_type": "ALERT", "title": "Disk full", "severity": "ERROR",
        "resources": ["db-1"], "raw_data": { "disk": "full" }, "additional_info": {}, "alert_id": alert,
        "webhook_id": "webhook-old", "project_id": "project-old", "workspace_id": "workspace-old",
        "domain_id": "domain-old", "created_at": "2020-01-01T00:00:00.000Z", "occurred_at": null,
    })
}

#[actix_web::test]
async fn what_is_not_there_is_made_and_told() {
    let house = House::new().await;
    let done = brought(&house, ALERTS, &[alert("alert-a", 7)]).await;
    let created = json!({
        "domains": ["domain-old"], "workspaces": ["workspace-old"], "projects": ["project-old"], "webhooks": ["webhook-old"],
    });
    assert_eq!((&done["imported"], &done["created"]), (&json!(1), &created));
    let done =
        brought(&house, EVENTS, &[event("event-a", "alert-a"), event("event-b", "alert-gone")])
            .await;
    let told =
        json!([done["imported"], done["orphaned"], done["refused"], done["created"]["projects"]]);
    assert_eq!(told, json!([2, 1, 0, []]));

    let hook =
        house.done("/monitoring/v1/webhook/get", json!({ "webhook_id": "webhook-old" })).await;
    assert_eq!((&hook["state"], &hook["name"]), (&json!("DISABLED"), &json!("webhook-old")));
    assert_eq!(hook["access_keys"], json!([]));
    let config = json!({ "project_id": "project-old" });
    house.done("/monitoring/v1/project-alert-config/get", config).await;
    let kept = house.done("/monitoring/v1/event/get", json!({ "event_id": "event-a" })).await;
    for field in
        ["raw_data", "alert_id", "webhook_id", "created_at", "occurred_at", "provider", "account"]
    {
        let said = event("event-a", "alert-a");
        assert_eq!(kept[field], said.get(field).cloned().unwrap_or_default(), "{field}");
    }
    let orphan = house.done("/monitoring/v1/event/get", json!({ "event_id": "event-b" })).await;
    assert_eq!(orphan["alert_id"], Value::Null);
    let receipt =
        house.get(&format!("/api/v1/deliveries/{}", kept["delivery_id"].as_str().unwrap())).await;
    assert_eq!(receipt.body["outcomes"][0]["event_id"], "event-a");
    let kept = house.done("/monitoring/v1/alert/get", json!({ "alert_id": "alert-a" })).await;
    assert_eq!((&kept["alert_number"], &kept["account"]), (&json!(7), &Value::Null));
}

#[actix_web::test]
async fn a_line_that_is_refused_says_why_and_stops_no_other() {
    let house = House::new().await;
    let mut other = alert("alert-b", 8);
    other["event_key"] = "disk".into();
    let mut second = alert("alert-c", 9);
    second["event_key"] = "disk".into();
    let mut nobody = alert("alert-d", 10);
    nobody.as_object_mut().unwrap().remove("domain_id");
    let mut elsewhere = alert("alert-e", 11);
    elsewhere["workspace_id"] = "default".into();
    let mut changed = alert("alert-a", 7);
    changed["title"] = "Another".into();
    let mut last = alert("alert-f", 12);
    last["state"] = "RESOLVED".into();
    let lines = [
        alert("alert-a", 7),
        alert("alert-a", 7),
        alert("alert-x", 7),
        other,
        second,
        nobody,
        elsewhere,
        changed,
        json!([]),
        alert(&"x".repeat(65), 20),
        last,
    ];
    let done = brought(&house, ALERTS, &lines).await;
    assert_eq!(json!([done["imported"], done["unchanged"], done["refused"]]), json!([3, 1, 7]));
    let told: Vec<String> = done["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            format!(
                "{} {}: {}",
                error["line"],
                error["pointer"].as_str().unwrap(),
                error["detail"].as_str().unwrap()
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn an_open_alert_goes_on_where_it_was() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let home = |mut record: Value| {
        for (field, value) in
            [("project_id", "default"), ("workspace_id", "default"), ("domain_id", "default")]
        {
            record[field] = value.into();
        }
        record["webhook_id"] = hook.webhook_id.clone().into();
        record
    };
    let mut open = home(alert("alert-a", 41));
    open["event_key"] = "disk".into();
    open["event_count"] = 5.into();
    brought(&house, ALERTS, &[open]).await;
    let receipt = house
        .understood(
            &hook,
            &json!({ "event_key": "disk", "title": "Still full", "severity": "CRITICAL" }),
        )
        .await;
    assert_eq!(receipt["items"][0]["alert_id"], "alert-a");
    let joined = house.done("/monitoring/v1/alert/get", json!({ "alert_id": "alert-a" })).await;
    assert_eq!(json!([joined["event_count"], joined["severity"]]), json!([6, "CRITICAL"]));
    let receipt = house.understood(&hook, &json!({ "event_key": "new", "title": "New" })).await;
    let new = house
        .done("/monitoring/v1/alert/get", json!({ "alert_id": receipt["items"][0]["alert_id"] }))
        .await;
    assert_eq!(new["alert_number"], 42, "numbers go on after the greatest");
}

#[actix_web::test]
async fn an_event_finds_its_alert_when_that_comes_later() {
    let house = House::new().await;
    let first = brought(&house, EVENTS, &[event("event-a", "alert-a")]).await;
    assert_eq!(first["orphaned"], 1);
    brought(&house, ALERTS, &[alert("alert-a", 1)]).await;
    let again = brought(&house, EVENTS, &[event("event-a", "alert-a")]).await;
    assert_eq!(json!([again["imported"], again["orphaned"]]), json!([1, 0]));
    let found = house.events(json!({ "alert_id": "alert-a" })).await;
    assert_eq!(found[0]["event_id"], "event-a");
    let keyed = house.done("/monitoring/v1/alert/get", json!({ "alert_id": "alert-a" })).await;
    assert_eq!(keyed["event_key"], "disk", "an alert without a key has that of its events");
    let again = brought(&house, ALERTS, &[alert("alert-a", 1)]).await;
    assert_eq!(again["unchanged"], 1);
    let differs = brought(&house, EVENTS, &[json!({ "event_id": "event-a" })]).await;
    assert_eq!(differs["errors"][0]["pointer"], "/event_key");
}

#[actix_web::test]
async fn only_an_administrator_imports_and_each_call_is_recorded() {
    let house = House::new().await;
    let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    let refused = house.as_token(&owner).post(EVENTS, json!({})).await;
    assert_eq!((refused.status, refused.code()), (403, "ERROR_PERMISSION_DENIED"));
    brought(&house, ALERTS, &[alert("alert-a", 7), json!({})]).await;
    let trail = house.get("/api/v1/audit?action=alert.import").await.body;
    // What came to a domain is told there; that a domain was made, and a line of none, where the operator is.
    let told = trail["results"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|it| (&it["domain_id"], &it["after"])).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    for (domain, after) in told {
        let theirs = domain == "domain-old";
        assert_eq!(after["imported"], i32::from(theirs), "{domain} {after}");
        assert_eq!(after["refused"], i32::from(!theirs), "{domain} {after}");
        assert_eq!(after["created"]["domains"].as_array().unwrap().is_empty(), theirs);
    }
    let trail = house.get("/api/v1/audit?action=event.import").await.body;
    assert_eq!(trail["results"][0]["outcome"], "ERROR_PERMISSION_DENIED");
}
