//! How a project is looked after: all that is decided by, as of the last commit.

use super::{
    channel::Channels, escalation::Escalations, event_rule::EventRules, group_rule::GroupRules,
    heartbeat::Heartbeats, people::People, project::AlertPolicy, scope::Home, suppress::Mutes,
};

/// How a project is looked after. Made whole when any part changes, and shared by all who decide.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The project.
    pub home: Home,
    /// How events become alerts there.
    pub policy: AlertPolicy,
    /// Who is told in which steps.
    pub escalation: Escalations,
    /// What is changed of events before they become alerts.
    pub event_rules: EventRules,
    /// What groups alerts beyond their keys.
    pub group_rules: GroupRules,
    /// What mutes alerts.
    pub mutes: Mutes,
    /// Where messages go.
    pub channels: Channels,
    /// Who is on call, and how people are reached.
    pub people: People,
    /// Who must be heard from.
    pub heartbeats: Heartbeats,
}
