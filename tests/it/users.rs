//! People and machines that log in: what they are given, and how it ends.

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, House};

pub const PASSWORD: &str = "correct horse battery";

/// Makes a user with this password; its identifier.
pub async fn user(house: &House, name: &str, role: &str) -> String {
    let mut asked = json!({ "name": name, "password": PASSWORD, "role": role });
    match role {
        "SYSTEM_ADMIN" => {}
        "DOMAIN_ADMIN" => asked["domain_id"] = json!("default"),
        "WORKSPACE_OWNER" => asked["workspace_id"] = json!("default"),
        _ => {
            asked["workspace_id"] = json!("default");
            asked["projects"] = json!(["default"]);
        }
    }
    let made = house.done("/api/v1/user/create", asked).await;
    made["user_id"].as_str().unwrap().to_owned()
}

/// Logs in, from nowhere in particular.
pub async fn log_in(house: &House, name: &str, password: &str) -> Answer {
    let asked = json!({ "name": name, "password": password });
    let answer = house.send(TestRequest::post().uri("/api/v1/login").set_json(asked)).await;
    house.settled().await;
    answer
}

/// Logs in with the right password; the token.
pub async fn session(house: &House, name: &str) -> String {
    let answer = log_in(house, name, PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["token"].as_str().unwrap().to_owned()
}

/// The newest records of an action.
pub async fn records(house: &House, action: &str) -> Vec<Value> {
    let page = house.get(&format!("/api/v1/audit?action={action}")).await;
    page.body["results"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_user_logs_in_does_what_the_role_allows_and_logs_out() {
    let house = House::new().await;
    let id = user(&house, "Ada@example.org", "WORKSPACE_OWNER").await;
    let answer = log_in(&house, " ada@EXAMPLE.org", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.body["token"].as_str().unwrap();
    assert!(token.starts_with("ams_"), "{token}");
    assert_eq!(answer.body["expires_at"], "2026-01-01T12:00:00.000Z");
    let ada = house.as_token(token);
    let me = ada.found("/api/v1/me").await;
    assert_eq!(me["actor"], format!("user:{id}"));
    assert_eq!(me["name"], "Ada@example.org");
    let project = json!({ "name": "hers", "workspace_id": "default" });
    ada.done("/api/v1/project/create", project).await;
    assert_eq!(records(&house, "project.create").await[0]["actor_name"], "Ada@example.org");
    assert_eq!(ada.post("/api/v1/domain/create", json!({ "name": "d" })).await.status, 403);
    ada.done("/api/v1/logout", json!({})).await;
    assert_eq!(ada.get("/api/v1/me").await.status, 401);
    let (login, logout) =
        (records(&house, "user.login").await, records(&house, "user.logout").await);
    assert_eq!((login.len(), logout.len()), (1, 1));
    assert_eq!(login[0]["resource"], format!("user:{id}"));
    assert_eq!(login[0]["actor"], format!("user:{id}"));
    assert_eq!(logout[0]["actor"], format!("user:{id}"));
}

#[actix_web::test]
async fn a_session_ends_by_itself_and_is_forgotten() {
    let house = House::new().await;
    user(&house, "ada", "DOMAIN_ADMIN").await;
    let token = session(&house, "ada").await;
    house.later(TimeDelta::hours(12));
    assert_eq!(house.as_token(&token).get("/api/v1/me").await.status, 401);
    let open = house.done("/api/v1/session/list", json!({})).await;
    assert_eq!(open["total_count"], 0);
}

#[actix_web::test]
async fn an_unknown_name_and_a_wrong_password_are_answered_alike() {
    let house = House::new().await;
    user(&house, "ada", "DOMAIN_ADMIN").await;
    let passwordless = json!({ "name": "bob", "external_id": "x", "role": "SYSTEM_ADMIN" });
    house.done("/api/v1/user/create", passwordless).await;
    let mut said = Vec::new();
    for name in ["ada", "nobody", "bob", ""] {
        let mut answer = log_in(&house, name, "wrong horse battery").await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        answer.body["request_id"] = json!("");
        said.push(answer.body);
    }
    assert!(said.windows(2).all(|two| two[0] == two[1]), "{said:?}");
}

#[actix_web::test]
async fn a_user_is_closed_for_a_while_after_five_wrong_passwords() {
    let house = House::new().await;
    let id = user(&house, "ada", "DOMAIN_ADMIN").await;
    for _ in 0..5 {
        assert_eq!(log_in(&house, "ada", "wrong horse battery").await.status, 401);
    }
    let closed = log_in(&house, "ada", PASSWORD).await;
    assert_eq!(closed.code(), "ERROR_TOO_MANY_REQUESTS");
    assert_eq!(closed.header("retry-after"), Some("31"));
    let shown = house.done("/api/v1/user/get", json!({ "user_id": id })).await;
    assert_eq!(shown["locked_until"], "2026-01-01T00:00:30.000Z");
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    session(&house, "ada").await;
    let logins = records(&house, "user.login").await;
    let outcomes: Vec<_> = logins.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    let wrong = "ERROR_AUTHENTICATE_FAILURE";
    assert_eq!(outcomes, ["SUCCESS", "ERROR_TOO_MANY_REQUESTS", wrong, wrong, wrong, wrong, wrong]);
    assert!(logins.iter().all(|it| it["resource"] == format!("user:{id}")));
    let locks = records(&house, "user.lock").await;
    assert_eq!(locks.len(), 1);
    assert_eq!(locks[0]["after"]["locked_until"], "2026-01-01T00:00:30.000Z");
}

#[actix_web::test]
async fn a_lock_survives_a_restart_and_an_administrator_opens_it() {
    let mut house = House::new().await;
    let id = user(&house, "ada", "DOMAIN_ADMIN").await;
    for _ in 0..5 {
        log_in(&house, "ada", "wrong horse battery").await;
    }
    house.reopen().await;
    assert_eq!(log_in(&house, "ada", PASSWORD).await.status, 429);
    house.done("/api/v1/user/enable", json!({ "user_id": id })).await;
    session(&house, "ada").await;
}

#[actix_web::test]
async fn another_password_and_disabling_end_every_session() {
    let house = House::new().await;
    let id = user(&house, "ada", "WORKSPACE_MEMBER").await;
    let other = "another horse battery";
    let (first, second) = (session(&house, "ada").await, session(&house, "ada").await);
    let changed = json!({ "password": PASSWORD, "new_password": other });
    house.as_token(&first).done("/api/v1/user/change-password", changed).await;
    for token in [&first, &second] {
        assert_eq!(house.as_token(token).get("/api/v1/me").await.status, 401);
    }
    assert_eq!(log_in(&house, "ada", PASSWORD).await.status, 401);
    let third = log_in(&house, "ada", other).await.body["token"].as_str().unwrap().to_owned();
    house.done("/api/v1/user/set-password", json!({ "user_id": id, "password": PASSWORD })).await;
    assert_eq!(house.as_token(&third).get("/api/v1/me").await.status, 401);
    let fourth = session(&house, "ada").await;
    house.done("/api/v1/user/disable", json!({ "user_id": id })).await;
    assert_eq!(house.as_token(&fourth).get("/api/v1/me").await.status, 401);
    assert_eq!(log_in(&house, "ada", PASSWORD).await.status, 401);
    house.done("/api/v1/user/enable", json!({ "user_id": id })).await;
    let fifth = session(&house, "ada").await;
    house.done("/api/v1/user/delete", json!({ "user_id": id })).await;
    assert_eq!(house.as_token(&fifth).get("/api/v1/me").await.status, 401);
    assert_eq!(log_in(&house, "ada", PASSWORD).await.status, 401);
}

#[actix_web::test]
async fn what_a_user_may_do_changes_in_open_sessions_too() {
    let house = House::new().await;
    let id = user(&house, "ada", "SYSTEM_ADMIN").await;
    let token = session(&house, "ada").await;
    let ada = house.as_token(&token);
    ada.done("/api/v1/domain/create", json!({ "name": "more" })).await;
    let less = json!({ "user_id": id, "role": "DOMAIN_ADMIN", "domain_id": "default" });
    house.done("/api/v1/user/update", less).await;
    assert_eq!(ada.post("/api/v1/domain/create", json!({ "name": "d" })).await.status, 403);
    assert_eq!(ada.found("/api/v1/me").await["role"], "DOMAIN_ADMIN");
}

#[actix_web::test]
async fn nobody_makes_a_user_who_may_do_more() {
    let house = House::new().await;
    let root = user(&house, "root", "SYSTEM_ADMIN").await;
    let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    let owner = house.as_token(owner);
    let more = json!({ "name": "eve", "password": PASSWORD, "role": "SYSTEM_ADMIN" });
    assert_eq!(owner.post("/api/v1/user/create", more).await.status, 403);
    for verb in ["get", "disable", "delete", "enable"] {
        let asked = json!({ "user_id": root });
        assert_eq!(owner.post(&format!("/api/v1/user/{verb}"), asked).await.status, 404, "{verb}");
    }
    let asked = json!({ "user_id": root, "password": "a password of eve" });
    assert_eq!(owner.post("/api/v1/user/set-password", asked).await.status, 404);
    assert_eq!(owner.done("/api/v1/user/list", json!({})).await["total_count"], 0);
}

#[actix_web::test]
async fn a_bad_password_or_a_taken_name_is_refused_by_its_place() {
    let house = House::new().await;
    user(&house, "ada", "SYSTEM_ADMIN").await;
    for (name, password, pointer) in [
        ("bob", json!("short"), "/password"),
        ("bobby", json!("bobby has a horse"), "/password"),
        ("a b", json!(PASSWORD), "/name"),
        ("ADA", json!(PASSWORD), "/name"),
        ("ad\u{200b}a", json!(PASSWORD), "/name"),
        ("bob", json!(471_108_154_711_u64), "/password"),
    ] {
        let asked = json!({ "name": name, "password": password, "role": "SYSTEM_ADMIN" });
        let answer = house.post("/api/v1/user/create", asked).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert_eq!(answer.pointers(), [pointer], "{answer:?}");
    }
    let all = house.get("/api/v1/audit").await.text;
    for secret in [PASSWORD, "471108154711", "bobby has", "argon2"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[actix_web::test]
async fn an_application_gets_a_token_for_its_secret_in_three_ways() {
    let house = House::new().await;
    let asked = json!({ "name": "audit reader", "role": "DOMAIN_ADMIN", "domain_id": "default" });
    let made = house.done("/api/v1/application/create", asked).await;
    let id = made["application_id"].as_str().unwrap();
    let secret = made["secret"].as_str().unwrap();
    let pair = json!({ "grantType": "app_token", "AppId": id, "AppSecret": secret });
    let given = house.send(TestRequest::post().uri("/api/v1/token").set_json(pair)).await;
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let form = TestRequest::post().uri("/oauth2/token").set_payload(form);
    let formed =
        house.send(form.insert_header(("Content-Type", "application/x-www-form-urlencoded"))).await;
    let basic =
        TestRequest::post().uri("/oauth2/token").set_payload("grant_type=client_credentials");
    let basic = basic.insert_header(actix_web::http::header::ContentType::form_url_encoded());
    let auth = base64(&format!("{id}:{secret}"));
    let basic = house.send(basic.insert_header(("Authorization", format!("Basic {auth}")))).await;
    assert_eq!(formed.body["token_type"], "Bearer", "{formed:?}");
    assert_eq!(formed.header("cache-control"), Some("no-store"));
    let tokens =
        [&given.body["accessToken"], &formed.body["access_token"], &basic.body["access_token"]];
    for token in tokens.map(|token| token.as_str().expect("a token")) {
        let me = house.as_token(token).found("/api/v1/me").await;
        assert_eq!(me["actor"], format!("application:{id}"));
        assert_eq!(me["name"], "audit reader");
    }
    assert_eq!(records(&house, "application.login").await.len(), 3);
    let anew =
        house.done("/api/v1/application/rotate-secret", json!({ "application_id": id })).await;
    assert_ne!(anew["secret"], secret);
    for token in tokens.map(|token| token.as_str().unwrap()) {
        assert_eq!(house.as_token(token).get("/api/v1/me").await.status, 401);
    }
}

#[actix_web::test]
async fn a_wrong_secret_is_refused_and_counted() {
    let house = House::new().await;
    let asked = json!({ "name": "reader", "role": "DOMAIN_ADMIN", "domain_id": "default" });
    let made = house.done("/api/v1/application/create", asked).await;
    let id = made["application_id"].as_str().unwrap();
    for who in [id, "application-unknown"] {
        let pair = json!({ "grantType": "app_token", "AppId": who, "AppSecret": "amc_wrong" });
        let answer = house.send(TestRequest::post().uri("/api/v1/token").set_json(pair)).await;
        assert_eq!(answer.code(), "ERROR_AUTHENTICATE_FAILURE");
    }
    let form = "grant_type=client_credentials&client_id=x&client_secret=y";
    let refused = house.send(TestRequest::post().uri("/oauth2/token").set_payload(form)).await;
    assert_eq!((refused.status, &refused.body["error"]), (401, &json!("invalid_client")));
    let other = TestRequest::post().uri("/oauth2/token").set_payload("grant_type=password");
    assert_eq!(house.send(other).await.body["error"], "unsupported_grant_type");
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    let failed = records(&house, "application.login").await;
    let of = |resource: &Value, outcome: &str| {
        let those = failed.iter().filter(|it| it["resource"] == *resource);
        those.filter(|it| it["outcome"] == outcome).count()
    };
    assert_eq!(of(&json!(format!("application:{id}")), "ERROR_AUTHENTICATE_FAILURE"), 1);
    let named = failed.iter().filter(|it| it["entity_name"] == "reader").count();
    assert_eq!((failed.len(), named), (3, 1), "{failed:?}");
}

fn base64(text: &str) -> String {
    use std::fmt::Write as _;
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut written = String::new();
    for three in text.as_bytes().chunks(3) {
        let mut bits = [0; 3];
        bits[..three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        for at in 0..4 {
            let letter = LETTERS[usize::try_from((bits >> (18 - 6 * at)) & 63).unwrap()];
            let _ = write!(written, "{}", if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    written
}

#[actix_web::test]
async fn no_more_than_a_hundred_sessions_are_open_at_once() {
    let house = House::new().await;
    let asked = json!({ "name": "reader", "role": "DOMAIN_ADMIN", "domain_id": "default" });
    let made = house.done("/api/v1/application/create", asked).await;
    let pair = json!({
        "grantType": "app_token", "AppId": made["application_id"], "AppSecret": made["secret"],
    });
    for _ in 0..102 {
        house.send(TestRequest::post().uri("/api/v1/token").set_json(&pair)).await;
    }
    let open = house.done("/api/v1/session/list", json!({ "query": { "count_only": true } })).await;
    assert_eq!(open["total_count"], 100);
    house.later(TimeDelta::hours(26));
    house.hour().await;
    assert_eq!(house.done("/api/v1/token/list", json!({})).await["total_count"], 1);
}

#[actix_web::test]
async fn an_administrator_ends_a_session() {
    let house = House::new().await;
    user(&house, "ada", "DOMAIN_ADMIN").await;
    let token = session(&house, "ada").await;
    let open = house.done("/api/v1/session/list", json!({})).await;
    let id = &open["results"][0]["session_id"];
    assert_eq!(open["results"][0]["name"], "ada");
    house.done("/api/v1/session/end", json!({ "session_id": id })).await;
    assert_eq!(house.as_token(&token).get("/api/v1/me").await.status, 401);
}
