//! How a chain stands, proven: a signature under a key that is not in the store, so that whoever can change the store
//! alone cannot take the newest records out of it, or all of them, without a trace.

use std::fmt;

use serde_json::{Value, json};

use super::Trail;
use crate::{
    clock::{Timestamp, rfc3339},
    digest::{Digest, digests_match, hex, hmac_sha256},
    domain::project::Domain,
    id::Id,
};

/// What heads are signed with.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SealKey {
    key: [u8; 32],
    /// Whether it was made just now.
    is_fresh: bool,
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

/// A record's place in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number; zero before the first.
    pub sequence: u64,
    /// Its hash; zeros before the first.
    pub hash: Digest,
}

/// Where retention cut a chain: what it removed is up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The newest record that was removed.
    pub link: Link,
    /// When it was removed.
    pub at: Timestamp,
}

/// How a chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the chain among those of the store.
    pub chain: u64,
    /// Whose it is.
    pub domain_id: Id<Domain>,
    /// Which of its domain's it is.
    pub trail: Trail,
    /// The newest record.
    pub last: Link,
    /// Where it was cut, if it was.
    pub cut: Option<Cut>,
    /// The first record that was added when this was not as it had been signed.
    pub doubted_from: Option<u64>,
    /// What proves all of it.
    pub signature: Digest,
}

impl Link {
    /// What is before the first record.
    pub const NONE: Self = Self { sequence: 0, hash: [0; 32] };
}

impl SealKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self { key: bytes, is_fresh: false }
    }

    /// The key of these bytes, made just now: nothing can have been signed with it.
    pub fn fresh(bytes: [u8; 32]) -> Self {
        Self { key: bytes, is_fresh: true }
    }

    /// Whether it was made just now.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// The signature of how a chain stands.
    pub fn sign(&self, head: &Head) -> Digest {
        self.signed(&head.said())
    }

    /// Whether a head is as it was signed.
    pub fn proves(&self, head: &Head) -> bool {
        digests_match(&self.sign(head), &head.signature)
    }

    /// The signature of how many chains there are.
    pub fn sign_count(&self, chains: u64) -> Digest {
        self.signed(&json!({ "chains": chains }))
    }

    /// Whether there were so many chains when this was signed.
    pub fn proves_count(&self, chains: u64, signature: &Digest) -> bool {
        digests_match(&self.sign_count(chains), signature)
    }

    fn signed(&self, said: &Value) -> Digest {
        hmac_sha256(&self.key, said.to_string().as_bytes())
    }
}

impl Head {
    /// Where the oldest record that is kept follows.
    pub fn start(&self) -> Link {
        self.cut.map_or(Link::NONE, |cut| cut.link)
    }

    /// How many records are kept.
    pub fn records(&self) -> u64 {
        self.last.sequence.saturating_sub(self.start().sequence)
    }

    fn said(&self) -> Value {
        let Self { chain, domain_id, trail, last, cut, doubted_from, signature: _ } = self;
        let cut = cut.map(|cut| {
            json!({ "sequence": cut.link.sequence, "hash": hex(&cut.link.hash), "at": rfc3339(cut.at) })
        });
        json!({
            "chain": chain,
            "domain_id": domain_id.as_str(),
            "trail": trail.as_str(),
            "sequence": last.sequence,
            "hash": hex(&last.hash),
            "cut": cut,
            "doubted_from": doubted_from,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn a_head_that_says_anything_else_is_not_proven() {
        let key = SealKey::new([7; 32]);
        let mut head = Head {
            chain: 1,
            domain_id: "default".into(),
            trail: Trail::Own,
            last: Link { sequence: 3, hash: [1; 32] },
            cut: None,
            doubted_from: None,
            signature: [0; 32],
        };
        head.signature = key.sign(&head);
        assert!(key.proves(&head));
        assert!(!SealKey::new([8; 32]).proves(&head));
        let cut = Cut { link: Link { sequence: 2, hash: [2; 32] }, at: from_millis(0) };
        for other in [
            Head { chain: 2, ..head.clone() },
            Head { domain_id: "other".into(), ..head.clone() },
            Head { trail: Trail::Posted, ..head.clone() },
            Head { last: Link { sequence: 2, ..head.last }, ..head.clone() },
            Head { last: Link { hash: [2; 32], ..head.last }, ..head.clone() },
            Head { cut: Some(cut), ..head.clone() },
            Head { doubted_from: Some(3), ..head.clone() },
        ] {
            assert!(!key.proves(&other), "{other:?}");
        }
        assert!(key.proves_count(2, &key.sign_count(2)));
        assert!(!key.proves_count(1, &key.sign_count(2)));
    }
}
