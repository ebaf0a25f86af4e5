//! What the store keeps of who logs in.

use crate::{
    clock::Timestamp,
    domain::{
        token::{Holder, Token},
        user::{Application, User},
    },
    error::Result,
    id::Id,
};

/// Users and applications. Who may see which is for the caller to say, as with tokens.
pub trait Users {
    /// The user, if it exists.
    fn user(&self, id: &Id<User>) -> Result<Option<User>>;
    /// The user that logs in with this name, in whatever case.
    fn user_called(&self, name: &str) -> Result<Option<User>>;
    /// All users, by name.
    fn users(&self) -> Result<Vec<User>>;
    /// Adds or replaces a user; `ERROR_NOT_UNIQUE` where another has its name or its external identifier.
    fn put_user(&mut self, user: &User) -> Result<()>;
    /// Removes a user.
    fn delete_user(&mut self, id: &Id<User>) -> Result<()>;
    /// The application, if it exists.
    fn application(&self, id: &Id<Application>) -> Result<Option<Application>>;
    /// All applications, by name.
    fn applications(&self) -> Result<Vec<Application>>;
    /// Adds or replaces an application; `ERROR_NOT_UNIQUE` where another has its name.
    fn put_application(&mut self, application: &Application) -> Result<()>;
    /// Removes an application.
    fn delete_application(&mut self, id: &Id<Application>) -> Result<()>;
    /// The tokens of a holder that are neither taken back nor over, oldest first.
    fn held(&self, holder: &Holder, now: Timestamp) -> Result<Vec<Token>>;
    /// Removes tokens of holders that were over before `before`, at most so many; how many.
    fn forget_held(&mut self, before: Timestamp, most: u32) -> Result<u64>;
}
