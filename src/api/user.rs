//! `user.*`: who logs in with a name and a password.

mod typed;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::typed::Typed;
use super::{
    Call, Done, Moment, Page, Shown,
    asked::{self, list_request},
    call::seen,
    grant::{Grant, governs, named},
    session,
};
use crate::{
    clock::Timestamp,
    domain::{
        lockout::Attempts,
        project::{Domain, Project, Workspace},
        scope::Scope,
        token::Holder,
        user::{User, UserState, name_misfit, password_misfit},
        words::Role,
    },
    error::{Code, Error, Result},
    id::Id,
    password::PasswordHash,
    query::USERS,
    store::Tx,
};

/// Someone who logs in, without the password.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserInfo {
    /// Its identifier.
    pub user_id: Id<User>,
    /// What it logs in with.
    pub name: String,
    /// Its mail address.
    pub email: Option<String>,
    /// What another service that vouches for it calls it.
    pub external_id: Option<String>,
    /// Whether it has a password, so can log in with one.
    pub has_password: bool,
    /// What it may do.
    pub role: Role,
    /// The domain it reaches; all where null.
    pub domain_id: Option<Id<Domain>>,
    /// The workspaces it reaches; all of its domain where null.
    pub workspaces: Option<BTreeSet<Id<Workspace>>>,
    /// The projects it reaches; all of its workspaces where null.
    pub projects: Option<BTreeSet<Id<Project>>>,
    /// Whether it may log in.
    pub state: UserState,
    /// Until when no password of it is looked at, since too many were wrong.
    pub locked_until: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
    /// When its password was set.
    pub password_set_at: Option<Moment>,
    /// When it logged in last.
    pub last_login_at: Option<Moment>,
}

impl UserInfo {
    /// What is shown of a user at this time.
    pub(super) fn of(user: &User, now: Timestamp) -> Self {
        let Scope { domains, workspaces, projects } = user.scope.clone();
        Self {
            user_id: user.user_id.clone(),
            name: user.name.clone(),
            email: user.email.clone(),
            external_id: user.external_id.clone(),
            has_password: user.password.is_some(),
            role: user.role,
            domain_id: named(domains).and_then(|domains| domains.into_iter().next()),
            workspaces: named(workspaces),
            projects: named(projects),
            state: user.state,
            locked_until: user.attempts.locked_until(now).map(Moment),
            created_at: user.created_at.into(),
            password_set_at: user.password_set_at.map(Moment),
            last_login_at: user.last_login_at.map(Moment),
        }
    }
}

/// Asks for a new user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// What it logs in with; nobody else has it, in whatever case.
    name: String,
    /// Its mail address.
    email: Option<String>,
    /// What another service that vouches for it calls it; nobody else has it.
    external_id: Option<String>,
    /// Its password, of at least 12 characters; absent for one that another service vouches for.
    password: Option<Typed>,
    /// What it may do.
    role: Role,
    /// The domain it reaches; the workspace's where absent.
    domain_id: Option<Id<Domain>>,
    /// The workspace it reaches.
    workspace_id: Option<Id<Workspace>>,
    /// The projects it reaches, for roles that need them.
    projects: Option<BTreeSet<Id<Project>>>,
}

impl CreateUser {
    /// The password to be hashed before the user is made, if it may be one.
    pub fn password(&self) -> Result<Option<&Typed>> {
        let Some(password) = &self.password else { return Ok(None) };
        fitting(&self.name, password, "/password")?;
        Ok(Some(password))
    }
}

/// Makes a user within the caller's own reach; `hash` is of the request's password.
pub fn create(
    tx: &mut dyn Tx,
    call: &Call,
    (request, hash): (CreateUser, Option<PasswordHash>),
) -> Result<UserInfo> {
    let CreateUser { name, email, external_id, password: _, role, .. } = request;
    let CreateUser { domain_id, workspace_id, projects, .. } = request;
    let name = asked::name("name", &name)?;
    if let Some(misfit) = name_misfit(&name) {
        return Err(Error::at(Code::InvalidParameter, "/name", misfit));
    }
    let grant = Grant { role, domain_id, workspace_id, projects };
    let user = User {
        user_id: call.mint.id(call.now),
        name,
        email: asked::text(email),
        external_id: asked::text(external_id),
        password_set_at: hash.as_ref().map(|_| call.now),
        password: hash,
        role,
        scope: grant.checked(tx, call, "user")?,
        state: UserState::Enabled,
        attempts: Attempts::default(),
        created_at: call.now,
        last_login_at: None,
    };
    call.touches("user", &user.user_id);
    tx.put_user(&user)?;
    let view = UserInfo::of(&user, call.now);
    call.touched("user", &user.user_id, None, seen(&view));
    Ok(view)
}

/// Names a user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfUser {
    /// Its identifier.
    user_id: Id<User>,
}

/// Shows a user.
pub fn get(tx: &dyn Tx, call: &Call, request: OfUser) -> Result<UserInfo> {
    existing(tx, call, &request.user_id).map(|user| UserInfo::of(&user, call.now))
}

list_request! {
    /// Asks for users.
    ListUsers of USERS {
        /// Only the one with this identifier.
        user_id: Id<User>,
        /// Only the one of exactly this name.
        name: String,
        /// Only those of this role.
        role: Role,
        /// Only those in this state.
        state: UserState,
    }
}

/// Users that the caller could have made, by name where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListUsers) -> Result<Page<Shown<UserInfo>>> {
    let query = request.checked(call.now)?;
    let users = tx.users()?.into_iter().filter(|user| governs(call, user.role, &user.scope));
    Page::listed(users.map(|user| UserInfo::of(&user, call.now)), &query, &USERS)
}

/// Asks to change a user; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// Its identifier.
    user_id: Id<User>,
    /// Its mail address; an empty one is none.
    email: Option<String>,
    /// What another service that vouches for it calls it; an empty one is none.
    external_id: Option<String>,
    /// What it may do. With it everything that it reaches is given anew.
    role: Option<Role>,
    /// The domain it reaches, with `role`.
    domain_id: Option<Id<Domain>>,
    /// The workspace it reaches, with `role`.
    workspace_id: Option<Id<Workspace>>,
    /// The projects it reaches, with `role`.
    projects: Option<BTreeSet<Id<Project>>>,
}

/// Changes a user. What it is given or loses counts at once, in open sessions too.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateUser) -> Result<UserInfo> {
    let UpdateUser { user_id, email, external_id, role, domain_id, workspace_id, projects } =
        request;
    call.touches("user", &user_id);
    let before = existing(tx, call, &user_id)?;
    let mut after = before.clone();
    if email.is_some() {
        after.email = asked::text(email);
    }
    if external_id.is_some() {
        after.external_id = asked::text(external_id);
    }
    match role {
        Some(role) => {
            let grant = Grant { role, domain_id, workspace_id, projects };
            (after.role, after.scope) = (role, grant.checked(tx, call, "user")?);
        }
        None if domain_id.is_some() || workspace_id.is_some() || projects.is_some() => {
            let detail = "what a user reaches is given together with its `role`";
            return Err(Error::at(Code::RequiredParameter, "/role", detail));
        }
        None => {}
    }
    changed(tx, call, &before, &after)
}

/// Lets a user log in again, and forgets the wrong passwords before.
pub fn enable(tx: &mut dyn Tx, call: &Call, request: OfUser) -> Result<UserInfo> {
    call.touches("user", &request.user_id);
    let before = existing(tx, call, &request.user_id)?;
    let after = User { state: UserState::Enabled, attempts: Attempts::default(), ..before.clone() };
    changed(tx, call, &before, &after)
}

/// Lets a user log in no more, and ends its sessions at once.
pub fn disable(tx: &mut dyn Tx, call: &Call, request: OfUser) -> Result<UserInfo> {
    call.touches("user", &request.user_id);
    let before = existing(tx, call, &request.user_id)?;
    session::end_all(tx, call, &Holder::User(before.user_id.clone()))?;
    let after = User { state: UserState::Disabled, ..before.clone() };
    changed(tx, call, &before, &after)
}

/// Removes a user, and ends its sessions at once. What it did stays in the audit trail.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OfUser) -> Result<Done> {
    call.touches("user", &request.user_id);
    let user = existing(tx, call, &request.user_id)?;
    session::end_all(tx, call, &Holder::User(user.user_id.clone()))?;
    tx.delete_user(&user.user_id)?;
    call.touched("user", &user.user_id, seen(&UserInfo::of(&user, call.now)), None);
    Ok(Done {})
}

/// Asks to give a user another password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// The user's identifier.
    pub user_id: Id<User>,
    /// The password that it logs in with from now on.
    pub password: Typed,
}

/// Whether a caller may give a user this password; asked before it is hashed.
pub fn may_set(tx: &dyn Tx, call: &Call, request: &SetPassword) -> Result<()> {
    let user = existing(tx, call, &request.user_id)?;
    fitting(&user.name, &request.password, "/password")
}

/// Gives a user another password, ends its sessions at once and forgets the wrong passwords before.
pub fn set_password(
    tx: &mut dyn Tx,
    call: &Call,
    (user_id, hash): (Id<User>, PasswordHash),
) -> Result<UserInfo> {
    call.touches("user", &user_id);
    let before = existing(tx, call, &user_id)?;
    renewed(tx, call, &before, hash)
}

/// Asks to change the own password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password as it is.
    pub password: Typed,
    /// The password as it shall be.
    pub new_password: Typed,
}

impl ChangePassword {
    /// Checks that the new password may be one for `user`.
    pub fn check(&self, user: &User) -> Result<()> {
        fitting(&user.name, &self.new_password, "/new_password")
    }
}

/// Changes the caller's own password, and ends its sessions at once.
pub fn change_password(
    tx: &mut dyn Tx,
    call: &Call,
    (user_id, hash): (Id<User>, PasswordHash),
) -> Result<UserInfo> {
    call.touches("user", &user_id);
    let before = tx.user(&user_id)?.ok_or_else(|| Error::not_found("user", &user_id))?;
    renewed(tx, call, &before, hash)
}

fn renewed(tx: &mut dyn Tx, call: &Call, before: &User, hash: PasswordHash) -> Result<UserInfo> {
    session::end_all(tx, call, &Holder::User(before.user_id.clone()))?;
    let after = User {
        password: Some(hash),
        password_set_at: Some(call.now),
        attempts: Attempts::default(),
        ..before.clone()
    };
    changed(tx, call, before, &after)
}

fn changed(tx: &mut dyn Tx, call: &Call, before: &User, after: &User) -> Result<UserInfo> {
    tx.put_user(after)?;
    let (before, view) = (UserInfo::of(before, call.now), UserInfo::of(after, call.now));
    call.touched("user", &after.user_id, seen(&before), seen(&view));
    Ok(view)
}

/// The user, if the caller could have made it.
fn existing(tx: &dyn Tx, call: &Call, id: &Id<User>) -> Result<User> {
    let user = tx.user(id)?.filter(|user| governs(call, user.role, &user.scope));
    user.ok_or_else(|| Error::not_found("user", id))
}

/// Checks that a password may be one.
fn fitting(name: &str, password: &Typed, pointer: &str) -> Result<()> {
    match password_misfit(name, password.reveal()) {
        Some(misfit) => Err(Error::at(Code::InvalidParameter, pointer, misfit)),
        None => Ok(()),
    }
}
