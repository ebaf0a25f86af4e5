//! `POST /oauth2/token`: an application's identifier and secret for a bearer token, as OAuth 2 asks for it (RFC 6749, 4.4).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Data, Payload, ServiceConfig},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{Front, body, caller, refusing, watch};
use crate::{
    api::user::Typed,
    error::{Code, Error, Result},
};

/// Where a token is asked for.
const PATH: &str = "/oauth2/token";

/// Adds it to a description of the API.
pub(crate) fn describe(paths: &mut Map<String, Value>) {
    let text = json!({ "type": "string" });
    let object = |properties: Value| json!({ "application/json": { "schema": { "type": "object", "properties": properties } } });
    let given = object(
        json!({ "access_token": text, "token_type": text, "expires_in": { "type": "integer" } }),
    );
    let refused = object(json!({ "error": text, "error_description": text }));
    let form = json!({
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": { "const": "client_credentials" }, "client_id": text, "client_secret": text,
        },
    });
    let mut responses = Map::new();
    for (status, description, content) in [
        ("200", "The token.", &given),
        ("400", "`invalid_request` or `unsupported_grant_type`.", &refused),
        ("401", "`invalid_client`: no such application, or another secret.", &refused),
        ("500", "`server_error`.", &refused),
        ("503", "`server_error`: too many wait to be let in.", &refused),
    ] {
        responses
            .insert(status.to_owned(), json!({ "description": description, "content": content }));
    }
    let operation = json!({
        "operationId": "application.token",
        "tags": ["application"],
        "summary": "Gives an application a bearer token for its identifier and secret (RFC 6749, 4.4).",
        "description": "Needs no token. The identifier and the secret stand in the form, or are shown by Basic.",
        "security": [{}, { "client": [] }],
        "requestBody": {
            "required": true, "content": { "application/x-www-form-urlencoded": { "schema": form } },
        },
        "responses": responses,
    });
    paths.insert(PATH.to_owned(), json!({ "post": operation }));
}

/// What is asked for.
#[derive(Debug, Deserialize)]
struct Form {
    #[serde(default)]
    grant_type: String,
    client_id: Option<String>,
    client_secret: Option<Typed>,
}

/// Adds the address to a server.
pub(crate) fn addresses(server: &mut ServiceConfig) {
    let answer = |front: Data<Front>, request: HttpRequest, payload: Payload| async move {
        watch::guarded(request.clone(), answered(front, request, payload)).await
    };
    server.service(
        web::resource(PATH).route(web::post().to(answer)).default_service(refusing("POST")),
    );
}

async fn answered(front: Data<Front>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match token(&front, &request, payload).await {
        Ok(answer) => answer,
        Err(error) => refusal(&error),
    }
}

async fn token(
    front: &Data<Front>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let body = body::read(request.headers(), payload, &front.app.config).await;
    let call = caller::anyone_now(front, request)?;
    let asked = body.and_then(|body| read(request, &body.bytes));
    let (id, secret) = match asked {
        Ok(pair) => pair,
        Err(error) if error.code == Code::AuthenticateFailure => {
            return Err(super::no_application(front, &call, None, &error.detail));
        }
        Err(error) => {
            super::misasked(front, &call, (super::APPLICATION, error.code));
            return Err(error);
        }
    };
    let given = super::application(front, &call, (&id, &secret)).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({
        "access_token": given.token, "token_type": "Bearer", "expires_in": given.expires_in,
    })))
}

/// The identifier and the secret that are shown.
fn read(request: &HttpRequest, body: &[u8]) -> Result<(String, String)> {
    let form: Form = serde_urlencoded::from_bytes(body).map_err(|_| {
        let detail = "the body is a form, e.g. `grant_type=client_credentials`";
        Error::new(Code::InvalidParameter, detail)
    })?;
    if form.grant_type != "client_credentials" {
        let detail = "`grant_type` is `client_credentials`";
        return Err(Error::at(Code::OperatorValueType, "/grant_type", detail));
    }
    let given = || Some((form.client_id?, form.client_secret?.reveal().to_owned()));
    caller::basic(request).or_else(given).ok_or_else(|| {
        let detail = "give `client_id` and `client_secret`, or the same by Basic authentication";
        Error::new(Code::AuthenticateFailure, detail)
    })
}

/// A refusal in the words of RFC 6749, 5.2.
fn refusal(error: &Error) -> HttpResponse {
    let (status, word) = match error.code {
        Code::AuthenticateFailure => (StatusCode::UNAUTHORIZED, "invalid_client"),
        Code::OperatorValueType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        code if code.status() < 500 => (StatusCode::BAD_REQUEST, "invalid_request"),
        code => {
            tracing::error!(%error, cause = ?error.cause, "a token could not be given");
            let status = StatusCode::from_u16(code.status());
            (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), "server_error")
        }
    };
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"alertmill\""));
    }
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "error": word, "error_description": error.detail }))
}
