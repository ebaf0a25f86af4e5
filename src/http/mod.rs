//! The outside, over HTTP. Only this module knows that HTTP exists.
//!
//! [`native`] and `cloudforet` are the tables of methods, `method` is the one handler behind them, `webhook` is the door
//! that monitoring systems post to, and `watch` is what happens around every request.

mod ack;
mod audited;
mod body;
mod caller;
mod cloudforet;
mod decode;
mod dialects;
mod export;
mod gone;
mod h2o;
mod iguazio;
mod import;
mod lab;
mod login;
mod method;
mod native;
mod openapi;
mod origin;
mod page;
mod plugins;
mod probe;
mod problem;
mod quiet;
mod rate;
mod receipt;
mod refusals;
mod reload;
mod remote;
mod routes;
mod rules;
mod runai;
mod server;
mod stream;
mod vitals;
mod watch;
mod webhook;

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{
    App as Application, Error as ActixError, HttpRequest, Resource,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    middleware::from_fn,
    web::{self, Data, Payload, ServiceConfig},
};
use tokio::sync::Semaphore;

use self::{
    login::Desk,
    method::{Method, Verb},
    quiet::Quiet,
    rate::RateLimits,
    refusals::Refusals,
    stream::Streams,
};
pub use self::{openapi::document, server::serve};
use crate::app::App;

/// How many methods compute at once; more wait, so that deliveries do not have to.
const COMPUTING: usize = 2;

/// How many channels are tried at once; each try may wait as long as its receiver lets it.
const TRYING: usize = 8;

/// Everything a request needs: the program, and what only its edge keeps.
pub struct Front {
    app: Arc<App>,
    methods: Vec<Method>,
    refusals: Refusals,
    rates: RateLimits,
    quiet: Quiet,
    /// How many more methods may compute at this moment.
    computing: Arc<Semaphore>,
    /// Turns of those who have a channel tried.
    trying: Semaphore,
    streams: Streams,
    /// Where whoever logs in is looked at.
    desk: Desk,
}

impl Front {
    /// The edge of `app`.
    pub fn new(app: Arc<App>) -> Self {
        let (refusals, rates) = (Refusals::default(), RateLimits::default());
        let computing = Arc::new(Semaphore::new(COMPUTING));
        let trying = Semaphore::new(TRYING);
        let streams = Streams::new(app.config.streams, Arc::clone(&app.metrics));
        let (methods, quiet) = (methods(), Quiet::default());
        let desk = Desk::default();
        Self { app, methods, refusals, rates, quiet, computing, trying, streams, desk }
    }
}

/// Every method of every API.
fn methods() -> Vec<Method> {
    let mut all = cloudforet::methods();
    all.extend(native::methods());
    all.extend(routes::methods());
    all.extend(plugins::methods());
    all.extend(rules::methods());
    all.extend(lab::methods());
    all.extend(runai::methods());
    all.extend(h2o::methods());
    all.extend(iguazio::methods());
    all
}

/// All that answers requests, for a server and for whoever calls without one.
pub fn application(
    front: Data<Front>,
) -> Application<
    impl ServiceFactory<
        ServiceRequest,
        Response = ServiceResponse<BoxBody>,
        Config = (),
        InitError = (),
        Error = ActixError,
    >,
> {
    Application::new()
        .wrap(from_fn(watch::watch))
        .configure(move |server| addresses(server, &front))
}

/// Adds every address to a server.
fn addresses(server: &mut ServiceConfig, front: &Data<Front>) {
    server.app_data(front.clone());
    // Addresses are tried in order, and the door is knocked at most.
    webhook::addresses(server, front.app.config.bench);
    let mut paths: Vec<&str> = front.methods.iter().map(|method| method.path).collect();
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(*path));
    for path in paths {
        server.service(resource(path, &front.methods));
    }
    stream::addresses(server);
    export::addresses(server);
    import::addresses(server);
    ack::addresses(server);
    login::addresses(server);
    vitals::addresses(server);
    page::addresses(server);
    server.default_service(web::to(problem::nowhere));
}

/// An address with all its methods.
fn resource(path: &str, methods: &[Method]) -> Resource {
    let mut resource = web::resource(path);
    let mut allowed = Vec::new();
    for (at, method) in methods.iter().enumerate().filter(|(_, method)| method.path == path) {
        let answer = move |front: Data<Front>, request: HttpRequest, payload: Payload| async move {
            let Some(method) = front.methods.get(at) else {
                return problem::nowhere(request).await;
            };
            watch::guarded(request.clone(), method.answer(front.clone(), request, payload)).await
        };
        let route = match method.verb {
            Verb::Get => web::get(),
            Verb::Post => web::post(),
            Verb::Delete => web::delete(),
        };
        allowed.push(method.verb.as_str());
        resource = resource.route(route.to(answer));
    }
    resource.default_service(refusing(allowed.join(", ")))
}

/// What answers an address that was called with another HTTP method than `allowed`.
fn refusing(allowed: impl Into<String>) -> actix_web::Route {
    let allowed: Arc<str> = allowed.into().into();
    web::to(move |request: HttpRequest| {
        let allowed = Arc::clone(&allowed);
        async move { problem::wrong_method(&request, &allowed) }
    })
}

/// A route for GET, and for HEAD, which is answered like GET but without the body.
fn get_or_head() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
