//! The page behind the link of a message: it shows the alert and asks; only who presses its button acknowledges. What
//! fetches links by itself (previews, scanners of mail) changes nothing.

use std::fmt::Write as _;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Data, Payload, ServiceConfig},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Front, body,
    caller::{agent, turned_away},
    get_or_head, problem, refusing,
    watch::{self, Moment},
};
use crate::{
    api::{
        ack::{self, Linked, Pressed},
        alert::AlertInfo,
    },
    domain::{message::Message, words::AlertState},
    error::{Code, Error, Result},
    id::Id,
    jobs::Wanted,
};

/// The page's own address.
pub(crate) const PATH: &str = "/ack/";

/// The addresses that Cloudforet gives links: what the alert is, and acknowledging it.
const DETAIL: &str = "/monitoring/v1/domain/{domain_id}/alert/{alert_id}/{token}";
const CALLBACK: &str = "/monitoring/v1/domain/{domain_id}/alert/{alert_id}/{token}/ACKNOWLEDGED";

/// The largest body that is taken: a name.
const MOST_BYTES: usize = 4096;

/// What the page may do: show itself, and be sent back here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:34rem;padding:0 1rem;\
    color:#1c2127;background:#fff}h1{font-size:1.3rem}dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem}\
    dt{color:#5f6b7c}dd{margin:0;overflow-wrap:anywhere}p{white-space:pre-wrap;overflow-wrap:anywhere}\
    button{font:inherit;padding:.7rem 1.4rem;border:0;border-radius:.4rem;background:#1f6feb;color:#fff}\
    input{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin:.3rem 0 1rem}\
    @media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}dt{color:#9aa4b2}}";

/// Adds the addresses of links.
pub(super) fn addresses(server: &mut ServiceConfig) {
    let act = || web::post().to(pressed);
    let page = || get_or_head().to(shown);
    let resources = [
        web::resource(format!("{PATH}{{token}}")).route(page()).route(act()),
        web::resource(DETAIL).route(page()),
        web::resource(CALLBACK).route(page()).route(act()),
    ];
    for resource in resources {
        server.service(resource.default_service(refusing("GET, POST")));
    }
}

/// Shows what a link is about.
async fn shown(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    watch::guarded(request.clone(), async {
        let found = find(&front, &request).await;
        count_stranger(&front, &request, &found);
        answer(&request, found)
    })
    .await
}

async fn find(front: &Front, request: &HttpRequest) -> Result<Linked> {
    let (message_id, _) = message(front, request)?;
    let found = front.app.store.read(move |tx| ack::linked(tx, &message_id)).await?;
    of_this_alert(request, found)
}

/// Does what a link is for.
async fn pressed(front: Data<Front>, request: HttpRequest, payload: Payload) -> HttpResponse {
    watch::guarded(request.clone(), async {
        let done = act(&front, &request, payload).await;
        count_stranger(&front, &request, &done);
        answer(&request, done)
    })
    .await
}

/// Counts who comes with a link that does not work; trying links needs no button.
fn count_stranger(front: &Front, request: &HttpRequest, done: &Result<Linked>) {
    if let Err(error) = done
        && error.code.status() < 500
    {
        turned_away(front, request, (Wanted::Acknowledge, None), error.code);
    }
}

async fn act(front: &Front, request: &HttpRequest, payload: Payload) -> Result<Linked> {
    let app = &front.app;
    let sent = body::read_up_to(MOST_BYTES, request.headers(), payload, &app.config).await?;
    let (message_id, moment) = message(front, request)?;
    let said = Said::read(&sent.bytes);
    if said.code.as_deref() == Some("TIME_OUT") {
        return Err(gone());
    }
    let asked = message_id.clone();
    let found = app.store.read(move |tx| ack::linked(tx, &asked)).await?;
    of_this_alert(request, found)?;
    let Moment { now, request_id, remote } = moment;
    let mint = app.clock.mint().clone();
    let user_agent = agent(request);
    let pressed =
        Pressed { message_id, name: said.responder, now, mint, remote, user_agent, request_id };
    let done = app.store.write(move |tx| ack::acknowledge(tx, &pressed)).await?;
    tracing::info!(alert.id = %done.alert.alert_id(), "acknowledged by link");
    Ok(done)
}

/// What may be said when the button is pressed: as a form, or as JSON.
#[derive(Debug, Default, Deserialize)]
struct Said {
    responder: Option<String>,
    code: Option<String>,
}

impl Said {
    /// What cannot be read says nothing.
    fn read(bytes: &[u8]) -> Self {
        let json = serde_json::from_slice(bytes).ok();
        json.or_else(|| serde_urlencoded::from_bytes(bytes).ok()).unwrap_or_default()
    }
}

/// The message whose link a request has.
fn message(front: &Front, request: &HttpRequest) -> Result<(Id<Message>, Moment)> {
    let moment = Moment::of(request)?;
    let token = request.match_info().get("token").unwrap_or_default();
    let message = front.app.courier.links().message(token, moment.now).ok_or_else(gone)?;
    Ok((message, moment))
}

/// What was found, if it is the alert that the address names.
fn of_this_alert(request: &HttpRequest, found: Linked) -> Result<Linked> {
    let (named, home) = (request.match_info(), &found.alert.home);
    let fits = |name: &str, is: &str| named.get(name).is_none_or(|given| given == is);
    let alert_id = found.alert.alert_id().as_str();
    if fits("alert_id", alert_id) && fits("domain_id", home.domain_id.as_str()) {
        return Ok(found);
    }
    Err(gone())
}

/// An unknown link and one that ran out look the same from outside.
fn gone() -> Error {
    let detail = "this link does not work: it has run out, or what it is about is gone";
    Error::new(Code::NotFound, detail)
}

fn answer(request: &HttpRequest, found: Result<Linked>) -> HttpResponse {
    let found = found.map_err(|error| match error.code {
        Code::NotFound => gone(),
        _ => error,
    });
    if !wants_page(request) {
        return match found {
            Ok(linked) => {
                sealed(HttpResponse::Ok(), "application/json", detail(linked).to_string())
            }
            Err(error) => problem::answer(request, &error),
        };
    }
    match found {
        Ok(linked) => sealed(HttpResponse::Ok(), "text/html; charset=utf-8", page(&linked)),
        Err(error) if error.code.status() < 500 => {
            let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::NOT_FOUND);
            let text = framed(
                "Nothing to acknowledge",
                &format!("<p>{}</p>", escaped(&upper(&error.detail))),
            );
            sealed(HttpResponse::build(status), "text/html; charset=utf-8", text)
        }
        Err(error) => problem::answer(request, &error),
    }
}

/// Programs of Cloudforet's ask for JSON at its addresses; browsers say that they want a page.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_ours = request.path().starts_with(PATH);
    is_ours || accept.is_some_and(|accept| accept.contains("text/html"))
}

/// An answer that nobody keeps and nothing else may use.
fn sealed(
    mut answer: actix_web::HttpResponseBuilder,
    content_type: &'static str,
    body: String,
) -> HttpResponse {
    answer
        .content_type(content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-robots-tag", "noindex"))
        .body(body)
}

/// The alert as JSON, with what Cloudforet's address has beside it.
fn detail(linked: Linked) -> Value {
    let mut detail = json!(AlertInfo::from(linked.alert));
    detail["domain_settings"] = json!({ "language": "en", "timezone": "UTC" });
    detail
}

fn page(linked: &Linked) -> String {
    let alert = &linked.alert;
    let title = alert.title.as_deref().unwrap_or(&alert.event_key);
    let mut text = String::new();
    if let Some(description) = alert.description.as_deref().filter(|text| !text.is_empty()) {
        let _ = write!(text, "<p>{}</p>", escaped(description));
    }
    let standing = &alert.standing;
    let facts = [
        ("State", Some(standing.state.to_string())),
        ("Severity", Some(standing.severity.to_string())),
        ("Project", Some(alert.home.project_id.to_string())),
        ("Resource", Some(alert.resources.join(", ")).filter(|all| !all.is_empty())),
        ("Acknowledged by", alert.responder.clone()),
        ("Since", Some(alert.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string())),
    ];
    text.push_str("<dl>");
    for (name, value) in facts {
        let Some(value) = value else { continue };
        let _ = write!(text, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
    }
    text.push_str("</dl>");
    text.push_str(&asked(linked));
    framed(&format!("#{} {title}", alert.alert_number), &text)
}

/// What is left to do.
fn asked(linked: &Linked) -> String {
    match linked.alert.standing.state {
        AlertState::Acknowledged => {
            "<p>Someone is on it. Nothing is left to do here.</p>".to_owned()
        }
        AlertState::Resolved => "<p>It is over. Nothing is left to do here.</p>".to_owned(),
        AlertState::Triggered | AlertState::Error => {
            let who = match &linked.user {
                Some(user) => format!("<p>You acknowledge it as {}.</p>", escaped(user)),
                None => "<label>Your name <input name=\"responder\" maxlength=\"64\" \
                    autocomplete=\"name\"></label>"
                    .to_owned(),
            };
            format!("<form method=\"post\">{who}<button>Acknowledge</button></form>")
        }
    }
}

fn framed(title: &str, text: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{text}</html>"
    )
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}
