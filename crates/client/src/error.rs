//! This crate's errors, all of them made here as the project's one error type.

use crate::Error;
use crate::log::{chain, may_show};
use crate::request::{Asked, media_type};
use crate::transport::{BoxError, Failure};
use http::{HeaderMap, StatusCode};
use pintle_apimachinery::{Format, Status};
use std::time::Duration;

/// The most of a foreign answer (a proxy's, say) that is quoted.
const QUOTED: usize = 200;

/// A configuration that cannot be used.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::config(message)
}

/// An argument that cannot be sent.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::invalid(message)
}

fn of(error: Error, asked: &Asked) -> Error {
    asked.blame(error)
}

/// The time was up.
pub(crate) fn timeout(asked: &Asked, limit: Duration) -> Error {
    of(Error::timeout(format!("no complete answer within {limit:?}")), asked)
}

/// There was no response.
pub(crate) fn failure(asked: &Asked, failure: Failure) -> Error {
    let message = chain(&failure);
    of(Error::transport(message).with_source(failure), asked)
}

/// The response broke off.
pub(crate) fn body(asked: &Asked, source: BoxError) -> Error {
    let message = format!("the connection was lost within the answer: {}", chain(&*source));
    of(Error::transport(message).with_source(source), asked)
}

/// The response ended where it could not.
pub(crate) fn cut(asked: &Asked, what: &str) -> Error {
    of(Error::transport(format!("the answer ended within {what}")), asked)
}

/// The response could not be understood.
pub(crate) fn answer(asked: &Asked, source: &dyn std::error::Error) -> Error {
    of(Error::decode(chain(source)), asked)
}

/// The response is in a format that was not asked for.
pub(crate) fn format(asked: &Asked, media_type: &str) -> Error {
    let found = if media_type.is_empty() { "no media type" } else { media_type };
    of(Error::decode(format!("the answer has {found}, not JSON or protobuf")), asked)
}

/// The response was not a success. Servers answer with a Status; what stands between us and them
/// answers with anything.
pub(crate) fn status(asked: &Asked, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let format = Format::from_content_type(media_type(headers));
    let status = format.and_then(|format| Status::decode_if(body, format));
    let mut status = match status {
        Some(status) if !status.is_success() => status,
        _ => foreign(code, headers, body, &asked.url),
    };
    if status.code == 0 {
        status.code = i32::from(code.as_u16());
    }
    of(Error::from_status(status), asked)
}

/// A Status for an answer that holds none (Go: `errors.NewGenericServerResponse`).
fn foreign(code: StatusCode, headers: &HeaderMap, body: &[u8], url: &str) -> Status {
    let reason = match code.as_u16() {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        410 => "Gone",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    };
    let mut message = match code.canonical_reason() {
        Some(text) => format!("the server answered {text:?}"),
        None => "the server answered with an unknown code".to_owned(),
    };
    let is_text = media_type(headers).starts_with("text/plain");
    if let (true, true, Ok(text)) = (is_text, may_show(url), std::str::from_utf8(body)) {
        let quoted: String = text.trim().chars().filter(|c| !c.is_control()).take(QUOTED).collect();
        if !quoted.is_empty() {
            message = format!("{message}: {quoted}");
        }
    }
    if code.is_redirection() {
        message.push_str("; redirects are not followed, is the server's address right?");
    }
    Status::failure(code.as_u16(), reason, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use http::header::{CONTENT_TYPE, HeaderValue};

    #[track_caller]
    fn check(code: u16, content_type: &'static str, body: &str, expect: &str) -> Error {
        let url = "https://10.0.0.1/api/v1/namespaces/team-a/pods".to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let code = StatusCode::from_u16(code).unwrap();
        let error = status(&Asked { method: Method::GET, url }, code, &headers, body.as_bytes());
        assert_eq!(error.to_string(), expect);
        error
    }

    #[test]
    fn answers_that_are_not_successes() {
        let url = "GET https://10.0.0.1/api/v1/namespaces/team-a/pods";
        let forbidden = "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API \
                         group \"\" in the namespace \"team-a\"";
        let body = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": forbidden,
            "reason": "Forbidden", "code": 403,
        });
        let expect = format!("{forbidden} (403; {url})");
        assert!(check(403, "application/json", &body.to_string(), &expect).is_forbidden());

        let expect = format!("the server answered \"Not Found\": 404 page not found (404; {url})");
        let error = check(404, "text/plain; charset=utf-8", "404 page not found\n", &expect);
        assert!(error.is_not_found());

        let expect = format!("the server answered \"Bad Gateway\" (502; {url})");
        check(502, "text/html", "<html>", &expect);
        check(502, "application/json", "{\"kind\":\"Pod\"}", &expect);
        check(502, "application/json", "{", &expect);
        let expect = format!(
            "the server answered \"Found\"; redirects are not followed, is the server's address \
             right? (302; {url})"
        );
        check(302, "text/html", "", &expect);
    }
}
