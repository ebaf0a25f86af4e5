//! How names become addresses, and which of those may be connected to.

use std::{fmt, io, net::SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{AllowPrivate, OutboundError, address::is_public};

/// What a test says of a name.
#[cfg(test)]
pub(super) type Tell = std::sync::Arc<dyn Fn(&str) -> Vec<std::net::IpAddr> + Send + Sync>;

/// Who is asked for the addresses of a name.
#[derive(Clone)]
pub(super) enum Names {
    /// The system.
    System,
    /// A test, which may answer each question differently.
    #[cfg(test)]
    Told(Tell),
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Names {
    /// What resolves names for a client, at the moment of connecting.
    pub(super) fn resolver(&self, allow_private: AllowPrivate) -> Resolver {
        Resolver { names: self.clone(), allow_private }
    }

    /// The addresses of a name that may be connected to.
    pub(super) async fn permitted(
        &self,
        host: &str,
        allow_private: AllowPrivate,
    ) -> Result<Vec<SocketAddr>, OutboundError> {
        let unknown = |fault: io::Error| OutboundError::Failed(format!("`{host}`: {fault}"));
        let all = self.addresses(host).await.map_err(unknown)?;
        match allow_private {
            AllowPrivate::Yes => Ok(all),
            AllowPrivate::No => only_public(all),
        }
    }

    async fn addresses(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((host, 0)).await?.collect()),
            #[cfg(test)]
            Self::Told(tell) => {
                Ok(tell(host).into_iter().map(|address| SocketAddr::new(address, 0)).collect())
            }
        }
    }
}

/// Resolves names, and forgets the addresses that must not be reached.
pub(super) struct Resolver {
    names: Names,
    allow_private: AllowPrivate,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, allow_private) = (self.names.clone(), self.allow_private);
        Box::pin(async move {
            let permitted = names.permitted(name.as_str(), allow_private).await?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

pub(super) fn only_public(
    mut addresses: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, OutboundError> {
    let first = addresses.first().map(SocketAddr::ip);
    addresses.retain(|address| is_public(address.ip()));
    match first {
        Some(private) if addresses.is_empty() => Err(OutboundError::Private(private)),
        Some(_) | None => Ok(addresses),
    }
}
