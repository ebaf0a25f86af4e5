//! Events, audit events and communication events, and what emits them (Iguazio's dialect).

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::{
    client::Server,
    clients,
    harness::{Answer, Caller, House},
};

const LISTS: [&str; 3] = ["events", "audit_events", "communication_events"];

/// A request that emits an event with these attributes.
fn event(attributes: Value) -> Value {
    let mut whole = json!({ "source": "stars", "kind": "My.Star.Born", "severity": "info", "classification": "hw" });
    for (name, value) in attributes.as_object().unwrap() {
        whole[name] = value.clone();
    }
    json!({ "data": { "type": "event", "attributes": whole, "relationships": {} } })
}

/// The same as an audit event of a tenant.
fn audit_event(attributes: Value, tenant: &str) -> Value {
    let mut request = event(attributes);
    let data = json!({ "type": "tenant", "id": tenant });
    request["data"]["relationships"] = json!({ "audit_tenant": { "data": data } });
    request
}

async fn emitted(house: &House, request: Value) -> Value {
    let answer = house.post("/api/manual_events", request).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body["data"].clone()
}

/// What a list answers to this query.
async fn listed(caller: Caller<'_>, list: &str, query: &str) -> Vec<Value> {
    let body = caller.found(&format!("/api/{list}?{query}")).await;
    body["data"].as_array().unwrap().clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["attributes"]["kind"].as_str().unwrap()).collect()
}

fn places(answer: &Answer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().unwrap().iter();
    errors.map(|error| error["source"]["pointer"].as_str().unwrap_or_default()).collect()
}

#[actix_web::test]
async fn an_event_is_in_one_list_alone() {
    let house = House::new().await;
    emitted(&house, event(json!({ "kind": "An.Event" }))).await;
    emitted(&house, audit_event(json!({ "kind": "An.Audit" }), "default")).await;
    let mut told = event(json!({ "kind": "A.Message" }));
    told["data"]["type"] = json!("communication_event");
    emitted(&house, told).await;
    emitted(&house, event(json!({ "kind": "Software.Service.Message" }))).await;
    let expected: [&[&str]; 3] =
        [&["An.Event"], &["An.Audit"], &["Software.Service.Message", "A.Message"]];
    for (list, expected) in LISTS.into_iter().zip(expected) {
        let found = listed(house.admin(), list, "filter[source]=stars").await;
        assert_eq!(kinds(&found), expected, "{list}");
    }
}

#[actix_web::test]
async fn what_was_emitted_reads_back_as_it_was() {
    let house = House::new().await;
    let said = json!({
        "source": "mlrun", "kind": "Software.Project.Secret.Created", "visibility": "external",
        "classification": "sec", "system_event": true, "description": "Created a secret", "severity": "info",
        "parameters_text": [
            { "name": "secret_keys", "value": "a,b" }, { "name": "secret_name", "value": "s" },
            { "name": "project", "value": "p" },
        ],
        "tags": ["x", "y"], "timestamp_iso8601": "2025-06-01T12:00:00+02:00",
        "affected_resources": [{ "type": "secret", "id_str": "s", "id": 3, "name": "S" }],
    });
    let made = emitted(&house, audit_event(said.clone(), "default")).await;
    let path = format!("/api/audit_events/{}", made["id"].as_str().unwrap());
    let shown = house.admin().found(&path).await["data"].clone();
    assert_eq!(shown, made);
    assert_eq!(shown["relationships"]["tenant"]["data"]["id"], "default");
    for (field, value) in said.as_object().unwrap() {
        assert_eq!(&shown["attributes"][field], value, "{field}");
    }
    assert_eq!(shown["attributes"]["timestamp_uint64"], 1_748_772_000_000_u64);
    let elsewhere = path.replace("audit_events", "events");
    assert_eq!(house.get(&elsewhere).await.status, 404);
}

#[actix_web::test]
async fn filters_are_all_met_and_unknown_ones_are_refused() {
    let house = House::new().await;
    emitted(&house, event(json!({ "severity": "major", "visibility": "external" }))).await;
    emitted(&house, event(json!({ "kind": "My.Star.Dimmed", "classification": "cap" }))).await;
    emitted(&house, event(json!({ "source": "moons" }))).await;
    for (query, expected) in [
        ("filter[severity]=info", 2),
        ("filter[severity]=info&filter[classification]=cap", 1),
        ("filter[severity]=major&filter[classification]=cap", 0),
        ("filter[kind]=My.Star.Born", 2),
        ("filter[kind]=My.Star.Born&filter[source]=moons", 1),
        ("filter[visibility]=external", 1),
        ("filter[tenant]=default", 3),
        ("filter[tenant]=other", 0),
    ] {
        let found = listed(house.admin(), "events", query).await;
        assert_eq!(found.len(), expected, "{query}");
    }
    // The same of the other lists.
    let of_list = |list: &'static str, attributes: Value| {
        let mut request = match list {
            "audit_events" => audit_event(attributes, "default"),
            _ => event(attributes),
        };
        if list == "communication_events" {
            request["data"]["type"] = json!("communication_event");
        }
        request
    };
    for list in ["audit_events", "communication_events"] {
        let major = json!({ "severity": "major", "classification": "sla" });
        emitted(&house, of_list(list, major)).await;
        emitted(&house, of_list(list, json!({ "kind": "My.Star.Dimmed" }))).await;
        emitted(&house, of_list(list, json!({ "source": "moons" }))).await;
        for (query, expected) in [
            ("filter[source]=stars", 2),
            ("filter[source]=stars&filter[kind]=My.Star.Dimmed", 1),
            ("filter[source]=stars&filter[severity]=major", 1),
            ("filter[source]=stars&filter[classification]=sla&filter[severity]=info", 0),
            ("filter[source]=moons&filter[tenant]=default", 1),
            ("filter[source]=moons&filter[tenant]=other", 0),
        ] {
            let found = listed(house.admin(), list, query).await;
            assert_eq!(found.len(), expected, "{list} {query}");
        }
    }
    for (query, place) in [
        ("filter[sevrity]=info", "/filter[sevrity]"),
        ("filter[severity]=bad", "/filter[severity]"),
        ("sort=colour", "/sort"),
        ("page[size]=1001", "/page[size]"),
        ("page[number]=-1", "/page[number]"),
        ("include=tenant", "/include"),
    ] {
        let refused = house.get(&format!("/api/events?{query}")).await;
        assert_eq!((refused.status, places(&refused)), (400, vec![place]), "{query}: {refused:?}");
    }
}

#[actix_web::test]
async fn pages_sorts_and_totals_agree() {
    let house = House::new().await;
    let severities = ["info", "critical", "debug", "warning", "major", "info", "unknown"];
    for (at, severity) in severities.into_iter().enumerate() {
        let attributes = json!({ "severity": severity, "kind": format!("Kind.{at}") });
        emitted(&house, audit_event(attributes, "default")).await;
        house.later(chrono::TimeDelta::seconds(1));
    }
    for (list, sort) in [
        ("audit_events", ""),
        ("audit_events", "sort=timestamp_iso8601&"),
        ("audit_events", "sort=-severity&"),
        ("audit_events", "sort=kind&"),
        ("audit_events", "sort=source,-created_at&"),
        ("audit_events", "filter[severity]=info&"),
        ("audit_events", "filter[source]=stars&sort=-kind&"),
    ] {
        let whole = house.admin().found(&format!("/api/{list}?{sort}count=records")).await;
        let rows = whole["data"].as_array().unwrap();
        assert_eq!(whole["meta"]["total"], rows.len(), "{sort}");
        let counted = house.admin().found(&format!("/api/{list}?{sort}page[size]=0")).await;
        assert_eq!((&counted["meta"]["total"], &counted["data"]), (&json!(rows.len()), &json!([])));
        let mut paged = Vec::new();
        let mut next = Some(format!("/api/{list}?{sort}page[size]=3"));
        while let Some(path) = next {
            let page = house.admin().found(&path).await;
            paged.extend(page["data"].as_array().unwrap().clone());
            next = page["links"]["next"].as_str().map(str::to_owned);
        }
        assert_eq!(&paged, rows, "{sort}");
    }
    let worst = listed(house.admin(), "audit_events", "sort=-severity&filter[source]=stars").await;
    let worst: Vec<&str> =
        worst.iter().map(|event| event["attributes"]["severity"].as_str().unwrap()).collect();
    assert_eq!(worst, ["critical", "major", "warning", "info", "info", "debug", "unknown"]);
}

#[actix_web::test]
async fn what_does_not_fit_its_kind_is_refused_and_named() {
    let house = House::new().await;
    let wrong = json!({
        "kind": "Software.Project.Secret.Created",
        "parameters_text": [{ "name": "project", "value": "p" }, { "name": "colour", "value": "red" }],
    });
    let refused = house.post("/api/manual_events", event(wrong)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(
        places(&refused),
        ["/data/attributes/parameters_text/1/name", "/data/attributes/parameters_text"]
    );
    assert!(refused.text.contains("`colour`") && refused.text.contains("`secret_name`"));
    for (request, status, place) in [
        (json!({}), 400, "/data"),
        (event(json!({ "severity": "bad" })), 400, "/data/attributes/severity"),
        (event(json!({ "colour": "red" })), 400, "/data/attributes/colour"),
        (
            event(json!({ "parameters_uint64": [{ "name": "a", "value": -1 }] })),
            400,
            "/data/attributes/parameters_uint64/0/value",
        ),
        (audit_event(json!({}), "nobody"), 404, "/data/relationships/audit_tenant/data/id"),
    ] {
        let refused = house.post("/api/manual_events", request).await;
        assert_eq!((refused.status, places(&refused)), (status, vec![place]), "{refused:?}");
    }
}

#[actix_web::test]
async fn every_word_of_what_an_event_is_about_is_taken_and_found() {
    let house = House::new().await;
    for word in ["unknown", "hw", "ua", "bg", "sw", "sla", "cap", "sec", "audit", "system"] {
        emitted(&house, event(json!({ "classification": word }))).await;
        let query = format!("filter[source]=stars&filter[classification]={word}");
        assert_eq!(listed(house.admin(), "events", &query).await.len(), 1, "{word}");
    }
    let other = house.post("/api/manual_events", event(json!({ "classification": "emit" }))).await;
    assert_eq!((other.status, places(&other)), (400, vec!["/data/attributes/classification"]));
}

#[actix_web::test]
async fn emitting_needs_an_administrator_and_a_refusal_is_an_audit_event() {
    let house = House::new().await;
    let reach = json!({ "domain_id": "default" });
    let reader = house.token("DOMAIN_ADMIN", reach).await;
    let refused = house.as_token(&*reader).post("/api/manual_events", event(json!({}))).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let nobody = TestRequest::post().uri("/api/manual_events").set_json(event(json!({})));
    assert_eq!(house.send(nobody).await.status, 401);
    let some = json!({ "workspace_id": "default", "projects": ["default"] });
    for (role, reach) in [
        ("WORKSPACE_OWNER", json!({ "workspace_id": "default" })),
        ("WORKSPACE_MEMBER", some.clone()),
        ("SERVICE", some),
    ] {
        let other = house.token(role, reach).await;
        let refused = house.as_token(&*other).post("/api/manual_events", event(json!({}))).await;
        assert_eq!(refused.status, 403, "{role}: {refused:?}");
    }
    let kind = "filter[kind]=Security.Event.Emit.Refused";
    let found = listed(house.as_token(&*reader), "audit_events", kind).await;
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[0]["attributes"]["parameters_text"][0]["name"], "actor");
    assert_eq!(found[0]["attributes"]["source"], "alertmill");
}

#[actix_web::test]
async fn what_is_recorded_of_this_server_is_of_a_kind() {
    let house = House::new().await;
    house.token("DOMAIN_ADMIN", json!({ "domain_id": "default" })).await;
    house.webhook("alertmanager").await;
    let all = listed(house.admin(), "audit_events", "").await;
    let made = "Security.AccessKey.Created";
    assert!(kinds(&all).contains(&made) && kinds(&all).contains(&"Alertmill.webhook.create"));
    for (query, expected) in [
        (format!("filter[kind]={made}"), made),
        ("filter[kind]=Alertmill.webhook.create".to_owned(), "Alertmill.webhook.create"),
        ("filter[classification]=sec&filter[source]=alertmill".to_owned(), made),
    ] {
        let found = listed(house.admin(), "audit_events", &query).await;
        assert!(
            !found.is_empty() && kinds(&found).iter().all(|kind| *kind == expected),
            "{found:?}"
        );
    }
    let webhook =
        listed(house.admin(), "audit_events", "filter[kind]=Alertmill.webhook.create").await;
    assert_eq!(webhook[0]["attributes"]["affected_resources"][0]["type"], "webhook");
    let path = format!("/api/audit_events/{}", webhook[0]["id"].as_str().unwrap());
    assert_eq!(house.admin().found(&path).await["data"], webhook[0]);
    assert_eq!(
        listed(house.admin(), "audit_events", "filter[source]=other").await,
        Vec::<Value>::new()
    );
}

#[actix_web::test]
async fn who_administers_nothing_sees_only_what_is_shown_outside() {
    let house = House::new().await;
    for visibility in ["unknown", "internal", "external", "customerOnly"] {
        for request in [
            event(json!({ "visibility": visibility })),
            audit_event(json!({ "visibility": visibility }), "default"),
        ] {
            emitted(&house, request).await;
        }
    }
    let reach = json!({ "domain_id": "default", "workspace_id": "default" });
    let outsider = house.token("WORKSPACE_OWNER", reach).await;
    for list in ["events", "audit_events"] {
        let inside = listed(house.admin(), list, "filter[source]=stars").await;
        assert_eq!(inside.len(), 4, "{list}");
        let outside = listed(house.as_token(&*outsider), list, "sort=visibility").await;
        let shown: Vec<&str> =
            outside.iter().map(|it| it["attributes"]["visibility"].as_str().unwrap()).collect();
        assert_eq!(shown, ["external", "customerOnly"], "{list}");
        let internal =
            listed(house.as_token(&*outsider), list, "filter[visibility]=internal").await;
        assert_eq!(internal, Vec::<Value>::new());
        for event in inside {
            let path = format!("/api/{list}/{}", event["id"].as_str().unwrap());
            let is_shown = shown.contains(&event["attributes"]["visibility"].as_str().unwrap());
            let status = house.as_token(&*outsider).get(&path).await.status;
            assert_eq!(status == 200, is_shown, "{event}");
        }
    }
}

#[actix_web::test]
async fn another_tenants_events_are_never_shown() {
    let house = House::new().await;
    let other = house.done("/api/v1/domain/create", json!({ "name": "other" })).await;
    let other = other["domain_id"].as_str().unwrap();
    emitted(&house, audit_event(json!({ "kind": "Theirs" }), other)).await;
    emitted(&house, audit_event(json!({ "kind": "Ours" }), "default")).await;
    let theirs = house.token("DOMAIN_ADMIN", json!({ "domain_id": other })).await;
    let filter = "filter[source]=stars";
    assert_eq!(kinds(&listed(house.as_token(&*theirs), "audit_events", filter).await), ["Theirs"]);
    assert_eq!(kinds(&listed(house.admin(), "audit_events", filter).await), ["Ours"]);
    let query = format!("{filter}&filter[tenant]={other}");
    assert_eq!(kinds(&listed(house.admin(), "audit_events", &query).await), ["Theirs"]);
    let spied = format!("{filter}&filter[tenant]=default");
    assert_eq!(kinds(&listed(house.as_token(&*theirs), "audit_events", &spied).await), [""; 0]);
    // Nor is what is internal, in whatever list, or by its identifier.
    for list in LISTS {
        let mut request = match list {
            "audit_events" => audit_event(json!({ "visibility": "internal" }), "default"),
            _ => event(json!({ "visibility": "internal" })),
        };
        if list == "communication_events" {
            request["data"]["type"] = json!("communication_event");
        }
        let ours = emitted(&house, request).await;
        let path = format!("/api/{list}/{}", ours["id"].as_str().unwrap());
        assert_eq!(house.get(&path).await.status, 200, "{list}");
        assert_eq!(house.as_token(&*theirs).get(&path).await.status, 404, "{list}");
        let seen = listed(house.as_token(&*theirs), list, "filter[visibility]=internal").await;
        assert!(seen.iter().all(|event| event["id"] != ours["id"]), "{list}");
    }
}

#[actix_web::test]
async fn events_cannot_be_deleted_and_who_tries_is_recorded() {
    let house = House::new().await;
    let made = emitted(&house, audit_event(json!({}), "default")).await;
    let reader = house.token("DOMAIN_ADMIN", json!({ "domain_id": "default" })).await;
    for path in [
        "/api/audit_events/".to_owned(),
        "/api/audit_events".to_owned(),
        "/api/events/".to_owned(),
        "/api/communication_events/".to_owned(),
        format!("/api/audit_events/{}", made["id"].as_str().unwrap()),
    ] {
        for token in [house.admin_token(), &reader] {
            let answer = house.as_token(token).send(TestRequest::delete().uri(&path)).await;
            assert_eq!(answer.status, 405, "{path}: {answer:?}");
        }
    }
    let kind = "filter[kind]=Security.Event.Delete.Refused";
    assert_eq!(listed(house.admin(), "audit_events", kind).await.len(), 10);
    assert_eq!(listed(house.admin(), "audit_events", "filter[source]=stars").await, [made]);
}

#[actix_web::test]
async fn a_token_opens_as_a_password_or_as_the_session_of_a_cookie() {
    let house = House::new().await;
    let token = house.admin_token();
    let basic = {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(format!("someone:{token}")))
    };
    let quoted = format!("session=j%3A%7B%22sid%22%3A%22{token}%22%7D");
    for (header, value, status) in [
        ("Authorization", basic, 200),
        ("Cookie", format!("session=j:{{\"sid\": \"{token}\"}}"), 200),
        ("Cookie", quoted, 200),
        ("Cookie", "session=j:{\"sid\": \"amt_wrong\"}".to_owned(), 401),
        ("Cookie", "session=j:{".to_owned(), 401),
    ] {
        let request = TestRequest::post()
            .uri("/api/sessions/verifications/planes/any/internal")
            .insert_header((header, value.as_str()));
        let answer = house.send(request).await;
        assert_eq!(answer.status, status, "{value}: {answer:?}");
        if status == 200 {
            let verified = &answer.body["data"]["attributes"];
            assert_eq!(verified["context"]["authentication"]["tenant_id"], "default");
            assert_eq!(verified["username"], "admin");
        }
    }
}

#[actix_web::test]
async fn the_cookie_opens_no_other_api_however_its_address_is_written() {
    let house = House::new().await;
    let cookie = format!("session=j:{{\"sid\": \"{}\"}}", house.admin_token());
    let asked = |path: &str| {
        let request = TestRequest::post().uri(path).set_json(json!({}));
        house.send(request.insert_header(("Cookie", cookie.as_str())))
    };
    for path in ["/api/v1/user/list", "/api/%761/user/list", "/%61pi/v%31/user/list"] {
        let answer = asked(path).await;
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
    }
    let verification = "/api/sessions/%76erifications/planes/any/internal";
    assert_eq!(asked(verification).await.status, 200, "its own addresses may be written so");
}

#[actix_web::test]
async fn a_page_of_another_server_emits_nothing_by_the_cookie_of_who_looks_at_it() {
    let house = House::new().await;
    let attributes = json!({
        "source": "a page", "kind": "Page.Seen", "severity": "info", "classification": "system",
    });
    let body = json!({ "data": { "type": "event", "attributes": attributes } }).to_string();
    let cookie = format!("session=j:{{\"sid\": \"{}\"}}", house.admin_token());
    let json_api = "application/vnd.api+json";
    for (content_type, about, status) in [
        ("application/json", ("X-None", ""), 201),
        (json_api, ("X-None", ""), 201),
        (json_api, ("Origin", "http://mill.example"), 201),
        (json_api, ("Sec-Fetch-Site", "same-origin"), 201),
        ("text/plain", ("X-None", ""), 403),
        ("application/x-www-form-urlencoded", ("Sec-Fetch-Site", "same-origin"), 403),
        ("application/json", ("Origin", "http://other.example"), 403),
        ("application/json", ("Origin", "null"), 403),
        ("application/json", ("Sec-Fetch-Site", "same-site"), 403),
    ] {
        let request = TestRequest::post()
            .uri("/api/manual_events")
            .insert_header(("Cookie", cookie.as_str()))
            .insert_header(("Host", "mill.example"))
            .insert_header(("Content-Type", content_type))
            .insert_header(about)
            .set_payload(body.clone());
        let answer = house.send(request).await;
        assert_eq!(answer.status, status, "{content_type} {about:?}: {answer:?}");
    }
}

#[actix_web::test]
async fn a_wrong_password_is_an_audit_event_of_ours() {
    let house = House::new().await;
    let user =
        json!({ "name": "ann", "password": "correct horse battery", "role": "SYSTEM_ADMIN" });
    house.done("/api/v1/user/create", user).await;
    let log_in = |password: &str| {
        let attributes = json!({ "username": "ann", "password": password, "plane": "control" });
        let data = json!({ "type": "session", "attributes": attributes, "relationships": {} });
        house.send(TestRequest::post().uri("/api/sessions").set_json(json!({ "data": data })))
    };
    let refused = log_in("wrong").await;
    assert_eq!(refused.status, 401, "{refused:?}");
    house.settled().await;
    let failed =
        listed(house.admin(), "audit_events", "filter[kind]=Security.User.Login.Failed").await;
    let [failed] = failed.as_slice() else { panic!("one login failed: {failed:?}") };
    let parameters = &failed["attributes"]["parameters_text"];
    assert_eq!(parameters[0], json!({ "name": "username", "value": "ann" }));
    assert_eq!(parameters[1], json!({ "name": "remote", "value": "192.0.2.7" }));
    let opened = log_in("correct horse battery").await;
    assert_eq!(opened.status, 201, "{opened:?}");
    assert!(!opened.text.contains("ams_"), "the token is in the cookie alone");
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let asked = TestRequest::get().uri("/api/events").insert_header(("Cookie", cookie));
    assert_eq!(house.send(asked).await.status, 200);
    let native = TestRequest::get().uri("/api/v1/me").insert_header(("Cookie", cookie));
    assert_eq!(house.send(native).await.status, 401, "other APIs take no cookie");
}

#[actix_web::test]
async fn the_clients_own_package_works_unchanged() {
    let Some(python) = clients::python() else { return };
    let server = Server::start(&[]);
    let reader = server.ask(
        "/api/v1/token/create",
        &json!({ "name": "reader", "role": "DOMAIN_ADMIN", "domain_id": "default" }),
    );
    let reader = reader["token"].as_str().unwrap();
    let password = "correct horse battery";
    let user = json!({ "name": "ann", "password": password, "role": "SYSTEM_ADMIN" });
    server.ask("/api/v1/user/create", &user);
    let arguments = [server.token(), reader, "ann", password];
    let told = clients::run(&python, "igz.py", &server, &arguments);
    assert!(told.contains("and is an audit event"), "{told}");
}
