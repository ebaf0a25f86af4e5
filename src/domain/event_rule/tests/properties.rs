//! That asking rules ends, whatever the rules are.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const PROJECTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A rule: whose, where it sends events, on which policy, and whether it stops.
type Drawn = (usize, usize, bool, bool);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    proptest::collection::vec((0..8_usize, 0..8_usize, any::<bool>(), any::<bool>()), 0..40)
}

fn house(drawn: &[Drawn]) -> House {
    let mut house = PROJECTS.iter().fold(House::default(), |house, project| house.empty(project));
    let mut workspace = Vec::new();
    for (number, (whose, to, is_met, stops)) in drawn.iter().enumerate() {
        // Two targets more than there are projects: one that is gone, and the project that it begins in.
        let target = PROJECTS.get(*to).copied().unwrap_or_else(|| ["gone", "a"][to - 6]);
        let operator = if *is_met { "eq" } else { "not" };
        let written = json!({
            "conditions_policy": "ALL",
            "conditions": [{"key": "title", "value": "High CPU", "operator": operator}],
            "actions": {"change_project": target, "add_additional_info": {format!("r{number}"): true}},
            "stop_processing": stops,
        });
        let id = format!("r{number}");
        match PROJECTS.get(*whose) {
            Some(project) => house = house.with(&id, project, written),
            None if *whose == 6 => house = house.with_webhook(&id, "a", written),
            None => workspace.push((id, written)),
        }
    }
    workspace.into_iter().fold(house, |house, (id, written)| house.with_workspace(&id, written))
}

proptest! {
    #[test]
    fn asking_rules_ends_and_says_what_was_not_done(drawn in drawn()) {
        let house = house(&drawn);
        let routed = house.route(draft());
        prop_assert!(PROJECTS.contains(&routed.home.project_id.as_str()));
        prop_assert!(routed.steps.len() <= (3 + 32) * (1 + 2 * drawn.len()));
        // A rule that matched and did not send the event on says why.
        for step in &routed.steps {
            let RuleStep::Matched { event_rule_id, did, .. } = step else { continue };
            let sent = did.iter().any(|did| did.starts_with("sent to") || did.ends_with("already"));
            let told = routed.steps.iter().any(|step| {
                let about = step.event_rule_id() == Some(event_rule_id);
                about && matches!(step, RuleStep::Loop { .. } | RuleStep::Unmoved { .. })
            });
            prop_assert!(sent || told, "{}", event_rule_id);
        }
        // What the steps say matched left its mark, and nothing else did.
        let matched: BTreeSet<&str> = routed
            .steps
            .iter()
            .filter(|step| matches!(step, RuleStep::Matched { .. }))
            .filter_map(|step| step.event_rule_id().map(Id::as_str))
            .collect();
        let marked = routed.draft.additional_info.keys().map(String::as_str);
        let marked: BTreeSet<&str> = marked.filter(|name| *name != "cluster").collect();
        prop_assert_eq!(matched, marked);
    }

    #[test]
    fn a_circle_that_is_refused_at_save_never_turns(drawn in drawn()) {
        // Each rule is saved only where it closes no circle.
        let mut moves = Moves::new();
        let mut kept = Vec::new();
        for one in drawn.into_iter().filter(|(whose, to, ..)| *whose < 6 && *to < 6) {
            let (from, to) = (Id::from(PROJECTS[one.0]), Id::from(PROJECTS[one.1]));
            if way_back(&moves, &from, &to).is_none() {
                moves.entry(from).or_default().insert(to);
                kept.push(one);
            }
        }
        let routed = house(&kept).route(draft());
        let is_loop = |step: &&RuleStep| matches!(step, RuleStep::Loop { .. });
        prop_assert_eq!(routed.steps.iter().find(is_loop), None);
    }
}
