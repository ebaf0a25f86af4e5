//! Users and applications, and the tokens that they hold.

use rusqlite::{Row, params};

use super::{
    live::Changed,
    rows::{self, Columns, maybe_millis, millis},
    tokens::{self, kept_scope, read_scope},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        lockout::Attempts,
        token::{Holder, Token},
        user::{Application, User, folded},
    },
    error::{Code, Error, Result},
    id::Id,
    password::PasswordHash,
    store::{Snapshots, Users},
};

const USER: &str = "SELECT user_id, name, email, external_id, password, role, scope, state, failures, last_failed_at,
        created_at, password_set_at, last_login_at
 FROM user";

const APPLICATION: &str = "SELECT application_id, name, secret, role, scope, state, created_at, secret_set_at FROM application";

impl Work {
    /// Brings what is looked up of a user up to date.
    pub(super) fn publish_user(&self, snapshots: &Snapshots, id: &Id<User>) -> Result<()> {
        let user = self.user(id)?;
        if let Some(before) = snapshots.users.get(id).filter(|_| user.is_none()) {
            snapshots.logins.set(folded(&before.name), None);
        }
        match user {
            Some(user) => snapshots.add_user(user),
            None => snapshots.users.set(id.clone(), None),
        }
        Ok(())
    }

    /// Brings what is looked up of an application up to date.
    pub(super) fn publish_application(
        &self,
        snapshots: &Snapshots,
        id: &Id<Application>,
    ) -> Result<()> {
        snapshots.applications.set(id.clone(), self.application(id)?.map(Into::into));
        Ok(())
    }
}

impl Users for Work {
    fn user(&self, id: &Id<User>) -> Result<Option<User>> {
        self.one(&format!("{USER} WHERE user_id = ?1"), [id.as_str()], user)
    }

    fn user_called(&self, name: &str) -> Result<Option<User>> {
        self.one(&format!("{USER} WHERE login = ?1"), [folded(name)], user)
    }

    fn users(&self) -> Result<Vec<User>> {
        self.many(&format!("{USER} ORDER BY login"), [], user)
    }

    fn put_user(&mut self, user: &User) -> Result<()> {
        let put = self.put(
            "INSERT INTO user (user_id, name, login, email, external_id, password, role, scope, state, failures,
                               last_failed_at, created_at, password_set_at, last_login_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, login = excluded.login, email = excluded.email,
                 external_id = excluded.external_id, password = excluded.password, role = excluded.role,
                 scope = excluded.scope, state = excluded.state, failures = excluded.failures,
                 last_failed_at = excluded.last_failed_at, password_set_at = excluded.password_set_at,
                 last_login_at = excluded.last_login_at",
            params![
                user.user_id.as_str(),
                user.name,
                folded(&user.name),
                user.email,
                user.external_id,
                user.password.as_ref().map(PasswordHash::as_kept),
                user.role.as_str(),
                kept_scope(&user.scope)?,
                user.state.as_str(),
                user.attempts.failures,
                maybe_millis(user.attempts.last_failed_at),
                millis(user.created_at),
                maybe_millis(user.password_set_at),
                maybe_millis(user.last_login_at)
            ],
        );
        put.map_err(|error| rows::if_constraint(error, || taken("user", &user.name)))?;
        self.live()?.borrow_mut().note(Changed::User(user.user_id.clone()));
        Ok(())
    }

    fn delete_user(&mut self, id: &Id<User>) -> Result<()> {
        self.put("DELETE FROM user WHERE user_id = ?1", [id.as_str()])?;
        self.live()?.borrow_mut().note(Changed::User(id.clone()));
        Ok(())
    }

    fn application(&self, id: &Id<Application>) -> Result<Option<Application>> {
        self.one(&format!("{APPLICATION} WHERE application_id = ?1"), [id.as_str()], application)
    }

    fn applications(&self) -> Result<Vec<Application>> {
        self.many(&format!("{APPLICATION} ORDER BY name"), [], application)
    }

    fn put_application(&mut self, application: &Application) -> Result<()> {
        let put = self.put(
            "INSERT INTO application (application_id, name, secret, role, scope, state, created_at, secret_set_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (application_id) DO UPDATE SET name = excluded.name, secret = excluded.secret,
                 role = excluded.role, scope = excluded.scope, state = excluded.state,
                 secret_set_at = excluded.secret_set_at",
            params![
                application.application_id.as_str(),
                application.name,
                application.secret.as_slice(),
                application.role.as_str(),
                kept_scope(&application.scope)?,
                application.state.as_str(),
                millis(application.created_at),
                millis(application.secret_set_at)
            ],
        );
        put.map_err(|error| {
            rows::if_constraint(error, || taken("application", &application.name))
        })?;
        let id = application.application_id.clone();
        self.live()?.borrow_mut().note(Changed::Application(id));
        Ok(())
    }

    fn delete_application(&mut self, id: &Id<Application>) -> Result<()> {
        self.put("DELETE FROM application WHERE application_id = ?1", [id.as_str()])?;
        self.live()?.borrow_mut().note(Changed::Application(id.clone()));
        Ok(())
    }

    fn held(&self, holder: &Holder, now: Timestamp) -> Result<Vec<Token>> {
        let Some(holder) = tokens::written(holder) else { return Ok(Vec::new()) };
        let sql = format!(
            "{} WHERE holder = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)
             ORDER BY token",
            tokens::SELECT
        );
        self.many(&sql, params![holder, millis(now)], tokens::token)
    }

    fn forget_held(&mut self, before: Timestamp, most: u32) -> Result<u64> {
        let sql = "DELETE FROM token WHERE token IN (
                       SELECT token FROM token WHERE holder IS NOT NULL AND expires_at < ?1 LIMIT ?2)
                   RETURNING digest";
        let digest = |row: &Row<'_>| Columns::of(row).digest();
        let gone = self.many(sql, params![millis(before), most], digest)?;
        let count = gone.len() as u64;
        for digest in gone {
            self.live()?.borrow_mut().note(Changed::Token(digest));
        }
        Ok(count)
    }
}

/// Another has that name, or another has what it is known by elsewhere.
fn taken(kind: &str, name: &str) -> Error {
    let detail =
        format!("there is another {kind} `{name}`, or one with the same external identifier");
    Error::at(Code::NotUnique, "/name", detail)
}

fn user(row: &Row<'_>) -> Result<User> {
    let mut columns = Columns::of(row);
    Ok(User {
        user_id: columns.id()?,
        name: columns.text()?,
        email: columns.get()?,
        external_id: columns.get()?,
        password: columns.get::<Option<String>>()?.map(PasswordHash::kept),
        role: columns.word()?,
        scope: read_scope(columns.json()?),
        state: columns.word()?,
        attempts: Attempts { failures: columns.get()?, last_failed_at: columns.maybe_time()? },
        created_at: columns.time()?,
        password_set_at: columns.maybe_time()?,
        last_login_at: columns.maybe_time()?,
    })
}

fn application(row: &Row<'_>) -> Result<Application> {
    let mut columns = Columns::of(row);
    Ok(Application {
        application_id: columns.id()?,
        name: columns.text()?,
        secret: columns.digest()?,
        role: columns.word()?,
        scope: read_scope(columns.json()?),
        state: columns.word()?,
        created_at: columns.time()?,
        secret_set_at: columns.time()?,
    })
}
