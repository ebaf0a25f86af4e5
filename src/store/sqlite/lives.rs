//! What the life of an alert asks about others.

use chrono::TimeDelta;
use rusqlite::params;

use super::{
    alerts::{COLUMNS, HOME, alert},
    live::Kind,
    rows::{Columns, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{alert::Alert, project::Project, webhook::Webhook},
    error::Result,
    id::Id,
    store::Lives,
};

impl Lives for Work {
    fn openings(
        &self,
        project: &Id<Project>,
        event_key: &str,
        (since, most): (Timestamp, u32),
    ) -> Result<u32> {
        // By the index on keys, newest first: what is older than the first that is too old need not be read.
        let counted = self.number(
            "SELECT count(*) FROM (SELECT created_at FROM alert
                 WHERE project = ?1 AND event_key = ?2 AND closed > 0 AND deleted_at IS NULL
                 ORDER BY closed DESC LIMIT ?4)
             WHERE created_at >= ?3",
            params![self.project_row(project)?, event_key, millis(since), most],
        )?;
        Ok(counted.and_then(|count| u32::try_from(count).ok()).unwrap_or_default())
    }

    fn open_parts(&self, lead: &Id<Alert>, most: u32) -> Result<Vec<Alert>> {
        self.flush_standings()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM alert a CROSS JOIN standing t ON t.alert = a.alert {HOME}
             WHERE a.merged_into = ?1 AND a.merged_into IS NOT NULL AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL
             ORDER BY a.alert LIMIT ?2"
        );
        self.many(&sql, params![lead.as_str(), most], |row| alert(&mut Columns::of(row)))
    }

    fn has_open_parts(&self, lead: &Id<Alert>) -> Result<bool> {
        let found = self.number(
            "SELECT 1 FROM alert
             WHERE merged_into = ?1 AND merged_into IS NOT NULL AND state <> 'RESOLVED' AND deleted_at IS NULL LIMIT 1",
            [lead.as_str()],
        )?;
        Ok(found.is_some())
    }

    fn stale_after(&self, webhook: &Id<Webhook>) -> Result<Option<u32>> {
        let live = self.live_if_writer();
        let known = live.and_then(|live| live.borrow().row(Kind::StaleAfter, webhook.as_str()));
        let said = match known {
            Some(said) => said,
            None => self
                .number(
                    "SELECT options ->> '$.stale_after' FROM webhook WHERE webhook = ?1",
                    [self.webhook_row(webhook)?],
                )?
                .unwrap_or(-1),
        };
        if let Some(live) = live.filter(|_| known.is_none()) {
            live.borrow_mut().set_row(Kind::StaleAfter, webhook.as_str(), said);
        }
        Ok(u32::try_from(said).ok())
    }

    fn watch_webhook(&mut self, webhook: &Id<Webhook>, stale_after: TimeDelta) -> Result<()> {
        self.flush_standings()?;
        self.put(
            "INSERT INTO timer (kind, subject, due_at)
             SELECT 'stale', a.alert_id, t.last_event_at + ?2
             FROM alert a INDEXED BY alert_still_open CROSS JOIN standing t ON t.alert = a.alert
             WHERE a.webhook = ?1 AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL
             ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at",
            params![self.webhook_row(webhook)?, stale_after.num_milliseconds()],
        )?;
        Ok(())
    }

    fn watch_project(&mut self, project: &Id<Project>, stale_after: TimeDelta) -> Result<()> {
        self.flush_standings()?;
        self.put(
            "INSERT INTO timer (kind, subject, due_at)
             SELECT 'stale', a.alert_id, t.last_event_at + ?2
             FROM alert a INDEXED BY alert_still_open CROSS JOIN standing t ON t.alert = a.alert
             WHERE a.project = ?1 AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL AND a.webhook IS NOT NULL
             ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at",
            params![self.project_row(project)?, stale_after.num_milliseconds()],
        )?;
        Ok(())
    }
}
