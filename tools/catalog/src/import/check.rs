//! Rules that single values must keep.

use kit::{CategoryId, Currency};

/// Codes of ISO 4217 that are legal tender somewhere (as of 2026; funds, metals and test codes left out).
const TENDER: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD \
    CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD \
    HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD \
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR \
    RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS \
    UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// A currency somebody pays with.
pub(super) fn currency(text: &str) -> Option<Currency> {
    let known = TENDER.split_ascii_whitespace().any(|code| code.eq_ignore_ascii_case(text));
    if known { Currency::parse(text).ok() } else { None }
}

/// An absolute https link with a plain host: no user info, blanks, quotes or brackets, which have no place in a link
/// and a meaning in HTML.
pub(super) fn is_https(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let labels_are_plain =
        name.split('.').all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let unsafe_in_links = |c: char| c.is_whitespace() || c.is_control() || "\"'<>\\^`{|}".contains(c);
    labels_are_plain && name.contains('.') && port.parse::<u16>().is_ok() && !rest.contains(unsafe_in_links)
}

/// A path whose levels have names.
pub(super) fn category(text: &str) -> Option<CategoryId> {
    let named = text.split('/').all(|level| !level.is_empty() && level.trim() == level);
    if named { CategoryId::new(text).ok() } else { None }
}
