//! The `Authorization` and `Impersonate-*` headers of each request (Go: `transport/round_trippers`,
//! `transport/token_source`).

use crate::config::{Config, Impersonate, Secret};
use crate::exec::ExecSource;
use base64::Engine;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use pintle_apimachinery::Time;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a token read from a file is used.
const TOKEN_LIFE: Duration = Duration::from_secs(60);
/// How long before that it is read again.
const TOKEN_LEEWAY: Duration = Duration::from_secs(10);

/// What identifies the client on every request.
pub(crate) struct Authenticator {
    source: Source,
    /// Impersonation headers, the same for every request.
    impersonate: Vec<(HeaderName, HeaderValue)>,
}

enum Source {
    None,
    Fixed(HeaderValue),
    File(TokenFile),
    Exec(ExecSource),
}

impl Authenticator {
    pub(crate) fn none() -> Self {
        Authenticator { source: Source::None, impersonate: Vec::new() }
    }

    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        let credentials = &config.credentials;
        let wanted = credentials.token_file.is_some()
            || credentials.token.is_some()
            || credentials.basic.is_some()
            || credentials.exec.is_some();
        let source = if wanted && !config.uses_tls() {
            tracing::warn!(
                server = %config.server,
                "the server's address is not https: credentials are not sent"
            );
            Source::None
        } else if let Some(path) = &credentials.token_file {
            Source::File(TokenFile::new(path.clone()))
        } else if let Some(token) = &credentials.token {
            Source::Fixed(bearer(token.expose())?)
        } else if let Some((user, password)) = &credentials.basic {
            let pair = format!("{user}:{}", password.expose());
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            Source::Fixed(sensitive(&format!("Basic {pair}"))?)
        } else if let Some(exec) = &credentials.exec {
            if let Some(fault) = exec.fault() {
                return Err(fault);
            }
            Source::Exec(ExecSource::new(exec.clone()))
        } else {
            Source::None
        };
        Ok(Authenticator { source, impersonate: impersonate_headers(&config.impersonate)? })
    }

    /// Adds the headers. A request that has its own `Authorization` keeps it.
    pub(crate) async fn apply(&self, headers: &mut HeaderMap, now: Instant) -> Result<(), String> {
        for (name, value) in &self.impersonate {
            headers.append(name, value.clone());
        }
        if headers.contains_key(AUTHORIZATION) {
            return Ok(());
        }
        let value = match &self.source {
            Source::None => return Ok(()),
            Source::Fixed(value) => value.clone(),
            Source::File(file) => bearer(file.token(now)?.expose())?,
            Source::Exec(exec) => bearer(exec.token(Time::now()).await?.expose())?,
        };
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// The server answered 401 to a request sent at `sent`. Whether a newer credential may be had.
    pub(crate) fn unauthorized(&self, sent: Instant) -> bool {
        match &self.source {
            Source::File(file) => file.forget_older_than(sent),
            Source::Exec(exec) => exec.refused(sent),
            _ => false,
        }
    }
}

/// A bearer token in a file that somebody else renews.
struct TokenFile {
    path: PathBuf,
    cached: Mutex<Option<CachedToken>>,
}

struct CachedToken {
    token: Secret,
    read_at: Instant,
    /// A 401 said it is of no use; kept in case the file cannot be read.
    doubted: bool,
}

impl TokenFile {
    fn new(path: PathBuf) -> Self {
        TokenFile { path, cached: Mutex::new(None) }
    }

    fn token(&self, now: Instant) -> Result<Secret, String> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(c) = &*cached
            && !c.doubted
            && now + TOKEN_LEEWAY < c.read_at + TOKEN_LIFE
        {
            return Ok(c.token.clone());
        }
        match self.read() {
            Ok(token) => {
                *cached = Some(CachedToken { token: token.clone(), read_at: now, doubted: false });
                Ok(token)
            }
            Err(complaint) => match &*cached {
                Some(stale) => {
                    tracing::warn!("{complaint}; using the token read before");
                    Ok(stale.token.clone())
                }
                None => Err(complaint),
            },
        }
    }

    fn read(&self) -> Result<Secret, String> {
        let file = self.path.display();
        let text = std::fs::read_to_string(&self.path)
            .map_err(|e| format!("token file {file} cannot be read: {e}"))?;
        let token = text.trim();
        if token.is_empty() {
            return Err(format!("token file {file} is empty"));
        }
        Ok(token.into())
    }

    fn forget_older_than(&self, sent: Instant) -> bool {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *cached {
            // The file may hold a new token since; whether it does is seen by reading it.
            Some(c) if c.read_at <= sent && !c.doubted => {
                c.doubted = true;
                let old = c.token.clone();
                self.read().is_ok_and(|new| new != old)
            }
            _ => false,
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the credential holds characters a header cannot carry".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

fn impersonate_headers(who: &Impersonate) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut out = Vec::new();
    let mut push = |name: &str, value: &str| {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("impersonation: {name:?} cannot be a header's name"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("impersonation: {value:?} cannot be a header's value"))?;
        out.push((name, value));
        Ok::<(), String>(())
    };
    if !who.user.is_empty() {
        push("impersonate-user", &who.user)?;
    }
    if !who.uid.is_empty() {
        push("impersonate-uid", &who.uid)?;
    }
    for group in &who.groups {
        push("impersonate-group", group)?;
    }
    for (key, values) in &who.extra {
        // Header names know no case and few characters: the server decodes percent signs.
        let name =
            format!("impersonate-extra-{}", crate::path::encode_header_key(&key.to_lowercase()));
        for value in values {
            push(&name, value)?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Applies credentials that need no waiting.
    fn apply(auth: &Authenticator, headers: &mut HeaderMap, now: Instant) -> Result<(), String> {
        auth.apply(headers, now).now_or_never().expect("at hand")
    }

    fn header(auth: &Authenticator, now: Instant) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        apply(auth, &mut headers, now)?;
        Ok(headers[AUTHORIZATION].to_str().unwrap().to_owned())
    }

    fn with_file(path: &std::path::Path) -> Authenticator {
        let mut config = Config::new("https://a").unwrap();
        config.credentials.token_file = Some(path.to_owned());
        Authenticator::new(&config).unwrap()
    }

    #[test]
    fn a_token_file_is_read_again_before_a_minute_is_over() {
        let dir = crate::testing::TempDir::new();
        let file = dir.write("token", "one\n");
        let auth = with_file(&file);
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        assert_eq!(header(&auth, at(0)).unwrap(), "Bearer one");
        dir.write("token", "two");
        assert_eq!(header(&auth, at(49)).unwrap(), "Bearer one");
        assert_eq!(header(&auth, at(50)).unwrap(), "Bearer two");
        // Unreadable: the stale one is kept, and reading is tried again each time.
        std::fs::remove_file(&file).unwrap();
        assert_eq!(header(&auth, at(200)).unwrap(), "Bearer two");
        dir.write("token", "three");
        assert_eq!(header(&auth, at(201)).unwrap(), "Bearer three");
    }

    #[test]
    fn a_401_makes_the_file_be_read_again() {
        let dir = crate::testing::TempDir::new();
        let file = dir.write("token", "one");
        let auth = with_file(&file);
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        header(&auth, at(10)).unwrap();
        // A request sent before that token was read says nothing about it.
        assert!(!auth.unauthorized(at(5)));
        // The file holds nothing new: no use in trying again now.
        assert!(!auth.unauthorized(at(11)));
        dir.write("token", "two");
        assert_eq!(header(&auth, at(12)).unwrap(), "Bearer two");
        dir.write("token", "three");
        assert!(auth.unauthorized(at(13)));
        assert_eq!(header(&auth, at(13)).unwrap(), "Bearer three");
    }

    #[test]
    fn a_missing_or_empty_token_file_is_named() {
        let dir = crate::testing::TempDir::new();
        let auth = with_file(&dir.path().join("none"));
        let complaint = header(&auth, Instant::now()).unwrap_err();
        assert!(complaint.contains("none cannot be read: "), "{complaint}");
        let auth = with_file(&dir.write("empty", " \n"));
        assert!(header(&auth, Instant::now()).unwrap_err().ends_with("empty is empty"));
    }

    #[test]
    fn fixed_credentials_and_their_limits() {
        let mut config = Config::new("https://a").unwrap();
        config.credentials.token = Some("t".into());
        let auth = Authenticator::new(&config).unwrap();
        assert_eq!(header(&auth, Instant::now()).unwrap(), "Bearer t");
        // A header the caller has set wins.
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer own"));
        apply(&auth, &mut headers, Instant::now()).unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer own");
        // The value is never shown.
        let mut headers = HeaderMap::new();
        apply(&auth, &mut headers, Instant::now()).unwrap();
        assert!(headers[AUTHORIZATION].is_sensitive());

        config.credentials.token = None;
        config.credentials.basic = Some(("jane".into(), "pw".into()));
        let auth = Authenticator::new(&config).unwrap();
        assert_eq!(header(&auth, Instant::now()).unwrap(), "Basic amFuZTpwdw==");

        config.server = "http://a".parse().unwrap();
        let mut headers = HeaderMap::new();
        apply(&Authenticator::new(&config).unwrap(), &mut headers, Instant::now()).unwrap();
        assert!(headers.is_empty(), "credentials go over TLS only");

        config = Config::new("https://a").unwrap();
        config.credentials.token = Some("a\nb".into());
        let Err(complaint) = Authenticator::new(&config) else { panic!("accepted") };
        assert!(!complaint.contains("a\nb"));
    }

    #[test]
    fn impersonation() {
        let mut config = Config::new("https://a").unwrap();
        config.impersonate = Impersonate {
            user: "jane".into(),
            uid: "7".into(),
            groups: vec!["g1".into(), "g2".into()],
            extra: vec![("Example.com/Scopes".into(), vec!["a".into(), "b".into()])],
        };
        let mut headers = HeaderMap::new();
        apply(&Authenticator::new(&config).unwrap(), &mut headers, Instant::now()).unwrap();
        let all: Vec<String> =
            headers.iter().map(|(k, v)| format!("{k}: {}", v.to_str().unwrap())).collect();
        assert_eq!(
            all,
            [
                "impersonate-user: jane",
                "impersonate-uid: 7",
                "impersonate-group: g1",
                "impersonate-group: g2",
                "impersonate-extra-example.com%2fscopes: a",
                "impersonate-extra-example.com%2fscopes: b",
            ]
        );
    }
}
