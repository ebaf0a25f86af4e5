//! Deliveries: what was posted, and where it stands.

use rusqlite::{Row, params};

use super::{
    rows::{Columns, millis, packing},
    work::Work,
};
use crate::{
    digest::Digest,
    domain::{
        delivery::Delivery,
        event::Event,
        receipt::{Receipt, Unreadable},
        scope::{Home, Scope},
        webhook::Webhook,
    },
    error::{Error, Result},
    id::Id,
    store::{
        Deliveries, DeliveryQuery, Filing, Kept, Packing, Payload, PostedPage, Redriven, Window,
    },
};

/// The columns of a delivery, as [`kept`] reads them.
const SELECT: &str = "SELECT v.delivery, v.first_event, v.events, v.delivery_id, w.webhook_id, v.state, v.ignored, v.items, v.dead,
        v.remote, v.received_at, d.domain_id, s.workspace_id, p.project_id
 FROM delivery v CROSS JOIN webhook w ON w.webhook = v.webhook CROSS JOIN project p ON p.project = w.project
 CROSS JOIN workspace s ON s.workspace = p.workspace CROSS JOIN domain d ON d.domain = s.domain";

/// Where the events of a delivery stand in the event table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) delivery: i64,
    pub(super) first_event: i64,
    pub(super) events: i64,
}

/// The place of a payload as a whole, as the file keeps it.
pub(super) const WHOLE: i64 = -1;

impl Work {
    /// The row of a delivery.
    pub(super) fn delivery_row(&self, id: &Id<Delivery>) -> Result<i64> {
        if let Some(live) = self.live_if_writer()
            && let Some((last, row)) = &live.borrow().last_delivery
            && last == id
        {
            return Ok(*row);
        }
        self.number("SELECT delivery FROM delivery WHERE delivery_id = ?1", [id.as_str()])?
            .ok_or_else(|| Error::not_found("delivery", id))
    }

    fn one_kept(&self, sql: &str, id: &str, scope: &Scope) -> Result<Option<Kept>> {
        let Some((span, home, mut kept)) = self.one(sql, [id], kept)? else { return Ok(None) };
        if !scope.contains(&home) {
            return Ok(None);
        }
        kept.receipt.items = self.item_outcomes(span)?;
        Ok(Some(kept))
    }
}

impl Deliveries for Work {
    fn receipt_of(
        &self,
        webhook: &Id<Webhook>,
        sender_id: &str,
    ) -> Result<Option<(Digest, Receipt)>> {
        let found = self.one(
            "SELECT digest, delivery_id FROM delivery WHERE webhook = ?1 AND sender_id = ?2",
            params![self.webhook_row(webhook)?, sender_id],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.digest()?, columns.id::<Delivery>()?))
            },
        )?;
        let Some((digest, id)) = found else { return Ok(None) };
        let kept = self.delivery(&Scope::EVERYTHING, &id)?;
        Ok(kept.map(|kept| (digest, kept.receipt)))
    }

    fn add_delivery(&mut self, filing: &Filing<'_>) -> Result<()> {
        let webhook = self.webhook_row(filing.webhook_id)?;
        let mut next = self.live()?.borrow().next();
        let row = next.delivery;
        let (sender_id, digest) = filing.sender.map(|(id, digest)| (id, digest.as_slice())).unzip();
        self.put(
            "INSERT INTO delivery (delivery, delivery_id, webhook, state, ignored, items, dead, first_event, events,
                                   sender_id, digest, remote, received_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                row,
                filing.delivery_id.as_str(),
                webhook,
                filing.state.as_str(),
                filing.ignored,
                filing.items,
                filing.dead,
                next.event,
                filing.events,
                sender_id,
                digest,
                filing.remote,
                millis(filing.received_at)
            ],
        )?;
        let packing = match filing.payload.packing {
            Packing::Plain => 0,
            Packing::Zlib => 1,
        };
        self.put(
            "INSERT INTO payload (delivery, packing, content) VALUES (?1, ?2, ?3)",
            params![row, packing, filing.payload.content],
        )?;
        next.delivery += 1;
        let mut live = self.live()?.borrow_mut();
        live.set_next(next);
        live.count_request(webhook, filing.webhook_id, filing.dead > 0);
        live.last_delivery = Some((filing.delivery_id.clone(), row));
        Ok(())
    }

    fn add_dead_item(
        &mut self,
        delivery: &Id<Delivery>,
        item: Option<u32>,
        unreadable: &Unreadable,
        error_event: &Id<Event>,
    ) -> Result<()> {
        let Unreadable { cause, reason, file, line, path } = unreadable;
        self.put(
            "INSERT INTO dead_item (delivery, item, cause, reason, file, line, path, error_event)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (delivery, item) DO UPDATE SET cause = excluded.cause, reason = excluded.reason,
                 file = excluded.file, line = excluded.line, path = excluded.path",
            params![
                self.delivery_row(delivery)?,
                item.map_or(WHOLE, i64::from),
                cause.as_str(),
                reason,
                file,
                line,
                path,
                self.event_row(error_event)?
            ],
        )?;
        Ok(())
    }

    fn delivery(&self, scope: &Scope, id: &Id<Delivery>) -> Result<Option<Kept>> {
        self.one_kept(&format!("{SELECT} WHERE v.delivery_id = ?1"), id.as_str(), scope)
    }

    fn deliveries(&self, scope: &Scope, query: &DeliveryQuery) -> Result<Vec<Kept>> {
        let before = match &query.before {
            Some(id) => self.delivery_row(id)?,
            None => i64::MAX,
        };
        let webhook = query.webhook_id.as_ref().map(|id| self.webhook_row(id)).transpose()?;
        let filter = match (webhook, query.dead_only) {
            (Some(_), true) => "v.webhook = ?2 AND v.dead > 0",
            (Some(_), false) => "v.webhook = ?2",
            (None, true) => "?2 IS NULL AND v.dead > 0",
            (None, false) => "?2 IS NULL",
        };
        let sql = format!("{SELECT} WHERE v.delivery < ?1 AND {filter} ORDER BY v.delivery DESC");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![before, webhook])?;
        let mut found = Vec::new();
        // What is outside the scope is passed over here, so that the limit counts what is seen.
        while found.len() < query.limit as usize {
            let Some(row) = rows.next()? else { break };
            let (span, home, mut kept) = kept(row)?;
            if scope.contains(&home) {
                kept.receipt.items = self.item_outcomes(span)?;
                found.push(kept);
            }
        }
        Ok(found)
    }

    fn payload(&self, scope: &Scope, id: &Id<Delivery>) -> Result<Option<Payload>> {
        self.one(
            "SELECT y.packing, y.content, d.domain_id, s.workspace_id, p.project_id
             FROM delivery v JOIN payload y USING (delivery) JOIN webhook w USING (webhook) JOIN project p USING (project)
             JOIN workspace s USING (workspace) JOIN domain d USING (domain)
             WHERE v.delivery_id = ?1",
            [id.as_str()],
            |row| {
                let mut columns = Columns::of(row);
                Ok((payload(&mut columns)?, columns.home()?))
            },
        )
        .map(|found| found.filter(|(_, home)| scope.contains(home)).map(|(payload, _)| payload))
    }

    fn posted(&self, scope: &Scope, window: &Window) -> Result<PostedPage> {
        self.window(scope, window)
    }

    fn redriven(&mut self, id: &Id<Delivery>, redriven: &Redriven) -> Result<()> {
        let row = self.delivery_row(id)?;
        for place in &redriven.gone {
            let place = place.map_or(WHOLE, i64::from);
            self.put(
                "DELETE FROM dead_item WHERE delivery = ?1 AND item = ?2",
                params![row, place],
            )?;
        }
        for (item, event) in &redriven.events {
            self.put(
                "INSERT INTO redriven (delivery, item, event) VALUES (?1, ?2, ?3)",
                params![row, item, self.event_row(event)?],
            )?;
        }
        self.put(
            "UPDATE delivery SET state = ?2, ignored = ?3, items = ?4,
                    dead = (SELECT count(*) FROM dead_item WHERE delivery = ?1)
             WHERE delivery = ?1",
            params![row, redriven.state.as_str(), redriven.ignored, redriven.items],
        )?;
        Ok(())
    }

    fn dead_deliveries(&self, webhook: Option<&Id<Webhook>>, most: u32) -> Result<u64> {
        let webhook = webhook.map(|id| self.webhook_row(id)).transpose()?;
        let counted = self.number(
            "SELECT count(*) FROM (SELECT 1 FROM delivery INDEXED BY delivery_dead
                                   WHERE dead > 0 AND (?1 IS NULL OR webhook = ?1) LIMIT ?2)",
            params![webhook, most],
        )?;
        Ok(counted.map_or(0, i64::unsigned_abs))
    }
}

/// The next two columns, a payload.
pub(super) fn payload(columns: &mut Columns<'_>) -> Result<Payload> {
    Ok(Payload { packing: packing(columns.get()?), content: columns.get()? })
}

fn kept(row: &Row<'_>) -> Result<(Span, Home, Kept)> {
    let mut columns = Columns::of(row);
    let span =
        Span { delivery: columns.get()?, first_event: columns.get()?, events: columns.get()? };
    let (receipt_id, webhook_id) = (columns.id()?, columns.id()?);
    let (state, ignored) = (columns.word()?, columns.get()?);
    let (items, dead) = (columns.get()?, columns.get()?);
    let (remote, received_at) = (columns.text()?, columns.time()?);
    let receipt =
        Receipt { receipt_id, webhook_id, state, ignored, items: Vec::new(), received_at };
    Ok((span, columns.home()?, Kept { receipt, remote, items, dead }))
}
