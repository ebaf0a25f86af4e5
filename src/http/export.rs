//! Taking records out: what can be asked of an export, and how.

mod file;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data, Payload, ServiceConfig},
};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

pub(super) use self::file::{Download, Packing, Shaping, open};
use super::{Front, audited, body, caller, decode, openapi, problem, refusing, watch};
use crate::{
    api::{
        Call,
        alert::{AlertInfo, ListAlerts},
        audit::AuditInfo,
        chain,
        event::{EventInfo, ListEvents},
        export::{ExportAudits, Plan, Tenant, tenant},
    },
    clock::Timestamp,
    domain::{project::Domain, token::Right},
    error::{Code, Error, Result},
    export::{Format, Layout, Profile, Writer},
    id::Id,
    store::Rows,
};

const EVENTS: &str = "/api/v1/events/export";
const ALERTS: &str = "/api/v1/alerts/export";
const AUDITS: &str = "/api/v1/audit/export";

/// Adds the addresses of exports.
pub(super) fn addresses(server: &mut ServiceConfig) {
    for (path, of) in [(EVENTS, Rows::Events), (ALERTS, Rows::Alerts), (AUDITS, Rows::Audits)] {
        let answer = move |front: Data<Front>, request: HttpRequest, payload: Payload| async move {
            let answering = async {
                let answered = run(of, front, &request, payload).await;
                answered.unwrap_or_else(|error| problem::answer(&request, &error))
            };
            watch::guarded(request.clone(), answering).await
        };
        let resource =
            web::resource(path).route(web::get().to(answer)).route(web::post().to(answer));
        server.service(resource.default_service(refusing("GET, POST")));
    }
}

const fn name(of: Rows) -> &'static str {
    match of {
        Rows::Events => "events",
        Rows::Alerts => "alerts",
        Rows::Audits => "audit",
    }
}

/// What an export is called in audit records.
const fn action(of: Rows) -> &'static str {
    match of {
        Rows::Events => "event.export",
        Rows::Alerts => "alert.export",
        Rows::Audits => "audit.export",
    }
}

async fn run(
    of: Rows,
    front: Data<Front>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (call, payload) = caller::admitted(&front, request, payload).await?;
    let body = body::read(request.headers(), payload, &front.app.config).await?;
    let asked = if request.method() == actix_web::http::Method::GET {
        in_address(request.query_string())
    } else {
        decode::object(&body.bytes).map(|asked| match asked {
            Value::Object(asked) => asked,
            _ => Map::new(),
        })
    };
    if let Ok(asked) = &asked {
        call.notes.names(None, chain::named_in(asked));
    }
    let said = asked.as_ref().map(|asked| Value::from(asked.clone())).unwrap_or_default();
    let download = match asked {
        Ok(asked) => planned(of, (&front, &call), asked, request).await,
        Err(error) => Err(error),
    };
    match download {
        Ok((download, tenant)) => {
            let opened = open(&front, request, download).await?;
            note(&front, &call, of, (tenant.as_ref(), said)).await?;
            Ok(opened.answer(front, request))
        }
        // What is wrong with the question is for who asked; who may not ask is for the record.
        Err(error) if error.code == Code::PermissionDenied => {
            Err(audited::refused(&front.app, action(of), call, error).await)
        }
        Err(error) => Err(error),
    }
}

/// What is to be sent, and of audit records whose they are.
async fn planned(
    of: Rows,
    (front, call): (&Data<Front>, &Call),
    mut asked: Map<String, Value>,
    request: &HttpRequest,
) -> Result<(Download, Option<Tenant>)> {
    let layout = layout(of, &mut asked, request)?;
    let packing = packing(&mut asked, request)?;
    let tenant = match of {
        Rows::Events | Rows::Alerts => None,
        Rows::Audits => {
            known(&asked)?;
            let named = named(&mut asked)?;
            let call = call.clone();
            Some(front.app.store.read(move |tx| tenant(tx, &call, named)).await?)
        }
    };
    let mut plan = Plan::new(of, call, asked)?;
    if let Some(tenant) = &tenant {
        plan = plan.of_tenant(tenant);
    }
    if layout == Layout::Records(Format::Csv) {
        plan = plan.for_table();
    }
    if layout.needs_all() && !plan.is_whole() {
        let detail =
            "an event of this format is made of the whole record; leave out `columns` and `only`";
        return Err(Error::at(Code::InvalidParameter, "/columns", detail));
    }
    let writer = Writer::new(layout.format(), plan.columns().to_vec());
    let shaping = if layout.needs_all() {
        Shaping::By(Box::new(move |record| Ok(layout.shaped(record))))
    } else {
        Shaping::AsItIs
    };
    let name = file_name(name(of), (layout.ending(), packing), call.now);
    Ok((Download { plan, writer, packing, shaping, name }, tenant))
}

/// That nothing is asked of audit records that no export knows. What is read ahead of it is taken out by now.
fn known(asked: &Map<String, Value>) -> Result<()> {
    let all = ["query", "trail", "domain_id", "columns", "format", "profile", "gzip"];
    match asked.keys().find(|name| !all.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let detail = format!(
                "unknown field `{name}`, expected one of {}; how many, and in which order, is said in `query`",
                all.map(|name| format!("`{name}`")).join(", ")
            );
            Err(Error::at(Code::InvalidParameter, format!("/{name}"), detail))
        }
    }
}

/// The domain that is named, if one is.
fn named(asked: &mut Map<String, Value>) -> Result<Option<Id<Domain>>> {
    match asked.remove("domain_id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) => Ok(Some(id.as_str().into())),
        Some(_) => {
            let detail = "`domain_id` is the identifier of a domain";
            Err(Error::at(Code::InvalidParameterType, "/domain_id", detail))
        }
    }
}

/// Records that a file is taken out; before anything leaves, so that nobody takes records out unseen.
pub(super) async fn note(
    front: &Data<Front>,
    call: &Call,
    of: Rows,
    (tenant, asked): (Option<&Tenant>, Value),
) -> Result<()> {
    let (resource, details) = (format!("export:{}", name(of)), json!({ "asked": asked }));
    let domain = tenant.map(|tenant| tenant.domain_id.clone());
    audited::done(&front.app, action(of), (call, domain), (&resource, details)).await
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

fn layout(of: Rows, asked: &mut Map<String, Value>, request: &HttpRequest) -> Result<Layout> {
    let mut text = |name: &str| match asked.remove(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    };
    let (format, profile) = match of {
        Rows::Events | Rows::Alerts => (text("format"), None),
        Rows::Audits => (text("format"), text("profile")),
    };
    match (format, of) {
        (None, _) => {
            let accept = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
            let format = accept.and_then(Format::accepted).unwrap_or(Format::Ndjson);
            Layout::named(format.name(), profile.as_deref())
        }
        (Some(format), Rows::Audits) => Layout::named(&format, profile.as_deref()),
        (Some(format), Rows::Events | Rows::Alerts) => Format::named(&format).map(Layout::Records),
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

/// What a file is called, on whoever's disk it comes to lie.
pub(super) fn file_name(what: &str, (ending, packing): (&str, Packing), now: Timestamp) -> String {
    let packed = if packing == Packing::File { ".gz" } else { "" };
    let time = now.format("%Y%m%dT%H%M%SZ");
    format!("alertmill-{what}-{time}.{ending}{packed}")
}

/// Describes the exports.
pub(super) fn describe(paths: &mut Map<String, Value>, schemas: &mut SchemaGenerator) {
    let events = (schemas.subschema_for::<ListEvents>(), schemas.subschema_for::<EventInfo>());
    let alerts = (schemas.subschema_for::<ListAlerts>(), schemas.subschema_for::<AlertInfo>());
    let audits = (schemas.subschema_for::<ExportAudits>(), schemas.subschema_for::<AuditInfo>());
    for (path, of, (request, record)) in [
        (EVENTS, Rows::Events, events),
        (ALERTS, Rows::Alerts, alerts),
        (AUDITS, Rows::Audits, audits),
    ] {
        let own = own_parameters(of);
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
                "operationId": format!("{}{}", action(of), if verb == "get" { "" } else { "_asked" }),
                "tags": [action(of).split('.').next()],
                "summary": format!("Takes {} out as a file, of whatever length.", told(of)),
                "description": describe_text(of),
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

const fn told(of: Rows) -> &'static str {
    match of {
        Rows::Events => "events",
        Rows::Alerts => "alerts",
        Rows::Audits => "audit records of one domain",
    }
}

fn describe_text(of: Rows) -> String {
    let who = match of {
        Rows::Events | Rows::Alerts => openapi::needs(Right::Read),
        Rows::Audits => openapi::WHOLE_DOMAIN,
    };
    format!(
        "Takes what the list takes, sorted by `created_at` alone, newest first unless that is asked for ascending; \
         `page.limit` is the most rows, none by default. What arrives meanwhile is not part of it. A file that could not \
         be finished is cut before its end; in NDJSON its last line is `{{\"error\": …}}`. Each call is recorded in the audit \
         trail. {who}",
    )
}

fn own_parameters(of: Rows) -> Map<String, Value> {
    let formats = match of {
        Rows::Events | Rows::Alerts => Format::ALL.map(Format::name).to_vec(),
        Rows::Audits => Layout::NAMES.to_vec(),
    };
    let mut own = json!({
        "format": {
            "type": "string", "enum": formats,
            "description": "The format; by default the one that `Accept` names, else ndjson.",
        },
        "gzip": { "type": "boolean", "description": "Whether the file is compressed." },
        "columns": {
            "type": "string",
            "description": "The columns of a table, with commas between them; paths such as `additional_info.cluster` too.",
        },
    });
    if of == Rows::Audits {
        own["profile"] = json!({
            "type": "string", "enum": Profile::ALL.map(Profile::name),
            "description": "In whose dialect events of the standard format are written; `ibm` by default.",
        });
        own["domain_id"] = json!({
            "type": "string",
            "description": "Whose records; must be named by who reaches several domains.",
        });
    }
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
        Code::PermissionDenied,
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
