//! The audit log as Run:ai's documentation has it asked for, downloaded and paged.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, House};

const LOG: &str = "/v1/k8s/audit";

/// Whether an entry is one that a filter means.
type Holds = Box<dyn Fn(&Value) -> bool>;

/// A house in which projects and webhooks were made, changed and removed, a second and more apart.
async fn busy(projects: usize) -> House {
    let house = House::new().await;
    for number in 0..projects {
        house.later(TimeDelta::seconds(1));
        let project = json!({ "project_id": format!("p{number}"), "name": format!("team {number}"), "workspace_id": "default" });
        house.done("/api/v1/project/create", project).await;
    }
    house.later(TimeDelta::seconds(1));
    let change = json!({ "project_id": "p0", "name": "team a" });
    house.done("/api/v1/project/update", change).await;
    house.later(TimeDelta::seconds(1));
    house.done("/api/v1/project/delete", json!({ "project_id": "p0" })).await;
    house.later(TimeDelta::seconds(1));
    let twice = json!({ "project_id": "p1", "name": "again", "workspace_id": "default" });
    assert_eq!(house.post("/api/v1/project/create", twice).await.status, 409);
    house.later(TimeDelta::seconds(1));
    house
}

async fn entries(caller: &Caller<'_>, query: &str) -> Vec<Value> {
    let Value::Array(entries) = caller.found(&format!("{LOG}?{query}")).await else {
        panic!("no list")
    };
    entries
}

fn ids(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["id"].as_u64().unwrap()).collect()
}

#[actix_web::test]
async fn the_documented_request_answers_the_newest_forty_records() {
    let house = busy(45).await;
    let request = TestRequest::get()
        .uri("/v1/k8s/audit?start=2022-1-1")
        .insert_header(("accept", "application/json"));
    let answer = house.admin().send(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let entries = answer.body.as_array().unwrap();
    assert_eq!(entries.len(), 40);
    let newest = ids(entries);
    assert!(newest.is_sorted_by(|a, b| *a == *b + 1), "newest first, none missing: {newest:?}");
    assert!(answer.header("x-next-cursor").is_some());
    assert!(answer.header("link").unwrap().ends_with("rel=\"next\""));
}

#[actix_web::test]
async fn an_entry_has_the_documented_fields_and_the_values_before_and_after() {
    let house = busy(2).await;
    let agent = TestRequest::post()
        .uri("/api/v1/project/update")
        .insert_header(("user-agent", "team-tool/1.0"))
        .set_json(json!({ "project_id": "p1", "name": "team b" }));
    assert_eq!(house.admin().send(agent).await.status, 200);
    let mut entry = entries(&house.admin(), "limit=1").await.remove(0);
    for field in ["sourceId", "oldValue", "newValue"] {
        assert!(!entry[field].is_null(), "{field} of {entry}");
    }
    assert_eq!(
        (&entry["oldValue"]["name"], &entry["newValue"]["name"]),
        (&json!("team 1"), &json!("team b"))
    );
    for field in ["sourceId", "oldValue", "newValue", "id"] {
        entry[field] = "…".into();
    }
    insta::assert_json_snapshot!(entry);
}

#[actix_web::test]
async fn each_filter_finds_what_matches_exactly_and_several_must_all_hold() {
    let house = busy(3).await;
    let admin = house.admin();
    let all = entries(&admin, "limit=1000").await;
    let source = all[0]["sourceId"].as_str().unwrap().to_owned();
    let name = all[0]["sourceName"].as_str().unwrap().replace(' ', "%20");
    let both = format!("source_id={source}&action=Delete&success=true");
    let filters: Vec<(String, Holds)> = vec![
        ("action=Create".into(), Box::new(|it| it["action"] == "Create")),
        ("action=Update".into(), Box::new(|it| it["action"] == "Update")),
        ("action=Delete".into(), Box::new(|it| it["action"] == "Delete")),
        ("action=Login".into(), Box::new(|it| it["action"] == "Login")),
        ("source_type=User".into(), Box::new(|it| it["sourceType"] == "User")),
        ("source_type=Application".into(), Box::new(|it| it["sourceType"] == "Application")),
        (format!("source_id={source}"), Box::new(move |it| it["sourceId"] == source)),
        ("source_id=token".into(), Box::new(|_| false)),
        (format!("source_name={name}"), Box::new(|it| it["sourceType"] == "Application")),
        ("entity_type=Project".into(), Box::new(|it| it["entityType"] == "Project")),
        ("entity_type=App".into(), Box::new(|it| it["entityType"] == "Applications")),
        ("entity_type=Applications".into(), Box::new(|it| it["entityType"] == "Applications")),
        ("entity_type=Login".into(), Box::new(|it| it["entityType"] == "Login")),
        ("entity_type=Node%20Pool".into(), Box::new(|_| false)),
        ("entity_id=p0".into(), Box::new(|it| it["entityId"] == "p0")),
        ("success=true".into(), Box::new(|it| it["status"] == "Succeeded")),
        ("success=false".into(), Box::new(|it| it["status"] == "Failed")),
        (both, Box::new(|it| it["action"] == "Delete" && it["status"] == "Succeeded")),
        (
            "entity_id=p0&action=Create".into(),
            Box::new(|it| it["entityId"] == "p0" && it["action"] == "Create"),
        ),
        (
            "start=2026-1-1T0:0:2".into(),
            Box::new(|it| it["happenedAt"].as_str() >= Some("2026-01-01T00:00:02")),
        ),
        (
            "end=2026-01-01T00:00:02".into(),
            Box::new(|it| it["happenedAt"].as_str() < Some("2026-01-01T00:00:02")),
        ),
        ("start=2026-1-2".into(), Box::new(|_| false)),
    ];
    for (filter, holds) in filters {
        let found = ids(&entries(&admin, &format!("limit=1000&{filter}")).await);
        let wanted: Vec<u64> =
            all.iter().filter(|it| holds(it)).map(|it| it["id"].as_u64().unwrap()).collect();
        assert_eq!(found, wanted, "{filter}");
    }
    assert_eq!(entries(&admin, "success=false&entity_id=p1").await.len(), 1);
}

#[actix_web::test]
async fn what_was_refused_and_what_was_taken_out_is_found_under_the_type_that_it_is_shown_by() {
    let house = House::new().await;
    let admin = house.admin();
    assert_eq!(house.post("/api/v1/user/create", json!({ "name": "a b" })).await.status, 400);
    assert_eq!(house.get(&format!("{LOG}?download=true")).await.status, 200);
    let refused = entries(&admin, "entity_type=User&action=Create&success=false").await;
    assert_eq!((refused.len(), &refused[0]["event"]), (1, &json!("user.create")), "{refused:?}");
    assert_eq!((&refused[0]["entityType"], &refused[0]["entityId"]), (&json!("User"), &json!("")));
    let all = entries(&admin, "limit=1000").await;
    let shown: BTreeSet<&str> = all.iter().map(|it| it["entityType"].as_str().unwrap()).collect();
    assert!(shown.contains("Export") && !shown.contains(""), "{shown:?}");
    for name in shown {
        let wanted = ids(&all).into_iter().zip(&all).filter(|(_, it)| it["entityType"] == name);
        let wanted: Vec<u64> = wanted.map(|(id, _)| id).collect();
        let found = entries(&admin, &format!("limit=1000&entity_type={name}")).await;
        assert_eq!(ids(&found), wanted, "{name}");
    }
}

#[actix_web::test]
async fn an_unknown_filter_or_value_is_refused_with_its_place() {
    let house = House::new().await;
    for (query, pointer) in [
        ("entity_name=p0", "/entity_name"),
        ("Action=Create", "/Action"),
        ("action=create", "/action"),
        ("action=Read", "/action"),
        ("source_type=Robot", "/source_type"),
        ("entity_type=Cluster", "/entity_type"),
        ("start=01/02/2026", "/start"),
        ("end=2026-02-30", "/end"),
        ("success=maybe", "/success"),
        ("download=yes", "/download"),
        ("limit=-1", "/limit"),
        ("limit=40.5", "/limit"),
        ("offset=x", "/offset"),
        ("cursor=%21", "/cursor"),
        ("cursor=abc", "/cursor"),
    ] {
        let answer = house.get(&format!("{LOG}?{query}")).await;
        assert_eq!((answer.status, answer.pointers()), (400, vec![pointer]), "{query} {answer:?}");
        assert_eq!(answer.body["code"], 400);
        assert!(answer.body["message"].is_string());
    }
    let plus = house.get(&format!("{LOG}?start=2026-01-01T00:00:00+00:00")).await;
    assert!(plus.status == 400 && plus.text.contains("`%2B`"), "{plus:?}");
    let twice = house.get(&format!("{LOG}?action=Create&action=Delete")).await;
    assert_eq!(twice.status, 400);
    assert_eq!(house.as_token("none").get(LOG).await.status, 401);
}

#[actix_web::test]
async fn paging_yields_every_record_once_by_offset_and_by_cursor_while_more_arrive() {
    let house = busy(20).await;
    let admin = house.admin();
    let all = ids(&entries(&admin, "limit=1000").await);
    let mut by_offset = Vec::new();
    for offset in (0..).step_by(7) {
        let page = entries(&admin, &format!("limit=7&offset={offset}")).await;
        if page.is_empty() {
            break;
        }
        by_offset.extend(ids(&page));
    }
    assert_eq!(by_offset, all);

    let (mut by_cursor, mut path) = (Vec::new(), format!("{LOG}?limit=7&start=2022-1-1"));
    loop {
        let answer: Answer = house.get(&path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        by_cursor.extend(ids(answer.body.as_array().unwrap()));
        house.later(TimeDelta::seconds(1));
        house.webhook("api-direct").await;
        let Some(next) = answer.header("link") else { break };
        path = next.split(['<', '>']).nth(1).unwrap().to_owned();
        assert!(path.contains("start=2022-1-1"), "{path}");
    }
    assert_eq!(by_cursor, all, "what arrived meanwhile moves nothing");
}

#[actix_web::test]
async fn numbers_have_no_gap_and_go_on_after_a_restart() {
    let mut house = busy(3).await;
    let before = ids(&entries(&house.admin(), "limit=1000").await);
    house.reopen().await;
    house.webhook("api-direct").await;
    let after = ids(&entries(&house.admin(), "limit=1000").await);
    let wanted: Vec<u64> = (1..=after.len() as u64).rev().collect();
    assert_eq!(after, wanted);
    assert!(after.len() > before.len() && after.ends_with(&before));
}

#[actix_web::test]
async fn a_download_is_a_file_of_what_the_filters_mean() {
    let house = busy(50).await;
    let table = house.get(&format!("{LOG}?download=true&action=Create&entity_type=Project")).await;
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let disposition = table.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; filename=\"alertmill-audit-"), "{disposition}");
    let mut reader = csv::Reader::from_reader(table.text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    assert_eq!(
        &headings.iter().collect::<Vec<_>>()[..4],
        ["sourceName", "happenedAt", "action", "id"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let listed = entries(&house.admin(), "limit=1000&action=Create&entity_type=Project").await;
    let in_table: Vec<u64> = rows.iter().map(|row| row[3].parse().unwrap()).collect();
    assert_eq!(in_table, ids(&listed));

    let json = house
        .get(&format!("{LOG}?download=true&format=json&action=Create&entity_type=Project"))
        .await;
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(
        json.body.as_array().unwrap(),
        &listed,
        "the file and the list agree entry for entry"
    );
    let accepting = TestRequest::get()
        .uri("/v1/k8s/audit?download=true&limit=3")
        .insert_header(("accept", "application/json"));
    let json = house.admin().send(accepting).await;
    assert_eq!(json.body.as_array().unwrap().len(), 3);

    let newest = entries(&house.admin(), "limit=1").await.remove(0);
    assert_eq!(
        (&newest["event"], &newest["status"]),
        (&json!("audit.export"), &json!("Succeeded"))
    );
}

#[actix_web::test]
async fn a_download_holds_thirty_days_at_most() {
    let house = House::new().await;
    house.webhook("api-direct").await;
    house.later(TimeDelta::days(40));
    house.webhook("api-direct").await;
    let file = house.get(&format!("{LOG}?download=true&format=json")).await;
    let days: BTreeSet<&str> = file
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["happenedAt"].as_str().unwrap()[..10])
        .collect();
    assert_eq!(days, BTreeSet::from(["2026-02-10"]), "the last thirty");
    let earlier = "download=true&format=json&start=2026-1-1&end=2026-1-31";
    let file = house.get(&format!("{LOG}?{earlier}")).await;
    assert!(!file.body.as_array().unwrap().is_empty());
    for (span, pointer) in [
        ("start=2026-1-1", "/end"),
        ("start=2026-1-1&end=2026-2-1", "/start"),
        ("start=2026-1-5&end=2026-1-4", "/start"),
    ] {
        let refused = house.get(&format!("{LOG}?download=true&{span}")).await;
        assert_eq!((refused.status, refused.pointers()), (400, vec![pointer]), "{span}");
    }
}

#[actix_web::test]
async fn only_who_reaches_a_whole_domain_sees_its_log_and_no_other_one() {
    let house = House::new().await;
    for id in ["ours", "rival"] {
        house.done("/api/v1/domain/create", json!({ "domain_id": id, "name": id })).await;
        let workspace = json!({ "workspace_id": id, "name": id, "domain_id": id });
        house.done("/api/v1/workspace/create", workspace).await;
        let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": id })).await;
        // Whoever makes it: what is done in a domain is seen by those who reach it.
        let project = json!({ "project_id": format!("p-{id}"), "name": id, "workspace_id": id });
        house.done("/api/v1/project/create", project).await;
        let refused = house.as_token(&owner).get(LOG).await;
        assert_eq!((refused.status, refused.body["code"].as_u64()), (403, Some(403)));
        let download = house.as_token(&owner).get(&format!("{LOG}?download=true")).await;
        assert_eq!(download.status, 403);
    }
    let mut tenants = BTreeSet::new();
    for id in ["ours", "rival"] {
        let reader = house.token("DOMAIN_ADMIN", json!({ "domain_id": id })).await;
        let reader = house.as_token(reader);
        for query in ["limit=1000", "download=true&format=json"] {
            let seen = entries(&reader, query).await;
            let about: BTreeSet<&str> = seen
                .iter()
                .filter_map(|it| it["entityId"].as_str())
                .filter(|it| it.starts_with("p-"))
                .collect();
            assert_eq!(about, BTreeSet::from([format!("p-{id}").as_str()]), "{query}");
            tenants.extend(seen.iter().map(|it| it["tenantId"].as_u64().unwrap()));
        }
        let other = if id == "ours" { "rival" } else { "ours" };
        let others = reader.get(&format!("{LOG}?domain_id={other}")).await;
        assert_eq!(others.status, 404);
    }
    assert_eq!(tenants.len(), 2, "each domain has a number of its own");

    let unnamed = house.get(LOG).await;
    assert_eq!((unnamed.status, unnamed.pointers()), (400, vec!["/domain_id"]));
    assert!(!entries(&house.admin(), "domain_id=rival").await.is_empty());
}

#[actix_web::test]
async fn an_application_asks_with_its_token_and_is_shown_as_one_and_so_are_logins() {
    let house = House::new().await;
    let asked = json!({ "name": "audit reader", "role": "DOMAIN_ADMIN", "domain_id": "default" });
    let made = house.done("/api/v1/application/create", asked).await;
    let pair = json!({ "grantType": "app_token", "AppId": made["application_id"], "AppSecret": made["secret"] });
    let given = house.send(TestRequest::post().uri("/api/v1/token").set_json(pair)).await;
    let reader = house.as_token(given.body["accessToken"].as_str().unwrap());
    let logins = entries(&reader, "entity_type=Login&action=Login").await;
    assert_eq!(logins.len(), 1, "{logins:?}");
    assert_eq!(logins[0]["status"], "Succeeded");
    let file = reader.get(&format!("{LOG}?download=true")).await;
    assert_eq!(file.status, 200);
    let query = "source_type=Application&source_name=audit%20reader&limit=1";
    let newest = entries(&reader, query).await.remove(0);
    assert_eq!(newest["event"], "audit.export");
    assert_eq!(newest["sourceType"], "Application");
    assert_eq!(newest["sourceId"], made["application_id"]);
    let created = entries(&reader, "entity_type=App&action=Create").await;
    assert_eq!(created[0]["entityName"], "audit reader");
    assert_eq!(created[0]["entityType"], "Applications");

    let wrong = json!({ "name": "nobody", "password": "guessed wrong" });
    house.send(TestRequest::post().uri("/api/v1/login").set_json(wrong)).await;
    let user =
        json!({ "name": "amy", "password": "correct horse battery", "role": "SYSTEM_ADMIN" });
    house.done("/api/v1/user/create", user).await;
    let wrong = json!({ "name": "amy", "password": "guessed wrong" });
    house.send(TestRequest::post().uri("/api/v1/login").set_json(wrong)).await;
    house.later(TimeDelta::minutes(2));
    house.tick().await;
    let failed = entries(&reader, "action=Login&success=false").await;
    assert!(failed.iter().any(|login| login["entityName"] == "amy"), "{failed:?}");
    assert!(
        failed.iter().all(|login| login["status"] == "Failed" && login["entityType"] == "Login")
    );
}
