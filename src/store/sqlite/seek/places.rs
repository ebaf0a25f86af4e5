//! Which rows of a block or of a group something holds of, in memory and in the file.

use super::{
    BLOCK, BLOCKS,
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
    /// A bit for each three digits of its identifiers.
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

    /// All rows of a block.
    pub(super) fn all_of_block() -> Self {
        Self(vec![u64::MAX; BLOCK_WORDS])
    }

    /// No row of a group.
    pub(super) fn none_of_group() -> Self {
        Self(vec![0; GROUP_WORDS])
    }

    /// The rows of a group that the file names.
    pub(super) fn of_group(key: Key, places: &[u8]) -> Self {
        let mut rows = Self::none_of_group();
        if keys::digits_of_key(key).is_some() {
            let bits = places.iter().enumerate().flat_map(|(at, byte)| {
                (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| at * 8 + bit)
            });
            for block in bits.take_while(|block| *block < BLOCKS) {
                rows.0[block * BLOCK_WORDS..(block + 1) * BLOCK_WORDS].fill(u64::MAX);
            }
        } else if places.len() == GROUP_WORDS * 8 {
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
        if let Some(three) = keys::digits_of_key(key) {
            let byte = packed.ids.get(usize::from(three / 8)).copied().unwrap_or_default();
            let holds = byte >> (three % 8) & 1 == 1;
            return if holds { Self::all_of_block() } else { Self::none_of_block() };
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
    let texts = all.partition_point(|(key, ..)| *key < keys::key_of_digits(0));
    turn(&all[..texts], &mut each)?;
    for three in 0..4096_u16 {
        let has = |block: &&Packed| {
            block.ids.get(usize::from(three / 8)).is_some_and(|byte| byte >> (three % 8) & 1 == 1)
        };
        let mask = blocks.iter().filter(has).fold(0_u64, |mask, block| mask | 1 << block.at);
        if mask != 0 {
            each(keys::key_of_digits(three), &mask.to_le_bytes())?;
        }
    }
    turn(&all[texts..], &mut each)
}

fn turn(
    sorted: &[(Key, &Packed, usize)],
    each: &mut impl FnMut(Key, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut list = Vec::new();
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        list.clear();
        for (_, block, at) in same {
            let first = block.at * usize::try_from(BLOCK).unwrap_or_default();
            let rows = block.rows_of(*at).iter();
            list.extend(rows.map(|place| u16::try_from(first + usize::from(*place)).unwrap_or(0)));
        }
        let bytes: Vec<u8> = if list.len() < LISTED {
            list.iter().flat_map(|place| place.to_le_bytes()).collect()
        } else {
            let mut rows = Rows::none_of_group();
            for place in &list {
                rows.add(usize::from(*place));
            }
            rows.0.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        each(same[0].0, &bytes)?;
    }
    Ok(())
}

/// A count as the file keeps it.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(at: usize, entries: &[(Key, &[u8])]) -> Packed {
        let (mut keys, mut ends, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (key, places) in entries {
            keys.extend(key.to_le_bytes());
            rows.extend_from_slice(places);
            ends.extend(u32::try_from(rows.len()).unwrap().to_le_bytes());
        }
        ends.extend(rows);
        let mut ids = vec![0; 512];
        ids[at] = 1;
        Packed { at, ids, keys, places: ends }
    }

    #[test]
    fn what_blocks_say_their_group_says() {
        let many: Vec<u8> = (0..=255).collect();
        let blocks: Vec<Packed> =
            (0..64).map(|at| packed(at, &[(5, &[1, 200]), (9, &many), (3 << 30, &[7])])).collect();
        let mut keys = Vec::new();
        turned(&blocks, |key, places| {
            keys.push(key);
            let rows = Rows::of_group(key, places);
            for block in &blocks {
                let mine = Rows::of_block(block, key);
                let first = block.at * BLOCK_WORDS;
                assert_eq!(rows.0[first..first + BLOCK_WORDS], mine.0, "{key} {}", block.at);
            }
            Ok(())
        })
        .unwrap();
        assert!(keys.is_sorted() && keys.len() == 3 + 64, "{keys:?}");
        assert_eq!(Rows::of_block(&blocks[3], 5).places().collect::<Vec<_>>(), [1, 200]);
        assert!(Rows::of_block(&blocks[3], 6).is_empty());
    }
}
