//! What `SQL` cannot say, said in Rust: text in whatever case, and conditions and orders over JSON.
//!
//! `holds(json, condition)` and `rank_of(json, path, descending)` run the code of [`crate::query::matches`], so a filter
//! means the same in the store as in memory. The condition is parsed once per statement.

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::{Value as Bound, ValueRef},
};
use serde_json::Value;

use super::Form;
use crate::query::{
    Direction, Kind, Test,
    matches::{Rank, contains_lowered},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Makes the functions known to a connection; each connection needs it.
pub(in crate::store::sqlite) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("icontains", 2, flags, |context| Ok(icontains(context)))?;
    connection.create_scalar_function("holds", 2, flags, |context| holds(context, Form::Json))?;
    connection
        .create_scalar_function("named_holds", 2, flags, |context| holds(context, Form::Names))?;
    connection.create_scalar_function("rank_of", 3, flags, |context| rank(context, Form::Json))?;
    connection
        .create_scalar_function("named_rank_of", 3, flags, |context| rank(context, Form::Names))
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

fn holds(context: &Context<'_>, form: Form) -> rusqlite::Result<bool> {
    let asked = context.get_or_create_aux(1, |value| -> Result<_, Failure> {
        let (path, operator, operand): (Vec<String>, String, Value) =
            serde_json::from_str(value.as_str()?)?;
        Ok((path, Test::from_parts(&operator, operand)?))
    })?;
    let (path, test) = &*asked;
    Ok(test.holds(&form.value(context.get_raw(0)), path, Kind::Object))
}

fn rank(context: &Context<'_>, form: Form) -> rusqlite::Result<Bound> {
    let path = context.get_or_create_aux(1, |value| -> Result<Vec<String>, Failure> {
        Ok(serde_json::from_str(value.as_str()?)?)
    })?;
    let direction = if context.get(2)? { Direction::Descending } else { Direction::Ascending };
    Ok(match Rank::of(&form.value(context.get_raw(0)), &path, direction) {
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
