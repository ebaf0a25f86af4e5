//! Passwords at rest: argon2id, with the parameters that OWASP asks for. Slow on purpose, so never on a thread that others
//! wait for.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash::phc};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use crate::digest::{Secret, same_bytes};

/// How many bytes of salt each password has.
const SALT: usize = 16;

/// How much memory is asked for to hash in. Only the 19 MiB of it that are used are taken; but what is larger than 32 MiB
/// an allocator gives back to the system at once, and keeps none of it for each thread that hashed.
const ROOM: usize = 40 << 20;

/// What a password is known by: the text that says how it was hashed, with what salt, and what came out.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a password could not be hashed or compared; no fault of who typed it.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The system has no randomness to give.
    #[error("no randomness: {0}")]
    Random(getrandom::Error),
    /// What was kept is no hash.
    #[error("what was kept of a password is no argon2id hash")]
    NoHash,
    /// It could not be computed.
    #[error("argon2: {0}")]
    Argon2(argon2::Error),
}

impl PasswordHash {
    /// The hash of a password, with a salt of its own. Takes some 20 ms and 19 MiB.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn of(password: &Secret) -> Result<Self, HashError> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(HashError::Random)?;
        // Version 19 with 19 MiB, two passes and one lane.
        let params = Params::DEFAULT;
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        let hash = computed(params, password, &salt)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Ok(Self(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")))
    }

    /// The hash that was kept as this text.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// The text that it is kept as.
    pub fn as_kept(&self) -> &str {
        &self.0
    }

    /// Whether it is of this password. Takes as long as making it did, whatever the answer.
    ///
    /// # Errors
    /// Where what was kept is no hash.
    pub fn fits(&self, password: &Secret) -> Result<bool, HashError> {
        let kept = phc::PasswordHash::new(&self.0).map_err(|_| HashError::NoHash)?;
        let (Some(salt), Some(hash)) = (&kept.salt, &kept.hash) else {
            return Err(HashError::NoHash);
        };
        if kept.algorithm.as_str() != "argon2id" || kept.version != Some(Version::V0x13.into()) {
            return Err(HashError::NoHash);
        }
        let params = Params::try_from(&kept).map_err(|_| HashError::NoHash)?;
        Ok(same_bytes(&computed(params, password, salt)?, hash.as_bytes()))
    }
}

/// The argon2id of a password.
fn computed(params: Params, password: &Secret, salt: &[u8]) -> Result<Vec<u8>, HashError> {
    let mut memory = Vec::with_capacity((ROOM / Block::SIZE).max(params.block_count()));
    memory.resize(params.block_count(), Block::default());
    let mut hash = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let password = password.reveal().as_bytes();
    let done = argon2.hash_password_into_with_memory(password, salt, &mut hash, &mut memory);
    done.map_err(HashError::Argon2)?;
    Ok(hash)
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let hash = PasswordHash::of(&"correct horse battery".into()).unwrap();
        assert!(hash.fits(&"correct horse battery".into()).unwrap());
        assert!(!hash.fits(&"correct horse batterz".into()).unwrap());
        assert!(!hash.fits(&"".into()).unwrap());
    }

    #[test]
    fn a_hash_says_how_it_was_made_and_hides_in_logs() {
        let hash = PasswordHash::of(&"correct horse battery".into()).unwrap();
        assert!(
            hash.as_kept().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.as_kept()
        );
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
        assert_ne!(hash, PasswordHash::of(&"correct horse battery".into()).unwrap());
    }

    #[test]
    fn a_hash_that_another_program_made_is_read() {
        // Made by the reference implementation: version 19, 256 KiB, two passes, one lane, password `password`, salt `somesalt`.
        let text =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let hash = PasswordHash::kept(text.to_owned());
        assert!(hash.fits(&"password".into()).unwrap());
    }

    #[test]
    fn what_is_no_hash_is_an_error_and_no_open_door() {
        assert!(PasswordHash::kept("rubbish".to_owned()).fits(&"rubbish".into()).is_err());
        assert!(PasswordHash::kept(String::new()).fits(&"".into()).is_err());
        let other = PasswordHash::of(&"rubbish".into()).unwrap().0.replace("argon2id", "argon2i");
        assert!(PasswordHash::kept(other).fits(&"rubbish".into()).is_err());
    }
}
