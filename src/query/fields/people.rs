//! What can be asked about people: who is told in which steps, who is on call, how they are reached, who must be heard.

use super::{Catalogue, Field, Kind, Order, USER_PROJECTS, integer, object, text, time};

/// Escalation policies.
pub static ESCALATION_POLICIES: Catalogue = Catalogue {
    resource: "escalation policy",
    id: "escalation_policy_id",
    fields: &[
        text("escalation_policy_id"),
        text("name"),
        Field { name: "is_default", kind: Kind::Object },
        Field { name: "rules", kind: Kind::Objects },
        integer("repeat_count"),
        text("finish_condition"),
        object("tags"),
        text("resource_group"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["escalation_policy_id", "name"],
    minimal: &["escalation_policy_id", "name", "is_default", "project_id"],
    order: Order::By("name"),
};

/// On-call schedules.
pub static ON_CALLS: Catalogue = Catalogue {
    resource: "on-call schedule",
    id: "on_call_id",
    fields: &[
        text("on_call_id"),
        text("name"),
        text("time_zone"),
        object("rotation"),
        Field { name: "overrides", kind: Kind::Objects },
        object("on_duty"),
        object("tags"),
        text("resource_group"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["on_call_id", "name"],
    minimal: &["on_call_id", "name", "on_duty", "project_id"],
    order: Order::By("name"),
};

/// Contact methods.
pub static CONTACTS: Catalogue = Catalogue {
    resource: "contact method",
    id: "contact_id",
    fields: &[
        text("contact_id"),
        text("user_id"),
        text("channel_id"),
        text("urgency"),
        text("resource_group"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["contact_id", "user_id", "channel_id"],
    minimal: &["contact_id", "user_id", "channel_id"],
    order: Order::By("user_id"),
};

/// Heartbeats.
pub static HEARTBEATS: Catalogue = Catalogue {
    resource: "heartbeat",
    id: "heartbeat_id",
    fields: &[
        text("heartbeat_id"),
        text("name"),
        text("webhook_id"),
        text("event_key"),
        integer("every"),
        text("severity"),
        text("state"),
        time("last_heard_at"),
        time("due_at"),
        text("alert_id"),
        object("tags"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["heartbeat_id", "name", "webhook_id"],
    minimal: &["heartbeat_id", "name", "webhook_id", "state", "last_heard_at"],
    order: Order::By("name"),
};
