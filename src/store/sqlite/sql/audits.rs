//! Where each field of an audit record is.

use super::columns::{
    Column::{Json, Value},
    Owner, Table,
};
use crate::query;

/// Audit records, as `audit u`.
pub(in crate::store::sqlite) static AUDITS: Table = Table {
    catalogue: &query::AUDITS,
    from: "audit u",
    row: "u.audit",
    created_at: "u.received_at",
    project: "u.domain",
    owner: Owner::Domain,
    always: None,
    hint: None,
    columns: &[
        ("audit_id", Value("u.audit_id")),
        ("posted_id", Value("u.posted_id")),
        ("sequence", Value("u.sequence")),
        ("trail", Value("u.trail")),
        ("domain_id", Value("(SELECT d.domain_id FROM domain d WHERE d.domain = u.domain)")),
        ("occurred_at", Value("u.occurred_at")),
        ("created_at", Value("u.received_at")),
        ("actor", Value("u.actor_type || ':' || u.actor_id")),
        ("actor_type", Value("u.actor_type")),
        ("actor_id", Value("u.actor_id")),
        ("actor_name", Value("u.actor_name")),
        ("action", Value("u.action")),
        ("entity_type", Value("u.entity_type")),
        ("entity_id", Value("u.entity_id")),
        ("entity_name", Value("u.entity_name")),
        ("outcome", Value("u.outcome")),
        ("is_success", Value("iif(u.outcome = 'SUCCESS', 'true', 'false')")),
        ("reason", Value("u.reason")),
        ("remote", Value("u.remote")),
        ("user_agent", Value("u.user_agent")),
        ("request_id", Value("u.request_id")),
        ("before", Json("u.before")),
        ("after", Json("u.after")),
        ("details", Json("u.details")),
    ],
};
