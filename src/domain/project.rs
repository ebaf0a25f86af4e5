//! Whose it is: domains, their workspaces, their projects, and how a project is alerted.

use std::{collections::BTreeMap, fmt};

use chrono::TimeDelta;
use serde_json::Value;

use super::{
    scope::Home,
    words::{NotificationUrgency, RecoveryMode},
};
use crate::{
    clock::Timestamp,
    id::{Id, Identified},
};

/// The domain that every installation begins with. What belongs to no single domain is recorded in its trail.
pub const DEFAULT_DOMAIN: &str = "default";

/// The project that Alertmill's own alerts are in.
pub const SYSTEM_PROJECT: &str = "system";

/// One organisation.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its identifier.
    pub domain_id: Id<Domain>,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One part of an organisation; alert numbers count within it.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its identifier.
    pub workspace_id: Id<Workspace>,
    /// The domain it is part of.
    pub domain_id: Id<Domain>,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What one team looks after.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its own place: domain, workspace and project.
    pub home: Home,
    /// What people call it.
    pub name: String,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How many paths a project has an index on at most.
pub const MOST_INDEXED_FIELDS: usize = 8;

/// A path below `additional_info` that a project has its events indexed by, so that those with one value there are found
/// without reading the others. Its text may stand in a statement of the store: it has letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexedField(Vec<String>);

impl IndexedField {
    /// The path that is written like `additional_info.cluster`; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let path: Vec<String> = text.split('.').map(str::to_owned).collect();
        let (field, below) = path.split_first()?;
        if field == "additional_info" { Self::of(below) } else { None }
    }

    /// The path of these steps below `additional_info`: at most eight, of at most 64 letters, digits, `_` and `-` each.
    pub fn of(steps: &[String]) -> Option<Self> {
        let is_plain = |step: &String| {
            let plain =
                |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-');
            (1..=64).contains(&step.len()) && step.bytes().all(plain)
        };
        let fits = (1..=8).contains(&steps.len()) && steps.iter().all(is_plain);
        fits.then(|| Self(steps.to_vec()))
    }

    /// Its steps below `additional_info`.
    pub fn segments(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for IndexedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "additional_info.{}", self.0.join("."))
    }
}

/// How a project is alerted; a project without one takes no deliveries.
#[derive(Clone, Debug)]
pub struct ProjectAlertConfig {
    /// The project it is for.
    pub home: Home,
    /// How events become alerts there.
    pub policy: AlertPolicy,
    /// When alerting was switched on.
    pub created_at: Timestamp,
}

/// How events become alerts in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertPolicy {
    /// What a recovery does.
    pub recovery_mode: RecoveryMode,
    /// Which alerts notify.
    pub notification_urgency: NotificationUrgency,
    /// How long a recovery that came before its firing waits for it.
    pub recovery_hold: TimeDelta,
    /// After how long an acknowledgement runs out that was given without an end of its own; never where absent.
    pub acknowledgement_expiry: Option<TimeDelta>,
    /// After how long without an event an alert expires; never where absent. A webhook may say otherwise.
    pub stale_after: Option<TimeDelta>,
    /// When an alert that opens again and again is said to be flapping; never where absent.
    pub flapping: Option<FlappingPolicy>,
}

/// When an alert that opens again and again is said to be flapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlappingPolicy {
    /// How often a key may open.
    pub count: u32,
    /// Within how long.
    pub within: TimeDelta,
    /// How long it must stay as it is to be said to flap no more.
    pub quiet: TimeDelta,
}

impl Default for FlappingPolicy {
    fn default() -> Self {
        Self { count: 5, within: TimeDelta::minutes(30), quiet: TimeDelta::minutes(10) }
    }
}

impl AlertPolicy {
    /// The policy of a new project whose recovery mode is `recovery_mode`.
    pub fn new(recovery_mode: RecoveryMode) -> Self {
        Self {
            recovery_mode,
            notification_urgency: NotificationUrgency::All,
            recovery_hold: TimeDelta::minutes(10),
            acknowledgement_expiry: None,
            stale_after: None,
            flapping: Some(FlappingPolicy::default()),
        }
    }
}

impl Identified for Domain {
    const PREFIX: &'static str = "domain";
}

impl Identified for Workspace {
    const PREFIX: &'static str = "workspace";
}

impl Identified for Project {
    const PREFIX: &'static str = "project";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indexed_field_is_a_plain_path_below_additional_info() {
        for path in ["additional_info.cluster", "additional_info.a.b-c_D.0"] {
            assert_eq!(IndexedField::parse(path).unwrap().to_string(), path);
        }
        let long = format!("additional_info.{}", "x".repeat(65));
        let deep = format!("additional_info{}", ".a".repeat(9));
        let refused = [
            "",
            "additional_info",
            "additional_info.",
            "additional_info..a",
            "title",
            "raw_data.a",
            "additional_info.a b",
            "additional_info.a\"",
            "additional_info.a'); DROP TABLE event; --",
            "additional_info.a\u{0}",
            "additional_info.ä",
            "additional_info.$",
            "additional_info.a[0]",
            &long,
            &deep,
        ];
        for path in refused {
            assert_eq!(IndexedField::parse(path), None, "{path}");
        }
    }
}
