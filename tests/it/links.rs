//! Acknowledging by the link of a message: the page asks, and only its button acts.

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, House},
    receivers::Receiver,
};

/// A house in which one alert was told to one receiver, and the path of the link that was in it.
struct Told {
    house: House,
    alert_id: String,
    channel_id: String,
    path: String,
}

impl Told {
    async fn of(event: Value) -> Self {
        let receiver = Receiver::new().await;
        let house = House::with(&["--allow-private-outbound"]).await;
        let settings = json!({ "url": receiver.url });
        let channel = json!({ "name": "ops", "kind": "WEBHOOK", "settings": settings, "project_id": "default" });
        let made = house.done("/api/v1/channel/create", channel).await;
        let hook = house.webhook("api-direct").await;
        let receipt = house.understood(&hook, &event).await;
        let alert_id = receipt["items"][0]["alert_id"].as_str().unwrap().to_owned();
        house.sends().await;
        let told = receiver.until(|all| !all.is_empty()).await;
        let url = told[0].json()["data"]["ack_url"].as_str().unwrap().to_owned();
        let path = url.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
        let channel_id = made["channel_id"].as_str().unwrap().to_owned();
        Self { house, alert_id, channel_id, path }
    }

    async fn firing() -> Self {
        Self::of(json!({ "event_key": "k", "title": "Disk <b>full</b>", "severity": "CRITICAL" }))
            .await
    }

    /// The path by which Cloudforet names the same link.
    fn callback(&self) -> String {
        let token = self.path.strip_prefix("/ack/").unwrap();
        format!("/monitoring/v1/domain/default/alert/{}/{token}", self.alert_id)
    }

    async fn alert(&self) -> Value {
        let asked = json!({ "alert_id": self.alert_id });
        self.house.done("/monitoring/v1/alert/get", asked).await
    }

    /// Asks without any token.
    async fn look(&self, path: &str) -> Answer {
        self.house.send(TestRequest::get().uri(path)).await
    }

    async fn press(&self, path: &str, form: &'static str) -> Answer {
        let request = TestRequest::post().uri(path).set_payload(form);
        let form = ("content-type", "application/x-www-form-urlencoded");
        self.house.send(request.insert_header(form)).await
    }
}

#[actix_web::test]
async fn the_page_asks_and_only_its_button_acknowledges() {
    let told = Told::firing().await;
    let page = told.look(&told.path).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("Disk &lt;b&gt;full&lt;/b&gt;") && !page.text.contains("<b>"));
    assert!(page.text.contains("<form method=\"post\">"), "{}", page.text);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"));
    for (header, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(page.header(header), Some(value));
    }
    assert_eq!(told.alert().await["state"], "TRIGGERED");

    let done = told.press(&told.path, "responder=%20Alice%0A%20B%20").await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.text.contains("Someone is on it") && !done.text.contains("<form"));
    let alert = told.alert().await;
    assert_eq!((&alert["state"], &alert["responder"]), (&json!("ACKNOWLEDGED"), &json!("Alice B")));

    // Whoever presses second changes nothing.
    assert_eq!(told.press(&told.path, "responder=Bob").await.status, 200);
    assert_eq!(told.alert().await["responder"], "Alice B");
}

#[actix_web::test]
async fn who_acknowledged_by_link_is_recorded() {
    let told = Told::firing().await;
    told.press(&told.path, "").await;
    assert_eq!(told.alert().await["responder"], "ops");
    let records = told.house.get("/api/v1/audit?action=alert.acknowledge_by_link").await.body;
    let record = &records["results"][0];
    assert_eq!(
        (&record["actor"], &record["remote"]),
        (&json!("recipient:ops"), &json!("192.0.2.7"))
    );
    let asked = json!({ "alert_id": told.alert_id });
    let history = told.house.done("/api/v1/alert/history", asked).await.to_string();
    assert!(history.contains("recipient:ops"), "{history}");
}

#[actix_web::test]
async fn a_link_runs_out_is_of_one_alert_and_goes_with_its_channel() {
    let told = Told::firing().await;
    for path in [
        format!("{}x", told.path),
        told.path.replace("message-", "message-0"),
        "/ack/message-1.1.AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        format!("{}/ACKNOWLEDGED", told.callback().replace("/alert/", "/alert/other-")),
        format!("{}/ACKNOWLEDGED", told.callback().replace("/domain/default/", "/domain/other/")),
    ] {
        let (page, done) = (told.look(&path).await, told.press(&path, "").await);
        assert_eq!((page.status, done.status), (404, 404), "{path}");
    }
    told.house.later(TimeDelta::hours(26));
    assert_eq!(told.look(&told.path).await.status, 404);
    assert_eq!(told.press(&told.path, "").await.status, 404);
    assert_eq!(told.alert().await["state"], "TRIGGERED");

    let told = Told::firing().await;
    told.house.done("/api/v1/channel/delete", json!({ "channel_id": told.channel_id })).await;
    let page = told.press(&told.path, "").await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("This link does not work"), "{}", page.text);
    assert_eq!(told.alert().await["state"], "TRIGGERED");
}

#[actix_web::test]
async fn a_link_goes_with_the_state_of_its_channel() {
    let told = Told::firing().await;
    told.house.done("/api/v1/channel/disable", json!({ "channel_id": told.channel_id })).await;
    assert_eq!(told.press(&told.path, "").await.status, 404);
    assert_eq!(told.alert().await["state"], "TRIGGERED");
}

#[actix_web::test]
async fn what_is_over_is_not_opened_again_by_a_link() {
    let told = Told::firing().await;
    let over = json!({ "alert_id": told.alert_id, "state": "RESOLVED" });
    told.house.done("/monitoring/v1/alert/update", over).await;
    let page = told.press(&told.path, "").await;
    assert!(page.text.contains("It is over"), "{}", page.text);
    assert_eq!(told.alert().await["state"], "RESOLVED");
}

#[actix_web::test]
async fn cloudforets_addresses_work_but_do_nothing_by_get() {
    let told = Told::firing().await;
    let detail = told.look(&told.callback()).await;
    assert_eq!(detail.body["alert_id"], told.alert_id);
    assert_eq!(detail.body["domain_settings"], json!({ "language": "en", "timezone": "UTC" }));
    assert!(detail.body["assignee"].is_null());
    let act = format!("{}/ACKNOWLEDGED", told.callback());
    let page = TestRequest::get().uri(&format!("{act}?responder=Eve"));
    let page = told.house.send(page.insert_header(("accept", "text/html,*/*;q=0.8"))).await;
    assert!(page.text.contains("<form"), "{}", page.text);
    assert_eq!(told.alert().await["state"], "TRIGGERED");
    let late = TestRequest::post().uri(&act).set_json(json!({ "code": "TIME_OUT" }));
    assert_eq!(told.house.send(late).await.status, 404);
    let done = TestRequest::post().uri(&act).set_json(json!({ "responder": "Alice" }));
    let done = told.house.send(done).await;
    assert_eq!((done.status, &done.body["state"]), (200, &json!("ACKNOWLEDGED")));
    assert_eq!(told.alert().await["responder"], "Alice");
    for odd in ["[]", "no json", "{\"responder\":7}"] {
        assert_eq!(told.press(&act, odd).await.status, 200, "{odd}");
    }
    let large = TestRequest::post().uri(&act).set_payload("a".repeat(10_000));
    assert_eq!(told.house.send(large).await.status, 413);
}

#[actix_web::test]
async fn a_link_of_an_alerts_earlier_life_does_nothing_in_the_next() {
    let told = Told::firing().await;
    for state in ["RESOLVED", "TRIGGERED"] {
        told.house.later(TimeDelta::minutes(1));
        let turn = json!({ "alert_id": told.alert_id, "state": state });
        told.house.done("/monitoring/v1/alert/update", turn).await;
    }
    assert_eq!(told.look(&told.path).await.status, 404);
    assert_eq!(told.press(&told.path, "").await.status, 404);
    assert_eq!(told.alert().await["state"], "TRIGGERED");
}
