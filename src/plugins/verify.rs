//! Whether a delivery was signed with one of its webhook's secrets: one verifier, whose parameters are a manifest's.
//!
//! Whatever is compared takes the same time wherever it differs. The reason of a refusal is for our own trace: the
//! sender of a wrong signature learns nothing from the answer.

use super::{
    place::Said,
    scheme::{Ed25519, Hmac, Part, Scheme, Signed, TimestampRule, Token},
};
use crate::{
    clock::Timestamp,
    digest::{digests_match, ed25519_fits, same_bytes, sha256},
    domain::webhook::SigningSecret,
};

/// How many signatures of one place are looked at: a secret that rotates makes two.
const MAX_SIGNATURES: usize = 16;

/// Why a delivery is refused, from the least to the most that was right about it. Never shown to its sender.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The plugin knows no signature.
    #[error("the webhook has signing secrets, but its plugin knows no signature")]
    NoScheme,
    /// What must hold the signature is missing.
    #[error("it is not signed: there is no {0}")]
    Unsigned(String),
    /// What must hold the signature holds nothing that could be one.
    #[error("the {0} holds no signature of the expected form")]
    Malformed(String),
    /// Something else that is signed is missing, or is no time.
    #[error("the {0} that is signed is missing or is none")]
    Incomplete(&'static str),
    /// No secret made the signature.
    #[error("the signature in the {0} is of none of the webhook's signing secrets")]
    Mismatch(String),
    /// The signature is right, but was made too long ago, or in the future.
    #[error("it was signed {away_seconds} s away from now, and {tolerance_seconds} s are allowed")]
    Stale {
        /// How many seconds lie between.
        away_seconds: u64,
        /// How many may.
        tolerance_seconds: u32,
    },
    /// The plugin's script refuses it.
    #[error("{0}")]
    ByScript(String),
}

/// Whether one of `secrets` signed a delivery by one of `schemes`. Where there are no secrets, nothing is asked.
pub(super) fn verify(
    schemes: &[Scheme],
    secrets: &[SigningSecret],
    said: Said<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    if secrets.is_empty() {
        return Ok(());
    }
    let mut refusal = Refusal::NoScheme;
    for scheme in schemes {
        let checked = match scheme {
            Scheme::Hmac(hmac) => hmac.check(secrets, said, now),
            Scheme::Ed25519(ed25519) => ed25519.check(secrets, said, now),
            Scheme::Token(token) => token.check(secrets, said),
        };
        match checked {
            Ok(()) => return Ok(()),
            Err(worse) => refusal = refusal.max(worse),
        }
    }
    Err(refusal)
}

impl Token {
    fn check(&self, secrets: &[SigningSecret], said: Said<'_>) -> Result<(), Refusal> {
        let place = || self.place.to_string();
        let shown = self.place.text(said).ok_or_else(|| Refusal::Unsigned(place()))?;
        let shown = shown.strip_prefix(&self.prefix).ok_or_else(|| Refusal::Malformed(place()))?;
        // Digests are compared, so that the time does not tell how long a secret is.
        let shown = sha256(shown.as_bytes());
        let mut known = false;
        for SigningSecret(secret) in secrets {
            known |= !secret.is_empty() & digests_match(&sha256(secret.as_bytes()), &shown);
        }
        if known { Ok(()) } else { Err(Refusal::Mismatch(place())) }
    }
}

impl Hmac {
    fn check(
        &self,
        secrets: &[SigningSecret],
        said: Said<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.signed.check(said, now, |message, signatures| {
            let mut known = false;
            for secret in secrets.iter().filter_map(|secret| self.secret.bytes(secret)) {
                let tag = self.algorithm.tag(&secret, message);
                for signature in signatures {
                    known |= same_bytes(&tag, signature);
                }
            }
            known
        })
    }
}

impl Ed25519 {
    fn check(&self, keys: &[SigningSecret], said: Said<'_>, now: Timestamp) -> Result<(), Refusal> {
        self.signed.check(said, now, |message, signatures| {
            let mut keys = keys.iter().filter_map(|key| self.key.bytes(key));
            keys.any(|key| signatures.iter().any(|it| ed25519_fits(&key, message, it)))
        })
    }
}

impl Signed {
    /// Whether what was signed is `known` by one of its signatures, and was signed lately.
    fn check(
        &self,
        said: Said<'_>,
        now: Timestamp,
        known: impl FnOnce(&[u8], &[Vec<u8>]) -> bool,
    ) -> Result<(), Refusal> {
        let place = || self.place.to_string();
        let shown = self.place.text(said).ok_or_else(|| Refusal::Unsigned(place()))?;
        let signatures = self.signatures(&shown);
        if signatures.is_empty() {
            return Err(Refusal::Malformed(place()));
        }
        let timestamp = self.timestamp(&shown, said)?;
        let message = self.message(said, timestamp.as_ref().map(|(text, _)| text.as_str()))?;
        if !known(&message, &signatures) {
            return Err(Refusal::Mismatch(place()));
        }
        match (&self.timestamp, timestamp) {
            (Some(rule), Some((_, signed_at))) => rule.check(signed_at, now),
            (None | Some(_), _) => Ok(()),
        }
    }

    /// The signatures that are shown, without those that are none.
    fn signatures(&self, shown: &str) -> Vec<Vec<u8>> {
        self.entries(shown)
            .filter_map(|entry| self.encoding.bytes(entry.strip_prefix(&self.prefix)?))
            .take(MAX_SIGNATURES)
            .collect()
    }

    fn entries<'s>(&'s self, shown: &'s str) -> Box<dyn Iterator<Item = &'s str> + 's> {
        match &self.separator {
            None => Box::new(std::iter::once(shown.trim())),
            Some(separator) => Box::new(shown.split(separator.as_str()).map(str::trim)),
        }
    }

    /// When it was signed, as it is written and in seconds since 1970; `None` where the scheme has no time.
    fn timestamp(&self, shown: &str, said: Said<'_>) -> Result<Option<(String, i64)>, Refusal> {
        let Some(rule) = &self.timestamp else { return Ok(None) };
        let text = match (&rule.header, &rule.body, &rule.entry) {
            (Some(name), _, _) => name.of(said.delivery).map(str::to_owned),
            (None, Some(path), _) => (said.payload)().and_then(|payload| path.text(payload)),
            (None, None, Some(prefix)) => {
                let mut entries = self.entries(shown);
                entries.find_map(|entry| entry.strip_prefix(prefix.as_str())).map(str::to_owned)
            }
            (None, None, None) => None,
        };
        let parsed = text.and_then(|text| text.parse().ok().map(|seconds| (text, seconds)));
        parsed.map(Some).ok_or(Refusal::Incomplete("timestamp"))
    }

    /// What must have been signed.
    fn message(&self, said: Said<'_>, timestamp: Option<&str>) -> Result<Vec<u8>, Refusal> {
        let delivery = said.delivery;
        let mut message = Vec::with_capacity(delivery.body.len() + 64);
        for part in &self.parts {
            match part {
                Part::Text(text) => message.extend_from_slice(text.as_bytes()),
                Part::Body => message.extend_from_slice(&delivery.body),
                Part::Timestamp => {
                    let time = timestamp.ok_or(Refusal::Incomplete("timestamp"))?;
                    message.extend_from_slice(time.as_bytes());
                }
                Part::Id => {
                    let id = self.id.as_ref().and_then(|name| name.of(delivery));
                    let id = id.ok_or(Refusal::Incomplete("identifier"))?;
                    message.extend_from_slice(id.as_bytes());
                }
                Part::Field(path) => {
                    let text = (said.payload)().and_then(|payload| path.text(payload));
                    let text = text.ok_or(Refusal::Incomplete("field"))?;
                    message.extend_from_slice(text.as_bytes());
                }
            }
        }
        Ok(message)
    }
}

impl TimestampRule {
    fn check(&self, signed_at: i64, now: Timestamp) -> Result<(), Refusal> {
        let away_seconds = now.timestamp().abs_diff(signed_at);
        let tolerance_seconds = self.tolerance_seconds;
        if away_seconds <= u64::from(tolerance_seconds) {
            return Ok(());
        }
        Err(Refusal::Stale { away_seconds, tolerance_seconds })
    }
}

#[cfg(test)]
mod tests;
