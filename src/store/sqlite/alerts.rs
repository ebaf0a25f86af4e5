//! Alerts.

mod write;

use rusqlite::params;
use serde_json::Value;

use self::write::care;
use super::{
    happenings::Change,
    live::{Open, Pending},
    numbering::KeyHash,
    rows::{self, Columns, maybe_millis, millis},
    seek::{self, Asked, Findable, Of},
    sql,
    tally::{self, Said},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        alert::{Alert, Ending, Standing},
        care::Care,
        correlate::{EarlyRecovery, Past},
        event::Event,
        project::Project,
        receipt::Unreadable,
        scope::Scope,
        webhook::Webhook,
    },
    error::{Error, Result},
    id::Id,
    query::{Keyset, Query, Stat},
    store::{Alerts, Each, Found, Scan},
};

/// Every column of an alert, as [`alert`] reads them.
pub(super) const COLUMNS: &str = "a.alert_id, a.state, t.severity, t.urgency, t.event_count, t.last_event_at, t.updated_at, a.marks,
        a.alert_number, a.event_key, a.title, a.description, a.rule, a.image_url, a.resources, a.provider, a.account,
        a.additional_info, a.assignee, a.responder, a.triggered_by,
        (SELECT webhook_id FROM webhook WHERE webhook = a.webhook), d.domain_id, s.workspace_id, p.project_id,
        a.created_at, a.acknowledged_at, a.resolved_at, a.recovered_at, a.ending,
        a.escalation_policy_id, a.policy_given, a.escalation_step, a.escalation_ttl, a.escalated_at, a.no_notification, a.mute, a.snooze,
        a.acknowledged_until, a.flapping, a.merged_into, a.leads, a.held, a.expired";

/// The tables that name where an alert lives.
pub(super) const HOME: &str = "CROSS JOIN project p ON p.project = a.project
     CROSS JOIN workspace s ON s.workspace = p.workspace CROSS JOIN domain d ON d.domain = s.domain";

impl Work {
    /// Writes how alerts stand that later statements will read.
    pub(super) fn flush_standings(&self) -> Result<()> {
        let Some(live) = self.live_if_writer() else { return Ok(()) };
        let pending = live.borrow_mut().take_all_pending();
        for (row, Pending { standing, description }) in pending {
            self.put_standing(row, &standing)?;
            if let Some(description) = description {
                let sql = "UPDATE alert SET description = ?2 WHERE alert = ?1";
                self.put(sql, params![row, description])?;
            }
        }
        Ok(())
    }

    /// What an alert is tallied by.
    fn said_of<'a>(&self, alert: &'a Alert) -> Result<Said<'a>> {
        let project = self.project_row(&alert.home.project_id)?;
        let webhook = alert.webhook_id.as_ref().map(|id| self.webhook_row(id)).transpose()?;
        Ok(Said::of_alert((project, webhook), alert.provider.as_deref(), &alert.standing))
    }

    /// The row of an alert.
    pub(super) fn alert_row(&self, id: &Id<Alert>) -> Result<i64> {
        if let Some(live) = self.live_if_writer()
            && let Some((last, row)) = &live.borrow().last_alert
            && last == id
        {
            return Ok(*row);
        }
        self.number("SELECT alert FROM alert WHERE alert_id = ?1", [id.as_str()])?
            .ok_or_else(|| Error::not_found("alert", id))
    }

    /// The open alert of a key, from memory if every open alert is there.
    fn find_open(&self, project: &Id<Project>, event_key: &str) -> Result<Option<Open>> {
        if let Some(live) = self.live_if_writer() {
            let live = live.borrow();
            if let Ok(open) = live.open(live.key(project, event_key)) {
                return Ok(open.cloned());
            }
        }
        self.flush_standings()?;
        let project = self.project_row(project)?;
        self.one(
            "SELECT a.alert, a.webhook, a.created_at, a.provider, a.alert_id, a.state, t.severity, t.urgency, t.event_count, t.last_event_at,
                    t.updated_at, a.marks
             FROM alert a CROSS JOIN standing t ON t.alert = a.alert
             WHERE a.project = ?1 AND a.event_key = ?2 AND a.closed = 0",
            params![project, event_key],
            |row| {
                let mut columns = Columns::of(row);
                let (row, webhook): (i64, Option<i64>) = (columns.get()?, columns.get()?);
                let (created_at, provider) = (columns.get()?, columns.get::<Option<String>>()?);
                let standing = rows::standing(&mut columns)?;
                let said = Said::of_alert((project, webhook), provider.as_deref(), &standing);
                let live = self.live_if_writer();
                let place = live.map(|live| live.borrow_mut().tally(|it| it.place(&said, created_at)));
                Ok(Open {
                    row,
                    webhook: webhook.unwrap_or_default(),
                    unreadable: Unreadable::is_key(event_key),
                    said: 0,
                    place: place.unwrap_or_default(),
                    standing,
                })
            },
        )
    }

    /// The open alert that an event joins or ends; it was found a moment ago.
    fn open_of(&self, event: &Event) -> Result<(KeyHash, Open)> {
        let (project, event_key) = (&event.home.project_id, &event.draft.event_key);
        let key = self.live()?.borrow().key(project, event_key);
        let open = self.find_open(project, event_key)?;
        open.map(|open| (key, open)).ok_or_else(|| Error::not_found("open alert of key", event_key))
    }

    fn next_number(&self, workspace: i64) -> Result<u64> {
        let known = self.live()?.borrow().number(workspace);
        let last = match known {
            Some(last) => last,
            None => self
                .number(
                    "SELECT last_alert_number FROM workspace WHERE workspace = ?1",
                    [workspace],
                )?
                .map_or(0, i64::unsigned_abs),
        };
        Ok(last + 1)
    }

    /// Brings what is in memory of open alerts up to date with an alert that a person changed.
    pub(super) fn relive(&self, row: i64, before: &Alert, after: &Alert) -> Result<()> {
        let said = self.said_of(before)?;
        let webhook = said.webhook;
        let project = self.project_row(&after.home.project_id)?;
        let now_said = Said::of_alert((project, webhook), said.provider, &after.standing);
        let is_open = |alert: &Alert| alert.standing.state.is_open();
        let severity = |alert: &Alert| is_open(alert).then_some(alert.standing.severity);
        let mut live = self.live()?.borrow_mut();
        let created_at = millis(before.created_at);
        let place = live.tally(|tallies| {
            let place = tallies.place(&said, created_at);
            tallies.gone(place);
            tallies.come(&now_said, created_at)
        });
        if is_open(before) {
            let key = live.key(&before.home.project_id, &before.event_key);
            live.set_open(key, None);
        }
        if is_open(after) {
            let open = Open::new(row, webhook, place, after);
            let key = live.key(&after.home.project_id, &after.event_key);
            live.set_open(key, Some(open));
        }
        live.count_open(severity(before), severity(after));
        Ok(())
    }
}

impl Alerts for Work {
    fn alert(&self, scope: &Scope, id: &Id<Alert>) -> Result<Option<Alert>> {
        self.flush_standings()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM alert a CROSS JOIN standing t ON t.alert = a.alert {HOME}
             WHERE a.alert_id = ?1 AND a.deleted_at IS NULL"
        );
        let found = self.one(&sql, [id.as_str()], |row| alert(&mut Columns::of(row)))?;
        Ok(found.filter(|alert| scope.contains(&alert.home)))
    }

    fn alerts(&self, scope: &Scope, query: &Query) -> Result<Found<Alert>> {
        self.flush_standings()?;
        let asked = Asked { query, scope, table: &sql::ALERTS, of: Of::Alerts };
        let composed = sql::compose(query, scope, &sql::ALERTS);
        let plan = self.plan(&asked)?;
        let tallied = tally::Asked { kind: tally::Kind::Alert, scope, filter: &query.filter };
        let total = self.total(&tallied, (&asked, &plan), &composed)?;
        if !query.wants_rows() {
            return Ok(sql::found(query, Vec::new(), total));
        }
        let places = self.page(&asked, &plan, &composed)?;
        let sql = format!(
            "SELECT a.created_at, a.alert, {COLUMNS} FROM json_each(?1) k CROSS JOIN alert a ON a.alert = k.value
             CROSS JOIN standing t ON t.alert = a.alert {HOME}"
        );
        let rows = self.many(&sql, [seek::rows_at(&places)], |row| {
            let mut columns = Columns::of(row);
            let key = Keyset { created_at: columns.get()?, row: columns.get()? };
            Ok((key, alert(&mut columns)?))
        })?;
        Ok(sql::found(query, rows, total))
    }

    fn visit_alerts(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()> {
        self.visit(&sql::ALERTS, scope, scan, each)
    }

    fn alert_stat(&self, scope: &Scope, stat: &Stat) -> Result<Vec<Value>> {
        self.stat(tally::Kind::Alert, scope, stat)
    }

    fn open_alert(&self, project: &Id<Project>, event_key: &str) -> Result<Option<Standing>> {
        let open = self.find_open(project, event_key)?;
        Ok(open.map(|open| open.standing))
    }

    fn past(&self, project: &Id<Project>, event_key: &str, since: Timestamp) -> Result<Past> {
        let project = self.project_row(project)?;
        let closed = self.one(
            "SELECT recovered_at FROM alert
             WHERE project = ?1 AND event_key = ?2 AND closed > 0 AND deleted_at IS NULL
             ORDER BY closed DESC LIMIT 1",
            params![project, event_key],
            |row| Columns::of(row).maybe_time(),
        )?;
        let early = self.one(
            "SELECT event_id, occurred_at, created_at FROM event
             WHERE project = ?1 AND event_key = ?2 AND alert IS NULL AND event_type = 'RECOVERY'
               AND created_at >= ?3
             ORDER BY occurred_at DESC, event DESC LIMIT 1",
            params![project, event_key, since.timestamp_millis()],
            |row| {
                let mut columns = Columns::of(row);
                Ok(EarlyRecovery {
                    event_id: columns.id()?,
                    occurred_at: columns.maybe_time()?,
                    created_at: columns.time()?,
                })
            },
        )?;
        Ok(Past { closed: closed.is_some(), recovered_at: closed.flatten(), early })
    }

    fn unreadable_alerts(&self, webhook: &Id<Webhook>) -> Result<Vec<Alert>> {
        let webhook = self.webhook_row(webhook)?;
        let open = self.live()?.borrow().unreadable(webhook);
        let alerts = open.iter().map(|open| self.alert(&Scope::EVERYTHING, &open.alert_id));
        Ok(alerts.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn add_alert(&mut self, alert: &Alert) -> Result<u64> {
        self.watched.note(alert.alert_id(), || None);
        let workspace = self.workspace_row(&alert.home)?;
        let next_number = self.next_number(workspace)?;
        let alert_number = if alert.alert_number == 0 { next_number } else { alert.alert_number };
        let mut next = self.live()?.borrow().next();
        let row = next.alert;
        self.insert_alert(row, workspace, alert_number, alert)?;
        let said = self.said_of(alert)?;
        let found = Findable {
            id: alert.alert_id().as_str(),
            number: Some(alert_number),
            project: self.project_row(&alert.home.project_id)?,
            created_at: millis(alert.created_at),
            event_key: &alert.event_key,
            title: alert.title.as_deref(),
            resources: &alert.resources,
        };
        self.make_findable(Of::Alerts, row, &found)?;
        next.alert += 1;
        let mut live = self.live()?.borrow_mut();
        let place = live.tally(|tallies| tallies.come(&said, millis(alert.created_at)));
        live.set_next(next);
        // Numbers never come back, so a number that was brought along moves the next one on, never back.
        live.set_number(workspace, alert_number.max(next_number - 1));
        live.last_alert = Some((alert.alert_id().clone(), row));
        if alert.standing.state.is_open() {
            let open = Open::new(row, said.webhook, place, alert);
            let key = live.key(&alert.home.project_id, &alert.event_key);
            live.set_open(key, Some(open));
            live.count_open(None, Some(alert.standing.severity));
        }
        drop(live);
        self.add_happening(row, Change::opened(alert))?;
        Ok(alert_number)
    }

    fn join_alert(&mut self, event: &Event, standing: &Standing) -> Result<()> {
        let (key, open) = self.open_of(event)?;
        let before = open.standing.severity;
        if let Some(change) = Change::joined(&open.standing, standing) {
            self.add_happening(open.row, change)?;
        }
        let mut live = self.live()?.borrow_mut();
        let says = event.draft.description.as_deref();
        let said = says.map_or(open.said, |description| live.said(description));
        let description = says.filter(|_| said != open.said).map(str::to_owned);
        live.set_pending(open.row, Pending { standing: standing.clone(), description });
        live.last_alert = Some((standing.alert_id.clone(), open.row));
        live.count_open(Some(before), Some(standing.severity));
        let place = live.tally(|tallies| tallies.turned(open.place, standing));
        live.set_open(key, Some(Open { standing: standing.clone(), said, place, ..open }));
        Ok(())
    }

    fn end_alert(&mut self, event: &Event, standing: &Standing, ending: &Ending) -> Result<()> {
        let (key, open) = self.open_of(event)?;
        let pending = self.live()?.borrow_mut().take_pending(open.row);
        let waiting = pending.and_then(|pending| pending.description);
        let description = event.draft.description.clone().or(waiting);
        self.put(
            "UPDATE alert SET state = ?2, description = coalesce(?3, description), resolved_at = ?4, recovered_at = ?5,
                    ending = ?6
             WHERE alert = ?1",
            params![
                open.row,
                standing.state.as_str(),
                description,
                millis(ending.resolved_at),
                maybe_millis(ending.recovered_at),
                ending.reason
            ],
        )?;
        self.put_standing(open.row, standing)?;
        self.add_happening(open.row, Change::between(&open.standing, standing))?;
        let mut live = self.live()?.borrow_mut();
        live.set_open(key, None);
        live.count_open(Some(open.standing.severity), None);
        live.tally(|tallies| tallies.turned(open.place, standing));
        live.last_alert = Some((standing.alert_id.clone(), open.row));
        Ok(())
    }

    fn put_alert(&mut self, alert: &Alert) -> Result<()> {
        let before = self
            .alert(&Scope::EVERYTHING, alert.alert_id())?
            .ok_or_else(|| Error::not_found("alert", alert.alert_id()))?;
        self.watched.note(alert.alert_id(), || Some(before.clone()));
        let row = self.alert_row(alert.alert_id())?;
        self.update_alert(row, alert)?;
        self.add_happening(row, Change::between(&before.standing, &alert.standing))?;
        if (&before.title, &before.home) != (&alert.title, &alert.home) {
            self.find_anew(row)?;
        }
        self.relive(row, &before, alert)
    }

    fn delete_alert(&mut self, id: &Id<Alert>, now: Timestamp) -> Result<()> {
        let Some(before) = self.alert(&Scope::EVERYTHING, id)? else {
            return Err(Error::not_found("alert", id));
        };
        self.watched.note(id, || Some(before.clone()));
        let row = self.alert_row(id)?;
        self.put("UPDATE alert SET deleted_at = ?2 WHERE alert = ?1", params![row, millis(now)])?;
        self.add_happening(row, Change::deleted(&before.standing, now))?;
        let said = self.said_of(&before)?;
        let mut live = self.live()?.borrow_mut();
        live.tally(|tallies| {
            let place = tallies.place(&said, millis(before.created_at));
            tallies.gone(place);
        });
        if before.standing.state.is_open() {
            let key = live.key(&before.home.project_id, &before.event_key);
            live.set_open(key, None);
            live.count_open(Some(before.standing.severity), None);
        }
        Ok(())
    }
}

/// An alert, from [`COLUMNS`].
pub(super) fn alert(columns: &mut Columns<'_>) -> Result<Alert> {
    let standing = rows::standing(columns)?;
    let mut alert = Alert {
        standing,
        alert_number: columns.count()?,
        event_key: columns.text()?,
        title: columns.get()?,
        description: columns.get()?,
        rule: columns.get()?,
        image_url: columns.get()?,
        resources: columns.json()?,
        provider: columns.get()?,
        account: columns.get()?,
        additional_info: columns.json()?,
        assignee: columns.get()?,
        responder: columns.get()?,
        triggered_by: columns.text()?,
        webhook_id: columns.maybe_id::<Webhook>()?,
        home: columns.home()?,
        created_at: columns.time()?,
        acknowledged_at: columns.maybe_time()?,
        ending: None,
        care: Care::default(),
    };
    let (resolved_at, recovered_at) = (columns.maybe_time()?, columns.maybe_time()?);
    let reason: Option<String> = columns.get()?;
    alert.ending = resolved_at.map(|resolved_at| Ending {
        resolved_at,
        recovered_at,
        reason: reason.unwrap_or_default(),
    });
    alert.care = care(columns)?;
    Ok(alert)
}
