//! Which part of what was found is answered, and where the next part begins.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The most rows a page has, and how many it has where nothing is said.
pub const MAX_ROWS: u32 = 1000;

/// Which part of what was found is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many rows at most.
    pub limit: u32,
    /// Where it begins.
    pub from: Cursor,
    /// How far rows are counted.
    pub count: Count,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// After so many rows.
    Skip(u64),
    /// After this row of the order newest first, whatever came since.
    After(Keyset),
}

/// A row's place in the order newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Keyset {
    /// When it came, in milliseconds since 1970.
    pub created_at: i64,
    /// Its number in the order of arrival.
    pub row: i64,
}

/// How far rows are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// To the last one.
    Exact,
    /// Exactly while that is cheap, and no further than the store's bound.
    #[default]
    Capped,
    /// Not at all.
    None,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: MAX_ROWS, from: Cursor::Skip(0), count: Count::default() }
    }
}

impl Cursor {
    /// The cursor as callers see it: opaque, and safe in a URL.
    pub fn text(self) -> String {
        match self {
            Self::Skip(rows) => URL_SAFE_NO_PAD.encode(format!("s{rows}")),
            Self::After(Keyset { created_at, row }) => {
                URL_SAFE_NO_PAD.encode(format!("k{created_at}.{row}"))
            }
        }
    }

    /// Reads what [`text`](Self::text) wrote; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let inner = std::str::from_utf8(&bytes).ok()?;
        if let Some(rows) = inner.strip_prefix('s') {
            // The store counts rows in 64 bits with a sign.
            let rows: i64 = rows.parse().ok()?;
            return Some(Self::Skip(rows.try_into().ok()?));
        }
        let (created_at, row) = inner.strip_prefix('k')?.split_once('.')?;
        Some(Self::After(Keyset { created_at: created_at.parse().ok()?, row: row.parse().ok()? }))
    }
}

impl super::Query {
    /// Where the page after this one begins, if its last row stands at `last` and it has `rows` rows.
    pub fn cursor_after(&self, last: Keyset, rows: usize) -> Cursor {
        if self.is_newest_first() {
            return Cursor::After(last);
        }
        match self.page.from {
            Cursor::Skip(skipped) => Cursor::Skip(skipped.saturating_add(rows as u64)),
            Cursor::After(_) => Cursor::After(last),
        }
    }

    /// Whether rows come in the order newest first, in which a page may begin after a given row.
    pub fn is_newest_first(&self) -> bool {
        self.sort.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cursors_read_back_as_they_were_written(created_at: i64, row: i64, skip in 0..i64::MAX) {
            let key = Cursor::After(Keyset { created_at, row });
            prop_assert_eq!(Cursor::read(&key.text()), Some(key));
            let rows = Cursor::Skip(skip.unsigned_abs());
            prop_assert_eq!(Cursor::read(&rows.text()), Some(rows));
        }

        #[test]
        fn what_is_no_cursor_is_refused_and_never_panics(text: String) {
            let read = Cursor::read(&text);
            prop_assert!(read.is_none_or(|cursor| Cursor::read(&cursor.text()) == Some(cursor)));
        }
    }
}
