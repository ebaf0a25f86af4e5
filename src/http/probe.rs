//! Questions at the door that deliver nothing: probes, challenges in the query string, what is allowed.

use actix_web::{
    HttpRequest, HttpResponse, Route, guard,
    http::{Method as Verb, StatusCode, header},
    web::{self, Data},
};

use super::{
    Front,
    body::Body,
    problem,
    watch::guarded,
    webhook::{delivery, handshake_answer, let_in, note_refusal},
};
use crate::{error::Result, ingest, plugins::Method};

/// The methods that the door knows.
pub(super) const ALLOWED: &str = "POST, PUT, GET, HEAD, OPTIONS";

/// The header by which a sender of `CloudEvents` asks whether it may send (HTTP Webhooks for Event Delivery, section 4).
const MAY_SEND: &str = "WebHook-Request-Origin";

/// What answers them.
pub(super) fn route() -> Route {
    let asks = guard::Any(guard::Get()).or(guard::Head()).or(guard::Options());
    web::route().guard(asks).to(asked)
}

async fn asked(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    guarded(request.clone(), async {
        answer(&front, &request).unwrap_or_else(|error| {
            note_refusal(&front, &request, &error);
            problem::answer(&request, &error)
        })
    })
    .await
}

/// The answer of the webhook's plugin, or else ours, to who shows the key.
fn answer(front: &Front, request: &HttpRequest) -> Result<HttpResponse> {
    let webhook = let_in(front, request)?;
    let body = Body { bytes: Vec::new(), was_compressed: false };
    let delivery = delivery(front, request, body)?;
    let method = match *request.method() {
        Verb::HEAD => Method::Head,
        Verb::OPTIONS => Method::Options,
        _ => Method::Get,
    };
    let handshake = ingest::probe(&front.app.intake, &webhook, (method, &delivery))?;
    Ok(match (handshake, method) {
        (Some(handshake), _) => handshake_answer(handshake),
        (None, Method::Options) => allowed(request),
        (None, Method::Get | Method::Head | Method::Post) => {
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
        }
    })
}

/// What is allowed here, also in the words of `CloudEvents`.
fn allowed(request: &HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::build(StatusCode::NO_CONTENT);
    answer.insert_header((header::ALLOW, ALLOWED));
    if let Some(origin) = request.headers().get(MAY_SEND) {
        answer.insert_header(("WebHook-Allowed-Origin", origin.clone()));
        answer.insert_header(("WebHook-Allowed-Rate", "*"));
    }
    answer.finish()
}
