//! Where a request came from. Forwarded headers count only from proxies that are trusted, since anyone may write them.

use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::config::Network;

/// The address that a request came from, as text.
pub(super) fn address(request: &HttpRequest, trusted: &[Network]) -> String {
    let Some(peer) = request.peer_addr() else { return "unknown".to_owned() };
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let forwarded: Vec<&str> = if trusted.is_empty() { Vec::new() } else { forwarded.collect() };
    sender(peer.ip(), &forwarded, trusted).to_string()
}

/// The nearest address that is no trusted proxy, going back from `peer` along what the proxies wrote.
fn sender(peer: IpAddr, forwarded: &[&str], trusted: &[Network]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut nearest = peer;
    for hop in forwarded.iter().rev() {
        if !is_trusted(nearest) {
            return nearest;
        }
        let Ok(before) = hop.trim().parse() else { return nearest };
        nearest = before;
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        sender(peer.parse().unwrap(), forwarded, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(from("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(from("10.0.0.1", &["1.1.1.1", "203.0.113.9", "10.0.0.2"]), "203.0.113.9");
        assert_eq!(from("10.0.0.1", &["1.1.1.1", "rubbish"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }
}
