//! How a manifest describes signatures: what is signed, with what, and where the signature stands.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

use super::manifest::HeaderName;
use crate::{
    digest::{hmac_sha256, hmac_sha512, unhex},
    domain::webhook::SigningSecret,
};

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
    pub(super) header: HeaderName,
    /// What stands before the secret.
    #[serde(default)]
    pub(super) prefix: String,
}

/// An HMAC: where it stands, and what it is over.
#[derive(Debug, Deserialize)]
#[serde(try_from = "WrittenHmac")]
pub(super) struct Hmac {
    pub(super) header: HeaderName,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) prefix: String,
    pub(super) separator: Option<String>,
    pub(super) signed: Vec<Part>,
    pub(super) id: Option<HeaderName>,
    pub(super) timestamp: Option<TimestampRule>,
    pub(super) secret: SecretRule,
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
pub(super) enum Algorithm {
    #[default]
    Sha256,
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// Where the time of a signature stands, in seconds since 1970, and how far it may be from ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimestampRule {
    /// The header that holds it.
    pub(super) header: Option<HeaderName>,
    /// What stands before it where it is one of the entries of the signature's own header, e.g. `t=`.
    pub(super) entry: Option<String>,
    /// How many seconds it may be away from our time.
    #[serde(default = "five_minutes")]
    pub(super) tolerance_seconds: u32,
}

/// How a secret is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretRule {
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
pub(super) enum Part {
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

impl SecretRule {
    /// The secret's bytes; `None` where it is empty or not written as it should be, so that nothing matches it.
    pub(super) fn bytes(&self, SigningSecret(secret): &SigningSecret) -> Option<Vec<u8>> {
        let secret = secret.strip_prefix(&self.prefix).unwrap_or(secret);
        let bytes = match self.encoding {
            SecretEncoding::Raw => secret.as_bytes().to_vec(),
            SecretEncoding::Base64 => Encoding::Base64.bytes(secret)?,
        };
        (!bytes.is_empty()).then_some(bytes)
    }
}

impl Algorithm {
    pub(super) fn tag(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => hmac_sha256(key, message).to_vec(),
            Self::Sha512 => hmac_sha512(key, message).to_vec(),
        }
    }
}

impl Encoding {
    pub(super) fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => unhex(text),
            Self::Base64 => BASE64.decode(text).ok(),
        }
    }
}
