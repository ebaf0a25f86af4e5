//! Links that acknowledge an alert, once asked: each is of one message, so of one alert and one recipient, and runs out.
//!
//! A link is not kept anywhere. It names its message and its end, and proves by a digest under a key of the server that
//! the server made it; so what lies in the store opens nothing, and each try to send a message writes the same link.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;

use super::message::Message;
use crate::{
    clock::{Timestamp, from_millis},
    digest::{hmac_sha256, same_bytes},
    id::Id,
};

/// How long a link works at least; its end is on a full hour, so that each try of an hour writes the same.
const LIVES: TimeDelta = TimeDelta::hours(24);
const HOUR: i64 = 3_600_000;

/// How many bytes of the digest a link has.
const PROOF: usize = 16;

/// What links are made and known by.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; 32]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

impl LinkKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The last part of the link of a message.
    pub fn token(&self, message: &Id<Message>, now: Timestamp) -> String {
        let end = (now + LIVES).timestamp_millis().div_euclid(HOUR) + 1;
        let proof = URL_SAFE_NO_PAD.encode(self.proof(message.as_str(), end));
        format!("{message}.{end:x}.{proof}")
    }

    /// The message whose link ends with `token`, if the link is one of ours and has not run out.
    pub fn message(&self, token: &str, now: Timestamp) -> Option<Id<Message>> {
        let (rest, proof) = token.rsplit_once('.')?;
        let (message, end) = rest.rsplit_once('.')?;
        let end = i64::from_str_radix(end, 16).ok()?;
        let proof = URL_SAFE_NO_PAD.decode(proof).ok()?;
        if !same_bytes(&proof, &self.proof(message, end)) {
            return None;
        }
        let is_live = end.checked_mul(HOUR).is_some_and(|end| now < from_millis(end));
        is_live.then(|| message.into())
    }

    fn proof(&self, message: &str, end: i64) -> [u8; PROOF] {
        let digest = hmac_sha256(&self.0, format!("acknowledge\n{message}\n{end}").as_bytes());
        let mut proof = [0; PROOF];
        proof.copy_from_slice(&digest[..PROOF]);
        proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    #[test]
    fn a_link_is_of_one_message_and_runs_out() {
        let key = LinkKey::new([1; 32]);
        let token = key.token(&"message-1".into(), from_millis(NOW));
        let at = |millis: i64| key.message(&token, from_millis(NOW + millis));
        assert_eq!(at(0), Some("message-1".into()));
        assert_eq!(at(25 * HOUR - 1), Some("message-1".into()));
        assert_eq!(at(25 * HOUR), None);
        assert_eq!(key.token(&"message-1".into(), from_millis(NOW + HOUR - 1)), token);
        assert_ne!(key.token(&"message-1".into(), from_millis(NOW + HOUR)), token);
        assert!(token.len() < 100 && !format!("{key:?}").contains('1'));
    }

    #[test]
    fn nobody_makes_a_link_or_lengthens_its_life_without_the_key() {
        let key = LinkKey::new([1; 32]);
        let now = from_millis(NOW);
        let token = key.token(&"message-1".into(), now);
        assert_eq!(LinkKey::new([2; 32]).message(&token, now), None);
        let parts: Vec<&str> = token.split('.').collect();
        let [message, end, proof] = parts.try_into().unwrap();
        let later = i64::from_str_radix(end, 16).unwrap() + 1;
        for forged in [
            format!("message-2.{end}.{proof}"),
            format!("{message}.{later:x}.{proof}"),
            format!("{message}.{end}."),
            format!("{message}.{end}.{}", &proof[..4]),
            format!("{message}.{end}.{}", "A".repeat(22)),
            format!("{message}.7fffffffffffffff.{proof}"),
            format!("{message}.-1.{proof}"),
            format!("{message}{end}{proof}"),
            String::new(),
            "..".to_owned(),
            "é.é.é".to_owned(),
        ] {
            assert_eq!(key.message(&forged, now), None, "{forged}");
        }
    }
}
