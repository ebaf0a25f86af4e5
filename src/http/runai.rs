//! The table of `/v1/k8s/audit`: the audit trail as Run:ai's clients ask for it.

mod asked;
mod dates;
mod entry;
mod words;

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use serde_json::{Map, Value, json};

use self::{
    asked::{AskLog, Part, Wanted},
    entry::{COLUMNS, LogEntry},
};
use super::{
    Front,
    export::{self, Download, Packing, Shaping},
    gone,
    method::{Method, serve_request},
};
use crate::{
    api::{
        Call,
        audit::AuditInfo,
        export::{Plan, Tenant, tenant},
    },
    error::{Code, Error, Result},
    export::{Format, Writer},
    query::{AUDITS, Query},
    store::{Found, Rows},
};

/// Where the audit log is asked for.
const PATH: &str = "/v1/k8s/audit";

/// The methods of this dialect.
pub(super) fn methods() -> Vec<Method> {
    vec![Method::get(
        PATH,
        "runai.audit_log",
        "Lists who did what, newest first, as Run:ai's audit log does; with `download=true` as a file.",
        serve_request::<AskLog, Vec<LogEntry>, _>(answer),
    )]
}

async fn answer(
    front: Data<Front>,
    (call, request): (Call, HttpRequest),
    asked: AskLog,
) -> Result<HttpResponse> {
    let accept = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let wanted = asked.read(call.now, accept, &actions(&front))?;
    let (named, caller) = (wanted.domain_id.clone(), call.clone());
    let tenant = front.app.store.read(move |tx| tenant(tx, &caller, named)).await?;
    match wanted.part.clone() {
        Part::Page { page: part } => {
            let asked = json!({ "filter": wanted.conditions, "page": part });
            page(&front, (&call, &request), (tenant, asked)).await
        }
        Part::File { format, most } => {
            file(front, (&call, &request), (tenant, wanted), (format, most)).await
        }
    }
}

/// What is done under its own name: all methods that there are.
fn actions(front: &Data<Front>) -> Vec<&'static str> {
    front.methods.iter().filter(|method| method.changes()).map(|method| method.name).collect()
}

async fn page(
    front: &Data<Front>,
    (call, request): (&Call, &HttpRequest),
    (tenant, asked): (Tenant, Value),
) -> Result<HttpResponse> {
    let query = Query::parse(&asked, &AUDITS, call.now).map_err(|fault| {
        if fault.pointer != "/query/page/cursor" {
            return fault.into();
        }
        let detail =
            "this is no cursor: give what `X-Next-Cursor` of the page before said, as it is";
        Error::at(Code::InvalidParameter, "/cursor", detail)
    })?;
    let scope = tenant.scope();
    let read = front.app.store.read(move |tx| tx.audits(&scope, &query));
    let Found { rows, next_cursor, .. } = gone::awaited(request, read).await?;
    let entries = rows.into_iter().map(|record| {
        let record = serde_json::to_value(AuditInfo::from(record)).map_err(Error::internal)?;
        Ok(LogEntry::of(&record, &tenant))
    });
    let entries: Vec<LogEntry> = entries.collect::<Result<_>>()?;
    let mut answer = HttpResponse::Ok();
    if let Some(cursor) = next_cursor {
        let next = format!("<{}>; rel=\"next\"", address(request, &cursor)?);
        answer.insert_header((header::LINK, next));
        answer.insert_header(("X-Next-Cursor", cursor));
    }
    Ok(answer.json(entries))
}

/// The address of the page after this one: the same filters, from there on.
fn address(request: &HttpRequest, cursor: &str) -> Result<String> {
    let given: Vec<(String, String)> =
        serde_urlencoded::from_str(request.query_string()).map_err(Error::internal)?;
    let kept = given.iter().filter(|(name, _)| name != "offset" && name != "cursor");
    let mut parameters: Vec<(&str, &str)> = kept.map(|(name, it)| (&**name, &**it)).collect();
    parameters.push(("cursor", cursor));
    let parameters = serde_urlencoded::to_string(parameters).map_err(Error::internal)?;
    Ok(format!("{PATH}?{parameters}"))
}

async fn file(
    front: Data<Front>,
    (call, request): (&Call, &HttpRequest),
    (tenant, wanted): (Tenant, Wanted),
    (format, most): (Format, Option<u32>),
) -> Result<HttpResponse> {
    let said = json!({ "conditions": wanted.conditions, "format": format.name() });
    let mut query = json!({ "filter": wanted.conditions });
    if let Some(most) = most {
        query["page"] = json!({ "limit": most });
    }
    let asked = Map::from_iter([("query".to_owned(), query)]);
    let plan = Plan::new(Rows::Audits, call, asked)?.of_tenant(&tenant);
    let writer = Writer::new(format, COLUMNS.map(str::to_owned).to_vec());
    let of = tenant.clone();
    let shape = move |record: &Value| {
        serde_json::to_value(LogEntry::of(record, &of)).map_err(Error::internal)
    };
    let name = export::file_name("audit", (format.name(), Packing::None), call.now);
    let shaping = Shaping::By(Box::new(shape));
    let download = Download { plan, writer, packing: Packing::None, shaping, name };
    let opened = export::open(&front, request, download).await?;
    export::note(&front, call, Rows::Audits, (Some(&tenant), said)).await?;
    Ok(opened.answer(front, (call, request)))
}
