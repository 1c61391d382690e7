//! Patterns and formats of texts in schemas.
//!
//! Go counterpart: `k8s.io/kube-openapi/pkg/validation/strfmt`, and RE2.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::sync::{LazyLock, Mutex, PoisonError};

use pintle_apimachinery::{Duration, Time};
use regex::Regex;

use super::go_regexp::translate;
use super::go_url::is_request_uri;

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
        None => {
            let regex = translate(pattern).ok().and_then(|own| Regex::new(&own).ok());
            ready.entry(pattern.to_owned()).or_insert(regex).clone()
        }
    };
    drop(ready);
    regex.is_some_and(|regex| regex.is_match(text))
}

/// Whether a format is one of texts that Kubernetes knows.
pub(super) fn is_text_format(format: &str) -> bool {
    const KNOWN: [&str; 26] = [
        "bsonobjectid",
        "byte",
        "cidr",
        "creditcard",
        "date",
        "datetime",
        "duration",
        "email",
        "hexcolor",
        "hostname",
        "ipv4",
        "ipv6",
        "isbn",
        "isbn10",
        "isbn13",
        "k8slongname",
        "k8sshortname",
        "mac",
        "password",
        "rgbcolor",
        "ssn",
        "uri",
        "uuid",
        "uuid3",
        "uuid4",
        "uuid5",
    ];
    !format.is_empty() && KNOWN.contains(&format.replace('-', "").as_str())
}

/// Whether a text has a format; formats nobody knows are not looked at.
pub(super) fn fits_format(format: &str, text: &str) -> bool {
    const HEX: &str = "[0-9a-fA-F]";
    let uuid = |third: &str, fourth: &str| {
        let pattern = format!("^{HEX}{{8}}-?{HEX}{{4}}-?{third}-?{fourth}-?{HEX}{{12}}$");
        matches_pattern(&pattern, text)
    };
    let four = "[0-9a-fA-F]{4}";
    let variant = "[89abAB][0-9a-fA-F]{3}";
    match format.replace('-', "").as_str() {
        "datetime" => is_date_time(text),
        "date" => is_date(text),
        "duration" => is_duration(text),
        "byte" => matches_pattern(
            "^(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+\\/]{3}=|[A-Za-z0-9+\\/]{4})$",
            text,
        ),
        "ipv4" => is_address(text) && text.contains('.'),
        "ipv6" => is_strict_address(text) && text.contains(':'),
        "cidr" => text.split_once('/').is_some_and(|(address, bits)| {
            let digits = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
            let most = if is_ipv4(address) { 32 } else { 128 };
            is_address(address) && digits && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
        }),
        "mac" => is_mac(text),
        "uuid" => uuid(four, four),
        "uuid3" => uuid("3[0-9a-fA-F]{3}", four),
        "uuid4" => uuid("4[0-9a-fA-F]{3}", variant),
        "uuid5" => uuid("5[0-9a-fA-F]{3}", variant),
        "hexcolor" => matches_pattern("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", text),
        "rgbcolor" => {
            let part = "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*";
            matches_pattern(&format!("^rgb\\({part},{part},{part}\\)$"), text)
        }
        "ssn" => text.len() == 11 && matches_pattern("^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$", text),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "creditcard" => is_credit_card(text),
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "k8sshortname" => {
            text.len() <= 63 && matches_pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", text)
        }
        "k8slongname" => {
            let part = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
            text.len() <= 253 && matches_pattern(&format!("^{part}(\\.{part})*$"), text)
        }
        "hostname" => is_host_name(text),
        "email" => super::go_mail::is_address(text),
        "uri" => is_request_uri(text),
        _ => true,
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && Time::parse(&format!("{text}T00:00:00Z")).is_ok()
}

fn is_date_time(text: &str) -> bool {
    if text.len() < 4 {
        return false;
    }
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let pattern = "^[0-9]{2}:[0-9]{2}:[0-9]{2}(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$";
    is_date(date)
        && matches_pattern(pattern, time)
        && time[..2] <= *"23"
        && time[3..5] <= *"59"
        && time[6..8] <= *"59"
}

/// A duration of Go, or any text in which there is a number with a unit behind it.
fn is_duration(text: &str) -> bool {
    const UNITS: [&str; 17] = [
        "ns", "us", "\u{b5}s", "ms", "s", "m", "h", "hr", "d", "w", "wk", "nano", "micro", "milli",
        "sec", "min", "hour",
    ];
    if Duration::parse(text).is_ok() {
        return true;
    }
    static NUMBERS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("([0-9]+)[\\t\\n\\x0c\\r ]*([A-Za-z\u{b5}]+)").ok());
    let Some(numbers) = NUMBERS.as_ref() else { return false };
    let mut found = false;
    for part in numbers.captures_iter(text) {
        if part[1].parse::<i64>().is_err() {
            return false;
        }
        let unit = part[2].to_lowercase();
        let unit = unit.as_str();
        let long = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
        found |= UNITS.contains(&unit) || long.iter().any(|long| unit.starts_with(long));
    }
    found
}

fn is_ipv4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    // Zeros before a number mean nothing.
    let byte = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|byte| byte <= 255)
    };
    parts.len() == 4 && parts.iter().all(byte)
}

fn is_address(text: &str) -> bool {
    if is_ipv4(text) {
        return true;
    }
    // The last part may be an address of version 4, with zeros before its numbers.
    match text.rsplit_once(':') {
        Some((head, tail)) if tail.contains('.') => {
            is_ipv4(tail) && format!("{head}:1.2.3.4").parse::<Ipv6Addr>().is_ok()
        }
        _ => text.parse::<Ipv6Addr>().is_ok(),
    }
}

fn is_strict_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

fn is_mac(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit())
    };
    [(':', 2), ('-', 2), ('.', 4)].into_iter().any(|(sign, length)| {
        let parts: Vec<&str> = text.split(sign).collect();
        matches!(parts.len() * length, 12 | 16 | 40) && parts.iter().all(|part| hex(part, length))
    })
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r' | '-')).collect()
}

fn is_isbn10(text: &str) -> bool {
    let text = without_blanks(text);
    let (digits, last) = match text.as_bytes().split_at_checked(9) {
        Some((digits, [last])) => (digits, *last),
        _ => return false,
    };
    if !digits.iter().all(u8::is_ascii_digit) || !(last.is_ascii_digit() || last == b'X') {
        return false;
    }
    let of = |digit: u8| u32::from(digit.wrapping_sub(b'0'));
    let sum: u32 = (1_u32..).zip(digits).map(|(factor, digit)| factor * of(*digit)).sum();
    let last = if last == b'X' { 10 } else { of(last) };
    (sum + 10 * last).is_multiple_of(11)
}

fn is_isbn13(text: &str) -> bool {
    let text = without_blanks(text);
    if text.len() != 13 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let digits = text.bytes().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits.enumerate().map(|(i, d)| if i % 2 == 0 { d } else { 3 * d }).sum();
    sum.is_multiple_of(10)
}

fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let pattern = "^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|\
                   3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$";
    if !matches_pattern(pattern, &digits) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let digit = u32::from(digit - b'0') << (i % 2);
            if digit >= 10 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_host_name(text: &str) -> bool {
    // As Go has it: the first alternative is open at its end, the second at its beginning.
    let pattern = "^([a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|([a-zA-Z0-9\\p{S}\\p{L}](([a-zA-Z0-9-\\p{S}\\p{L}]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$";
    matches_pattern(pattern, text)
        && text.len() <= 255
        && text.split('.').all(|part| part.len() <= 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        for (format, text, fits) in [
            ("date-time", "2020-01-01T00:00:00Z", true),
            ("date-time", "2020-01-01t00:00:00+25:00", true),
            ("date-time", "yesterday", false),
            ("date", "2020-01-01", true),
            ("date", "2020-13-01", false),
            ("byte", "Yg==", true),
            ("byte", "", false),
            ("byte", "%%", false),
            ("ipv4", "1.2.3.4", true),
            ("ipv4", "01.2.3.4", true),
            ("ipv4", "1.2.3", false),
            ("ipv6", "::1", true),
            ("cidr", "10.0.0.0/8", true),
            ("cidr", "10.0.0.0/33", false),
            ("mac", "01:02:03:04:05:06", true),
            ("mac", "0102.0304.0506", true),
            ("mac", "01:02", false),
            ("uuid", "aa56ed47-c121-4f77-b3b4-2aa65ed6fa28", true),
            ("uuid", "x", false),
            ("duration", "1m", true),
            ("duration", "2 days", true),
            ("duration", "x", false),
            ("isbn", "0321751043", true),
            ("isbn13", "978-0321751041", true),
            ("isbn10", "0321751044", false),
            ("creditcard", "4111 1111 1111 1111", true),
            ("creditcard", "4111 1111 1111 1112", false),
            ("rgbcolor", "rgb(255, 0, 1)", true),
            ("hostname", "a.example", true),
            ("hostname", "a_b", false),
            ("email", "a@b.c", true),
            ("email", "a", false),
            ("uri", "/a", true),
            ("uri", "a", false),
            ("k8s-short-name", "a-b", true),
            ("k8s-short-name", "A", false),
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
