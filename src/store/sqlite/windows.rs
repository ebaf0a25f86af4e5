//! What was posted lately, read over again: pages in the order of arrival, which is that of the rows.

use rusqlite::params;

use super::{
    deliveries::payload,
    rows::{Columns, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::scope::Scope,
    error::Result,
    store::{Arrival, KeptPosted, PostedPage, Window},
};

/// The deliveries between two rows. Payloads are read of those only that are meant.
pub(super) const ROWS: &str = "SELECT v.delivery, v.delivery_id, w.webhook_id, v.remote, v.received_at, d.domain_id, s.workspace_id, p.project_id
 FROM delivery v CROSS JOIN webhook w ON w.webhook = v.webhook CROSS JOIN project p ON p.project = w.project
 CROSS JOIN workspace s ON s.workspace = p.workspace CROSS JOIN domain d ON d.domain = s.domain
 WHERE v.delivery > ?1 AND v.delivery < ?2 ORDER BY v.delivery";

impl Work {
    /// A page of a window.
    pub(super) fn window(&self, scope: &Scope, window: &Window) -> Result<PostedPage> {
        let beyond = window.beyond.as_ref().map(|id| self.delivery_row(id)).transpose()?;
        let first = self.row_before(window.since)?;
        let (after, before, order) = match window.order {
            Arrival::OldestFirst => (beyond.unwrap_or(first), i64::MAX, "ASC"),
            Arrival::NewestFirst => (first, beyond.unwrap_or(i64::MAX), "DESC"),
        };
        let mut statement = self.connection.prepare_cached(&format!("{ROWS} {order}"))?;
        let mut rows = statement.query(params![after, before])?;
        let (mut page, mut bytes) = (PostedPage::default(), 0);
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let row: i64 = columns.get()?;
            let (delivery_id, webhook_id) = (columns.id()?, columns.id()?);
            let (remote, received_at) = (columns.text()?, columns.time()?);
            let is_meant = received_at >= window.since
                && window.webhooks.contains(&webhook_id)
                && scope.contains(&columns.home()?);
            if !is_meant {
                continue;
            }
            if page.rows.len() >= window.limit as usize || bytes >= window.bytes {
                page.more = true;
                return Ok(page);
            }
            let content = "SELECT packing, content FROM payload WHERE delivery = ?1";
            let payload = self.one(content, [row], |row| payload(&mut Columns::of(row)))?;
            // It may have been removed, being old.
            let Some(payload) = payload else { continue };
            bytes += payload.content.len();
            page.rows.push(KeptPosted { delivery_id, webhook_id, remote, received_at, payload });
        }
        Ok(page)
    }

    /// A row before which nothing arrived at `since` or later, found in a few steps: rows stand in the order of arrival.
    fn row_before(&self, since: Timestamp) -> Result<i64> {
        let last = self.number("SELECT max(delivery) FROM delivery", [])?.unwrap_or(0);
        let (mut low, mut high) = (0, last + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let arrived = self.number(
                "SELECT received_at FROM delivery WHERE delivery >= ?1 ORDER BY delivery LIMIT 1",
                [middle],
            )?;
            if arrived.is_some_and(|arrived| arrived < millis(since)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        // Those that came at the same moment may stand in another order than they arrived.
        Ok((low - 256).max(0))
    }
}
