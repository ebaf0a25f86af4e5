//! Whether a delivery was signed with one of its webhook's secrets: one verifier, whose parameters are a manifest's.
//!
//! Whatever is compared takes the same time wherever it differs. The reason of a refusal is for our own trace: the
//! sender of a wrong signature learns nothing from the answer.

use super::scheme::{Hmac, Part, Scheme, TimestampRule, Token};
use crate::{
    clock::Timestamp,
    digest::{digests_match, same_bytes, sha256},
    domain::{delivery::Delivery, webhook::SigningSecret},
};

/// How many signatures of one header are looked at: a secret that rotates makes two.
const MAX_SIGNATURES: usize = 16;

/// Why a delivery is refused, from the least to the most that was right about it. Never shown to its sender.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The plugin knows no signature.
    #[error("the webhook has signing secrets, but its plugin knows no signature")]
    NoScheme,
    /// The header that must hold the signature is missing.
    #[error("it is not signed: there is no header `{0}`")]
    Unsigned(String),
    /// The header holds nothing that could be a signature.
    #[error("the header `{0}` holds no signature of the expected form")]
    Malformed(String),
    /// Something else that is signed is missing, or is no time.
    #[error("the {0} that is signed is missing or is none")]
    Incomplete(&'static str),
    /// No secret made the signature.
    #[error("the signature in `{0}` is of none of the webhook's signing secrets")]
    Mismatch(String),
    /// The signature is right, but was made too long ago, or in the future.
    #[error("it was signed {away_seconds} s away from now, and {tolerance_seconds} s are allowed")]
    Stale {
        /// How many seconds lie between.
        away_seconds: u64,
        /// How many may.
        tolerance_seconds: u32,
    },
}

/// Whether one of `secrets` signed `delivery` by one of `schemes`. Where there are no secrets, nothing is asked.
pub(super) fn verify(
    schemes: &[Scheme],
    secrets: &[SigningSecret],
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), Refusal> {
    if secrets.is_empty() {
        return Ok(());
    }
    let mut refusal = Refusal::NoScheme;
    for scheme in schemes {
        let checked = match scheme {
            Scheme::Hmac(hmac) => hmac.check(secrets, delivery, now),
            Scheme::Token(token) => token.check(secrets, delivery),
        };
        match checked {
            Ok(()) => return Ok(()),
            Err(worse) => refusal = refusal.max(worse),
        }
    }
    Err(refusal)
}

impl Token {
    fn check(&self, secrets: &[SigningSecret], delivery: &Delivery) -> Result<(), Refusal> {
        let header = || self.header.as_str().to_owned();
        let shown = self.header.of(delivery).ok_or_else(|| Refusal::Unsigned(header()))?;
        let shown = shown.strip_prefix(&self.prefix).ok_or_else(|| Refusal::Malformed(header()))?;
        // Digests are compared, so that the time does not tell how long a secret is.
        let shown = sha256(shown.as_bytes());
        let mut known = false;
        for SigningSecret(secret) in secrets {
            known |= !secret.is_empty() & digests_match(&sha256(secret.as_bytes()), &shown);
        }
        if known { Ok(()) } else { Err(Refusal::Mismatch(header())) }
    }
}

impl Hmac {
    fn check(
        &self,
        secrets: &[SigningSecret],
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let header = || self.header.as_str().to_owned();
        let shown = self.header.of(delivery).ok_or_else(|| Refusal::Unsigned(header()))?;
        let signatures = self.signatures(shown);
        if signatures.is_empty() {
            return Err(Refusal::Malformed(header()));
        }
        let timestamp = self.timestamp(shown, delivery)?;
        let message = self.message(delivery, timestamp.map(|(text, _)| text))?;
        let mut known = false;
        for secret in secrets.iter().filter_map(|secret| self.secret.bytes(secret)) {
            let tag = self.algorithm.tag(&secret, &message);
            for signature in &signatures {
                known |= same_bytes(&tag, signature);
            }
        }
        if !known {
            return Err(Refusal::Mismatch(header()));
        }
        match (&self.timestamp, timestamp) {
            (Some(rule), Some((_, signed_at))) => rule.check(signed_at, now),
            (None | Some(_), _) => Ok(()),
        }
    }

    /// The signatures that the header shows, without those that are none.
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
    fn timestamp<'d>(
        &'d self,
        shown: &'d str,
        delivery: &'d Delivery,
    ) -> Result<Option<(&'d str, i64)>, Refusal> {
        let Some(rule) = &self.timestamp else { return Ok(None) };
        let text = match (&rule.header, &rule.entry) {
            (Some(name), _) => name.of(delivery),
            (None, Some(prefix)) => {
                self.entries(shown).find_map(|entry| entry.strip_prefix(prefix.as_str()))
            }
            (None, None) => None,
        };
        let parsed = text.and_then(|text| Some((text, text.parse().ok()?)));
        parsed.map(Some).ok_or(Refusal::Incomplete("timestamp"))
    }

    /// What must have been signed.
    fn message(&self, delivery: &Delivery, timestamp: Option<&str>) -> Result<Vec<u8>, Refusal> {
        let mut message = Vec::with_capacity(delivery.body.len() + 64);
        for part in &self.signed {
            let piece = match part {
                Part::Text(text) => text.as_bytes(),
                Part::Body => &delivery.body,
                Part::Timestamp => timestamp.ok_or(Refusal::Incomplete("timestamp"))?.as_bytes(),
                Part::Id => {
                    let id = self.id.as_ref().and_then(|name| name.of(delivery));
                    id.ok_or(Refusal::Incomplete("identifier"))?.as_bytes()
                }
            };
            message.extend_from_slice(piece);
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
