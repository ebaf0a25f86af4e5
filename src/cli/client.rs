//! Calls the server for the commands: the only place beside `outbound` that makes HTTP requests, since it may call
//! this machine, which `outbound` refuses.

use std::{
    error::Error as _,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

pub(super) use reqwest::Response;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use super::{Failure, naming};
use crate::{
    api::session::WRONG,
    app::{address_file, token_file},
    config::Reach,
    load_error::LoadError,
};

/// What the commands call themselves, so that records tell them from other programs.
const AGENT: &str = concat!("alertmill/", env!("CARGO_PKG_VERSION"));

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long what has no length may take: an export or an import of whatever size.
const UNHURRIED: Duration = Duration::from_secs(24 * 60 * 60);

/// A server, and what is shown to it.
pub(super) struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// An answer as it came.
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// The body; a string where it is no JSON.
    pub(super) body: Value,
}

impl Client {
    /// The server that `reach` finds, with its token.
    ///
    /// # Errors
    /// Where there is nothing to be found.
    pub(super) fn find(reach: &Reach) -> Result<Self, Failure> {
        let base = Self::base(reach)?;
        let token = match &reach.token {
            Some(token) => token.clone(),
            None => fs::read_to_string(token_file(&reach.data)).map_err(|cause| {
                Failure::usage(format!(
                    "There is no token: `{}` cannot be read ({cause}). Give `--token`, or set ALERTMILL_TOKEN.",
                    token_file(&reach.data).display()
                ))
            })?,
        };
        Ok(Self { token: Some(token.trim().to_owned()), ..Self::of(base)? })
    }

    /// Where the server is that `reach` finds.
    pub(super) fn base(reach: &Reach) -> Result<String, Failure> {
        match &reach.url {
            Some(url) => Ok(url.trim_end_matches('/').to_owned()),
            None => address(&reach.data),
        }
    }

    /// A server at `base`, with nothing to show to it.
    pub(super) fn of(base: String) -> Result<Self, Failure> {
        let http =
            reqwest::Client::builder().user_agent(AGENT).timeout(PATIENCE).no_proxy().build();
        let http =
            http.map_err(|cause| Failure::usage(format!("Cannot make requests: {cause}.")))?;
        Ok(Self { base, token: None, http })
    }

    /// Asks for `path` with these parameters.
    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.call(Method::GET, &path, None).await
    }

    /// Calls `path` with a JSON object, which may call things by their numbers and names.
    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.post_as_it_is(path, naming::meant(self, body).await?).await
    }

    /// Calls `path` with a JSON object.
    pub(super) async fn post_as_it_is(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Asks for what never ends, after what was read last; the answer as it comes.
    pub(super) async fn watch(
        &self,
        path: &str,
        query: &[(&str, String)],
        last: Option<&str>,
    ) -> Result<reqwest::Response, Failure> {
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        let endless = reqwest::Client::builder()
            .connect_timeout(PATIENCE)
            .read_timeout(PATIENCE)
            .user_agent(AGENT);
        let http = endless.no_proxy().build();
        let http =
            http.map_err(|cause| Failure::usage(format!("Cannot make requests: {cause}.")))?;
        let mut request = http.get(format!("{}{path}?{query}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let answer = request.send().await.map_err(|cause| self.unreachable(&cause))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.text().await.map_err(|cause| self.unreachable(&cause))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(Failure::unreachable(refused(&Answer { status, body }).to_string()));
        }
        Err(refused(&Answer { status, body }))
    }

    /// Calls `path` with a JSON object; the answer as it comes, however long that takes.
    pub(super) async fn stream(&self, path: &str, body: Value) -> Result<Response, Failure> {
        let request = self.http.post(format!("{}{path}", self.base)).json(&body).timeout(UNHURRIED);
        let answer = self.shown(request).send().await.map_err(|cause| self.unreachable(&cause))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.text().await.map_err(|cause| self.unreachable(&cause))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Err(refused(&Answer { status, body }))
    }

    /// Calls `path` with one JSON object a line.
    pub(super) async fn post_lines(&self, path: &str, lines: Vec<u8>) -> Result<Value, Failure> {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/x-ndjson").body(lines);
        let answer = self.answer(self.shown(request).timeout(UNHURRIED)).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(refused(&answer)) }
    }

    fn shown(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Posts bytes to a webhook, whose address may be whole.
    pub(super) async fn deliver(
        &self,
        path: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let mut request = self.http.post(format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.answer(request).await
    }

    async fn call(&self, verb: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let mut request = self.shown(self.http.request(verb, format!("{}{path}", self.base)));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = self.answer(request).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(refused(&answer)) }
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Answer, Failure> {
        let answer = request.send().await.map_err(|cause| self.unreachable(&cause))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|cause| self.unreachable(&cause))?;
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }

    fn unreachable(&self, cause: &reqwest::Error) -> Failure {
        if cause.is_builder() {
            return Failure::usage(format!("`{}` is no address of a server.", self.base));
        }
        let why = if cause.is_timeout() {
            "it does not answer"
        } else if distrusts(cause) {
            "its certificate is not trusted here"
        } else {
            "nothing answers there"
        };
        Failure::unreachable(format!(
            "Cannot reach the server at {}: {why}. Is it running? Start it with `alertmill serve`, or name another with \
             `--url`.",
            self.base
        ))
    }
}

/// Whether a request failed because of the server's certificate.
fn distrusts(cause: &reqwest::Error) -> bool {
    let mut source = cause.source();
    while let Some(cause) = source {
        if cause.to_string().contains("certificate") {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Where the server of this data directory listens.
fn address(data: &Path) -> Result<String, Failure> {
    let file = address_file(data);
    let text = fs::read_to_string(&file).map_err(|_| {
        Failure::unreachable(format!(
            "No server is running on `{}`. Start one with `alertmill serve --data {0}`, or name one with `--url`.",
            data.display()
        ))
    })?;
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    let url = said.get("url").and_then(Value::as_str).ok_or_else(|| {
        Failure::usage(format!("`{}` does not say where the server listens.", file.display()))
    })?;
    Ok(url.to_owned())
}

/// The directories of rules and plugins that the server of this data directory reads; none where no server runs.
pub(super) fn directories_read(reach: &Reach) -> Vec<PathBuf> {
    let said = fs::read_to_string(address_file(&reach.data)).unwrap_or_default();
    let said: Value = serde_json::from_str(&said).unwrap_or_default();
    let reads = said.get("reads").and_then(Value::as_array).into_iter().flatten();
    reads.filter_map(Value::as_str).map(PathBuf::from).collect()
}

/// What the server said no with, in a sentence or two.
pub(super) fn refused(answer: &Answer) -> Failure {
    let body =
        answer.body.get("detail").filter(|detail| detail.is_object()).unwrap_or(&answer.body);
    let said = |field: &str| body.get(field).and_then(Value::as_str);
    let status = answer.status.as_u16();
    let detail = said("detail").or_else(|| said("message")).unwrap_or("it did not say why");
    let code = said("code").map(|code| format!(" ({code})")).unwrap_or_default();
    let mut text = format!("The server refused with {status}{code}: {detail}.");
    let mistakes = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    for mistake in mistakes {
        let part = |field: &str| mistake.get(field).and_then(Value::as_str).unwrap_or_default();
        if mistake.get("file").is_some() {
            let _ = write!(text, "\n{}", in_file(mistake));
        } else if part("detail") != detail {
            let _ = write!(text, "\n  {}: {}", part("pointer"), part("detail"));
        }
    }
    // A password that was wrong is no token that is missing.
    if status == 401 && detail != WRONG {
        text.push_str(" Give a token with `--token` or ALERTMILL_TOKEN.");
    }
    Failure::refused(text)
}

/// A mistake in a rule file or a manifest, as the commands that need no server tell it.
fn in_file(mistake: &Value) -> LoadError {
    let text = |field: &str| mistake.get(field).and_then(Value::as_str).map(str::to_owned);
    let number = |field: &str| mistake.get(field).and_then(Value::as_u64);
    let number = |field: &str| number(field).and_then(|number| u32::try_from(number).ok());
    LoadError {
        file: text("file").unwrap_or_default(),
        line: number("line").unwrap_or_default(),
        column: number("column").unwrap_or_default(),
        detail: text("detail").unwrap_or_default(),
        excerpt: text("excerpt"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_shapes_of_error_read_the_same() {
        let shapes = [
            json!({ "code": "ERROR_NOT_FOUND", "detail": "no alert `a`" }),
            json!({ "detail": { "code": "ERROR_NOT_FOUND", "message": "no alert `a`" } }),
        ];
        for body in shapes {
            let failure = refused(&Answer { status: StatusCode::NOT_FOUND, body });
            let wanted = "The server refused with 404 (ERROR_NOT_FOUND): no alert `a`.";
            assert_eq!(failure.to_string(), wanted);
        }
    }
}
