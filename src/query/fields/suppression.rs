//! The fields of what mutes alerts.

use super::{Catalogue, Field, Kind, Order, USER_PROJECTS, integer, object, text, time};

/// Maintenance windows.
pub static MAINTENANCE_WINDOWS: Catalogue = Catalogue {
    resource: "maintenance window",
    id: "maintenance_window_id",
    fields: &[
        text("maintenance_window_id"),
        text("title"),
        text("state"),
        Field { name: "projects", kind: Kind::Texts },
        Field { name: "filter", kind: Kind::Objects },
        time("start_time"),
        time("end_time"),
        text("time_zone"),
        text("rrule"),
        time("active_until"),
        Field { name: "next_occurrences", kind: Kind::Objects },
        object("tags"),
        text("workspace_id"),
        text("domain_id"),
        text("created_by"),
        time("created_at"),
        time("updated_at"),
        time("closed_at"),
        integer("hit_count"),
        time("last_hit_at"),
    ],
    aliases: &[("project_id", "projects"), ("user_projects", "projects")],
    keyword: &["maintenance_window_id", "title"],
    minimal: &["maintenance_window_id", "title", "state", "projects", "start_time", "end_time"],
    order: Order::NewestFirst,
};

/// Silences.
pub static SILENCES: Catalogue = Catalogue {
    resource: "silence",
    id: "silence_id",
    fields: &[
        text("silence_id"),
        text("reason"),
        text("owner"),
        text("state"),
        Field { name: "filter", kind: Kind::Objects },
        time("start_time"),
        time("end_time"),
        text("resource_group"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        text("created_by"),
        time("created_at"),
        time("updated_at"),
        time("ended_at"),
        integer("hit_count"),
        time("last_hit_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["silence_id", "reason", "owner"],
    minimal: &["silence_id", "reason", "state", "start_time", "end_time", "project_id"],
    order: Order::NewestFirst,
};

/// Inhibitions.
pub static INHIBITIONS: Catalogue = Catalogue {
    resource: "inhibition",
    id: "inhibition_id",
    fields: &[
        text("inhibition_id"),
        text("name"),
        text("state"),
        Field { name: "source", kind: Kind::Objects },
        Field { name: "target", kind: Kind::Objects },
        Field { name: "equal", kind: Kind::Texts },
        text("resource_group"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        text("created_by"),
        time("created_at"),
        time("updated_at"),
        time("closed_at"),
        integer("hit_count"),
        time("last_hit_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["inhibition_id", "name"],
    minimal: &["inhibition_id", "name", "state", "equal", "project_id"],
    order: Order::NewestFirst,
};
