//! `session.*`: what users and applications are given when they log in, and how it ends.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Call, Done, Moment, Page, Shown, along, asked::list_request, audit, call::seen, grant::governs,
    named, user::UserInfo,
};
use crate::{
    digest::{new_secret, sha256},
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity},
        project::{DEFAULT_DOMAIN, Domain},
        scope::Scope,
        token::{Holder, Token},
        user::{Application, User, UserState},
        words::Role,
    },
    error::{Code, Error, Result},
    id::Id,
    query::SESSIONS,
    store::Tx,
};

/// What every session of a user begins with, so that a leaked one is recognised.
const OF_USER: &str = "ams_";

/// What every token of an application begins with.
const OF_APPLICATION: &str = "amb_";

/// How many open sessions one user or application has at most; one more ends the oldest.
const MOST: usize = 100;

/// What whoever may not come in is told, whatever the reason: it tells nobody which names there are.
pub const WRONG: &str = "the name or the password is wrong";

/// A session that was opened just now, which is shown this once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewSession {
    /// Its identifier.
    pub session_id: Id<Token>,
    /// What is shown as `Authorization: Bearer <token>` from now on; nobody can show it again.
    pub token: String,
    /// When it ends.
    pub expires_at: Moment,
    /// Who logged in.
    pub user: UserInfo,
}

/// What an application was given just now.
#[derive(Clone, Debug)]
pub struct NewBearer {
    /// What is shown as `Authorization: Bearer <token>` from now on.
    pub token: String,
    /// After how many seconds it ends.
    pub expires_in: i64,
}

/// Opens a session for a user whose password was right, with its record.
pub fn open(
    tx: &mut dyn Tx,
    call: &Call,
    (user, lifetime): (&Id<User>, TimeDelta),
) -> Result<NewSession> {
    let user = tx.user(user)?.filter(|user| user.state == UserState::Enabled);
    let before = user.ok_or_else(|| Error::new(Code::AuthenticateFailure, WRONG))?;
    let holder = Holder::User(before.user_id.clone());
    let granted = (before.role, before.scope.clone());
    let (token, text) = give(tx, call, (holder, &before.name, OF_USER), granted, lifetime)?;
    let after = User {
        attempts: crate::domain::lockout::Attempts::default(),
        last_login_at: Some(call.now),
        ..before
    };
    tx.put_user(&after)?;
    let actor = Actor::new(ActorKind::User, after.user_id.as_str(), &*after.name);
    let entry =
        login(call, actor, "user.login").on(entity(&after)).changed(None, Some(opened(&token)));
    tx.add_audit(&domain_of(&after.scope), entry, &call.mint)?;
    let expires_at = token.expires_at.unwrap_or(call.now);
    Ok(NewSession {
        session_id: token.token_id,
        token: text,
        expires_at: expires_at.into(),
        user: UserInfo::of(&after, call.now),
    })
}

/// Gives an application whose secret was right a token, with its record.
pub fn open_for_application(
    tx: &mut dyn Tx,
    call: &Call,
    (id, lifetime): (&Id<Application>, TimeDelta),
) -> Result<NewBearer> {
    let found = tx.application(id)?.filter(|it| it.state == UserState::Enabled);
    let Some(Application { application_id, name, role, scope, .. }) = found else {
        return Err(Error::new(Code::AuthenticateFailure, WRONG));
    };
    let holder = Holder::Application(application_id.clone());
    let domain = domain_of(&scope);
    let (token, text) = give(tx, call, (holder, &name, OF_APPLICATION), (role, scope), lifetime)?;
    let actor = Actor::new(ActorKind::Application, application_id.as_str(), &*name);
    let entry = login(call, actor, "application.login")
        .on(Entity::new("application", &application_id).called(Some(name)))
        .changed(None, Some(opened(&token)));
    tx.add_audit(&domain, entry, &call.mint)?;
    Ok(NewBearer { token: text, expires_in: lifetime.num_seconds() })
}

fn opened(token: &Token) -> serde_json::Value {
    let expires_at = token.expires_at.map(crate::clock::rfc3339);
    json!({ "session_id": token.token_id, "expires_at": expires_at })
}

/// Makes a token; where its holder has too many, the oldest ends.
fn give(
    tx: &mut dyn Tx,
    call: &Call,
    (holder, name, prefix): (Holder, &str, &str),
    (role, scope): (Role, Scope),
    lifetime: TimeDelta,
) -> Result<(Token, String)> {
    let held = tx.held(&holder, call.now)?;
    for oldest in held.iter().take((held.len() + 1).saturating_sub(MOST)) {
        tx.put_token(&Token { revoked_at: Some(call.now), ..oldest.clone() })?;
        let entry = login(call, oldest.actor(), "session.end")
            .on(Entity::new("session", &oldest.token_id).called(Some(oldest.name.clone())))
            .changed(seen(&SessionInfo::from(oldest)), None)
            .saying(json!({ "why": format!("more than {MOST} were open") }));
        tx.add_audit(&domain_of(&oldest.scope), entry, &call.mint)?;
    }
    let text = new_secret(prefix).map_err(Error::internal)?;
    let token = Token {
        token_id: call.mint.id(call.now),
        name: name.to_owned(),
        holder,
        digest: sha256(text.as_bytes()),
        role,
        scope,
        created_at: call.now,
        expires_at: Some(call.now + lifetime),
        revoked_at: None,
    };
    tx.put_token(&token)?;
    Ok((token, text))
}

/// Ends all sessions of a holder, which was noted as touched.
pub(super) fn end_all(tx: &mut dyn Tx, call: &Call, holder: &Holder) -> Result<()> {
    let held = tx.held(holder, call.now)?;
    match holder {
        Holder::User(id) => along::sessions(call, ("user", id.as_str()), &held),
        Holder::Application(id) => along::sessions(call, ("application", id.as_str()), &held),
        Holder::Nobody => {}
    }
    for token in held {
        tx.put_token(&Token { revoked_at: Some(call.now), ..token })?;
    }
    Ok(())
}

/// Records that a password was wrong, and closes the user for a while where it was one too many.
pub fn failed(tx: &mut dyn Tx, call: &Call, user: &Id<User>) -> Result<()> {
    let Some(before) = tx.user(user)? else { return Ok(()) };
    let after = User { attempts: before.attempts.failed(call.now), ..before };
    tx.put_user(&after)?;
    let domain = domain_of(&after.scope);
    let error = Error::new(Code::AuthenticateFailure, "the password is wrong");
    let nobody = Actor::unnamed(ActorKind::Nobody, "");
    let entry = login(call, nobody, "user.login").on(entity(&after)).refused(&error);
    tx.add_audit(&domain, entry.saying(json!({ "why": "wrong_password" })), &call.mint)?;
    let Some(until) = after.attempts.locked_until(call.now) else { return Ok(()) };
    let timer = Actor::unnamed(ActorKind::Timer, "lockout");
    let entry = login(call, timer, "user.lock").on(entity(&after)).changed(
        Some(json!({ "locked_until": null })),
        Some(json!({
            "locked_until": crate::clock::rfc3339(until), "failures": after.attempts.failures,
        })),
    );
    tx.add_audit(&domain, entry, &call.mint).map(|_| ())
}

fn entity(user: &User) -> Entity {
    Entity::new("user", &user.user_id).called(Some(user.name.clone()))
}

fn login(call: &Call, actor: Actor, action: &str) -> AuditEntry {
    AuditEntry { actor, ..audit::entry(call, action) }
}

/// The domain whose chain records what somebody with this scope does.
pub fn domain_of(scope: &Scope) -> Id<Domain> {
    named::only(scope).unwrap_or_else(|| DEFAULT_DOMAIN.into())
}

/// Asks for nothing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Ends the session that the caller shows.
pub fn logout(tx: &mut dyn Tx, call: &Call, _: Nothing) -> Result<Done> {
    let token = tx.token(&call.caller.token_id)?;
    let Some(before) = token.filter(|token| token.holder != Holder::Nobody) else {
        let detail = "only who logged in can log out; a token that was made is taken back with \
                      `token/revoke`";
        return Err(Error::new(Code::AuthenticateFailure, detail));
    };
    end_one(tx, call, before)
}

fn end_one(tx: &mut dyn Tx, call: &Call, before: Token) -> Result<Done> {
    let id = before.token_id.clone();
    let view = SessionInfo::from(&before);
    tx.put_token(&Token { revoked_at: Some(call.now), ..before })?;
    call.touched("session", &id, seen(&view), None);
    Ok(Done {})
}

/// A session of a user, or what an application was given, without the token.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionInfo {
    /// Its identifier.
    pub session_id: Id<Token>,
    /// Whose it is: `user:<id>` or `application:<id>`.
    pub holder: String,
    /// What people call who has it.
    pub name: String,
    /// When it was opened.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Option<Moment>,
}

impl From<&Token> for SessionInfo {
    fn from(token: &Token) -> Self {
        Self {
            session_id: token.token_id.clone(),
            holder: token.actor().to_string(),
            name: token.name.clone(),
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(Moment),
        }
    }
}

list_request! {
    /// Asks for open sessions.
    ListSessions of SESSIONS {
        /// Only the one with this identifier.
        session_id: Id<Token>,
        /// Only those of this user or application: `user:<id>` or `application:<id>`.
        holder: String,
    }
}

/// Open sessions of users and applications that the caller could have made, oldest first where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListSessions) -> Result<Page<Shown<SessionInfo>>> {
    let query = request.checked(call.now)?;
    let mut open = Vec::new();
    for token in tx.tokens()? {
        if token.is_live(call.now) && is_governed(tx, call, &token)? {
            open.push(SessionInfo::from(&token));
        }
    }
    Page::listed(open, &query, &SESSIONS)
}

/// Asks to end a session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// Its identifier.
    session_id: Id<Token>,
}

/// Ends a session at once.
pub fn end(tx: &mut dyn Tx, call: &Call, request: EndSession) -> Result<Done> {
    let id = request.session_id;
    call.touches("session", &id);
    let token = tx.token(&id)?.filter(|token| token.is_live(call.now));
    let token = token.ok_or_else(|| Error::not_found("session", &id))?;
    if !is_governed(tx, call, &token)? {
        return Err(Error::not_found("session", &id));
    }
    end_one(tx, call, token)
}

/// Whether the caller could have made who holds a token.
fn is_governed(tx: &dyn Tx, call: &Call, token: &Token) -> Result<bool> {
    Ok(match &token.holder {
        Holder::Nobody => false,
        Holder::User(id) => tx.user(id)?.is_some_and(|user| governs(call, user.role, &user.scope)),
        Holder::Application(id) => {
            tx.application(id)?.is_some_and(|it| governs(call, it.role, &it.scope))
        }
    })
}
