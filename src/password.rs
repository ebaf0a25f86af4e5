//! Passwords at rest: argon2id, with the parameters that OWASP asks for. Slow on purpose, so never on a thread that others
//! wait for.

use std::fmt;

use argon2::{
    Argon2, Params,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc},
};

use crate::digest::Secret;

/// What a password is known by: the text that says how it was hashed, with what salt, and what came out.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a password could not be hashed or compared; no fault of who typed it.
#[derive(Debug, thiserror::Error)]
#[error("argon2: {0}")]
pub struct HashError(password_hash::Error);

impl PasswordHash {
    /// The hash of a password, with a salt of its own. Takes some 20 ms and 19 MiB.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn of(password: &Secret) -> Result<Self, HashError> {
        let hash = argon2().hash_password(password.reveal().as_bytes()).map_err(HashError)?;
        Ok(Self(hash.to_string()))
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
        let kept = phc::PasswordHash::new(&self.0).map_err(|cause| HashError(cause.into()))?;
        match argon2().verify_password(password.reveal().as_bytes(), &kept) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(cause) => Err(HashError(cause)),
        }
    }
}

/// Version 19 of argon2id with 19 MiB, two passes and one lane.
fn argon2() -> Argon2<'static> {
    Argon2::from(Params::DEFAULT)
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
    fn what_is_no_hash_is_an_error_and_no_open_door() {
        assert!(PasswordHash::kept("rubbish".to_owned()).fits(&"rubbish".into()).is_err());
        assert!(PasswordHash::kept(String::new()).fits(&"".into()).is_err());
    }
}
