//! What a request is about: its path and query, taken apart.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/request.RequestInfoFactory`.

use std::num::{IntErrorKind, ParseIntError};

use http::Method;

use crate::status::{ApiError, ApiResult};

/// The parameters of a query, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        // What is malformed is left out, as Go does it.
        let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        let pairs = pairs.filter(|pair| is_encoded(pair)).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true), decode(value, true))
        });
        Query(pairs.collect())
    }

    /// The first value of a parameter; empty when absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Any value but `false` and `0` is true, as in Go's conversion of parameters.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.find(name).map(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    pub(crate) fn integer(&self, name: &str) -> ApiResult<i64> {
        match self.find(name) {
            None => Ok(0),
            Some(value) => value.parse().map_err(|error: ParseIntError| {
                let what = match error.kind() {
                    IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                    _ => "invalid syntax",
                };
                let shown = crate::status::quote(value);
                ApiError::bad_request(format!("strconv.ParseInt: parsing {shown}: {what}"))
            }),
        }
    }
}

/// Whether every percent sign begins two digits.
fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Undoes percent encoding, and with `plus` the plus signs of forms. What is not UTF-8 or not
/// encoded rightly stays as it is.
pub(crate) fn decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' if tail.len() >= 2 => {
                let digit = |b: u8| (b as char).to_digit(16);
                match (digit(tail[0]), digit(tail[1])) {
                    (Some(high), Some(low)) => {
                        bytes.push((high * 16 + low) as u8);
                        rest = &tail[2..];
                    }
                    _ => bytes.push(first),
                }
            }
            b'+' if plus => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A request, taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestInfo {
    pub(crate) path: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for
    /// paths that are no resources the method in lower case.
    pub(crate) verb: &'static str,
    pub(crate) is_resource: bool,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) name: String,
    /// What follows the subresource.
    pub(crate) rest: Vec<String>,
    /// The path began with `/watch/`, the older form of watches.
    pub(crate) watch_prefix: bool,
}

impl RequestInfo {
    pub(crate) fn new(method: &Method, path: &str, query: &Query) -> Self {
        let mut info = RequestInfo {
            path: path.to_owned(),
            verb: match *method {
                Method::GET => "get",
                Method::HEAD => "head",
                Method::POST => "post",
                Method::PUT => "put",
                Method::PATCH => "patch",
                Method::DELETE => "delete",
                Method::OPTIONS => "options",
                _ => "",
            },
            ..RequestInfo::default()
        };
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| decode(part, false))
            .collect();
        let mut parts = parts.as_slice();
        match parts {
            [api, version, rest @ ..] if api == "api" && !rest.is_empty() => {
                info.version = version.clone();
                parts = rest;
            }
            [apis, group, version, rest @ ..] if apis == "apis" && !rest.is_empty() => {
                info.group = group.clone();
                info.version = version.clone();
                parts = rest;
            }
            _ => return info,
        }
        info.is_resource = true;
        info.verb = match *method {
            Method::POST => "create",
            Method::GET | Method::HEAD => "get",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => "",
        };
        if let [watch, rest @ ..] = parts
            && watch == "watch"
            && !rest.is_empty()
        {
            info.watch_prefix = true;
            info.verb = "watch";
            parts = rest;
        }
        if let [namespaces, namespace, rest @ ..] = parts
            && namespaces == "namespaces"
        {
            info.namespace = namespace.clone();
            match rest {
                [next, ..] if next != "status" && next != "finalize" => parts = rest,
                _ => {}
            }
        }
        if let [resource, rest @ ..] = parts {
            info.resource = resource.clone();
            if let [name, rest @ ..] = rest {
                info.name = name.clone();
                if let [subresource, rest @ ..] = rest {
                    info.subresource = subresource.clone();
                    info.rest = rest.to_vec();
                }
            }
        }
        if info.name.is_empty() {
            match info.verb {
                "get" if query.flag("watch") == Some(true) => info.verb = "watch",
                "get" => info.verb = "list",
                "delete" => info.verb = "deletecollection",
                _ => {}
            }
        }
        info
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, path: &str, query: &str, expect: &str) {
        let info = RequestInfo::new(&method, path, &Query::parse(query));
        let RequestInfo { verb, group, version, namespace, resource, name, subresource, .. } = info;
        let got = format!("{verb} {group}|{version}|{namespace}|{resource}|{name}|{subresource}");
        assert_eq!(got, expect, "{method} {path}");
    }

    #[test]
    fn paths_are_taken_apart_as_in_kubernetes() {
        check(Method::GET, "/api/v1/pods", "", "list |v1||pods||");
        check(Method::GET, "/api/v1/pods", "watch=1", "watch |v1||pods||");
        check(Method::GET, "/api/v1/pods", "watch=false", "list |v1||pods||");
        check(Method::GET, "/api/v1/namespaces", "", "list |v1||namespaces||");
        check(Method::GET, "/api/v1/namespaces/x", "", "get |v1|x|namespaces|x|");
        check(Method::PUT, "/api/v1/namespaces/x/status", "", "update |v1|x|namespaces|x|status");
        check(Method::GET, "/api/v1/namespaces/x/pods", "", "list |v1|x|pods||");
        check(Method::GET, "/api/v1/namespaces/x/pods/p/log", "", "get |v1|x|pods|p|log");
        check(
            Method::DELETE,
            "/apis/apps/v1/namespaces/x/deployments",
            "",
            "deletecollection apps|v1|x|deployments||",
        );
        check(Method::GET, "/api/v1/watch/namespaces/x/pods/p", "", "watch |v1|x|pods|p|");
        check(Method::GET, "/api/v1", "", "get |||||");
        check(Method::POST, "/apis/g/v1/foos/a%20b", "", "create g|v1||foos|a b|");
    }

    #[test]
    fn query_parameters_decode() {
        assert_eq!(Query::parse("a=%zz&b=1;c=2&d=%").0, []);
        assert!(Query::parse("limit=").integer("limit").is_err());
        let query = Query::parse("labelSelector=a%3Db%2Cc+d&limit=x&watch=&watch=1");
        assert_eq!(query.get("labelSelector"), "a=b,c d");
        assert_eq!(query.flag("watch"), Some(true));
        assert_eq!(query.flag("other"), None);
        assert!(query.integer("limit").is_err());
        assert_eq!(query.all("watch"), ["", "1"]);
    }
}
