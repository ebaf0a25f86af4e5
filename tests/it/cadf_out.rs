//! The audit trail as CADF: valid by the standard's own library, and read by our own provider.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::{clients, harness::House};

const EXPORT: &str = "/api/v1/audit/export?format=cadf";

/// What stands where an answer was too long.
const WITHHELD: &str =
    "Information about the action is not included for performance and size reasons.";

/// A house in which much was done, something was refused, and something was very long.
async fn busy() -> House {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let id = json!({ "webhook_id": hook.webhook_id });
    house.done("/monitoring/v1/webhook/rotate-key", id.clone()).await;
    house.done("/monitoring/v1/webhook/disable", id.clone()).await;
    house.done("/monitoring/v1/webhook/delete", id).await;
    let raised = json!({ "title": "Disk full", "project_id": "default" });
    let alert = house.done("/monitoring/v1/alert/create", raised).await;
    let snooze = json!({ "alert_id": alert["alert_id"], "until": "2026-01-02T00:00:00Z" });
    house.done("/api/v1/alert/snooze", snooze).await;
    // Identifiers that mean something else in CADF.
    for name in ["target", "initiator"] {
        let project = json!({ "project_id": name, "name": name, "workspace_id": "default" });
        house.done("/api/v1/project/create", project).await;
    }
    let long = json!({
        "project_id": "long", "name": "=1+1 \u{202e}\"long\"", "workspace_id": "default",
        // As long as a record keeps as a whole.
        "tags": { "text": "x".repeat(15_600) },
    });
    house.done("/api/v1/project/create", long).await;
    let member = house
        .token("WORKSPACE_MEMBER", json!({ "workspace_id": "default", "projects": ["default"] }))
        .await;
    let wanted = json!({ "name": "not mine", "workspace_id": "default" });
    assert_eq!(house.as_token(&member).post("/api/v1/project/create", wanted).await.status, 403);
    house.get("/api/v1/audit/export?format=json").await;
    house
}

async fn events(house: &House, profile: &str) -> Vec<Value> {
    let file = house.get(&format!("{EXPORT}&profile={profile}")).await;
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(file.header("content-type"), Some("application/x-ndjson"));
    assert!(file.header("content-disposition").unwrap().ends_with(".cadf.ndjson\""));
    file.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix_web::test]
async fn pycadf_finds_every_event_of_the_standard_profile_valid() {
    let Some(python) = clients::python() else { return };
    let house = busy().await;
    let text = house.get(&format!("{EXPORT}&profile=dmtf")).await.text;
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("trail.cadf.ndjson");
    std::fs::write(&file, &text).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/cadf.py");
    let run =
        || Command::new(&python).args(["-W", "ignore"]).arg(&script).arg(&file).output().unwrap();
    let judged = run();
    let wrong = String::from_utf8_lossy(&judged.stderr).into_owned();
    assert!(judged.status.success(), "{wrong}");
    let told: Value = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!(told["valid"], text.lines().count());
    // The other profile's actions are none of the taxonomy, as its documentation has them.
    std::fs::write(&file, house.get(&format!("{EXPORT}&profile=ibm")).await.text).unwrap();
    assert!(!run().status.success());
}

#[actix_web::test]
async fn every_event_has_the_required_fields_and_a_failure_its_reason() {
    let house = busy().await;
    for profile in ["ibm", "dmtf"] {
        let events = events(&house, profile).await;
        assert!(events.len() >= 10);
        for event in &events {
            for field in [
                "id",
                "eventType",
                "eventTime",
                "action",
                "outcome",
                "initiator",
                "target",
                "observer",
            ] {
                assert!(!event[field].is_null(), "{field} of {event}");
            }
            assert_eq!(event["eventType"], "activity");
            if event["outcome"] == "failure" {
                assert!(!event["reason"].is_null(), "{event}");
            }
        }
        let failures = events.iter().filter(|event| event["outcome"] == "failure").count();
        assert_eq!(failures, 1);
    }
    let refused = events(&house, "ibm").await;
    let refused = refused.iter().find(|event| event["outcome"] == "failure").unwrap();
    assert_eq!(refused["action"], "alertmill.project.create");
    assert_eq!(refused["reason"]["reasonCode"], 403);
    assert!(refused["reason"]["reasonForFailure"].as_str().unwrap().contains("may not call"));
}

#[actix_web::test]
async fn no_event_is_longer_than_16_kib_and_what_was_left_out_is_said() {
    let house = busy().await;
    for profile in ["ibm", "dmtf"] {
        let events = events(&house, profile).await;
        assert!(events.iter().all(|event| event.to_string().len() <= 16 * 1024));
        let is_long = |event: &&Value| {
            let kind = event["target"]["typeURI"].as_str().unwrap();
            event["target"]["id"] == "long" && kind.ends_with("/project")
        };
        let long = events.iter().find(is_long).unwrap();
        let place = if profile == "ibm" { "/responseData" } else { "/attachments/0/content" };
        assert_eq!(long.pointer(place).unwrap(), WITHHELD);
        let others = events.iter().filter(|event| event.to_string().contains(WITHHELD)).count();
        assert_eq!(others, 1);
    }
}

#[actix_web::test]
async fn every_action_of_ours_has_a_word_in_the_taxonomy() {
    let described = alertmill::http::document();
    let operations = described["paths"].as_object().unwrap().values();
    let recorded =
        operations.flat_map(|path| path.as_object().unwrap().values()).filter(|operation| {
            operation["description"].as_str().is_some_and(|it| it.contains("recorded in the audit"))
        });
    let of_methods = recorded
        .map(|operation| operation["operationId"].as_str().unwrap().trim_end_matches("_asked"));
    // What happens by itself and by commands.
    let others = [
        "alert.acknowledge_by_link",
        "alert.acknowledgement_expire",
        "alert.announce",
        "alert.escalate",
        "alert.expire",
        "alert.group",
        "alert.mute",
        "alert.settle",
        "alert.unsnooze",
        "audit.retain",
        "token.use",
        "user.login",
        "user.logout",
        "application.login",
        "store.backup",
        "store.restore",
        "store.vacuum",
        "store.verify",
    ];
    let mut unknown = Vec::new();
    for name in of_methods.chain(others) {
        let event = alertmill::export::cadf::event(
            &json!({ "action": name }),
            alertmill::export::Profile::Dmtf,
        );
        if event["action"].as_str().unwrap().starts_with("unknown") {
            unknown.push(name.to_owned());
        }
    }
    assert!(unknown.is_empty(), "give these a row in src/export/cadf/taxonomy.rs: {unknown:?}");
}

#[actix_web::test]
async fn our_own_provider_reads_what_we_write() {
    let house = busy().await;
    let hook = house.webhook("cadf").await;
    for profile in ["ibm", "dmtf"] {
        // The lines as they are written.
        let file = house.get(&format!("{EXPORT}&profile={profile}")).await;
        let events: Vec<&str> = file.text.lines().collect();
        let kind = [("Content-Type", "application/x-ndjson")];
        let answer = house.deliver_bytes(&hook, file.text.as_bytes(), &kind).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let receipt = answer.body;
        let items = receipt["items"].as_array().unwrap();
        assert_eq!(items.len(), events.len());
        assert!(
            items.iter().all(|item| item["error"].is_null() && !item["event_id"].is_null()),
            "{receipt}"
        );
    }
    let kept = house.events(json!({ "webhook_id": hook.webhook_id, "event_type": "ALERT" })).await;
    let refused = kept.iter().find(|event| event["rule"] == "alertmill.project.create").unwrap();
    assert!(refused["description"].as_str().unwrap().contains("may not call"), "{refused}");
}
