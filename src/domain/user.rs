//! People who log in, and applications that do: who they are, and which passwords are good enough.

use super::{
    hidden::is_hidden,
    lockout::Attempts,
    scope::Scope,
    words::{Role, words},
};
use crate::{
    clock::Timestamp,
    digest::Digest,
    id::{Id, Identified},
    password::PasswordHash,
};

/// The fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 12;

/// The most bytes of a password.
pub const LONGEST_PASSWORD: usize = 1024;

/// The fewest different characters of a password.
const FEWEST_DIFFERENT: usize = 5;

words! {
    /// Whether a user or an application may log in.
    UserState {
        /// It may.
        Enabled = "ENABLED",
        /// It may not, and nothing that it was given works.
        Disabled = "DISABLED",
    }
}

words! {
    /// How an application asks for a token.
    GrantType {
        /// With its identifier and its secret.
        AppToken = "app_token",
        /// The same, as OAuth 2 calls it.
        ClientCredentials = "client_credentials",
    }
}

/// Someone who logs in.
#[derive(Clone, Debug)]
pub struct User {
    /// Its identifier.
    pub user_id: Id<User>,
    /// What it logs in with; no two users have the same, whatever its case.
    pub name: String,
    /// Its mail address.
    pub email: Option<String>,
    /// What another service that vouches for it calls it.
    pub external_id: Option<String>,
    /// What its password is known by; it has none where another service vouches for it.
    pub password: Option<PasswordHash>,
    /// What it may do.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
    /// Whether it may log in.
    pub state: UserState,
    /// How often it was tried in vain.
    pub attempts: Attempts,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its password was set.
    pub password_set_at: Option<Timestamp>,
    /// When it logged in last.
    pub last_login_at: Option<Timestamp>,
}

/// A machine that logs in.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its identifier, which is what it logs in with.
    pub application_id: Id<Application>,
    /// What people call it.
    pub name: String,
    /// The SHA-256 of its secret.
    pub secret: Digest,
    /// What it may do.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
    /// Whether it may log in.
    pub state: UserState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was given its secret.
    pub secret_set_at: Timestamp,
}

impl Identified for User {
    const PREFIX: &'static str = "user";
}

impl Identified for Application {
    const PREFIX: &'static str = "application";
}

/// A name as it is compared: `Ada` and `ada` are one user.
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// What is wrong with a user's name, if anything is.
pub fn name_misfit(name: &str) -> Option<&'static str> {
    let is_odd = |letter: char| is_hidden(letter) || letter.is_whitespace() || letter == ':';
    name.contains(is_odd)
        .then_some("a user's name has no blanks, no control or format characters and no `:`")
}

/// What is wrong with `password` for the user `name`, if anything is.
pub fn password_misfit(name: &str, password: &str) -> Option<&'static str> {
    let letters: Vec<char> = password.chars().collect();
    let mut different = letters.clone();
    different.sort_unstable();
    different.dedup();
    if letters.len() < SHORTEST_PASSWORD {
        return Some("a password has at least 12 characters");
    }
    if password.len() > LONGEST_PASSWORD {
        return Some("a password has at most 1024 bytes");
    }
    if different.len() < FEWEST_DIFFERENT {
        return Some("a password has at least 5 different characters");
    }
    let (name, typed) = (folded(name), password.to_lowercase());
    let account = name.split('@').next().unwrap_or_default();
    // Names of a letter or two are part of anything.
    if account.chars().count() > 2 && typed.contains(account) {
        return Some("a password does not hold the user's name");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_is_not_the_name() {
        for (password, is_good) in [
            ("correct horse battery", true),
            ("ein längerer Satz", true),
            ("short", false),
            ("elevenchars", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("ababababababab", false),
            ("Ada.Lovelace-1815", false),
            ("ada.lovelaceada.lovelace", false),
        ] {
            let misfit = password_misfit("ada.lovelace@example.org", password);
            assert_eq!(misfit.is_none(), is_good, "{password}: {misfit:?}");
        }
        assert!(password_misfit("al", &"abcdefgh".repeat(200)).is_some());
        assert_eq!(password_misfit("al", "algebra is hard"), None);
    }

    #[test]
    fn a_name_can_be_typed_where_names_are_typed() {
        for (name, is_good) in [
            ("ada", true),
            ("ada@example.org", true),
            ("Ada L", false),
            ("a:b", false),
            ("a\n", false),
            ("ada\u{200b}", false),
            ("\u{202e}ada", false),
        ] {
            assert_eq!(name_misfit(name).is_none(), is_good, "{name:?}");
        }
        assert_eq!(folded(" Ada@Example.ORG"), "ada@example.org");
    }
}
