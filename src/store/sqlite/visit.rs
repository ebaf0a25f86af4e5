//! Rows read one after the other, as the API's views show them.

use rusqlite::{Row, params_from_iter};
use serde_json::{Map, Value};

use super::{
    deliveries::payload,
    rows::Columns,
    sql::{self, Form, Showing, Table},
    work::Work,
};
use crate::{
    domain::scope::Scope,
    error::{Error, Result},
    store::{Each, Scan},
};

impl Work {
    /// Gives `each` of the rows of `table` in `scope` that `scan` asks for, until it breaks off.
    pub(super) fn visit(
        &self,
        table: &Table,
        scope: &Scope,
        scan: &Scan<'_>,
        each: &mut Each<'_>,
    ) -> Result<()> {
        self.flush_standings()?;
        let served = self.served(scan.filter, scope, table)?;
        let (sql, values, showing) = sql::scan(scan, scope, table, served);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut bodies = Bodies::new(self);
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            self.goes_on()?;
            if each(record(row, &showing, &mut bodies)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// A row as the view shows it, as far as it was read.
pub(super) fn record(row: &Row<'_>, showing: &[Showing], bodies: &mut Bodies<'_>) -> Result<Value> {
    let mut record = Map::new();
    for (at, Showing { name, form, .. }) in showing.iter().enumerate() {
        let column = row.get_ref(at)?;
        let value = match form {
            Form::Raw => bodies.of(column.as_i64().map_err(Error::internal)?)?,
            Form::Plain | Form::Time | Form::Json | Form::Names => form.value(column),
        };
        record.insert((*name).to_owned(), value);
    }
    Ok(Value::Object(record))
}

/// What was posted in deliveries. The events of one stand side by side, so the last one read is kept.
pub(super) struct Bodies<'w> {
    work: &'w Work,
    last: Option<(i64, Value)>,
}

impl<'w> Bodies<'w> {
    pub(super) fn new(work: &'w Work) -> Self {
        Self { work, last: None }
    }

    fn of(&mut self, delivery: i64) -> Result<Value> {
        if let Some((last, value)) = &self.last
            && *last == delivery
        {
            return Ok(value.clone());
        }
        let sql = "SELECT packing, content FROM payload WHERE delivery = ?1";
        let kept = self.work.one(sql, [delivery], |row| payload(&mut Columns::of(row)))?;
        let value = match kept {
            Some(payload) => payload.unpack()?.shown(),
            None => Value::Null,
        };
        self.last = Some((delivery, value.clone()));
        Ok(value)
    }
}
