//! Removing what is old: a few rows in each unit of work, found by an index, with everything that counts them.
//!
//! Integer keys are never given again: those of removed rows are remembered in `given`, since the spans of deliveries and
//! the places of those who watch are made of them.

use rusqlite::{OptionalExtension, params};

use super::{
    rows::{Columns, json, millis},
    tally::Kind,
    work::Work,
};
use crate::{
    bus::KEPT,
    domain::{
        project::Project,
        retention::{Age, Retention},
        scope::{Home, Scope},
    },
    error::Result,
    id::Id,
    store::{Mark, Old, Sweep, Swept, Upkeep},
};

/// The oldest events of a project.
pub(super) const OLD_EVENTS: &str = "SELECT e.created_at, e.event, e.delivery, a.alert IS NOT NULL
     FROM event e LEFT JOIN alert a ON a.alert = e.alert AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL
     WHERE e.project = ?1 AND e.created_at < ?2 AND (e.created_at, e.event) > (?3, ?4)
     ORDER BY e.created_at, e.event LIMIT ?5";

/// The oldest alerts of a project.
pub(super) const OLD_ALERTS: &str = "SELECT a.created_at, a.alert,
            (a.state = 'RESOLVED' AND a.resolved_at < ?2) OR coalesce(a.deleted_at < ?2, 0)
     FROM alert a WHERE a.project = ?1 AND a.created_at < ?2 AND (a.created_at, a.alert) > (?3, ?4)
     ORDER BY a.created_at, a.alert LIMIT ?5";

/// The first deliveries of a webhook.
pub(super) const OLD_DELIVERIES: &str = "SELECT v.delivery, v.received_at,
            EXISTS (SELECT 1 FROM payload y WHERE y.delivery = v.delivery),
            EXISTS (SELECT 1 FROM event e WHERE e.event >= v.first_event AND e.event < v.first_event + v.events)
            OR EXISTS (SELECT 1 FROM redriven r WHERE r.delivery = v.delivery)
     FROM delivery v WHERE v.webhook = ?1 AND v.delivery > ?2 ORDER BY v.delivery LIMIT ?3";

/// A row among what is old.
struct Row {
    mark: Mark,
    delivery: i64,
    goes: bool,
}

impl Work {
    /// Says that no integer key that was given by now is given again.
    fn remember_given(&self) -> Result<()> {
        let next = self.live()?.borrow().next();
        self.put(
            "UPDATE given SET delivery = ?1, event = ?2, alert = ?3, happening = ?4",
            params![next.delivery - 1, next.event - 1, next.alert - 1, next.happening - 1],
        )?;
        let mut live = self.live()?.borrow_mut();
        live.last_alert = None;
        live.last_delivery = None;
        Ok(())
    }

    /// Says up to where something of a project is gone.
    fn forgot(&self, project: i64, event: i64, happening: i64) -> Result<()> {
        self.put(
            "INSERT INTO forgotten (project, event, happening) VALUES (?1, ?2, ?3)
             ON CONFLICT (project) DO UPDATE SET event = max(event, excluded.event),
                 happening = max(happening, excluded.happening)",
            params![project, event, happening],
        )?;
        self.remember_given()
    }

    fn sweep_events(&self, project: i64, sweep: &Sweep) -> Result<Swept> {
        let Mark { group, row } = sweep.from;
        let asked = params![project, millis(sweep.before), group, row, sweep.most];
        let found = self.many(OLD_EVENTS, asked, |row| {
            let mut columns = Columns::of(row);
            let mark = Mark { group: columns.get()?, row: columns.get()? };
            let (delivery, is_of_open): (i64, bool) = (columns.get()?, columns.get()?);
            Ok(Row { mark, delivery, goes: !is_of_open })
        })?;
        let gone: Vec<&Row> = found.iter().filter(|row| row.goes).collect();
        if let Some(newest) = gone.iter().map(|row| row.mark.row).max() {
            let events: Vec<i64> = gone.iter().map(|row| row.mark.row).collect();
            let mut deliveries: Vec<i64> = gone.iter().map(|row| row.delivery).collect();
            deliveries.dedup();
            self.remove_events(&events, &deliveries)?;
            self.forgot(project, newest, 0)?;
        }
        Ok(swept(sweep, &found, gone.len()))
    }

    fn remove_events(&self, events: &[i64], deliveries: &[i64]) -> Result<()> {
        self.tally_removed(Kind::Event, events)?;
        let (events, deliveries) = (json(&events)?, json(&deliveries)?);
        self.put(
            "DELETE FROM redriven WHERE delivery IN (SELECT value FROM json_each(?1))
               AND event IN (SELECT value FROM json_each(?2))",
            [&deliveries, &events],
        )?;
        self.put(
            "UPDATE dead_item SET error_event = NULL WHERE delivery IN (SELECT value FROM json_each(?1))
               AND error_event IN (SELECT value FROM json_each(?2))",
            [&deliveries, &events],
        )?;
        self.forget_states(&events)?;
        self.put("DELETE FROM event WHERE event IN (SELECT value FROM json_each(?1))", [&events])?;
        Ok(())
    }

    fn sweep_alerts(&self, project: i64, sweep: &Sweep) -> Result<Swept> {
        self.flush_standings()?;
        let Mark { group, row } = sweep.from;
        let asked = params![project, millis(sweep.before), group, row, sweep.most];
        let mut found = self.many(OLD_ALERTS, asked, |row| {
            let mut columns = Columns::of(row);
            let mark = Mark { group: columns.get()?, row: columns.get()? };
            Ok(Row { mark, delivery: 0, goes: columns.get()? })
        })?;
        let all = found.len();
        // An alert may have more events than one unit of work may change; it goes once all of them are told.
        let mut left = i64::from(sweep.most);
        let mut gone = Vec::new();
        for (at, row) in found.iter().enumerate() {
            if !row.goes {
                continue;
            }
            left -= self.detach(row.mark.row, left)?;
            if left <= 0 {
                found.truncate(at);
                break;
            }
            gone.push(row.mark.row);
        }
        if !gone.is_empty() {
            self.remove_alerts(project, &gone, sweep)?;
        }
        let mut done = swept(sweep, &found, gone.len());
        if found.len() < all {
            done.next = Some(found.last().map_or(sweep.from, |row| row.mark));
        }
        Ok(done)
    }

    /// Takes their alert from up to so many events; of how many.
    fn detach(&self, alert: i64, most: i64) -> Result<i64> {
        let detached = self.put(
            "UPDATE event SET alert = NULL WHERE event IN
                 (SELECT event FROM event INDEXED BY event_of_alert WHERE alert = ?1 LIMIT ?2)",
            [alert, most],
        )?;
        Ok(i64::try_from(detached).unwrap_or(i64::MAX))
    }

    fn remove_alerts(&self, project: i64, gone: &[i64], sweep: &Sweep) -> Result<()> {
        self.tally_removed(Kind::Alert, gone)?;
        let alerts = json(&gone)?;
        for sql in [
            "DELETE FROM standing WHERE alert IN (SELECT value FROM json_each(?1))",
            "DELETE FROM history WHERE alert IN (SELECT value FROM json_each(?1))",
            "DELETE FROM note WHERE alert IN (SELECT value FROM json_each(?1))",
            "DELETE FROM alert WHERE alert IN (SELECT value FROM json_each(?1))",
        ] {
            self.put(sql, [&alerts])?;
        }
        let told = self.number(
            "SELECT happening FROM happening WHERE at < ?1 ORDER BY happening DESC LIMIT 1",
            [millis(sweep.before)],
        )?;
        self.forgot(project, 0, told.unwrap_or(0))
    }

    fn sweep_deliveries(&self, project: i64, sweep: &Sweep) -> Result<Swept> {
        let webhook = self.number(
            "SELECT webhook FROM webhook WHERE project = ?1 AND webhook >= ?2 ORDER BY webhook LIMIT 1",
            [project, sweep.from.group],
        )?;
        let Some(webhook) = webhook else { return Ok(Swept::default()) };
        let done = self.swept_up_to(webhook, sweep.old)?;
        let after = if webhook == sweep.from.group { done.max(sweep.from.row) } else { done };
        let mut found = self.many(OLD_DELIVERIES, params![webhook, after, sweep.most], |row| {
            let mut columns = Columns::of(row);
            let delivery: i64 = columns.get()?;
            let is_old = columns.get::<i64>()? < millis(sweep.before);
            let (has_body, has_events): (bool, bool) = (columns.get()?, columns.get()?);
            let goes = match sweep.old {
                Old::Deliveries => !has_body && !has_events,
                Old::Payloads | Old::Events | Old::Alerts => has_body,
            };
            Ok((is_old, Row { mark: Mark { group: webhook, row: delivery }, delivery, goes }))
        })?;
        let is_last = found.len() < sweep.most as usize || found.iter().any(|(is_old, _)| !is_old);
        // Deliveries stand in the order of arrival, so behind the first that is not old none is.
        let end = found.iter().position(|(is_old, _)| !is_old).unwrap_or(found.len());
        found.truncate(end);
        let gone: Vec<i64> =
            found.iter().filter(|(_, row)| row.goes).map(|(_, row)| row.delivery).collect();
        match sweep.old {
            Old::Deliveries => self.remove_deliveries(&gone)?,
            Old::Payloads | Old::Events | Old::Alerts => self.remove_payloads(&gone)?,
        }
        let reached = found.last().map_or(after, |(_, row)| row.delivery);
        // Deliveries whose events go later are looked at again the next time.
        let keeps_place = sweep.old == Old::Payloads || !self.forgets_events(project)?;
        self.set_swept(webhook, sweep.old, if is_last && !keeps_place { 0 } else { reached })?;
        let next = if is_last {
            Mark { group: webhook + 1, row: 0 }
        } else {
            Mark { group: webhook, row: reached }
        };
        Ok(Swept { removed: gone.len() as u64, next: Some(next) })
    }

    fn remove_payloads(&self, gone: &[i64]) -> Result<()> {
        let gone = json(&gone)?;
        for sql in [
            "DELETE FROM payload WHERE delivery IN (SELECT value FROM json_each(?1))",
            // What cannot be read any more waits for nothing.
            "DELETE FROM dead_item WHERE delivery IN (SELECT value FROM json_each(?1))",
            "UPDATE delivery SET dead = 0 WHERE delivery IN (SELECT value FROM json_each(?1)) AND dead > 0",
        ] {
            self.put(sql, [&gone])?;
        }
        Ok(())
    }

    fn remove_deliveries(&self, gone: &[i64]) -> Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        // Counters that are not written yet are counted from these rows at the next start.
        self.write_counters()?;
        let gone = json(&gone)?;
        for sql in [
            "DELETE FROM dead_item WHERE delivery IN (SELECT value FROM json_each(?1))",
            "DELETE FROM delivery WHERE delivery IN (SELECT value FROM json_each(?1))",
        ] {
            self.put(sql, [&gone])?;
        }
        self.remember_given()
    }

    fn forgets_events(&self, project: i64) -> Result<bool> {
        let sql = "SELECT 1 FROM retention WHERE project = ?1 AND events IS NOT NULL";
        Ok(self.number(sql, [project])?.is_some())
    }

    fn swept_up_to(&self, webhook: i64, old: Old) -> Result<i64> {
        let sql = match old {
            Old::Deliveries => "SELECT deliveries FROM swept WHERE webhook = ?1",
            Old::Payloads | Old::Events | Old::Alerts => {
                "SELECT payloads FROM swept WHERE webhook = ?1"
            }
        };
        Ok(self.number(sql, [webhook])?.unwrap_or(0))
    }

    fn set_swept(&self, webhook: i64, old: Old, reached: i64) -> Result<()> {
        let sql = match old {
            Old::Deliveries => {
                "INSERT INTO swept (webhook, deliveries) VALUES (?1, ?2)
                 ON CONFLICT (webhook) DO UPDATE SET deliveries = excluded.deliveries"
            }
            Old::Payloads | Old::Events | Old::Alerts => {
                "INSERT INTO swept (webhook, payloads) VALUES (?1, ?2)
                 ON CONFLICT (webhook) DO UPDATE SET payloads = excluded.payloads"
            }
        };
        self.put(sql, [webhook, reached])?;
        Ok(())
    }
}

/// What was removed of the rows that were looked at, and where to go on.
fn swept(sweep: &Sweep, found: &[Row], removed: usize) -> Swept {
    let is_full = found.len() == sweep.most as usize;
    let next = found.last().filter(|_| is_full).map(|row| row.mark);
    Swept { removed: removed as u64, next }
}

impl Upkeep for Work {
    fn retention(&self, project: &Id<Project>) -> Result<Retention> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.events, r.payloads, r.resolved_alerts FROM retention r JOIN project p USING (project)
             WHERE p.project_id = ?1",
        )?;
        let ages = statement
            .query_row([project.as_str()], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]));
        Ok(ages.optional()?.map(kept).unwrap_or_default())
    }

    fn set_retention(&mut self, project: &Id<Project>, retention: &Retention) -> Result<()> {
        let age = |age: Option<Age>| age.map(|age| age.span().num_milliseconds());
        let Retention { events, payloads, resolved_alerts } = *retention;
        self.put(
            "REPLACE INTO retention (project, events, payloads, resolved_alerts) VALUES (?1, ?2, ?3, ?4)",
            params![self.project_row(project)?, age(events), age(payloads), age(resolved_alerts)],
        )?;
        Ok(())
    }

    fn retentions(&self, scope: &Scope) -> Result<Vec<(Home, Retention)>> {
        let mut all = self.many(
            "SELECT d.domain_id, w.workspace_id, p.project_id, r.events, r.payloads, r.resolved_alerts
             FROM retention r JOIN project p USING (project) JOIN workspace w USING (workspace) JOIN domain d USING (domain)
             ORDER BY p.project_id",
            [],
            |row| {
                let mut columns = Columns::of(row);
                let home = columns.home()?;
                Ok((home, kept([columns.get()?, columns.get()?, columns.get()?])))
            },
        )?;
        all.retain(|(home, _)| scope.contains(home));
        Ok(all)
    }

    fn sweep(&mut self, sweep: &Sweep) -> Result<Swept> {
        let project = self.project_row(&sweep.project)?;
        match sweep.old {
            Old::Events => self.sweep_events(project, sweep),
            Old::Alerts => self.sweep_alerts(project, sweep),
            Old::Payloads | Old::Deliveries => self.sweep_deliveries(project, sweep),
        }
    }

    fn trim_happenings(&mut self, most: u32) -> Result<u64> {
        let newest = self.live()?.borrow().next().place().happening;
        let removed = self.put(
            "DELETE FROM happening WHERE happening IN
                 (SELECT happening FROM happening WHERE happening <= ?1 ORDER BY happening LIMIT ?2)",
            params![newest - i64::from(KEPT), most],
        )?;
        if removed > 0 {
            self.remember_given()?;
        }
        Ok(removed as u64)
    }
}

fn kept([events, payloads, resolved_alerts]: [Option<i64>; 3]) -> Retention {
    let age = |millis: Option<i64>| millis.map(Age::from_millis);
    Retention {
        events: age(events),
        payloads: age(payloads),
        resolved_alerts: age(resolved_alerts),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::connect, *};
    use crate::store::Durability;

    #[test]
    fn what_is_old_is_found_by_an_index_in_its_order() {
        let directory = tempfile::tempdir().unwrap();
        let connection =
            connect::writer(&directory.path().join("a.db"), Durability::Normal).unwrap();
        connect::migrate(&connection, &crate::domain::audit::SealKey::default()).unwrap();
        for (sql, index) in [
            (OLD_EVENTS, "e USING INDEX event_of_project (project=? AND created_at"),
            (OLD_ALERTS, "a USING INDEX alert_of_project (project=? AND created_at"),
            (OLD_DELIVERIES, "v USING INDEX delivery_of_webhook (webhook=? AND rowid>?)"),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let bound = rusqlite::params_from_iter(vec![0_i64; statement.parameter_count()]);
            let plan = statement.query_map(bound, |row| row.get::<_, String>(3)).unwrap();
            let plan: Vec<String> = plan.map(Result::unwrap).collect();
            assert!(plan.iter().any(|step| step.contains(index)), "{plan:#?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:#?}");
        }
    }
}
