//! Tests of asking rules.

mod properties;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    clock::from_millis,
    domain::{
        event::Draft,
        project::{AlertPolicy, Project},
        setup::Setup,
        webhook::WebhookOptions,
        words::{EventType, RecoveryMode, Severity, Urgency, WebhookState},
    },
};

fn home(project: &str) -> Home {
    Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: project.into() }
}

fn webhook(project: &str) -> Webhook {
    Webhook {
        webhook_id: "webhook-1".into(),
        name: "hook".to_owned(),
        state: WebhookState::Enabled,
        access_keys: Vec::new(),
        plugin: "any".to_owned(),
        options: WebhookOptions::default(),
        home: home(project),
        tags: BTreeMap::new(),
        created_at: from_millis(0),
    }
}

/// A rule as a request writes it, with its place.
fn rule(id: &str, written: &Value, place: RulePlace) -> Arc<EventRule> {
    let conditions = written.get("conditions").and_then(Value::as_array).cloned();
    let conditions = conditions.unwrap_or_default();
    let read = |it: &Value| RuleCondition::parse(it, "", from_millis(0)).unwrap();
    let policy = written.get("conditions_policy").and_then(Value::as_str).unwrap_or("ALWAYS");
    Arc::new(EventRule {
        event_rule_id: id.into(),
        name: String::new(),
        order: 1,
        policy: policy.parse().unwrap(),
        conditions: conditions.iter().map(read).collect(),
        actions: serde_json::from_value(written["actions"].clone()).unwrap(),
        stop_processing: written.get("stop_processing") == Some(&Value::Bool(true)),
        place,
        tags: BTreeMap::new(),
        created_at: from_millis(0),
    })
}

/// How projects are looked after, by the rules of each.
#[derive(Default)]
struct House {
    projects: BTreeMap<Id<Project>, EventRules>,
}

impl House {
    fn with(mut self, id: &str, project: &str, written: Value) -> Self {
        let place = RulePlace::Project(home(project));
        let rules = self.projects.entry(project.into()).or_default();
        rules.project.push(rule(id, &written, place));
        self
    }

    fn with_webhook(mut self, id: &str, project: &str, written: Value) -> Self {
        let place = RulePlace::Webhook(home(project), "webhook-1".into());
        let rules = self.projects.entry(project.into()).or_default();
        rules.webhooks.entry("webhook-1".into()).or_default().push(rule(id, &written, place));
        self
    }

    /// Adds a rule of the workspace, once all its projects are there.
    fn with_workspace(mut self, id: &str, written: Value) -> Self {
        let place = RulePlace::Workspace("d".into(), "w".into());
        let rule = rule(id, &written, place);
        for rules in self.projects.values_mut() {
            rules.workspace.push(Arc::clone(&rule));
        }
        self
    }

    fn empty(mut self, project: &str) -> Self {
        self.projects.entry(project.into()).or_default();
        self
    }

    fn setup(&self, id: &Id<Project>) -> Option<Arc<Setup>> {
        let event_rules = self.projects.get(id)?.clone();
        Some(Arc::new(Setup {
            home: home(id.as_str()),
            policy: AlertPolicy::new(RecoveryMode::Auto),
            escalation: crate::domain::escalation::Escalations::default(),
            event_rules,
            group_rules: crate::domain::group_rule::GroupRules::default(),
            mutes: crate::domain::suppress::Mutes::default(),
            channels: crate::domain::channel::Channels::default(),
            people: crate::domain::people::People::default(),
            heartbeats: crate::domain::heartbeat::Heartbeats::default(),
        }))
    }

    fn route(&self, draft: Draft) -> Routed {
        route(draft, &webhook("a"), &|id| self.setup(id), from_millis(0))
    }
}

fn draft() -> Draft {
    Draft {
        title: Some("High CPU".to_owned()),
        severity: Severity::Error,
        additional_info: BTreeMap::from([("cluster".to_owned(), json!("eu1"))]),
        ..Draft::new("k")
    }
}

fn verdicts(routed: &Routed) -> Vec<String> {
    let each = routed.steps.iter().map(|step| {
        let id = step.event_rule_id().map_or("", Id::as_str);
        format!("{id} {}", step.verdict())
    });
    each.collect()
}

#[test]
fn a_matching_rule_does_what_it_says_and_tells_why() {
    let house = House::default().with(
        "r1",
        "a",
        json!({
            "conditions_policy": "ALL",
            "conditions": [{"key": "title", "value": "cpu", "operator": "contain"}],
            "actions": {
                "change_urgency": "LOW", "change_assignee": "amy", "add_additional_info": {"team": "db"},
                "change_severity": "WARNING", "change_title": "[{{additional_info.team}}] {{title}}",
                "set_event_key": "cpu-{{additional_info.cluster}}", "add_note": "see {{additional_info.cluster}}",
                "no_notification": true, "suppress": true, "inhibit_by": "{{additional_info.cluster}}-down",
                "change_escalation_policy": "ep-1",
            },
        }),
    );
    let routed = house.route(draft());
    let Routed { draft, home, routing, steps, consulted } = &routed;
    assert_eq!(home.project_id.as_str(), "a");
    assert_eq!(draft.title.as_deref(), Some("[db] High CPU"));
    assert_eq!((draft.event_key.as_str(), draft.severity), ("cpu-eu1", Severity::Warning));
    assert_eq!(draft.additional_info["team"], json!("db"));
    assert_eq!(draft.additional_info["cluster"], json!("eu1"));
    assert_eq!(routing.assignee.as_deref(), Some("amy"));
    assert_eq!(routing.urgency, Some(Urgency::Low));
    assert_eq!(routing.notes, [("r1".into(), "see eu1".to_owned())]);
    assert!(routing.no_notification && routing.suppress.is_some() && routing.drop.is_none());
    assert_eq!(routing.inhibit_by.as_ref().unwrap().event_key, "eu1-down");
    assert_eq!(consulted.len(), 1);
    insta::assert_snapshot!(steps[0].sentence(), @r#"event rule r1 matched (title contain "cpu": it is "High CPU") and did: assignee is amy; urgency is LOW; escalation policy is ep-1; added team; notifies nobody; severity is WARNING; title is [db] High CPU; event key is cpu-eu1; a note; muted; muted while alert eu1-down is open"#);
}

#[test]
fn all_any_and_always_ask_for_each_one_or_none_of_the_conditions() {
    let cpu = json!({"key": "title", "value": "cpu", "operator": "contain"});
    let critical = json!({"key": "severity", "value": "CRITICAL", "operator": "eq"});
    let ask = |policy: &str, conditions: Value| {
        let written = json!({"conditions_policy": policy, "conditions": conditions, "actions": {"change_assignee": "x"}});
        let routed = House::default().with("r", "a", written).route(draft());
        (routed.routing.assignee.is_some(), routed.steps[0].sentence())
    };
    assert!(!ask("ALL", json!([cpu, critical])).0);
    assert!(ask("ANY", json!([critical, cpu])).0);
    assert!(ask("ALWAYS", json!([critical])).0);
    // What asks nothing matches nothing; only ALWAYS matches all.
    assert!(!ask("ALL", json!([])).0);
    assert!(!ask("ANY", json!([])).0);
    let told = ask("ALL", json!([cpu, critical])).1;
    assert_eq!(told, r#"event rule r did not match (severity eq "CRITICAL": it is "ERROR")"#);
    let told = ask("ANY", json!([critical])).1;
    assert_eq!(
        told,
        r#"event rule r did not match (none of: severity eq "CRITICAL": it is "ERROR")"#
    );
}

#[test]
fn later_rules_see_and_overwrite_what_earlier_ones_did() {
    let asks = |key: &str, value: &str| json!([{"key": key, "value": value, "operator": "eq"}]);
    let house = House::default()
        .with("r1", "a", json!({"actions": {"change_assignee": "x", "change_severity": "INFO", "no_notification": true}}))
        .with("r2", "a", json!({"conditions_policy": "ALL", "conditions": asks("severity", "INFO"), "actions": {"change_assignee": "y", "no_notification": false}}));
    let routed = house.route(draft());
    assert_eq!(routed.routing.assignee.as_deref(), Some("y"));
    assert!(!routed.routing.no_notification);
}

#[test]
fn rules_are_asked_from_the_webhook_to_the_workspace_until_one_stops() {
    let says = |who: &str| json!({"actions": {"change_assignee": who}});
    let stops = |who: &str| json!({"actions": {"change_assignee": who}, "stop_processing": true});
    let house = House::default().with("p", "a", says("p")).with_webhook("h", "a", says("h"));
    let routed = house.with_workspace("w", says("w")).route(draft());
    assert_eq!(verdicts(&routed), ["h matched", "p matched", "w matched"]);
    assert_eq!(routed.routing.assignee.as_deref(), Some("w"));
    let house = House::default().with("p", "a", says("p")).with_webhook("h", "a", stops("h"));
    let routed = house.with_workspace("w", says("w")).route(draft());
    assert_eq!(verdicts(&routed), ["h matched"]);
    let house = House::default().with("p", "a", stops("p")).with_workspace("w", says("w"));
    assert_eq!(verdicts(&house.route(draft())), ["p matched"]);
}

#[test]
fn an_event_that_is_sent_on_meets_the_rules_there_and_then_the_rest_of_those_here() {
    let house = House::default()
        .with("a1", "a", json!({"actions": {"change_assignee": "p1a", "change_urgency": "LOW", "change_project": "b"}}))
        .with("a2", "a", json!({"actions": {"change_assignee": "p1b"}}))
        .with("b1", "b", json!({"actions": {"add_additional_info": {"from": "p2"}}, "stop_processing": true}))
        .with("b2", "b", json!({"actions": {"change_assignee": "never"}}));
    let routed = house.route(draft());
    assert_eq!(verdicts(&routed), ["a1 matched", "b1 matched", "a2 matched"]);
    assert_eq!(routed.home, home("b"));
    assert_eq!(routed.routing.assignee.as_deref(), Some("p1b"));
    assert_eq!(routed.routing.urgency, Some(Urgency::Low));
    assert_eq!(routed.draft.additional_info["from"], json!("p2"));
    assert_eq!(routed.consulted.len(), 2);
}

#[test]
fn sending_on_forgets_assignee_and_policy_of_before() {
    let house = House::default()
        .with(
            "a1",
            "a",
            json!({"actions": {"change_assignee": "x", "change_escalation_policy": "ep"}}),
        )
        .with("a2", "a", json!({"actions": {"change_project": "b"}}))
        .empty("b");
    let routed = house.route(draft());
    assert_eq!(routed.routing, Routing::default());
    // The assignee of the very rule that sends it on stays: it is for where the event goes.
    let house = House::default()
        .with("a1", "a", json!({"actions": {"change_assignee": "x", "change_project": "b"}}))
        .empty("b");
    assert_eq!(house.route(draft()).routing.assignee.as_deref(), Some("x"));
}

#[test]
fn where_the_webhook_sent_an_event_elsewhere_the_rules_of_its_own_project_are_not_asked() {
    let house = House::default()
        .with("a1", "a", json!({"actions": {"change_assignee": "wrong"}}))
        .with("b1", "b", json!({"actions": {"change_assignee": "right"}}))
        .with_webhook("h", "a", json!({"actions": {"change_project": "b"}}));
    let routed = house.route(draft());
    assert_eq!(verdicts(&routed), ["h matched", "b1 matched"]);
    assert_eq!(routed.routing.assignee.as_deref(), Some("right"));
}

#[test]
fn a_loop_ends_where_it_would_begin_again_and_is_said() {
    let to = |project: &str| json!({"actions": {"change_project": project}});
    let house =
        House::default().with("a1", "a", to("b")).with("b1", "b", to("c")).with("c1", "c", to("a"));
    let routed = house.route(draft());
    assert_eq!(verdicts(&routed), ["a1 matched", "b1 matched", "c1 matched", "c1 loop"]);
    assert_eq!(routed.home, home("c"));
    assert!(routed.steps[3].sentence().contains("a loop, so it stays"));
}

#[test]
fn a_later_rule_may_send_an_event_where_it_has_been_before() {
    let to = |project: &str| json!({"actions": {"change_project": project}});
    let house =
        House::default().with("a1", "a", to("b")).with("a2", "a", to("c")).with("a3", "a", to("b"));
    let routed = house.empty("b").empty("c").route(draft());
    assert_eq!(verdicts(&routed), ["a1 matched", "a2 matched", "a3 matched"]);
    assert_eq!((routed.home, routed.consulted.len()), (home("b"), 3));
}

#[test]
fn an_event_is_sent_on_so_often_at_most() {
    let to = |project: String| json!({"actions": {"change_project": project}});
    let mut house = House::default().with("r0", "a", to("p1".to_owned()));
    for number in 1..50 {
        house = house.with(
            &format!("r{number}"),
            &format!("p{number}"),
            to(format!("p{}", number + 1)),
        );
    }
    let routed = house.route(draft());
    assert_eq!(routed.home, home("p32"));
    assert_eq!(routed.steps.last().unwrap().verdict(), "unmoved");
}

#[test]
fn an_event_stays_where_it_is_if_there_is_nowhere_to_go() {
    let to =
        |project: &str| json!({"actions": {"change_project": project, "change_assignee": "x"}});
    let routed = House::default().with("a1", "a", to("gone")).route(draft());
    assert_eq!(verdicts(&routed), ["a1 matched", "a1 unmoved"]);
    assert_eq!((routed.home, routed.routing.assignee.as_deref()), (home("a"), Some("x")));
    let routed = House::default().with("a1", "a", to("a")).route(draft());
    assert_eq!(verdicts(&routed), ["a1 matched"]);
}

#[test]
fn a_key_with_nothing_in_a_hole_stays_so_that_nothing_is_lumped_together() {
    let keys = json!({"actions": {"set_event_key": "x-{{additional_info.zzz}}", "change_title": "{{additional_info.zzz}}", "inhibit_by": "{{account}}"}});
    let routed = House::default().with("r", "a", keys).route(draft());
    assert_eq!(routed.draft.event_key, "k");
    assert_eq!(routed.draft.title.as_deref(), Some("High CPU"));
    assert_eq!(routed.routing.inhibit_by, None);
    assert!(routed.steps[0].sentence().contains("nothing was found for additional_info.zzz"));
}

#[test]
fn a_recovery_is_never_dropped() {
    let house = House::default().with("r", "a", json!({"actions": {"drop": true}}));
    assert!(house.route(draft()).routing.drop.is_some());
    let recovery = Draft { event_type: EventType::Recovery, ..draft() };
    assert!(house.route(recovery).routing.drop.is_none());
}

#[test]
fn what_no_rule_is_about_goes_through_untouched() {
    let routed = House::default().empty("a").route(draft());
    assert_eq!((routed.draft, routed.home), (draft(), home("a")));
    assert!(routed.steps.is_empty() && routed.consulted.len() == 1);
    let routed = House::default().route(draft());
    assert_eq!(routed.home, home("a"));
}

#[test]
fn of_many_rules_that_do_not_match_only_the_first_are_told_one_by_one() {
    let never = json!({"conditions_policy": "ANY", "conditions": [{"key": "title", "value": "no", "operator": "eq"}], "actions": {"drop": true}});
    let mut house = House::default();
    for number in 0..150 {
        house = house.with(&format!("r{number}"), "a", never.clone());
    }
    let routed = house.route(draft());
    assert_eq!(routed.steps.len(), 101);
    assert_eq!(routed.steps[100], RuleStep::Omitted { rules: 50 });
}

#[test]
fn what_is_wrong_with_actions_is_told() {
    let faults = |written: Value| serde_json::from_value::<Actions>(written).unwrap().faults();
    assert!(faults(json!({"set_event_key": "{{title}}"})).is_empty());
    assert_eq!(faults(json!({"set_event_key": "{{occurred_at}}"}))[0].0, "set_event_key");
    assert_eq!(faults(json!({"set_event_key": "{{severity}}"}))[0].0, "set_event_key");
    assert_eq!(faults(json!({"change_assignee": "  "}))[0].0, "change_assignee");
    let large = json!({"add_additional_info": {"x": "y".repeat(20_000)}, "change_assignee": ""});
    assert_eq!(faults(large).len(), 2);
    assert!(serde_json::from_value::<Actions>(json!({"chnage_title": "x"})).is_err());
    assert!(serde_json::from_value::<Actions>(json!({"change_urgency": "MID"})).is_err());
}
