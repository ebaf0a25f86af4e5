//! Addresses as an audit trail tells them: public ones as they are, of private ones only that they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is told of a private address.
pub const PRIVATE: &str = "private";

/// What is told of an address: it itself, written the usual way, or `private`. `None` where it is no address.
pub fn told(text: &str) -> Option<String> {
    if text == PRIVATE {
        return Some(PRIVATE.to_owned());
    }
    // A zone says through which of its interfaces a machine reaches an address of its own link.
    let bare = text.split_once('%').map_or(text, |(bare, _)| bare);
    let address: IpAddr = bare.parse().ok()?;
    if bare.len() < text.len() && address.is_ipv4() {
        return None;
    }
    let address = within(address);
    Some(if is_private(address) { PRIVATE.to_owned() } else { address.to_string() })
}

/// The IPv4 address that an IPv6 address only wraps: mapped, or translated by a gateway.
fn within(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    if let Some(four) = six.to_ipv4_mapped() {
        return four.into();
    }
    match six.segments() {
        // RFC 6052: the well-known prefix 64:ff9b::/96.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => joined(high, low).into(),
        _ => address,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            four.is_private()
                || four.is_loopback()
                || four.is_link_local()
                || four.is_unspecified()
                || is_shared(four)
        }
        IpAddr::V6(six) => {
            six.is_unique_local()
                || six.is_loopback()
                || six.is_unicast_link_local()
                || six.is_unspecified()
                || is_site_local(six)
                || leads_to(six).is_some_and(|four| is_private(four.into()))
        }
    }
}

/// Whether it is of the range that providers share among their customers (RFC 6598: 100.64.0.0/10).
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0b1100_0000 == 64
}

/// Whether it is of what was used inside of sites before there were unique local addresses (`fec0::/10`).
fn is_site_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfec0
}

/// The IPv4 address that an address of `2002::/16` leads to (RFC 3056).
fn leads_to(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_not_told() {
        for address in [
            "private",
            "10.0.0.0",
            "10.255.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.168.0.1",
            "192.168.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "::",
            "::1",
            "fc00::1",
            "fdff:ffff::1",
            "fe80::1",
            "fe80::1%eth0",
            "febf::1",
            "fec0::1",
            "::ffff:10.0.1.50",
            "::ffff:127.0.0.1",
            "::FFFF:C0A8:0164",
            "64:ff9b::10.0.0.1",
            "2002:a00:1::1",
        ] {
            assert_eq!(told(address).as_deref(), Some(PRIVATE), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_told_the_usual_way() {
        for (address, shown) in [
            ("9.255.255.255", "9.255.255.255"),
            ("11.0.0.0", "11.0.0.0"),
            ("172.15.255.255", "172.15.255.255"),
            ("172.32.0.0", "172.32.0.0"),
            ("192.167.255.255", "192.167.255.255"),
            ("100.63.255.255", "100.63.255.255"),
            ("100.128.0.0", "100.128.0.0"),
            ("203.0.113.7", "203.0.113.7"),
            ("2001:DB8::0001", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("64:ff9b::8.8.8.8", "8.8.8.8"),
            ("fe00::1", "fe00::1"),
        ] {
            assert_eq!(told(address).as_deref(), Some(shown), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "Private",
            "localhost",
            "10.0.0",
            "10.0.0.1:443",
            "010.0.0.1",
            "1.2.3.4/8",
            "1.2.3.4%eth0",
            " ::1",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
