//! What is needed to care for alerts: setups, timers, what was decided, hits.

use std::sync::Arc;

use rusqlite::{Row, params};

use super::{
    live::Changed,
    rows::{Columns, json, millis},
    work::Work,
};
use crate::{
    clock::{Timestamp, from_millis},
    domain::{
        alert::Alert,
        channel::Place,
        event::Event,
        history::{Entry, Step},
        project::{Project, ProjectAlertConfig, Workspace},
        scope::Scope,
        setup::{Held, Setup},
        timer::{Timer, TimerKind},
    },
    error::{Error, Result},
    id::Id,
    store::{Alerts, Histories, Hit, HitKind, Hits, Projects, Setups, Timers},
};

impl Work {
    /// How a project is looked after, read anew.
    pub(super) fn load_setup(&self, config: ProjectAlertConfig) -> Result<Setup> {
        let ProjectAlertConfig { home, policy, created_at: _ } = config;
        Ok(Setup {
            escalation: self.load_escalations(&home)?,
            event_rules: self.load_event_rules(&home)?,
            group_rules: self.load_group_rules(&home)?,
            mutes: self.load_mutes(&home)?,
            channels: self.load_channels(&home)?,
            people: self.load_people(&home)?,
            heartbeats: self.load_heartbeats(&home)?,
            home,
            policy,
        })
    }

    /// Notes that something changed that the setup of one project is made of.
    pub(super) fn setup_changed(&self, project: &Id<Project>) -> Result<()> {
        self.live()?.borrow_mut().note(Changed::Setup(project.clone()));
        Ok(())
    }

    /// Notes that something changed that the setups of a workspace are made of: they are made anew after the commit.
    pub(super) fn setups_changed(&self, workspace: &Id<Workspace>) -> Result<()> {
        self.live()?.borrow_mut().note(Changed::Setups(workspace.clone()));
        Ok(())
    }

    /// Notes that something of a webhook changed that the setup of its project is made of.
    pub(super) fn setup_of_webhook_changed(&self, webhook: i64) -> Result<()> {
        let project = self.one(
            "SELECT p.project_id FROM webhook w JOIN project p USING (project) WHERE w.webhook = ?1",
            [webhook],
            |row| Columns::of(row).id(),
        )?;
        project.map_or(Ok(()), |project| self.setup_changed(&project))
    }

    /// Notes that something at `place` changed that setups are made of.
    pub(super) fn setups_at(&self, place: &Place) -> Result<()> {
        match place {
            Place::Project(home) => self.setup_changed(&home.project_id),
            Place::Workspace(_, workspace) => self.setups_changed(workspace),
        }
    }
}

impl Setups for Work {
    fn setup(&self, project: &Id<Project>) -> Result<Option<Arc<Setup>>> {
        if let Some(live) = self.live_if_writer()
            && let Some(known) = live.borrow().setup(project)
        {
            return Ok(Some(known));
        }
        let Some(config) = self.alert_config(&Scope::EVERYTHING, project)? else { return Ok(None) };
        let setup = Arc::new(self.load_setup(config)?);
        if let Some(live) = self.live_if_writer() {
            live.borrow_mut().set_setup(project.clone(), Arc::clone(&setup));
        }
        Ok(Some(setup))
    }

    fn count_held(&self, what: Held, place: &Place) -> Result<u64> {
        let counted = self.number(counting(what), self.place_rows(place)?)?;
        Ok(counted.unwrap_or_default().unsigned_abs())
    }
}

/// What counts what a place has of something, each by its index on the workspace, or of a project's webhooks.
const fn counting(what: Held) -> &'static str {
    match what {
        Held::Channels => {
            "SELECT count(*) FROM channel WHERE workspace = ?1 AND project IS ?2 AND deleted_at IS NULL"
        }
        Held::Contacts => "SELECT count(*) FROM contact WHERE workspace = ?1 AND project IS ?2",
        Held::OnCalls => "SELECT count(*) FROM on_call WHERE workspace = ?1 AND project IS ?2",
        Held::EscalationPolicies => {
            "SELECT count(*) FROM escalation_policy WHERE workspace = ?1 AND project IS ?2"
        }
        Held::Heartbeats => {
            "SELECT count(*) FROM heartbeat h JOIN webhook w USING (webhook)
             WHERE w.project = ?2 AND ?1 IS NOT NULL"
        }
    }
}

impl Timers for Work {
    fn set_timer(
        &mut self,
        kind: TimerKind,
        subject: &str,
        due_at: Option<Timestamp>,
    ) -> Result<()> {
        match due_at {
            Some(due_at) => self.put(
                "INSERT INTO timer (kind, subject, due_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at",
                params![kind.as_str(), subject, millis(due_at)],
            )?,
            None => self.put(
                "DELETE FROM timer WHERE kind = ?1 AND subject = ?2",
                params![kind.as_str(), subject],
            )?,
        };
        Ok(())
    }

    fn timer(&self, kind: TimerKind, subject: &str) -> Result<Option<Timestamp>> {
        let sql = "SELECT due_at FROM timer WHERE kind = ?1 AND subject = ?2";
        Ok(self.number(sql, params![kind.as_str(), subject])?.map(from_millis))
    }

    fn due_timers(&self, now: Timestamp, most: u32) -> Result<Vec<Timer>> {
        self.many(
            "SELECT kind, subject, due_at FROM timer WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2",
            params![millis(now), most],
            |row| {
                let mut columns = Columns::of(row);
                let word = columns.text()?;
                let kind = TimerKind::parse(&word)
                    .ok_or_else(|| Error::internal(format!("a timer of unknown kind `{word}`")))?;
                Ok(Timer { kind, subject: columns.text()?, due_at: columns.time()? })
            },
        )
    }

    fn next_timer(&self) -> Result<Option<Timestamp>> {
        let sql = "SELECT due_at FROM timer ORDER BY due_at LIMIT 1";
        Ok(self.number(sql, [])?.map(from_millis))
    }
}

impl Histories for Work {
    fn add_entries(&mut self, entries: &[Entry]) -> Result<()> {
        let Some(Entry { alert_id, event_id, at, actor, step: _ }) = entries.first() else {
            return Ok(());
        };
        let steps: Vec<&Step> = entries.iter().map(|entry| &entry.step).collect();
        let alert = alert_id.as_ref().map(|id| self.alert_row(id)).transpose()?;
        self.put(
            "INSERT INTO history (alert, event_id, at, actor, steps) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![alert, event_id.as_ref().map(Id::as_str), millis(*at), actor, json(&steps)?],
        )?;
        Ok(())
    }

    fn entries(
        &self,
        scope: &Scope,
        alert: &Id<Alert>,
        (after, most): (i64, u32),
    ) -> Result<Vec<(i64, Entry)>> {
        if self.alert(scope, alert)?.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.many(
            "SELECT history, event_id, at, actor, steps FROM history
             WHERE alert = ?1 AND history > ?2 ORDER BY history LIMIT ?3",
            params![self.alert_row(alert)?, after, most],
            |row| noted(row, Some(alert)),
        )?;
        Ok(rows.into_iter().flatten().collect())
    }

    fn all_entries(&self, (after, most): (i64, u32)) -> Result<Vec<(i64, Entry)>> {
        let rows = self.many(
            "SELECT history, event_id, history.at, actor, steps, alert.alert_id
             FROM history LEFT JOIN alert ON alert.alert = history.alert
             WHERE history > ?1 ORDER BY history LIMIT ?2",
            params![after, most],
            |row| {
                let alert: Option<String> = row.get(5)?;
                noted(row, alert.map(Id::from).as_ref())
            },
        )?;
        Ok(rows.into_iter().flatten().collect())
    }

    fn ended_since(&self, alert: &Id<Alert>, since: Timestamp) -> Result<bool> {
        // By `history_of_alert`.
        let found = self.number(
            "SELECT EXISTS (SELECT 1 FROM history h, json_each(h.steps) s
                 WHERE h.alert = ?1 AND h.at > ?2 AND s.value ->> '$.of' = 'life'
                   AND s.value ->> '$.step.what' IN ('resolved', 'expired'))",
            [self.alert_row(alert)?, millis(since)],
        )?;
        Ok(found == Some(1))
    }

    fn event_entries(&self, event: &Id<Event>) -> Result<Vec<Entry>> {
        let rows = self.many(
            "SELECT history, event_id, at, actor, steps FROM history
             WHERE event_id = ?1 AND alert IS NULL ORDER BY history",
            [event.as_str()],
            |row| noted(row, None),
        )?;
        Ok(rows.into_iter().flatten().map(|(_, entry)| entry).collect())
    }

    fn forget_entries(&mut self, before: Timestamp, most: u32) -> Result<usize> {
        self.put(
            "DELETE FROM history WHERE history IN
                 (SELECT history FROM history WHERE alert IS NULL AND at < ?1 ORDER BY at LIMIT ?2)",
            params![millis(before), most],
        )
    }
}

/// What one row of `history` says.
fn noted(row: &Row<'_>, alert: Option<&Id<Alert>>) -> Result<Vec<(i64, Entry)>> {
    let mut columns = Columns::of(row);
    let number = columns.get()?;
    let event_id = columns.maybe_id()?;
    let (at, actor) = (columns.time()?, columns.text()?);
    let steps: Vec<Step> = columns.json()?;
    let entry = |step| Entry {
        alert_id: alert.cloned(),
        event_id: event_id.clone(),
        at,
        actor: actor.clone(),
        step,
    };
    Ok(steps.into_iter().map(|step| (number, entry(step))).collect())
}

impl Hits for Work {
    fn hit(&mut self, kind: HitKind, id: &str, now: Timestamp) -> Result<()> {
        self.put(
            "INSERT INTO hit (kind, id, count, last_at) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (kind, id) DO UPDATE SET count = count + 1, last_at = max(last_at, excluded.last_at)",
            params![kind.as_str(), id, millis(now)],
        )?;
        Ok(())
    }

    fn hits(&self, kind: HitKind, id: &str) -> Result<Hit> {
        let found = self.one(
            "SELECT count, last_at FROM hit WHERE kind = ?1 AND id = ?2",
            params![kind.as_str(), id],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Hit { count: columns.count()?, last_at: columns.maybe_time()? })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    fn forget_hits(&mut self, kind: HitKind, id: &str) -> Result<()> {
        self.put("DELETE FROM hit WHERE kind = ?1 AND id = ?2", params![kind.as_str(), id])?;
        Ok(())
    }
}
