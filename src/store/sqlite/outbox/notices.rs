//! What was announced, and who heard of it.

use rusqlite::{Row, params};

use super::super::{
    rows::{Columns, json, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{alert::Alert, notice::Notice, scope::Scope},
    error::{Error, Result},
    id::Id,
    store::{Alerts, Heard},
};

/// The columns of a notice, as [`notice`] reads them.
const SELECT: &str = "SELECT n.notice, d.domain_id, s.workspace_id, p.project_id, n.occasion, n.level, n.step, n.reason,
        n.content, n.created_at
 FROM notice n CROSS JOIN project p ON p.project = n.project CROSS JOIN workspace s ON s.workspace = p.workspace
 CROSS JOIN domain d ON d.domain = s.domain";

impl Work {
    pub(super) fn insert_notice(&self, notice: &Notice) -> Result<i64> {
        let Notice { alert_id, home, occasion, level, step, reason, alert, created_at } = notice;
        self.put(
            "INSERT INTO notice (alert, project, occasion, level, step, reason, content, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                self.alert_row(alert_id)?,
                self.project_row(&home.project_id)?,
                occasion.as_str(),
                level.as_str(),
                step,
                reason,
                json(alert)?,
                millis(*created_at)
            ],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    pub(super) fn announced(
        &self,
        scope: &Scope,
        alert: Option<&Id<Alert>>,
        (after, most): (i64, u32),
    ) -> Result<Vec<(i64, Notice)>> {
        let mut found = match alert {
            Some(id) if self.alert(scope, id)?.is_none() => Vec::new(),
            Some(id) => {
                let sql = format!(
                    "{SELECT} WHERE n.alert = ?1 AND n.notice > ?2 ORDER BY n.notice LIMIT ?3"
                );
                self.many(&sql, params![self.alert_row(id)?, after, most], notice)?
            }
            None => {
                let sql = format!("{SELECT} WHERE n.notice > ?1 ORDER BY n.notice LIMIT ?2");
                self.many(&sql, params![after, most], notice)?
            }
        };
        found.retain(|(_, notice)| scope.contains(&notice.home));
        Ok(found)
    }

    /// What a message tells: its first notice, and those that were gathered.
    pub(super) fn told(&self, message: i64, first: i64) -> Result<Vec<Notice>> {
        let sql = format!("{SELECT} WHERE n.notice = ?1");
        let mut told = self.many(&sql, [first], notice)?;
        // By `gathered`'s key, in the order of time.
        let sql = format!(
            "{SELECT} WHERE n.notice IN (SELECT g.notice FROM gathered g WHERE g.message = ?1) ORDER BY n.notice"
        );
        told.extend(self.many(&sql, [message], notice)?);
        Ok(told.into_iter().map(|(_, notice)| notice).collect())
    }

    /// By `notice_of_alert`, then `message_of_notice` and `gathered_notice`.
    pub(super) fn who_heard(
        &self,
        alert: &Id<Alert>,
        step: u32,
        now: Timestamp,
    ) -> Result<Vec<Heard>> {
        self.many(
            "WITH own AS (
                SELECT notice, occasion, step, created_at,
                       CASE WHEN occasion IN ('RESOLVED', 'EXPIRED') THEN 1 ELSE 0 END AS is_over
                FROM notice WHERE alert = ?1),
             since AS (SELECT coalesce(max(notice), 0) AS notice FROM own WHERE is_over = 1 AND created_at < ?3),
             told AS (
                SELECT m.channel, m.recipient, o.is_over, o.step, m.message FROM own o, since
                JOIN message m ON m.notice = o.notice
                WHERE o.notice > since.notice AND o.occasion <> 'ASSIGNED'
                UNION ALL
                SELECT m.channel, m.recipient, o.is_over, o.step, m.message FROM own o, since
                JOIN gathered g ON g.notice = o.notice JOIN message m ON m.message = g.message
                WHERE o.notice > since.notice AND o.occasion <> 'ASSIGNED')
             SELECT c.channel_id, min(t.recipient), (SELECT max(x.is_over) FROM told x WHERE x.channel = t.channel)
             FROM told t JOIN channel c USING (channel)
             WHERE t.is_over = 0 AND t.step = ?2
             GROUP BY t.channel ORDER BY min(t.message)",
            params![self.alert_row(alert)?, step, millis(now)],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Heard {
                    channel_id: columns.id()?,
                    recipient: columns.get()?,
                    is_told: columns.get()?,
                })
            },
        )
    }
}

fn notice(row: &Row<'_>) -> Result<(i64, Notice)> {
    let mut columns = Columns::of(row);
    let number = columns.get()?;
    let home = columns.home()?;
    let (occasion, level) = (columns.word()?, columns.word()?);
    let (step, reason) = (columns.get()?, columns.get()?);
    let alert: serde_json::Value = columns.json()?;
    let alert_id = alert.get("alert_id").and_then(serde_json::Value::as_str);
    let alert_id = alert_id.ok_or_else(|| Error::internal("a notice names no alert"))?.into();
    let created_at = columns.time()?;
    Ok((number, Notice { alert_id, home, occasion, level, step, reason, alert, created_at }))
}
