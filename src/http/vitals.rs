//! How the server is: for load balancers and for Prometheus.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, ServiceConfig},
};

use super::{Front, get_or_head, problem, refusing};
use crate::{
    domain::scope::Scope,
    error::{Error, Result},
};

/// How long the store may take to answer before the server counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// Adds the addresses that tell how the server is.
pub(super) fn addresses(server: &mut ServiceConfig) {
    let resources = [
        web::resource("/healthz").route(get_or_head().to(health)),
        web::resource("/readyz").route(get_or_head().to(readiness)),
        web::resource("/metrics").route(get_or_head().to(metrics)),
    ];
    for resource in resources {
        server.service(resource.default_service(refusing("GET")));
    }
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

async fn readiness(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    match is_ready(&front).await {
        Ok(()) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Err(error) => problem::answer(&request, &error),
    }
}

async fn is_ready(front: &Front) -> Result<()> {
    let asked = front.app.store.read(|tx| tx.domains(&Scope::EVERYTHING).map(|_| ()));
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answered) => answered,
        Err(_) => Err(Error::unavailable("the store does not answer", 1)),
    }
}

async fn metrics(front: Data<Front>) -> HttpResponse {
    front.app.intake.count_mappings();
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(front.app.metrics.text())
}
