//! Where each field of a catalogue is in the tables.
//!
//! The aliases are fixed: `e` for an event's row, `a` for an alert's.

use crate::query::{self, Catalogue};

/// Where the rows of a resource are.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Table {
    /// What can be asked about them.
    pub(super) catalogue: &'static Catalogue,
    /// What follows `FROM`.
    pub(in crate::store::sqlite) from: &'static str,
    /// The row's number.
    pub(in crate::store::sqlite) row: &'static str,
    /// When it came.
    pub(in crate::store::sqlite) created_at: &'static str,
    /// Its project's number; its domain's where its rows belong to no project.
    pub(in crate::store::sqlite) project: &'static str,
    /// Whose its rows are.
    pub(super) owner: Owner,
    /// What holds of all rows that may be seen.
    pub(super) always: Option<&'static str>,
    /// A field, a value, and what holds in the words of an index wherever the field is not that value.
    pub(super) hint: Option<(&'static str, &'static str, &'static str)>,
    pub(super) columns: &'static [(&'static str, Column)],
}

/// Whose the rows of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Each is of a project.
    Project,
    /// Each is of a domain: who reaches only parts of domains sees none.
    Domain,
}

/// Where a field is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// An expression of one type, or `NULL`.
    Value(&'static str),
    /// An expression, and the conditions that find by an index the rows where it is one value, or one of a JSON list.
    Found {
        /// The expression.
        value: &'static str,
        /// Where it is one value.
        one: &'static str,
        /// Where it is one of several.
        some: &'static str,
    },
    /// JSON, as it is shown.
    Json(&'static str),
    /// A JSON list of names, each shown as an object.
    Names(&'static str),
    /// What was posted: the number of the delivery, and how its content is packed with the content itself.
    Raw {
        /// The number.
        delivery: &'static str,
        /// The two others, as a function takes them.
        content: &'static str,
    },
}

impl Table {
    pub(super) fn column(&self, field: &str) -> Option<Column> {
        self.columns.iter().find(|(name, _)| *name == field).map(|(_, column)| *column)
    }

    /// The row's number.
    pub(in crate::store::sqlite) fn row(&self) -> &'static str {
        self.row
    }

    /// Whether its rows are events.
    pub(in crate::store::sqlite) fn is_events(&self) -> bool {
        self.catalogue.resource == query::EVENTS.resource
    }

    /// Whether rows with one value of this field are found by an index.
    pub(super) fn has_index(&self, field: &str) -> bool {
        matches!(self.column(field), Some(Column::Found { .. }))
    }

    /// The fields that are in the tables.
    #[cfg(test)]
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(name, _)| *name)
    }
}

use Column::{Found, Json, Names, Raw, Value};

/// Events, as `event e`.
pub(in crate::store::sqlite) static EVENTS: Table = Table {
    catalogue: &query::EVENTS,
    from: "event e",
    row: "e.event",
    created_at: "e.created_at",
    project: "e.project",
    owner: Owner::Project,
    always: None,
    hint: None,
    columns: &[
        ("event_id", Value("e.event_id")),
        (
            "event_key",
            // Events of a key are found through its alerts, and those without an alert by an index of their own.
            Found {
                value: "e.event_key",
                one: "e.event IN (\
                    SELECT x.event FROM project p CROSS JOIN alert k CROSS JOIN event x \
                    WHERE k.project = p.project AND k.event_key = ? AND x.alert = k.alert \
                    UNION ALL SELECT x.event FROM project p CROSS JOIN event x \
                    WHERE x.project = p.project AND x.event_key = ? AND x.alert IS NULL)",
                some: "e.event IN (\
                    SELECT x.event FROM project p CROSS JOIN json_each(?) v CROSS JOIN alert k CROSS JOIN event x \
                    WHERE k.project = p.project AND k.event_key = v.value AND x.alert = k.alert \
                    UNION ALL SELECT x.event FROM project p CROSS JOIN json_each(?) v CROSS JOIN event x \
                    WHERE x.project = p.project AND x.event_key = v.value AND x.alert IS NULL)",
            },
        ),
        ("event_type", Value("e.event_type")),
        ("title", Value("e.title")),
        ("description", Value("e.description")),
        ("severity", Value("e.severity")),
        ("rule", Value("e.rule")),
        ("image_url", Value("e.image_url")),
        ("resources", Json("e.resources")),
        ("provider", Value("e.provider")),
        ("account", Value("e.account")),
        (
            "raw_data",
            Raw {
                delivery: "e.delivery",
                content: "(SELECT r.packing FROM payload r WHERE r.delivery = e.delivery), \
                    (SELECT r.content FROM payload r WHERE r.delivery = e.delivery)",
            },
        ),
        ("additional_info", Json("e.additional_info")),
        (
            "alert_id",
            Found {
                value: "(SELECT r.alert_id FROM alert r WHERE r.alert = e.alert)",
                one: "e.alert = (SELECT r.alert FROM alert r WHERE r.alert_id = ?)",
                some: "e.alert IN (SELECT r.alert FROM alert r \
                    WHERE r.alert_id IN (SELECT value FROM json_each(?)))",
            },
        ),
        (
            "webhook_id",
            Found {
                value: "(SELECT r.webhook_id FROM webhook r WHERE r.webhook = e.webhook)",
                one: "e.webhook = (SELECT r.webhook FROM webhook r WHERE r.webhook_id = ?)",
                some: "e.webhook IN (SELECT r.webhook FROM webhook r \
                    WHERE r.webhook_id IN (SELECT value FROM json_each(?)))",
            },
        ),
        (
            "project_id",
            Found {
                value: "(SELECT r.project_id FROM project r WHERE r.project = e.project)",
                one: "e.project = (SELECT r.project FROM project r WHERE r.project_id = ?)",
                some: "e.project IN (SELECT r.project FROM project r \
                    WHERE r.project_id IN (SELECT value FROM json_each(?)))",
            },
        ),
        (
            "workspace_id",
            Value(
                "(SELECT w.workspace_id FROM project r JOIN workspace w ON w.workspace = r.workspace \
                 WHERE r.project = e.project)",
            ),
        ),
        (
            "domain_id",
            Value(
                "(SELECT d.domain_id FROM project r JOIN workspace w ON w.workspace = r.workspace \
                 JOIN domain d ON d.domain = w.domain WHERE r.project = e.project)",
            ),
        ),
        ("created_at", Value("e.created_at")),
        ("occurred_at", Value("e.occurred_at")),
        (
            "delivery_id",
            // A delivery's events stand one after the other, except those of items that were driven again.
            Found {
                value: "(SELECT r.delivery_id FROM delivery r WHERE r.delivery = e.delivery)",
                one: "e.event IN (\
                    SELECT x.event FROM delivery r CROSS JOIN event x ON x.delivery = r.delivery \
                    AND x.event >= r.first_event AND x.event < r.first_event + r.events WHERE r.delivery_id = ? \
                    UNION ALL SELECT x.event FROM delivery r JOIN redriven x ON x.delivery = r.delivery \
                    WHERE r.delivery_id = ?)",
                some: "e.event IN (\
                    SELECT x.event FROM json_each(?) v CROSS JOIN delivery r CROSS JOIN event x \
                    ON r.delivery_id = v.value AND x.delivery = r.delivery \
                    AND x.event >= r.first_event AND x.event < r.first_event + r.events \
                    UNION ALL SELECT x.event FROM json_each(?) v CROSS JOIN delivery r CROSS JOIN redriven x \
                    ON r.delivery_id = v.value AND x.delivery = r.delivery)",
            },
        ),
        ("item", Value("e.item")),
        ("why", Value("e.why")),
    ],
};

/// Alerts that are not deleted, as `alert a` with how they stand, `standing t`.
pub(in crate::store::sqlite) static ALERTS: Table = Table {
    catalogue: &query::ALERTS,
    from: "alert a CROSS JOIN standing t ON t.alert = a.alert",
    row: "a.alert",
    created_at: "a.created_at",
    project: "a.project",
    owner: Owner::Project,
    always: Some("a.deleted_at IS NULL"),
    hint: Some(("state", "RESOLVED", "a.state <> 'RESOLVED'")),
    columns: &[
        (
            "alert_number",
            Found {
                value: "a.alert_number",
                one: "a.alert IN (SELECT x.alert FROM workspace w CROSS JOIN alert x \
                    WHERE x.workspace = w.workspace AND x.alert_number = ?)",
                some: "a.alert_number IN (SELECT value FROM json_each(?))",
            },
        ),
        ("alert_number_str", Value("CAST(a.alert_number AS TEXT)")),
        ("alert_id", Value("a.alert_id")),
        ("title", Value("a.title")),
        ("state", Value("a.state")),
        ("description", Value("a.description")),
        ("assignee", Value("a.assignee")),
        ("responder", Value("a.responder")),
        ("urgency", Value("t.urgency")),
        ("severity", Value("t.severity")),
        ("rule", Value("a.rule")),
        ("image_url", Value("a.image_url")),
        ("resources", Names("a.resources")),
        ("provider", Value("a.provider")),
        ("account", Value("a.account")),
        ("additional_info", Json("a.additional_info")),
        ("escalation_step", Value("a.escalation_step")),
        ("escalation_ttl", Value("a.escalation_ttl")),
        ("triggered_by", Value("a.triggered_by")),
        (
            "webhook_id",
            Found {
                value: "(SELECT r.webhook_id FROM webhook r WHERE r.webhook = a.webhook)",
                one: "a.webhook = (SELECT r.webhook FROM webhook r WHERE r.webhook_id = ?)",
                some: "a.webhook IN (SELECT r.webhook FROM webhook r \
                    WHERE r.webhook_id IN (SELECT value FROM json_each(?)))",
            },
        ),
        ("escalation_policy_id", Value("a.escalation_policy_id")),
        (
            "project_id",
            Found {
                value: "(SELECT r.project_id FROM project r WHERE r.project = a.project)",
                one: "a.project = (SELECT r.project FROM project r WHERE r.project_id = ?)",
                some: "a.project IN (SELECT r.project FROM project r \
                    WHERE r.project_id IN (SELECT value FROM json_each(?)))",
            },
        ),
        (
            "workspace_id",
            Value(
                "(SELECT w.workspace_id FROM project r JOIN workspace w ON w.workspace = r.workspace \
                 WHERE r.project = a.project)",
            ),
        ),
        (
            "domain_id",
            Value(
                "(SELECT d.domain_id FROM project r JOIN workspace w ON w.workspace = r.workspace \
                 JOIN domain d ON d.domain = w.domain WHERE r.project = a.project)",
            ),
        ),
        ("created_at", Value("a.created_at")),
        ("updated_at", Value("t.updated_at")),
        ("acknowledged_at", Value("a.acknowledged_at")),
        ("resolved_at", Value("a.resolved_at")),
        ("escalated_at", Value("a.escalated_at")),
        (
            "event_key",
            Found {
                value: "a.event_key",
                one: "a.alert IN (SELECT x.alert FROM project p CROSS JOIN alert x \
                    WHERE x.project = p.project AND x.event_key = ?)",
                some: "a.alert IN (SELECT x.alert FROM project p CROSS JOIN json_each(?) v CROSS JOIN alert x \
                    WHERE x.project = p.project AND x.event_key = v.value)",
            },
        ),
        ("event_count", Value("t.event_count")),
        ("first_event_at", Value("a.created_at")),
        ("last_event_at", Value("t.last_event_at")),
        ("resolved_reason", Value("a.ending")),
        (
            "muted_by",
            Found {
                value: "a.muted_by",
                one: "a.alert IN (SELECT x.alert FROM alert x WHERE x.muted_by = ?)",
                some: "a.alert IN (SELECT x.alert FROM alert x \
                    WHERE x.muted_by IN (SELECT value FROM json_each(?)))",
            },
        ),
        ("snoozed_until", Value("a.snoozed_until")),
        ("acknowledged_until", Value("a.acknowledged_until")),
        ("flapping_since", Value("a.flapping_since")),
        (
            "merged_into",
            Found {
                value: "a.merged_into",
                one: "a.alert IN (SELECT x.alert FROM alert x WHERE x.merged_into = ?)",
                some: "a.alert IN (SELECT x.alert FROM alert x \
                    WHERE x.merged_into IN (SELECT value FROM json_each(?)))",
            },
        ),
        (
            "resolved_as",
            Value(
                "CASE WHEN a.resolved_at IS NULL THEN NULL WHEN a.expired THEN 'EXPIRED' ELSE 'RESOLVED' END",
            ),
        ),
    ],
};
