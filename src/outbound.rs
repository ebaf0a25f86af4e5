//! HTTP out: the only user of `reqwest`. It does not reach addresses that a stranger must not reach through us.
//!
//! Addresses are checked after the name is resolved and at the moment of connecting, so that a name which resolves to
//! something else the second time gains nothing. Redirects are not followed and proxies of the environment not used.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::OnceLock,
    time::Duration,
};

use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);

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
    client: OnceLock<Client>,
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

/// The host of an address that is https, on its usual port and without credentials.
pub fn https_host(url: &str) -> Result<String, OutboundError> {
    let url = Url::parse(url).map_err(|fault| OutboundError::NoUrl(fault.to_string()))?;
    if url.scheme() != "https" {
        return Err(OutboundError::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutboundError::Credentials);
    }
    if let Some(port) = url.port() {
        return Err(OutboundError::Port(port));
    }
    Ok(url.host_str().unwrap_or_default().to_owned())
}

impl Outbound {
    /// What calls out to public addresses, or to all where that is allowed.
    pub fn new(allow_private: AllowPrivate) -> Self {
        Self { allow_private, client: OnceLock::new() }
    }

    /// Fetches `url` and gives the status of the answer, whose body is not read.
    pub async fn get(&self, url: &str) -> Result<u16, OutboundError> {
        let url = Url::parse(url).map_err(|fault| OutboundError::NoUrl(fault.to_string()))?;
        self.check(&url)?;
        let response = self.client()?.get(url).send().await.map_err(failed)?;
        Ok(response.status().as_u16())
    }

    /// Whether `url` may be called, as far as that is known before its host is resolved.
    fn check(&self, url: &Url) -> Result<(), OutboundError> {
        match self.allow_private {
            AllowPrivate::Yes => return Ok(()),
            AllowPrivate::No if url.scheme() != "https" => return Err(OutboundError::NotHttps),
            AllowPrivate::No => {}
        }
        // A host that is an address is not resolved, so the resolver does not see it.
        let host = url.host_str().unwrap_or_default();
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) if !is_public(address) => Err(OutboundError::Private(address)),
            Ok(_) | Err(_) => Ok(()),
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
            .dns_resolver(PublicOnly(self.allow_private))
            .https_only(self.allow_private == AllowPrivate::No)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(failed)?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The failure with its causes, since the outermost says only that sending failed; without the address, which may
/// hold a token.
fn failed(fault: reqwest::Error) -> OutboundError {
    let fault = fault.without_url();
    let mut text = fault.to_string();
    let mut cause = std::error::Error::source(&fault);
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    OutboundError::Failed(text)
}

/// Resolves names, and forgets the addresses that must not be reached.
struct PublicOnly(AllowPrivate);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.0;
        Box::pin(async move {
            let all: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses = match allow_private {
                AllowPrivate::Yes => all,
                AllowPrivate::No => only_public(all)?,
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn only_public(mut addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, OutboundError> {
    let first = addresses.first().map(SocketAddr::ip);
    addresses.retain(|address| is_public(address.ip()));
    match first {
        Some(private) if addresses.is_empty() => Err(OutboundError::Private(private)),
        Some(_) | None => Ok(addresses),
    }
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// All but the special-purpose addresses of the IANA registry, and one that a cloud answers machines of its own on.
fn is_public_v4(address: Ipv4Addr) -> bool {
    const CLOUD_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    let special = match address.octets() {
        [0 | 10 | 127 | 224.., ..]
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [100, 64..=127, ..]
        | [198, 18 | 19, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => true,
        _ => address == CLOUD_HOST,
    };
    !special
}

/// The global unicast addresses, without those that are documentation or lead to IPv4 addresses that are not public.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        [0x2002, high, low, ..] => embedded(high, low),
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}
