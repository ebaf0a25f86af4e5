//! Each kind of channel against a receiver on this machine: what arrives, and what an answer means.

mod chats;
mod incidents;
mod mails;
#[expect(unreachable_pub, dead_code, reason = "the tests of the whole program use all of it")]
mod receivers;
mod webhooks;

use serde_json::{Value, json};

use self::receivers::{Answer, Receiver, Request};
use super::*;
use crate::{
    clock::{Timestamp, from_millis},
    domain::{
        channel::kind::ChannelType,
        notice::{Notice, NotificationLevel, Occasion},
        scope::Home,
    },
    outbound::AllowPrivate,
};

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;

fn at(seconds: i64) -> Timestamp {
    from_millis(START + seconds * 1000)
}

fn notice(occasion: Occasion, changes: Value) -> Notice {
    let home =
        Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "payments".into() };
    let mut alert = json!({
        "alert_id": "alert-1", "alert_number": 42, "title": "Disk <full> & \"hot\" *now*",
        "state": "TRIGGERED", "description": "/var is at 97 %\nsince noon", "severity": "CRITICAL",
        "urgency": "HIGH", "rule": "DiskFull", "triggered_by": "webhook-1", "project_id": "payments",
        "resources": [{ "name": "web-1" }, { "name": "web-2" }], "provider": "x", "account": "acme",
        "assignee": null, "responder": null, "event_key": "k", "created_at": "2026-01-01T00:00:00.000Z",
        "additional_info": { "team": "web" },
    });
    alert.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Notice {
        alert_id: alert["alert_id"].as_str().unwrap().into(),
        home,
        occasion,
        level: NotificationLevel::Lv1,
        step: 1,
        reason: None,
        alert,
        created_at: at(0),
    }
}

fn parcel(notices: Vec<Notice>) -> Parcel {
    Parcel {
        message_id: "message-1".into(),
        notices,
        ack_url: Some("https://alerts.example/ack/t?a=1&b".to_owned()),
        thread: None,
        base_url: "https://alerts.example".to_owned(),
        now: at(5),
    }
}

fn opened() -> Parcel {
    parcel(vec![notice(Occasion::Opened, json!({}))])
}

fn resolved() -> Parcel {
    let changes = json!({ "state": "RESOLVED", "resolved_reason": "it recovered" });
    Parcel { ack_url: None, ..parcel(vec![notice(Occasion::Resolved, changes)]) }
}

/// A storm of so many alerts.
fn storm(alerts: u32) -> Parcel {
    let one = |number: u32| {
        let changes = json!({ "alert_number": number, "alert_id": format!("alert-{number}"), "title": format!("Down {number}") });
        notice(Occasion::Opened, changes)
    };
    Parcel { ack_url: None, ..parcel((1..=alerts).map(one).collect()) }
}

fn kind(kind: ChannelType, settings: Value) -> ChannelKind {
    ChannelKind::parse(kind, settings.as_object().unwrap(), None).unwrap()
}

fn outbound() -> Outbound {
    Outbound::new(AllowPrivate::Yes)
}

async fn sent(kind: &ChannelKind, parcel: &Parcel) -> Result<Delivered, SendFault> {
    deliver(&outbound(), (kind, &Templates::default()), parcel).await
}

/// What one receiver got of a parcel, with the channel that its address makes.
async fn got(make: impl Fn(&str) -> ChannelKind, answer: Answer, parcel: &Parcel) -> Vec<Request> {
    let receiver = Receiver::answering(&[answer]).await;
    sent(&make(&receiver.url), parcel).await.unwrap();
    receiver.taken()
}

#[test]
fn a_message_says_what_cloudforets_say_and_why() {
    let said = Said::of(&opened(), &Templates::default());
    assert_eq!(said.title, "[Alerting] Disk <full> & \"hot\" *now*");
    assert_eq!(said.body, "/var is at 97 %\nsince noon");
    let facts: Vec<String> =
        said.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        facts,
        [
            "Alert Number: #42",
            "State: TRIGGERED",
            "Severity: CRITICAL",
            "Urgency: HIGH",
            "Triggered by: webhook-1",
            "Project: payments",
            "Rule: DiskFull",
            "Resource: web-1, web-2",
            "Account: acme",
            "Since: 2026-01-01 00:00:00 UTC",
        ]
    );
    let said = Said::of(&resolved(), &Templates::default());
    assert!(said.title.starts_with("[Resolved] "), "{said:?}");
    assert_eq!(said.facts[0], ("Why", "it recovered".to_owned()));
    let unmuted = Notice {
        reason: Some("silence `night` ended".to_owned()),
        ..notice(Occasion::Unmuted, json!({}))
    };
    let said = Said::of(&parcel(vec![unmuted]), &Templates::default());
    let why = "what muted it is over, and it is open still: silence `night` ended";
    assert_eq!(said.facts[0], ("Why", why.to_owned()));
}

#[test]
fn a_storm_is_one_message_that_names_the_first_alerts() {
    let said = Said::of(&storm(23), &Templates::default());
    assert_eq!(said.title, "[Alerting] 23 alerts: Down 1 and 22 more");
    let lines: Vec<&str> = said.body.lines().collect();
    assert_eq!((lines[0], lines.len()), ("#1 CRITICAL Down 1", 21));
    assert_eq!(lines[20], "and 3 more");
    assert!(said.facts.is_empty());
}

#[test]
fn an_alert_that_says_little_is_told_all_the_same() {
    let bare = Notice { alert: json!({}), ..notice(Occasion::Opened, json!({})) };
    let said = Said::of(&parcel(vec![bare]), &Templates::default());
    assert_eq!(said.title, "[Alerting] alert-1");
    assert_eq!((said.body.as_str(), said.facts.len()), ("", 0));
}

#[test]
fn templates_say_it_otherwise_and_one_that_fails_costs_nobody_the_message() {
    let templates = |title: &str, body: &str| Templates {
        title: Some(title.to_owned()),
        body: Some(body.to_owned()),
    };
    let own = templates(
        "{{ alert.severity }}\n{{ title }}",
        "{{ alert.additional_info.team }} {{ count }}",
    );
    let said = Said::of(&opened(), &own);
    assert!(said.title.starts_with("CRITICAL [Alerting] Disk"), "{said:?}");
    assert_eq!((said.body.as_str(), said.facts.len(), said.note), ("web 1", 0, None));
    let broken = templates("{{ 1 / 0 }}", "{{ alert.title|date }}");
    let said = Said::of(&opened(), &broken);
    assert!(said.title.starts_with("[Alerting] Disk"), "{said:?}");
    assert!(said.body.starts_with("/var") && said.facts.len() == 10, "{said:?}");
    assert!(said.note.unwrap().contains("the usual text was sent"));
}

#[tokio::test]
async fn what_a_target_answers_says_whether_another_try_may_help() {
    let make = |url: &str| kind(ChannelType::Teams, json!({ "url": url }));
    for (answer, retry) in [
        ((500, "", "oops"), Retry::Later(None)),
        ((503, "Retry-After: 120\r\n", ""), Retry::Later(Some(Duration::from_secs(120)))),
        ((429, "", ""), Retry::Later(None)),
        ((401, "", ""), Retry::Later(None)),
        ((404, "", ""), Retry::Later(None)),
        ((302, "Location: http://127.0.0.1:1/\r\n", ""), Retry::Later(None)),
        ((400, "", "bad card"), Retry::Never),
        ((413, "", ""), Retry::Never),
    ] {
        let receiver = Receiver::answering(&[answer]).await;
        let fault = sent(&make(&receiver.url), &opened()).await.unwrap_err();
        assert_eq!((fault.retry, fault.status), (retry, Some(answer.0)), "{fault:?}");
        assert!(fault.reason.contains(answer.2), "{fault:?}");
        assert_eq!(receiver.taken().len(), 1);
    }
    let fault = sent(&make("http://127.0.0.1:1/"), &opened()).await.unwrap_err();
    assert_eq!((fault.retry, fault.status), (Retry::Later(None), None));
}

#[tokio::test]
async fn a_target_that_is_not_public_is_refused_for_good() {
    let receiver = Receiver::new().await;
    let url = receiver.url.replace("http://", "https://");
    let channel = kind(ChannelType::Discord, json!({ "url": url }));
    let outbound = Outbound::new(AllowPrivate::No);
    let fault = deliver(&outbound, (&channel, &Templates::default()), &opened()).await.unwrap_err();
    assert_eq!(fault.retry, Retry::Never);
    assert!(fault.reason.contains("is no public address"), "{fault:?}");
    let server = json!({ "host": "localhost", "port": 25, "security": "NONE" });
    let mail = kind(
        ChannelType::Email,
        json!({ "to": "a@b.example", "from": "c@b.example", "server": server }),
    );
    let fault = deliver(&outbound, (&mail, &Templates::default()), &opened()).await.unwrap_err();
    assert_eq!(fault.retry, Retry::Never);
    assert!(fault.reason.contains("is no public address"), "{fault:?}");
    assert!(receiver.taken().is_empty());
}

#[tokio::test]
async fn what_a_target_repeats_of_our_secrets_is_not_told() {
    let receiver = Receiver::answering(&[(403, "", "key `secret-7` is not known")]).await;
    let settings = json!({ "api_key": "secret-7", "api_url": receiver.url });
    let fault = sent(&kind(ChannelType::Opsgenie, settings), &opened()).await.unwrap_err();
    assert_eq!(fault.reason, "it answered 403: key `…` is not known");
}

#[test]
fn a_message_is_previewed_as_it_would_be_sent() {
    let chat = kind(ChannelType::Teams, json!({ "url": "https://a.example/" }));
    let shown = preview::preview((&chat, &Templates::default()), &opened()).unwrap();
    assert_eq!(shown["facts"][0], json!({ "name": "Alert Number", "value": "#42" }));
    let hook =
        kind(ChannelType::Webhook, json!({ "url": "https://a.example/", "body": "TEMPLATE" }));
    let templates = |body: &str| Templates { title: None, body: Some(body.to_owned()) };
    let own = templates("{ \"text\": {{ alert.title|tojson }} }");
    let shown = preview::preview((&hook, &own), &opened()).unwrap();
    assert_eq!(shown["body"], r#"{ "text": "Disk <full> & \"hot\" *now*" }"#);
    let fault = preview::preview((&hook, &templates("{{ alert.title }}")), &opened()).unwrap_err();
    assert!(fault.reason.contains("use `|tojson`"), "{fault:?}");
}
