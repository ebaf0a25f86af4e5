//! An audit record as a row.

use std::iter;

use rusqlite::{
    Row, params_from_iter,
    types::{Value as Column, ValueRef},
};
use serde_json::Value;

use crate::{
    domain::audit::{Actor, ActorKind, AuditEntry, AuditRecord, Entity, Trail, Written},
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
        audit_id: text(columns)?.into(),
        sequence: columns.count()?,
        domain_id: text(columns)?.into(),
        trail: text(columns)?.parse().unwrap_or(Trail::Own),
        format: u32::try_from(columns.count()?).unwrap_or_default(),
        posted_id: columns.lossy()?,
        entry: AuditEntry {
            occurred_at: columns.time()?,
            received_at: columns.time()?,
            actor: Actor {
                kind: text(columns)?.parse().unwrap_or(ActorKind::Nobody),
                id: text(columns)?,
                name: text(columns)?,
            },
            action: text(columns)?,
            entity: entity(columns)?,
            outcome: text(columns)?,
            reason: columns.lossy()?,
            before: columns.lossy()?.map(said).filter(is_something),
            after: columns.lossy()?.map(said).filter(is_something),
            remote: columns.lossy()?,
            user_agent: columns.lossy()?,
            request_id: columns.lossy()?,
            details: said(text(columns)?),
        },
        previous: digest(columns)?,
        hash: digest(columns)?,
    })
}

fn text(columns: &mut Columns<'_>) -> Result<String> {
    Ok(columns.lossy()?.unwrap_or_default())
}

fn entity(columns: &mut Columns<'_>) -> Result<Option<Entity>> {
    let (kind, id, name) = (columns.lossy()?, columns.lossy()?, columns.lossy()?);
    Ok(kind.map(|kind| Entity { kind, id: id.unwrap_or_default(), name }))
}

fn said(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Whether it is worth a text: nothing is written as `NULL`, in one way only.
fn is_something(said: &Value) -> bool {
    !said.is_null()
}

/// A digest; zeros where somebody made it something else, which proves nothing.
pub(super) fn digest(columns: &mut Columns<'_>) -> Result<[u8; 32]> {
    let bytes: Vec<u8> = columns.get()?;
    Ok(bytes.try_into().unwrap_or_default())
}

/// The record of a row.
pub(super) fn of(row: &Row<'_>) -> Result<AuditRecord> {
    record(&mut Columns::of(row))
}

/// The record of a row that begins with its place in the file, and whether each column is to the letter as we write it: lists
/// and filters read the columns, and the hash is made of what they mean.
pub(super) fn written(row: &Row<'_>) -> Result<Written> {
    let mut columns = Columns::of(row);
    let (place, record) = (columns.get()?, record(&mut columns)?);
    let mut is_exact = true;
    for (at, value) in values(&record).iter().enumerate() {
        // The place comes first, and two columns of the chain are between.
        let column = if at < 2 { at + 1 } else { at + 3 };
        is_exact &= row.get_ref(column)? == ValueRef::from(value);
    }
    Ok(Written { record, place, is_exact })
}

/// The values of a record, in the order of [`COLUMNS`] but without those of its chain.
fn values(record: &AuditRecord) -> [Column; 23] {
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
    let text = |text: &str| Column::Text(text.to_owned());
    let maybe =
        |text: Option<&str>| text.map_or(Column::Null, |text| Column::Text(text.to_owned()));
    let said = |value: Option<&Value>| {
        let value = value.filter(|value| is_something(value));
        value.map_or(Column::Null, |value| Column::Text(value.to_string()))
    };
    let entity = entry.entity.as_ref();
    [
        text(audit_id.as_str()),
        Column::Integer(number(*sequence)),
        Column::Integer(i64::from(*format)),
        maybe(posted_id.as_deref()),
        Column::Integer(millis(entry.occurred_at)),
        Column::Integer(millis(entry.received_at)),
        text(entry.actor.kind.as_str()),
        text(&entry.actor.id),
        text(&entry.actor.name),
        text(&entry.action),
        maybe(entity.map(|it| it.kind.as_str())),
        maybe(entity.map(|it| it.id.as_str())),
        maybe(entity.and_then(|it| it.name.as_deref())),
        text(&entry.outcome),
        maybe(entry.reason.as_deref()),
        said(entry.before.as_ref()),
        said(entry.after.as_ref()),
        maybe(entry.remote.as_deref()),
        maybe(entry.user_agent.as_deref()),
        maybe(entry.request_id.as_deref()),
        Column::Text(entry.details.to_string()),
        Column::Blob(previous.to_vec()),
        Column::Blob(hash.to_vec()),
    ]
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
        self.put(
            "INSERT INTO audit (chain, audit_id, sequence, format, posted_id, occurred_at, received_at, actor_type, actor_id,
                                actor_name, action, entity_type, entity_id, entity_name, outcome, reason, before, after,
                                remote, user_agent, request_id, details, previous, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                     ?23, ?24)",
            params_from_iter(iter::once(Column::Integer(chain)).chain(values(record))),
        )?;
        Ok(())
    }
}
