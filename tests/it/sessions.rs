//! Rights count at the moment that they are used, whatever a caller began before; and nothing that strangers do is felt by
//! others.

use std::{
    future::{Future, poll_fn},
    rc::Rc,
    time::Duration,
};

use actix_web::{body::MessageBody, dev::Payload, test::TestRequest, web::Bytes};
use chrono::TimeDelta;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    harness::{Answer, House},
    users::{records, session, user},
};

/// Sends a body of which the second half comes after `meanwhile`.
async fn slowly(
    house: &House,
    request: TestRequest,
    body: &Value,
    meanwhile: impl Future<Output = ()> + 'static,
) -> Answer {
    let mut first = body.to_string().into_bytes();
    let second = first.split_off(first.len() / 2);
    let body = stream::once(async { Bytes::from(first) }).chain(stream::once(async move {
        meanwhile.await;
        Bytes::from(second)
    }));
    house.send_slowly(request, body).await
}

fn post(path: &str, token: &str) -> TestRequest {
    TestRequest::post().uri(path).insert_header(("Authorization", format!("Bearer {token}")))
}

#[actix_web::test]
async fn who_is_gone_when_the_body_is_there_is_refused() {
    let house = Rc::new(House::new().await);
    let token = json!({ "name": "for ever", "role": "SYSTEM_ADMIN" });
    for (name, verb) in [("ada", "delete"), ("bob", "disable")] {
        let id = user(&house, name, "SYSTEM_ADMIN").await;
        let own = session(&house, name).await;
        for path in ["/api/v1/token/create", "/api/v1/events/export", "/api/v1/event/import"] {
            let (admin, id) = (Rc::clone(&house), id.clone());
            let gone = async move {
                admin.post(&format!("/api/v1/user/{verb}"), json!({ "user_id": id })).await;
            };
            let answer = slowly(&house, post(path, &own), &token, gone).await;
            assert_eq!(answer.status, 401, "{path}: {answer:?}");
        }
    }
    let made = house.done("/api/v1/token/list", json!({})).await;
    assert_eq!(made["total_count"], 1, "{made}");
}

#[actix_web::test]
async fn who_may_less_when_the_body_is_there_does_less() {
    let house = Rc::new(House::new().await);
    let id = user(&house, "ada", "SYSTEM_ADMIN").await;
    let own = session(&house, "ada").await;
    let admin = Rc::clone(&house);
    let demoted = async move {
        let less = json!({ "user_id": id, "role": "DOMAIN_ADMIN", "domain_id": "default" });
        admin.done("/api/v1/user/update", less).await;
    };
    let asked = json!({ "name": "more" });
    let answer = slowly(&house, post("/api/v1/domain/create", &own), &asked, demoted).await;
    assert_eq!(answer.code(), "ERROR_PERMISSION_DENIED", "{answer:?}");
}

#[actix_web::test]
async fn an_export_ends_when_who_asked_for_it_is_gone() {
    let house = House::with(&["--max-body", "4MiB"]).await;
    let hook = house.webhook("api-direct").await;
    let long = "x".repeat(500_000);
    for batch in 0..4 {
        let event = |number: usize| {
            let key = format!("{batch}-{number}");
            json!({ "event_key": key, "event_type": "ALERT", "severity": "INFO", "title": key, "description": long })
        };
        let events: Vec<Value> = (0..6).map(event).collect();
        house.understood(&hook, &json!({ "events": events })).await;
    }
    let id = user(&house, "ada", "SYSTEM_ADMIN").await;
    let own = session(&house, "ada").await;
    let asked = post("/api/v1/events/export", &own).set_json(json!({}));
    let mut body = Box::pin(house.begin(asked, Payload::None).await.into_body());
    let mut read = async || poll_fn(|context| body.as_mut().poll_next(context)).await;
    let mut all = read().await.unwrap().unwrap().to_vec();
    house.done("/api/v1/user/delete", json!({ "user_id": id })).await;
    while let Some(part) = read().await {
        all.extend_from_slice(&part.unwrap());
    }
    let text = String::from_utf8(all).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(last["error"].is_object() || last["error"].is_string(), "the last line is no error");
    assert!(text.lines().count() < 24, "all of it was sent");
}

#[actix_web::test]
async fn who_logs_out_with_nothing_is_turned_away_and_counted() {
    let house = House::new().await;
    user(&house, "ada", "DOMAIN_ADMIN").await;
    let own = session(&house, "ada").await;
    house.as_token(&own).done("/api/v1/logout", json!({})).await;
    let usual = house.send(TestRequest::get().uri("/api/v1/me")).await;
    for path in ["/api/v1/logout", "/api/v1/user/change-password"] {
        for token in ["", "amt_unknown", &own] {
            let refused = house.send(post(path, token).set_json(json!({}))).await;
            assert_eq!((refused.status, &refused.body["detail"]), (401, &usual.body["detail"]));
        }
    }
    assert_eq!(records(&house, "user.logout").await.len(), 1, "one was somebody's");
    assert_eq!(records(&house, "user.change_password").await.len(), 0);
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    let counted = records(&house, "token.use").await;
    let calls: u64 = counted.iter().filter_map(|it| it["details"]["calls"].as_u64()).sum();
    assert_eq!(calls, 7, "{counted:?}");
}

#[actix_web::test]
async fn a_wrong_password_is_answered_though_nothing_can_be_written() {
    let house = House::new().await;
    user(&house, "ada", "DOMAIN_ADMIN").await;
    let held = house.hold();
    let mut said = Vec::new();
    for name in ["ada", "nobody"] {
        for _ in 0..6 {
            let asked = json!({ "name": name, "password": "wrong horse battery" });
            let trying = house.send(TestRequest::post().uri("/api/v1/login").set_json(asked));
            let answer = tokio::time::timeout(Duration::from_secs(20), trying).await;
            let answer = answer.expect("nobody waits for a record");
            said.push((answer.status, answer.header("retry-after").map(str::to_owned)));
        }
    }
    let (known, unknown) = said.split_at(6);
    assert_eq!(known, unknown, "a user is closed as a stranger is");
    assert_eq!(known.last().unwrap(), &(429, Some("31".to_owned())));
    drop(held);
    house.settled().await;
    let logins = records(&house, "user.login").await;
    let wrong = logins.iter().filter(|it| it["outcome"] == "ERROR_AUTHENTICATE_FAILURE");
    assert_eq!(wrong.count(), 5, "{logins:?}");
    assert_eq!(records(&house, "user.lock").await.len(), 1);
}

#[actix_web::test]
async fn a_lock_counts_from_when_the_password_was_there() {
    let house = Rc::new(House::new().await);
    let id = user(&house, "ada", "DOMAIN_ADMIN").await;
    for _ in 0..5 {
        let clock = Rc::clone(&house);
        let later = async move { clock.later(TimeDelta::seconds(25)) };
        let asked = json!({ "name": "ada", "password": "wrong horse battery" });
        let login = TestRequest::post().uri("/api/v1/login");
        assert_eq!(slowly(&house, login, &asked, later).await.status, 401);
    }
    house.settled().await;
    let shown = house.done("/api/v1/user/get", json!({ "user_id": id })).await;
    let until = house.now() + TimeDelta::seconds(30);
    assert_eq!(shown["locked_until"], until.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
}

#[actix_web::test]
async fn no_password_is_looked_at_for_a_user_that_its_maker_may_not_make() {
    let house = House::new().await;
    let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    let owner = house.as_token(owner);
    let asked = json!({ "name": "eve", "password": "short", "role": "SYSTEM_ADMIN" });
    let refused = owner.post("/api/v1/user/create", asked).await;
    assert_eq!(refused.code(), "ERROR_PERMISSION_DENIED", "{refused:?}");
    assert_eq!(records(&house, "user.create").await[0]["outcome"], "ERROR_PERMISSION_DENIED");
}

#[actix_web::test]
async fn whoever_asks_to_log_in_and_says_nothing_is_counted() {
    let house = House::new().await;
    for (path, body) in [
        ("/api/v1/login", "{"),
        ("/api/v1/login", "{\"name\": \"ada\"}"),
        ("/api/sessions", "{}"),
        ("/api/v1/token", "{}"),
        ("/oauth2/token", "grant_type=password"),
    ] {
        let asked = TestRequest::post().uri(path).set_payload(body);
        assert_eq!(house.send(asked).await.status, 400, "{path} {body}");
    }
    let unknown = "grant_type=client_credentials&client_id=x&client_secret=y";
    for body in [unknown, "grant_type=client_credentials"] {
        let asked = TestRequest::post().uri("/oauth2/token").set_payload(body);
        assert_eq!(house.send(asked).await.status, 401, "{body}");
    }
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    let calls = async |action: &str| {
        let records = records(&house, action).await;
        records.iter().filter_map(|it| it["details"]["calls"].as_u64()).sum::<u64>()
    };
    assert_eq!(calls("user.login").await, 3);
    assert_eq!(calls("application.login").await, 4);
}
