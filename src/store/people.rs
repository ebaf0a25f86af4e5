//! Who is on call, and how people are reached.

use crate::{
    domain::{
        people::{Contact, OnCall},
        scope::Scope,
    },
    error::Result,
    id::Id,
};

/// Who is on call, and how people are reached.
pub trait People {
    /// The schedule, if it exists in `scope`.
    fn on_call(&self, scope: &Scope, id: &Id<OnCall>) -> Result<Option<OnCall>>;
    /// The schedules in `scope`, by name.
    fn on_calls(&self, scope: &Scope) -> Result<Vec<OnCall>>;
    /// Adds or replaces a schedule; `ERROR_NOT_UNIQUE` where its workspace has another of that name.
    fn put_on_call(&mut self, schedule: &OnCall) -> Result<()>;
    /// Removes a schedule.
    fn delete_on_call(&mut self, id: &Id<OnCall>) -> Result<()>;
    /// The contact method, if it exists in `scope`.
    fn contact(&self, scope: &Scope, id: &Id<Contact>) -> Result<Option<Contact>>;
    /// The contact methods in `scope`, by user, in the order they were made.
    fn contacts(&self, scope: &Scope) -> Result<Vec<Contact>>;
    /// Adds or replaces a contact method; `ERROR_NOT_UNIQUE` where its user has the same one already.
    fn put_contact(&mut self, contact: &Contact) -> Result<()>;
    /// Removes a contact method.
    fn delete_contact(&mut self, id: &Id<Contact>) -> Result<()>;
}
