//! Who did what: one chain per domain and trail.

use rusqlite::{params, params_from_iter};

use super::{
    rows::{self, Columns, millis, number},
    sql,
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        audit::{Actor, AuditEntry, AuditRecord, Entity, FORMAT, Place, Trail},
        project::Domain,
        scope::{Reach, Scope},
    },
    error::{Error, Result},
    id::{Id, Mint},
    query::{Keyset, Query},
    store::{Audits, Each, Found, Head, Posting, Scan},
};

/// Every column of a record, as [`record`] reads them.
const COLUMNS: &str =
    "u.audit_id, u.sequence, d.domain_id, u.trail, u.format, u.posted_id, u.occurred_at, u.received_at,
        u.actor_type, u.actor_id, u.actor_name, u.action, u.entity_type, u.entity_id, u.entity_name, u.outcome,
        u.reason, u.before, u.after, u.remote, u.user_agent, u.request_id, u.details, u.previous, u.hash";

/// The table that names a record's domain.
const HOME: &str = "CROSS JOIN domain d ON d.domain = u.domain";

impl Audits for Work {
    fn add_audit(
        &mut self,
        domain: &Id<Domain>,
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<AuditRecord> {
        self.append(domain, (Trail::Own, None), entry, mint)
    }

    fn post_audit(
        &mut self,
        domain: &Id<Domain>,
        (trail, posted_id): (Trail, Option<&str>),
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<Posting> {
        if let Some(posted_id) = posted_id {
            let sql = format!(
                "SELECT {COLUMNS} FROM audit u {HOME} WHERE u.domain = ?1 AND u.trail = ?2 AND u.posted_id = ?3"
            );
            let row = self.domain_row(domain)?;
            let known = self.one(&sql, params![row, trail.as_str(), posted_id], |row| {
                record(&mut Columns::of(row))
            })?;
            if let Some(known) = known {
                return Ok(Posting::Known(Box::new(known)));
            }
        }
        let record = self.append(domain, (trail, posted_id), entry, mint)?;
        Ok(Posting::New(Box::new(record)))
    }

    fn audit(&self, scope: &Scope, trail: Trail, id: &str) -> Result<Option<AuditRecord>> {
        if !reaches_domains(scope) {
            return Ok(None);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM audit u {HOME}
             WHERE u.audit IN (SELECT x.audit FROM audit x WHERE x.audit_id = ?1
                               UNION ALL SELECT x.audit FROM domain y CROSS JOIN audit x
                               WHERE x.domain = y.domain AND x.trail = ?2 AND x.posted_id = ?1)
               AND u.trail = ?2 AND (?3 IS NULL OR d.domain_id IN (SELECT value FROM json_each(?3)))
             LIMIT 1"
        );
        let values = params![id, trail.as_str(), rows::reach(&scope.domains)?];
        self.one(&sql, values, |row| record(&mut Columns::of(row)))
    }

    fn audits(&self, scope: &Scope, query: &Query) -> Result<Found<AuditRecord>> {
        let composed = sql::compose(query, scope, &sql::AUDITS);
        let counted = match composed.count() {
            Some((sql, values)) => self.number(&sql, params_from_iter(values))?,
            None => None,
        };
        let total = composed.total(counted);
        if !query.wants_rows() {
            return Ok(sql::found(query, Vec::new(), total));
        }
        let columns = format!("u.received_at, u.audit, {COLUMNS}");
        let (sql, values) = composed.select(&columns, HOME);
        let rows = self.many(&sql, params_from_iter(values), |row| {
            let mut columns = Columns::of(row);
            let key = Keyset { created_at: columns.get()?, row: columns.get()? };
            Ok((key, record(&mut columns)?))
        })?;
        Ok(sql::found(query, rows, total))
    }

    fn visit_audits(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()> {
        self.visit(&sql::AUDITS, scope, scan, each)
    }

    fn chain(
        &self,
        domain: &Id<Domain>,
        trail: Trail,
        (after, most): (u64, u32),
    ) -> Result<Vec<AuditRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM audit u {HOME}
             WHERE u.domain = ?1 AND u.trail = ?2 AND u.sequence > ?3 ORDER BY u.sequence LIMIT ?4"
        );
        let values = params![self.domain_row(domain)?, trail.as_str(), number(after), most];
        self.many(&sql, values, |row| record(&mut Columns::of(row)))
    }

    fn heads(&self, scope: &Scope) -> Result<Vec<Head>> {
        if !reaches_domains(scope) {
            return Ok(Vec::new());
        }
        let mut heads = Vec::new();
        let reach = rows::reach(&scope.domains)?;
        for trail in Trail::ALL {
            heads.extend(self.many(
                "SELECT d.domain_id, u.sequence, u.hash FROM domain d CROSS JOIN audit u
                 ON u.domain = d.domain AND u.trail = ?1
                    AND u.sequence = (SELECT max(x.sequence) FROM audit x WHERE x.domain = d.domain AND x.trail = ?1)
                 WHERE ?2 IS NULL OR d.domain_id IN (SELECT value FROM json_each(?2))
                 ORDER BY d.domain_id",
                params![trail.as_str(), reach],
                |row| {
                    let mut columns = Columns::of(row);
                    Ok(Head {
                        domain_id: columns.id()?,
                        trail: *trail,
                        sequence: columns.count()?,
                        hash: columns.digest()?,
                    })
                },
            )?);
        }
        Ok(heads)
    }

    fn cut_audits(&mut self, _: &Id<Domain>, _: Timestamp, _: u32) -> Result<u64> {
        Ok(0)
    }
}

impl Work {
    fn domain_row(&self, domain: &Id<Domain>) -> Result<i64> {
        self.number("SELECT domain FROM domain WHERE domain_id = ?1", [domain.as_str()])?
            .ok_or_else(|| Error::not_found("domain", domain))
    }

    fn append(
        &mut self,
        domain: &Id<Domain>,
        (trail, posted_id): (Trail, Option<&str>),
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<AuditRecord> {
        let row = self.domain_row(domain)?;
        let newest = self.one(
            "SELECT sequence, hash FROM audit WHERE domain = ?1 AND trail = ?2 ORDER BY sequence DESC LIMIT 1",
            params![row, trail.as_str()],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.count()?, columns.digest()?))
            },
        )?;
        let (last, previous) = newest.unwrap_or((0, [0; 32]));
        let audit_id = mint.id(entry.received_at);
        let place = Place {
            format: FORMAT,
            domain,
            trail,
            sequence: last + 1,
            audit_id: &audit_id,
            posted_id,
            previous: &previous,
        };
        let hash = entry.chained(&place);
        let record = AuditRecord {
            sequence: place.sequence,
            domain_id: domain.clone(),
            trail,
            format: FORMAT,
            posted_id: posted_id.map(str::to_owned),
            audit_id,
            entry,
            previous,
            hash,
        };
        self.insert_audit(row, &record)?;
        Ok(record)
    }

    fn insert_audit(&self, domain: i64, record: &AuditRecord) -> Result<()> {
        let AuditEntry {
            occurred_at,
            received_at,
            actor,
            action,
            entity,
            outcome,
            reason,
            before,
            after,
            remote,
            user_agent,
            request_id,
            details,
        } = &record.entry;
        let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
        self.put(
            "INSERT INTO audit (audit_id, domain, trail, sequence, format, posted_id, occurred_at, received_at,
                                actor_type, actor_id, actor_name, action, entity_type, entity_id, entity_name, outcome,
                                reason, before, after, remote, user_agent, request_id, details, previous, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                     ?22, ?23, ?24, ?25)",
            params![
                record.audit_id.as_str(),
                domain,
                record.trail.as_str(),
                number(record.sequence),
                record.format,
                record.posted_id,
                millis(*occurred_at),
                millis(*received_at),
                actor.kind.as_str(),
                actor.id,
                actor.name,
                action,
                entity.as_ref().map(|it| &it.kind),
                entity.as_ref().map(|it| &it.id),
                entity.as_ref().and_then(|it| it.name.as_ref()),
                outcome,
                reason,
                text(before),
                text(after),
                remote,
                user_agent,
                request_id,
                details.to_string(),
                record.previous.as_slice(),
                record.hash.as_slice()
            ],
        )?;
        Ok(())
    }
}

/// Whether whole domains are reached: a record may be of any part of its domain.
fn reaches_domains(scope: &Scope) -> bool {
    (&scope.workspaces, &scope.projects) == (&Reach::All, &Reach::All)
}

fn record(columns: &mut Columns<'_>) -> Result<AuditRecord> {
    let (audit_id, sequence, domain_id) = (columns.id()?, columns.count()?, columns.id()?);
    let (trail, format, posted_id) = (columns.word()?, columns.get()?, columns.get()?);
    let (occurred_at, received_at) = (columns.time()?, columns.time()?);
    let actor = Actor { kind: columns.word()?, id: columns.text()?, name: columns.text()? };
    let action = columns.text()?;
    let (kind, id, name): (Option<String>, Option<String>, Option<String>) =
        (columns.get()?, columns.get()?, columns.get()?);
    let entity = kind.map(|kind| Entity { kind, id: id.unwrap_or_default(), name });
    Ok(AuditRecord {
        audit_id,
        sequence,
        domain_id,
        trail,
        format,
        posted_id,
        entry: AuditEntry {
            occurred_at,
            received_at,
            actor,
            action,
            entity,
            outcome: columns.text()?,
            reason: columns.get()?,
            before: columns.maybe_json()?,
            after: columns.maybe_json()?,
            remote: columns.get()?,
            user_agent: columns.get()?,
            request_id: columns.get()?,
            details: columns.json()?,
        },
        previous: columns.digest()?,
        hash: columns.digest()?,
    })
}
