//! Stretches of rows on their way out, each read by itself so that no snapshot is held for long.

use rusqlite::params_from_iter;

use super::{
    sql,
    visit::{Bodies, record},
    work::Work,
};
use crate::{
    domain::scope::Scope,
    error::Result,
    query::Keyset,
    store::{Audits, EachPlaced, Exports, Rows, Stretch},
};

impl Exports for Work {
    fn newest_row(&self, of: Rows) -> Result<i64> {
        let sql = match of {
            Rows::Events => "SELECT max(event) FROM event",
            Rows::Alerts => "SELECT max(alert) FROM alert",
            Rows::Audits => "SELECT max(audit) FROM audit",
        };
        Ok(self.number(sql, [])?.unwrap_or(0))
    }

    fn stretch(
        &self,
        of: Rows,
        scope: &Scope,
        stretch: &Stretch<'_>,
        each: &mut EachPlaced<'_>,
    ) -> Result<()> {
        self.flush_standings()?;
        let table = match of {
            Rows::Events => &sql::EVENTS,
            Rows::Alerts => &sql::ALERTS,
            Rows::Audits => return self.audit_stretch(scope, stretch, each),
        };
        let (sql, values, showing) = sql::stretch(stretch, scope, table);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut bodies = Bodies::new(self);
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let end = showing.len();
            let place = Keyset { created_at: row.get(end)?, row: row.get(end + 1)? };
            if each(place, record(row, &showing, &mut bodies)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
