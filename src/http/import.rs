//! Bringing records in: bodies with one record a line, larger than those of other methods.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, Payload, ServiceConfig},
};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{Front, audited, body, caller, openapi, problem, refusing, watch};
use crate::{
    api::{
        Call,
        import::{self, AlertLines, EventLines, Imported},
    },
    domain::token::Right,
    error::{Code, Error, Result},
    store::Bulk,
};

/// The largest body, decompressed. A client cuts a file into bodies of a quarter of it, so that one long record fits too.
const LARGEST: usize = 16 << 20;

const EVENTS: &str = "/api/v1/event/import";
const ALERTS: &str = "/api/v1/alert/import";

/// Adds the addresses of imports.
pub(super) fn addresses(server: &mut ServiceConfig) {
    for (path, bulk) in [(EVENTS, Bulk::Events), (ALERTS, Bulk::Alerts)] {
        let answer = move |front: Data<Front>, request: HttpRequest, payload: Payload| async move {
            let answering = async {
                match run(bulk, front, &request, payload).await {
                    Ok(json) => HttpResponse::Ok().content_type("application/json").body(json),
                    Err(error) => problem::answer(&request, &error),
                }
            };
            watch::guarded(request.clone(), answering).await
        };
        server.service(
            web::resource(path).route(web::post().to(answer)).default_service(refusing("POST")),
        );
    }
}

const fn name(bulk: Bulk) -> &'static str {
    match bulk {
        Bulk::Events => "event.import",
        Bulk::Alerts => "alert.import",
    }
}

async fn run(
    bulk: Bulk,
    front: Data<Front>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Vec<u8>> {
    let (call, payload) = caller::admitted(&front, request, payload).await?;
    if !call.caller.role.allows(Right::Administer) {
        body::drain(payload, &front.app.config).await;
        return Err(refused(bulk, &front, call).await);
    }
    let body = body::read_up_to(LARGEST, request.headers(), payload, &front.app.config).await;
    let call = caller::again(&front, request)?;
    if !call.caller.role.allows(Right::Administer) {
        return Err(refused(bulk, &front, call).await);
    }
    match body {
        Ok(body) => add(bulk, &front, call, body.bytes).await,
        Err(error) => Err(audited::refused(&front.app, name(bulk), call, error).await),
    }
}

/// What a caller is told whose role does not allow it.
async fn refused(bulk: Bulk, front: &Data<Front>, call: Call) -> Error {
    let detail = format!("a {} may not call `{}`", call.caller.role, name(bulk));
    let error = Error::new(Code::PermissionDenied, detail);
    audited::refused(&front.app, name(bulk), call, error).await
}

async fn add(bulk: Bulk, front: &Data<Front>, call: Call, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let name = name(bulk);
    match bulk {
        Bulk::Events => {
            let lines = match apart(move || EventLines::read(&bytes)).await {
                Ok(lines) => lines,
                Err(error) => return Err(audited::refused(&front.app, name, call, error).await),
            };
            audited::write(&front.app, name, call, |tx, call| import::events(tx, call, lines)).await
        }
        Bulk::Alerts => {
            let lines = apart(move || Ok(AlertLines::read(&bytes))).await?;
            audited::write(&front.app, name, call, |tx, call| import::alerts(tx, call, lines)).await
        }
    }
}

/// Does what takes its time on a thread of its own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// Describes the imports.
pub(super) fn describe(paths: &mut Map<String, Value>, schemas: &mut SchemaGenerator) {
    let response = schemas.subschema_for::<Imported>().to_value();
    let codes = [
        Code::AuthenticateFailure,
        Code::PermissionDenied,
        Code::BadTransfer,
        Code::PayloadTooLarge,
        Code::RequestTimeout,
        Code::Internal,
        Code::Unavailable,
    ];
    for (path, bulk, summary) in [
        (
            EVENTS,
            Bulk::Events,
            "Adds events from another store, with their identifiers, scopes and times.",
        ),
        (
            ALERTS,
            Bulk::Alerts,
            "Adds alerts from another store, with their identifiers, numbers, scopes and times.",
        ),
    ] {
        let mut responses = openapi::errors(path, codes.to_vec());
        responses.insert(
            "200".to_owned(),
            json!({
                "description": "What became of each line. A line that is refused stops no other.",
                "content": { "application/json": { "schema": response } },
            }),
        );
        let operation = json!({
            "operationId": name(bulk),
            "tags": [name(bulk).split('.').next()],
            "summary": summary,
            "description": format!(
                "The body has one record a line, as an export writes them, and at most {} MiB. Scopes and webhooks that are \
                 not there are made. What is there already is left as it is. Import alerts before their events. {} Each \
                 call is recorded in the audit trail.",
                LARGEST >> 20,
                openapi::needs(Right::Administer),
            ),
            "requestBody": {
                "required": true,
                "content": { "application/x-ndjson": { "schema": { "type": "string" } } },
            },
            "responses": responses,
        });
        paths.insert(path.to_owned(), json!({ "post": operation }));
    }
}
