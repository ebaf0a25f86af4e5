//! Who must be heard from.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use rusqlite::{Row, params};

use super::{
    policies::not_unique,
    rows::{Columns, json, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        heartbeat::{Heartbeat, Heartbeats as Loaded},
        scope::{Home, Scope},
        webhook::Webhook,
    },
    error::Result,
    id::Id,
    store::Heartbeats,
};

const SELECT: &str =
    "SELECT d.domain_id, s.workspace_id, p.project_id, h.heartbeat_id, h.name, w.webhook_id,
        h.event_key, h.every, h.severity, h.last_heard_at, h.alert_id, h.tags, h.created_at
 FROM heartbeat h JOIN webhook w ON w.webhook = h.webhook JOIN project p ON p.project = w.project
 JOIN workspace s ON s.workspace = p.workspace JOIN domain d ON d.domain = s.domain";

impl Work {
    /// What a setup holds of this: the heartbeats of a project, by webhook.
    pub(super) fn load_heartbeats(&self, home: &Home) -> Result<Loaded> {
        let sql = format!(
            "{SELECT} WHERE w.project = (SELECT project FROM project WHERE project_id = ?1) ORDER BY h.heartbeat"
        );
        let mut loaded: BTreeMap<_, Vec<Arc<Heartbeat>>> = BTreeMap::new();
        for heartbeat in self.many(&sql, [home.project_id.as_str()], heartbeat)? {
            loaded.entry(heartbeat.webhook_id.clone()).or_default().push(Arc::new(heartbeat));
        }
        Ok(Loaded(loaded))
    }

    /// Removes the heartbeats of a webhook that is deleted.
    pub(super) fn forget_heartbeats(&self, webhook: i64) -> Result<()> {
        if self.put("DELETE FROM heartbeat WHERE webhook = ?1", [webhook])? > 0 {
            self.setup_of_webhook_changed(webhook)?;
        }
        Ok(())
    }
}

impl Heartbeats for Work {
    fn heartbeat(&self, scope: &Scope, id: &Id<Heartbeat>) -> Result<Option<Heartbeat>> {
        let sql = format!("{SELECT} WHERE h.heartbeat_id = ?1");
        let found = self.one(&sql, [id.as_str()], heartbeat)?;
        Ok(found.filter(|heartbeat| scope.contains(&heartbeat.home)))
    }

    fn heartbeats(&self, scope: &Scope) -> Result<Vec<Heartbeat>> {
        let sql = format!("{SELECT} ORDER BY h.name, h.heartbeat");
        let mut found = self.many(&sql, [], heartbeat)?;
        found.retain(|heartbeat| scope.contains(&heartbeat.home));
        Ok(found)
    }

    fn heartbeats_of(&self, webhook: &Id<Webhook>) -> Result<Vec<Heartbeat>> {
        let sql = format!("{SELECT} WHERE h.webhook = ?1 ORDER BY h.name");
        self.many(&sql, [self.webhook_row(webhook)?], heartbeat)
    }

    fn put_heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()> {
        let put = self.put(
            "INSERT INTO heartbeat (heartbeat_id, webhook, name, event_key, every, severity, tags, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (heartbeat_id) DO UPDATE SET name = excluded.name, event_key = excluded.event_key,
                 every = excluded.every, severity = excluded.severity, tags = excluded.tags",
            params![
                heartbeat.heartbeat_id.as_str(),
                self.webhook_row(&heartbeat.webhook_id)?,
                heartbeat.name,
                heartbeat.event_key,
                heartbeat.every.num_milliseconds(),
                heartbeat.severity.as_str(),
                json(&heartbeat.tags)?,
                millis(heartbeat.created_at)
            ],
        );
        put.map_err(|error| not_unique(error, "heartbeat of this webhook", &heartbeat.name))?;
        self.setup_changed(&heartbeat.home.project_id)
    }

    fn delete_heartbeat(&mut self, id: &Id<Heartbeat>) -> Result<()> {
        let Some(heartbeat) = self.heartbeat(&Scope::EVERYTHING, id)? else { return Ok(()) };
        self.put("DELETE FROM heartbeat WHERE heartbeat_id = ?1", [id.as_str()])?;
        self.setup_changed(&heartbeat.home.project_id)
    }

    fn hear_heartbeat(&mut self, id: &Id<Heartbeat>, now: Timestamp) -> Result<Option<Id<Alert>>> {
        let silent = self.one(
            "SELECT alert_id FROM heartbeat WHERE heartbeat_id = ?1",
            [id.as_str()],
            |row| Columns::of(row).maybe_id(),
        )?;
        self.put(
            "UPDATE heartbeat SET last_heard_at = max(coalesce(last_heard_at, 0), ?2), alert_id = NULL
             WHERE heartbeat_id = ?1",
            params![id.as_str(), millis(now)],
        )?;
        Ok(silent.flatten())
    }

    fn silence_heartbeat(&mut self, id: &Id<Heartbeat>, alert: &Id<Alert>) -> Result<()> {
        self.put(
            "UPDATE heartbeat SET alert_id = ?2 WHERE heartbeat_id = ?1",
            [id.as_str(), alert.as_str()],
        )?;
        Ok(())
    }
}

fn heartbeat(row: &Row<'_>) -> Result<Heartbeat> {
    let mut columns = Columns::of(row);
    Ok(Heartbeat {
        home: columns.home()?,
        heartbeat_id: columns.id()?,
        name: columns.text()?,
        webhook_id: columns.id()?,
        event_key: columns.get()?,
        every: TimeDelta::milliseconds(columns.get()?),
        severity: columns.word()?,
        last_heard_at: columns.maybe_time()?,
        alert_id: columns.maybe_id()?,
        tags: columns.json()?,
        created_at: columns.time()?,
    })
}
