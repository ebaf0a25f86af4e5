//! Whose it is: domains, their workspaces, their projects, and how a project is alerted.

use std::collections::BTreeMap;

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
}

impl AlertPolicy {
    /// The policy of a new project whose recovery mode is `recovery_mode`.
    pub fn new(recovery_mode: RecoveryMode) -> Self {
        Self {
            recovery_mode,
            notification_urgency: NotificationUrgency::All,
            recovery_hold: TimeDelta::minutes(10),
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
