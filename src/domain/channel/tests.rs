//! What channels take, told by examples.

use serde_json::json;

use super::*;
use crate::{clock::from_millis, domain::channel::kind::ChannelType};

fn channel(levels: &[NotificationLevel], filter: Value) -> Channel {
    let Value::Array(all) = filter else { panic!("{filter}") };
    let settings = json!({ "url": "https://example.com/hook" });
    let settings = settings.as_object().unwrap();
    Channel {
        channel_id: "channel-1".into(),
        name: "night".to_owned(),
        home: Place::Workspace("default".into(), "default".into()),
        state: ChannelState::Enabled,
        kind: ChannelKind::parse(ChannelType::Webhook, settings, None).unwrap(),
        levels: levels.to_vec(),
        filter: Wanted::parse(all, Vec::new(), from_millis(0)).unwrap(),
        templates: Templates::default(),
        gather: None,
        rate: None,
        tags: BTreeMap::new(),
        created_at: from_millis(0),
    }
}

#[test]
fn a_channel_takes_its_levels_and_what_is_for_everybody() {
    let record = json!({ "severity": "CRITICAL" });
    let (lv1, lv2) = (NotificationLevel::Lv1, NotificationLevel::Lv2);
    let second = channel(&[lv2], json!([]));
    assert_eq!(second.takes(lv2, &record), Ok(()));
    assert_eq!(second.takes(NotificationLevel::All, &record), Ok(()));
    assert_eq!(second.takes(lv1, &record), Err(Skip::Level { takes: vec![lv2], level: lv1 }));
    let every = channel(&[NotificationLevel::All], json!([]));
    assert_eq!(every.takes(lv1, &record), Ok(()));
}

#[test]
fn a_channel_without_levels_takes_only_what_names_it() {
    let mine = channel(&[], json!([{ "k": "urgency", "v": "HIGH", "o": "eq" }]));
    let high = json!({ "urgency": "HIGH" });
    let skip = mine.takes(NotificationLevel::All, &high).unwrap_err();
    assert_eq!(skip.to_string(), "which takes only what names it");
    assert_eq!(mine.takes_named(&high), Ok(()));
    assert!(matches!(mine.takes_named(&json!({})), Err(Skip::Filter { .. })));
}

#[test]
fn a_channel_that_passes_something_over_names_the_condition() {
    let wants = json!([
        { "k": "severity", "v": "CRITICAL", "o": "eq" },
        { "key": "additional_info.team", "value": ["web", "db"], "operator": "in" },
    ]);
    let channel = channel(&[NotificationLevel::All], wants);
    let record = |team| json!({ "severity": "CRITICAL", "additional_info": { "team": team } });
    assert_eq!(channel.takes(NotificationLevel::All, &record("web")), Ok(()));
    let skip = channel.takes(NotificationLevel::All, &record("ops")).unwrap_err();
    assert_eq!(
        skip.to_string(),
        "whose condition `additional_info.team in [\"web\",\"db\"]` does not hold"
    );
}

#[test]
fn of_several_alternatives_one_must_hold() {
    let either = vec![
        json!({ "k": "urgency", "v": "HIGH", "o": "eq" }),
        json!({ "k": "severity", "v": "ERROR", "o": "eq" }),
    ];
    let wanted = Wanted::parse(Vec::new(), either, from_millis(0)).unwrap();
    assert_eq!(wanted.means(&json!({ "urgency": "LOW", "severity": "ERROR" })), Ok(()));
    let condition = wanted.means(&json!({ "urgency": "LOW" })).unwrap_err();
    assert_eq!(condition, "`urgency eq \"HIGH\"` or `severity eq \"ERROR\"`");
}

#[test]
fn a_disabled_channel_takes_nothing() {
    let disabled = Channel { state: ChannelState::Disabled, ..channel(&[], json!([])) };
    assert_eq!(disabled.takes(NotificationLevel::All, &json!({})), Err(Skip::Disabled));
}

#[test]
fn a_mistake_in_a_filter_is_told_with_its_place() {
    let wrong = vec![json!({ "k": "sevrity", "v": "CRITICAL", "o": "eq" })];
    let error = Wanted::parse(wrong, Vec::new(), from_millis(0)).unwrap_err();
    assert_eq!(error.pointer, "/filter/0/k");
    assert!(error.detail.contains("severity"), "{}", error.detail);
}

#[test]
fn a_storm_is_gathered_by_what_alerts_have_in_common() {
    let gather = Gather {
        by: vec!["additional_info.cluster".to_owned(), "resource".to_owned()],
        seconds: 30,
    };
    let record = |cluster, host| json!({ "additional_info": { "cluster": cluster }, "resources": [{ "name": host }] });
    let group = |record| gather.group(Occasion::Opened, NotificationLevel::Lv1, &record);
    assert_eq!(group(record("a", "h1")), group(record("a", "h1")));
    assert_ne!(group(record("a", "h1")), group(record("b", "h1")));
    assert_ne!(group(record("a", "h1")), group(record("a", "h2")));
    let other = gather.group(Occasion::Resolved, NotificationLevel::Lv1, &record("a", "h1"));
    assert_ne!(group(record("a", "h1")), other);
}

#[test]
fn a_workspace_s_channel_is_seen_by_its_projects_and_changed_by_its_owners() {
    let whole =
        Scope { workspaces: crate::domain::scope::Reach::one("w".into()), ..Scope::EVERYTHING };
    let part = Scope { projects: crate::domain::scope::Reach::one("p".into()), ..whole.clone() };
    let place = Place::Workspace("d".into(), "w".into());
    assert!(place.is_seen_by(&whole) && place.is_open_to(&whole));
    assert!(place.is_seen_by(&part) && !place.is_open_to(&part));
    let elsewhere = Place::Workspace("d".into(), "other".into());
    assert!(!elsewhere.is_seen_by(&part));
}
