//! HTTP out: the only user of `reqwest`. It does not reach addresses that a stranger must not reach through us.
//!
//! Addresses are checked after the name is resolved and at the moment of connecting, so that a name which resolves to
//! something else the second time gains nothing. Redirects are not followed and proxies of the environment not used.
//! What is answered is read no further than it is looked at.

mod address;
mod mail;
mod names;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    sync::OnceLock,
    time::Duration,
};

use reqwest::{
    Client, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};

pub use self::mail::{MailSecurity, MailServer, Mailer};
use self::{address::is_public, names::Names};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take, unless it is said otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How much of an answer is read.
const MOST_BYTES: usize = 64 << 10;

/// How long a connection stays open for the next call, and how many of one host.
const IDLE: Duration = Duration::from_secs(5);
const IDLE_PER_HOST: usize = 4;

/// The longest time to wait that is taken from an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Whether addresses that are not public may be reached, and plain http used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowPrivate {
    /// They may: the operator says that who makes us call is trusted.
    Yes,
    /// They may not.
    No,
}

/// What calls out. Its client is made at the first call, since most servers never make one.
#[derive(Debug)]
pub struct Outbound {
    allow_private: AllowPrivate,
    patience: Duration,
    names: Names,
    client: OnceLock<Client>,
    mailer: Option<Mailer>,
}

/// Something to post.
#[derive(Debug)]
pub struct Post<'a> {
    /// Where to.
    pub url: &'a str,
    /// What the body is.
    pub content_type: &'a str,
    /// What is said beside that, by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long to wait before the next try, where the answer says so.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, as text.
    pub body: String,
}

/// Why a call out was not made, or failed.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The text is no address.
    #[error("the address cannot be read: {0}")]
    NoUrl(String),
    /// The address is not https.
    #[error("the address is not https")]
    NotHttps,
    /// The address is of something else than the web.
    #[error("the address begins with neither https:// nor http://")]
    NoWeb,
    /// The address holds a name or a password.
    #[error("the address holds credentials")]
    Credentials,
    /// The address names a port of its own.
    #[error("the address names port {0}")]
    Port(u16),
    /// The address leads to a network that is not public.
    #[error("{0} is no public address")]
    Private(IpAddr),
    /// The call was made and failed, or could not be made.
    #[error("the call failed: {0}")]
    Failed(String),
}

impl OutboundError {
    /// Whether another try cannot help, since it is the address itself that is refused.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NoUrl(_)
            | Self::NotHttps
            | Self::NoWeb
            | Self::Credentials
            | Self::Port(_)
            | Self::Private(_) => true,
            Self::Failed(_) => false,
        }
    }
}

/// The host of an address that is https, on its usual port and without credentials.
pub fn https_host(url: &str) -> Result<String, OutboundError> {
    let url = read(url)?;
    if url.scheme() != "https" {
        return Err(OutboundError::NotHttps);
    }
    if has_credentials(&url) {
        return Err(OutboundError::Credentials);
    }
    if let Some(port) = url.port() {
        return Err(OutboundError::Port(port));
    }
    Ok(url.host_str().unwrap_or_default().to_owned())
}

/// Whether a text is an address of the web that may be called, as far as that can be told from the text alone.
pub fn callable(url: &str) -> Result<(), OutboundError> {
    let url = read(url)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(OutboundError::NoWeb);
    }
    if has_credentials(&url) {
        return Err(OutboundError::Credentials);
    }
    Ok(())
}

/// The host of an address, with its port where that is not the usual one.
pub fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Scheme, host and port of an address, written the same however the address is.
pub fn origin_of(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

fn read(url: &str) -> Result<Url, OutboundError> {
    Url::parse(url).map_err(|fault| OutboundError::NoUrl(fault.to_string()))
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

impl Outbound {
    /// What calls out to public addresses, or to all where that is allowed.
    pub fn new(allow_private: AllowPrivate) -> Self {
        Self {
            allow_private,
            patience: PATIENCE,
            names: Names::System,
            client: OnceLock::new(),
            mailer: None,
        }
    }

    /// The same, with this time for each call.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same, with a mail server for whoever names none.
    #[must_use]
    pub fn with_mailer(self, mailer: Option<Mailer>) -> Self {
        Self { mailer, ..self }
    }

    /// The mail server for whoever names none. The operator named it, so it may be at a private address.
    pub fn mailer(&self) -> Option<&Mailer> {
        self.mailer.as_ref()
    }

    /// How long a call may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Fetches `url` and gives the status of the answer, whose body is not read.
    pub async fn get(&self, url: &str) -> Result<u16, OutboundError> {
        let url = self.checked(url)?;
        let response = self.client()?.get(url).send().await.map_err(failed)?;
        Ok(response.status().as_u16())
    }

    /// Posts, and reads the beginning of what is answered.
    pub async fn post(&self, post: Post<'_>) -> Result<Answer, OutboundError> {
        let url = self.checked(post.url)?;
        let mut request: RequestBuilder = self.client()?.post(url);
        request = request.header(CONTENT_TYPE, post.content_type);
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        answer(request.body(post.body).send().await.map_err(failed)?).await
    }

    /// An address of `host` that may be connected to. The caller connects to that address and to no other.
    pub async fn address_of(&self, host: &str, port: u16) -> Result<SocketAddr, OutboundError> {
        let named = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = self.names.permitted(named, self.allow_private).await?;
        let mut address = *addresses
            .first()
            .ok_or_else(|| OutboundError::Failed(format!("`{host}` has no address")))?;
        address.set_port(port);
        Ok(address)
    }

    /// The address, if it may be called, as far as that is known before its host is resolved.
    fn checked(&self, url: &str) -> Result<Url, OutboundError> {
        callable(url)?;
        let url = read(url)?;
        match self.allow_private {
            AllowPrivate::Yes => return Ok(url),
            AllowPrivate::No if url.scheme() != "https" => return Err(OutboundError::NotHttps),
            AllowPrivate::No => {}
        }
        // A host that is an address is not resolved, so the resolver does not see it.
        let host = url.host_str().unwrap_or_default();
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) if !is_public(address) => Err(OutboundError::Private(address)),
            Ok(_) | Err(_) => Ok(url),
        }
    }

    fn client(&self) -> Result<&Client, OutboundError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // It fails where another part of the process installed one before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("alertmill/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(self.names.resolver(self.allow_private))
            .https_only(self.allow_private == AllowPrivate::No)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT.min(self.patience))
            .timeout(self.patience)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(failed)?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// What was answered, read as far as it is looked at.
async fn answer(mut response: Response) -> Result<Answer, OutboundError> {
    let status = response.status().as_u16();
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = seconds.and_then(|text| text.trim().parse().ok());
    let retry_after = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    let mut bytes = Vec::new();
    while bytes.len() < MOST_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                bytes.extend_from_slice(&chunk[..chunk.len().min(MOST_BYTES - bytes.len())]);
            }
            // Whoever gave a status has taken what was sent, whatever becomes of the rest of the answer.
            Ok(None) | Err(_) => break,
        }
    }
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { status, retry_after, body })
}

/// The failure with its causes, since the outermost says only that sending failed; without the address, which may
/// hold a token.
fn failed(fault: reqwest::Error) -> OutboundError {
    let fault = fault.without_url();
    let mut text = fault.to_string();
    let mut cause = std::error::Error::source(&fault);
    while let Some(deeper) = cause {
        if let Some(OutboundError::Private(address)) = deeper.downcast_ref() {
            return OutboundError::Private(*address);
        }
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    OutboundError::Failed(text)
}
