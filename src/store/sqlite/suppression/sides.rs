//! Which open alerts mute others, which are muted, and which are to be looked at again.

use rusqlite::{Params, params};
use serde_json::json;

use super::super::{
    rows::{Columns, json as text},
    work::Work,
};
use crate::{
    domain::{
        alert::Alert,
        project::Project,
        scope::{Reach, Scope},
        suppress::{Area, EqualValues, Inhibition, Side},
    },
    error::{Error, Result},
    id::Id,
    store::{Alerts, InhibitedByKey, OpenPage, OpenPlace, Which},
};

/// How many inhibitors of an alert are looked at, for each inhibition.
const FEW: u32 = 8;

/// The open alerts that something mutes: by `alert_muted`.
const MUTED_BY: &str = "SELECT alert_id, 0, 0, alert FROM alert
     WHERE muted_by = ?1 AND alert > ?2 AND state <> 'RESOLVED' AND deleted_at IS NULL
     ORDER BY alert LIMIT ?3";

/// The alerts that an inhibition mutes while one with these values is open: by the key of `inhibition_side`.
const EQUAL: &str = "SELECT a.alert_id, 0, 0, a.alert FROM inhibition_side i CROSS JOIN alert a ON a.alert = i.alert
     WHERE i.inhibition = ?1 AND i.side = 1 AND i.equal_values = ?2 AND i.alert > ?3
     ORDER BY i.alert LIMIT ?4";

/// The alerts that wait for the alert of a key: by `inhibited_of_key`.
const WAITING: &str = "SELECT a.alert_id, 0, 0, a.alert FROM inhibited_by_key i CROSS JOIN alert a ON a.alert = i.alert
     WHERE i.project = ?1 AND i.event_key = ?2 AND i.alert > ?3
     ORDER BY i.alert LIMIT ?4";

/// The open alerts of a project: by `alert_still_open`.
const WITHIN: &str = "SELECT alert_id, project, created_at, alert FROM alert
     WHERE project = ?1 AND state <> 'RESOLVED' AND deleted_at IS NULL AND (created_at, alert) > (?2, ?3)
     ORDER BY created_at, alert LIMIT ?4";

/// The inhibitors of an alert. For all inhibitions one statement: for each of them one look-up by the key of
/// `inhibition_side`, of which a few rows are read.
const INHIBITORS: &str = "SELECT u.suppression_id, a.alert_id
     FROM json_each(?1) k
     CROSS JOIN suppression u ON u.suppression_id = k.value ->> 0
     CROSS JOIN json_each((SELECT json_group_array(alert) FROM (
     SELECT i.alert FROM inhibition_side i
     WHERE i.inhibition = u.suppression AND i.side = 0 AND i.equal_values = unhex(k.value ->> 1)
     AND i.alert IS NOT ?2
     ORDER BY i.alert LIMIT ?3))) c
     CROSS JOIN alert a ON a.alert = c.value AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL";

fn number(side: Side) -> i64 {
    match side {
        Side::Source => 0,
        Side::Target => 1,
    }
}

impl Work {
    fn suppression_row(&self, id: &str) -> Result<i64> {
        let sql = "SELECT suppression FROM suppression WHERE suppression_id = ?1";
        self.number(sql, [id])?.ok_or_else(|| Error::not_found("suppression", id))
    }

    pub(super) fn alerts_to_look_at(
        &self,
        which: &Which,
        after: OpenPlace,
        most: u32,
    ) -> Result<OpenPage> {
        let places = match which {
            Which::Within(area) => self.places_within(area, after, most)?,
            Which::MutedBy(by) => self.open_places(MUTED_BY, params![by, after.alert, most])?,
            Which::Equal(inhibition, values) => self.open_places(
                EQUAL,
                params![self.suppression_row(inhibition.as_str())?, values.0, after.alert, most],
            )?,
            Which::Waiting(project, event_key) => self.open_places(
                WAITING,
                params![self.project_row(project)?, event_key, after.alert, most],
            )?,
        };
        let is_full = places.len() >= most as usize;
        let next = places.last().filter(|_| is_full).map(|(_, place)| *place);
        let alerts = places.iter().map(|(id, _)| self.alert(&Scope::EVERYTHING, id));
        let alerts: Vec<Option<Alert>> = alerts.collect::<Result<_>>()?;
        Ok(OpenPage { alerts: alerts.into_iter().flatten().collect(), next })
    }

    fn open_places(&self, sql: &str, params: impl Params) -> Result<Vec<(Id<Alert>, OpenPlace)>> {
        self.many(sql, params, |row| {
            let mut columns = Columns::of(row);
            let id = columns.id()?;
            let (project, created_at) = (columns.get()?, columns.get()?);
            Ok((id, OpenPlace { project, created_at, alert: columns.get()? }))
        })
    }

    /// The open alerts of the projects of an area, project by project.
    fn places_within(
        &self,
        area: &Area,
        after: OpenPlace,
        most: u32,
    ) -> Result<Vec<(Id<Alert>, OpenPlace)>> {
        let mut found = Vec::new();
        for project in self.project_rows(area)? {
            let wanted = most.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if project < after.project || wanted == 0 {
                continue;
            }
            let (created_at, alert) = if project == after.project {
                (after.created_at, after.alert)
            } else {
                (i64::MIN, 0)
            };
            found.extend(self.open_places(WITHIN, params![project, created_at, alert, wanted])?);
        }
        Ok(found)
    }

    /// The projects of an area, in the order of their rows.
    pub(super) fn project_rows(&self, area: &Area) -> Result<Vec<i64>> {
        match &area.projects {
            Reach::All => self.many(
                "SELECT p.project FROM project p JOIN workspace s USING (workspace)
                 WHERE s.workspace_id = ?1 ORDER BY p.project",
                [area.workspace_id.as_str()],
                |row| Ok(row.get(0)?),
            ),
            Reach::Only(projects) => self.many(
                "SELECT project FROM project WHERE project_id IN (SELECT value FROM json_each(?1)) ORDER BY project",
                [text(&projects.iter().map(Id::as_str).collect::<Vec<_>>())?],
                |row| Ok(row.get(0)?),
            ),
        }
    }

    pub(super) fn replace_sides(
        &self,
        alert: &Id<Alert>,
        sides: &[(Id<Inhibition>, Side, EqualValues)],
    ) -> Result<()> {
        let alert = self.alert_row(alert)?;
        self.put("DELETE FROM inhibition_side WHERE alert = ?1", [alert])?;
        for (inhibition, side, values) in sides {
            self.put(
                "INSERT INTO inhibition_side (inhibition, side, equal_values, alert) VALUES (?1, ?2, ?3, ?4)",
                params![self.suppression_row(inhibition.as_str())?, number(*side), values.0, alert],
            )?;
        }
        Ok(())
    }

    pub(super) fn sides_of(
        &self,
        alert: &Id<Alert>,
    ) -> Result<Vec<(Id<Inhibition>, Side, EqualValues)>> {
        self.many(
            "SELECT u.suppression_id, i.side, i.equal_values
             FROM inhibition_side i CROSS JOIN suppression u ON u.suppression = i.inhibition
             WHERE i.alert = ?1",
            [self.alert_row(alert)?],
            |row| {
                let mut columns = Columns::of(row);
                let inhibition = columns.id()?;
                let side = if columns.get::<i64>()? == 0 { Side::Source } else { Side::Target };
                Ok((inhibition, side, EqualValues(columns.get()?)))
            },
        )
    }

    pub(super) fn inhibitors_of(
        &self,
        of: &[(Id<Inhibition>, EqualValues)],
        but: Option<&Id<Alert>>,
    ) -> Result<Vec<(Id<Inhibition>, Id<Alert>)>> {
        let keys = of.iter().map(|(inhibition, values)| json!([inhibition, values.hex()]));
        let keys = text(&keys.collect::<Vec<_>>())?;
        let but = but.map(|alert| self.alert_row(alert)).transpose()?;
        self.many(INHIBITORS, params![keys, but, FEW], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.id()?))
        })
    }

    pub(super) fn inhibits(
        &self,
        (inhibition, values): (&Id<Inhibition>, EqualValues),
        but: &Id<Alert>,
    ) -> Result<bool> {
        let found = self.number(
            "SELECT 1 FROM inhibition_side
             WHERE inhibition = ?1 AND side = 0 AND equal_values = ?2 AND alert <> ?3 LIMIT 1",
            params![self.suppression_row(inhibition.as_str())?, values.0, self.alert_row(but)?],
        )?;
        Ok(found.is_some())
    }

    pub(super) fn remove_sides(&self, inhibition: &Id<Inhibition>, most: u32) -> Result<usize> {
        self.put(
            "DELETE FROM inhibition_side WHERE (inhibition, side, equal_values, alert) IN (
                 SELECT inhibition, side, equal_values, alert FROM inhibition_side WHERE inhibition = ?1 LIMIT ?2)",
            params![self.suppression_row(inhibition.as_str())?, most],
        )
    }

    pub(super) fn replace_inhibited_by_key(
        &self,
        alert: &Id<Alert>,
        by: Option<&InhibitedByKey>,
    ) -> Result<()> {
        let alert = self.alert_row(alert)?;
        let Some(InhibitedByKey { project_id, event_key, event_rule_id, name }) = by else {
            self.put("DELETE FROM inhibited_by_key WHERE alert = ?1", [alert])?;
            return Ok(());
        };
        self.put(
            "REPLACE INTO inhibited_by_key (alert, project, event_key, event_rule_id, name)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![alert, self.project_row(project_id)?, event_key, event_rule_id, name],
        )?;
        Ok(())
    }

    pub(super) fn waits_for(&self, alert: &Id<Alert>) -> Result<Option<InhibitedByKey>> {
        self.one(
            "SELECT p.project_id, i.event_key, i.event_rule_id, i.name
             FROM inhibited_by_key i JOIN project p USING (project) WHERE i.alert = ?1",
            [self.alert_row(alert)?],
            |row| {
                let mut columns = Columns::of(row);
                Ok(InhibitedByKey {
                    project_id: columns.id()?,
                    event_key: columns.text()?,
                    event_rule_id: columns.text()?,
                    name: columns.text()?,
                })
            },
        )
    }

    pub(super) fn someone_waits_for(&self, project: &Id<Project>, key: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM inhibited_by_key WHERE project = ?1 AND event_key = ?2 LIMIT 1";
        Ok(self.number(sql, params![self.project_row(project)?, key])?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::sqlite::connect::migrate;

    #[test]
    fn what_is_to_be_looked_at_is_found_by_an_index_in_its_order() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &crate::domain::audit::SealKey::default()).unwrap();
        let plans = [
            (MUTED_BY, "alert_muted"),
            (EQUAL, "SEARCH i USING PRIMARY KEY"),
            (WAITING, "inhibited_of_key"),
            (WITHIN, "alert_still_open"),
            (INHIBITORS, "SEARCH i USING PRIMARY KEY (inhibition=? AND side=? AND equal_values=?)"),
        ];
        for (sql, index) in plans {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let lines = statement.raw_query().mapped(|row| row.get::<_, String>(3));
            let plan = lines.map(Result::unwrap).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "{sql}:\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}:\n{plan}");
            assert!(!plan.contains("SCAN a") && !plan.contains("SCAN i"), "{sql}:\n{plan}");
        }
    }
}
