//! The audit trail: one chain per domain.

use rusqlite::{Row, params};

use super::{
    rows::{self, Columns, millis, number},
    work::Work,
};
use crate::{
    domain::{
        audit::{AuditEntry, AuditRecord},
        project::Domain,
        scope::Scope,
    },
    error::{Error, Result},
    id::{Id, Mint},
    store::{AuditQuery, Audits},
};

impl Audits for Work {
    fn add_audit(
        &mut self,
        domain: &Id<Domain>,
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<AuditRecord> {
        let row = self
            .number("SELECT domain FROM domain WHERE domain_id = ?1", [domain.as_str()])?
            .ok_or_else(|| Error::not_found("domain", domain))?;
        let newest = self.one(
            "SELECT sequence, hash FROM audit WHERE domain = ?1 ORDER BY sequence DESC LIMIT 1",
            [row],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.count()?, columns.digest()?))
            },
        )?;
        let (last, previous) = newest.unwrap_or((0, [0; 32]));
        let sequence = last + 1;
        let hash = entry.chained(sequence, &previous);
        let audit_id = mint.id(entry.occurred_at);
        let record =
            AuditRecord { audit_id, sequence, domain_id: domain.clone(), entry, previous, hash };
        self.insert_audit(row, &record)?;
        Ok(record)
    }

    fn audits(&self, scope: &Scope, query: &AuditQuery) -> Result<Vec<AuditRecord>> {
        self.many(
            "SELECT a.audit_id, a.sequence, d.domain_id, a.occurred_at, a.actor, a.action, a.resource, a.outcome,
                    a.before, a.after, a.remote, a.request_id, a.previous, a.hash
             FROM audit a JOIN domain d USING (domain)
             WHERE (?1 IS NULL OR d.domain_id IN (SELECT value FROM json_each(?1)))
               AND (?2 IS NULL OR a.action = ?2) AND (?3 IS NULL OR a.actor = ?3)
               AND (?4 IS NULL OR a.resource = ?4) AND (?5 IS NULL OR a.audit < (SELECT audit FROM audit WHERE audit_id = ?5))
             ORDER BY a.audit DESC LIMIT ?6",
            params![
                rows::reach(&scope.domains)?,
                query.action,
                query.actor,
                query.resource,
                query.before.as_ref().map(Id::as_str),
                query.limit
            ],
            record,
        )
    }
}

impl Work {
    fn insert_audit(&self, domain: i64, record: &AuditRecord) -> Result<()> {
        let AuditEntry {
            occurred_at,
            actor,
            action,
            resource,
            outcome,
            before,
            after,
            remote,
            request_id,
        } = &record.entry;
        self.put(
            "INSERT INTO audit (audit_id, domain, sequence, occurred_at, actor, action, resource, outcome,
                                before, after, remote, request_id, previous, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                record.audit_id.as_str(),
                domain,
                number(record.sequence),
                millis(*occurred_at),
                actor,
                action,
                resource,
                outcome,
                before.as_ref().map(ToString::to_string),
                after.as_ref().map(ToString::to_string),
                remote,
                request_id,
                record.previous.as_slice(),
                record.hash.as_slice()
            ],
        )?;
        Ok(())
    }
}

fn record(row: &Row<'_>) -> Result<AuditRecord> {
    let mut columns = Columns::of(row);
    Ok(AuditRecord {
        audit_id: columns.id()?,
        sequence: columns.count()?,
        domain_id: columns.id()?,
        entry: AuditEntry {
            occurred_at: columns.time()?,
            actor: columns.text()?,
            action: columns.text()?,
            resource: columns.get()?,
            outcome: columns.text()?,
            before: columns.maybe_json()?,
            after: columns.maybe_json()?,
            remote: columns.get()?,
            request_id: columns.get()?,
        },
        previous: columns.digest()?,
        hash: columns.digest()?,
    })
}
