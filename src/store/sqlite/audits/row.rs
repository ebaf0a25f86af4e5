//! An audit record as a row.

use rusqlite::{Row, params};
use serde_json::Value;

use crate::{
    domain::audit::{Actor, ActorKind, AuditEntry, AuditRecord, Entity, Trail},
    error::{Error, Result},
    store::sqlite::{
        rows::{Columns, millis, number},
        work::Work,
    },
};

/// Every column of a record, as [`record`] reads them.
pub(super) const COLUMNS: &str = "a.audit_id, a.sequence, d.domain_id, c.trail, a.format, a.posted_id, a.occurred_at, a.received_at,
        a.actor_type, a.actor_id, a.actor_name, a.action, a.entity_type, a.entity_id, a.entity_name, a.outcome, a.reason,
        a.before, a.after, a.remote, a.user_agent, a.request_id, a.details, a.previous, a.hash";

/// The tables that name the chain of a record.
pub(super) const HOME: &str =
    "CROSS JOIN audit_chain c ON c.chain = a.chain CROSS JOIN domain d ON d.domain = c.domain";

/// Reads a record. Somebody may have changed the file: what is not as we write it is read as something else, which the
/// hash then tells.
pub(super) fn record(columns: &mut Columns<'_>) -> Result<AuditRecord> {
    Ok(AuditRecord {
        audit_id: columns.id()?,
        sequence: columns.count()?,
        domain_id: columns.id()?,
        trail: columns.text()?.parse().unwrap_or(Trail::Own),
        format: u32::try_from(columns.count()?).unwrap_or_default(),
        posted_id: columns.get()?,
        entry: AuditEntry {
            occurred_at: columns.time()?,
            received_at: columns.time()?,
            actor: Actor {
                kind: columns.text()?.parse().unwrap_or(ActorKind::Nobody),
                id: columns.text()?,
                name: columns.text()?,
            },
            action: columns.text()?,
            entity: entity(columns)?,
            outcome: columns.text()?,
            reason: columns.get()?,
            before: columns.get::<Option<String>>()?.map(said),
            after: columns.get::<Option<String>>()?.map(said),
            remote: columns.get()?,
            user_agent: columns.get()?,
            request_id: columns.get()?,
            details: said(columns.text()?),
        },
        previous: digest(columns)?,
        hash: digest(columns)?,
    })
}

fn entity(columns: &mut Columns<'_>) -> Result<Option<Entity>> {
    let (kind, id, name): (Option<String>, Option<String>, Option<String>) =
        (columns.get()?, columns.get()?, columns.get()?);
    Ok(kind.map(|kind| Entity { kind, id: id.unwrap_or_default(), name }))
}

fn said(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn digest(columns: &mut Columns<'_>) -> Result<[u8; 32]> {
    let bytes: Vec<u8> = columns.get()?;
    Ok(bytes.try_into().unwrap_or_default())
}

/// The record of a row.
pub(super) fn of(row: &Row<'_>) -> Result<AuditRecord> {
    record(&mut Columns::of(row))
}

/// How many bytes a record says beyond who and what, behind its place: `before`, `after` and `details`.
pub(super) fn said_bytes(row: &Row<'_>) -> Result<usize> {
    let bytes = |at| -> Result<usize> {
        let said = row.get_ref(at)?.as_bytes_or_null().map_err(Error::internal)?;
        Ok(said.map_or(0, <[u8]>::len))
    };
    Ok(bytes(19)? + bytes(20)? + bytes(24)?)
}

impl Work {
    /// Adds a record to the chain of this number.
    pub(super) fn insert_audit(&self, chain: i64, record: &AuditRecord) -> Result<()> {
        let AuditRecord {
            audit_id,
            sequence,
            domain_id: _,
            trail: _,
            format,
            posted_id,
            entry,
            previous,
            hash,
        } = record;
        let entity = entry.entity.as_ref();
        self.put(
            "INSERT INTO audit (audit_id, chain, sequence, format, posted_id, occurred_at, received_at, actor_type, actor_id,
                                actor_name, action, entity_type, entity_id, entity_name, outcome, reason, before, after,
                                remote, user_agent, request_id, details, previous, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                     ?23, ?24)",
            params![
                audit_id.as_str(),
                chain,
                number(*sequence),
                format,
                posted_id,
                millis(entry.occurred_at),
                millis(entry.received_at),
                entry.actor.kind.as_str(),
                entry.actor.id,
                entry.actor.name,
                entry.action,
                entity.map(|it| &it.kind),
                entity.map(|it| &it.id).filter(|id| !id.is_empty()),
                entity.and_then(|it| it.name.as_ref()),
                entry.outcome,
                entry.reason,
                entry.before.as_ref().map(ToString::to_string),
                entry.after.as_ref().map(ToString::to_string),
                entry.remote,
                entry.user_agent,
                entry.request_id,
                entry.details.to_string(),
                previous.as_slice(),
                hash.as_slice(),
            ],
        )?;
        Ok(())
    }
}
