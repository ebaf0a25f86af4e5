//! Removing what is old, a stretch at a time: messages first, then what no message tells any more.

use rusqlite::params;

use super::super::{
    rows::{Columns, millis},
    work::Work,
};
use crate::{clock::Timestamp, error::Result};

/// The messages of a project in order, whether each is old, and whether it may go then. By `message_of_project`.
const OLD_MESSAGES: &str = "SELECT m.message, m.created_at < ?2, m.state <> 'WAITING'
        AND NOT EXISTS (SELECT 1 FROM notice n JOIN alert a USING (alert)
            WHERE n.notice = m.notice AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM gathered g JOIN notice n USING (notice) JOIN alert a USING (alert)
            WHERE g.message = m.message AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL)
 FROM message m WHERE m.project = ?1 AND m.message > ?3 ORDER BY m.message LIMIT ?4";

/// What was announced in a project in order, whether each is old, and whether it may go then. By `notice_of_project`.
const OLD_NOTICES: &str = "SELECT n.notice, n.created_at < ?2,
        NOT EXISTS (SELECT 1 FROM message m WHERE m.notice = n.notice)
        AND NOT EXISTS (SELECT 1 FROM gathered g WHERE g.notice = n.notice)
        AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.alert = n.alert AND a.state <> 'RESOLVED' AND a.deleted_at IS NULL)
 FROM notice n WHERE n.project = ?1 AND n.notice > ?3 ORDER BY n.notice LIMIT ?4";

impl Work {
    pub(super) fn remove_done(
        &self,
        project: i64,
        before: Timestamp,
        stretch: (i64, u32),
    ) -> Result<(u64, Option<i64>)> {
        self.remove_old(OLD_MESSAGES, (project, before, stretch), |work, message| {
            work.put("DELETE FROM gathered WHERE message = ?1", [message])?;
            work.put("DELETE FROM attempt WHERE message = ?1", [message])?;
            work.put("DELETE FROM message WHERE message = ?1", [message])?;
            Ok(())
        })
    }

    pub(super) fn remove_untold(
        &self,
        project: i64,
        before: Timestamp,
        stretch: (i64, u32),
    ) -> Result<(u64, Option<i64>)> {
        self.remove_old(OLD_NOTICES, (project, before, stretch), |work, notice| {
            work.put(
                "DELETE FROM thread WHERE alert = (SELECT alert FROM notice WHERE notice = ?1)",
                [notice],
            )?;
            work.put("DELETE FROM notice WHERE notice = ?1", [notice])?;
            Ok(())
        })
    }

    fn remove_old(
        &self,
        sql: &str,
        (project, before, (after, most)): (i64, Timestamp, (i64, u32)),
        remove: impl Fn(&Self, i64) -> Result<()>,
    ) -> Result<(u64, Option<i64>)> {
        let asked = params![project, millis(before), after, most];
        let found = self.many(sql, asked, |row| {
            let mut columns = Columns::of(row);
            Ok((columns.get::<i64>()?, columns.get::<bool>()?, columns.get::<bool>()?))
        })?;
        let mut removed = 0;
        for (row, is_old, may_go) in &found {
            // Those after it are no older.
            if !is_old {
                return Ok((removed, None));
            }
            if *may_go {
                remove(self, *row)?;
                removed += 1;
            }
        }
        let is_all = found.len() < most as usize;
        Ok((removed, found.last().map(|(row, _, _)| *row).filter(|_| !is_all)))
    }
}
