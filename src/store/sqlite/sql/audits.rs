//! Where each field of an audit record is.

use super::columns::{
    Column::{Json, Value},
    Owner, Table,
};
use crate::query;

/// The fields whose values an index has, each in the order of time within a chain.
pub(super) const INDEXED: [&str; 11] = [
    "audit_id",
    "posted_id",
    "action",
    "actor_type",
    "actor_id",
    "actor_name",
    "entity_type",
    "entity_id",
    "entity_name",
    "remote",
    "request_id",
];

/// The same of `details`, where it is an object with such a member that is a text.
pub(super) const INDEXED_DETAILS: [&str; 4] =
    ["source", "severity", "classification", "visibility"];

/// Audit records, as `audit a`. They are read a chain at a time ([`crate::store::sqlite::audits`]), so that no column
/// needs a search of its own.
pub(in crate::store::sqlite) static AUDITS: Table = Table {
    catalogue: &query::AUDITS,
    from: "audit a",
    row: "a.audit",
    created_at: "a.occurred_at",
    project: "(SELECT c.domain FROM audit_chain c WHERE c.chain = a.chain)",
    owner: Owner::Domain,
    always: None,
    hint: None,
    columns: &[
        ("audit_id", Value("a.audit_id")),
        ("posted_id", Value("a.posted_id")),
        ("sequence", Value("a.sequence")),
        ("trail", Value("(SELECT c.trail FROM audit_chain c WHERE c.chain = a.chain)")),
        (
            "domain_id",
            Value(
                "(SELECT d.domain_id FROM audit_chain c JOIN domain d ON d.domain = c.domain WHERE c.chain = a.chain)",
            ),
        ),
        ("occurred_at", Value("a.occurred_at")),
        ("created_at", Value("a.received_at")),
        ("actor", Value("(a.actor_type || ':' || a.actor_id)")),
        ("actor_type", Value("a.actor_type")),
        ("actor_id", Value("a.actor_id")),
        ("actor_name", Value("a.actor_name")),
        ("action", Value("a.action")),
        ("entity_type", Value("a.entity_type")),
        ("entity_id", Value("a.entity_id")),
        ("entity_name", Value("a.entity_name")),
        ("outcome", Value("a.outcome")),
        ("is_success", Value("iif(a.outcome = 'SUCCESS', 'true', 'false')")),
        ("reason", Value("a.reason")),
        ("remote", Value("a.remote")),
        ("user_agent", Value("a.user_agent")),
        ("request_id", Value("a.request_id")),
        ("before", Json("a.before")),
        ("after", Json("a.after")),
        ("details", Json("a.details")),
    ],
};
