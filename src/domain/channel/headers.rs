//! Which headers a channel may send of its own.

use std::collections::BTreeMap;

use super::settings::wrong;
use crate::{digest::Secret, error::Result};

/// What a request has anyhow, or what would make it another one.
const OURS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// What the signature is made of begins with this.
const SIGNED: &str = "webhook-";

/// Refuses headers that are ours or that no request may have.
pub(super) fn check(headers: &BTreeMap<String, Secret>, pointer: &str) -> Result<()> {
    for (name, value) in headers {
        let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        let lower = name.to_ascii_lowercase();
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_token) {
            return Err(wrong(place, "a header's name has 1 to 64 letters, digits and `-`"));
        }
        if OURS.contains(&lower.as_str()) || lower.starts_with(SIGNED) {
            return Err(wrong(place, format!("`{name}` is set by Alertmill itself")));
        }
        if !value.reveal().chars().all(|letter| matches!(letter, ' '..='~')) {
            return Err(wrong(place, "a header's value has printable ASCII letters alone"));
        }
    }
    Ok(())
}

/// Whether a text is a media type, parameters and all.
pub(super) fn is_media_type(text: &str) -> bool {
    let (kind, _) = text.split_once(';').unwrap_or((text, ""));
    let is_ascii = text.chars().all(|letter| matches!(letter, ' '..='~'));
    let parts = kind.trim().split_once('/');
    let is_word = |word: &str| !word.is_empty() && word.chars().all(is_token);
    is_ascii && parts.is_some_and(|(kind, sub)| is_word(kind) && is_word(sub))
}

/// Whether a letter may stand in a token (RFC 9110).
fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}
