//! A project and an event key as one number, so that a million open alerts fit in memory.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::{domain::project::Project, id::Id};

/// A project and an event key, as one number.
pub(super) type KeyHash = u128;

/// Makes numbers of keys. Its secrets are drawn at each start, so that no sender can make two keys meet.
#[derive(Debug, Default)]
pub(super) struct Numbering(RandomState, RandomState);

impl Numbering {
    /// The number of a text; never zero.
    pub(super) fn of_text(&self, text: &str) -> u64 {
        self.0.hash_one(text).max(1)
    }

    /// The number of a project and an event key.
    pub(super) fn of(&self, project: &Id<Project>, event_key: &str) -> KeyHash {
        let pair = (project.as_str(), event_key);
        u128::from(self.0.hash_one(pair)) << 64 | u128::from(self.1.hash_one(pair))
    }
}

/// A hasher for keys that are hashes already.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut word = [0; 8];
        let length = bytes.len().min(8);
        word[..length].copy_from_slice(&bytes[..length]);
        self.0 ^= u64::from_le_bytes(word);
    }
}
