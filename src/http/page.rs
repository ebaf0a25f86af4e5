//! The description of the API: for machines as `OpenAPI`, for people as a page. The page asks no other server for anything.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Bytes, Data, ServiceConfig},
};

use super::{Front, get_or_head, openapi, refusing};

/// `RapiDoc` 9.3.8 (MIT), compressed.
static RAPIDOC: &[u8] = include_bytes!("../../web/rapidoc-min.js.gz");

static PAGE: &str = include_str!("../../web/docs.html");

/// What the page may do: run and show what comes from here. `RapiDoc` writes its styles into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the addresses of the description.
pub(super) fn addresses(server: &mut ServiceConfig) {
    let resources = [
        web::resource("/docs").route(get_or_head().to(page)),
        web::resource("/docs/rapidoc-min.js").route(get_or_head().to(script)),
        web::resource("/api/v1/openapi.json").route(get_or_head().to(description)),
    ];
    for resource in resources {
        server.service(resource.default_service(refusing("GET")));
    }
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(PAGE)
}

async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((header::CONTENT_ENCODING, "gzip"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(Bytes::from_static(RAPIDOC))
}

async fn description(front: Data<Front>) -> HttpResponse {
    HttpResponse::Ok().json(openapi::describe(&front.methods))
}
