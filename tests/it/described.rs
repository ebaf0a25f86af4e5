//! What the description of the API says of who may call is so.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::harness::House;

async fn described(house: &House, dialect: &str) -> Value {
    house.get(&format!("/api/v1/openapi.json?dialect={dialect}")).await.body
}

/// Each operation: its HTTP method, its address and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        for (verb, operation) in verbs.as_object().unwrap() {
            found.push((verb.clone(), path.clone(), operation.clone()));
        }
    }
    found
}

#[actix_web::test]
async fn whatever_refuses_somebody_says_so() {
    let house = House::new().await;
    let document = house.get("/api/v1/openapi.json").await.body;
    let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    let member = json!({ "workspace_id": "default", "projects": ["default"] });
    let member = house.token("WORKSPACE_MEMBER", member).await;
    let mut refusing = 0;
    for (verb, path, operation) in operations(&document) {
        // These end the session, or do not end.
        if ["/api/v1/logout", "/api/v1/stream"].contains(&path.as_str()) {
            continue;
        }
        let address: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let address = address.join("/");
        for token in [&owner, &member] {
            let request = match verb.as_str() {
                "get" => TestRequest::get(),
                "delete" => TestRequest::delete(),
                _ => TestRequest::post().set_json(json!({})),
            };
            let answer = house.as_token(token).send(request.uri(&address)).await;
            if answer.status != 403 {
                continue;
            }
            refusing += 1;
            assert!(operation["responses"]["403"].is_object(), "{verb} {path}");
            let said = operation["description"].as_str().unwrap();
            assert!(!said.contains("Any token may call it"), "{verb} {path}: {said}");
        }
    }
    assert!(refusing > 50, "{refusing}");
}

#[actix_web::test]
async fn what_needs_no_token_says_so_and_each_dialect_names_what_it_takes() {
    let house = House::new().await;
    let document = house.get("/api/v1/openapi.json").await.body;
    let mut free = Vec::new();
    for (verb, path, operation) in operations(&document) {
        let is_said =
            operation["description"].as_str().unwrap_or_default().contains("Needs no token");
        if is_said && path != "/oauth2/token" {
            assert_eq!(operation["security"], json!([]), "{verb} {path}");
            free.push(path);
        }
    }
    for path in ["/version", "/api/v1/login", "/api/v1/token", "/api/sessions"] {
        assert!(free.iter().any(|it| it == path), "{path}: {free:?}");
    }
    let form = &document["paths"]["/oauth2/token"]["post"]["requestBody"]["content"];
    assert!(form["application/x-www-form-urlencoded"].is_object(), "{form}");
    for (dialect, schemes) in [
        ("runai", vec!["token"]),
        ("h2o", vec!["token"]),
        ("iguazio", vec!["password", "session", "token"]),
        ("cloudforet", vec!["access_key", "token"]),
        ("native", vec!["client", "token"]),
    ] {
        let part = described(&house, dialect).await;
        let shown = part["components"]["securitySchemes"].as_object().unwrap();
        let mut shown: Vec<&str> = shown.keys().map(String::as_str).collect();
        shown.sort_unstable();
        assert_eq!(shown, schemes, "{dialect}");
    }
    let runai = described(&house, "runai").await;
    let parameters = runai["paths"]["/v1/k8s/audit"]["get"]["parameters"].as_array().unwrap();
    let limit = parameters.iter().find(|it| it["name"] == "limit").unwrap();
    assert_eq!(limit["schema"]["minimum"], 1, "{limit}");
}

#[actix_web::test]
async fn the_page_shows_one_dialect_and_says_where_there_is_none_of_that_name() {
    let house = House::new().await;
    let page = house.get("/docs").await;
    assert!(
        page.text.contains("spec-url=\"/api/v1/openapi.json?dialect=native\""),
        "{}",
        page.text
    );
    assert!(page.text.contains("The description is being loaded."));
    let all = house.get("/docs?dialect=everything").await;
    assert!(all.text.contains("spec-url=\"/api/v1/openapi.json\""), "{}", all.text);
    let none = house.get("/docs?dialect=foo").await;
    assert_eq!((none.status, none.pointers()), (400, vec!["/dialect"]));
    assert!(none.text.contains("expected one of native"), "{}", none.text);
}
