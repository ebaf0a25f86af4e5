//! Column ↔ type, in one place.

use std::str::FromStr;

use rusqlite::{ErrorCode, Row, types::FromSql};
use serde::de::DeserializeOwned;

use crate::{
    clock::{Timestamp, from_millis},
    digest::Digest,
    domain::{
        alert::Standing,
        care::Marks,
        scope::{Home, Reach},
        words::UnknownWord,
    },
    error::{Error, Result},
    id::Id,
    store::Packing,
};

/// The columns of a row, read from left to right.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    at: usize,
}

impl<'r> Columns<'r> {
    /// All columns of a row.
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, at: 0 }
    }

    /// The next column.
    pub(super) fn get<T: FromSql>(&mut self) -> Result<T> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    /// Leaves out the next column.
    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// The next column, an identifier.
    pub(super) fn id<K>(&mut self) -> Result<Id<K>> {
        Ok(self.text()?.into())
    }

    /// The next column, an identifier that may be absent.
    pub(super) fn maybe_id<K>(&mut self) -> Result<Option<Id<K>>> {
        Ok(self.get::<Option<String>>()?.map(Id::from))
    }

    /// The next column, a text.
    pub(super) fn text(&mut self) -> Result<String> {
        self.get()
    }

    /// The next column, a text that may be absent. What somebody made other bytes of is read as well as it goes.
    pub(super) fn lossy(&mut self) -> Result<Option<String>> {
        let value = self.row.get_ref(self.at)?.as_bytes_or_null().map_err(Error::internal)?;
        self.at += 1;
        Ok(value.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }

    /// The next column, one of a few words.
    pub(super) fn word<T: FromStr<Err = UnknownWord>>(&mut self) -> Result<T> {
        let text = self.row.get_ref(self.at)?;
        self.at += 1;
        text.as_str().map_err(Error::internal)?.parse().map_err(Error::internal)
    }

    /// The next column, a time.
    pub(super) fn time(&mut self) -> Result<Timestamp> {
        Ok(from_millis(self.get()?))
    }

    /// The next column, a time that may be absent.
    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(from_millis))
    }

    /// The next column, a number that is never negative.
    pub(super) fn count(&mut self) -> Result<u64> {
        Ok(self.get::<i64>()?.max(0).unsigned_abs())
    }

    /// The next column, JSON.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        let text = self.row.get_ref(self.at)?;
        self.at += 1;
        serde_json::from_str(text.as_str().map_err(Error::internal)?).map_err(Error::internal)
    }

    /// The next column, a record that was kept as JSON and may be absent.
    pub(super) fn maybe_kept<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let text: Option<String> = self.get()?;
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)
    }

    /// The next column, a digest.
    pub(super) fn digest(&mut self) -> Result<Digest> {
        let bytes: Vec<u8> = self.get()?;
        bytes.try_into().map_err(|_| Error::internal("a digest has 32 bytes"))
    }

    /// The next three columns, where a record lives.
    pub(super) fn home(&mut self) -> Result<Home> {
        Ok(Home { domain_id: self.id()?, workspace_id: self.id()?, project_id: self.id()? })
    }
}

/// How an alert stands: `alert_id, state, severity, urgency, event_count, last_event_at, updated_at, marks`.
pub(super) fn standing(columns: &mut Columns<'_>) -> Result<Standing> {
    Ok(Standing {
        alert_id: columns.id()?,
        state: columns.word()?,
        severity: columns.word()?,
        urgency: columns.word()?,
        event_count: columns.count()?,
        last_event_at: columns.time()?,
        updated_at: columns.time()?,
        marks: Marks::from_bits(columns.get()?),
    })
}

/// A record as JSON text.
pub(super) fn json(record: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(record).map_err(Error::internal)
}

/// A number that is never negative, as the file keeps it.
pub(super) fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A time as the file keeps it.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.timestamp_millis()
}

/// A time that may be absent, as the file keeps it.
pub(super) fn maybe_millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(millis)
}

/// What a scope reaches of one level, as the JSON list that `json_each` takes; `None` for all.
pub(super) fn reach<K>(reach: &Reach<Id<K>>) -> Result<Option<String>> {
    match reach {
        Reach::All => Ok(None),
        Reach::Only(some) => json(&some.iter().map(Id::as_str).collect::<Vec<_>>()).map(Some),
    }
}

/// What `other` says where `error` is a broken constraint, else `error`.
pub(super) fn if_constraint(error: Error, other: impl FnOnce() -> Error) -> Error {
    let cause = error.cause.as_ref().and_then(|cause| cause.downcast_ref::<rusqlite::Error>());
    match cause.and_then(rusqlite::Error::sqlite_error_code) {
        Some(ErrorCode::ConstraintViolation) => other(),
        _ => error,
    }
}

/// How a payload is stored, as the file says it.
pub(super) fn packing(number: i64) -> Packing {
    match number {
        0 => Packing::Plain,
        _ => Packing::Zlib,
    }
}
