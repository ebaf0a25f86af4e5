//! The counts of a chunk, as numbers and as bytes.

use super::known::CHUNK;
use crate::error::{Error, Result};

/// How many there are of each combination of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counts([u64; CHUNK as usize]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; CHUNK as usize])
    }
}

impl Counts {
    /// Adds what `bytes` say.
    pub(super) fn add_all(&mut self, bytes: &[u8]) -> Result<()> {
        each(bytes, |place, count| self.0[place] += count)
    }

    /// Counts `by` more, or fewer; whether there were as many.
    pub(super) fn change(&mut self, place: usize, by: i64) -> bool {
        let changed = self.0[place].checked_add_signed(by);
        self.0[place] = changed.unwrap_or_default();
        changed.is_some()
    }

    /// How many there are of a combination.
    pub(super) fn at(&self, place: u32) -> u64 {
        self.0.get(place as usize).copied().unwrap_or_default()
    }

    /// The combinations that there are some of, with how many.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }

    /// The same as bytes; empty where there is nothing.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        for (place, mut count) in self.cells() {
            bytes.push(u8::try_from(place).unwrap_or(u8::MAX));
            while count > 0x7f {
                bytes.push((count & 0x7f) as u8 | 0x80);
                count >>= 7;
            }
            bytes.push((count & 0x7f) as u8);
        }
        bytes
    }
}

/// Calls `take` with the place and the count of each combination that there are some of.
pub(super) fn each(bytes: &[u8], mut take: impl FnMut(usize, u64)) -> Result<()> {
    let damaged = || Error::internal("a tally is damaged; `admin verify` tells where");
    let mut rest = bytes.iter();
    while let Some(place) = rest.next() {
        let (mut count, mut shift) = (0, 0);
        loop {
            let byte = rest.next().ok_or_else(damaged)?;
            count |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
            if shift > 56 {
                return Err(damaged());
            }
        }
        take(usize::from(*place), count);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Result<Counts> {
        let mut counts = Counts::default();
        counts.add_all(bytes)?;
        Ok(counts)
    }

    #[test]
    fn counts_come_back_from_their_bytes() {
        let mut counts = Counts::default();
        for (place, count) in [(0, 1), (5, 127), (6, 128), (255, 1 << 40)] {
            assert!(counts.change(place, count));
        }
        assert_eq!(of(&counts.bytes()).unwrap(), counts);
        assert!(Counts::default().bytes().is_empty());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        for bytes in [&[1][..], &[1, 0x80], &[1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]] {
            assert!(of(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn fewer_than_none_is_none_and_is_told() {
        let mut counts = Counts::default();
        assert!(!counts.change(3, -1));
        assert_eq!(counts, Counts::default());
    }
}
