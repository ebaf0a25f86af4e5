//! The routes of users, sessions and applications.

use std::sync::Arc;

use actix_web::web::Data;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{
    Front, login,
    method::{Method, act, prepared, read, write},
};
use crate::{
    api::{
        Call, application,
        session::{self, NewSession},
        user::{self, ChangePassword, CreateUser, SetPassword, Typed},
    },
    domain::{
        audit::ActorKind,
        token::Right,
        user::{GrantType, User},
        words::Role,
    },
    error::{Code, Error, Result},
    id::Id,
    password::PasswordHash,
};

/// The methods of users, sessions and applications.
pub(super) fn methods() -> Vec<Method> {
    let mut all = sessions();
    all.extend(users());
    all.extend(applications());
    all
}

fn sessions() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/login",
            "user.login",
            "Opens a session for a user's name and password; its token is shown once.",
            act(log_in),
        )
        .needs(Right::Anyone),
        Method::post(
            "/api/v1/token",
            "application.login",
            "Gives an application a bearer token for its identifier and its secret.",
            act(token),
        )
        .needs(Right::Anyone),
        Method::post(
            "/api/v1/logout",
            "user.logout",
            "Ends the session whose token is shown.",
            write(session::logout),
        )
        .needs(Right::Read),
        Method::get("/api/v1/me", "user.me", "Tells who calls, and what they may do.", act(me)),
        Method::post(
            "/api/v1/session/list",
            "session.list",
            "Lists the open sessions of users, and what applications were given.",
            read(session::list),
        )
        .needs(Right::Own),
        Method::post(
            "/api/v1/session/end",
            "session.end",
            "Ends a session at once.",
            write(session::end),
        )
        .needs(Right::Own),
    ]
}

fn users() -> Vec<Method> {
    let own = |path, name, summary, work| Method::post(path, name, summary, work).needs(Right::Own);
    vec![
        own(
            "/api/v1/user/create",
            "user.create",
            "Makes a user.",
            prepared(hash_new, user::create),
        ),
        own("/api/v1/user/get", "user.get", "Shows a user.", read(user::get)),
        own("/api/v1/user/list", "user.list", "Lists users.", read(user::list)),
        own("/api/v1/user/update", "user.update", "Changes a user.", write(user::update)),
        own(
            "/api/v1/user/enable",
            "user.enable",
            "Lets a user log in again, also one that too many wrong passwords closed.",
            write(user::enable),
        ),
        own(
            "/api/v1/user/disable",
            "user.disable",
            "Lets a user log in no more, and ends its sessions.",
            write(user::disable),
        ),
        own(
            "/api/v1/user/delete",
            "user.delete",
            "Removes a user, and ends its sessions.",
            write(user::delete),
        ),
        own(
            "/api/v1/user/set-password",
            "user.set_password",
            "Gives a user another password, and ends its sessions.",
            prepared(hash_given, user::set_password),
        ),
        Method::post(
            "/api/v1/user/change-password",
            "user.change_password",
            "Changes the caller's own password, and ends its sessions.",
            prepared(hash_changed, user::change_password),
        )
        .needs(Right::Read),
    ]
}

fn applications() -> Vec<Method> {
    let own = |path, name, summary, work| Method::post(path, name, summary, work).needs(Right::Own);
    vec![
        own(
            "/api/v1/application/create",
            "application.create",
            "Makes an application; its secret is shown once.",
            write(application::create),
        ),
        own(
            "/api/v1/application/get",
            "application.get",
            "Shows an application.",
            read(application::get),
        ),
        own(
            "/api/v1/application/list",
            "application.list",
            "Lists applications.",
            read(application::list),
        ),
        own(
            "/api/v1/application/rotate-secret",
            "application.rotate_secret",
            "Gives an application another secret, which is shown once; the one before works no more.",
            write(application::rotate_secret),
        ),
        own(
            "/api/v1/application/enable",
            "application.enable",
            "Lets an application log in again.",
            write(application::enable),
        ),
        own(
            "/api/v1/application/disable",
            "application.disable",
            "Lets an application log in no more, and ends what it was given.",
            write(application::disable),
        ),
        own(
            "/api/v1/application/delete",
            "application.delete",
            "Removes an application, and ends what it was given.",
            write(application::delete),
        ),
    ]
}

/// Asks for a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogIn {
    /// The user's name.
    name: String,
    /// Its password.
    password: Typed,
}

async fn log_in(front: Data<Front>, call: Call, request: LogIn) -> Result<NewSession> {
    login::login(&front, &call, (&request.name, request.password.secret())).await
}

/// Asks for an application's token. Its fields may be spelled `grantType`, `AppId` and `AppSecret`, too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskToken {
    /// How it asks.
    grant_type: GrantType,
    /// The application's identifier.
    #[serde(alias = "client_id")]
    app_id: String,
    /// Its secret.
    #[serde(alias = "client_secret")]
    app_secret: Typed,
}

/// An application's token.
#[derive(Debug, Serialize, JsonSchema)]
struct GivenToken {
    /// What is shown as `Authorization: Bearer <token>` from now on; nobody can show it again.
    #[serde(rename = "accessToken")]
    access_token: String,
    /// After how many seconds it ends.
    #[serde(rename = "expiresIn")]
    expires_in: i64,
}

async fn token(front: Data<Front>, call: Call, request: AskToken) -> Result<GivenToken> {
    let AskToken { grant_type, app_id, app_secret } = request;
    match grant_type {
        GrantType::AppToken | GrantType::ClientCredentials => {}
    }
    let given = login::application(&front, &call, (&app_id, app_secret.reveal())).await?;
    Ok(GivenToken { access_token: given.token, expires_in: given.expires_in })
}

/// Who calls.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// Who it is: `user:<id>`, `application:<id>` or `token:<id>`.
    actor: String,
    /// What people call it.
    name: String,
    /// What it may do.
    role: Role,
}

async fn me(_: Data<Front>, call: Call, _: session::Nothing) -> Result<Me> {
    let caller = &call.caller;
    Ok(Me { actor: caller.actor.clone(), name: caller.name.clone(), role: caller.role })
}

async fn hash_new(
    front: Data<Front>,
    call: Call,
    request: CreateUser,
) -> Result<(CreateUser, Option<PasswordHash>)> {
    let (asked, caller) = (request.clone(), call.clone());
    front.app.store.read(move |tx| user::may_create(tx, &caller, &asked)).await?;
    let hash = match request.password()? {
        Some(password) => Some(login::hashed(&front, &call, password.secret()).await?),
        None => None,
    };
    Ok((request, hash))
}

async fn hash_given(
    front: Data<Front>,
    call: Call,
    request: SetPassword,
) -> Result<(Id<User>, PasswordHash)> {
    call.touches("user", &request.user_id);
    let (asked, caller) = (request.clone(), call.clone());
    front.app.store.read(move |tx| user::may_set(tx, &caller, &asked)).await?;
    let hash = login::hashed(&front, &call, request.password.secret()).await?;
    Ok((request.user_id, hash))
}

async fn hash_changed(
    front: Data<Front>,
    call: Call,
    request: ChangePassword,
) -> Result<(Arc<User>, PasswordHash)> {
    let actor = call.actor();
    if actor.kind != ActorKind::User {
        let detail = "only a user who logged in has a password of its own to change";
        return Err(Error::new(Code::AuthenticateFailure, detail));
    }
    call.touches("user", &actor.id);
    // It is a login like any other, so that a stolen session does not guess.
    let pair = (actor.name.as_str(), request.password.secret());
    let user = login::admitted(&front, &call, pair).await?;
    request.check(&user)?;
    let hash = login::hashed(&front, &call, request.new_password.secret()).await?;
    Ok((user, hash))
}
