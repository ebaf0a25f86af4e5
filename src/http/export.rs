//! Taking records out: answers of any length, of which only a stretch is in memory at a time.
//!
//! Each stretch is read when the reader has taken the one before, so a slow reader holds nothing but its connection,
//! and one that goes away is read for no more.

use std::{io, ops::ControlFlow, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes, Data, Payload, ServiceConfig},
};
use futures_util::{Stream, stream};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{Front, audited, body, caller, decode, gone, openapi, problem, refusing, watch};
use crate::{
    api::{
        Call,
        alert::{AlertInfo, ListAlerts},
        event::{EventInfo, ListEvents},
        export::{Plan, Progress},
    },
    clock::Timestamp,
    domain::token::Right,
    error::{Code, Error, Result},
    export::{Format, Packer, Writer},
    store::{Bulk, Store, Tx},
};

/// After how many bytes a stretch ends early.
const BYTES: usize = 4 << 20;

const EVENTS: &str = "/api/v1/events/export";
const ALERTS: &str = "/api/v1/alerts/export";

/// Adds the addresses of exports.
pub(super) fn addresses(server: &mut ServiceConfig) {
    for (path, bulk) in [(EVENTS, Bulk::Events), (ALERTS, Bulk::Alerts)] {
        let answer = move |front: Data<Front>, request: HttpRequest, payload: Payload| async move {
            let answering = async {
                let answered = run(bulk, front, &request, payload).await;
                answered.unwrap_or_else(|error| problem::answer(&request, &error))
            };
            watch::guarded(request.clone(), answering).await
        };
        let resource =
            web::resource(path).route(web::get().to(answer)).route(web::post().to(answer));
        server.service(resource.default_service(refusing("GET, POST")));
    }
}

const fn name(bulk: Bulk) -> &'static str {
    match bulk {
        Bulk::Events => "events",
        Bulk::Alerts => "alerts",
    }
}

/// What an export is called in the audit trail.
const fn action(bulk: Bulk) -> &'static str {
    match bulk {
        Bulk::Events => "event.export",
        Bulk::Alerts => "alert.export",
    }
}

/// How a file is packed for its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    /// For the way alone: whoever asked unpacks it.
    Encoding,
    /// The file itself is compressed.
    File,
}

async fn run(
    bulk: Bulk,
    front: Data<Front>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (call, payload) = caller::admitted(&front, request, payload).await?;
    match taken_out(bulk, front.clone(), (request, &call), payload).await {
        Err(error) if error.code == Code::PermissionDenied => {
            Err(audited::refused(&front.app, action(bulk), call, error).await)
        }
        answered => answered,
    }
}

async fn taken_out(
    bulk: Bulk,
    front: Data<Front>,
    (request, call): (&HttpRequest, &Call),
    payload: Payload,
) -> Result<HttpResponse> {
    let body = body::read(request.headers(), payload, &front.app.config).await?;
    let mut asked = if request.method() == actix_web::http::Method::GET {
        in_address(request.query_string())?
    } else {
        match decode::object(&body.bytes)? {
            Value::Object(asked) => asked,
            _ => Map::new(),
        }
    };
    let details = json!({ "asked": asked });
    let (format, packing) = (format(&mut asked, request)?, packing(&mut asked, request)?);
    let mut plan = Plan::new(bulk, call, asked)?;
    if format == Format::Csv {
        plan = plan.for_table();
    }
    let packer = if packing == Packing::None { Packer::Plain } else { Packer::gzip() };
    let writer = Writer::new(format, plan.columns().to_vec());
    let file = File { plan: Arc::new(plan), progress: Progress::default(), writer, packer };
    // Read before anything is answered, so that what is wrong with the query has its own status.
    let (file, first) = gone::awaited(request, read(&front.app.store, file)).await?;
    let first = first?;
    // Recorded before anything leaves, so that nobody takes records out unseen.
    let resource = format!("export:{}", name(bulk));
    audited::done(&front.app, action(bulk), call, (&resource, details)).await?;
    let mut answer = HttpResponse::Ok();
    let kind = if packing == Packing::File { "application/gzip" } else { format.media_type() };
    answer.content_type(kind);
    let disposition =
        format!("attachment; filename=\"{}\"", file_name(bulk, format, packing, call.now));
    answer.insert_header((header::CONTENT_DISPOSITION, disposition));
    answer.insert_header((header::VARY, "accept, accept-encoding"));
    if packing == Packing::Encoding {
        answer.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.streaming(stretches(front, request.clone(), file, first)))
}

/// The parameters of an address, of which `query` is JSON.
fn in_address(query: &str) -> Result<Map<String, Value>> {
    let wrong = |cause: serde_urlencoded::de::Error| {
        Error::new(Code::InvalidParameter, "the parameters cannot be read").because(cause)
    };
    let given: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(wrong)?;
    let mut asked = Map::new();
    for (name, text) in given {
        let value = match name.as_str() {
            "query" => serde_json::from_str(&text).map_err(|cause| {
                let detail = format!("`query` is not JSON: {cause}");
                Error::at(Code::InvalidParameter, "/query", detail)
            })?,
            "alert_number" => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            _ => Value::String(text),
        };
        asked.insert(name, value);
    }
    Ok(asked)
}

fn format(asked: &mut Map<String, Value>, request: &HttpRequest) -> Result<Format> {
    match asked.remove("format") {
        Some(Value::String(name)) => Format::named(&name),
        None | Some(Value::Null) => {
            let accept = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
            Ok(accept.and_then(Format::accepted).unwrap_or(Format::Ndjson))
        }
        Some(other) => Format::named(&other.to_string()),
    }
}

fn packing(asked: &mut Map<String, Value>, request: &HttpRequest) -> Result<Packing> {
    let wanted = match asked.remove("gzip") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(wanted)) => wanted,
        Some(Value::String(text)) if text == "true" || text == "false" => text == "true",
        Some(_) => {
            let detail = "`gzip` is true or false";
            return Err(Error::at(Code::InvalidParameterType, "/gzip", detail));
        }
    };
    let encodings = request.headers().get(header::ACCEPT_ENCODING).and_then(|it| it.to_str().ok());
    let takes_gzip = encodings.unwrap_or_default().split(',').any(|encoding| {
        let mut parts = encoding.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|weight| weight == "q=0")
    });
    Ok(match (wanted, takes_gzip) {
        (true, _) => Packing::File,
        (false, true) => Packing::Encoding,
        (false, false) => Packing::None,
    })
}

fn file_name(bulk: Bulk, format: Format, packing: Packing, now: Timestamp) -> String {
    let packed = if packing == Packing::File { ".gz" } else { "" };
    let time = now.format("%Y%m%dT%H%M%SZ");
    format!("alertmill-{}-{time}.{}{packed}", name(bulk), format.name())
}

/// A file on its way.
struct File {
    plan: Arc<Plan>,
    progress: Progress,
    writer: Writer,
    packer: Packer,
}

/// A part of a file, and whether it is the last one.
struct Part {
    bytes: Vec<u8>,
    is_last: bool,
}

impl File {
    /// The next part.
    fn next(&mut self, tx: &dyn Tx) -> Result<Part> {
        let Self { plan, progress, writer, packer } = self;
        let more = plan.go_on(tx, progress, &mut |record| {
            writer.add(record)?;
            let is_full = writer.waiting() >= BYTES;
            Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if more {
            return Ok(Part { bytes: packer.pack(writer.take())?, is_last: false });
        }
        writer.end();
        Ok(Part { bytes: packer.finish(writer.take())?, is_last: true })
    }

    /// What says in the file that it is not whole, where it has words for that.
    fn fail(&mut self, error: &Error) -> Option<Vec<u8>> {
        // What was read of the stretch that failed is whole lines.
        if !self.writer.fail(error) {
            return None;
        }
        self.packer.finish(self.writer.take()).ok()
    }
}

/// Reads the next part of a file, in a snapshot of its own and under the limit of any query: a filter that finds nothing
/// must not hold a thread and the log for as long as it takes to read everything.
async fn read(store: &Store, mut file: File) -> Result<(File, Result<Part>)> {
    store
        .read(move |tx| {
            let part = file.next(tx);
            Ok((file, part))
        })
        .await
}

/// A file that is not over yet, and a part of it that was read already.
type Rest = Option<(File, Option<Part>)>;

/// The parts of a file, each read when the one before was taken.
fn stretches(
    front: Data<Front>,
    request: HttpRequest,
    file: File,
    first: Part,
) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some((file, Some(first))), move |rest: Rest| {
        let (front, request) = (front.clone(), request.clone());
        async move {
            let (file, waiting) = rest?;
            step(&front.app.store, &request, file, waiting).await
        }
    })
}

async fn step(
    store: &Store,
    request: &HttpRequest,
    file: File,
    waiting: Option<Part>,
) -> Option<(io::Result<Bytes>, Rest)> {
    let (mut file, part) = match waiting {
        Some(part) => (file, Ok(part)),
        None => match gone::awaited(request, read(store, file)).await {
            Ok(read) => read,
            Err(error) => return Some((Err(io::Error::other(error)), None)),
        },
    };
    match part {
        Ok(Part { bytes, is_last }) if is_last && bytes.is_empty() => None,
        Ok(Part { bytes, is_last }) => Some((Ok(bytes.into()), (!is_last).then_some((file, None)))),
        Err(error) => {
            tracing::warn!(%error, cause = ?error.cause, "an export was cut");
            let said = file.fail(&error).map(Bytes::from);
            Some((said.ok_or_else(|| io::Error::other(error)), None))
        }
    }
}

/// Describes the exports.
pub(super) fn describe(paths: &mut Map<String, Value>, schemas: &mut SchemaGenerator) {
    let events = (schemas.subschema_for::<ListEvents>(), schemas.subschema_for::<EventInfo>());
    let alerts = (schemas.subschema_for::<ListAlerts>(), schemas.subschema_for::<AlertInfo>());
    for (path, bulk, (request, record)) in
        [(EVENTS, Bulk::Events, events), (ALERTS, Bulk::Alerts, alerts)]
    {
        let own = own_parameters();
        let asked = json!({
            "allOf": [request.to_value(), { "type": "object", "properties": own }],
        });
        let mut parameters: Vec<Value> = own.iter().map(parameter).collect();
        parameters.push(json!({
            "name": "query", "in": "query", "schema": { "type": "string" },
            "description": "The query as JSON. The other parameters of the list may be given too.",
        }));
        let operation = |verb: &str| {
            let mut operation = json!({
                "operationId": format!("{}.export{}", name(bulk).trim_end_matches('s'), if verb == "get" { "" } else { "_asked" }),
                "tags": [name(bulk).trim_end_matches('s')],
                "summary": format!("Takes {} out as a file, of whatever length.", name(bulk)),
                "description": describe_text(),
                "responses": responses(path, &record.clone().to_value()),
            });
            if verb == "get" {
                operation["parameters"] = parameters.clone().into();
            } else {
                operation["requestBody"] =
                    json!({ "content": { "application/json": { "schema": asked } } });
            }
            operation
        };
        paths
            .insert(path.to_owned(), json!({ "get": operation("get"), "post": operation("post") }));
    }
}

fn describe_text() -> String {
    format!(
        "Takes what the list takes, sorted by `created_at` alone, newest first unless that is asked for ascending; \
         `page.limit` is the most rows, none by default. What arrives meanwhile is not part of it. A file that could not \
         be finished is cut before its end; in NDJSON its last line is `{{\"error\": …}}`. {}",
        openapi::needs(Right::Read)
    )
}

fn own_parameters() -> Map<String, Value> {
    let own = json!({
        "format": {
            "type": "string", "enum": Format::ALL.map(Format::name),
            "description": "The format; by default the one that `Accept` names, else ndjson.",
        },
        "gzip": { "type": "boolean", "description": "Whether the file is compressed." },
        "columns": {
            "type": "string",
            "description": "The columns of a table, with commas between them; paths such as `additional_info.cluster` too.",
        },
    });
    own.as_object().cloned().unwrap_or_default()
}

fn parameter((name, schema): (&String, &Value)) -> Value {
    json!({ "name": name, "in": "query", "schema": schema, "description": schema["description"] })
}

fn responses(path: &str, record: &Value) -> Map<String, Value> {
    let codes = [
        Code::InvalidParameter,
        Code::Query,
        Code::AuthenticateFailure,
        Code::Internal,
        Code::Unavailable,
    ];
    let mut responses = openapi::errors(path, codes.to_vec());
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "The file.",
            "content": {
                "application/x-ndjson": { "schema": record },
                "application/json": {
                    "schema": { "type": "object", "properties": { "results": { "type": "array", "items": record } } },
                },
                "text/csv": { "schema": { "type": "string" } },
            },
        }),
    );
    responses
}
