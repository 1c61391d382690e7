//! Which proxy a connection goes through (Go: `http.ProxyFromEnvironment`,
//! `golang.org/x/net/http/httpproxy`).

use crate::config::Secret;
use http::Uri;
use std::net::IpAddr;

/// A rule that says which proxy to use for a server.
///
/// ```
/// use pintle_client::Proxy;
///
/// let proxy = Proxy::from_lookup(&|name| match name {
///     "HTTPS_PROXY" => Some("http://proxy.corp:3128".into()),
///     "NO_PROXY" => Some(".internal,10.0.0.0/8".into()),
///     _ => None,
/// });
/// assert!(proxy.for_server(&"https://api.example.com".parse().unwrap()).unwrap().is_some());
/// assert!(proxy.for_server(&"https://10.1.2.3:6443".parse().unwrap()).unwrap().is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proxy(Rule);

#[derive(Clone, Debug, Default, PartialEq)]
enum Rule {
    #[default]
    Never,
    Always(ProxyServer),
    Environment {
        https: Secret,
        http: Secret,
        except: Vec<Exception>,
    },
}

/// A proxy to connect through with `CONNECT`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyServer {
    pub(crate) uri: Uri,
    /// `user:password`, for the `Proxy-Authorization` header.
    pub(crate) userinfo: Option<Secret>,
}

/// One entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq)]
enum Exception {
    Everything,
    Address(IpAddr, Option<u16>),
    Network(IpAddr, u8),
    /// `example.com` (the domain and what is under it) or `.example.com` (only what is under it).
    Domain {
        suffix: String,
        itself: bool,
        port: Option<u16>,
    },
}

impl Proxy {
    /// No proxy, whatever the environment says.
    #[must_use]
    pub fn never() -> Self {
        Proxy(Rule::Never)
    }

    /// One proxy for every server (kubeconfig's `proxy-url`).
    ///
    /// # Errors
    /// The text is not the URL of a proxy this library can use; says why.
    pub fn always(url: &str) -> Result<Self, String> {
        parse_server(url).map(|server| Proxy(Rule::Always(server)))
    }

    /// What `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (or in lower case) say now.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(&|name| std::env::var(name).ok())
    }

    /// As [`from_environment`](Self::from_environment), asking `lookup` for each variable.
    #[must_use]
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| {
            lookup(name)
                .filter(|v| !v.is_empty())
                .or_else(|| lookup(&name.to_ascii_lowercase()))
                .unwrap_or_default()
        };
        let https = var("HTTPS_PROXY");
        // A CGI program's HTTP_PROXY is set by whoever sent the request ("httpoxy").
        let http =
            if lookup("REQUEST_METHOD").is_some() { String::new() } else { var("HTTP_PROXY") };
        if https.is_empty() && http.is_empty() {
            return Proxy(Rule::Never);
        }
        let except = parse_exceptions(&var("NO_PROXY"));
        Proxy(Rule::Environment { https: Secret::new(https), http: Secret::new(http), except })
    }

    /// The proxy for a server, if any.
    ///
    /// # Errors
    /// The environment names a proxy that cannot be used; says why.
    pub fn for_server(&self, server: &Uri) -> Result<Option<ProxyServer>, String> {
        match &self.0 {
            Rule::Never => Ok(None),
            Rule::Always(proxy) => Ok(Some(proxy.clone())),
            Rule::Environment { https, http, except } => {
                let tls = server.scheme_str() == Some("https");
                let (url, name) = if tls { (https, "HTTPS_PROXY") } else { (http, "HTTP_PROXY") };
                let host = server.host().unwrap_or_default();
                let port = server.port_u16().unwrap_or(if tls { 443 } else { 80 });
                let url = url.expose();
                if url.is_empty() || excepted(except, host, port) {
                    return Ok(None);
                }
                parse_server(url).map(Some).map_err(|complaint| format!("${name} {complaint}"))
            }
        }
    }
}

fn parse_server(text: &str) -> Result<ProxyServer, String> {
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // The text may hold a password and is not repeated in messages.
    let uri: Uri = full.parse().map_err(|e| format!("is not a URL: {e}"))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(scheme) if scheme.starts_with("socks") => {
            return Err(format!(
                "is a {} proxy, which is not supported; use an http:// or https:// proxy",
                scheme.to_ascii_uppercase()
            ));
        }
        other => {
            return Err(format!(
                "has the scheme {:?}; it must be http or https",
                other.unwrap_or_default()
            ));
        }
    }
    let Some(authority) = uri.authority() else { return Err("has no host".into()) };
    let (userinfo, host) = match authority.as_str().rsplit_once('@') {
        Some((userinfo, host)) => {
            (Some(Secret::new(crate::path::decode_percent(userinfo))), host.to_owned())
        }
        None => (None, authority.as_str().to_owned()),
    };
    let uri = format!("{}://{host}/", uri.scheme_str().unwrap_or("http"))
        .parse()
        .map_err(|e| format!("is not a URL: {e}"))?;
    Ok(ProxyServer { uri, userinfo })
}

fn parse_exceptions(text: &str) -> Vec<Exception> {
    text.split(',')
        .filter_map(|entry| parse_exception(&entry.trim().to_ascii_lowercase()))
        .collect()
}

fn parse_exception(entry: &str) -> Option<Exception> {
    if entry.is_empty() {
        return None;
    }
    if entry == "*" {
        return Some(Exception::Everything);
    }
    if let Some((address, bits)) = entry.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        return (bits <= width).then_some(Exception::Network(address, bits));
    }
    if let Ok(address) = entry.parse() {
        return Some(Exception::Address(address, None));
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (entry, None),
    };
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Some(Exception::Address(address, port));
    }
    let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
    let (suffix, itself) = match host.strip_prefix('.') {
        Some(suffix) => (suffix, false),
        None => (host, true),
    };
    (!suffix.is_empty()).then(|| Exception::Domain { suffix: suffix.to_owned(), itself, port })
}

fn excepted(except: &[Exception], host: &str, port: u16) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|a| a.is_loopback()) {
        return true;
    }
    except.iter().any(|exception| match exception {
        Exception::Everything => true,
        Exception::Address(a, p) => address == Some(*a) && p.is_none_or(|p| p == port),
        Exception::Network(network, bits) => {
            address.is_some_and(|address| contains(*network, *bits, address))
        }
        Exception::Domain { suffix, itself, port: p } => {
            let under = host.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.ends_with('.'));
            (under || (*itself && host == *suffix)) && p.is_none_or(|p| p == port)
        }
    })
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(n), IpAddr::V4(a)) => (u128::from(n.to_bits()), u128::from(a.to_bits()), 32),
        (IpAddr::V6(n), IpAddr::V6(a)) => (n.to_bits(), a.to_bits(), 128),
        _ => return false,
    };
    bits == 0 || (network ^ address) >> (width - u32::from(bits)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(vars: &[(&str, &str)], server: &str, expect: Option<&str>) {
        let proxy = Proxy::from_lookup(&|name| {
            vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        });
        let found = proxy.for_server(&server.parse().unwrap()).unwrap();
        assert_eq!(found.map(|p| p.uri.to_string()).as_deref(), expect, "{vars:?} {server}");
    }

    #[test]
    fn environment_rules() {
        let p = ("HTTPS_PROXY", "http://p:3128");
        let via = Some("http://p:3128/");
        check(&[], "https://a.example", None);
        check(&[p], "https://a.example", via);
        check(&[("https_proxy", "p:3128")], "https://a.example", via);
        check(&[p, ("https_proxy", "q:1")], "https://a.example", via);
        check(&[p], "http://a.example", None);
        check(&[("HTTP_PROXY", "http://h:1")], "http://a.example", Some("http://h:1/"));
        check(&[("HTTP_PROXY", "http://h:1")], "https://a.example", None);
        check(&[("HTTP_PROXY", "h:1"), ("REQUEST_METHOD", "GET")], "http://a.example", None);
        // The loopback is never proxied.
        check(&[p], "https://localhost:6443", None);
        check(&[p], "https://127.0.0.9:6443", None);
        check(&[p], "https://[::1]:6443", None);
    }

    #[test]
    fn exceptions() {
        #[track_caller]
        fn excepted(no_proxy: &str, server: &str, expect: bool) {
            let vars = [("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", no_proxy)];
            check(&vars, server, (!expect).then_some("http://p:3128/"));
        }
        excepted("*", "https://a.example", true);
        excepted("example.com", "https://example.com", true);
        excepted("example.com", "https://EXAMPLE.com", true);
        excepted("example.com", "https://a.example.com", true);
        excepted("example.com", "https://anexample.com", false);
        excepted(".example.com", "https://example.com", false);
        excepted(".example.com", "https://a.example.com", true);
        excepted("*.example.com", "https://a.example.com", true);
        excepted("example.com:6443", "https://example.com:6443", true);
        excepted("example.com:6443", "https://example.com", false);
        excepted("a.b, example.com ,", "https://example.com", true);
        excepted("10.0.0.0/8", "https://10.9.8.7:6443", true);
        excepted("10.0.0.0/8", "https://11.0.0.1:6443", false);
        excepted("10.0.0.0/0", "https://11.0.0.1:6443", true);
        excepted("10.0.0.0/99", "https://10.0.0.1:6443", false);
        excepted("10.0.0.1", "https://10.0.0.1:6443", true);
        excepted("10.0.0.1:6443", "https://10.0.0.1:6443", true);
        excepted("10.0.0.1:443", "https://10.0.0.1:6443", false);
        excepted("fd00::/8", "https://[fd00::1]:6443", true);
        excepted("[fd00::1]:6443", "https://[fd00::1]:6443", true);
        excepted("", "https://a.example", false);
    }

    #[test]
    fn proxy_urls() {
        #[track_caller]
        fn fails(url: &str, expect: &str) {
            assert_eq!(Proxy::always(url).unwrap_err(), expect);
        }
        fails(
            "socks5://p:1080",
            "is a SOCKS5 proxy, which is not supported; use an http:// or https:// proxy",
        );
        fails("ftp://p", "has the scheme \"ftp\"; it must be http or https");
        assert!(Proxy::always("http://[").is_err());
        let Proxy(Rule::Always(p)) = Proxy::always("http://me:p%40ss@p:3128/x").unwrap() else {
            panic!("not a fixed proxy")
        };
        assert_eq!(p.uri.to_string(), "http://p:3128/");
        assert_eq!(p.userinfo.unwrap().expose(), "me:p@ss");
        // proxy-url has no exceptions.
        let always = Proxy::always("p:1").unwrap();
        assert!(always.for_server(&"https://127.0.0.1".parse().unwrap()).unwrap().is_some());
    }

    #[test]
    fn a_bad_proxy_is_named_without_its_password() {
        let proxy = Proxy::from_lookup(&|name| {
            (name == "HTTPS_PROXY").then(|| "socks5://me:hunter2@p:1".to_owned())
        });
        let complaint = proxy.for_server(&"https://a.example".parse().unwrap()).unwrap_err();
        assert!(complaint.starts_with("$HTTPS_PROXY is a SOCKS5 proxy"), "{complaint}");
        assert!(!complaint.contains("hunter2") && !format!("{proxy:?}").contains("hunter2"));
    }
}
