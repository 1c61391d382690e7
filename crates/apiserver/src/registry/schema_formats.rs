//! Patterns and formats of texts in schemas.
//!
//! Go counterpart: `k8s.io/kube-openapi/pkg/validation/strfmt`, and RE2.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{LazyLock, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pintle_apimachinery::{Duration, MicroTime, Time};
use regex::Regex;

/// So many patterns are kept ready; definitions have few.
const KEPT: usize = 1_000;

/// Whether a pattern is found in a text. One that is none matches nothing.
pub(super) fn matches_pattern(pattern: &str, text: &str) -> bool {
    static READY: LazyLock<Mutex<HashMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);
    let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    if ready.len() >= KEPT {
        ready.clear();
    }
    let regex = match ready.get(pattern) {
        Some(regex) => regex.clone(),
        None => ready.entry(pattern.to_owned()).or_insert(Regex::new(pattern).ok()).clone(),
    };
    drop(ready);
    regex.is_some_and(|regex| regex.is_match(text))
}

/// Whether a text has a format; formats nobody knows are not looked at.
pub(super) fn fits_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" | "datetime" => Time::parse(text).is_ok() || MicroTime::parse(text).is_ok(),
        "date" => text.len() == 10 && Time::parse(&format!("{text}T00:00:00Z")).is_ok(),
        "duration" => Duration::parse(text).is_ok(),
        // Line ends are no part of it.
        "byte" => STANDARD.decode(text.replace(['\r', '\n'], "")).is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.split_once('/').is_some_and(|(address, bits)| {
            let bits = bits.parse::<u8>().ok().filter(|_| !bits.starts_with('+'));
            match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>(), bits) {
                (Ok(_), _, Some(bits)) => bits <= 32,
                (_, Ok(_), Some(bits)) => bits <= 128,
                _ => false,
            }
        }),
        "mac" => {
            let parts: Vec<&str> = text.split([':', '-']).collect();
            let hex = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
            matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(hex)
        }
        "uuid" => matches_pattern(
            "(?i)^[0-9A-F]{8}-?[0-9A-F]{4}-?[0-9A-F]{4}-?[0-9A-F]{4}-?[0-9A-F]{12}$",
            text,
        ),
        "uuid3" => matches_pattern(
            "(?i)^[0-9A-F]{8}-?[0-9A-F]{4}-?3[0-9A-F]{3}-?[0-9A-F]{4}-?[0-9A-F]{12}$",
            text,
        ),
        "uuid4" => matches_pattern(
            "(?i)^[0-9A-F]{8}-?[0-9A-F]{4}-?4[0-9A-F]{3}-?[89AB][0-9A-F]{3}-?[0-9A-F]{12}$",
            text,
        ),
        "uuid5" => matches_pattern(
            "(?i)^[0-9A-F]{8}-?[0-9A-F]{4}-?5[0-9A-F]{3}-?[89AB][0-9A-F]{3}-?[0-9A-F]{12}$",
            text,
        ),
        "hexcolor" => matches_pattern("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", text),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        for (format, text, fits) in [
            ("date-time", "2020-01-01T00:00:00Z", true),
            ("date-time", "yesterday", false),
            ("date", "2020-01-01", true),
            ("date", "2020-13-01", false),
            ("byte", "Yg==", true),
            ("byte", "%%", false),
            ("ipv4", "1.2.3.4", true),
            ("ipv4", "1.2.3", false),
            ("ipv6", "::1", true),
            ("cidr", "10.0.0.0/8", true),
            ("cidr", "10.0.0.0/33", false),
            ("mac", "01:02:03:04:05:06", true),
            ("mac", "01:02", false),
            ("uuid", "aa56ed47-c121-4f77-b3b4-2aa65ed6fa28", true),
            ("uuid", "x", false),
            ("duration", "1m", true),
            ("no-such-format", "x", true),
        ] {
            assert_eq!(fits_format(format, text), fits, "{format} {text}");
        }
    }

    #[test]
    fn patterns() {
        assert!(matches_pattern("^a+$", "aa"));
        assert!(matches_pattern("a", "bab"));
        assert!(!matches_pattern("^a", "ba"));
        assert!(!matches_pattern("(", "("));
    }
}
