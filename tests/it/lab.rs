//! Drafts, comparisons and coverage through the API.

use std::env;

use alertmill::{
    clock::Stopwatch,
    rules::{Rulebook, samples},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Hook, House};

const DIFF: &str = "/api/v1/rules/diff";

/// The text of a mapping in the binary.
fn text(provider: &str) -> String {
    Rulebook::embedded().unwrap().get(provider).unwrap().text().to_owned()
}

fn sample(provider: &str, case: &str) -> Value {
    serde_json::from_slice(&samples::sample(provider, case).unwrap().body).unwrap()
}

async fn house_with_alerts() -> (House, Hook) {
    let house = House::new().await;
    let hook = house.webhook("alertmanager").await;
    for case in ["firing", "mixed", "resolved", "v3-firing"] {
        assert!(house.deliver(&hook, &sample("alertmanager", case)).await.status < 300);
    }
    (house, hook)
}

#[actix_web::test]
async fn a_draft_comes_through_the_api() {
    let house = House::new().await;
    let samples = ["firing", "resolved"].map(|case| sample("alertmanager", case).to_string());
    let asked = json!({ "provider": "mine", "samples": samples });
    let draft = house.done("/api/v1/rules/draft", asked).await;
    let mapping = draft["files"]["rules/mine/mapping.yaml"].as_str().unwrap();
    assert!(mapping.contains("event_key: \"@.fingerprint\""), "{mapping}");
    assert!(draft["findings"].to_string().contains("Proven"), "{}", draft["findings"]);
    let nothing =
        house.post("/api/v1/rules/draft", json!({ "provider": "x", "samples": ["{}"] })).await;
    assert_eq!((nothing.status, nothing.pointers()), (400, vec!["/samples"]));
}

#[actix_web::test]
async fn edited_rules_are_held_against_what_came_in() {
    let (house, _) = house_with_alerts().await;
    let same =
        house.done(DIFF, json!({ "mappings": { "alertmanager": text("alertmanager") } })).await;
    assert_eq!((&same["deliveries"], &same["providers"]), (&json!(0), &json!({})));
    assert_eq!(same["unchanged"], json!(["alertmanager"]));

    // Another text of the same meaning is read, and changes nothing.
    let other = format!("{}\n# A comment.\n", text("alertmanager"));
    let same = house.done(DIFF, json!({ "mappings": { "alertmanager": other } })).await;
    assert_eq!((&same["deliveries"], &same["providers"]), (&json!(4), &json!({})));

    let edited = "title: Mine\nevents:\n  - name: a\n    each: $.alerts[*]\n    set:\n      event_key: all\n";
    let before = house.events(json!({})).await.len();
    let changes = house.done(DIFF, json!({ "mappings": { "alertmanager": edited } })).await;
    let changes = &changes["providers"]["alertmanager"];
    assert_eq!(changes["alerts"]["merged"], 1, "{changes:#}");
    assert!(changes["fields"]["event_key"].as_u64().unwrap() >= 5, "{changes:#}");
    assert_eq!(house.events(json!({})).await.len(), before, "nothing is written");

    let wrong =
        house.post(DIFF, json!({ "mappings": { "alertmanager": "title: X\nevent: []\n" } })).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.pointers()[0], "/mappings/alertmanager");
}

#[actix_web::test]
async fn what_is_older_is_not_read() {
    let (house, hook) = house_with_alerts().await;
    house.later(TimeDelta::days(3));
    house.deliver(&hook, &sample("alertmanager", "resolved")).await;
    let other = format!("{}\n# A comment.\n", text("alertmanager"));
    for (since, deliveries) in [("1d", 1), ("2d", 1), ("4d", 5)] {
        let asked = json!({ "mappings": { "alertmanager": other }, "since": since });
        assert_eq!(house.done(DIFF, asked).await["deliveries"], deliveries, "{since}");
    }
    let wrong = house.post(DIFF, json!({ "since": "soon" })).await;
    assert_eq!((wrong.status, wrong.pointers()), (400, vec!["/since"]));
}

#[actix_web::test]
async fn coverage_tells_what_came_in_and_what_never_did() {
    let (house, _) = house_with_alerts().await;
    for query in ["?since=7d", ""] {
        let found = house.get(&format!("/api/v1/rules/coverage{query}")).await.body;
        let providers = found["providers"].as_object().unwrap();
        let names: Vec<&String> = providers.keys().collect();
        assert_eq!(names, ["alertmanager"], "only what read something is told");
        let info = &providers["alertmanager"];
        assert_eq!(info["payloads"], 4);
        let met = info["met"].as_u64().unwrap();
        assert!(met > 10 && met < info["parts"].as_u64().unwrap(), "{info:#}");
    }
    let one = house.get("/api/v1/rules/coverage?provider=grafana&since=7d").await.body;
    assert_eq!(one["providers"]["grafana"]["payloads"], 0);
    assert_eq!(house.get("/api/v1/rules/coverage?provider=nobody").await.status, 404);
}

#[actix_web::test]
async fn nobody_sees_deliveries_of_others() {
    let (house, _) = house_with_alerts().await;
    house.done("/api/v1/project/create", json!({ "project_id": "theirs", "name": "Theirs" })).await;
    let token = house
        .token("WORKSPACE_MEMBER", json!({ "workspace_id": "default", "projects": ["theirs"] }))
        .await;
    let member = house.as_token(token);
    let other = format!("{}\n# A comment.\n", text("alertmanager"));
    let seen = member.done(DIFF, json!({ "mappings": { "alertmanager": other } })).await;
    assert_eq!(seen["deliveries"], 0);
    let seen = member.get("/api/v1/rules/coverage?since=7d").await;
    assert_eq!(seen.body["providers"], json!({}));
    let live = member.get("/api/v1/rules/coverage").await;
    assert_eq!((live.status, live.pointers()), (400, vec!["/since"]));
}

/// Reads a store of `ALERTMILL_DIFF_DELIVERIES` deliveries by both rules; few where nothing is said.
#[actix_web::test]
#[expect(clippy::print_stderr, reason = "says how long it took")]
async fn rules_of_the_same_meaning_change_nothing_of_a_large_store() {
    #[expect(clippy::disallowed_methods, reason = "how large the store is")]
    let many = env::var("ALERTMILL_DIFF_DELIVERIES").ok().and_then(|many| many.parse().ok());
    let many: u64 = many.unwrap_or(1200);
    let house = House::new().await;
    let hook = house.webhook("alertmanager").await;
    let cases = ["firing", "mixed", "resolved", "v3-firing", "missing-fields"];
    let bodies = cases.map(|case| sample("alertmanager", case));
    for at in 0..many {
        let mut body = bodies[usize::try_from(at).unwrap() % bodies.len()].clone();
        body["externalURL"] = json!(format!("https://prometheus-{at}.example.com"));
        assert!(house.deliver(&hook, &body).await.status < 300);
    }
    let other = format!("{}\n# A comment.\n", text("alertmanager"));
    let watch = Stopwatch::start();
    let same = house.done(DIFF, json!({ "mappings": { "alertmanager": other } })).await;
    let compared = &same["deliveries"];
    eprintln!("{compared} of {many} deliveries compared in {:.1} s", watch.elapsed().as_secs_f64());
    assert_eq!(same["deliveries"], many);
    assert_eq!((&same["complete"], &same["providers"]), (&json!(true), &json!({})));
}
