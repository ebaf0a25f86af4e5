//! The one handler: turns an [`api`](crate::api) function into a route, and says what each route is.
//!
//! Whoever adds a method adds one row to a table. What a row says (its right, whether it reads or writes, what goes in
//! and comes out) is what the handler enforces, what the audit trail records and what `openapi.json` shows.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Front, audited, body, caller,
    decode::{self, Sent},
    gone,
    problem::{self, Dialect},
};
use crate::{
    api::{Call, chain},
    app::App,
    domain::{token::Right, words::Role},
    error::{Code, Error, Result},
    store::Tx,
};

/// How much of an identifier that a request names is recorded, in characters: whoever is refused may write anything there.
const LONGEST_ID: usize = 100;

/// A method of an API: one row of a route table.
pub(super) struct Method {
    /// The pattern of its address.
    pub(super) path: &'static str,
    /// The HTTP method it is called with.
    pub(super) verb: Verb,
    /// What it is called in audit records and in the API's description, e.g. `alert.update`.
    pub(super) name: &'static str,
    /// What it does, in a sentence.
    pub(super) summary: &'static str,
    /// What its caller must be allowed.
    pub(super) right: Right,
    /// The status that says that it was done.
    pub(super) status: u16,
    /// What it does and how.
    pub(super) work: Work,
}

/// The HTTP method that a method is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Asked for with parameters in the address.
    Get,
    /// Asked for with a JSON object.
    Post,
    /// Removes something; asked for with parameters in the address.
    Delete,
}

impl Verb {
    /// The verb as HTTP writes it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Whether a method changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It runs against a snapshot.
    Read,
    /// It runs in a transaction, with its audit record.
    Write,
    /// It computes over what it is given, and changes nothing.
    Compute,
    /// It is neither: it runs over the whole program, and writes as it needs.
    Act,
}

/// What a method does, without the types of what goes in and comes out.
pub(super) struct Work {
    /// Whether it changes anything.
    pub(super) kind: Kind,
    /// The schema of what goes in.
    pub(super) request: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of what comes out.
    pub(super) response: fn(&mut SchemaGenerator) -> Schema,
    run: Box<dyn Fn(Asked) -> Answering + Send + Sync>,
}

/// A method that was called by someone who may.
struct Asked {
    front: Data<Front>,
    method: &'static str,
    call: Call,
    request: HttpRequest,
    sent: Sent,
}

type Answering = Pin<Box<dyn Future<Output = Result<Answer>>>>;

/// What a method answers.
pub(super) enum Answer {
    /// JSON.
    Json(Vec<u8>),
    /// An answer with a shape of its own.
    Whole(HttpResponse),
}

/// A method that runs `method` against a snapshot.
pub(super) fn read<Q, S>(method: fn(&dyn Tx, &Call, Q) -> Result<S>) -> Work
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    S: Serialize + JsonSchema + Send + 'static,
{
    work::<Q, S>(Kind::Read, move |asked| {
        Box::pin(async move {
            let Asked { front, call, sent, .. } = asked;
            let request: Q = decode::request(sent)?;
            let read = front.app.store.read(move |tx| json(&method(tx, &call, request)?));
            read.await.map(Answer::Json)
        })
    })
}

/// A method that runs `method` in a transaction, and records that it did, or that it was refused.
pub(super) fn write<Q, S>(method: fn(&mut dyn Tx, &Call, Q) -> Result<S>) -> Work
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    S: Serialize + JsonSchema + Send + 'static,
{
    work::<Q, S>(Kind::Write, move |asked| {
        Box::pin(async move {
            let Asked { front, method: name, call, sent, .. } = asked;
            let request: Q = match decode::request(sent) {
                Ok(request) => request,
                Err(error) => return Err(audited::refused(&front.app, name, call, error).await),
            };
            let write =
                audited::write(&front.app, name, call, move |tx, call| method(tx, call, request));
            write.await.map(Answer::Json)
        })
    })
}

/// A method that runs `method` in a transaction, as [`write()`] does, with what `prepare` makes of the request before: a
/// transaction must not wait for what takes long.
pub(super) fn prepared<Q, P, S, F>(
    prepare: fn(Data<Front>, Call, Q) -> F,
    method: fn(&mut dyn Tx, &Call, P) -> Result<S>,
) -> Work
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    P: Send + 'static,
    S: Serialize + JsonSchema + Send + 'static,
    F: Future<Output = Result<P>> + 'static,
{
    work::<Q, S>(Kind::Write, move |asked| {
        Box::pin(async move {
            let Asked { front, method: name, call, sent, .. } = asked;
            let preparing = async {
                let request: Q = decode::request(sent)?;
                prepare(front.clone(), call.clone(), request).await
            };
            let ready = match preparing.await {
                Ok(ready) => ready,
                Err(error) => return Err(audited::refused(&front.app, name, call, error).await),
            };
            let write =
                audited::write(&front.app, name, call, move |tx, call| method(tx, call, ready));
            write.await.map(Answer::Json)
        })
    })
}

/// A method that runs `method` over the whole program.
pub(super) fn act<Q, S, F>(method: fn(Data<Front>, Call, Q) -> F) -> Work
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    S: Serialize + JsonSchema + Send + 'static,
    F: Future<Output = Result<S>> + 'static,
{
    work::<Q, S>(Kind::Act, move |asked| {
        Box::pin(async move {
            let Asked { front, call, sent, .. } = asked;
            json(&method(front, call, decode::request(sent)?).await?).map(Answer::Json)
        })
    })
}

/// A method that runs `method` over the whole program and makes its whole answer: a file, a cookie, a shape that is no
/// JSON object. `S` is what its answer says, for the API's description.
pub(super) fn serve<Q, S, F>(method: fn(Data<Front>, Call, Q) -> F) -> Work
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    S: JsonSchema + 'static,
    F: Future<Output = Result<HttpResponse>> + 'static,
{
    work::<Q, S>(Kind::Act, move |asked| {
        Box::pin(async move {
            let Asked { front, call, sent, .. } = asked;
            method(front, call, decode::request(sent)?).await.map(Answer::Whole)
        })
    })
}

/// The same for a method that looks at the request itself: at what its caller takes, or whether they still wait.
pub(super) fn serve_request<Q, S, F>(method: fn(Data<Front>, (Call, HttpRequest), Q) -> F) -> Work
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    S: JsonSchema + 'static,
    F: Future<Output = Result<HttpResponse>> + 'static,
{
    work::<Q, S>(Kind::Act, move |asked| {
        Box::pin(async move {
            let Asked { front, call, request, sent, .. } = asked;
            method(front, (call, request), decode::request(sent)?).await.map(Answer::Whole)
        })
    })
}

/// A method that computes over what it is given, on a thread that may take its time. Few run at once.
pub(super) fn compute<Q, S>(method: fn(&App, &Call, Q) -> Result<S>) -> Work
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    S: Serialize + JsonSchema + Send + 'static,
{
    work::<Q, S>(Kind::Compute, move |asked| {
        Box::pin(async move {
            let Asked { front, call, sent, .. } = asked;
            let request: Q = decode::request(sent)?;
            let turn =
                Arc::clone(&front.computing).acquire_owned().await.map_err(Error::internal)?;
            let app = Arc::clone(&front.app);
            let computing = tokio::task::spawn_blocking(move || {
                // Held until it is done, though nobody may wait for the answer any more.
                let _turn = turn;
                json(&method(&app, &call, request)?)
            });
            computing.await.map_err(Error::internal)?.map(Answer::Json)
        })
    })
}

fn work<Q: JsonSchema, S: JsonSchema>(
    kind: Kind,
    run: impl Fn(Asked) -> Answering + Send + Sync + 'static,
) -> Work {
    Work {
        kind,
        request: SchemaGenerator::subschema_for::<Q>,
        response: SchemaGenerator::subschema_for::<S>,
        run: Box::new(run),
    }
}

/// What is answered, as JSON.
pub(super) fn json(answer: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(answer).map_err(Error::internal)
}

impl Method {
    /// A row for a method that is called with a JSON object.
    pub(super) fn post(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        work: Work,
    ) -> Self {
        let right = match work.kind {
            Kind::Read => Right::Read,
            Kind::Write | Kind::Compute | Kind::Act => Right::Write,
        };
        Self { path, verb: Verb::Post, name, summary, right, status: 200, work }
    }

    /// A row for a method that is called with parameters in its address.
    pub(super) fn get(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        work: Work,
    ) -> Self {
        Self { verb: Verb::Get, right: Right::Read, ..Self::post(path, name, summary, work) }
    }

    /// The same row, called with another verb.
    pub(super) fn called_by(self, verb: Verb) -> Self {
        Self { verb, ..self }
    }

    /// The same row, which says with this status that it was done.
    pub(super) fn answers(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same row for callers who have this right.
    pub(super) fn needs(self, right: Right) -> Self {
        Self { right, ..self }
    }

    /// Whether it changes anything, so that refusing it is recorded.
    pub(super) fn changes(&self) -> bool {
        match self.work.kind {
            Kind::Read | Kind::Compute => false,
            Kind::Write => true,
            // Whoever may be anyone is about to log in, which records itself.
            Kind::Act => !matches!(self.right, Right::Read | Right::Anyone),
        }
    }

    /// Answers a request.
    pub(super) async fn answer(
        &self,
        front: Data<Front>,
        request: HttpRequest,
        payload: Payload,
    ) -> HttpResponse {
        match self.run(front, &request, payload).await {
            Ok(Answer::Json(json)) => {
                let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
                HttpResponse::build(status).content_type("application/json").body(json)
            }
            Ok(Answer::Whole(whole)) => whole,
            Err(error) => problem::answer(&request, &error),
        }
    }

    async fn run(
        &self,
        front: Data<Front>,
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<Answer> {
        let (call, payload) = match self.right {
            Right::Anyone => (caller::anyone(&front, request)?, payload),
            Right::Read | Right::Write | Right::Post | Right::Own | Right::Administer => {
                caller::admitted(&front, request, payload).await?
            }
        };
        let sent = self.sent(&front.app, request, payload).await;
        if let Ok(sent) = &sent {
            self.note(&call, sent);
        }
        let checked = if call.caller.role.allows(self.right) {
            sent
        } else {
            Err(self.refusal(call.caller.role))
        };
        match checked {
            // A query stops once nobody waits for it; what changes something goes on.
            Ok(sent) if self.work.kind == Kind::Read => {
                gone::awaited(request, self.done(front, (call, request), sent)).await
            }
            Ok(sent) => self.done(front, (call, request), sent).await,
            Err(error) if self.is_recorded(&error) => {
                Err(audited::refused(&front.app, self.name, call, error).await)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a refusal is recorded: of whatever would change something, and of whoever is not allowed to ask.
    fn is_recorded(&self, error: &Error) -> bool {
        self.changes() || error.code == Code::PermissionDenied
    }

    /// Notes what a request names, e.g. `webhook:webhook-0198…`, and what is of the method's own kind among it.
    fn note(&self, call: &Call, sent: &Sent) {
        let named = match sent {
            Sent::Json(Value::Object(object)) => chain::named_in(object),
            Sent::Json(_) => Vec::new(),
            Sent::Form(text) => {
                let fields: Vec<(String, Value)> =
                    serde_urlencoded::from_str(text).unwrap_or_default();
                // What stands in the path comes last, and counts.
                chain::named_in(&fields.into_iter().collect())
            }
        };
        let kind = self.name.split('.').next().unwrap_or_default();
        let cut = |named: &String| named.chars().take(kind.len() + 1 + LONGEST_ID).collect();
        let own = named.iter().find(|it| it.split_once(':').is_some_and(|(of, _)| of == kind));
        call.notes.names(own.map(cut), named);
    }

    /// What a caller is told whose role does not allow it.
    fn refusal(&self, role: Role) -> Error {
        let detail = format!("a {role} may not call `{}`", self.name);
        match self.right {
            // Whoever is no service has no such method.
            Right::Post => {
                let detail = format!("{detail}: only services do, with the role {}", Role::Service);
                Error::new(Code::MethodNotAllowed, detail)
            }
            Right::Anyone | Right::Read | Right::Write | Right::Own | Right::Administer => {
                Error::new(Code::PermissionDenied, detail)
            }
        }
    }

    async fn done(
        &self,
        front: Data<Front>,
        (call, request): (Call, &HttpRequest),
        sent: Sent,
    ) -> Result<Answer> {
        let (shared, request) = (front.clone(), request.clone());
        let asked = Asked { front: shared, method: self.name, call: call.clone(), request, sent };
        match (self.work.run)(asked).await {
            // What writes records its refusals itself, in the transaction that it rolls back.
            Err(error) if self.work.kind != Kind::Write && self.is_recorded(&error) => {
                Err(audited::refused(&front.app, self.name, call, error).await)
            }
            done => done,
        }
    }

    async fn sent(&self, app: &App, request: &HttpRequest, payload: Payload) -> Result<Sent> {
        let body = body::read(request.headers(), payload, &app.config).await?;
        match self.verb {
            Verb::Post => {
                let mut object = decode::object(&body.bytes)?;
                if Dialect::of(request.path()) == Dialect::H2o {
                    decode::add_parameters(&mut object, request.query_string())?;
                }
                for (name, value) in request.match_info().iter() {
                    object[name] = Value::String(value.to_owned());
                }
                Ok(Sent::Json(object))
            }
            Verb::Get | Verb::Delete => {
                let path: Vec<(&str, &str)> = request.match_info().iter().collect();
                let path = serde_urlencoded::to_string(path).map_err(Error::internal)?;
                let parts = [request.query_string(), path.as_str()];
                let given = parts.into_iter().filter(|part| !part.is_empty());
                Ok(Sent::Form(given.collect::<Vec<_>>().join("&")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::methods;

    #[test]
    fn every_address_and_every_name_is_there_once() {
        let all = methods();
        let paths: BTreeSet<_> =
            all.iter().map(|method| (method.path, method.verb.as_str())).collect();
        let names: BTreeSet<&str> = all.iter().map(|method| method.name).collect();
        assert_eq!((paths.len(), names.len()), (all.len(), all.len()));
    }

    #[test]
    fn whoever_only_reads_changes_nothing() {
        for method in methods() {
            // Who logs in or out changes nothing but the own session.
            if !method.changes() || method.right == Right::Anyone {
                continue;
            }
            assert_ne!(method.right, Right::Read, "{}", method.name);
            assert!(!Role::DomainAdmin.allows(method.right), "{}", method.name);
        }
    }

    #[test]
    fn every_method_says_what_it_does_and_what_it_takes() {
        for method in methods() {
            assert!(method.summary.ends_with('.'), "{}", method.name);
            let mut schemas = SchemaGenerator::default();
            for schema in
                [(method.work.request)(&mut schemas), (method.work.response)(&mut schemas)]
            {
                assert_ne!(schema.to_value(), Value::Bool(true), "{}", method.name);
            }
        }
    }
}
