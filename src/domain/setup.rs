//! How a project is looked after: all that is decided by, as of the last commit.

use super::{
    channel::Channels, escalation::Escalations, event_rule::EventRules, group_rule::GroupRules,
    heartbeat::Heartbeats, people::People, project::AlertPolicy, scope::Home, suppress::Mutes,
};

/// What a place, a workspace or one project, has several of. All of a place are read whenever a setup is made, so each has
/// a most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Channels.
    Channels,
    /// Contact methods.
    Contacts,
    /// Schedules of who is on call.
    OnCalls,
    /// Escalation policies.
    EscalationPolicies,
    /// Heartbeats; only projects have them.
    Heartbeats,
}

impl Held {
    /// How many of them a place has at most.
    pub const fn most(self) -> u64 {
        match self {
            Self::Channels | Self::OnCalls | Self::EscalationPolicies => 200,
            Self::Heartbeats => 1000,
            Self::Contacts => 5000,
        }
    }

    /// What people call several of them.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Contacts => "contact methods",
            Self::OnCalls => "on-call schedules",
            Self::EscalationPolicies => "escalation policies",
            Self::Heartbeats => "heartbeats",
        }
    }
}

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
