//! `GET /api/v1/stream`: server-sent events. Each reader pulls from the store at its own pace; nothing is queued for it but
//! the messages of one short read.

mod message;
mod pace;
mod reader;

use std::{convert::Infallible, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes, Data, Payload, ServiceConfig},
};
use futures_util::stream::unfold;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

pub(super) use self::pace::Streams;
use self::reader::Reader;
use super::{
    Front, caller,
    decode::{self, Sent},
    openapi, problem, refusing,
    watch::guarded,
};
use crate::{
    api::stream::Stream,
    digest::sha256,
    error::{Code, Error, Result},
};

/// Its address.
const PATH: &str = "/api/v1/stream";

/// The header by which a reader that comes back says what it read last.
const LAST_EVENT_ID: &str = "last-event-id";

/// Adds its address to a server.
pub(super) fn addresses(server: &mut ServiceConfig) {
    server
        .service(web::resource(PATH).route(web::get().to(answer)).default_service(refusing("GET")));
}

async fn answer(front: Data<Front>, request: HttpRequest, _body: Payload) -> HttpResponse {
    guarded(request.clone(), async {
        match opened(&front, &request) {
            Ok(reader) => streaming(reader),
            Err(error) => problem::answer(&request, &error),
        }
    })
    .await
}

/// A reader's stream, if it may have one.
fn opened(front: &Data<Front>, request: &HttpRequest) -> Result<Reader> {
    let call = caller::call(front, request)?;
    let digest = sha256(caller::bearer(request).unwrap_or_default().as_bytes());
    let asked: Stream = decode::request(Sent::Form(request.query_string().to_owned()))?;
    let watched = Arc::new(asked.checked(call.now)?);
    let header = request.headers().get(LAST_EVENT_ID).map(|value| value.to_str());
    let header = header.transpose().map_err(|_| {
        let detail = "the header `Last-Event-ID` is no id of a message of this stream";
        Error::at(Code::InvalidParameter, "/last_event_id", detail)
    })?;
    let place = asked.place(header)?;
    Reader::open(front, watched, digest, place)
}

fn streaming(reader: Reader) -> HttpResponse {
    let messages = unfold(reader, |mut reader| async move {
        let bytes: Bytes = reader.next().await?;
        Some((Ok::<_, Infallible>(bytes), reader))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Some proxies hold an answer back until it is whole unless they are told not to.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(messages)
}

/// Adds it to a description of the API.
pub(super) fn describe(paths: &mut Map<String, Value>, schemas: &mut SchemaGenerator) {
    let request = schemas.subschema_for::<Stream>().to_value();
    let parameters = openapi::parameters(PATH, &request, schemas);
    let codes = vec![
        Code::InvalidParameter,
        Code::Query,
        Code::RequiredParameter,
        Code::AuthenticateFailure,
        Code::Unavailable,
    ];
    let mut responses = openapi::errors(PATH, codes);
    let content = json!({ "text/event-stream": { "schema": { "type": "string" } } });
    let description = "Messages as they happen (server-sent events): `event`, `alert.opened`, `alert.changed`, \
        `alert.resolved`, `alert.deleted`, and at the end of a stream that the server ends, `dropped` with the reason.";
    responses.insert("200".to_owned(), json!({ "description": description, "content": content }));
    let operation = json!({
        "operationId": "stream",
        "tags": ["stream"],
        "summary": "Tells what happens to events and alerts, as it happens.",
        "description": "Any token may call it; it tells what lies within the token's scope. Each message has an `id`; who \
            sends it back as `Last-Event-ID` goes on after it, without loss or repeat.",
        "parameters": parameters,
        "responses": responses,
    });
    paths.insert(PATH.to_owned(), json!({ "get": operation }));
}
