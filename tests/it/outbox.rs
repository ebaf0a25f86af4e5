//! Who is told of an alert, and that they are: each message at least once, in order, whatever receivers do.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    harness::{Hook, House},
    receiver::{Received, Receiver, Reply},
};

/// A house that may call this machine, with a webhook.
struct Mill {
    house: House,
    hook: Hook,
}

impl Mill {
    async fn new() -> Self {
        let house = House::with(&["--allow-private-outbound"]).await;
        let hook = house.webhook("api-direct").await;
        Self { house, hook }
    }

    /// A channel that posts to `receiver`; its identifier.
    async fn channel(&self, name: &str, receiver: &Receiver, more: Value) -> String {
        let mut request = json!({ "name": name, "kind": "WEBHOOK", "project_id": "default",
            "settings": { "url": receiver.url() } });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.house.done("/api/v1/channel/create", request).await;
        made["channel_id"].as_str().unwrap().to_owned()
    }

    async fn post(&self, event: Value) -> String {
        let receipt = self.house.understood(&self.hook, &event).await;
        receipt["items"][0]["alert_id"].as_str().unwrap_or_default().to_owned()
    }

    async fn fires(&self, key: &str) -> String {
        self.post(json!({ "event_key": key, "title": key, "severity": "CRITICAL" })).await
    }

    async fn recovers(&self, key: &str) {
        self.post(json!({ "event_key": key, "title": key, "event_type": "RECOVERY" })).await;
    }

    async fn later(&self, seconds: i64) -> usize {
        self.house.later(TimeDelta::seconds(seconds));
        self.house.second().await;
        self.house.sends().await
    }

    async fn messages(&self, request: Value) -> Vec<Value> {
        let page = self.house.done("/api/v1/message/list", request).await;
        let mut rows = page["results"].as_array().unwrap().clone();
        rows.reverse();
        rows
    }

    async fn message(&self, id: &Value) -> Value {
        self.house.done("/api/v1/message/get", json!({ "message_id": id })).await
    }

    /// What was decided about telling people of an alert: verdicts, and sentences.
    async fn told(&self, alert: &str) -> Vec<(String, String)> {
        let asked = json!({ "alert_id": alert });
        let history = self.house.done("/api/v1/alert/history", asked).await;
        let steps = history["results"].as_array().unwrap().iter();
        let steps = steps.filter(|step| step["of"] == "notice");
        let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
        steps.map(|step| (text(step, "verdict"), text(step, "sentence"))).collect()
    }
}

fn occasions(got: &[Received]) -> Vec<String> {
    got.iter().map(|it| it.json()["data"]["occasion"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn an_alert_is_told_to_those_who_take_it_and_its_history_says_who_did_not() {
    let (mill, day, night) = (Mill::new().await, Receiver::new(), Receiver::new());
    mill.channel("day", &day, json!({})).await;
    let minor = json!([{ "k": "severity", "v": "WARNING", "o": "eq" }]);
    mill.channel("night", &night, json!({ "filter": minor })).await;
    mill.channel("mine", &night, json!({ "levels": [] })).await;
    let alert = mill.fires("disk").await;
    assert!(day.got().is_empty(), "nothing is sent before it is due to be");
    assert_eq!(mill.house.sends().await, 1);
    let got = day.take();
    assert_eq!(occasions(&got), ["OPENED"]);
    assert_eq!(got[0].json()["data"]["title"], "[Alerting] disk");
    assert!(got[0].header("webhook-signature").starts_with("v1,"));
    assert!(night.got().is_empty());
    let told = mill.told(&alert).await;
    assert_eq!(
        told[0].1,
        "OPENED (level ALL, step 1): told `day`; passed over `mine`, which takes only what names it; \
         `night`, whose condition `severity eq \"WARNING\"` does not hold"
    );
    assert_eq!(told[1], ("sent".to_owned(), "`day` has it".to_owned()));
    mill.recovers("disk").await;
    mill.house.sends().await;
    assert_eq!(occasions(&day.take()), ["RESOLVED"]);
    assert!(night.got().is_empty(), "who was not told of it need not hear that it is over");
    assert_eq!(mill.house.sends().await, 0);
}

#[actix_web::test]
async fn what_fails_is_tried_again_by_the_same_key_and_each_attempt_is_kept() {
    let (mill, receiver) = (Mill::new().await, Receiver::answering(|_| Reply::Status(503)));
    mill.channel("ops", &receiver, json!({})).await;
    let alert = mill.fires("disk").await;
    assert_eq!(mill.house.sends().await, 1);
    assert_eq!(mill.house.sends().await, 0, "not at once again");
    assert_eq!(mill.later(5).await, 1);
    receiver.answers(|_| Reply::Status(204));
    assert_eq!(mill.later(10).await, 1);
    assert_eq!(mill.later(3600).await, 0);
    let keys: BTreeSet<String> = receiver.got().iter().map(Received::key).collect();
    assert_eq!(receiver.got().len(), 3);
    let message = &mill.messages(json!({ "alert_id": alert })).await[0];
    assert_eq!(keys, BTreeSet::from([message["message_id"].as_str().unwrap().to_owned()]));
    assert_eq!((&message["state"], &message["attempts"]), (&json!("SENT"), &json!(3)));
    let whole = mill.message(&message["message_id"]).await;
    let statuses: Vec<&Value> =
        whole["log"].as_array().unwrap().iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, [503, 503, 204]);
    let verdicts: Vec<String> = mill.told(&alert).await.into_iter().map(|told| told.0).collect();
    assert_eq!(verdicts, ["announced", "failed", "sent"]);
}

#[actix_web::test]
async fn the_end_of_an_alert_waits_for_its_beginning() {
    let (mill, receiver) = (Mill::new().await, Receiver::answering(|_| Reply::Status(500)));
    mill.channel("ops", &receiver, json!({})).await;
    mill.fires("disk").await;
    mill.house.sends().await;
    mill.recovers("disk").await;
    mill.fires("other").await;
    mill.house.sends().await;
    // Another alert does not wait for this one.
    assert_eq!(occasions(&receiver.take()), ["OPENED", "OPENED"]);
    receiver.answers(|_| Reply::Status(200));
    while mill.later(10).await > 0 {}
    let got = receiver.take();
    let of_disk: Vec<Received> = got
        .iter()
        .filter(|it| it.json()["data"]["title"].as_str().unwrap().ends_with("disk"))
        .cloned()
        .collect();
    assert_eq!(occasions(&of_disk), ["OPENED", "RESOLVED"]);
    assert_eq!(got.len(), 3);
}

#[actix_web::test]
async fn what_is_refused_is_given_up_and_can_be_driven_again() {
    let (mill, receiver) = (Mill::new().await, Receiver::answering(|_| Reply::Status(400)));
    let channel = mill.channel("ops", &receiver, json!({})).await;
    let alert = mill.fires("disk").await;
    mill.house.sends().await;
    assert_eq!(mill.later(7200).await, 0);
    let dead = mill.messages(json!({ "state": "DEAD" })).await;
    assert_eq!(dead.len(), 1);
    let told = mill.told(&alert).await;
    assert_eq!(told[1].0, "dead");
    assert!(told[1].1.contains("it answered 400"), "{}", told[1].1);
    receiver.answers(|_| Reply::Status(200));
    let asked = json!({ "channel_id": channel });
    let redriven = mill.house.done("/api/v1/message/redrive", asked).await;
    assert_eq!(redriven, json!({ "message_ids": [dead[0]["message_id"]], "more": false }));
    assert_eq!(mill.house.sends().await, 1);
    assert_eq!(mill.messages(json!({ "alert_id": alert })).await[0]["state"], "SENT");
    let again = json!({ "message_id": dead[0]["message_id"] });
    let refused = mill.house.post("/api/v1/message/redrive", again).await;
    assert_eq!((refused.status, refused.pointers()), (400, vec!["/message_id"]));
}

#[actix_web::test]
async fn what_was_given_up_and_is_over_by_now_pages_nobody_once_its_channel_is_mended() {
    let (mill, receiver) = (Mill::new().await, Receiver::answering(|_| Reply::Status(400)));
    let channel = mill.channel("ops", &receiver, json!({})).await;
    mill.fires("over").await;
    mill.fires("open").await;
    mill.house.sends().await;
    receiver.answers(|_| Reply::Status(200));
    mill.recovers("over").await;
    mill.house.sends().await;
    receiver.take();
    let redriven =
        mill.house.done("/api/v1/message/redrive", json!({ "channel_id": channel })).await;
    assert_eq!(redriven["message_ids"].as_array().unwrap().len(), 1, "{redriven}");
    mill.house.sends().await;
    let got = receiver.take();
    assert_eq!(occasions(&got), ["OPENED"]);
    assert!(got[0].json()["data"]["title"].as_str().unwrap().ends_with("open"));
    assert_eq!(mill.messages(json!({ "state": "DROPPED" })).await.len(), 1);
}

#[actix_web::test]
async fn a_message_that_was_given_up_raises_an_alert_of_alertmill_itself() {
    let (mill, receiver) = (Mill::new().await, Receiver::answering(|_| Reply::Status(400)));
    mill.channel("ops", &receiver, json!({ "project_id": "default" })).await;
    mill.fires("disk").await;
    mill.house.sends().await;
    mill.house.tick().await;
    mill.house.tick().await;
    let of_system = json!({ "project_id": "system", "event_key": "alertmill:dead-messages" });
    let alerts = mill.house.alerts(of_system).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["event_count"], 1, "what has not changed is not said again");
    assert_eq!(alerts[0]["urgency"], "HIGH");
}

#[actix_web::test]
async fn a_storm_is_one_message_for_what_opened_in_a_group_within_its_window() {
    let (mill, receiver) = (Mill::new().await, Receiver::new());
    let gather = json!({ "gather": { "by": ["additional_info.cluster"], "seconds": 30 } });
    mill.channel("ops", &receiver, gather).await;
    for number in 0..20 {
        let cluster = if number % 10 == 0 { "b" } else { "a" };
        let info = json!({ "cluster": cluster });
        mill.post(json!({ "event_key": format!("k{number}"), "title": format!("t{number}"),
            "severity": "CRITICAL", "additional_info": info }))
            .await;
        assert_eq!(mill.later(1).await, 0, "the window is open");
    }
    mill.recovers("k1").await;
    assert_eq!(mill.later(10).await, 1);
    assert_eq!(mill.later(1).await, 1);
    let got = receiver.take();
    let counts: BTreeSet<usize> =
        got.iter().map(|it| it.json()["data"]["notices"].as_array().unwrap().len()).collect();
    assert_eq!(counts, BTreeSet::from([2, 18]));
    // The recovery waited for the storm that told of its opening.
    assert_eq!(mill.later(40).await, 1);
    assert_eq!(occasions(&receiver.take()), ["RESOLVED"]);
    mill.post(json!({ "event_key": "late", "title": "late", "severity": "CRITICAL" })).await;
    assert_eq!(mill.later(29).await, 0);
    assert_eq!(mill.later(1).await, 1, "what came after is the next storm");
}

#[actix_web::test]
async fn what_waits_for_a_channel_that_is_disabled_is_dropped_and_said_to_be() {
    let (mill, receiver) = (Mill::new().await, Receiver::answering(|_| Reply::Status(500)));
    let channel = mill.channel("ops", &receiver, json!({})).await;
    let alert = mill.fires("disk").await;
    mill.house.sends().await;
    mill.house.done("/api/v1/channel/disable", json!({ "channel_id": channel })).await;
    assert_eq!(mill.later(3600).await, 0);
    let message = &mill.messages(json!({ "alert_id": alert })).await[0];
    assert_eq!(message["state"], "DROPPED");
    let last = mill.told(&alert).await.pop().unwrap();
    assert_eq!(last.1, "not sent to `ops` after all: its channel was disabled");
    let other = mill.fires("other").await;
    let told = mill.told(&other).await;
    assert!(told[0].1.ends_with("told nobody; passed over `ops`, which is disabled"), "{told:?}");
    mill.house.done("/api/v1/channel/delete", json!({ "channel_id": channel })).await;
    let gone = json!({ "message_id": message["message_id"] });
    assert_eq!(mill.house.post("/api/v1/message/redrive", gone).await.status, 400);
}

#[actix_web::test]
async fn what_waits_survives_a_restart() {
    let (mut mill, receiver) = (Mill::new().await, Receiver::new());
    mill.channel("ops", &receiver, json!({ "gather": { "seconds": 60 } })).await;
    mill.channel("now", &receiver, json!({})).await;
    mill.fires("disk").await;
    mill.house.reopen().await;
    assert_eq!(mill.house.sends().await, 1);
    mill.house.reopen().await;
    assert_eq!(mill.later(60).await, 1);
    assert_eq!(receiver.got().len(), 2);
}

#[actix_web::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    let (mill, receiver) = (Mill::new().await, Receiver::answering(|_| Reply::Later(429, 90)));
    mill.channel("ops", &receiver, json!({})).await;
    mill.fires("one").await;
    mill.fires("two").await;
    mill.house.sends().await;
    receiver.answers(|_| Reply::Status(200));
    assert_eq!(mill.later(89).await, 0);
    assert_eq!(mill.later(1).await, 2);
}

#[actix_web::test]
async fn a_channel_is_sent_no_more_a_minute_than_it_takes() {
    let (mill, receiver) = (Mill::new().await, Receiver::new());
    mill.channel("ops", &receiver, json!({ "rate": 6 })).await;
    for number in 0..5 {
        mill.fires(&format!("k{number}")).await;
    }
    assert_eq!(mill.house.sends().await, 1);
    assert_eq!(mill.later(5).await, 0);
    for _ in 0..4 {
        mill.later(10).await;
    }
    assert_eq!(receiver.got().len(), 5);
}

#[actix_web::test]
async fn no_secret_of_a_channel_is_ever_shown_again() {
    let mill = Mill::new().await;
    let settings = json!({ "url": "https://example.com/hook/in-the-address",
        "headers": { "X-Token": "in-a-header" } });
    let request = json!({ "name": "ops", "kind": "WEBHOOK", "settings": settings });
    let made = mill.house.done("/api/v1/channel/create", request).await;
    let secret = made["signing_secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let id = json!({ "channel_id": made["channel_id"] });
    let rotated = mill.house.done("/api/v1/channel/rotate-secret", id.clone()).await;
    let newer = rotated["signing_secret"].as_str().unwrap().to_owned();
    assert_ne!(newer, secret);
    let update = json!({ "channel_id": made["channel_id"], "name": "operators" });
    let mut shown = vec![
        mill.house.post("/api/v1/channel/update", update).await.text,
        mill.house.post("/api/v1/channel/get", id).await.text,
        mill.house.post("/api/v1/channel/list", json!({})).await.text,
        mill.house.get("/api/v1/audit").await.text,
    ];
    shown.push(rotated["settings"].to_string());
    for text in shown {
        for hidden in [&secret, &newer, "in-the-address", "in-a-header"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

#[actix_web::test]
async fn mistakes_in_a_channel_are_told_with_their_place() {
    let mill = Mill::new().await;
    let with = |field: &str, value: Value| {
        let settings = json!({ "url": "https://example.com/hook" });
        let mut request = json!({ "name": "ops", "kind": "WEBHOOK", "settings": settings });
        request[field] = value;
        request
    };
    let condition = json!([{ "k": "sevrity", "v": "CRITICAL", "o": "eq" }]);
    let mistakes = [
        (with("name", json!(" ")), "/name"),
        (with("filter", condition.clone()), "/filter/0/k"),
        (with("filter_or", condition), "/filter_or/0/k"),
        (with("gather", json!({ "seconds": 0 })), "/gather/seconds"),
        (with("gather", json!({ "by": ["clster"], "seconds": 5 })), "/gather/by/0"),
        (with("rate", json!(0)), "/rate"),
        (with("templates", json!({ "body": "{{ title" })), "/templates/body"),
        (with("settings", json!({})), "/settings/url"),
    ];
    for (request, pointer) in mistakes {
        let refused = mill.house.post("/api/v1/channel/create", request.clone()).await;
        assert_eq!(refused.status, 400, "{request}: {refused:?}");
        assert_eq!(refused.pointers(), [pointer], "{request}");
    }
    for wrong in
        [with("levels", json!(["LV11"])), with("nmae", json!("x")), with("kind", json!("FAX"))]
    {
        assert_eq!(mill.house.post("/api/v1/channel/create", wrong).await.status, 400);
    }
    mill.house.done("/api/v1/channel/create", with("name", json!("ops"))).await;
    let twice = mill.house.post("/api/v1/channel/create", with("name", json!("ops"))).await;
    assert_eq!((twice.status, twice.pointers()), (409, vec!["/name"]));
}

#[actix_web::test]
async fn channels_and_messages_of_others_look_absent() {
    let (mill, receiver) = (Mill::new().await, Receiver::new());
    let channel = mill.channel("ops", &receiver, json!({})).await;
    let whole = json!({ "name": "all", "kind": "WEBHOOK", "settings": { "url": receiver.url() } });
    let whole = mill.house.done("/api/v1/channel/create", whole).await;
    let alert = mill.fires("disk").await;
    let message = mill.messages(json!({ "alert_id": alert })).await[0]["message_id"].clone();
    let project = json!({ "name": "Elsewhere", "project_id": "elsewhere" });
    mill.house.done("/api/v1/project/create", project).await;
    let reach = json!({ "workspace_id": "default", "projects": ["elsewhere"] });
    let token = mill.house.token("WORKSPACE_MEMBER", reach).await;
    let stranger = mill.house.as_token(token);
    for (path, request) in [
        ("/api/v1/channel/get", json!({ "channel_id": channel })),
        ("/api/v1/channel/test", json!({ "channel_id": channel })),
        ("/api/v1/channel/disable", json!({ "channel_id": channel })),
        ("/api/v1/message/get", json!({ "message_id": message })),
        ("/api/v1/message/redrive", json!({ "message_id": message })),
        ("/api/v1/message/list", json!({ "alert_id": alert })),
    ] {
        assert_eq!(stranger.post(path, request).await.status, 404, "{path}");
    }
    let listed = stranger.post("/api/v1/message/list", json!({})).await.body;
    assert_eq!(listed["results"], json!([]));
    // What a whole workspace has is seen, and not changed.
    let whole = json!({ "channel_id": whole["channel_id"] });
    assert_eq!(stranger.post("/api/v1/channel/get", whole.clone()).await.status, 200);
    assert_eq!(stranger.post("/api/v1/channel/disable", whole.clone()).await.status, 403);
    assert_eq!(stranger.post("/api/v1/channel/test", whole).await.status, 403);
}

#[actix_web::test]
async fn a_channel_is_tried_and_its_message_previewed() {
    let (mill, receiver) = (Mill::new().await, Receiver::new());
    let channel = mill.channel("ops", &receiver, json!({})).await;
    let asked = json!({ "channel_id": channel });
    let tried = mill.house.done("/api/v1/channel/test", asked.clone()).await;
    assert_eq!((&tried["sent"], &tried["status"]), (&json!(true), &json!(200)));
    assert_eq!(receiver.take().len(), 1);
    receiver.answers(|_| Reply::Status(500));
    let tried = mill.house.done("/api/v1/channel/test", asked).await;
    assert_eq!((&tried["sent"], &tried["status"]), (&json!(false), &json!(500)));
    receiver.take();
    let alert = mill.fires("disk").await;
    let asked = json!({ "channel_id": channel, "alert_id": alert,
        "templates": { "title": "{{ title|upper }}" } });
    let shown = mill.house.done("/api/v1/channel/preview", asked).await;
    assert_eq!(shown["alert_id"], json!(alert));
    assert!(shown["message"]["body"].as_str().unwrap().contains("DISK"), "{shown}");
    assert!(receiver.got().is_empty(), "nothing is sent by looking");
}

#[actix_web::test]
async fn a_channel_is_tried_only_with_alerts_that_it_may_hear_of() {
    let (mill, receiver) = (Mill::new().await, Receiver::new());
    let other = json!({ "project_id": "other", "name": "other" });
    mill.house.done("/api/v1/project/create", other).await;
    let there = mill.channel("there", &receiver, json!({ "project_id": "other" })).await;
    let here = mill.channel("here", &receiver, json!({})).await;
    let alert = mill.fires("disk").await;
    let preview = "/api/v1/channel/preview";
    let shown = mill.house.done(preview, json!({ "channel_id": here })).await;
    assert_eq!(shown["alert_id"], json!(alert));
    let shown = mill.house.done(preview, json!({ "channel_id": there })).await;
    assert!(shown["alert_id"].is_null(), "{shown}");
    for method in [preview, "/api/v1/channel/test"] {
        let asked = json!({ "channel_id": there, "alert_id": alert });
        assert_eq!(mill.house.post(method, asked).await.status, 404, "{method}");
    }
}

#[actix_web::test]
async fn a_channel_does_not_become_one_that_signs() {
    let mill = Mill::new().await;
    let made = json!({ "name": "n", "kind": "NTFY", "project_id": "default", "settings": { "topic": "t" } });
    let made = mill.house.done("/api/v1/channel/create", made).await;
    let asked = json!({ "channel_id": made["channel_id"], "kind": "WEBHOOK",
        "settings": { "url": "https://a.example/" } });
    let refused = mill.house.post("/api/v1/channel/update", asked).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text.contains("/kind"), "{refused:?}");
}

#[actix_web::test]
async fn pages_of_messages_go_on_where_they_ended() {
    let (mill, receiver) = (Mill::new().await, Receiver::new());
    let channel = mill.channel("ops", &receiver, json!({})).await;
    for number in 0..7 {
        mill.fires(&format!("k{number}")).await;
    }
    for asked in [json!({}), json!({ "channel_id": channel }), json!({ "state": "WAITING" })] {
        let mut seen = Vec::new();
        let mut request = asked.clone();
        request["limit"] = json!(3);
        loop {
            let page = mill.house.done("/api/v1/message/list", request.clone()).await;
            let rows = page["results"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| row["message_id"].to_string()));
            if page["next_cursor"].is_null() {
                break;
            }
            request["cursor"] = page["next_cursor"].clone();
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (7, 7), "{asked}");
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first: {seen:?}");
    }
}

#[actix_web::test]
async fn old_messages_are_removed_with_their_alerts_and_those_of_open_alerts_stay() {
    let (mill, receiver) = (Mill::new().await, Receiver::new());
    mill.channel("ops", &receiver, json!({ "gather": { "seconds": 5 } })).await;
    for key in ["a", "b", "c"] {
        mill.fires(key).await;
    }
    mill.later(5).await;
    mill.recovers("a").await;
    mill.later(5).await;
    let retention = json!({ "project_id": "default", "retention": { "resolved_alerts": "1d" } });
    mill.house.done("/api/v1/project/update", retention).await;
    let left = async || mill.messages(json!({})).await.len();
    mill.house.later(TimeDelta::days(2));
    mill.house.hour().await;
    // What tells of open alerts too is needed for their end.
    assert_eq!(left().await, 1);
    mill.recovers("b").await;
    mill.recovers("c").await;
    mill.later(5).await;
    assert_eq!(occasions(&receiver.got()), ["OPENED", "RESOLVED", "RESOLVED"]);
    mill.house.later(TimeDelta::days(2));
    mill.house.hour().await;
    assert_eq!(left().await, 0);
}
