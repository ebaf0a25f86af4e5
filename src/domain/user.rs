//! Who logs in: people, and the machine accounts of applications.

use crate::id::Identified;

/// A person with a login.
#[derive(Clone, Debug)]
pub struct User {}

/// A machine account.
#[derive(Clone, Debug)]
pub struct Application {}

impl Identified for User {
    const PREFIX: &'static str = "user";
}

impl Identified for Application {
    const PREFIX: &'static str = "application";
}
