//! The door that monitoring systems knock on. Its addresses hold keys, so no path is ever logged or answered.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, guard,
    http::{StatusCode, header},
    web::{self, Data, Payload, ServiceConfig},
};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{
    Front,
    body::{self, Body},
    caller::{bearer, password, turned_away},
    decode, method, openapi, probe, problem,
    receipt::ReceiptInfo,
    refusing,
    watch::{Moment, guarded},
};
use crate::{
    api::Refused,
    digest::{Digest, sha256},
    domain::{
        audit::Entity,
        delivery::{Delivery, PresentedKey},
        receipt::Receipt,
        webhook::Webhook,
    },
    error::{Code, Error, Result},
    id::Id,
    ingest::{self, Answer},
    jobs::Wanted,
    metrics::KindLabels,
    plugins::Handshake,
};

/// The headers that carry credentials; they are never kept.
/// `authorization` is one too, which some senders sign in: it goes no further than the signature's check.
const CREDENTIALS: [&str; 3] = ["x-access-key", "cookie", "proxy-authorization"];

/// The door's address with the key in it, as Cloudforet has it.
const WITH_KEY: &str = "/monitoring/v1/webhook/{webhook_id}/{access_key}/events";

/// The door's address for senders that show the key in a header.
const WITHOUT_KEY: &str = "/monitoring/v1/webhook/{webhook_id}/events";

/// The same with what senders append whose own API these addresses stand in for.
const WITH_KEY_AND_MORE: &str = "/monitoring/v1/webhook/{webhook_id}/{access_key}/events/{path:.*}";

/// The same without the key.
const WITHOUT_KEY_AND_MORE: &str = "/monitoring/v1/webhook/{webhook_id}/events/{path:.*}";

/// What a delivery can be refused with.
const REFUSALS: [Code; 8] = [
    Code::BadTransfer,
    Code::AuthenticateFailure,
    Code::WebhookDisabled,
    Code::RequestTimeout,
    Code::PayloadTooLarge,
    Code::TooManyRequests,
    Code::Internal,
    Code::Unavailable,
];

/// Adds the door's addresses to a server.
pub(super) fn addresses(server: &mut ServiceConfig, bench: bool) {
    for path in [WITH_KEY, WITHOUT_KEY, WITH_KEY_AND_MORE, WITHOUT_KEY_AND_MORE] {
        let deliveries = web::route().guard(guard::Any(guard::Post()).or(guard::Put()));
        let door = web::resource(path).route(deliveries.to(receive)).route(probe::route());
        server.service(door.default_service(refusing(probe::ALLOWED)));
    }
    if bench {
        server.route("/bench/nothing", web::post().to(nothing));
    }
}

/// Takes in one delivery.
async fn receive(front: Data<Front>, request: HttpRequest, payload: Payload) -> HttpResponse {
    guarded(request.clone(), async {
        match admitted(&front, &request, payload).await {
            Ok(answer) => answered(answer),
            Err(error) => {
                note_refusal(&front, &request, &error);
                problem::answer(&request, &error)
            }
        }
    })
    .await
}

/// Lets in who may come in before the body is read, so that strangers cannot make us keep or inflate one.
async fn admitted(front: &Front, request: &HttpRequest, payload: Payload) -> Result<Answer> {
    let app = &front.app;
    let webhook = match let_in(front, request) {
        Ok(webhook) => webhook,
        Err(error) => {
            body::drain(payload, &app.config).await;
            return Err(error);
        }
    };
    let body = body::read(request.headers(), payload, &app.config).await?;
    ingest::ingest(&app.intake, webhook, delivery(front, request, body)?).await
}

/// The webhook that a request is for, if it shows the key and is not too many.
pub(super) fn let_in(front: &Front, request: &HttpRequest) -> Result<Arc<Webhook>> {
    let (app, moment) = (&front.app, Moment::of(request)?);
    let (webhook_id, presented) = (webhook_id(request), PresentedKey(presented_key(request)));
    let snapshots = app.store.snapshots();
    let webhook =
        ingest::authenticate(snapshots.webhooks.get(&webhook_id), &presented, moment.now)?;
    front.rates.take(&webhook, app.config.rate_limit, snapshots)?;
    Ok(webhook)
}

/// What a request delivers with this body.
pub(super) fn delivery(front: &Front, request: &HttpRequest, body: Body) -> Result<Delivery> {
    let moment = Moment::of(request)?;
    Ok(Delivery {
        delivery_id: front.app.clock.mint().id(moment.now),
        webhook_id: webhook_id(request),
        presented: PresentedKey(presented_key(request)),
        headers: headers(request, body.was_compressed),
        query: query(request),
        body: body.bytes,
        remote: moment.remote,
        received_at: moment.now,
    })
}

/// The parameters of the query string, and as `path` what follows the door's address.
fn query(request: &HttpRequest) -> BTreeMap<String, String> {
    let mut query: BTreeMap<String, String> =
        serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    if let Some(path) = request.match_info().get("path").filter(|path| !path.is_empty()) {
        // The router leaves these three as they are escaped.
        let path = || path.replace("%2F", "/").replace("%2B", "+").replace("%25", "%");
        query.entry("path".to_owned()).or_insert_with(path);
    }
    query
}

fn webhook_id(request: &HttpRequest) -> Id<Webhook> {
    request.match_info().query("webhook_id").into()
}

/// Counts a refusal, and keeps a trace of it where it is the sender's to mend.
pub(super) fn note_refusal(front: &Front, request: &HttpRequest, error: &Error) {
    let kind = error.code.name();
    front.app.metrics.rejected.get_or_create(&KindLabels { kind }).inc();
    let Ok(moment) = Moment::of(request) else { return };
    if matches!(error.code, Code::AuthenticateFailure | Code::WebhookDisabled) {
        let webhook = front.app.store.snapshots().webhooks.get(&webhook_id(request));
        let domain_id = webhook.as_ref().map(|webhook| webhook.home.domain_id.clone());
        let entity = webhook.map(|webhook| {
            Entity::new("webhook", &webhook.webhook_id).called(Some(webhook.name.clone()))
        });
        turned_away(front, request, (Wanted::Deliver(entity), domain_id), error.code);
    }
    if error.code.status() < 500 {
        let refused = Refused {
            at: moment.now,
            webhook_id: webhook_id(request).to_string(),
            remote: moment.remote,
            reason: format!("{kind}: {}", error.detail),
        };
        front.refusals.remember(refused, front.app.store.snapshots());
    }
}

/// The digest of the access key that a sender shows: in the path, as bearer token, as the password of a user of any
/// name, or in a header of its own.
fn presented_key(request: &HttpRequest) -> Digest {
    let named = || request.headers().get("x-access-key").and_then(|value| value.to_str().ok());
    let key = request.match_info().get("access_key").or_else(|| bearer(request)).or_else(named);
    let key = key.map(Cow::Borrowed).or_else(|| password(request).map(Cow::Owned));
    sha256(key.unwrap_or_default().as_bytes())
}

/// The headers worth keeping, by lower-case name.
fn headers(request: &HttpRequest, was_compressed: bool) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::<String, String>::new();
    for (name, value) in request.headers() {
        let is_undone = was_compressed && name == header::CONTENT_ENCODING;
        if is_undone || CREDENTIALS.contains(&name.as_str()) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        match kept.get_mut(name.as_str()) {
            Some(before) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            None => {
                kept.insert(name.as_str().to_owned(), value.into_owned());
            }
        }
    }
    kept
}

fn answered(answer: Answer) -> HttpResponse {
    match answer {
        Answer::Receipt(receipt) => receipt_answer(receipt),
        Answer::Handshake(handshake) => handshake_answer(handshake),
    }
}

/// The answer that a handshake asks for.
pub(super) fn handshake_answer(handshake: Handshake) -> HttpResponse {
    let status = StatusCode::from_u16(handshake.status).unwrap_or(StatusCode::OK);
    let mut answer = HttpResponse::build(status);
    answer.content_type(handshake.content_type);
    for header in handshake.headers {
        answer.append_header(header);
    }
    answer.body(handshake.body)
}

fn receipt_answer(receipt: Receipt) -> HttpResponse {
    if !receipt.is_understood() {
        tracing::warn!(
            receipt.id = %receipt.receipt_id,
            webhook.id = %receipt.webhook_id,
            state = %receipt.state,
            "delivery kept, not understood"
        );
    }
    let status = if receipt.is_understood() { StatusCode::OK } else { StatusCode::ACCEPTED };
    match method::json(&ReceiptInfo::from(receipt)) {
        Ok(body) => HttpResponse::build(status).content_type("application/json").body(body),
        // It is kept, so the sender must not send it again, whatever we fail to say about it.
        Err(_) => HttpResponse::build(status).finish(),
    }
}

/// Parses a delivery and answers without keeping it: what the rest is measured against.
async fn nothing(front: Data<Front>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let parsed = body::read(request.headers(), payload, &front.app.config).await.and_then(parsed);
    match parsed {
        Ok(fields) => HttpResponse::Ok().json(json!({ "fields": fields })),
        Err(error) => problem::answer(&request, &error),
    }
}

fn parsed(body: Body) -> Result<usize> {
    decode::object(&body.bytes).map(|value| value.as_object().map_or(0, Map::len))
}

/// Adds the door to a description of the API.
pub(super) fn describe(paths: &mut Map<String, Value>, schemas: &mut SchemaGenerator) {
    let receipt = schemas.subschema_for::<ReceiptInfo>().to_value();
    for (path, operation_id, names) in [
        (WITH_KEY, "webhook.receive", ["webhook_id", "access_key"].as_slice()),
        (WITHOUT_KEY, "webhook.receive_with_header", ["webhook_id"].as_slice()),
    ] {
        let mut responses = openapi::errors(path, REFUSALS.to_vec());
        for (status, description) in [
            ("200", "It is kept, and all of it was understood."),
            ("202", "It is kept, but something in it was not understood; it can be driven again."),
        ] {
            let content = json!({ "application/json": { "schema": receipt } });
            responses.insert(
                status.to_owned(),
                json!({ "description": description, "content": content }),
            );
        }
        let parameters: Vec<Value> = names
            .iter()
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        let security = if path == WITH_KEY {
            json!([])
        } else {
            json!([{ "access_key": [] }, { "token": [] }])
        };
        let operation = json!({
            "operationId": operation_id,
            "tags": ["webhook"],
            "summary": "Takes in what a monitoring system posts.",
            "description": "Whatever the body is, it is kept as it came. A second delivery with the same \
                `Idempotency-Key`, or the sender's own delivery id, gets the receipt of the first. As bearer token it \
                takes the access key of the webhook.",
            "security": security,
            "parameters": parameters,
            "requestBody": { "required": true, "content": { "*/*": {} } },
            "responses": responses,
        });
        paths.insert(path.to_owned(), json!({ "post": operation }));
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn credentials_are_left_at_the_door_but_for_what_may_be_a_signature() {
        let request = TestRequest::default()
            .insert_header(("Authorization", "Bearer secret"))
            .insert_header(("X-Access-Key", "secret"))
            .insert_header(("Cookie", "secret"))
            .insert_header(("Content-Encoding", "gzip"))
            .append_header(("X-Trace", "a"))
            .append_header(("X-Trace", "b"))
            .to_http_request();
        let kept = headers(&request, true);
        let expected = [("authorization", "Bearer secret"), ("x-trace", "a, b")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(kept, BTreeMap::from(expected));
    }

    #[test]
    fn a_key_may_be_in_the_path_or_in_a_header() {
        let in_path = TestRequest::default().param("access_key", "k").to_http_request();
        let bearer =
            TestRequest::default().insert_header(("Authorization", "Bearer k")).to_http_request();
        let named = TestRequest::default().insert_header(("X-Access-Key", "k")).to_http_request();
        for request in [in_path, bearer, named] {
            assert_eq!(presented_key(&request), sha256(b"k"));
        }
    }
}
