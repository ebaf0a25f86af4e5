//! Who calls: the holder of a bearer token, as it stands at this moment.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::header,
    web::{Data, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Front, body, watch::Moment};
use crate::{
    api::{Call, Caller, Journal},
    digest::sha256,
    error::{Code, Error, Result},
    metrics::KindLabels,
};

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
    let token = bearer(request)
        .and_then(|token| app.store.snapshots().tokens.get(&sha256(token.as_bytes())));
    let Some(token) = token.filter(|token| token.is_live(moment.now)) else {
        app.metrics.rejected.get_or_create(&KindLabels { kind: "token" }).inc();
        let detail =
            "send `Authorization: Bearer <token>` with a token that is neither revoked nor expired";
        return Err(Error::new(Code::AuthenticateFailure, detail));
    };
    let caller = Caller {
        actor: format!("token:{}", token.token_id),
        role: token.role,
        scope: token.scope.clone(),
        token_id: token.token_id.clone(),
    };
    let plugins = app.intake.books.load().plugins.names().map(str::to_owned).collect();
    let (store, edge) = (app.store.clone(), front.clone());
    Ok(Call {
        caller: Arc::new(caller),
        now: moment.now,
        request_id: moment.request_id,
        remote: Some(moment.remote),
        mint: app.clock.mint().clone(),
        public_url: app.public_url().to_owned(),
        plugins: Arc::new(plugins),
        requests: Arc::new(move |webhook| {
            store.snapshots().requests.get(webhook).as_deref().copied().unwrap_or_default()
        }),
        refused: Arc::new(move |webhook| match webhook {
            Some(webhook) => edge.refusals.of(webhook),
            None => edge.refusals.of_nobody(),
        }),
        notes: Journal::default(),
    })
}

/// The bearer token of a request, if it has one.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The password of a request, if it shows one.
pub(super) fn password(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, pair) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(pair.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
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
