//! What a rule does to an event that it matches. An action is added here: a field of [`Actions`], its line in
//! [`Actions::faults`], and its arm in the walk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Template;
use crate::{
    domain::{
        escalation::EscalationPolicy,
        project::Project,
        words::{Severity, Urgency},
    },
    id::Id,
};

/// How much may be added to `additional_info`, in bytes of JSON.
const MOST_ADDED: usize = 16 << 10;

/// The longest name of a user, in characters.
const LONGEST_NAME: usize = 255;

/// What a rule does to an event that it matches, in this order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Actions {
    /// Sends the event to this project, whose rules are then asked. What was said of assignee and escalation policy
    /// before is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_project: Option<Id<Project>>,
    /// Who should act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_assignee: Option<String>,
    /// The urgency of the alert, instead of the one that follows from its severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_urgency: Option<Urgency>,
    /// The escalation policy of the alert, instead of its project's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_escalation_policy: Option<Id<EscalationPolicy>>,
    /// What is said of the event beside what its sender said; these win.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub add_additional_info: Map<String, Value>,
    /// Whether the alert notifies nobody, ever. A later rule may say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_notification: Option<bool>,
    /// How bad it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_severity: Option<Severity>,
    /// What a person reads first: a text with holes such as `{{ additional_info.cluster }}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_title: Option<Template>,
    /// What the events of one problem have in common: a text with holes. It stays as it is where nothing is found for
    /// one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_event_key: Option<Template>,
    /// What is written below the alert that the event opens: a text with holes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_note: Option<Template>,
    /// Whether the alert that the event opens is muted; it is stored, shown, and says by which rule.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suppress: bool,
    /// Whether the event is kept without touching any alert. A recovery is never dropped: it may close one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drop: bool,
    /// The key of another alert of its project: while that one is open, the alert that the event opens is muted. A text
    /// with holes; it does nothing where nothing is found for one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inhibit_by: Option<Template>,
}

/// A mistake in what a rule does: the name of the action, and what is wrong.
pub type ActionFault = (&'static str, String);

impl Actions {
    /// Whether it does nothing at all.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong with it, of all its actions.
    pub fn faults(&self) -> Vec<ActionFault> {
        let Self {
            change_project: _,
            change_assignee,
            change_urgency: _,
            change_escalation_policy: _,
            add_additional_info,
            no_notification: _,
            change_severity: _,
            change_title: _,
            set_event_key,
            add_note: _,
            suppress: _,
            drop: _,
            inhibit_by,
        } = self;
        let mut faults = Vec::new();
        if let Some(name) = change_assignee {
            let letters = name.trim().chars().count();
            if !(1..=LONGEST_NAME).contains(&letters) {
                let detail = format!("an assignee has 1 to {LONGEST_NAME} characters");
                faults.push(("change_assignee", detail));
            }
        }
        let added =
            serde_json::to_string(add_additional_info).map_or(usize::MAX, |text| text.len());
        if added > MOST_ADDED {
            let detail = format!("at most {MOST_ADDED} bytes of JSON can be added");
            faults.push(("add_additional_info", detail));
        }
        faults.extend(set_event_key.as_ref().and_then(|key| key_fault("set_event_key", key)));
        faults.extend(inhibit_by.as_ref().and_then(|key| key_fault("inhibit_by", key)));
        faults
    }
}

/// What is wrong with a key: one that is not the same for a problem and its recovery never closes anything.
fn key_fault(action: &'static str, key: &Template) -> Option<ActionFault> {
    let changing = ["created_at", "occurred_at", "event_type", "severity"];
    let field = changing.into_iter().find(|field| key.uses(field))?;
    let detail = format!(
        "`{field}` is not the same for a problem and its recovery, which then would never meet; take what names the problem"
    );
    Some((action, detail))
}
