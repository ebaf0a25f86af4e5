//! What an import asks of the file and does to it beside adding events and alerts.

use rusqlite::params;

use super::{
    rows::{Columns, millis, number},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        delivery::Delivery,
        event::Event,
        project::Workspace,
        scope::{Home, Scope},
        webhook::Webhook,
    },
    error::Result,
    id::Id,
    store::{Alerts, Events, Imports, Placed},
};

impl Imports for Work {
    fn webhook_home(&self, id: &Id<Webhook>) -> Result<Option<Home>> {
        self.one(
            "SELECT d.domain_id, s.workspace_id, p.project_id
             FROM webhook w JOIN project p USING (project) JOIN workspace s USING (workspace) JOIN domain d USING (domain)
             WHERE w.webhook_id = ?1",
            [id.as_str()],
            |row| Columns::of(row).home(),
        )
    }

    fn alert_place(&self, id: &Id<Alert>) -> Result<Option<Placed>> {
        self.one(
            "SELECT d.domain_id, s.workspace_id, p.project_id, a.event_key
             FROM alert a JOIN project p ON p.project = a.project JOIN workspace s ON s.workspace = p.workspace
             JOIN domain d USING (domain)
             WHERE a.alert_id = ?1",
            [id.as_str()],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Placed { home: columns.home()?, event_key: columns.text()? })
            },
        )
    }

    fn alert_numbered(
        &self,
        workspace: &Id<Workspace>,
        alert_number: u64,
    ) -> Result<Option<Id<Alert>>> {
        self.one(
            "SELECT a.alert_id FROM workspace s JOIN alert a USING (workspace)
             WHERE s.workspace_id = ?1 AND a.alert_number = ?2",
            params![workspace.as_str(), number(alert_number)],
            |row| Columns::of(row).id(),
        )
    }

    fn delivered_to(&self, id: &Id<Delivery>) -> Result<Option<Id<Webhook>>> {
        self.one(
            "SELECT w.webhook_id FROM delivery v JOIN webhook w USING (webhook) WHERE v.delivery_id = ?1",
            [id.as_str()],
            |row| Columns::of(row).id(),
        )
    }

    fn add_event_later(&mut self, event: &Event) -> Result<()> {
        let (delivery, row) =
            (self.delivery_row(&event.delivery_id)?, self.live()?.borrow().next().event);
        self.add_event(event)?;
        let beside = self.put(
            "UPDATE delivery SET events = events + 1, items = max(items, ?3)
             WHERE delivery = ?1 AND first_event + events = ?2",
            params![delivery, row, event.item.saturating_add(1)],
        )?;
        if beside == 0 {
            // It stands apart from the others, as an item that was driven again does.
            self.put(
                "INSERT INTO redriven (delivery, item, event) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![delivery, event.item, row],
            )?;
            self.put(
                "UPDATE delivery SET items = max(items, ?2) WHERE delivery = ?1",
                params![delivery, event.item.saturating_add(1)],
            )?;
        }
        Ok(())
    }

    fn key_alert(&mut self, id: &Id<Alert>, event_key: &str) -> Result<bool> {
        let Some(before) = self.alert(&Scope::EVERYTHING, id)? else { return Ok(false) };
        let is_open = before.standing.state.is_open();
        if is_open && self.open_alert(&before.home.project_id, event_key)?.is_some() {
            return Ok(false);
        }
        let row = self.alert_row(id)?;
        self.put("UPDATE alert SET event_key = ?2 WHERE alert = ?1", params![row, event_key])?;
        if is_open {
            let after = Alert { event_key: event_key.to_owned(), ..before.clone() };
            self.relive(row, &before, &after)?;
        }
        Ok(true)
    }

    fn set_recovered(&mut self, id: &Id<Alert>, recovered_at: Timestamp) -> Result<()> {
        self.put(
            "UPDATE alert SET recovered_at = ?2
             WHERE alert_id = ?1 AND state = 'RESOLVED' AND recovered_at IS NULL",
            params![id.as_str(), millis(recovered_at)],
        )?;
        Ok(())
    }
}
