//! Typed identifiers, printed as `alert-0198c7…` and impossible to mix up.

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{self, AtomicU64},
    },
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;

/// The longest identifier that is accepted from outside, in characters.
pub const MAX_LENGTH: usize = 64;

/// Something that has identifiers of its own; names their prefix.
pub trait Identified {
    /// The part before the dash, e.g. `alert`.
    const PREFIX: &'static str;
}

/// The identifier of a `K`. Cheap to clone.
pub struct Id<K> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

/// Makes identifiers: time first, so that they sort by birth, then a counter, so that none comes twice.
#[derive(Clone, Debug)]
pub struct Mint {
    sequence: Arc<AtomicU64>,
}

impl Mint {
    /// Counts from an unpredictable number, so that two processes do not meet.
    pub fn unpredictable() -> Self {
        let start = getrandom::u64().unwrap_or_default() >> 1;
        Self { sequence: Arc::new(AtomicU64::new(start)) }
    }

    /// Counts from zero, so that a replay makes the same identifiers.
    pub fn repeatable() -> Self {
        Self { sequence: Arc::new(AtomicU64::new(0)) }
    }

    /// A new identifier, born at `now`: a `UUIDv7` (RFC 9562) whose random part is the counter.
    pub fn id<K: Identified>(&self, now: Timestamp) -> Id<K> {
        let sequence = u128::from(self.sequence.fetch_add(1, atomic::Ordering::Relaxed));
        let millis = u128::from(now.timestamp_millis().unsigned_abs()) & 0xffff_ffff_ffff;
        let high = (millis << 16) | 0x7000 | (sequence >> 52);
        let low = (0b10 << 62) | ((sequence & 0xf_ffff_ffff_ffff) << 10);
        let mut text = String::with_capacity(K::PREFIX.len() + 33);
        text.push_str(K::PREFIX);
        text.push('-');
        text.extend(((high << 64) | low).to_be_bytes().into_iter().flat_map(digits));
        Id::from(text.as_str())
    }
}

/// The two hexadecimal digits of a byte.
fn digits(byte: u8) -> [char; 2] {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

impl<K> Id<K> {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same text as the identifier of something else.
    pub fn cast<T>(&self) -> Id<T> {
        Id { text: Arc::clone(&self.text), kind: PhantomData }
    }
}

impl<K> From<String> for Id<K> {
    fn from(text: String) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }
}

impl<K> From<&str> for Id<K> {
    fn from(text: &str) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        self.cast()
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() || text.chars().count() > MAX_LENGTH {
            let wanted = format!("an identifier has 1 to {MAX_LENGTH} characters");
            return Err(serde::de::Error::custom(wanted));
        }
        Ok(Self::from(text))
    }
}

impl<K> JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_LENGTH })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    struct Thing;

    impl Identified for Thing {
        const PREFIX: &'static str = "thing";
    }

    #[test]
    fn identifiers_sort_by_birth_and_never_repeat() {
        let mint = Mint::unpredictable();
        let mut minted: Vec<Id<Thing>> = (0..1000).map(|_| mint.id(from_millis(5))).collect();
        minted.push(mint.id(from_millis(6)));
        let mut sorted = minted.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(minted, sorted);
    }

    #[test]
    fn an_identifier_is_a_version_seven_uuid() {
        let id: Id<Thing> = Mint::repeatable().id(from_millis(0x0123_4567_89ab));
        assert_eq!(id.as_str(), "thing-0123456789ab70008000000000000000");
    }
}
