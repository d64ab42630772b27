//! Links: the only way an address gets into a message.

use std::fmt::Write as _;

use crate::identity::Utm;

/// The longest link we print, in bytes. Older mail clients cut what is longer.
const MAX_LINK_BYTES: usize = 2_000;

/// Why a link is not printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not `https://…`.
    #[error("it does not start with https://")]
    NotHttps,
    /// No plain host: a user name, a port, an IP literal in brackets, or nothing.
    #[error("its host is not a plain domain name")]
    NoHost,
    /// A host that is not the shop's.
    #[error("its host `{0}` is not on the shop's list of hosts")]
    Host(String),
    /// White space, quotes, brackets or control characters.
    #[error("it holds blanks, quotes, angle brackets or control characters")]
    Characters,
    /// An e-mail address within.
    #[error("it holds an e-mail address; links carry no personal data")]
    PersonalData,
    /// Longer than mail clients follow.
    #[error("it has {0} bytes, at most {MAX_LINK_BYTES} are allowed")]
    TooLong(usize),
}

/// A checked https link in ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link(String);

impl Link {
    /// Checks a link whose host must be one of `hosts`.
    pub(crate) fn to_hosts<'a>(url: &str, hosts: impl IntoIterator<Item = &'a String>) -> Result<Self, LinkError> {
        let (host, _) = split(url)?;
        if !hosts.into_iter().any(|h| h.eq_ignore_ascii_case(&host)) {
            return Err(LinkError::Host(host));
        }
        Self::trusted(url)
    }

    /// Checks a link that an administrator set: any host.
    pub(crate) fn trusted(url: &str) -> Result<Self, LinkError> {
        let (host, rest) = split(url)?;
        if rest.contains('@') || rest.to_ascii_lowercase().contains("%40") {
            return Err(LinkError::PersonalData);
        }
        let link = format!("https://{host}{}", encoded(rest, |b| b.is_ascii_graphic() && !b"^`{|}".contains(&b)));
        if link.len() > MAX_LINK_BYTES { Err(LinkError::TooLong(link.len())) } else { Ok(Self(link)) }
    }

    /// The link with campaign parameters. Parameters of the same name are replaced, all others stay as they are.
    pub(crate) fn with_utm(&self, utm: &Utm) -> Self {
        let (address, fragment) = match self.0.split_once('#') {
            Some((address, fragment)) => (address, format!("#{fragment}")),
            None => (self.0.as_str(), String::new()),
        };
        let (page, query) = address.split_once('?').unwrap_or((address, ""));
        let ours = [("utm_source", &utm.source), ("utm_medium", &utm.medium), ("utm_campaign", &utm.campaign)];
        let is_ours = |part: &&str| ours.iter().any(|(name, _)| part.split('=').next() == Some(name));
        let mut parts: Vec<String> =
            query.split('&').filter(|p| !p.is_empty() && !is_ours(p)).map(str::to_owned).collect();
        parts.extend(ours.iter().map(|(name, value)| format!("{name}={}", encoded(value, is_unreserved))));
        Self(format!("{page}?{}{fragment}", parts.join("&")))
    }

    /// The link with one more path segment.
    pub(crate) fn join(&self, segment: &str) -> Self {
        Self(format!("{}/{}", self.0.trim_end_matches('/'), encoded(segment, is_unreserved)))
    }

    /// A mark in place of a link, for a template; what fills it is a link that was checked.
    pub(crate) fn marked(mark: String) -> Self {
        Self(mark)
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Host in lower case, and everything after it.
fn split(url: &str) -> Result<(String, &str), LinkError> {
    let url = url.trim();
    let scheme = url.get(..8).filter(|s| s.eq_ignore_ascii_case("https://")).ok_or(LinkError::NotHttps)?;
    let rest = url.get(scheme.len()..).unwrap_or_default();
    if rest.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '\\')) {
        return Err(LinkError::Characters);
    }
    let (host, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !host.contains('.') || !host.split('.').all(label) {
        return Err(LinkError::NoHost);
    }
    Ok((host.to_ascii_lowercase(), tail))
}

/// RFC 3986 section 2.3.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn encoded(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if keep(byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn utm() -> Utm {
        Utm { source: "mailwright".into(), medium: "email".into(), campaign: "cart & more".into() }
    }

    #[test]
    fn campaign_parameters_join_what_is_there() {
        let hosts = ["shop.example".to_owned()];
        let with = |url: &str| Link::to_hosts(url, &hosts).map(|l| l.with_utm(&utm()).0);
        let ours = "utm_source=mailwright&utm_medium=email&utm_campaign=cart%20%26%20more";
        assert_eq!(with("https://shop.example/p"), Ok(format!("https://shop.example/p?{ours}")));
        assert_eq!(with("HTTPS://Shop.Example?a=1&b#x"), Ok(format!("https://shop.example?a=1&b&{ours}#x")));
        assert_eq!(
            with("https://shop.example/?utm_source=feed&key=7"),
            Ok(format!("https://shop.example/?key=7&{ours}"))
        );
        assert_eq!(with("https://shop.example/größe"), Ok(format!("https://shop.example/gr%C3%B6%C3%9Fe?{ours}")));
    }

    #[test]
    fn links_that_are_not_the_shops_are_refused() {
        let hosts = ["shop.example".to_owned()];
        let fault = |url: &str| Link::to_hosts(url, &hosts).unwrap_err();
        let host = |h: &str| LinkError::Host(h.to_owned());
        assert_eq!(fault("http://shop.example/"), LinkError::NotHttps);
        assert_eq!(fault("javascript:alert(1)"), LinkError::NotHttps);
        assert_eq!(fault("//shop.example/"), LinkError::NotHttps);
        assert_eq!(fault(""), LinkError::NotHttps);
        assert_eq!(fault("https://evil.example/"), host("evil.example"));
        assert_eq!(fault("https://shop.example.evil.example/"), host("shop.example.evil.example"));
        assert_eq!(fault("https://www.shop.example/"), host("www.shop.example"));
        assert_eq!(fault("https://shop.example@evil.example/"), LinkError::NoHost);
        assert_eq!(fault("https://shop.example:8443/"), LinkError::NoHost);
        assert_eq!(fault("https://[::1]/"), LinkError::NoHost);
        assert_eq!(fault("https://ѕhop.example/"), LinkError::NoHost);
        assert_eq!(fault("https:///p"), LinkError::NoHost);
        assert_eq!(fault("https://shop.example\\@evil.example/"), LinkError::Characters);
        assert_eq!(fault("https://shop.example/\" onclick=\"x"), LinkError::Characters);
        assert_eq!(fault("https://shop.example/a\r\nBcc: b"), LinkError::Characters);
        assert_eq!(fault("https://shop.example/?e=ada@example.com"), LinkError::PersonalData);
        assert_eq!(fault("https://shop.example/?e=ada%40example.com"), LinkError::PersonalData);
        assert!(matches!(fault(&format!("https://shop.example/{}", "é".repeat(900))), LinkError::TooLong(_)));
    }

    proptest::proptest! {
        #[test]
        fn a_link_that_passes_is_plain_ascii_on_the_list(url in "(https://)?(shop\\.example)?.{0,60}") {
            if let Ok(link) = Link::to_hosts(&url, &["shop.example".to_owned()]) {
                let link = link.with_utm(&utm());
                proptest::prop_assert!(link.as_str().bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>".contains(&b)));
                let rest = link.as_str().strip_prefix("https://shop.example").unwrap();
                proptest::prop_assert!(rest.starts_with(['/', '?', '#']));
            }
        }
    }
}
