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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_known() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn only_public_addresses_of_a_name_are_left() {
        let addresses = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
        let left = only_public(addresses(&["10.0.0.1:0", "1.1.1.1:0"])).unwrap();
        assert_eq!(left, ["1.1.1.1:0".parse().unwrap()]);
        assert!(only_public(addresses(&["10.0.0.1:0", "[::1]:0"])).is_err());
    }

    /// A server that answers one request with a redirect, and says which line the request began with.
    async fn server() -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap();
            let answer =
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
            socket.write_all(answer).await.unwrap();
            String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().into()
        });
        (port, served)
    }

    #[tokio::test]
    async fn a_private_address_is_reached_only_where_that_is_allowed() {
        let (port, served) = server().await;
        let refusing = Outbound::new(AllowPrivate::No);
        for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"] {
            let refused = refusing.get(&format!("https://{host}:{port}/a")).await.unwrap_err();
            assert!(matches!(refused, OutboundError::Private(_)), "{host}: {refused}");
        }
        let refused = refusing.get(&format!("http://127.0.0.1:{port}/a")).await.unwrap_err();
        assert!(matches!(refused, OutboundError::NotHttps), "{refused}");
        let refused = refusing.get(&format!("https://localhost:{port}/a")).await.unwrap_err();
        assert!(refused.to_string().contains("is no public address"), "{refused}");
        assert!(!served.is_finished());

        let allowing = Outbound::new(AllowPrivate::Yes);
        let status = allowing.get(&format!("http://localhost:{port}/b?c=d")).await.unwrap();
        assert_eq!((status, served.await.unwrap().as_str()), (302, "GET /b?c=d HTTP/1.1"));
    }

    #[tokio::test]
    async fn what_fails_says_why_and_not_where() {
        let outbound = Outbound::new(AllowPrivate::Yes);
        let failed = outbound.get("http://127.0.0.1:1/secret").await.unwrap_err().to_string();
        assert!(failed.contains("refused") && !failed.contains("secret"), "{failed}");
        assert!(outbound.get("no address").await.is_err());
    }
}
