//! Systems that look after incidents themselves: the documented shapes of their requests.

use super::*;

fn pagerduty(url: &str) -> ChannelKind {
    kind(ChannelType::PagerDuty, json!({ "routing_key": "r".repeat(32), "api_url": url }))
}

fn opsgenie(url: &str) -> ChannelKind {
    kind(ChannelType::Opsgenie, json!({ "api_key": "key-1", "api_url": url, "teams": ["web"] }))
}

#[tokio::test]
async fn pagerduty_gets_a_trigger_and_a_resolve_of_one_key() {
    let taken = (202, "", r#"{"status":"success"}"#);
    let [request] = got(pagerduty, taken, &opened()).await.try_into().unwrap();
    assert_eq!(request.line, "POST /v2/enqueue");
    let event = request.json();
    assert_eq!(event["routing_key"], "r".repeat(32));
    assert_eq!(
        (&event["event_action"], &event["dedup_key"]),
        (&json!("trigger"), &json!("alert-1"))
    );
    let payload = &event["payload"];
    for (field, value) in [
        ("summary", "[Alerting] Disk <full> & \"hot\" *now*"),
        ("source", "web-1"),
        ("severity", "critical"),
        ("timestamp", "2026-01-01T00:00:00.000Z"),
        ("component", "web-1"),
        ("group", "payments"),
        ("class", "DiskFull"),
    ] {
        assert_eq!(payload[field], value, "{field}");
    }
    assert_eq!(payload["custom_details"]["additional_info"], json!({ "team": "web" }));
    assert_eq!(event["links"][0]["href"], "https://alerts.example/ack/t?a=1&b");
    let [request] = got(pagerduty, taken, &resolved()).await.try_into().unwrap();
    let event = request.json();
    assert_eq!(
        (&event["event_action"], &event["dedup_key"]),
        (&json!("resolve"), &json!("alert-1"))
    );
}

#[tokio::test]
async fn each_alert_of_a_storm_is_an_incident() {
    let requests = got(pagerduty, (202, "", "{}"), &storm(3)).await;
    let keys: Vec<Value> =
        requests.iter().map(|request| request.json()["dedup_key"].clone()).collect();
    assert_eq!(keys, ["alert-1", "alert-2", "alert-3"]);
    assert_eq!(requests[1].json()["payload"]["summary"], "Down 2");
    assert_eq!(got(opsgenie, (202, "", "{}"), &storm(3)).await.len(), 3);
}

#[tokio::test]
async fn who_is_assigned_is_not_told_to_who_assigns_itself() {
    let assigned = parcel(vec![notice(Occasion::Assigned, json!({}))]);
    assert!(got(pagerduty, (202, "", ""), &assigned).await.is_empty());
    assert!(got(opsgenie, (202, "", ""), &assigned).await.is_empty());
}

#[tokio::test]
async fn opsgenie_gets_an_alert_and_its_end_by_one_alias() {
    let [request] = got(opsgenie, (202, "", "{}"), &opened()).await.try_into().unwrap();
    assert_eq!(request.line, "POST /v2/alerts");
    assert_eq!(request.header("authorization"), "GenieKey key-1");
    let body = request.json();
    assert_eq!((&body["alias"], &body["priority"]), (&json!("alert-1"), &json!("P1")));
    assert_eq!(body["message"], "[Alerting] Disk <full> & \"hot\" *now*");
    assert_eq!(body["responders"], json!([{ "name": "web", "type": "team" }]));
    assert_eq!(
        (&body["details"]["alert_number"], &body["entity"]),
        (&json!("42"), &json!("web-1"))
    );
    let description = body["description"].as_str().unwrap();
    assert!(
        description.ends_with("Acknowledge: https://alerts.example/ack/t?a=1&b"),
        "{description}"
    );
    let mut over = resolved();
    over.notices[0].alert_id = "a/b c".into();
    let [request] = got(opsgenie, (202, "", "{}"), &over).await.try_into().unwrap();
    assert_eq!(request.line, "POST /v2/alerts/a%2Fb%20c/close?identifierType=alias");
    assert_eq!(request.json(), json!({ "source": "Alertmill", "note": "it recovered" }));
}

#[tokio::test]
async fn what_is_too_long_is_cut() {
    let long = json!({ "title": "é".repeat(3000), "description": "ü".repeat(50_000) });
    let long = parcel(vec![notice(Occasion::Opened, long)]);
    let [request] = got(opsgenie, (202, "", "{}"), &long).await.try_into().unwrap();
    let body = request.json();
    assert_eq!(body["message"].as_str().unwrap().chars().count(), 130);
    assert!(body["description"].as_str().unwrap().chars().count() < 15_000);
    let [request] = got(pagerduty, (202, "", "{}"), &long).await.try_into().unwrap();
    assert_eq!(request.json()["payload"]["summary"].as_str().unwrap().chars().count(), 1024);
}
