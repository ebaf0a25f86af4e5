//! What `SQL` cannot say, said in Rust: text in whatever case, and conditions and orders over JSON and payloads.
//!
//! `holds(json, condition)` and `rank_of(json, path, descending)`, and the same over other forms of columns, run the code
//! of [`crate::query::matches`], so a filter means the same in the store as in memory. The condition is parsed, and its
//! expressions compiled, once per statement; what is in a column is parsed once for the conditions of a row.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::{Value as Bound, ValueRef},
};
use serde_json::Value;

use super::Form;
use crate::{
    query::{
        Direction, Kind, Test,
        matches::{Rank, contains_lowered},
    },
    store::{Payload, Posted, sqlite::rows::packing},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How many parsed columns are kept for the next condition: a row has few that are JSON.
const KEPT: usize = 4;

/// The functions over each form of a column: what asks for a condition, and what for an order.
const OVER: [(Form, &str, &str); 4] = [
    (Form::Plain, "plain_holds", "plain_rank_of"),
    (Form::Json, "holds", "rank_of"),
    (Form::Names, "named_holds", "named_rank_of"),
    (Form::Raw, "raw_holds", "raw_rank_of"),
];

impl Form {
    /// The function that asks for a condition over a column of this form.
    pub(super) fn holds(self) -> &'static str {
        self.over().1
    }

    /// The function that asks for an order of columns of this form.
    pub(super) fn rank_of(self) -> &'static str {
        self.over().2
    }

    fn over(self) -> (Self, &'static str, &'static str) {
        OVER.into_iter().find(|(form, ..)| *form == self).unwrap_or(OVER[0])
    }

    /// How many arguments stand for the column.
    const fn arguments(self) -> i32 {
        match self {
            Self::Raw => 2,
            Self::Plain | Self::Time | Self::Json | Self::Names => 1,
        }
    }
}

/// Makes the functions known to a connection; each connection needs it.
pub(in crate::store::sqlite) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("icontains", 2, flags, |context| Ok(icontains(context)))?;
    let seen = Arc::new(Mutex::new(Seen::default()));
    for (form, holds_name, rank_name) in OVER {
        let columns = Columns { form, seen: Arc::clone(&seen) };
        let arguments = form.arguments();
        connection.create_scalar_function(holds_name, arguments + 1, flags, move |context| {
            holds(context, &columns)
        })?;
        let columns = Columns { form, seen: Arc::clone(&seen) };
        connection.create_scalar_function(rank_name, arguments + 2, flags, move |context| {
            rank(context, &columns)
        })?;
    }
    Ok(())
}

/// `icontains(text, part)`: whether `text` contains `part`, which is in lower case; nothing contains nothing.
fn icontains(context: &Context<'_>) -> bool {
    match (context.get_raw(0), context.get_raw(1)) {
        (ValueRef::Text(text), ValueRef::Text(part)) => {
            contains_lowered(&String::from_utf8_lossy(text), &String::from_utf8_lossy(part))
        }
        _ => false,
    }
}

fn holds(context: &Context<'_>, columns: &Columns) -> rusqlite::Result<bool> {
    let asked =
        context.get_or_create_aux(columns.form.arguments(), |value| -> Result<_, Failure> {
            let (path, operator, operand): (Vec<String>, String, Value) =
                serde_json::from_str(value.as_str()?)?;
            Ok((path, Test::from_parts(&operator, operand)?))
        })?;
    let (path, test) = &*asked;
    Ok(test.holds(&columns.shown(context), path, Kind::Object))
}

fn rank(context: &Context<'_>, columns: &Columns) -> rusqlite::Result<Bound> {
    let at = columns.form.arguments();
    let path = context.get_or_create_aux(at, |value| -> Result<Vec<String>, Failure> {
        Ok(serde_json::from_str(value.as_str()?)?)
    })?;
    let is_descending = context.get(at.unsigned_abs() as usize + 1)?;
    let direction = if is_descending { Direction::Descending } else { Direction::Ascending };
    Ok(match Rank::of(&columns.shown(context), &path, direction) {
        Rank::Nothing => Bound::Null,
        Rank::Number(number) => match number.as_i64() {
            Some(whole) => Bound::Integer(whole),
            None => number.as_f64().map_or(Bound::Null, Bound::Real),
        },
        Rank::Text(text) => Bound::Text(text),
        Rank::Other(class, json) => {
            let mut bytes = vec![class];
            bytes.extend_from_slice(json.as_bytes());
            Bound::Blob(bytes)
        }
    })
}

/// Columns of one form, and what was parsed of the last ones.
struct Columns {
    form: Form,
    seen: Arc<Mutex<Seen>>,
}

impl Columns {
    /// What the column shows that a function is called with.
    fn shown(&self, context: &Context<'_>) -> Arc<Value> {
        let (column, packed) = match self.form {
            Form::Raw => (context.get_raw(1), context.get_raw(0).as_i64().unwrap_or_default()),
            Form::Plain | Form::Time | Form::Json | Form::Names => (context.get_raw(0), 0),
        };
        match (self.form, column) {
            (Form::Json | Form::Names, ValueRef::Text(bytes)) => {
                self.kept(packed, bytes, || self.form.value(column))
            }
            (Form::Raw, ValueRef::Blob(bytes)) => self.kept(packed, bytes, || {
                let payload = Payload { packing: packing(packed), content: bytes.to_vec() };
                payload.unpack().map(Posted::shown).unwrap_or_default()
            }),
            _ => Arc::new(self.form.value(column)),
        }
    }

    /// What these bytes show, parsed unless they were just now.
    fn kept(&self, packed: i64, bytes: &[u8], parse: impl FnOnce() -> Value) -> Arc<Value> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |it: &&One| it.form == self.form && it.packed == packed && it.bytes == bytes;
        if let Some(known) = seen.last.iter().find(is_same) {
            return Arc::clone(&known.value);
        }
        let value = Arc::new(parse());
        let one = One { form: self.form, packed, bytes: bytes.to_vec(), value: Arc::clone(&value) };
        if seen.last.len() < KEPT {
            seen.last.push(one);
            return value;
        }
        let oldest = seen.oldest;
        seen.last[oldest] = one;
        seen.oldest = (oldest + 1) % KEPT;
        value
    }
}

/// The columns that were parsed last.
#[derive(Default)]
struct Seen {
    last: Vec<One>,
    oldest: usize,
}

/// What was in a column, and what it shows.
struct One {
    form: Form,
    packed: i64,
    bytes: Vec<u8>,
    value: Arc<Value>,
}
