//! Logging requests, at levels kubectl's users know from `-v` (Go: `transport.NewDebuggingRoundTripper`).
//!
//! `debug` has what -v 6 shows: method, URL, status, latency. `trace` has headers and bodies as
//! -v 8 does, with credentials masked, bodies cut, and never a body that may hold a Secret or a
//! token.

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, SET_COOKIE};
use http::{Method, StatusCode};
use std::fmt::Write;
use std::time::Duration;

/// The most of a body that is logged.
const BODY: usize = 10 << 10;

/// Whether a body of this path may be shown. Secrets and everything that answers with a token or
/// takes one may not.
pub(crate) fn may_show(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    !path.split('/').any(|segment| {
        matches!(
            segment,
            "secrets" | "token" | "tokenreviews" | "tokenrequests" | "certificatesigningrequests"
        )
    })
}

pub(crate) fn request(method: &Method, url: &str, headers: &HeaderMap, body: &Bytes) {
    if tracing::enabled!(tracing::Level::TRACE) {
        tracing::trace!("{method} {url}{}", header_lines(headers));
        if !body.is_empty() {
            tracing::trace!("request body: {}", body_text(url, body));
        }
    }
}

pub(crate) fn response(
    method: &Method,
    url: &str,
    status: StatusCode,
    headers: &HeaderMap,
    took: Duration,
) {
    tracing::debug!("{method} {url} {} in {} ms", status.as_u16(), took.as_millis());
    if tracing::enabled!(tracing::Level::TRACE) {
        tracing::trace!("response{}", header_lines(headers));
    }
}

pub(crate) fn response_body(url: &str, body: &[u8]) {
    if tracing::enabled!(tracing::Level::TRACE) {
        tracing::trace!("response body: {}", body_text(url, body));
    }
}

pub(crate) fn failure(method: &Method, url: &str, error: &dyn std::error::Error, took: Duration) {
    tracing::debug!("{method} {url} failed in {} ms: {}", took.as_millis(), chain(error));
}

/// An error and what is behind it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        // Many errors print their source themselves.
        if !out.ends_with(&text) {
            let _ = write!(out, ": {text}");
        }
        source = error.source();
    }
    out
}

fn masked(name: &HeaderName) -> bool {
    *name == AUTHORIZATION || *name == COOKIE || *name == SET_COOKIE || {
        let name = name.as_str();
        name.contains("token") || name.contains("secret") || name.contains("authorization")
    }
}

fn header_lines(headers: &HeaderMap) -> String {
    let mut out = String::new();
    for (name, value) in headers {
        let value = if masked(name) || value.is_sensitive() {
            "***".into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        let _ = write!(out, "\n    {name}: {value}");
    }
    out
}

fn body_text(url: &str, body: &[u8]) -> String {
    if !may_show(url) {
        return format!("({} bytes, not shown: may hold secrets)", body.len());
    }
    let shown = &body[..body.len().min(BODY)];
    let Ok(text) = std::str::from_utf8(shown).or_else(|e| {
        // A cut through a character is no reason to call it binary.
        std::str::from_utf8(&shown[..e.valid_up_to()])
            .map_err(|_| ())
            .and_then(|text| if e.error_len().is_none() { Ok(text) } else { Err(()) })
    }) else {
        return format!("({} bytes, binary)", body.len());
    };
    match body.len() - text.len() {
        0 => text.to_owned(),
        more => format!("{text} (and {more} bytes more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for path in [
            "/api/v1/namespaces/a/secrets",
            "/api/v1/namespaces/a/secrets/x?y=z",
            "/api/v1/namespaces/a/serviceaccounts/default/token",
            "/apis/authentication.k8s.io/v1/tokenreviews",
        ] {
            assert!(!may_show(path), "{path}");
            assert_eq!(body_text(path, b"hunter2"), "(7 bytes, not shown: may hold secrets)");
        }
        assert!(may_show("/api/v1/namespaces/a/configmaps/x?labelSelector=secrets"));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "Bearer hunter2".parse().unwrap());
        headers.insert("x-auth-token", "hunter2".parse().unwrap());
        headers.insert("accept", "application/json".parse().unwrap());
        let lines = header_lines(&headers);
        assert!(!lines.contains("hunter2"), "{lines}");
        assert!(lines.contains("accept: application/json"), "{lines}");
    }

    #[test]
    fn long_and_binary_bodies_are_cut() {
        let long = "é".repeat(BODY);
        let text = body_text("/x", long.as_bytes());
        assert!(text.len() < BODY + 50 && text.ends_with("bytes more)"));
        assert_eq!(body_text("/x", b"\x00\xff\xfe"), "(3 bytes, binary)");
        assert_eq!(body_text("/x", b"{}"), "{}");
    }
}
