//! Whether a delivery was signed with one of its webhook's secrets: one verifier, whose parameters are a manifest's.
//!
//! Whatever is compared takes the same time wherever it differs. The reason of a refusal is for our own trace: the
//! sender of a wrong signature learns nothing from the answer.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

use super::manifest::HeaderName;
use crate::{
    clock::Timestamp,
    digest::{digests_match, hmac_sha256, hmac_sha512, same_bytes, sha256, unhex},
    domain::{delivery::Delivery, webhook::SigningSecret},
};

/// How many signatures of one header are looked at: a secret that rotates makes two.
const MAX_SIGNATURES: usize = 16;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a provider may sign.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scheme {
    /// With an HMAC over its body.
    Hmac(Hmac),
    /// Not at all: it shows the secret itself.
    Token(Token),
}

/// A header that shows the secret itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    /// The header.
    header: HeaderName,
    /// What stands before the secret.
    #[serde(default)]
    prefix: String,
}

/// An HMAC: where it stands, and what it is over.
#[derive(Debug, Deserialize)]
#[serde(try_from = "WrittenHmac")]
pub(super) struct Hmac {
    header: HeaderName,
    algorithm: Algorithm,
    encoding: Encoding,
    prefix: String,
    separator: Option<String>,
    signed: Vec<Part>,
    id: Option<HeaderName>,
    timestamp: Option<TimestampRule>,
    secret: SecretRule,
}

/// An HMAC as a manifest writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHmac {
    /// The header that holds the signature.
    header: HeaderName,
    /// The hash.
    #[serde(default)]
    algorithm: Algorithm,
    /// How the signature's bytes are written.
    #[serde(default)]
    encoding: Encoding,
    /// What stands before a signature, e.g. `sha256=`; what begins otherwise is passed over.
    #[serde(default)]
    prefix: String,
    /// What stands between the signatures of one header; where absent, there is one.
    separator: Option<String>,
    /// What is signed: text with `{body}`, and `{timestamp}` and `{id}` where the sender adds them.
    signed: String,
    /// The header that `{id}` stands for.
    id: Option<HeaderName>,
    /// Where `{timestamp}` stands, and how old it may be.
    timestamp: Option<TimestampRule>,
    /// How the secret is written.
    #[serde(default)]
    secret: SecretRule,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Algorithm {
    #[default]
    Sha256,
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// Where the time of a signature stands, in seconds since 1970, and how far it may be from ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampRule {
    /// The header that holds it.
    header: Option<HeaderName>,
    /// What stands before it where it is one of the entries of the signature's own header, e.g. `t=`.
    entry: Option<String>,
    /// How many seconds it may be away from our time.
    #[serde(default = "five_minutes")]
    tolerance_seconds: u32,
}

/// How a secret is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretRule {
    /// How its bytes are written.
    #[serde(default)]
    encoding: SecretEncoding,
    /// What may stand before it and is no part of it, e.g. `whsec_`.
    #[serde(default)]
    prefix: String,
}

/// How a secret's bytes are written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecretEncoding {
    #[default]
    Raw,
    Base64,
}

/// A part of what is signed.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Body,
    Timestamp,
    Id,
}

/// Why a signature's description is refused.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("`{{{0}}}` is none of `{{body}}`, `{{timestamp}}`, `{{id}}`")]
    Placeholder(String),
    #[error("`signed` must hold `{{body}}`, else the signature says nothing about it")]
    NoBody,
    #[error("`signed` holds `{{timestamp}}` exactly where `timestamp` is given")]
    Timestamp,
    #[error("`signed` holds `{{id}}` exactly where `id` is given")]
    Id,
    #[error("`timestamp` needs either `header` or `entry`, and `entry` needs a `separator`")]
    TimestampPlace,
    #[error("`separator` must not be empty")]
    Separator,
}

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

const fn five_minutes() -> u32 {
    300
}

impl TryFrom<WrittenHmac> for Hmac {
    type Error = Fault;

    fn try_from(written: WrittenHmac) -> Result<Self, Fault> {
        let signed = parts(&written.signed)?;
        if !signed.contains(&Part::Body) {
            return Err(Fault::NoBody);
        }
        if signed.contains(&Part::Timestamp) != written.timestamp.is_some() {
            return Err(Fault::Timestamp);
        }
        if signed.contains(&Part::Id) != written.id.is_some() {
            return Err(Fault::Id);
        }
        if written.separator.as_ref().is_some_and(String::is_empty) {
            return Err(Fault::Separator);
        }
        if let Some(rule) = &written.timestamp {
            match (&rule.header, &rule.entry) {
                (Some(_), None) => {}
                (None, Some(_)) if written.separator.is_some() => {}
                (None, Some(_) | None) | (Some(_), Some(_)) => return Err(Fault::TimestampPlace),
            }
        }
        let WrittenHmac { header, algorithm, encoding, prefix, separator, .. } = written;
        let WrittenHmac { id, timestamp, secret, .. } = written;
        Ok(Self { header, algorithm, encoding, prefix, separator, signed, id, timestamp, secret })
    }
}

fn parts(signed: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut rest = signed;
    while let Some((text, after)) = rest.split_once('{') {
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        let (name, after) = after.split_once('}').ok_or(Fault::Placeholder(after.to_owned()))?;
        parts.push(match name {
            "body" => Part::Body,
            "timestamp" => Part::Timestamp,
            "id" => Part::Id,
            other => return Err(Fault::Placeholder(other.to_owned())),
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
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

impl SecretRule {
    /// The secret's bytes; `None` where it is empty or not written as it should be, so that nothing matches it.
    fn bytes(&self, SigningSecret(secret): &SigningSecret) -> Option<Vec<u8>> {
        let secret = secret.strip_prefix(&self.prefix).unwrap_or(secret);
        let bytes = match self.encoding {
            SecretEncoding::Raw => secret.as_bytes().to_vec(),
            SecretEncoding::Base64 => Encoding::Base64.bytes(secret)?,
        };
        (!bytes.is_empty()).then_some(bytes)
    }
}

impl Algorithm {
    fn tag(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => hmac_sha256(key, message).to_vec(),
            Self::Sha512 => hmac_sha512(key, message).to_vec(),
        }
    }
}

impl Encoding {
    fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => unhex(text),
            Self::Base64 => BASE64.decode(text).ok(),
        }
    }
}
