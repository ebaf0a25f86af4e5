//! An entry of the audit log as Run:ai's clients read it.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::words::{self, Deed};
use crate::{api::export::Tenant, domain::audit::ActorKind};

/// The columns of the log as a table.
pub(super) const COLUMNS: [&str; 20] = [
    "sourceName",
    "happenedAt",
    "action",
    "id",
    "status",
    "entityType",
    "entityName",
    "entityId",
    "clusterName",
    "clusterId",
    "sourceType",
    "sourceId",
    "event",
    "reason",
    "oldValue",
    "newValue",
    "context.ip_address",
    "context.user_agent",
    "tenantId",
    "version",
];

/// One thing that was done, or refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogEntry {
    /// Its number: what is newer has a greater one, none is missing and none comes twice.
    id: u64,
    /// The number of the domain that it belongs to.
    tenant_id: u64,
    /// When it was done.
    happened_at: String,
    /// What was done: `Create`, `Update`, `Delete` or `Login`.
    action: String,
    /// The version of this form.
    version: String,
    /// The identifier of what it was done to; empty where it was done to nothing in particular.
    entity_id: String,
    /// What kind of thing it was done to.
    entity_type: String,
    /// What people call what it was done to.
    entity_name: String,
    /// What kind of somebody did it.
    source_type: String,
    /// The identifier of who did it.
    source_id: String,
    /// What people call who did it.
    source_name: String,
    /// Where it came from.
    context: LogContext,
    /// `Succeeded` or `Failed`.
    status: String,
    /// Empty: nothing here belongs to one cluster.
    cluster_id: String,
    /// Empty: nothing here belongs to one cluster.
    cluster_name: String,
    /// What was done in our own words, e.g. `webhook.rotate_key`.
    event: String,
    /// Why it failed; empty where it did not.
    reason: String,
    /// What was so before.
    old_value: Option<Value>,
    /// What is so now.
    new_value: Option<Value>,
}

/// Where something came from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct LogContext {
    /// The program, as that names itself.
    user_agent: String,
    /// The address.
    ip_address: String,
}

impl LogEntry {
    /// A record of the audit trail, as the API shows it, as an entry.
    pub(super) fn of(record: &Value, tenant: &Tenant) -> Self {
        let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
        let kept = |field: &str| Some(record[field].clone()).filter(|value| !value.is_null());
        let event = text("action");
        let kind = ActorKind::from_str(&text("actor_type")).unwrap_or(ActorKind::Nobody);
        let is_success = record["outcome"] == crate::domain::audit::SUCCESS;
        Self {
            id: record["sequence"].as_u64().unwrap_or_default(),
            tenant_id: tenant.number,
            happened_at: text("occurred_at"),
            action: Deed::of(&event).as_str().to_owned(),
            version: "1.0".to_owned(),
            entity_id: text("entity_id"),
            entity_type: words::entity(&text("entity_type"), &event),
            entity_name: text("entity_name"),
            source_type: words::source(kind).to_owned(),
            source_id: text("actor_id"),
            source_name: text("actor_name"),
            context: LogContext { user_agent: text("user_agent"), ip_address: text("remote") },
            status: if is_success { "Succeeded" } else { "Failed" }.to_owned(),
            cluster_id: String::new(),
            cluster_name: String::new(),
            event,
            reason: text("reason"),
            old_value: kept("before"),
            new_value: kept("after"),
        }
    }
}
