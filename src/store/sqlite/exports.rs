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
    store::{Bulk, EachPlaced, Exports, Stretch},
};

impl Exports for Work {
    fn newest_row(&self, bulk: Bulk) -> Result<i64> {
        let sql = match bulk {
            Bulk::Events => "SELECT max(event) FROM event",
            Bulk::Alerts => "SELECT max(alert) FROM alert",
        };
        Ok(self.number(sql, [])?.unwrap_or(0))
    }

    fn stretch(
        &self,
        bulk: Bulk,
        scope: &Scope,
        stretch: &Stretch<'_>,
        each: &mut EachPlaced<'_>,
    ) -> Result<()> {
        self.flush_standings()?;
        let table = match bulk {
            Bulk::Events => &sql::EVENTS,
            Bulk::Alerts => &sql::ALERTS,
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
