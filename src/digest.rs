//! Hashes: of secrets at rest, of bodies, of what a key is made from, and of what a sender signed.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq;

/// A SHA-256.
pub type Digest = [u8; 32];

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// Whether two digests are the same; takes the same time wherever they differ.
pub fn digests_match(a: &Digest, b: &Digest) -> bool {
    a.ct_eq(b).into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes that hexadecimal digits of either case stand for; `None` where they are none.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 != 0 {
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

/// Whether `tag` is the HMAC-SHA256 of `message` under `key`; takes the same time wherever they differ.
pub fn hmac_sha256_matches(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(message);
    mac.verify_slice(tag).is_ok()
}

/// Whether `tag` is the HMAC-SHA512 of `message` under `key`; takes the same time wherever they differ.
pub fn hmac_sha512_matches(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key) else { return false };
    mac.update(message);
    mac.verify_slice(tag).is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hmac_of_rfc_4231_case_two_matches() {
        let tag = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let tag = unhex(tag).unwrap();
        assert!(hmac_sha256_matches(b"Jefe", b"what do ya want for nothing?", &tag));
        assert!(!hmac_sha256_matches(b"Jeff", b"what do ya want for nothing?", &tag));
        assert_eq!(hmac_sha256(b"Jefe", b"what do ya want for nothing?").to_vec(), tag);
    }

    #[test]
    fn hexadecimal_digits_read_back() {
        assert_eq!(unhex(&hex(&[0, 15, 255])), Some(vec![0, 15, 255]));
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("é"), None);
    }
}
