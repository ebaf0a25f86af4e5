//! What services report of what is done in them: the rules of the fields, retries, batches, and looking for it.

use alertmill::clock::rfc3339;
use serde_json::{Value, json};

use crate::{
    client::Server,
    clients,
    harness::{Answer, Caller, House},
};

const EVENTS: &str = "/v1/events";
const BATCH: &str = "/v1/events:batchCreate";
const SEARCH: &str = "/v1/events:search";

/// A token of a service.
async fn service(house: &House) -> String {
    let asked = json!({
        "name": "engine manager", "role": "SERVICE", "workspace_id": "default", "projects": ["default"],
    });
    let made = house.done("/api/v1/token/create", asked).await;
    made["token"].as_str().unwrap().to_owned()
}

/// The identifier of the event of this number.
fn id(number: usize) -> String {
    format!("b096430b-c7a8-47f2-a129-{number:012x}")
}

/// A second ago; a search that says no end looks for what was before now.
fn just_now(house: &House) -> String {
    rfc3339(house.now() - chrono::TimeDelta::seconds(1))
}

/// An event that is as it should be.
fn event(house: &House) -> Value {
    json!({
        "eventTime": just_now(house),
        "eventSource": "h2oai-enginemanager-server",
        "action": "actions/enginemanager/daiEngines/CREATE",
        "readOnly": false,
        "status": { "code": 0, "message": "" },
        "principal": "users/john.doe",
        "sourceIpAddress": "10.0.1.50",
    })
}

/// The same with this instead.
fn with(mut event: Value, field: &str, value: Value) -> Value {
    event[field] = value;
    event
}

async fn create(caller: &Caller<'_>, number: usize, event: &Value) -> Answer {
    caller.post(&format!("{EVENTS}?eventId={}", id(number)), event.clone()).await
}

fn requests(events: impl IntoIterator<Item = (usize, Value)>) -> Value {
    let request = |(number, event)| json!({ "eventId": id(number), "event": event });
    json!({ "requests": events.into_iter().map(request).collect::<Vec<_>>() })
}

/// The names of what a search finds.
async fn found(caller: &Caller<'_>, filter: Value) -> Vec<String> {
    let answer = caller.done(SEARCH, json!({ "filter": filter })).await;
    let events = answer["events"].as_array().unwrap().iter();
    events.map(|event| event["name"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn an_event_is_answered_as_it_is_kept() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    let event = with(event(&house), "receiveTime", json!("1999-01-01T00:00:00Z"));
    let event = with(event, "resource", json!("//engine-manager/workspaces/w/daiEngines/e"));
    let answer = create(&service, 1, &event).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    insta::assert_json_snapshot!(answer.body);
}

#[actix_web::test]
async fn a_field_that_is_missing_is_named() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    for (field, name) in [
        ("eventTime", "event_time"),
        ("eventSource", "event_source"),
        ("action", "action"),
        ("readOnly", "read_only"),
        ("status", "status"),
        ("principal", "principal"),
        ("sourceIpAddress", "source_ip_address"),
    ] {
        let answer = create(&service, 1, &with(event(&house), field, Value::Null)).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!(3)), "{answer:?}");
        assert_eq!(answer.body["message"], format!("`{name}` is required"));
        let violation = &answer.body["details"][0]["fieldViolations"][0];
        assert_eq!(violation["field"], name);
    }
    let answer = service.post(EVENTS, event(&house)).await;
    assert_eq!(answer.body["message"], "`event_id` is required");
    for wrong in ["invalid-id", "b096430b-c7a8-17f2-a129-d9ae58cf454f"] {
        let answer = service.post(&format!("{EVENTS}?eventId={wrong}"), event(&house)).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!(3)));
        assert_eq!(answer.body["details"][0]["fieldViolations"][0]["field"], "event_id");
    }
}

#[actix_web::test]
async fn what_breaks_a_rule_is_refused_and_never_kept() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    for (field, value) in [
        ("metadata", json!({ "Invalid-Key": "value" })),
        ("metadata", json!({ "": "value" })),
        ("metadata", json!({ "a".repeat(64): "value" })),
        ("metadata", json!({ "key": 5 })),
        ("status", json!({ "code": 17 })),
        ("status", json!({ "code": "0" })),
        ("sourceIpAddress", json!("here")),
        ("resource", json!("https://engine-manager/workspaces/w")),
        ("workspace", json!("my-workspace")),
        ("eventTime", json!("now")),
        ("eventSource", json!("alertmill")),
        ("type", json!("TYPE_OTHER")),
        ("principle", json!("users/john.doe")),
        ("readOnly", json!("no")),
    ] {
        let answer = create(&service, 1, &with(event(&house), field, value.clone())).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (400, &json!(3)),
            "{field} {value}: {answer:?}"
        );
        assert!(answer.body["details"][0]["fieldViolations"][0]["field"].is_string());
    }
    for key in ["a".to_owned(), "a".repeat(63)] {
        let event = with(event(&house), "metadata", json!({ key: "value" }));
        let answer = create(&service, 2, &event).await;
        assert!(matches!(answer.status, 200 | 409), "{answer:?}");
    }
    assert_eq!(found(&service, json!({})).await.len(), 1);
}

#[actix_web::test]
async fn private_addresses_are_not_kept_and_public_ones_are() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    let addresses = [
        ("private", "private"),
        ("192.168.1.100", "private"),
        ("172.31.0.1", "private"),
        ("172.32.0.1", "172.32.0.1"),
        ("127.0.0.1", "private"),
        ("169.254.0.1", "private"),
        ("fd00::1", "private"),
        ("fe80::1", "private"),
        ("::1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:DB8::7", "2001:db8::7"),
    ];
    for (number, (sent, kept)) in addresses.into_iter().enumerate() {
        let event = with(event(&house), "sourceIpAddress", json!(sent));
        let answer = create(&service, number, &event).await;
        assert_eq!(answer.body["event"]["sourceIpAddress"], kept, "{sent}");
    }
    let list = house.post("/api/v1/audit/list", json!({})).await.text;
    for sent in ["192.168.1.100", "172.31.0.1", "fd00::1"] {
        assert!(!list.contains(sent), "{sent}");
    }
}

#[actix_web::test]
async fn who_says_the_same_again_is_told_the_same() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    let said = event(&house);
    let first = create(&service, 1, &said).await.body;
    house.later(chrono::TimeDelta::seconds(5));
    assert_eq!(create(&service, 1, &said).await.body, first);
    let upper = format!("{EVENTS}?eventId={}", id(1).to_uppercase());
    assert_eq!(service.post(&upper, said.clone()).await.body, first);
    let other = create(&service, 1, &with(said, "principal", json!("users/jane.doe"))).await;
    assert_eq!((other.status, &other.body["code"]), (409, &json!(6)), "{other:?}");
    assert_eq!(found(&service, json!({})).await.len(), 1);
}

#[actix_web::test]
async fn of_a_batch_what_is_good_is_kept_and_the_rest_is_told_by_its_place() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    let good = event(&house);
    let bad = with(good.clone(), "principal", Value::Null);
    let mut batch = requests([(1, good.clone()), (2, bad), (3, good.clone()), (1, good.clone())]);
    batch["requests"].as_array_mut().unwrap().push(json!({ "eventId": id(5) }));
    batch["requests"].as_array_mut().unwrap().push(json!("nothing"));
    for _ in 0..2 {
        let answer = service.done(BATCH, batch.clone()).await;
        let names: Vec<&Value> =
            answer["events"].as_array().unwrap().iter().map(|event| &event["name"]).collect();
        assert_eq!(names, [&format!("events/{}", id(1)), &format!("events/{}", id(3))]);
        let failed = answer["failedRequests"].as_object().unwrap();
        let codes: Vec<_> = failed.iter().map(|(at, why)| (&**at, why["code"].as_u64())).collect();
        assert_eq!(codes, [("1", Some(3)), ("3", Some(6)), ("4", Some(3)), ("5", Some(3))]);
        assert_eq!(failed["1"]["message"], "`principal` is required");
        let field = &failed["1"]["details"][0]["fieldViolations"][0]["field"];
        assert_eq!(field, "requests.1.event.principal");
    }
    assert_eq!(found(&service, json!({})).await.len(), 2);
    let trail = house.get("/api/v1/audit?action=posted_event.batch_create").await.body;
    let told = trail["results"].as_array().unwrap();
    assert_eq!(told.len(), 2, "one of each call: {trail:#}");
    assert_eq!(told[0]["outcome"], "ERROR_REQUIRED_PARAMETER", "{trail:#}");
    assert_eq!((&told[0]["details"]["refused"], &told[0]["details"]["of"]), (&json!(4), &json!(6)));
    assert_eq!(told[0]["details"]["which"][0]["at"], "/requests/1", "{trail:#}");
}

#[actix_web::test]
async fn a_thousand_are_taken_at_once_and_one_more_is_refused_whole() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    let events = |count: usize| requests((0..count).map(|number| (number, event(&house))));
    let answer = service.post(BATCH, events(1001)).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!(3)));
    assert_eq!(found(&service, json!({})).await.len(), 0);
    let answer = service.done(BATCH, events(1000)).await;
    assert_eq!(answer["events"].as_array().unwrap().len(), 1000);
    assert_eq!(answer["failedRequests"], json!({}));
    let usual = service.done(SEARCH, json!({})).await;
    assert_eq!(usual["events"].as_array().unwrap().len(), 50);
    let page = json!({ "pageSize": 5000 });
    let page = service.done(SEARCH, page).await;
    assert_eq!(page["events"].as_array().unwrap().len(), 1000);
    assert_eq!(page["nextPageToken"], "");
}

#[actix_web::test]
async fn only_services_create_and_who_reaches_a_domain_looks() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    assert_eq!(create(&service, 1, &event(&house)).await.status, 200);
    let made = |name: &'static str, role: &'static str, more: Value| {
        let mut asked = json!({ "name": name, "role": role });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = house.done("/api/v1/token/create", asked);
        async { made.await["token"].as_str().unwrap().to_owned() }
    };
    let domain = made("auditor", "DOMAIN_ADMIN", json!({ "domain_id": "default" })).await;
    let owner = made("owner", "WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    for caller in [house.admin(), house.as_token(&*domain), house.as_token(&*owner)] {
        for (path, body) in [
            (format!("{EVENTS}?eventId={}", id(2)), event(&house)),
            (BATCH.to_owned(), requests([(2, event(&house))])),
        ] {
            let answer = caller.post(&path, body).await;
            assert_eq!((answer.status, &answer.body["code"]), (405, &json!(12)), "{answer:?}");
            assert!(answer.headers.iter().any(|(name, _)| name == "allow"));
        }
    }
    let posted = json!({ "eventSourceRegex": "^h2oai" });
    for caller in [&house.admin(), &house.as_token(&*domain), &service] {
        assert_eq!(found(caller, posted.clone()).await, [format!("events/{}", id(1))]);
    }
    let other = self::service_of(&house, "another").await;
    assert_eq!(found(&house.as_token(&*other), json!({})).await, [""; 0]);
    let refused = house.as_token(&*owner).post(SEARCH, json!({})).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!(7)));
    let stranger = house.as_token("nobody").post(SEARCH, json!({})).await;
    assert_eq!((stranger.status, &stranger.body["code"]), (401, &json!(16)));
}

async fn service_of(house: &House, name: &str) -> String {
    let asked = json!({
        "name": name, "role": "SERVICE", "workspace_id": "default", "projects": ["default"],
    });
    house.done("/api/v1/token/create", asked).await["token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn pages_yield_each_event_once_while_more_are_reported() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    // Many of the same moment, some before, some after.
    for number in 0..40 {
        if number % 8 == 0 {
            house.later(chrono::TimeDelta::milliseconds(1));
        }
        assert_eq!(create(&service, number, &event(&house)).await.status, 200);
    }
    let filter = json!({ "metadataExact": {}, "principalRegex": "^users/john" });
    let (mut names, mut token, mut size) = (Vec::new(), json!(""), 3);
    let mut until = rfc3339(house.now() + chrono::TimeDelta::days(1));
    loop {
        let asked = json!({ "filter": filter, "pageSize": size, "pageToken": token });
        let page = service.done(SEARCH, asked).await;
        names.extend(page["events"].as_array().unwrap().iter().map(|event| event["name"].clone()));
        token = page["nextPageToken"].clone();
        let searched = page["searchedUntilTime"].as_str().unwrap().to_owned();
        assert!(searched <= until, "{searched} {until}");
        until = searched;
        if token == "" {
            break;
        }
        // What comes meanwhile is newer than what is asked for.
        house.later(chrono::TimeDelta::milliseconds(1));
        let number = 100 + names.len();
        assert_eq!(create(&service, number, &event(&house)).await.status, 200);
        size = if size == 3 { 7 } else { 3 };
    }
    let expected: Vec<String> =
        (0..40).rev().map(|number| format!("events/{}", id(number))).collect();
    assert_eq!(names, expected);
    assert_eq!(until, "2025-07-01T00:00:00Z");
    let other = json!({ "filter": {}, "pageToken": token_of(&service).await });
    let answer =
        service.post(SEARCH, json!({ "filter": filter, "pageToken": other["pageToken"] })).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!(3)));
    let answer = service.post(SEARCH, json!({ "pageSize": -1 })).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!(3)));
}

/// The token of the second page of a search for everything.
async fn token_of(caller: &Caller<'_>) -> Value {
    caller.done(SEARCH, json!({ "pageSize": 1 })).await["nextPageToken"].clone()
}

#[actix_web::test]
async fn events_are_found_by_their_status_and_by_what_else_is_said() {
    let house = House::new().await;
    let token = service(&house).await;
    let service = house.as_token(&*token);
    for code in 0..17 {
        let event = with(event(&house), "status", json!({ "code": code, "message": "m" }));
        let event = with(
            event,
            "resource",
            json!(format!("//engine-manager/workspaces/w{code}/daiEngines/e")),
        );
        let answer = create(&service, code, &event).await;
        assert_eq!(answer.body["event"]["status"], json!({ "code": code, "message": "m" }));
    }
    for (filter, count) in [
        (json!({ "statusCodeRegex": "^(0|3)$" }), 2),
        (json!({ "statusCodeRegex": "^16$" }), 1),
        (json!({ "statusCodeRegex": "^$" }), 0),
        (json!({ "workspaceExact": "workspaces/w7" }), 1),
        (json!({ "workspaceRegex": "/w1" }), 8),
        (json!({ "resourceExact": "//engine-manager/workspaces/w7/daiEngines/e" }), 1),
        (json!({ "principalExact": "users/john.doe", "statusCodeRegex": "^1." }), 7),
        (json!({ "principalExact": "users/nobody" }), 0),
        (json!({ "endEventTime": just_now(&house) }), 0),
        (json!({ "startEventTime": just_now(&house), "endEventTime": null }), 17),
    ] {
        assert_eq!(
            found(&house.admin(), with(filter.clone(), "eventSourceRegex", json!("^h2oai")))
                .await
                .len(),
            count,
            "{filter}"
        );
    }
    house.later(chrono::TimeDelta::milliseconds(1));
    assert_eq!(found(&service, json!({ "startEventTime": rfc3339(house.now()) })).await.len(), 0);
    let answer = service.post(SEARCH, json!({ "filter": { "actionRegex": "(?=x)" } })).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!(3)));
    let field = &answer.body["details"][0]["fieldViolations"][0]["field"];
    assert_eq!(field, "filter.action_regex");
    let answer = service.post(SEARCH, json!({ "filter": { "principalLike": "x" } })).await;
    assert_eq!(answer.status, 400);
}

#[actix_web::test]
async fn what_is_done_in_alertmill_is_found_among_what_services_report() {
    let house = House::new().await;
    let token = service(&house).await;
    create(&house.as_token(&*token), 1, &event(&house)).await;
    house.later(chrono::TimeDelta::milliseconds(1));
    let ours =
        json!({ "filter": { "eventSourceExact": "alertmill", "actionExact": "token.create" } });
    let ours = house.done(SEARCH, ours).await;
    let made = &ours["events"][0];
    assert_eq!(made["action"], "token.create");
    assert_eq!(made["type"], "TYPE_API");
    assert_eq!(made["status"]["code"], 0);
    let resource = made["resource"].as_str().unwrap();
    assert!(resource.starts_with("//alertmill/tokens/token-"), "{resource}");
    assert_eq!(found(&house.admin(), json!({ "resourceExact": resource })).await.len(), 1);
    let principal = made["principal"].clone();
    assert!(!found(&house.admin(), json!({ "principalExact": principal })).await.is_empty());
    // Who may not create is told so, and that is recorded.
    create(&house.admin(), 2, &event(&house)).await;
    house.later(chrono::TimeDelta::milliseconds(1));
    let refused = json!({ "actionExact": "posted_event.create", "statusCodeRegex": "^12$" });
    assert_eq!(found(&house.admin(), refused).await.len(), 1);
    // No search tells the service's own token.
    let all = house.done(SEARCH, json!({ "pageSize": 1000 })).await.to_string();
    assert!(!all.contains(&token));
}

#[actix_web::test]
async fn the_version_is_told_to_anyone() {
    let house = House::new().await;
    let answer = house.as_token("nobody").get("/version").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn its_client_does_what_its_documentation_shows() {
    let Some(python) = clients::python() else { return };
    let server = Server::start(&[]);
    let token = json!({
        "name": "engine manager", "role": "SERVICE", "workspace_id": "default", "projects": ["default"],
    });
    let service = server.ask("/api/v1/token/create", &token);
    let user = json!({ "name": "auditor", "role": "DOMAIN_ADMIN", "domain_id": "default" });
    let user = server.ask("/api/v1/token/create", &user);
    let tokens = [service["token"].as_str().unwrap(), user["token"].as_str().unwrap()];
    let told = clients::run(&python, "h2o.py", &server, &tokens);
    assert!(told.ends_with("done\n"), "{told}");
}
