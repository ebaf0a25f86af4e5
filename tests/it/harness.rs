//! A whole server in a directory of its own, with a clock that obeys. Everything goes in and comes out over HTTP.

use std::{future::Future, path::PathBuf, pin::Pin, rc::Rc, sync::Arc};

use actix_web::{
    body::{BoxBody, MessageBody},
    dev::{Payload, Service, ServiceResponse},
    http::Method,
    test::{self, TestRequest},
    web::{Bytes, Data},
};
use alertmill::{
    app::{App, Opened},
    clock::{Clock, Timestamp},
    config::Config,
    http::{self, Front},
    outbound::{AllowPrivate, Outbound},
};
use chrono::{DateTime, TimeDelta};
use clap::Parser;
use futures_util::{FutureExt as _, Stream};
use serde_json::{Value, json};
use tempfile::TempDir;

/// When every house is built.
pub const START: &str = "2026-01-01T00:00:00.000Z";

/// A server and its data.
pub struct House {
    directory: Rc<TempDir>,
    clock: Clock,
    flags: Vec<String>,
    admin: String,
    running: Option<Running>,
}

/// What is gone once the house is closed.
struct Running {
    app: Arc<App>,
    serve: Serve,
}

type Serve = Rc<dyn Fn(TestRequest, Payload) -> Serving>;

type Serving = Pin<Box<dyn Future<Output = ServiceResponse<BoxBody>>>>;

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null where it is none.
    pub body: Value,
    pub text: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

/// A webhook and the key that opens it.
#[derive(Clone, Debug)]
pub struct Hook {
    pub webhook_id: String,
    pub access_key: String,
}

/// Someone who calls with a token.
#[derive(Clone)]
pub struct Caller<'a> {
    house: &'a House,
    token: String,
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

impl House {
    /// A house with nothing in it but what the first start makes.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same, started with these flags.
    pub async fn with(flags: &[&str]) -> Self {
        let directory = Rc::new(tempfile::tempdir().unwrap());
        let clock = Clock::manual(time(START));
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut house = Self { directory, clock, flags, admin: String::new(), running: None };
        let token = house.open().await;
        house.admin = token.expect("the first start makes a token");
        house
    }

    /// Starts the server; the administrator's token where it is the first start.
    async fn open(&mut self) -> Option<String> {
        let data = self.data().display().to_string();
        // What a power cut takes is another test's; here a sync at every commit would only cost time.
        let flags = ["alertmill", "--data", &data, "--durability", "normal"];
        let flags = flags.into_iter().map(str::to_owned);
        let config = Flags::parse_from(flags.chain(self.flags.iter().cloned())).config;
        let opened = App::open(config, self.clock.clone()).await;
        let Opened { app, first_token } = opened.unwrap_or_else(|error| panic!("{error}"));
        app.announce("127.0.0.1:8080".parse().unwrap()).unwrap();
        let app = Arc::new(app);
        let front = Data::new(Front::new(Arc::clone(&app)));
        let serve = serving(front).await;
        self.running = Some(Running { app, serve });
        first_token
    }

    /// Closes the server and starts it again over the same data.
    pub async fn reopen(&mut self) {
        let running = self.running.take().unwrap();
        running.app.close();
        drop(running);
        assert_eq!(self.open().await, None, "a second start makes no token");
    }

    /// Lets happen once what happens by itself.
    pub async fn tick(&self) {
        self.running.as_ref().unwrap().app.jobs().tick().await;
    }

    /// Lets happen once what happens each second: timers that are due.
    pub async fn second(&self) {
        self.running.as_ref().unwrap().app.jobs().second().await;
    }

    /// Sends what is due at this moment, once each; how many messages that were.
    pub async fn sends(&self) -> usize {
        let app = &self.running.as_ref().unwrap().app;
        alertmill::jobs::deliver(&app.jobs(), self.now()).await.unwrap()
    }

    /// Says once to `url` that all is well, if it is.
    pub async fn ping(&self, url: &str) -> alertmill::error::Result<()> {
        let jobs = self.running.as_ref().unwrap().app.jobs();
        let outbound = Outbound::new(AllowPrivate::Yes);
        alertmill::jobs::ping::ping(&jobs, (&outbound, url), self.now()).await
    }

    /// Lets happen once what happens each hour.
    pub async fn hour(&self) {
        self.running.as_ref().unwrap().app.jobs().hour().await;
    }

    /// Lets happen once what happens each day.
    pub async fn day(&self) {
        self.running.as_ref().unwrap().app.jobs().day().await;
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Lets time pass.
    pub fn later(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Calls as the holder of `token`.
    pub fn as_token(&self, token: impl Into<String>) -> Caller<'_> {
        Caller { house: self, token: token.into() }
    }

    /// Calls as the administrator.
    pub fn admin(&self) -> Caller<'_> {
        self.as_token(&self.admin)
    }

    /// The administrator's token.
    pub fn admin_token(&self) -> &str {
        &self.admin
    }

    /// Sends a request as it is.
    pub fn send(&self, request: TestRequest) -> Pin<Box<dyn Future<Output = Answer>>> {
        let answering = self.begin(request, Payload::None);
        Box::pin(async move { Answer::read(answering.await).await })
    }

    /// Sends a request whose body comes by and by.
    pub async fn send_slowly(
        &self,
        request: TestRequest,
        body: impl Stream<Item = Bytes> + 'static,
    ) -> Answer {
        use futures_util::StreamExt as _;
        let payload = Payload::Stream { payload: body.map(Ok).boxed_local() };
        Answer::read(self.begin(request, payload).await).await
    }

    /// Sends a request; the answer before its body is read.
    pub fn begin(&self, request: TestRequest, payload: Payload) -> Serving {
        let serve = &self.running.as_ref().expect("the house is open").serve;
        serve(request.peer_addr("192.0.2.7:40000".parse().unwrap()), payload)
    }

    /// Lets the store write nothing until what is given back is dropped.
    pub fn hold(&self) -> std::sync::mpsc::Sender<()> {
        let (held, until) = std::sync::mpsc::channel::<()>();
        let store = self.running.as_ref().unwrap().app.store.clone();
        let work = move |_: &mut dyn alertmill::store::Tx| {
            let _ = until.recv();
            Ok(())
        };
        let mut writing = Box::pin(async move { store.write(work).await });
        assert!(writing.as_mut().now_or_never().is_none());
        actix_web::rt::spawn(writing);
        held
    }

    /// Waits until all is written that nobody waited for.
    pub async fn settled(&self) {
        self.running.as_ref().unwrap().app.store.write(|_| Ok(())).await.unwrap();
    }

    /// Asks as the administrator with these headers; the answer, and its body as it came.
    pub async fn send_raw(&self, path: &str, headers: &[(&str, &str)]) -> (Answer, Vec<u8>) {
        let mut request = TestRequest::get().uri(path);
        for header in headers {
            request = request.insert_header(*header);
        }
        let answer = self.admin().send(request).await;
        let bytes = answer.bytes.clone();
        (answer, bytes)
    }

    /// Posts as the administrator.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.admin().post(path, body).await
    }

    /// Asks as the administrator.
    pub async fn get(&self, path: &str) -> Answer {
        self.admin().get(path).await
    }

    /// Posts as the administrator what must succeed; the body of the answer.
    pub async fn done(&self, path: &str, body: Value) -> Value {
        self.admin().done(path, body).await
    }

    /// A new webhook of the default project.
    pub async fn webhook(&self, provider: &str) -> Hook {
        self.webhook_in("default", provider, json!({})).await
    }

    /// A new webhook, without the rules that come with its provider.
    pub async fn bare_webhook(&self, provider: &str) -> Hook {
        let asked = json!({
            "name": format!("bare {provider}"), "project_id": "default", "provider": provider,
            "default_rules": false,
        });
        Hook::from(&self.done("/monitoring/v1/webhook/create", asked).await)
    }

    /// A new webhook of a project, with these options.
    pub async fn webhook_in(&self, project: &str, provider: &str, options: Value) -> Hook {
        let name = format!("{provider} {}", self.now().timestamp_millis());
        let made = self.named_webhook(&name, project, provider, options).await;
        Hook::from(&made)
    }

    async fn named_webhook(
        &self,
        name: &str,
        project: &str,
        provider: &str,
        options: Value,
    ) -> Value {
        let taken = self
            .done("/monitoring/v1/webhook/list", json!({ "query": { "count_only": true } }))
            .await;
        let name = format!("{name}-{}", taken["total_count"]);
        let request = json!({ "name": name, "project_id": project, "provider": provider, "options": options });
        self.done("/monitoring/v1/webhook/create", request).await
    }

    /// Delivers JSON to a webhook.
    pub async fn deliver(&self, hook: &Hook, body: &Value) -> Answer {
        self.deliver_bytes(hook, body.to_string().as_bytes(), &[]).await
    }

    /// Delivers whatever it is, with these headers.
    pub async fn deliver_bytes(
        &self,
        hook: &Hook,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(hook.delivery(body, headers)).await
    }

    /// Delivers JSON that must be understood; the receipt.
    pub async fn understood(&self, hook: &Hook, body: &Value) -> Value {
        let answer = self.deliver(hook, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// All events that meet `request`, oldest first.
    pub async fn events(&self, request: Value) -> Vec<Value> {
        self.oldest_first("/monitoring/v1/event/list", request).await
    }

    /// All alerts that meet `request`, oldest first.
    pub async fn alerts(&self, request: Value) -> Vec<Value> {
        self.oldest_first("/monitoring/v1/alert/list", request).await
    }

    async fn oldest_first(&self, path: &str, request: Value) -> Vec<Value> {
        let mut page = self.done(path, request).await;
        assert!(page["next_cursor"].is_null(), "more than one page");
        let Value::Array(mut rows) = page["results"].take() else { panic!("no results: {page}") };
        assert_eq!(page["total_count"], rows.len(), "{page}");
        rows.reverse();
        rows
    }

    /// A token with this role, in the default domain and workspace unless `reach` says otherwise.
    pub async fn token(&self, role: &str, reach: Value) -> String {
        let mut request = json!({ "name": format!("a {role}"), "role": role });
        for (field, value) in reach.as_object().unwrap() {
            request[field] = value.clone();
        }
        let made = self.done("/api/v1/token/create", request).await;
        made["token"].as_str().expect("a new token is shown").to_owned()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.app.close();
        }
    }
}

async fn serving(front: Data<Front>) -> Serve {
    let service = Rc::new(test::init_service(http::application(front)).await);
    Rc::new(move |request, body| {
        let service = Rc::clone(&service);
        let mut request = request.to_request();
        if !matches!(body, Payload::None) {
            *request.payload() = body;
        }
        Box::pin(async move { service.call(request).await.unwrap() })
    })
}

impl Answer {
    async fn read(answer: ServiceResponse<impl MessageBody>) -> Self {
        let status = answer.status().as_u16();
        let headers = answer.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let bytes = test::read_body(answer).await;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status, headers, body, text, bytes: bytes.to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The code of an error, in the clothes of either dialect.
    pub fn code(&self) -> &str {
        let code = self.body["code"].as_str().or_else(|| self.body["detail"]["code"].as_str());
        code.unwrap_or("")
    }

    /// The places that an error names.
    pub fn pointers(&self) -> Vec<&str> {
        let native = self.body["errors"].as_array();
        let mistakes = native.or_else(|| self.body["detail"]["errors"].as_array());
        let mistakes = mistakes.into_iter().flatten();
        mistakes.map(|mistake| mistake["pointer"].as_str().unwrap()).collect()
    }
}

impl Caller<'_> {
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let request = TestRequest::post().uri(path).set_json(body);
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    pub async fn send(&self, request: TestRequest) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.house.send(request.insert_header(("Authorization", bearer))).await
    }

    /// Posts what must succeed; the body of the answer.
    pub async fn done(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body.clone()).await;
        assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
        answer.body
    }

    /// Asks for what must be there; the body of the answer.
    pub async fn found(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }
}

impl Hook {
    /// The address that holds the key.
    pub fn path(&self) -> String {
        format!("/monitoring/v1/webhook/{}/{}/events", self.webhook_id, self.access_key)
    }

    /// The address without the key.
    pub fn bare_path(&self) -> String {
        format!("/monitoring/v1/webhook/{}/events", self.webhook_id)
    }

    /// The same webhook with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { access_key: key.to_owned(), ..self.clone() }
    }

    /// A delivery to it.
    pub fn delivery(&self, body: &[u8], headers: &[(&str, &str)]) -> TestRequest {
        self.delivery_with("", body, headers)
    }

    /// A delivery to it, with a query string.
    pub fn delivery_with(&self, query: &str, body: &[u8], headers: &[(&str, &str)]) -> TestRequest {
        let address = format!("{}?{query}", self.path());
        let address = address.trim_end_matches('?');
        let mut request = TestRequest::default().method(Method::POST).uri(address);
        let says_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !says_type {
            request = request.insert_header(("Content-Type", "application/json"));
        }
        for header in headers {
            request = request.insert_header(*header);
        }
        request.set_payload(body.to_vec())
    }
}

impl From<&Value> for Hook {
    fn from(made: &Value) -> Self {
        let text =
            |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{name}: {made}")).to_owned();
        Self { webhook_id: text("webhook_id"), access_key: text("access_key") }
    }
}

/// A time as the API writes it.
pub fn time(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}
