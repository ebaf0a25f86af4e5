//! Which rows of a block or of a group something holds of, in memory and in the file.

use super::{
    BLOCKS,
    keys::{self, Key},
};
use crate::error::Result;

/// How many words of 64 bits the rows of a block fill.
const BLOCK_WORDS: usize = 4;

/// How many words of 64 bits the rows of a group fill.
const GROUP_WORDS: usize = BLOCK_WORDS * BLOCKS;

/// From how many rows on a bit for each row of a group takes less room than a list.
const LISTED: usize = GROUP_WORDS * 4;

/// Some rows of a block or of a group, a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows(Vec<u64>);

/// A full block as the file keeps it.
#[derive(Debug)]
pub(super) struct Packed {
    /// Its place in its group.
    pub(super) at: usize,
    /// A bit for each three digits that all its identifiers have.
    pub(super) ids: Vec<u8>,
    /// Its numbers, sorted.
    pub(super) keys: Vec<u8>,
    /// Where each number's rows end, then all rows.
    pub(super) places: Vec<u8>,
}

impl Rows {
    /// No row of a block.
    pub(super) fn none_of_block() -> Self {
        Self(vec![0; BLOCK_WORDS])
    }

    /// No row of a group.
    pub(super) fn none_of_group() -> Self {
        Self(vec![0; GROUP_WORDS])
    }

    /// The rows of a group that the file names.
    pub(super) fn of_group(places: &[u8]) -> Self {
        let mut rows = Self::none_of_group();
        if places.len() == GROUP_WORDS * 8 {
            for (word, bytes) in rows.0.iter_mut().zip(places.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        } else {
            for bytes in places.as_chunks::<2>().0 {
                rows.add(usize::from(u16::from_le_bytes(*bytes)));
            }
        }
        rows
    }

    /// The rows of a block that have a number.
    pub(super) fn of_block(packed: &Packed, key: Key) -> Self {
        if keys::digits_of_key(key).is_some_and(|three| packed.all_have(three)) {
            return Self(vec![u64::MAX; BLOCK_WORDS]);
        }
        let mut rows = Self::none_of_block();
        if let Ok(at) = packed.numbers().binary_search_by(|other| {
            let other: Key = Key::from_le_bytes(*other);
            other.cmp(&key)
        }) {
            for place in packed.rows_of(at) {
                rows.add(usize::from(*place));
            }
        }
        rows
    }

    fn add(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    /// Leaves only what is in `other` too.
    pub(super) fn and(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    /// Adds what is in `other`.
    pub(super) fn or(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Whether no row is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The places of the rows, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = i64> {
        let words = self.0.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(|(at, word)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| number(at * 64 + bit))
        })
    }
}

impl Packed {
    /// Whether all identifiers have these three digits.
    fn all_have(&self, three: u16) -> bool {
        self.ids.get(usize::from(three / 8)).is_some_and(|byte| byte >> (three % 8) & 1 == 1)
    }

    fn numbers(&self) -> &[[u8; 4]] {
        self.keys.as_chunks::<4>().0
    }

    /// The rows of the number that stands at `at`.
    fn rows_of(&self, at: usize) -> &[u8] {
        let count = self.numbers().len();
        let (ends, _) = self.places.as_chunks::<4>();
        let end = |at: usize| ends.get(at).map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let start = at.checked_sub(1).map_or(0, end);
        self.places.get(count * 4 + start..count * 4 + end(at)).unwrap_or_default()
    }
}

/// The blocks of a group, turned: for each number, in order, where in the group it occurs, as the file keeps it.
pub(super) fn turned(
    blocks: &[Packed],
    mut each: impl FnMut(Key, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut all: Vec<(Key, &Packed, usize)> = Vec::new();
    for block in blocks {
        let numbers = block.numbers().iter().enumerate();
        all.extend(numbers.map(|(at, bytes)| (Key::from_le_bytes(*bytes), block, at)));
    }
    // Stable, and quick where sorted parts stand one after the other.
    all.sort_by_key(|(key, ..)| *key);
    let mut listed = all.chunk_by(|a, b| a.0 == b.0).peekable();
    let mut digits = (0..4096_u16).filter(|three| blocks.iter().any(|it| it.all_have(*three)));
    let mut next_digits = digits.next();
    loop {
        let key = listed.peek().map(|same| same[0].0);
        let common =
            next_digits.filter(|three| key.is_none_or(|key| keys::key_of_digits(*three) <= key));
        if let Some(three) = common {
            next_digits = digits.next();
            let key = keys::key_of_digits(three);
            listed.next_if(|same| same[0].0 == key);
            let rows = blocks.iter().map(|block| (block.at, Rows::of_block(block, key)));
            let places = rows
                .flat_map(|(at, rows)| rows.places().map(move |row| (at, row)).collect::<Vec<_>>());
            each(key, &packed(places))?;
        } else if let Some(same) = listed.next() {
            let rows = same.iter().map(|(_, block, at)| (block.at, block.rows_of(*at)));
            let places =
                rows.flat_map(|(at, rows)| rows.iter().map(move |row| (at, i64::from(*row))));
            each(same[0].0, &packed(places))?;
        } else {
            return Ok(());
        }
    }
}

/// Rows, by the place of their block and their own in it, as the file keeps them.
fn packed(rows: impl Iterator<Item = (usize, i64)>) -> Vec<u8> {
    let words = |at: usize| number(at * BLOCK_WORDS * 64);
    let places: Vec<i64> = rows.map(|(at, row)| words(at) + row).collect();
    if places.len() < LISTED {
        let short = places.iter().map(|place| u16::try_from(*place).unwrap_or_default());
        return short.flat_map(u16::to_le_bytes).collect();
    }
    let mut rows = Rows::none_of_group();
    for place in places {
        rows.add(usize::try_from(place).unwrap_or(usize::MAX));
    }
    rows.0.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A count as the file keeps it.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(at: usize, entries: &[(Key, &[u8])]) -> Packed {
        let (mut keys, mut ends, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (key, places) in entries {
            keys.extend(key.to_le_bytes());
            rows.extend_from_slice(places);
            ends.extend(u32::try_from(rows.len()).unwrap().to_le_bytes());
        }
        ends.extend(rows);
        let mut ids = vec![0; 512];
        ids[at] = 1;
        if at == 0 {
            ids[0] = 8;
        }
        Packed { at, ids, keys, places: ends }
    }

    #[test]
    fn what_blocks_say_their_group_says() {
        let many: Vec<u8> = (0..=255).collect();
        let blocks: Vec<Packed> = (0..64)
            .map(|at| {
                block(at, &[(5, &[1, 200]), (9, &many), ((1 << 30) + 3, &[7]), (3 << 30, &[7])])
            })
            .collect();
        let mut keys = Vec::new();
        turned(&blocks, |key, places| {
            keys.push(key);
            let rows = Rows::of_group(places);
            for block in &blocks {
                let mine = Rows::of_block(block, key);
                let first = block.at * BLOCK_WORDS;
                assert_eq!(rows.0[first..first + BLOCK_WORDS], mine.0, "{key} {}", block.at);
            }
            Ok(())
        })
        .unwrap();
        assert!(keys.is_sorted() && keys.len() == 4 + 64 - 1, "{keys:?}");
        assert_eq!(Rows::of_block(&blocks[3], 5).places().collect::<Vec<_>>(), [1, 200]);
        assert!(Rows::of_block(&blocks[3], 6).is_empty());
    }
}
