//! Who calls: the holder of a bearer token, as it stands at this moment.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::header,
    web::{Data, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Front, body,
    problem::Dialect,
    watch::{Moment, route_of},
};
use crate::{
    api::{Call, Caller, Journal},
    app::App,
    clock::Timestamp,
    digest::{Digest, sha256},
    domain::{
        audit::Entity,
        project::Domain,
        scope::Scope,
        token::{Holder, Token},
        user::UserState,
        words::Role,
    },
    error::{Code, Error, Result},
    id::Id,
    jobs::{Stranger, Wanted},
    metrics::KindLabels,
};

/// How much is kept of the name that a program gives itself, in characters.
const LONGEST_AGENT: usize = 256;

/// The circumstances of a call, and its body; what a stranger sends is read and forgotten.
///
/// # Errors
/// As [`call`].
pub(super) async fn admitted(
    front: &Data<Front>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(Call, Payload)> {
    match call(front, request) {
        Ok(call) => Ok((call, payload)),
        Err(error) => {
            body::drain(payload, &front.app.config).await;
            Err(error)
        }
    }
}

/// The circumstances of a call.
///
/// # Errors
/// `ERROR_AUTHENTICATE_FAILURE` without a token that works at the moment.
pub(super) fn call(front: &Data<Front>, request: &HttpRequest) -> Result<Call> {
    let (app, moment) = (&front.app, Moment::of(request)?);
    let Some(caller) = caller(app, request, &moment) else {
        app.metrics.rejected.get_or_create(&KindLabels { kind: "token" }).inc();
        turned_away(
            front,
            request,
            (Wanted::Call(expired(app, request)), None),
            Code::AuthenticateFailure,
        );
        let detail =
            "send `Authorization: Bearer <token>` with a token that is neither revoked nor expired";
        return Err(Error::new(Code::AuthenticateFailure, detail));
    };
    Ok(circumstances(front, request, caller, moment))
}

/// The circumstances of a call once its body is there, which may have taken a while: by the clock of now, and with the
/// rights that its caller has now.
///
/// # Errors
/// As [`call`].
pub(super) fn again(front: &Data<Front>, request: &HttpRequest) -> Result<Call> {
    Moment::renew(&front.app, request)?;
    call(front, request)
}

/// The same for a call that needs no token.
///
/// # Errors
/// As [`anyone`].
pub(super) fn anyone_now(front: &Data<Front>, request: &HttpRequest) -> Result<Call> {
    Moment::renew(&front.app, request)?;
    anyone(front, request)
}

/// Makes sure that whoever called may still do what they could when they called: what takes long asks in between.
///
/// # Errors
/// `ERROR_AUTHENTICATE_FAILURE` where that is not so.
pub(super) fn unchanged(app: &App, request: &HttpRequest, caller: &Caller) -> Result<()> {
    let shown = credential(request).map(|shown| sha256(shown.as_bytes()));
    let rights = shown.and_then(|token| rights(app, &token, app.clock.now()));
    if rights.is_some_and(|(role, scope)| role == caller.role && scope == caller.scope) {
        return Ok(());
    }
    let detail = "the token was taken back, or what its holder may do has changed meanwhile";
    Err(Error::new(Code::AuthenticateFailure, detail))
}

/// The circumstances of a call that needs no token; nobody calls where none is shown that works.
///
/// # Errors
/// Where nobody watches over the request.
pub(super) fn anyone(front: &Data<Front>, request: &HttpRequest) -> Result<Call> {
    let moment = Moment::of(request)?;
    let caller = caller(&front.app, request, &moment).unwrap_or_else(Caller::nobody);
    Ok(circumstances(front, request, caller, moment))
}

/// Who holds the token that a request shows, if it works at the moment.
fn caller(app: &App, request: &HttpRequest, moment: &Moment) -> Option<Caller> {
    let shown = credential(request)?;
    let token = app.store.snapshots().tokens.get(&sha256(shown.as_bytes()))?;
    let token = Some(token).filter(|token| token.is_live(moment.now))?;
    let actor = token.actor();
    let (name, role, scope) = holder(app, &token)?;
    let (actor, token_id) = (actor.to_string(), token.token_id.clone());
    Some(Caller { actor, name, role, scope, token_id })
}

/// What whoever holds the token of this digest may do and may see at `now`; `None` where it works no more.
pub(super) fn rights(app: &App, token: &Digest, now: Timestamp) -> Option<(Role, Scope)> {
    let token = app.store.snapshots().tokens.get(token)?;
    let (_, role, scope) = holder(app, &token).filter(|_| token.is_live(now))?;
    Some((role, scope))
}

/// What whoever holds a token is called, may do and may see, as it is now; `None` for one that may not come in.
fn holder(app: &App, token: &Token) -> Option<(String, Role, Scope)> {
    let snapshots = app.store.snapshots();
    let (name, role, scope, state) = match &token.holder {
        Holder::Nobody => return Some((token.name.clone(), token.role, token.scope.clone())),
        Holder::User(id) => {
            let user = snapshots.users.get(id)?;
            (user.name.clone(), user.role, user.scope.clone(), user.state)
        }
        Holder::Application(id) => {
            let found = snapshots.applications.get(id)?;
            (found.name.clone(), found.role, found.scope.clone(), found.state)
        }
    };
    (state == UserState::Enabled).then_some((name, role, scope))
}

/// The token that a request shows, where it is one that has run out.
fn expired(app: &App, request: &HttpRequest) -> Option<Entity> {
    let shown = credential(request)?;
    let token = app.store.snapshots().tokens.get(&sha256(shown.as_bytes()))?;
    Some(Entity::new("token", &token.token_id).called(Some(token.name.clone())))
}

/// Counts somebody who was turned away before it was known who they are.
pub(super) fn turned_away(
    front: &Front,
    request: &HttpRequest,
    (wanted, domain_id): (Wanted, Option<Id<Domain>>),
    code: Code,
) {
    let Ok(moment) = Moment::of(request) else { return };
    front.app.strangers.turned_away(Stranger {
        wanted,
        domain_id,
        code,
        at: moment.now,
        remote: moment.remote,
        route: route_of(request),
        user_agent: agent(request),
    });
}

/// The program that a request came from, as that names itself.
pub(super) fn agent(request: &HttpRequest) -> Option<String> {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect())
}

fn circumstances(
    front: &Data<Front>,
    request: &HttpRequest,
    caller: Caller,
    moment: Moment,
) -> Call {
    let app = &front.app;
    let books = app.intake.books.load_full();
    let plugins = books.plugins.names().map(str::to_owned).collect();
    let kinds = Arc::clone(&books.kinds);
    let (store, edge) = (app.store.clone(), front.clone());
    Call {
        caller: Arc::new(caller),
        now: moment.now,
        request_id: moment.request_id,
        remote: Some(moment.remote),
        user_agent: agent(request),
        mint: app.clock.mint().clone(),
        public_url: app.public_url().to_owned(),
        plugins: Arc::new(plugins),
        defaults: Arc::new(move |provider| {
            books.plugins.get(provider).map(|plugin| plugin.defaults().clone()).unwrap_or_default()
        }),
        kinds,
        requests: Arc::new(move |webhook| {
            store.snapshots().requests.get(webhook).as_deref().copied().unwrap_or_default()
        }),
        refused: Arc::new(move |webhook| match webhook {
            Some(webhook) => edge.refusals.of(webhook),
            None => edge.refusals.of_nobody(),
        }),
        notes: Journal::default(),
    }
}

/// What a request shows to be let in: a bearer token; in the dialect whose clients do so also the password of Basic
/// authentication, or the cookie of a session.
pub(super) fn credential(request: &HttpRequest) -> Option<String> {
    let bearer = bearer(request).map(str::to_owned);
    match Dialect::met_by(request) {
        Dialect::Iguazio => bearer.or_else(|| password(request)).or_else(|| session(request)),
        Dialect::Native | Dialect::Cloudforet | Dialect::Runai | Dialect::H2o => bearer,
    }
}

/// The session that a cookie names: `session=j:{"sid":"…"}`, percent-encoded or not.
fn session(request: &HttpRequest) -> Option<String> {
    let cookie = request.cookie("session")?;
    let written = cookie.value().trim_matches('"').replace('\\', "");
    let decoded: Vec<(String, String)> =
        serde_urlencoded::from_str(&format!("v={}", written.replace('+', "%2B"))).ok()?;
    let (_, text) = decoded.into_iter().next()?;
    let named: serde_json::Value = serde_json::from_str(text.strip_prefix("j:")?).ok()?;
    named["sid"].as_str().map(str::to_owned)
}

/// The bearer token of a request, if it has one.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The password of a request, if it shows one.
pub(super) fn password(request: &HttpRequest) -> Option<String> {
    basic(request).map(|(_, password)| password)
}

/// The name and the password of a request, if it shows them.
pub(super) fn basic(request: &HttpRequest) -> Option<(String, String)> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, pair) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(pair.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_bearer_token_is_one() {
        for (value, token) in [
            ("Bearer amt_1", Some("amt_1")),
            ("bearer  amt_1 ", Some("amt_1")),
            ("Basic amt_1", None),
            ("amt_1", None),
        ] {
            let request =
                TestRequest::default().insert_header(("authorization", value)).to_http_request();
            assert_eq!(bearer(&request), token, "{value}");
        }
    }
}
