//! What is looked up at every request, kept in memory: as of the last commit, and never older.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    bus::Bus,
    digest::Digest,
    domain::{
        project::Project,
        setup::Setup,
        token::Token,
        user::{Application, User, folded},
        webhook::Webhook,
    },
    id::Id,
};

/// Records by what they are looked up by. One entry is replaced at a time, so a change costs the same however many
/// there are.
#[derive(Debug)]
pub struct Directory<K, V> {
    entries: RwLock<HashMap<K, Arc<V>>>,
}

impl<K, V> Default for Directory<K, V> {
    fn default() -> Self {
        Self { entries: RwLock::default() }
    }
}

impl<K: Eq + Hash, V> Directory<K, V> {
    /// The record, if there is one.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<V>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Replaces a record, or removes it.
    pub(super) fn set(&self, key: K, record: Option<Arc<V>>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        match record {
            Some(record) => entries.insert(key, record),
            None => entries.remove(&key),
        };
    }
}

/// What the rest of the program looks up without asking the store.
#[derive(Debug, Default)]
pub struct Snapshots {
    /// Webhooks that are not deleted.
    pub webhooks: Directory<Id<Webhook>, Webhook>,
    /// Tokens that are not revoked, by digest.
    pub tokens: Directory<Digest, Token>,
    /// Users, the disabled ones included.
    pub users: Directory<Id<User>, User>,
    /// Users by the name that they log in with, folded.
    pub logins: Directory<String, User>,
    /// Applications, the disabled ones included.
    pub applications: Directory<Id<Application>, Application>,
    /// How projects with alerting are looked after.
    pub setups: Directory<Id<Project>, Setup>,
    /// How many deliveries each webhook took.
    pub requests: Directory<Id<Webhook>, Requests>,
    /// How far the commits have come, for those who watch.
    pub bus: Bus,
}

impl Snapshots {
    /// Adds a user, or replaces it.
    pub(super) fn add_user(&self, user: User) {
        let user = Arc::new(user);
        self.logins.set(folded(&user.name), Some(Arc::clone(&user)));
        self.users.set(user.user_id.clone(), Some(user));
    }
}

/// How many deliveries a webhook took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// All of them.
    pub total: u64,
    /// Those that were not wholly understood.
    pub error: u64,
}
