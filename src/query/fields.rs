//! What can be asked about: the fields of each resource.

pub(super) mod audits;
pub(super) mod channels;
pub(super) mod people;
pub(super) mod suppression;
pub(super) mod users;

/// The fields of a resource, and what lists of it do where nothing is said.
#[derive(Debug, PartialEq)]
pub struct Catalogue {
    /// What one of them is called, e.g. `event`.
    pub resource: &'static str,
    /// The field that identifies one.
    pub id: &'static str,
    /// All fields, as its view shows them.
    pub fields: &'static [Field],
    /// Other names for a field or a path below it, which may be used in conditions and orders.
    pub aliases: &'static [(&'static str, &'static str)],
    /// The fields that a keyword looks at.
    pub keyword: &'static [&'static str],
    /// The fields that `minimal` answers.
    pub minimal: &'static [&'static str],
    /// The order of lists of it where none is asked for.
    pub order: Order,
}

/// The order of a list where none is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    NewestFirst,
    /// What occurred last first.
    LatestFirst,
    /// By this field.
    By(&'static str),
}

/// One field of a resource.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, or null.
    Text,
    /// A whole number, or null.
    Integer,
    /// A time, or null.
    Time,
    /// A list of texts.
    Texts,
    /// A list of objects.
    Objects,
    /// An object with keys of the sender's or user's choice.
    Object,
}

impl Catalogue {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The path that `key` stands for.
    pub(super) fn resolved<'a>(&self, key: &'a str) -> &'a str
    where
        'static: 'a,
    {
        self.aliases.iter().find(|(alias, _)| *alias == key).map_or(key, |(_, path)| path)
    }
}

const fn text(name: &'static str) -> Field {
    Field { name, kind: Kind::Text }
}

const fn integer(name: &'static str) -> Field {
    Field { name, kind: Kind::Integer }
}

const fn time(name: &'static str) -> Field {
    Field { name, kind: Kind::Time }
}

const fn object(name: &'static str) -> Field {
    Field { name, kind: Kind::Object }
}

/// Another name that every resource has for its project.
const USER_PROJECTS: (&str, &str) = ("user_projects", "project_id");

/// Events.
pub static EVENTS: Catalogue = Catalogue {
    resource: "event",
    id: "event_id",
    fields: &[
        text("event_id"),
        text("event_key"),
        text("event_type"),
        text("title"),
        text("description"),
        text("severity"),
        text("rule"),
        text("image_url"),
        Field { name: "resources", kind: Kind::Texts },
        text("provider"),
        text("account"),
        object("raw_data"),
        object("additional_info"),
        text("alert_id"),
        text("webhook_id"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
        time("occurred_at"),
        text("delivery_id"),
        integer("item"),
        text("why"),
    ],
    aliases: &[("resource", "resources"), USER_PROJECTS],
    keyword: &["event_id", "title"],
    minimal: &["event_id", "event_key", "event_type", "title", "severity", "alert_id"],
    order: Order::NewestFirst,
};

/// Alerts.
pub static ALERTS: Catalogue = Catalogue {
    resource: "alert",
    id: "alert_id",
    fields: &[
        integer("alert_number"),
        text("alert_number_str"),
        text("alert_id"),
        text("title"),
        text("state"),
        text("description"),
        text("assignee"),
        text("responder"),
        text("urgency"),
        text("severity"),
        text("rule"),
        text("image_url"),
        Field { name: "resources", kind: Kind::Objects },
        text("provider"),
        text("account"),
        object("additional_info"),
        integer("escalation_step"),
        integer("escalation_ttl"),
        text("triggered_by"),
        text("webhook_id"),
        text("escalation_policy_id"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
        time("updated_at"),
        time("acknowledged_at"),
        time("resolved_at"),
        time("escalated_at"),
        text("event_key"),
        integer("event_count"),
        time("first_event_at"),
        time("last_event_at"),
        text("resolved_reason"),
        text("muted_by"),
        time("snoozed_until"),
        time("acknowledged_until"),
        time("flapping_since"),
        text("merged_into"),
        text("resolved_as"),
    ],
    aliases: &[("resource", "resources.name"), USER_PROJECTS],
    keyword: &["alert_id", "alert_number_str", "title"],
    minimal: &[
        "alert_number",
        "alert_id",
        "title",
        "state",
        "assignee",
        "responder",
        "urgency",
        "escalation_step",
        "escalation_ttl",
        "project_id",
        "workspace_id",
    ],
    order: Order::NewestFirst,
};

/// Webhooks.
pub static WEBHOOKS: Catalogue = Catalogue {
    resource: "webhook",
    id: "webhook_id",
    fields: &[
        text("webhook_id"),
        text("name"),
        text("state"),
        text("webhook_url"),
        text("provider"),
        object("plugin_info"),
        object("capability"),
        object("options"),
        object("tags"),
        object("requests"),
        Field { name: "access_keys", kind: Kind::Objects },
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["webhook_id", "name"],
    minimal: &["webhook_id", "name", "state", "webhook_url", "project_id", "workspace_id"],
    order: Order::By("name"),
};

/// How projects are alerted.
pub static PROJECT_ALERT_CONFIGS: Catalogue = Catalogue {
    resource: "project alert configuration",
    id: "project_id",
    fields: &[
        text("project_id"),
        object("options"),
        text("escalation_policy_id"),
        object("escalation_policy_info"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["project_id"],
    minimal: &["project_id", "options", "escalation_policy_id"],
    order: Order::By("project_id"),
};

/// Notes.
pub static NOTES: Catalogue = Catalogue {
    resource: "note",
    id: "note_id",
    fields: &[
        text("note_id"),
        text("note"),
        text("alert_id"),
        text("created_by"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
        time("updated_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["note_id", "note"],
    minimal: &["note_id", "note", "alert_id", "created_by"],
    order: Order::NewestFirst,
};

/// Domains.
pub static DOMAINS: Catalogue = Catalogue {
    resource: "domain",
    id: "domain_id",
    fields: &[text("domain_id"), text("name"), time("created_at")],
    aliases: &[],
    keyword: &["domain_id", "name"],
    minimal: &["domain_id", "name"],
    order: Order::By("domain_id"),
};

/// Workspaces.
pub static WORKSPACES: Catalogue = Catalogue {
    resource: "workspace",
    id: "workspace_id",
    fields: &[text("workspace_id"), text("name"), text("domain_id"), time("created_at")],
    aliases: &[],
    keyword: &["workspace_id", "name"],
    minimal: &["workspace_id", "name"],
    order: Order::By("workspace_id"),
};

/// Projects.
pub static PROJECTS: Catalogue = Catalogue {
    resource: "project",
    id: "project_id",
    fields: &[
        text("project_id"),
        text("name"),
        object("tags"),
        object("alert_config"),
        object("retention"),
        Field { name: "indexed_fields", kind: Kind::Texts },
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["project_id", "name"],
    minimal: &["project_id", "name", "workspace_id"],
    order: Order::By("project_id"),
};

/// Event rules.
pub static EVENT_RULES: Catalogue = Catalogue {
    resource: "event rule",
    id: "event_rule_id",
    fields: &[
        text("event_rule_id"),
        text("name"),
        integer("order"),
        Field { name: "conditions", kind: Kind::Objects },
        text("conditions_policy"),
        object("actions"),
        object("options"),
        object("tags"),
        text("resource_group"),
        text("webhook_id"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
        integer("hit_count"),
        time("last_hit_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["event_rule_id", "name"],
    minimal: &["event_rule_id", "name", "order", "resource_group", "project_id"],
    order: Order::By("order"),
};

/// Group rules.
pub static GROUP_RULES: Catalogue = Catalogue {
    resource: "group rule",
    id: "group_rule_id",
    fields: &[
        text("group_rule_id"),
        text("name"),
        integer("order"),
        Field { name: "conditions", kind: Kind::Objects },
        Field { name: "fields", kind: Kind::Texts },
        integer("window"),
        integer("threshold"),
        object("tags"),
        text("project_id"),
        text("workspace_id"),
        text("domain_id"),
        time("created_at"),
        integer("hit_count"),
        time("last_hit_at"),
    ],
    aliases: &[USER_PROJECTS],
    keyword: &["group_rule_id", "name"],
    minimal: &["group_rule_id", "name", "order", "project_id"],
    order: Order::By("order"),
};

/// Tokens.
pub static TOKENS: Catalogue = Catalogue {
    resource: "token",
    id: "token_id",
    fields: &[
        text("token_id"),
        text("name"),
        text("role"),
        text("domain_id"),
        Field { name: "workspaces", kind: Kind::Texts },
        Field { name: "projects", kind: Kind::Texts },
        time("created_at"),
        time("expires_at"),
        time("revoked_at"),
    ],
    aliases: &[],
    keyword: &["token_id", "name"],
    minimal: &["token_id", "name", "role"],
    order: Order::By("created_at"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogues_name_only_fields_they_have() {
        let all = [
            &EVENTS,
            &ALERTS,
            &WEBHOOKS,
            &PROJECT_ALERT_CONFIGS,
            &NOTES,
            &DOMAINS,
            &WORKSPACES,
            &PROJECTS,
            &EVENT_RULES,
            &GROUP_RULES,
            &TOKENS,
            &audits::AUDITS,
            &channels::CHANNELS,
            &people::ESCALATION_POLICIES,
            &people::ON_CALLS,
            &people::CONTACTS,
            &people::HEARTBEATS,
            &suppression::MAINTENANCE_WINDOWS,
            &suppression::SILENCES,
            &suppression::INHIBITIONS,
            &users::USERS,
            &users::APPLICATIONS,
            &users::SESSIONS,
        ];
        for catalogue in all {
            let paths = catalogue.aliases.iter().map(|(_, path)| *path);
            let paths = paths.map(|path| path.split('.').next().unwrap());
            let order = match catalogue.order {
                Order::NewestFirst => "created_at",
                Order::LatestFirst => "occurred_at",
                Order::By(name) => name,
            };
            let names = [catalogue.id, order].into_iter().chain(paths);
            let names = names.chain(catalogue.keyword.iter().chain(catalogue.minimal).copied());
            for name in names {
                assert!(catalogue.field(name).is_some(), "{}.{name}", catalogue.resource);
            }
        }
    }
}
