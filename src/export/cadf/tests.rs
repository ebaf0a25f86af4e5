//! What the events look like, and that each has what the standard requires.

use super::*;

fn record() -> Value {
    json!({
        "audit_id": "audit-0198c7000000700080000000000000aa",
        "sequence": 7, "trail": "OWN", "domain_id": "acme",
        "occurred_at": "2026-01-02T03:04:05.678Z",
        "actor": "user:user-1", "actor_type": "user", "actor_id": "user-1", "actor_name": "amy",
        "action": "webhook.update", "entity_type": "webhook", "entity_id": "webhook-1",
        "entity_name": "disk alerts", "outcome": "SUCCESS", "is_success": "true", "reason": null,
        "remote": "192.0.2.7", "user_agent": "curl/8", "request_id": "request-1",
        "before": { "name": "disks", "state": "ENABLED" },
        "after": { "name": "disk alerts", "state": "ENABLED" },
        "details": {},
    })
}

fn refused() -> Value {
    let mut record = record();
    let fields = json!({
        "outcome": "ERROR_PERMISSION_DENIED", "is_success": "false",
        "reason": "a USER may not call `webhook.update`", "before": null, "after": null,
    });
    for (name, value) in fields.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

#[test]
fn a_change_in_both_profiles() {
    let both = Profile::ALL.map(|profile| event(&record(), profile));
    insta::assert_json_snapshot!(both);
}

#[test]
fn a_refusal_says_why_in_both_profiles() {
    let both = Profile::ALL.map(|profile| event(&refused(), profile));
    for event in &both {
        assert_eq!(event["outcome"], "failure");
    }
    assert_eq!(
        both[0]["reason"],
        json!({
            "reasonCode": 403, "reasonType": "ERROR_PERMISSION_DENIED",
            "reasonForFailure": "a USER may not call `webhook.update`",
        })
    );
    assert_eq!(
        both[1]["reason"],
        json!({ "reasonType": "urn:alertmill:error", "reasonCode": "ERROR_PERMISSION_DENIED" })
    );
    assert_eq!(both[1]["attachments"][0]["content"], "a USER may not call `webhook.update`");
}

#[test]
fn a_failure_without_words_has_a_reason_all_the_same() {
    let mut record = refused();
    record["reason"] = Value::Null;
    let why = "The caller's role does not allow this.";
    assert_eq!(event(&record, Profile::Ibm)["reason"]["reasonForFailure"], why);
    record["outcome"] = "NOT_FOUND".into();
    let event = event(&record, Profile::Ibm);
    assert_eq!(event["reason"]["reasonForFailure"], "it ended with NOT_FOUND");
}

#[test]
fn every_event_has_what_the_standard_requires() {
    let mut strange = record();
    for field in ["entity_type", "entity_id", "entity_name", "actor_id", "actor_name"] {
        strange[field] = Value::Null;
    }
    strange["actor_type"] = "anonymous".into();
    let mut named_badly = record();
    named_badly["entity_id"] = "target".into();
    named_badly["entity_type"] = "project".into();
    named_badly["actor_id"] = "initiator".into();
    for record in [record(), refused(), strange, named_badly, json!({})] {
        for profile in Profile::ALL {
            let event = event(&record, profile);
            for required in [
                "typeURI",
                "id",
                "eventType",
                "eventTime",
                "action",
                "outcome",
                "initiator",
                "target",
                "observer",
            ] {
                assert!(!event[required].is_null(), "{required} of {event}");
            }
            for resource in ["initiator", "target", "observer"] {
                let id = event[resource]["id"].as_str().unwrap();
                assert!(!id.is_empty() && !RESERVED.contains(&id), "{event}");
                assert!(event[resource]["typeURI"].is_string(), "{event}");
            }
            assert_eq!(event["eventType"], "activity", "only others need measurements or reasons");
        }
    }
}

#[test]
fn an_update_says_in_its_request_only_what_is_new() {
    let event = event(&record(), Profile::Ibm);
    assert_eq!(
        event["requestData"],
        json!({ "verb": "update", "body": { "name": "disk alerts" } })
    );
    assert_eq!(event["responseData"]["before"]["name"], "disks");
}

#[test]
fn what_is_longer_than_16_kib_comes_without_its_answer() {
    let mut record = record();
    record["after"]["options"] = "x".repeat(20_000).into();
    let ibm = event(&record, Profile::Ibm);
    assert_eq!(ibm["responseData"], fit::WITHHELD);
    for profile in Profile::ALL {
        assert!(event(&record, profile).to_string().len() <= fit::LIMIT);
    }
    assert_eq!(
        fit::WITHHELD,
        "Information about the action is not included for performance and size reasons."
    );
}

#[test]
fn every_error_of_ours_has_its_status() {
    for code in Code::ALL {
        let mut record = refused();
        record["outcome"] = code.name().into();
        assert_eq!(event(&record, Profile::Ibm)["reason"]["reasonCode"], code.status());
    }
}
