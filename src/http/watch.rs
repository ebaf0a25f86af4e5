//! What happens around every request: its number, its clock reading, its timing, and what a panic is answered with.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use actix_web::{
    Error as ActixError, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};

use super::{Front, problem, remote};
use crate::{
    app::App,
    clock::{Stopwatch, Timestamp},
    error::{Error, Result},
    id::{Id, Identified},
    metrics::HttpLabels,
};

/// The name of the header that carries a request's number.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// When a request came, from where, and what it is called.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// When it came; once its body is there, when that was.
    pub(super) now: Timestamp,
    /// What it is called in logs, audit records and its answer.
    pub(super) request_id: String,
    /// The address it came from.
    pub(super) remote: String,
}

impl Moment {
    /// The moment of `request`.
    ///
    /// # Errors
    /// Where nobody watches over it.
    pub(super) fn of(request: &HttpRequest) -> Result<Self> {
        let moment = request.extensions().get::<Self>().cloned();
        moment.ok_or_else(|| Error::internal("a request without its moment"))
    }

    /// Reads the clock once more for `request`: a sender has a while to send a body, and must not choose by it what time
    /// it is.
    ///
    /// # Errors
    /// Where nobody watches over the request.
    pub(super) fn renew(app: &App, request: &HttpRequest) -> Result<()> {
        let moment = Self { now: app.clock.now(), ..Self::of(request)? };
        request.extensions_mut().insert(moment);
        Ok(())
    }
}

/// The kind of thing that a request's number is the identifier of.
struct Request;

impl Identified for Request {
    const PREFIX: &'static str = "request";
}

/// Watches over one request.
pub(super) async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<BoxBody>, ActixError> {
    let timing = Stopwatch::start();
    let Some(front) = request.app_data::<Data<Front>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let moment = moment(&front.app, request.request());
    let request_id = moment.request_id.clone();
    request.extensions_mut().insert(moment);
    let mut answer = next.call(request).await?.map_into_boxed_body();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    let (route, status) = (route_of(answer.request()), answer.status().as_u16());
    let took = timing.elapsed();
    let labels = HttpLabels { route, status };
    front.app.metrics.http_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    // What failed was logged where it was answered.
    if status < 400 {
        let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(route = labels.route, status, request_id, duration_us, "request answered");
    }
    Ok(answer)
}

fn moment(app: &App, request: &HttpRequest) -> Moment {
    let now = app.clock.now();
    let id: Id<Request> = app.clock.mint().id(now);
    let remote = remote::address(request, &app.config.trusted_proxy);
    Moment { now, request_id: id.to_string(), remote }
}

/// The pattern of the route that a request met; never its path, since a path may hold a key.
pub(super) fn route_of(request: &HttpRequest) -> String {
    request.match_pattern().unwrap_or_else(|| "none".to_owned())
}

/// What `answering` comes to, or an apology if it panics. A panic ends one request and nothing else.
pub(super) async fn guarded(
    request: HttpRequest,
    answering: impl Future<Output = HttpResponse>,
) -> HttpResponse {
    match unless_it_panics(answering).await {
        Some(answer) => answer,
        None => problem::answer(&request, &Error::internal("a handler panicked")),
    }
}

/// What `work` comes to, or `None` if it panics.
async fn unless_it_panics<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
        Err(_) => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_panic_ends_the_request_and_nothing_else() {
        assert_eq!(unless_it_panics(async { 1 }).await, Some(1));
        let panics = |answer: u8| -> u8 { panic!("broken before {answer}") };
        let broken = unless_it_panics(async { panics(1) });
        assert_eq!(broken.await, None);
    }
}
