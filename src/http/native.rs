//! The table of `/api/v1`, our own API: what Cloudforet's has no words for.

use actix_web::web::Data;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Front, audited,
    method::{Method, act, read, write},
    receipt::ReceiptInfo,
};
use crate::{
    api::{Call, alert, changes, delivery, domain, event, explain, project, token, workspace},
    domain::{delivery::Delivery, token::Right},
    error::Result,
    id::Id,
    ingest::{self, Redrive},
};

/// The methods of `/api/v1`.
pub(super) fn methods() -> Vec<Method> {
    let mut all = domains();
    all.extend(workspaces());
    all.extend(projects());
    all.extend(tokens());
    all.extend(deliveries());
    all.push(Method::post(
        "/api/v1/query/explain",
        "query.explain",
        "Tells how a list or a statistic would be answered: which index serves it, and where its total comes from.",
        read(explain::explain),
    ));
    all.extend(analyses());
    all
}

fn domains() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/domain/create",
            "domain.create",
            "Makes a domain.",
            write(domain::create),
        )
        .needs(Right::Administer),
        Method::post("/api/v1/domain/get", "domain.get", "Shows a domain.", read(domain::get)),
        Method::post("/api/v1/domain/list", "domain.list", "Lists domains.", read(domain::list)),
        Method::post(
            "/api/v1/domain/update",
            "domain.update",
            "Changes a domain.",
            write(domain::update),
        )
        .needs(Right::Administer),
        Method::post(
            "/api/v1/domain/delete",
            "domain.delete",
            "Deletes a domain that nothing is in.",
            write(domain::delete),
        )
        .needs(Right::Administer),
    ]
}

fn workspaces() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/workspace/create",
            "workspace.create",
            "Makes a workspace.",
            write(workspace::create),
        )
        .needs(Right::Administer),
        Method::post(
            "/api/v1/workspace/get",
            "workspace.get",
            "Shows a workspace.",
            read(workspace::get),
        ),
        Method::post(
            "/api/v1/workspace/list",
            "workspace.list",
            "Lists workspaces.",
            read(workspace::list),
        ),
        Method::post(
            "/api/v1/workspace/update",
            "workspace.update",
            "Changes a workspace.",
            write(workspace::update),
        )
        .needs(Right::Administer),
        Method::post(
            "/api/v1/workspace/delete",
            "workspace.delete",
            "Deletes a workspace that nothing is in.",
            write(workspace::delete),
        )
        .needs(Right::Administer),
    ]
}

fn projects() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/project/create",
            "project.create",
            "Makes a project, with alerting switched on.",
            write(project::create),
        )
        .needs(Right::Own),
        Method::post("/api/v1/project/get", "project.get", "Shows a project.", read(project::get)),
        Method::post(
            "/api/v1/project/list",
            "project.list",
            "Lists projects.",
            read(project::list),
        ),
        Method::post(
            "/api/v1/project/update",
            "project.update",
            "Changes a project.",
            write(project::update),
        )
        .needs(Right::Own),
        Method::post(
            "/api/v1/project/delete",
            "project.delete",
            "Deletes a project that nothing is in.",
            write(project::delete),
        )
        .needs(Right::Own),
    ]
}

fn tokens() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/token/create",
            "token.create",
            "Makes a token, which is shown once.",
            write(token::create),
        )
        .needs(Right::Own),
        Method::post("/api/v1/token/list", "token.list", "Lists tokens.", read(token::list))
            .needs(Right::Own),
        Method::post(
            "/api/v1/token/revoke",
            "token.revoke",
            "Takes a token back; it stops working at once.",
            write(token::revoke),
        )
        .needs(Right::Own),
    ]
}

fn analyses() -> Vec<Method> {
    vec![
        Method::get(
            "/api/v1/events/{event_id}/changes",
            "event.changes",
            "Tells how what an event tells of was before, by the event that told of it last.",
            read(changes::changes),
        ),
        Method::post(
            "/api/v1/event/analyze",
            "event.analyze",
            "Counts events by groups and by time.",
            read(event::analyze),
        ),
        Method::post(
            "/api/v1/alert/analyze",
            "alert.analyze",
            "Counts alerts by groups and by time.",
            read(alert::analyze),
        ),
    ]
}

fn deliveries() -> Vec<Method> {
    vec![
        Method::get(
            "/api/v1/deliveries",
            "delivery.list",
            "Lists what was posted, and with `state=refused` what was refused lately.",
            read(delivery::list),
        ),
        Method::get(
            "/api/v1/deliveries/{delivery_id}",
            "delivery.get",
            "Shows a delivery: its headers, its body and what became of it.",
            read(delivery::get),
        ),
        Method::post(
            "/api/v1/deliveries/{delivery_id}/redrive",
            "delivery.redrive",
            "Reads again what was not understood of a delivery, with the rules as they are now.",
            act(redrive),
        ),
    ]
}

/// Asks for a delivery to be driven again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RedriveDelivery {
    /// Its identifier.
    delivery_id: Id<Delivery>,
}

async fn redrive(front: Data<Front>, call: Call, request: RedriveDelivery) -> Result<ReceiptInfo> {
    let delivery_id = request.delivery_id;
    call.touches("delivery", &delivery_id);
    let redrive = Redrive {
        audit: audited::entry(&call, "delivery.redrive", &format!("delivery:{delivery_id}")),
        scope: call.caller.scope.clone(),
        delivery_id,
    };
    let receipt = ingest::redrive(&front.app.intake, redrive, call.now).await?;
    Ok(ReceiptInfo::from(receipt))
}
