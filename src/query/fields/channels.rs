//! What can be asked about channels.

use super::{Catalogue, Field, Kind, Order, USER_PROJECTS, integer, object, text, time};

/// Channels.
pub static CHANNELS: Catalogue = Catalogue {
    resource: "channel",
    id: "channel_id",
    fields: &[
        text("channel_id"),
        text("name"),
        text("state"),
        text("kind"),
        text("target"),
        object("settings"),
        Field { name: "levels", kind: Kind::Texts },
        Field { name: "filter", kind: Kind::Objects },
        Field { name: "filter_or", kind: Kind::Objects },
        object("templates"),
        object("gather"),
        integer("rate"),
        object("tags"),
        text("resource_group"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["channel_id", "name"],
    minimal: &["channel_id", "name", "state", "kind", "project_id"],
    order: Order::By("name"),
};
