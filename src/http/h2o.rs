//! The table of `/v1/events`: what services post of what is done in them, as H2O's audit trail has it.

use actix_web::web::Data;

use super::{
    Front,
    method::{Method, act, read},
};
use crate::{
    api::{
        Call,
        posted::{self, BatchCreateEvents, BatchCreated, CreateEvent, Created},
    },
    domain::token::Right,
    error::Result,
};

/// The methods of this dialect.
pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::post(
            "/v1/events",
            "posted_event.create",
            "Reports what was done in a service; the record of it is all that is kept of the call.",
            act(create),
        )
        .needs(Right::Post),
        Method::post(
            "/v1/events:batchCreate",
            posted::BATCH,
            "Reports up to 1000 things that were done in a service, each by itself.",
            act(batch_create),
        )
        .needs(Right::Post),
        Method::post(
            "/v1/events:search",
            "posted_event.search",
            "Looks for what was done in services and in Alertmill, the last first; a service sees what it reported.",
            read(posted::search),
        ),
        Method::get("/version", "server.version", "Tells the version.", read(posted::version))
            .needs(Right::Anyone),
    ]
}

async fn create(front: Data<Front>, call: Call, request: CreateEvent) -> Result<Created> {
    let draft = request.ready(&call)?;
    front.app.store.write(move |tx| posted::create(tx, &call, draft)).await
}

async fn batch_create(
    front: Data<Front>,
    call: Call,
    request: BatchCreateEvents,
) -> Result<BatchCreated> {
    let batch = request.ready(&call)?;
    front.app.store.write(move |tx| posted::batch_create(tx, &call, batch)).await
}
