//! What the writer must know at start, read from the file.

use rusqlite::Connection;

use super::{
    super::{
        rows::{self, Columns},
        tally,
    },
    Live, Open,
};
use crate::{domain::receipt::Unreadable, error::Result, store::Requests};

impl Live {
    /// Reads how open alerts stand.
    pub(super) fn load_open(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare(
            "SELECT a.alert, a.webhook, a.project, a.created_at, a.provider, p.project_id, a.event_key,
                    a.alert_id, a.state, t.severity, t.urgency, t.event_count, t.last_event_at, t.updated_at, a.marks
             FROM alert a JOIN standing t ON t.alert = a.alert JOIN project p ON p.project = a.project
             WHERE a.state <> 'RESOLVED' AND a.deleted_at IS NULL",
        )?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let mut columns = Columns::of(row);
            let (alert, webhook): (i64, Option<i64>) = (columns.get()?, columns.get()?);
            let (row, created_at): (i64, i64) = (columns.get()?, columns.get()?);
            let provider: Option<String> = columns.get()?;
            let (project, key): (String, String) = (columns.get()?, columns.get()?);
            let standing = rows::standing(&mut columns)?;
            self.open_counts[standing.severity as usize] += 1;
            let said = tally::Said::of_alert((row, webhook), provider.as_deref(), &standing);
            let place = self.tallies.place(&said, created_at);
            let (webhook, unreadable) = (webhook.unwrap_or_default(), Unreadable::is_key(&key));
            let open = Open { row: alert, webhook, unreadable, said: 0, place, standing };
            if self.complete || unreadable {
                let number = self.key(&project.into(), &key);
                self.place(number, Some(open));
                self.bound();
            }
        }
        self.undo.clear();
        Ok(())
    }

    /// Counts again what was not written before the last stop.
    pub(super) fn load_requests(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare(
            "SELECT w.webhook, w.total + count(d.delivery), w.error + count(CASE WHEN d.state IN ('partial', 'dead') THEN 1 END)
             FROM webhook w
             LEFT JOIN delivery d ON d.webhook = w.webhook AND d.delivery > (SELECT delivery FROM counted)
             GROUP BY w.webhook",
        )?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let mut columns = Columns::of(row);
            let webhook: i64 = columns.get()?;
            let requests = Requests { total: columns.count()?, error: columns.count()? };
            self.requests.insert(webhook, requests);
            self.uncounted.insert(webhook);
        }
        Ok(())
    }
}
