//! How a manifest describes signatures: what is signed, with what, and where the signature stands.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    body_path::BodyPath,
    place::{HeaderName, NoPlace, Place},
};
use crate::{
    digest::{hex, hmac_sha1, hmac_sha256, hmac_sha512, unhex},
    domain::webhook::SigningSecret,
};

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a provider may sign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scheme {
    /// With an HMAC.
    Hmac(Hmac),
    /// With an Ed25519 signature; the webhook's signing secret is the sender's public key.
    Ed25519(Ed25519),
    /// Not at all: it shows the secret itself.
    Token(Token),
}

/// A place that shows the secret itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenToken")]
#[schemars(with = "WrittenToken")]
pub(super) struct Token {
    /// Where it stands.
    pub(super) place: Place,
    /// What stands before the secret.
    pub(super) prefix: String,
}

/// A shown secret as a manifest writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenToken {
    /// The header that shows the secret.
    header: Option<HeaderName>,
    /// The field of the body that shows the secret.
    body: Option<BodyPath>,
    /// What stands before the secret, e.g. `Bearer `.
    #[serde(default)]
    prefix: String,
}

/// An HMAC: what is signed, and with what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenHmac")]
#[schemars(with = "WrittenHmac")]
pub(super) struct Hmac {
    pub(super) signed: Signed,
    pub(super) algorithm: Algorithm,
    pub(super) secret: SecretRule,
}

/// An Ed25519 signature: what is signed, and how the public key is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenEd25519")]
#[schemars(with = "WrittenEd25519")]
pub(super) struct Ed25519 {
    pub(super) signed: Signed,
    pub(super) key: SecretRule,
}

/// Where signatures stand, and what they are over.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) place: Place,
    pub(super) encoding: Encoding,
    pub(super) prefix: String,
    pub(super) separator: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) id: Option<HeaderName>,
    pub(super) timestamp: Option<TimestampRule>,
}

/// An HMAC as a manifest writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenHmac {
    /// The header that holds the signature.
    header: Option<HeaderName>,
    /// The field of the body that holds the signature, in place of a header.
    body: Option<BodyPath>,
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
    /// What is signed: text with `{body}`, `{timestamp}` and `{id}`, and fields of the body such as `{$.data.token}`.
    signed: String,
    /// The header that `{id}` stands for.
    id: Option<HeaderName>,
    /// Where `{timestamp}` stands, and how old it may be.
    timestamp: Option<TimestampRule>,
    /// How the secret is written.
    #[serde(default)]
    secret: SecretRule,
}

/// An Ed25519 signature as a manifest writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenEd25519 {
    /// The header that holds the signature.
    header: HeaderName,
    /// How the signature's bytes are written.
    #[serde(default = "base64_encoding")]
    encoding: Encoding,
    /// What stands before a signature, e.g. `v1a,`; what begins otherwise is passed over.
    #[serde(default)]
    prefix: String,
    /// What stands between the signatures of one header; where absent, there is one.
    separator: Option<String>,
    /// What is signed: text with `{body}`, `{timestamp}` and `{id}`.
    signed: String,
    /// The header that `{id}` stands for.
    id: Option<HeaderName>,
    /// Where `{timestamp}` stands, and how old it may be.
    timestamp: Option<TimestampRule>,
    /// How the public key is written.
    #[serde(default)]
    key: SecretRule,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Algorithm {
    /// SHA-1, for senders that know no better.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encoding {
    /// As hexadecimal digits.
    #[default]
    Hex,
    /// In base64.
    Base64,
}

/// Where the time of a signature stands, in seconds since 1970, and how far it may be from ours.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimestampRule {
    /// The header that holds it.
    pub(super) header: Option<HeaderName>,
    /// The field of the body that holds it.
    pub(super) body: Option<BodyPath>,
    /// What stands before it where it is one of the entries of the signature's own header, e.g. `t=`.
    pub(super) entry: Option<String>,
    /// How many seconds it may be away from our time.
    #[serde(default = "five_minutes")]
    pub(super) tolerance_seconds: u32,
}

/// How a secret is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SecretEncoding {
    /// Its characters are its bytes.
    #[default]
    Raw,
    /// In base64.
    Base64,
    /// As hexadecimal digits.
    Hex,
}

/// A part of what is signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Body,
    Timestamp,
    Id,
    Field(BodyPath),
}

/// Why a signature's description is refused.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{NoPlace}")]
    Place(#[from] NoPlace),
    #[error(
        "`{{{0}}}` is none of `{{body}}`, `{{timestamp}}`, `{{id}}` or a field of the body such as `{{$.token}}`"
    )]
    Placeholder(String),
    #[error(
        "`signed` must hold `{{body}}` or a field of the body, else the signature says nothing about it"
    )]
    NoBody,
    #[error("`signed` holds `{{timestamp}}` exactly where `timestamp` is given")]
    Timestamp,
    #[error("`signed` holds `{{id}}` exactly where `id` is given")]
    Id,
    #[error(
        "`timestamp` needs one of `header`, `body` and `entry`, and `entry` needs a `separator`"
    )]
    TimestampPlace,
    #[error("`separator` must not be empty")]
    Separator,
}

const fn five_minutes() -> u32 {
    300
}

const fn base64_encoding() -> Encoding {
    Encoding::Base64
}

impl TryFrom<WrittenToken> for Token {
    type Error = NoPlace;

    fn try_from(written: WrittenToken) -> Result<Self, NoPlace> {
        let WrittenToken { header, body, prefix } = written;
        Ok(Self { place: Place::of(header, None, body)?, prefix })
    }
}

impl TryFrom<WrittenHmac> for Hmac {
    type Error = Fault;

    fn try_from(written: WrittenHmac) -> Result<Self, Fault> {
        let WrittenHmac { header, body, algorithm, encoding, prefix, separator, .. } = written;
        let WrittenHmac { signed, id, timestamp, secret, .. } = written;
        let place = Place::of(header, None, body)?;
        let parts = parts(&signed)?;
        let signed = Signed { place, encoding, prefix, separator, parts, id, timestamp };
        Ok(Self { signed: signed.checked()?, algorithm, secret })
    }
}

impl TryFrom<WrittenEd25519> for Ed25519 {
    type Error = Fault;

    fn try_from(written: WrittenEd25519) -> Result<Self, Fault> {
        let WrittenEd25519 { header, encoding, prefix, separator, signed, id, timestamp, key } =
            written;
        let (place, parts) = (Place::Header(header), parts(&signed)?);
        let signed = Signed { place, encoding, prefix, separator, parts, id, timestamp };
        Ok(Self { signed: signed.checked()?, key })
    }
}

impl Signed {
    /// The same, if it protects something and all that it names is described.
    fn checked(self) -> Result<Self, Fault> {
        let says_something = |part: &Part| matches!(part, Part::Body | Part::Field(_));
        if !self.parts.iter().any(says_something) {
            return Err(Fault::NoBody);
        }
        if self.parts.contains(&Part::Timestamp) != self.timestamp.is_some() {
            return Err(Fault::Timestamp);
        }
        if self.parts.contains(&Part::Id) != self.id.is_some() {
            return Err(Fault::Id);
        }
        if self.separator.as_ref().is_some_and(String::is_empty) {
            return Err(Fault::Separator);
        }
        if let Some(rule) = &self.timestamp {
            match (&rule.header, &rule.body, &rule.entry) {
                (Some(_), None, None) | (None, Some(_), None) => {}
                (None, None, Some(_)) if self.separator.is_some() => {}
                _ => return Err(Fault::TimestampPlace),
            }
        }
        Ok(self)
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
        let unknown = || Fault::Placeholder(name.to_owned());
        parts.push(match name {
            "body" => Part::Body,
            "timestamp" => Part::Timestamp,
            "id" => Part::Id,
            path => Part::Field(BodyPath::try_from(path.to_owned()).map_err(|_| unknown())?),
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
            SecretEncoding::Hex => Encoding::Hex.bytes(secret)?,
        };
        (!bytes.is_empty()).then_some(bytes)
    }
}

impl Algorithm {
    pub(super) fn tag(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac_sha1(key, message),
            Self::Sha256 => hmac_sha256(key, message).to_vec(),
            Self::Sha512 => hmac_sha512(key, message).to_vec(),
        }
    }
}

impl Encoding {
    /// The bytes that a text stands for; `None` where it stands for none.
    pub(super) fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => unhex(text),
            Self::Base64 => BASE64.decode(text).ok(),
        }
    }

    /// Bytes as text.
    pub(super) fn text(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::Base64 => base64::engine::general_purpose::STANDARD.encode(bytes),
        }
    }
}
