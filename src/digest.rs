//! Hashes: of secrets at rest, of bodies, of what a key is made from, and of what a sender signed.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ring::{
    hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign},
    signature::{ED25519, UnparsedPublicKey},
};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq;

/// A SHA-256.
pub type Digest = [u8; 32];

/// Something that has to be kept as it is, since it has to be used, and that is never shown or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// Whether two digests are the same; takes the same time wherever they differ.
pub fn digests_match(a: &Digest, b: &Digest) -> bool {
    a.ct_eq(b).into()
}

/// Whether two texts of bytes are the same; takes the same time wherever they differ, if they are as long.
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = b"0123456789abcdef";
    let both = |byte: &u8| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]];
    bytes.iter().flat_map(both).map(char::from).collect()
}

/// The bytes that hexadecimal digits of either case stand for; `None` where they are none.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// A new secret of 256 bits, as 64 hexadecimal digits behind `prefix`.
///
/// # Errors
/// Where the system has no randomness to give.
pub fn new_secret(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}{}", hex(&bytes)))
}

/// A new secret of 256 bits to sign requests with, written as Standard Webhooks writes them.
///
/// # Errors
/// Where the system has no randomness to give.
pub fn new_signing_secret() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret(format!("whsec_{}", STANDARD.encode(bytes))))
}

/// The HMAC-SHA256 of `message` under `key`.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Digest {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        Err(_) => [0; 32],
    }
}

/// The HMAC-SHA512 of `message` under `key`.
pub fn hmac_sha512(key: &[u8], message: &[u8]) -> [u8; 64] {
    match Hmac::<Sha512>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        Err(_) => [0; 64],
    }
}

/// The HMAC-SHA1 of `message` under `key`, for senders that know no better.
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message).as_ref().to_vec()
}

/// Whether `signature` is the Ed25519 signature of `message` by the owner of `public_key` (RFC 8032).
pub fn ed25519_fits(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hmacs_are_those_of_rfc_4231_case_two() {
        let message = b"what do ya want for nothing?";
        let short = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let long = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a\
                    6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        assert_eq!(hex(&hmac_sha256(b"Jefe", message)), short);
        assert_eq!(hex(&hmac_sha512(b"Jefe", message)), long);
        assert!(!same_bytes(&hmac_sha256(b"Jeff", message), &hmac_sha256(b"Jefe", message)));
        assert!(!same_bytes(b"", b"a"));
    }

    #[test]
    fn the_short_hmac_is_that_of_rfc_2202_case_two() {
        let tag = hmac_sha1(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&tag), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn the_signature_is_that_of_rfc_8032_test_two() {
        let key =
            unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
        let signature = unhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e\
             458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        )
        .unwrap();
        assert!(ed25519_fits(&key, &[0x72], &signature));
        assert!(!ed25519_fits(&key, &[0x73], &signature));
        assert!(!ed25519_fits(&key[1..], &[0x72], &signature));
    }

    #[test]
    fn hexadecimal_digits_read_back() {
        assert_eq!(unhex(&hex(&[0, 15, 255])), Some(vec![0, 15, 255]));
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("é"), None);
    }
}
