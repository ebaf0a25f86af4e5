//! Logging in: who may try, whose turn it is, and an answer that tells a stranger nothing, not even by when it comes.
//!
//! What is slow here is slow on purpose, so it must not be possible to make us do much of it. A password is hashed only
//! for a user who exists and is not closed, few at once, whoever is known first; so all that strangers can make us compute
//! is a few passwords of each user in a while. Whatever is refused is answered after the same time, whether a password was
//! hashed for it or not.

mod gate;
mod oauth;
mod turns;

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::web::Data;
use chrono::TimeDelta;
use futures_util::FutureExt as _;

pub(super) use self::oauth::{addresses, describe};
use self::{
    gate::{Closed, Gate, Knock, Unwritten},
    turns::{Alone, Lane, Turns},
};
use super::Front;
use crate::{
    api::{
        Call,
        session::{self, NewBearer, NewSession, WRONG},
    },
    clock::Stopwatch,
    digest::{Secret, digests_match, sha256},
    domain::{
        audit::Entity,
        project::Domain,
        user::{Application, LONGEST_PASSWORD, User, UserState, folded},
    },
    error::{Code, Error, Result},
    id::Id,
    jobs::{OTHERS, Stranger, Wanted},
    password::PasswordHash,
    store::Tx,
};

/// What it is called that an application asks for a token.
const APPLICATION: &str = "application.login";

/// How many passwords are hashed at once.
const AT_ONCE: usize = 2;

/// Refusals are answered after a multiple of this, so that nobody sees what was done for them.
const ANSWERED_AFTER: Duration = Duration::from_millis(250);

/// After how many seconds one who was turned away by a crowd may try again.
const CROWDED: u32 = 5;

/// Where whoever logs in is looked at.
#[derive(Debug)]
pub(super) struct Desk {
    gate: Gate,
    turns: Turns,
    /// Who has a new password hashed.
    setting: Alone,
}

impl Default for Desk {
    fn default() -> Self {
        Self { gate: Gate::default(), turns: Turns::new(AT_ONCE), setting: Alone::default() }
    }
}

/// Opens a session for whoever has this name and this password.
///
/// # Errors
/// `ERROR_AUTHENTICATE_FAILURE` for a wrong password as for an unknown name; `ERROR_TOO_MANY_REQUESTS` after too many.
pub(super) async fn login(
    front: &Data<Front>,
    call: &Call,
    (name, password): (&str, &Secret),
) -> Result<NewSession> {
    let timing = Stopwatch::start();
    let user = match admitted(front, call, (name, password)).await {
        Ok(user) => user,
        Err(error) => return Err(unhurried(timing, error).await),
    };
    let lifetime = front.app.config.session_time.0;
    let lifetime = TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX);
    let (asked, checked) = (call.clone(), Arc::clone(&user));
    let open = move |tx: &mut dyn Tx| session::open(tx, &asked, (&checked, lifetime));
    match front.app.store.write(open).await {
        // It was right when it was looked at, and is the one before by now.
        Err(error) if error.code == Code::AuthenticateFailure => {
            count(front, call, (error.code, Some(of_user(&user))));
            Err(unhurried(timing, error).await)
        }
        done => done,
    }
}

/// The user that has this name and this password.
///
/// # Errors
/// As [`login`].
pub(super) async fn admitted(
    front: &Data<Front>,
    call: &Call,
    (name, password): (&str, &Secret),
) -> Result<Arc<User>> {
    let name = folded(name);
    let user = front.app.store.snapshots().logins.get(&name);
    // For one who cannot log in all goes as for a name that nobody has.
    let hash = user.as_ref().filter(|user| user.state == UserState::Enabled);
    let hash = hash.and_then(|user| user.password.clone());
    let able = user.as_ref().filter(|_| hash.is_some());
    let knock = Knock {
        name: sha256(name.as_bytes()),
        from: call.remote.as_deref().and_then(|from| from.parse().ok()).unwrap_or(UNKNOWN),
        attempts: able.map(|user| user.attempts),
        now: call.now,
    };
    let trying = match front.desk.gate.enter(&knock) {
        Ok(trying) => trying,
        Err((why, wait)) => {
            let code = Code::TooManyRequests;
            count(front, call, (code, able.map(|user| of_user(user))));
            return Err(closed(why, wait));
        }
    };
    let lane = match (trying.is_known, trying.is_suspect) {
        (true, _) => Lane::Known,
        (false, false) => Lane::New,
        (false, true) => Lane::Suspect,
    };
    // Who is unknown waits for a turn too, so that waiting tells nothing.
    let turn = front.desk.turns.turn(lane).await.map_err(|_| crowded())?;
    let is_right = match hash {
        Some(hash) if password.reveal().len() <= LONGEST_PASSWORD => {
            let password = password.clone();
            let computing = tokio::task::spawn_blocking(move || {
                // Held until it is done, though nobody may wait for the answer any more.
                let _turn = turn;
                hash.fits(&password)
            });
            computing.await.map_err(Error::internal)?.map_err(Error::internal)?
        }
        Some(_) | None => {
            drop(turn);
            false
        }
    };
    // It may have waited for its turn.
    let knock = Knock { now: front.app.clock.now(), ..knock };
    if let Some(user) = able.filter(|_| is_right).cloned() {
        front.desk.gate.succeeded(&knock);
        return Ok(user);
    }
    let failed = front.desk.gate.failed(&knock);
    wrong(front, Call { now: knock.now, ..call.clone() }, able.zip(failed));
    Err(Error::new(Code::AuthenticateFailure, WRONG))
}

/// Records that a password was wrong. What was tried for no user that could log in is counted instead.
///
/// Nobody waits for the record: a stranger's try waits for none, and how long an answer takes must not tell the two apart.
/// It is queued when this returns, and what is queued is written before a server stops.
fn wrong(front: &Data<Front>, call: Call, user: Option<(&Arc<User>, Unwritten)>) {
    let Some((user, unwritten)) = user else {
        count(front, &call, (Code::AuthenticateFailure, None));
        return;
    };
    let (front, user) = (front.clone(), Arc::clone(user));
    let (asked, id) = (call.clone(), user.user_id.clone());
    let store = front.app.store.clone();
    let mut writing =
        Box::pin(async move { store.write(move |tx| session::failed(tx, &asked, &id)).await });
    let at_once = writing.as_mut().now_or_never();
    actix_web::rt::spawn(async move {
        let written = match at_once {
            Some(written) => written,
            None => writing.await,
        };
        if let Err(error) = written {
            tracing::error!(%error, cause = ?error.cause, "a wrong password could not be recorded");
            count(&front, &call, (Code::AuthenticateFailure, Some(of_user(&user))));
            unwritten.keep();
        }
    });
}

/// Counts somebody who asked to log in by `method`, and whose request could not be read. What was looked at is recorded by
/// whoever looked.
pub(super) fn misasked(front: &Front, call: &Call, (method, code): (&str, Code)) {
    if code.status() >= 500 || matches!(code, Code::AuthenticateFailure | Code::TooManyRequests) {
        return;
    }
    let wanted = match method {
        APPLICATION => Wanted::AskToken(None),
        _ => Wanted::LogIn(None),
    };
    turned_away(front, call, (code, call.remote.clone().unwrap_or_default()), (wanted, None));
}

/// The hash of a new password, made when it is its turn: behind all who log in, and one at a time for each caller.
///
/// # Errors
/// Where too many wait already.
pub(super) async fn hashed(
    front: &Data<Front>,
    call: &Call,
    password: &Secret,
) -> Result<PasswordHash> {
    let _alone = front.desk.setting.enter(&call.caller.actor).await;
    let turn = front.desk.turns.turn(Lane::Setting).await.map_err(|_| crowded())?;
    let password = password.clone();
    let computing = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        PasswordHash::of(&password)
    });
    computing.await.map_err(Error::internal)?.map_err(Error::internal)
}

/// Gives the application that has this identifier and this secret a token.
///
/// # Errors
/// `ERROR_AUTHENTICATE_FAILURE` for a wrong secret as for an unknown identifier.
pub(super) async fn application(
    front: &Data<Front>,
    call: &Call,
    (client_id, secret): (&str, &str),
) -> Result<NewBearer> {
    let id: Id<Application> = client_id.trim().into();
    let found = front.app.store.snapshots().applications.get(&id);
    let given = sha256(secret.trim().as_bytes());
    // A secret of 256 bits is not guessed, so it needs no slow hash.
    let fits = found.as_ref().is_some_and(|found| digests_match(&found.secret, &given));
    if !found.as_ref().is_some_and(|found| fits && found.state == UserState::Enabled) {
        let detail = "the application's identifier or its secret is wrong";
        return Err(no_application(front, call, found.as_deref(), detail));
    }
    let lifetime = TimeDelta::from_std(front.app.config.token_time.0).unwrap_or(TimeDelta::MAX);
    let asked = call.clone();
    let open =
        move |tx: &mut dyn Tx| session::open_for_application(tx, &asked, ((&id, &given), lifetime));
    match front.app.store.write(open).await {
        // The secret was right when it was looked at, and is the one before by now.
        Err(error) if error.code == Code::AuthenticateFailure => {
            Err(no_application(front, call, found.as_deref(), &error.detail))
        }
        done => done,
    }
}

/// Counts that somebody asked for an application's token in vain; what they are told.
fn no_application(front: &Front, call: &Call, found: Option<&Application>, detail: &str) -> Error {
    let code = Code::AuthenticateFailure;
    let (entity, domain_id) = found
        .map(|found| {
            let entity = Entity::new("application", &found.application_id);
            (entity.called(Some(found.name.clone())), session::domain_of(&found.scope))
        })
        .unzip();
    let remote = call.remote.clone().unwrap_or_default();
    turned_away(front, call, (code, remote), (Wanted::AskToken(entity), domain_id));
    Error::new(code, detail)
}

/// An address where none is known.
const UNKNOWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

fn of_user(user: &User) -> (Entity, Id<Domain>) {
    let entity = Entity::new("user", &user.user_id).called(Some(user.name.clone()));
    (entity, session::domain_of(&user.scope))
}

/// Counts a try that no password was looked at for: of a user together, of nobody for each address.
fn count(front: &Front, call: &Call, (code, user): (Code, Option<(Entity, Id<Domain>)>)) {
    let remote = match &user {
        Some(_) => OTHERS.to_owned(),
        None => call.remote.clone().unwrap_or_default(),
    };
    let (entity, domain_id) = user.unzip();
    turned_away(front, call, (code, remote), (Wanted::LogIn(entity), domain_id));
}

fn turned_away(
    front: &Front,
    call: &Call,
    (code, remote): (Code, String),
    (wanted, domain_id): (Wanted, Option<Id<Domain>>),
) {
    front.app.strangers.turned_away(Stranger {
        wanted,
        domain_id,
        code,
        at: call.now,
        remote,
        route: "login".to_owned(),
        user_agent: call.user_agent.clone(),
    });
}

fn closed(why: Closed, wait: TimeDelta) -> Error {
    let detail = match why {
        Closed::Name => {
            "too many wrong passwords for this name; no password of it is looked at for a while"
        }
        Closed::Address => "too many wrong passwords from this address",
        Closed::Busy => "this name is being logged in with already; try again",
    };
    let seconds = u32::try_from(wait.num_seconds()).unwrap_or(CROWDED).saturating_add(1);
    Error { retry_after: Some(seconds), ..Error::new(Code::TooManyRequests, detail) }
}

fn crowded() -> Error {
    Error::unavailable("too many are logging in at this moment", CROWDED)
}

/// `error`, once as much time has passed as any refusal takes.
async fn unhurried(timing: Stopwatch, error: Error) -> Error {
    let passed = timing.elapsed().as_millis();
    let step = ANSWERED_AFTER.as_millis();
    let left = step - passed % step;
    tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or_default())).await;
    error
}
