//! The audit trail: a chain of records for each domain and trail.
//!
//! Lists are read along the chains ([`sql::strands`]): a page costs what it shows, however many records there are. A list
//! comes by the time that its records occurred, the last first; what is as old comes by arrival.

mod chains;
mod row;
#[cfg(test)]
mod tests;

use rusqlite::params_from_iter;

pub(super) use self::chains::sign_chains;
use self::row::{COLUMNS, HOME};
use super::{
    rows::Columns,
    seek::rows_at,
    sql::{self, Along, COUNT_BOUND, MOST_STRANDS, Strands},
    visit::{Bodies, record},
    work::Work,
};
use crate::{
    clock::Timestamp,
    digest::Digest,
    domain::{
        audit::{AuditEntry, AuditRecord, Head, Trail, Written},
        project::Domain,
        scope::Scope,
    },
    error::Result,
    id::{Id, Mint},
    query::{Count, Cursor, Keyset, Query},
    store::{Accepted, Audits, Each, EachPlaced, Found, Posting, Scan, Stretch, Total, Way},
};

/// How many bytes of what was so, is so, and was said beside a page holds, about; it ends early before it holds more.
const PAGE_BYTES: usize = 16 << 20;

impl Audits for Work {
    fn add_audit(
        &mut self,
        domain: &Id<Domain>,
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<AuditRecord> {
        self.append_audit(domain, (Trail::Own, None), entry.tidied(), mint)
    }

    fn post_audit(
        &mut self,
        domain: &Id<Domain>,
        (trail, posted_id): (Trail, Option<&str>),
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<Posting> {
        if let Some(posted_id) = posted_id
            && let Some(known) = self.posted_audit((domain, trail), posted_id)?
        {
            return Ok(Posting::Known(Box::new(known)));
        }
        let record = self.append_audit(domain, (trail, posted_id), entry, mint)?;
        Ok(Posting::New(Box::new(record)))
    }

    fn audit(&self, scope: &Scope, trail: Trail, id: &str) -> Result<Option<AuditRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM audit a {HOME} WHERE a.audit_id = ?1");
        let named = self.one(&sql, [id], row::of)?.filter(|it| it.trail == trail);
        let chains = self.chains_within(scope)?;
        let is_seen =
            |it: &AuditRecord| chains.iter().any(|chain| chain.domain_id == it.domain_id.as_str());
        if let Some(named) = named.filter(is_seen) {
            return Ok(Some(named));
        }
        let of_trail = chains.iter().filter(|chain| chain.trail == trail.as_str());
        let sql = format!(
            "SELECT {COLUMNS} FROM audit a {HOME} WHERE a.chain = ?1 AND a.posted_id = ?2 AND a.posted_id IS NOT NULL"
        );
        for chain in of_trail {
            if let Some(found) = self.one(&sql, (chain.row, id), row::of)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn audits(&self, scope: &Scope, query: &Query) -> Result<Found<AuditRecord>> {
        let strands = sql::strands(&query.filter, &self.chains_within(scope)?);
        let total = self.audits_total(&strands, query.page.count)?;
        if !query.wants_rows() {
            return Ok(sql::found(query, Vec::new(), total));
        }
        let places = self.audit_places(&strands, query)?;
        let sql = format!(
            "SELECT a.occurred_at, a.audit, {COLUMNS} FROM json_each(?1) k CROSS JOIN audit a ON a.audit = k.value {HOME}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = statement.query([rows_at(&places)])?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(row) = found.next()? {
            bytes += row::said_bytes(row)?;
            if bytes > PAGE_BYTES
                && let Some((last, _)) = rows.last()
            {
                let next_cursor = Some(query.cursor_after(*last, rows.len()).text());
                let rows = rows.into_iter().map(|(_, row)| row).collect();
                return Ok(Found { rows, total, next_cursor });
            }
            let mut columns = Columns::of(row);
            let key = Keyset { created_at: columns.get()?, row: columns.get()? };
            rows.push((key, row::record(&mut columns)?));
        }
        Ok(sql::found(query, rows, total))
    }

    fn visit_audits(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()> {
        let strands = sql::strands(scan.filter, &self.chains_within(scope)?);
        let along = Along { way: Some(Way::OldestFirst), ..Along::default() };
        let along = along.sorted(scan.sort).showing(scan.fields);
        self.read_audits(&strands, &along, &mut |_, record| each(record))
    }

    fn audit_stretch(
        &self,
        scope: &Scope,
        stretch: &Stretch<'_>,
        each: &mut EachPlaced<'_>,
    ) -> Result<()> {
        let strands = sql::strands(stretch.filter, &self.chains_within(scope)?);
        let along = Along {
            way: Some(stretch.way),
            after: stretch.after,
            newest: Some(stretch.newest),
            page: Some((i64::from(stretch.rows), 0)),
            ..Along::default()
        };
        self.read_audits(&strands, &along.showing(stretch.fields), each)
    }

    fn chain(
        &self,
        domain: &Id<Domain>,
        trail: Trail,
        (after, most): (u64, u32),
    ) -> Result<Vec<AuditRecord>> {
        self.records_after((domain, trail), after, most)
    }

    fn written(&self, head: &Head, after: Option<u64>, most: u32) -> Result<Vec<Written>> {
        self.written_after(head, after, most)
    }

    fn heads(&self, scope: &Scope) -> Result<Vec<Head>> {
        self.heads_within(scope)
    }

    fn audit_register(&self) -> Result<(u64, Digest)> {
        self.registered()
    }

    fn stray_audits(&self) -> Result<u64> {
        // From chain to chain, and not from record to record: there may be many millions.
        let stray = "WITH RECURSIVE held(chain) AS (
                SELECT min(chain) FROM audit
                UNION ALL
                SELECT (SELECT min(a.chain) FROM audit a WHERE a.chain > h.chain) FROM held h WHERE h.chain IS NOT NULL)
             SELECT sum((SELECT count(*) FROM audit a WHERE a.chain = h.chain)) FROM held h
             WHERE h.chain IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.chain = h.chain)";
        Ok(self.number(stray, [])?.unwrap_or(0).max(0).unsigned_abs())
    }

    fn cut_audits(&mut self, domain: &Id<Domain>, before: Timestamp, most: u32) -> Result<u64> {
        self.cut_chains(domain, before, most)
    }

    fn accept_audits(&mut self) -> Result<Accepted> {
        self.accept_chains()
    }
}

impl Work {
    fn posted_audit(
        &self,
        (domain, trail): (&Id<Domain>, Trail),
        posted_id: &str,
    ) -> Result<Option<AuditRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM domain d CROSS JOIN audit_chain c ON c.domain = d.domain AND c.trail = ?2
             CROSS JOIN audit a ON a.chain = c.chain AND a.posted_id = ?3 AND a.posted_id IS NOT NULL
             WHERE d.domain_id = ?1"
        );
        self.one(&sql, [domain.as_str(), trail.as_str(), posted_id], row::of)
    }

    /// The places of the records of a page, and one more where there is one.
    fn audit_places(&self, strands: &Strands, query: &Query) -> Result<Vec<Keyset>> {
        let (skipped, after) = match query.page.from {
            Cursor::Skip(rows) => (i64::try_from(rows).unwrap_or(i64::MAX), None),
            Cursor::After(key) => (0, Some(key)),
        };
        let limit = i64::from(query.page.limit) + 1;
        let along = Along { after, page: Some((limit, skipped)), ..Along::default() };
        let along = along.sorted(&query.sort);
        if strands.all.len() <= MOST_STRANDS {
            return match strands.all.as_slice() {
                [] => Ok(Vec::new()),
                all => self.places_of(strands.read(all, &along)),
            };
        }
        if !query.sort.is_empty() {
            return self.places_of(strands.read_all(&along));
        }
        let most = limit.saturating_add(skipped);
        let along = Along { page: Some((most, 0)), ..along };
        let mut places = Vec::new();
        for some in strands.all.chunks(MOST_STRANDS) {
            places.extend(self.places_of(strands.read(some, &along))?);
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(places.into_iter().skip(skipped).take(limit).collect())
    }

    fn places_of(
        &self,
        (sql, values): (String, Vec<rusqlite::types::Value>),
    ) -> Result<Vec<Keyset>> {
        self.many(&sql, params_from_iter(values), |row| {
            let mut columns = Columns::of(row);
            Ok(Keyset { created_at: columns.get()?, row: columns.get()? })
        })
    }

    /// How many records there are: as the chains say where all are meant, else counted as far as that is asked for.
    fn audits_total(&self, strands: &Strands, count: Count) -> Result<Total> {
        let most = match (count, strands.whole) {
            (Count::None, _) => return Ok(Total::Unknown),
            (Count::Exact | Count::Capped, Some(records)) => return Ok(Total::Exact(records)),
            (Count::Exact, None) => None,
            (Count::Capped, None) => Some(COUNT_BOUND + 1),
        };
        let mut counted = 0;
        for some in strands.all.chunks(MOST_STRANDS) {
            let (sql, values) = strands.count(some, most);
            let rows = self.number(&sql, params_from_iter(values))?.unwrap_or(0);
            counted += rows.max(0).unsigned_abs();
        }
        let is_capped = most.is_some() && counted > COUNT_BOUND;
        Ok(if is_capped { Total::AtLeast(COUNT_BOUND) } else { Total::Exact(counted) })
    }

    /// Gives `each` of what is read along the strands, until it breaks off.
    fn read_audits(
        &self,
        strands: &Strands,
        along: &Along,
        each: &mut EachPlaced<'_>,
    ) -> Result<()> {
        let (sql, values) = match strands.all.len() {
            0 => return Ok(()),
            1..=MOST_STRANDS => strands.read(&strands.all, along),
            _ => strands.read_all(along),
        };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut bodies = Bodies::new(self);
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            self.goes_on()?;
            let end = along.showing.len();
            let place = Keyset { created_at: row.get(end)?, row: row.get(end + 1)? };
            if each(place, record(row, &along.showing, &mut bodies)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
