//! What opens a webhook: access keys, kept as digests, two of them live at once.

use crate::{
    clock::Timestamp,
    digest::{Digest, digests_match},
    id::{Id, Identified},
};

/// How many keys of one webhook may be live at once: the one in use, and the one that replaces it.
pub const LIVE_KEYS: usize = 2;

/// A key that opens a webhook; only its digest is kept.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// Its identifier, which may be shown.
    pub key_id: Id<AccessKey>,
    /// The SHA-256 of the key.
    pub digest: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops opening the webhook, if that is known.
    pub expires_at: Option<Timestamp>,
}

impl Identified for AccessKey {
    const PREFIX: &'static str = "key";
}

impl AccessKey {
    /// Whether it still opens its webhook at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it is the key whose digest is `presented`; takes the same time whichever bytes differ.
    pub fn is(&self, presented: &Digest) -> bool {
        digests_match(&self.digest, presented)
    }
}
