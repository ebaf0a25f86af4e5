//! The chains of the trail: how each stands, what is added to it, and where retention cuts it.

use rusqlite::{Connection, params};

use super::row;
use crate::{
    clock::Timestamp,
    digest::Digest,
    domain::{
        audit::{AuditEntry, AuditRecord, Checker, Cut, Head, Link, SealKey, Trail, Written},
        project::Domain,
        scope::{Reach, Scope},
    },
    error::{Error, Result},
    id::{Id, Mint},
    store::{
        Accepted,
        sqlite::{
            rows::{self, Columns, maybe_millis, millis, number},
            sql,
            work::Work,
        },
    },
};

/// The columns of a chain, as [`head`] reads them.
const COLUMNS: &str = "c.chain, d.domain_id, c.trail, c.sequence, c.hash, c.cut_sequence, c.cut_hash, c.cut_at, c.doubted_from,
        c.signature";

/// How far a record's time may be before that of the one before: writers queue for a moment, and a clock that is set
/// back says so.
const QUEUED: i64 = 10_000;

impl Work {
    /// Appends a record to a chain, and signs how it stands then.
    pub(super) fn append_audit(
        &self,
        domain: &Id<Domain>,
        (trail, posted_id): (Trail, Option<&str>),
        mut entry: AuditEntry,
        mint: &Mint,
    ) -> Result<AuditRecord> {
        let (mut head, newest) = self.chain_to_extend(domain, trail)?;
        let late = newest.map_or(0, |newest| newest - millis(entry.occurred_at));
        if trail == Trail::Own && (1..QUEUED).contains(&late) {
            // Who came first in the queue is told first.
            entry.occurred_at += chrono::TimeDelta::milliseconds(late);
        }
        let record = AuditRecord::next(&head, posted_id, entry.readable(), mint);
        let chain = number(head.chain);
        self.insert_audit(chain, &record)?;
        if !self.seal().proves(&head) && head.doubted_from.is_none() {
            tracing::error!(domain = %domain, trail = %trail, record = record.sequence,
                "how the audit trail stands was changed in the file, or was signed with another key");
            head.doubted_from = Some(record.sequence);
        }
        head.last = Link { sequence: record.sequence, hash: record.hash };
        self.put_head(&head)?;
        Ok(record)
    }

    /// How a chain stands that is to be extended, and when its newest record occurred; a new chain where there is none.
    fn chain_to_extend(&self, domain: &Id<Domain>, trail: Trail) -> Result<(Head, Option<i64>)> {
        let sql = format!(
            "SELECT {COLUMNS}, (SELECT a.occurred_at FROM audit a WHERE a.chain = c.chain AND a.sequence = c.sequence),
                    (SELECT max(a.sequence) FROM audit a WHERE a.chain = c.chain)
             FROM domain d JOIN audit_chain c USING (domain) WHERE d.domain_id = ?1 AND c.trail = ?2"
        );
        let found = self.one(&sql, [domain.as_str(), trail.as_str()], |row| {
            let mut columns = Columns::of(row);
            let (head, newest) = (head(&mut columns)?, columns.get()?);
            Ok((head, newest, columns.get::<Option<i64>>()?))
        })?;
        match found {
            Some((mut head, newest, last)) => {
                let last = last.unwrap_or(0).max(0).unsigned_abs();
                if last > head.last.sequence {
                    // Somebody put a record behind the newest one: its number is taken, and nothing else of it counts.
                    head.doubted_from = head.doubted_from.or(Some(last + 1));
                    head.last.sequence = last;
                }
                Ok((head, newest))
            }
            None => Ok((self.begin_chain(domain, trail)?, None)),
        }
    }

    fn begin_chain(&self, domain: &Id<Domain>, trail: Trail) -> Result<Head> {
        let row = self
            .number("SELECT domain FROM domain WHERE domain_id = ?1", [domain.as_str()])?
            .ok_or_else(|| Error::not_found("domain", domain))?;
        let (chains, is_proven) = self.register()?;
        let mut head = Head {
            chain: chains + 1,
            domain_id: domain.clone(),
            trail,
            last: Link::NONE,
            cut: None,
            doubted_from: None,
            signature: [0; 32],
        };
        head.signature = self.seal().sign(&head);
        self.put(
            "INSERT INTO audit_chain (chain, domain, trail, sequence, hash, signature) VALUES (?1, ?2, ?3, 0, ?4, ?5)",
            params![number(head.chain), row, trail.as_str(), [0_u8; 32].as_slice(), head.signature.as_slice()],
        )?;
        // What was not proven before is not proven by one more.
        if is_proven {
            self.register_count(head.chain)?;
        }
        Ok(head)
    }

    /// How many chains there are said to be, and the signature of that.
    pub(super) fn registered(&self) -> Result<(u64, Digest)> {
        let said = self.one("SELECT chains, signature FROM audit_register", [], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.count()?, row::digest(&mut columns)?))
        })?;
        Ok(said.unwrap_or_default())
    }

    /// How many chains there are, and whether that is proven.
    fn register(&self) -> Result<(u64, bool)> {
        let (chains, signature) = self.registered()?;
        let there = self.number("SELECT max(chain) FROM audit_chain", [])?.unwrap_or(0);
        let is_proven = self.seal().proves_count(chains, &signature);
        Ok((chains.max(there.max(0).unsigned_abs()), is_proven))
    }

    fn register_count(&self, chains: u64) -> Result<()> {
        let signature = self.seal().sign_count(chains);
        let sql = "UPDATE audit_register SET chains = ?1, signature = ?2";
        self.put(sql, params![number(chains), signature.as_slice()])?;
        Ok(())
    }

    fn put_head(&self, head: &Head) -> Result<()> {
        let signature = self.seal().sign(head);
        self.put(
            "UPDATE audit_chain SET sequence = ?2, hash = ?3, cut_sequence = ?4, cut_hash = ?5, cut_at = ?6,
                                    doubted_from = ?7, signature = ?8
             WHERE chain = ?1",
            params![
                number(head.chain),
                number(head.last.sequence),
                head.last.hash.as_slice(),
                number(head.cut.map_or(0, |cut| cut.link.sequence)),
                head.cut.map_or_else(Vec::new, |cut| cut.link.hash.to_vec()),
                maybe_millis(head.cut.map(|cut| cut.at)),
                head.doubted_from.map(number),
                signature.as_slice(),
            ],
        )?;
        Ok(())
    }

    /// How the chains in `scope` stand.
    pub(super) fn heads_within(&self, scope: &Scope) -> Result<Vec<Head>> {
        let Scope { domains, workspaces, projects } = scope;
        if (workspaces, projects) != (&Reach::All, &Reach::All) {
            // A record may be of any workspace of its domain.
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM audit_chain c CROSS JOIN domain d ON d.domain = c.domain
             WHERE (?1 IS NULL OR d.domain_id IN (SELECT value FROM json_each(?1))) ORDER BY c.chain"
        );
        self.many(&sql, [rows::reach(domains)?], |row| head(&mut Columns::of(row)))
    }

    /// The chains in `scope`, as lists read them.
    pub(super) fn chains_within(&self, scope: &Scope) -> Result<Vec<sql::Chain>> {
        let heads = self.heads_within(scope)?;
        let chain = |head: Head| sql::Chain {
            row: number(head.chain),
            records: head.records(),
            domain_id: head.domain_id.as_str().to_owned(),
            trail: head.trail.as_str().to_owned(),
        };
        Ok(heads.into_iter().map(chain).collect())
    }

    /// Removes the oldest records of a domain's chains that arrived before a time; the newest of each stays. How many.
    pub(super) fn cut_chains(
        &self,
        domain: &Id<Domain>,
        before: Timestamp,
        most: u32,
    ) -> Result<u64> {
        let scope = Scope { domains: Reach::one(domain.clone()), ..Scope::EVERYTHING };
        let mut left = u64::from(most);
        for head in self.heads_within(&scope)? {
            left -= self.cut_chain(head, before, left)?;
        }
        Ok(u64::from(most) - left)
    }

    fn cut_chain(&self, mut head: Head, before: Timestamp, most: u64) -> Result<u64> {
        // A head that is not proven is not signed anew: what is wrong must stay visible.
        if !self.seal().proves(&head) {
            return Ok(0);
        }
        let mut checker = Checker::begin(&head);
        let mut cut = None;
        for written in self.written_after(&head, None, u32::try_from(most).unwrap_or(u32::MAX))? {
            let AuditRecord { sequence, hash, entry, .. } = &written.record;
            checker.take(&written);
            if let Some(broken) = checker.broken() {
                let Head { domain_id, trail, .. } = &head;
                let detail = &broken.detail;
                tracing::error!(domain = %domain_id, trail = %trail, detail, "a chain of the audit trail is broken, so it is not cut");
                return Ok(0);
            }
            if entry.received_at >= before || *sequence >= head.last.sequence {
                break;
            }
            cut = Some(Link { sequence: *sequence, hash: *hash });
        }
        let Some(link) = cut else { return Ok(0) };
        let start = head.start().sequence;
        head.cut = Some(Cut { link, at: before });
        // What may be missing is older than all that is kept now.
        head.doubted_from = head.doubted_from.filter(|first| *first > link.sequence);
        self.put_head(&head)?;
        let sql = "DELETE FROM audit WHERE chain = ?1 AND sequence > ?2 AND sequence <= ?3";
        self.put(sql, params![number(head.chain), number(start), number(link.sequence)])?;
        Ok(link.sequence - start)
    }

    /// Signs anew what is not proven, or is doubted.
    pub(super) fn accept_chains(&self) -> Result<Accepted> {
        let mut chains = Vec::new();
        for head in self.heads_within(&Scope::EVERYTHING)? {
            if self.seal().proves(&head) && head.doubted_from.is_none() {
                continue;
            }
            self.put_head(&Head { doubted_from: None, ..head.clone() })?;
            chains.push(head);
        }
        let (count, is_proven) = self.register()?;
        if !is_proven {
            self.register_count(count)?;
        }
        Ok(Accepted { chains, count: !is_proven })
    }

    /// The records of a chain behind this number, in their order, as the file holds them.
    pub(super) fn written_after(
        &self,
        head: &Head,
        after: Option<u64>,
        most: u32,
    ) -> Result<Vec<Written>> {
        let sql = format!(
            "SELECT a.audit, {} FROM audit a {} WHERE a.chain = ?1 AND a.sequence >= ?2 ORDER BY a.sequence LIMIT ?3",
            row::COLUMNS,
            row::HOME
        );
        // Nothing of ours has a number below one.
        let from = after.map_or(i64::MIN, |after| number(after.saturating_add(1)));
        self.many(&sql, params![number(head.chain), from, most], row::written)
    }

    /// The records of a chain that follow the one of this number, in their order.
    pub(super) fn records_after(
        &self,
        (domain, trail): (&Id<Domain>, Trail),
        after: u64,
        most: u32,
    ) -> Result<Vec<AuditRecord>> {
        let sql = format!(
            "SELECT {} FROM domain o CROSS JOIN audit_chain h ON h.domain = o.domain AND h.trail = ?2
             CROSS JOIN audit a ON a.chain = h.chain AND a.sequence > ?3 {}
             WHERE o.domain_id = ?1 ORDER BY a.sequence LIMIT ?4",
            row::COLUMNS,
            row::HOME
        );
        self.many(&sql, params![domain.as_str(), trail.as_str(), number(after), most], row::of)
    }
}

/// Signs how chains stand that came from a store of before there were signatures.
pub(in crate::store::sqlite) fn sign_chains(connection: &Connection, seal: &SealKey) -> Result<()> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_chain c CROSS JOIN domain d ON d.domain = c.domain ORDER BY c.chain"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut chains = 0;
    while let Some(row) = rows.next()? {
        let head = head(&mut Columns::of(row))?;
        let sql = "UPDATE audit_chain SET signature = ?2 WHERE chain = ?1";
        connection.execute(sql, params![number(head.chain), seal.sign(&head).as_slice()])?;
        chains += 1;
    }
    let sql = "UPDATE audit_register SET signature = ?1";
    connection.execute(sql, [seal.sign_count(chains).as_slice()])?;
    Ok(())
}

fn head(columns: &mut Columns<'_>) -> Result<Head> {
    let chain = columns.count()?;
    let domain_id = columns.lossy()?.unwrap_or_default().into();
    let trail = columns.lossy()?.unwrap_or_default().parse().unwrap_or(Trail::Own);
    let last = Link { sequence: columns.count()?, hash: row::digest(columns)? };
    let cut = Link { sequence: columns.count()?, hash: row::digest(columns)? };
    let at = columns.maybe_time()?;
    Ok(Head {
        chain,
        domain_id,
        trail,
        last,
        cut: at.map(|at| Cut { link: cut, at }),
        doubted_from: columns.get::<Option<i64>>()?.map(|first| first.max(0).unsigned_abs()),
        signature: row::digest(columns)?,
    })
}
