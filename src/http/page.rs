//! The description of the API: for machines as `OpenAPI`, for people as a page. The page asks no other server for anything.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes, Data, Query, ServiceConfig},
};
use serde::Deserialize;

use super::{Front, dialects, get_or_head, problem, refusing};
use crate::error::{Code, Error};

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

/// What is asked for: one dialect, or all of them.
#[derive(Deserialize)]
struct Part {
    dialect: Option<String>,
}

/// What all dialects at once are asked for by.
const EVERYTHING: (&str, &str) =
    ("everything", "everything at once, which a browser takes half a minute to show");

/// The page, about one dialect: the native one where none is named, since all of them take long to show.
async fn page(request: HttpRequest, part: Result<Query<Part>, actix_web::Error>) -> HttpResponse {
    let asked = part.ok().and_then(|part| part.into_inner().dialect);
    let asked = asked.as_deref().unwrap_or("native");
    let pages = || dialects::all().chain([EVERYTHING]);
    if !pages().any(|(word, _)| word == asked) {
        let words: Vec<&str> = pages().map(|(word, _)| word).collect();
        let detail = format!("there is no dialect `{asked}`; expected one of {}", words.join(", "));
        let error = Error::at(Code::InvalidParameter, "/dialect", detail);
        return problem::answer(&request, &error);
    }
    let is_all = asked == EVERYTHING.0;
    let query = if is_all { String::new() } else { format!("?dialect={asked}") };
    let link = |(word, what): (&str, &str)| {
        let here = if word == asked { " aria-current=\"page\"" } else { "" };
        format!("<a href=\"/docs?dialect={word}\"{here}>{what}</a>")
    };
    let links: Vec<String> = pages().map(link).collect();
    let text = PAGE.replace("{query}", &query).replace("{dialects}", &links.join(" "));
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(text)
}

async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((header::CONTENT_ENCODING, "gzip"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(Bytes::from_static(RAPIDOC))
}

async fn description(
    front: Data<Front>,
    request: HttpRequest,
    part: Result<Query<Part>, actix_web::Error>,
) -> HttpResponse {
    let asked = part.map(|part| part.into_inner().dialect).map_err(|cause| {
        Error::new(Code::InvalidParameter, format!("the parameters cannot be read: {cause}"))
    });
    match asked.and_then(|asked| dialects::describe(&front.methods, asked.as_deref())) {
        Ok(description) => HttpResponse::Ok().json(description),
        Err(error) => problem::answer(&request, &error),
    }
}
