//! The description of the API as `OpenAPI` 3.1, made from the same tables that the server answers by.

use actix_web::http::StatusCode;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    method::{Kind, Method, Verb},
    problem::Dialect,
    reload,
};
use crate::{domain::token::Right, error::Code};

/// The description of everything that is served.
pub fn document() -> Value {
    describe(&super::methods())
}

/// The description of these methods, of the door and of the vital signs.
pub(super) fn describe(methods: &[Method]) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for method in methods {
        let (verb, operation) = operation(method, &mut schemas);
        paths.entry(method.path).or_insert_with(|| json!({}))[verb] = operation;
    }
    super::webhook::describe(&mut paths, &mut schemas);
    super::stream::describe(&mut paths, &mut schemas);
    super::export::describe(&mut paths, &mut schemas);
    super::import::describe(&mut paths, &mut schemas);
    super::login::describe(&mut paths);
    for (path, summary) in [
        ("/healthz", "Says that the server runs."),
        ("/readyz", "Says whether the store answers."),
        ("/metrics", "What the server counts about itself, as Prometheus reads it."),
    ] {
        paths.insert(path.to_owned(), json!({ "get": vital_sign(path, summary) }));
    }
    let mut definitions = schemas.take_definitions(true);
    definitions.insert("Problem".to_owned(), problem_schema());
    definitions.insert("CloudforetError".to_owned(), cloudforet_schema());
    for (name, schema) in dialect_schemas() {
        definitions.insert(name.to_owned(), schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Alertmill",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Webhooks in, normalized events, deduplicated alerts, and an answer to every \"why\".",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": security_schemes(),
        },
    })
}

/// What a caller may show, by name.
fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token as `alertmill token create` prints it.",
        },
        "access_key": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Access-Key",
            "description": "The access key of a webhook.",
        },
        "client": {
            "type": "http",
            "scheme": "basic",
            "description": "The identifier of an application and its secret.",
        },
        "password": {
            "type": "http",
            "scheme": "basic",
            "description": "A token as the password; the name is not looked at.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "session",
            "description": "The cookie of a session, as `POST /api/sessions` sets it.",
        },
    })
}

fn operation(method: &Method, schemas: &mut SchemaGenerator) -> (&'static str, Value) {
    let request = (method.work.request)(schemas).to_value();
    let response = (method.work.response)(schemas).to_value();
    let mut responses = errors(method.path, method_codes(method));
    responses.insert(
        method.status.to_string(),
        json!({ "description": "What was asked for.", "content": { "application/json": { "schema": response } } }),
    );
    let mut operation = json!({
        "operationId": method.name,
        "tags": [method.name.split('.').next().unwrap_or_default()],
        "summary": method.summary,
        "description": needed(method),
        "responses": responses,
    });
    if let Some(security) = security(method) {
        operation["security"] = security;
    }
    match method.verb {
        Verb::Post => {
            let parameters = path_parameters(method.path);
            if !parameters.is_empty() {
                operation["parameters"] = parameters.into();
            }
            operation["requestBody"] =
                json!({ "content": { "application/json": { "schema": request } } });
        }
        Verb::Get | Verb::Delete => {
            operation["parameters"] = parameters(method.path, &request, schemas).into();
        }
    }
    let verb = match method.verb {
        Verb::Get => "get",
        Verb::Post => "post",
        Verb::Delete => "delete",
    };
    (verb, operation)
}

/// The errors of the other dialects.
fn dialect_schemas() -> [(&'static str, Value); 3] {
    let (text, number) = (json!({ "type": "string" }), json!({ "type": "integer" }));
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let one = object(json!({
        "status": number, "title": text, "detail": text, "source": { "type": "object" },
    }));
    [
        ("RunaiError", object(json!({ "code": number, "message": text }))),
        (
            "H2oError",
            object(json!({ "code": number, "message": text, "details": { "type": "array" } })),
        ),
        (
            "IguazioErrors",
            object(
                json!({ "errors": { "type": "array", "items": one }, "meta": { "type": "object" } }),
            ),
        ),
    ]
}

/// What a caller must be allowed, in a sentence.
fn needed(method: &Method) -> String {
    let recorded = if method.changes() { " Each call is recorded in the audit trail." } else { "" };
    let needs = match method.name {
        "posted_event.search" => "Needs a token that reaches a whole domain, or that of a service.",
        name if OF_WHOLE_DOMAINS.contains(&name) => WHOLE_DOMAIN,
        _ => needs(method.right),
    };
    format!("{needs}{recorded}")
}

/// What whoever sees records of the trail needs, in a sentence.
pub(super) const WHOLE_DOMAIN: &str = "Needs a token that reaches a whole domain.";

/// The methods that only who reaches a whole domain may call, whatever the role: a record may be of any workspace of it.
const OF_WHOLE_DOMAINS: [&str; 8] = [
    "audit.list",
    "audit_record.list",
    "audit_record.get",
    "audit.head",
    "audit.verify",
    "audit.verify_against",
    "runai.audit_log",
    "posted_event.search",
];

/// What a caller may show, where that is not a bearer token alone.
fn security(method: &Method) -> Option<Value> {
    if method.right == Right::Anyone {
        return Some(json!([]));
    }
    match Dialect::of(method.path) {
        Dialect::Iguazio => Some(json!([{ "token": [] }, { "password": [] }, { "session": [] }])),
        Dialect::Native | Dialect::Cloudforet | Dialect::Runai | Dialect::H2o => None,
    }
}

/// The tokens that have a right, in a sentence.
pub(super) const fn needs(right: Right) -> &'static str {
    match right {
        Right::Anyone => "Needs no token.",
        Right::Read => "Any token may call it; it answers within the token's scope.",
        Right::Write => {
            "Needs a token that may write: SYSTEM_ADMIN, WORKSPACE_OWNER, WORKSPACE_MEMBER or SERVICE."
        }
        Right::Post => {
            "Needs a SERVICE token or application; for all others there is no such method."
        }
        Right::Own => "Needs a token that may manage a workspace: SYSTEM_ADMIN or WORKSPACE_OWNER.",
        Right::Administer => "Needs a SYSTEM_ADMIN token.",
    }
}

fn method_codes(method: &Method) -> Vec<Code> {
    let mut codes = vec![
        Code::InvalidParameter,
        Code::AuthenticateFailure,
        Code::NotFound,
        Code::PayloadTooLarge,
        Code::RequestTimeout,
        Code::Internal,
        Code::Unavailable,
    ];
    match method.work.kind {
        Kind::Read => codes.extend([Code::Query, Code::Deadline]),
        Kind::Compute => {}
        Kind::Write | Kind::Act => codes.push(Code::NotUnique),
    }
    if method.name == reload::NAME {
        codes.push(Code::RulesRefused);
    }
    if method.right != Right::Read || OF_WHOLE_DOMAINS.contains(&method.name) {
        codes.push(Code::PermissionDenied);
    }
    codes
}

/// One response for each status that these errors are answered with.
pub(super) fn errors(path: &str, codes: Vec<Code>) -> Map<String, Value> {
    let (kind, schema) = match Dialect::of(path) {
        Dialect::Native => ("application/problem+json", "Problem"),
        Dialect::Cloudforet => ("application/json", "CloudforetError"),
        Dialect::Runai => ("application/json", "RunaiError"),
        Dialect::H2o => ("application/json", "H2oError"),
        Dialect::Iguazio => ("application/json", "IguazioErrors"),
    };
    let mut responses = Map::new();
    for code in codes {
        let status = code.status();
        let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
        let said = format!("`{}`: {}", code.name(), code.meaning());
        let response = responses.entry(status.to_string()).or_insert_with(|| {
            json!({
                "description": reason.unwrap_or_default(),
                "content": { kind: { "schema": { "$ref": format!("#/components/schemas/{schema}") } } },
            })
        });
        if let Some(Value::String(text)) = response.get_mut("description") {
            text.push_str("\n\n");
            text.push_str(&said);
        }
    }
    responses
}

/// The parameters that stand in a path.
fn path_parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

/// The fields of a request that is asked for by GET, as parameters.
pub(super) fn parameters(path: &str, request: &Value, schemas: &SchemaGenerator) -> Vec<Value> {
    let resolved = request
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.rsplit('/').next())
        .and_then(|name| schemas.definitions().get(name))
        .unwrap_or(request);
    let required = resolved.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let in_path = path_parameters(path);
    let mut all = in_path.clone();
    let fields = resolved.get("properties").and_then(Value::as_object);
    for (name, schema) in fields.into_iter().flatten() {
        if in_path.iter().any(|parameter| parameter["name"] == name.as_str()) {
            continue;
        }
        let mut parameter = json!({ "name": name, "in": "query", "schema": schema });
        if let Some(description) = schema.get("description") {
            parameter["description"] = description.clone();
        }
        if required.iter().any(|field| field == name.as_str()) {
            parameter["required"] = true.into();
        }
        all.push(parameter);
    }
    all
}

fn vital_sign(path: &str, summary: &str) -> Value {
    let mut responses = Map::new();
    if path == "/readyz" {
        responses = errors(path, vec![Code::Unavailable]);
    }
    responses.insert(
        "200".to_owned(),
        json!({ "description": "It is well.", "content": { "text/plain": { "schema": { "type": "string" } } } }),
    );
    json!({
        "operationId": format!("server.{}", path.trim_start_matches('/')),
        "tags": ["server"],
        "summary": summary,
        "security": [],
        "responses": responses,
    })
}

fn mistakes_schema() -> Value {
    json!({
        "type": "array",
        "description": "The places in the request, or in rules and plugins, that were wrong.",
        "items": {
            "type": "object",
            "required": ["detail"],
            "properties": {
                "pointer": { "type": "string", "description": "Where in the request, as a JSON pointer (RFC 6901)." },
                "file": { "type": "string", "description": "The file, relative to the directory of rules or plugins." },
                "line": { "type": "integer", "description": "The line, from one; zero where the file as a whole is meant." },
                "column": {
                    "type": "integer",
                    "description": "The column in letters, from one; zero where the file as a whole is meant.",
                },
                "detail": { "type": "string", "description": "What is wrong there, and what was expected." },
                "excerpt": { "type": ["string", "null"], "description": "The line as it stands in the file." },
            },
        },
    })
}

fn code_schema() -> Value {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    json!({ "type": "string", "enum": names, "description": "Which error it is; never renamed." })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": code_schema(),
            "request_id": { "type": "string" },
            "errors": mistakes_schema(),
        },
    })
}

fn cloudforet_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong, as Cloudforet says it.",
        "required": ["detail"],
        "properties": {
            "detail": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": code_schema(),
                    "message": { "type": "string" },
                    "errors": mistakes_schema(),
                },
            },
        },
    })
}
