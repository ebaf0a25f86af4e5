//! What can be asked about audit records.

use super::{Catalogue, Order, integer, object, text, time};

/// Audit records, of all trails.
pub static AUDITS: Catalogue = Catalogue {
    resource: "audit record",
    id: "audit_id",
    fields: &[
        text("audit_id"),
        text("posted_id"),
        integer("sequence"),
        text("trail"),
        text("domain_id"),
        time("occurred_at"),
        time("created_at"),
        text("actor"),
        text("actor_type"),
        text("actor_id"),
        text("actor_name"),
        text("action"),
        text("entity_type"),
        text("entity_id"),
        text("entity_name"),
        text("outcome"),
        text("is_success"),
        text("reason"),
        text("remote"),
        text("user_agent"),
        text("request_id"),
        object("before"),
        object("after"),
        object("details"),
    ],
    aliases: &[],
    keyword: &["audit_id", "action", "actor_name", "entity_id", "entity_name"],
    minimal: &[
        "audit_id",
        "sequence",
        "occurred_at",
        "actor",
        "action",
        "entity_type",
        "entity_id",
        "entity_name",
        "outcome",
    ],
    order: Order::LatestFirst,
};
