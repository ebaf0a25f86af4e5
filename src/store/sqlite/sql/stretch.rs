//! A stretch of rows in `SQL`.

use rusqlite::types::Value as Bound;

use super::{Part, Showing, Table, filter};
use crate::{
    domain::scope::Scope,
    store::{Stretch, Way},
};

/// The statement that reads what `stretch` asks for, its values, and what its columns show; two more columns are the
/// row's place.
pub(in crate::store::sqlite) fn stretch(
    stretch: &Stretch<'_>,
    scope: &Scope,
    table: &Table,
) -> (String, Vec<Bound>, Vec<Showing>) {
    let Table { from, created_at, row, .. } = table;
    let showing = table.showing(stretch.fields);
    let mut columns: Vec<&str> = showing.iter().map(|it| it.column).collect();
    columns.extend([created_at, row]);
    let mut parts = filter(stretch.filter, scope, table);
    // The plus keeps the bound out of the choice of an index.
    parts.and(&format!("+{row} <= ?"), [Bound::Integer(stretch.newest)]);
    let (beyond, direction) = match stretch.way {
        Way::NewestFirst => ("<", "DESC"),
        Way::OldestFirst => (">", "ASC"),
    };
    if let Some(after) = stretch.after {
        let place = [Bound::Integer(after.created_at), Bound::Integer(after.row)];
        parts.and(&format!("({created_at}, {row}) {beyond} (?, ?)"), place);
    }
    let Part { sql, mut values } = parts;
    values.push(Bound::Integer(i64::from(stretch.rows)));
    let columns = columns.join(", ");
    let sql = format!(
        "SELECT {columns} FROM {from} WHERE {sql} ORDER BY {created_at} {direction}, {row} {direction} LIMIT ?"
    );
    (sql, values, showing)
}
