//! URLs of requests as Go reads them.
//!
//! Go counterpart: `ParseRequestURI` of `net/url`.

/// Scheme and host of a URL that a request may have: a whole one, or a path.
pub(super) fn request_uri(text: &str) -> Option<(&str, &str)> {
    if text.is_empty() || text.bytes().any(|b| b < b' ' || b == 0x7f) {
        return None;
    }
    if text == "*" {
        return Some(("", ""));
    }
    let (scheme, rest) = scheme(text)?;
    let rest = rest.split_once('?').map_or(rest, |(path, _)| path);
    if !rest.starts_with('/') {
        // What follows the scheme without a slash is not looked at.
        return (!scheme.is_empty()).then_some((scheme, ""));
    }
    let authority = rest.strip_prefix("//").filter(|_| !scheme.is_empty());
    let (authority, path) = match authority {
        Some(authority) => match authority.find('/') {
            Some(at) => authority.split_at(at),
            None => (authority, ""),
        },
        None if !rest.starts_with("///") && rest.starts_with("//") && !scheme.is_empty() => {
            ("", rest)
        }
        None => ("", rest),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("", authority),
    };
    let user_fits =
        user.chars().all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c));
    (user_fits && escapes(user, false) && is_host(host) && escapes(path, false))
        .then_some((scheme, host))
}

/// Whether a text is a URL that a request may have.
pub(super) fn is_request_uri(text: &str) -> bool {
    request_uri(text).is_some()
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    for (i, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if i > 0 => {}
            ':' if i == 0 => return None,
            ':' => return Some((&text[..i], &text[i + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

/// Whether every escape is one; in a host only those of other bytes than ASCII's.
fn escapes(text: &str, host: bool) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, b)| **b == b'%').all(|(i, _)| {
        let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        hex(i + 1) && hex(i + 2) && (!host || bytes[i + 1] >= b'8' || bytes[i + 1..i + 3] == *b"25")
    })
}

fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_host(host: &str) -> bool {
    let fits = |text: &str| {
        let known = |b: u8| {
            b >= 0x80 || b.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&b)
        };
        text.bytes().all(known) && escapes(text, true)
    };
    match host.rfind('[') {
        Some(0) => host.rfind(']').is_some_and(|end| {
            let inner = &host[1..end];
            let (address, zone) = match inner.find("%25") {
                Some(at) => inner.split_at(at),
                None => (inner, ""),
            };
            is_port(&host[end + 1..])
                && fits(address)
                && escapes(zone, false)
                && address.parse::<std::net::Ipv6Addr>().is_ok()
        }),
        Some(_) => false,
        None => {
            let port = host.find(':').map_or("", |at| &host[at..]);
            is_port(port) && fits(host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_requests() {
        for (text, fits) in [
            ("https://a.example/b?c", true),
            ("http://a:80", true),
            ("http://a:b", false),
            ("http://[::1]:80/", true),
            ("http://[::1", false),
            ("/a", true),
            ("a", false),
            ("", false),
            ("*", true),
            ("mailto:a", true),
            (":a", false),
            ("http://a b/", false),
            ("/%zz", false),
            ("http://u:p@a/", true),
        ] {
            assert_eq!(is_request_uri(text), fits, "{text}");
        }
        assert_eq!(request_uri("https://a.example/b"), Some(("https", "a.example")));
    }
}
