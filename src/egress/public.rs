//! Host names that stand for public machines only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks names up and hands on none but public addresses. The connection goes to what was handed on, so there is no second
/// look-up that could answer otherwise.
pub(super) struct PublicOnly {
    /// Machines of the own network are allowed as well.
    pub(super) private: bool,
}

/// A name that stands for the own network.
#[derive(Debug, thiserror::Error)]
#[error("the name stands for no public address")]
pub(super) struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            // Port 0: the caller puts the right one in.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|a| private || is_public(a.ip())).collect();
            if public.is_empty() {
                return Err(Box::from(NotPublic));
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// True for what the internet routes. The list is IANA's special-purpose registries, without what `std` still holds back.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmarks = a == 198 && (b == 18 || b == 19);
    let reserved = a == 0 || a >= 240;
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || shared
        || protocol
        || benchmarks
        || reserved)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // 6to4 and NAT64 carry an IPv4 address inside: no server of a vendor is reached that way.
    let carries_v4 = a == 0x2002 || (a == 0x64 && b == 0xff9b);
    let documentation = a == 0x2001 && b == 0xdb8;
    // Global unicast is 2000::/3; everything else is local, multicast or reserved.
    (a & 0xe000) == 0x2000 && !carries_v4 && !documentation
}

#[cfg(test)]
mod tests {
    use super::{PublicOnly, is_public};
    use crate::egress::{Egress, EgressError, Outgoing, client};

    /// `localhost` is the one name that is known to stand for this machine everywhere.
    #[tokio::test]
    async fn a_name_that_stands_for_the_own_network_is_not_followed() {
        for (private, expected) in [(false, EgressError::NotPublic), (true, EgressError::NoConnection)] {
            let (http, base) = (client(PublicOnly { private }).unwrap(), "http://localhost:9".parse().unwrap());
            let egress = Egress { http, base, cassette: None };
            let url = egress.url("x").unwrap();
            let outgoing = Outgoing { method: reqwest::Method::GET, url, headers: Vec::new(), body: Vec::new() };
            assert_eq!(egress.send(outgoing).await.unwrap_err(), expected);
        }
    }

    #[test]
    fn only_what_the_internet_routes_is_public() {
        for public in ["1.1.1.1", "104.18.7.192", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::8a"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }
}
