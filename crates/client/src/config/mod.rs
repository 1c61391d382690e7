//! What a client needs to know to reach and trust a server (Go: `rest.Config`, `clientcmd`).

mod in_cluster;
mod kubeconfig;
mod load;
mod resolve;
mod secret;
mod yaml;

pub use kubeconfig::{Cluster, Context, Kubeconfig, User};
pub use load::LoadOptions;
pub use secret::Secret;
pub use yaml::UnknownField;

pub(crate) use load::Environment;

use crate::Error;
use crate::exec::Exec;
use crate::proxy::Proxy;
use std::path::PathBuf;
use std::time::Duration;

/// Where the server is, how to trust it, and who one is there (Go: `rest.Config`).
///
/// Usually loaded ([`Config::load`], [`Config::in_cluster`]); every field may be changed before the
/// client is made.
///
/// ```
/// use pintle_client::Config;
///
/// let mut config = Config::new("https://10.0.0.1:6443")?;
/// config.user_agent = "backup-operator/1.2".into();
/// config.credentials.token = Some("abc".into());
/// assert_eq!(config.default_namespace, "default");
/// # Ok::<(), pintle_client::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The server's address. A path in it is kept in front of every request's.
    pub server: http::Uri,
    /// The namespace of the current context or pod.
    pub default_namespace: String,
    /// How the server is trusted, and the client's certificate.
    pub tls: Tls,
    /// Token or password. Sent over TLS only.
    pub credentials: Credentials,
    /// Whom to act as.
    pub impersonate: Impersonate,
    /// Through which proxy to connect.
    pub proxy: Proxy,
    /// Who we say we are: `name/version`. Empty means the program's own name; the platform and
    /// `pintle/<version>` follow it in the header.
    pub user_agent: String,
    /// The field manager of writes that name none. Empty means the name in `user_agent`.
    pub field_manager: String,
    /// How long a connection may take to open, TLS included.
    pub connect_timeout: Duration,
    /// How long a request other than a watch may take from start to end, retries included; also
    /// sent as `timeout` so that the server gives up at the same time. `None` means no limit.
    pub timeout: Option<Duration>,
    /// HTTP/2 may be used where the server offers it.
    pub http2: bool,
}

/// Trust and identity of a TLS connection (Go: `rest.TLSClientConfig`).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tls {
    /// Certificate authorities; `None` means the system's.
    pub authorities: Option<Pem>,
    /// The name to check the certificate for, in place of the server's host.
    pub server_name: Option<String>,
    /// Accept any certificate. Not together with `authorities`.
    pub insecure: bool,
    /// The client's certificate chain and key.
    pub identity: Option<Identity>,
}

/// A client certificate with its private key.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The certificate and what lies between it and its authority.
    pub certificate: Pem,
    /// The private key: PKCS#8, PKCS#1 or SEC1.
    pub key: Pem,
}

/// PEM text, at hand or in a file that is read anew when connections open.
#[derive(Clone, Debug, PartialEq)]
pub enum Pem {
    /// The text itself.
    Data(Secret<Vec<u8>>),
    /// A file.
    File(PathBuf),
}

/// Credentials sent in the `Authorization` header.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Credentials {
    /// A bearer token.
    pub token: Option<Secret>,
    /// A file that holds a bearer token and may change; wins over `token`.
    pub token_file: Option<PathBuf>,
    /// User name and password.
    pub basic: Option<(String, Secret)>,
    /// A program that gives a token.
    pub exec: Option<Exec>,
}

/// Whom to act as (Go: `rest.ImpersonationConfig`). All empty: oneself.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Impersonate {
    /// The user's name.
    pub user: String,
    /// The user's UID.
    pub uid: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// Further facts, as authenticators give them.
    pub extra: Vec<(String, Vec<String>)>,
}

impl Impersonate {
    /// Whether nobody else is acted as.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Impersonate::default()
    }
}

impl Config {
    /// A configuration for a server's address, without credentials.
    ///
    /// # Errors
    /// The address cannot be parsed.
    pub fn new(server: impl AsRef<str>) -> Result<Self, Error> {
        let server = resolve::server_uri(server.as_ref(), false)
            .map_err(|complaint| crate::error::config(format!("server address {complaint}")))?;
        Ok(Config {
            server,
            default_namespace: "default".into(),
            tls: Tls::default(),
            credentials: Credentials::default(),
            impersonate: Impersonate::default(),
            proxy: Proxy::from_environment(),
            user_agent: String::new(),
            field_manager: String::new(),
            connect_timeout: Duration::from_secs(30),
            timeout: None,
            http2: true,
        })
    }

    /// Finds the configuration as kubectl does: `$KUBECONFIG`, else `~/.kube/config`, else that of
    /// the pod the program runs in. Reads files; opens no connection.
    ///
    /// # Errors
    /// A file cannot be read or understood, the chosen context is not complete, or there is no
    /// configuration anywhere; the message says which file and field.
    pub fn from_environment() -> Result<Self, Error> {
        Self::load(&LoadOptions::default())
    }

    /// As [`from_environment`](Self::from_environment), with choices of the caller's: a file, a
    /// context, a namespace.
    ///
    /// # Errors
    /// As [`from_environment`](Self::from_environment); a file named here must exist.
    pub fn load(options: &LoadOptions) -> Result<Self, Error> {
        load::load(options, &Environment::process())
    }

    /// The configuration of a kubeconfig already read.
    ///
    /// # Errors
    /// The chosen context, its cluster or its user is missing or contradicts itself.
    pub fn from_kubeconfig(kubeconfig: &Kubeconfig, options: &LoadOptions) -> Result<Self, Error> {
        resolve::resolve(kubeconfig, options, &Environment::process())
    }

    /// The configuration every pod has: the service's address in the environment, and the service
    /// account's token, authority and namespace in files.
    ///
    /// # Errors
    /// The program does not run in a pod, or the pod has no service account mounted.
    pub fn in_cluster() -> Result<Self, Error> {
        in_cluster::in_cluster(&Environment::process())
    }

    /// Whether connections use TLS.
    #[must_use]
    pub fn uses_tls(&self) -> bool {
        self.server.scheme_str() == Some("https")
    }

    /// The whole `User-Agent` header.
    #[must_use]
    pub fn user_agent_header(&self) -> String {
        let agent =
            if self.user_agent.is_empty() { default_agent() } else { self.user_agent.clone() };
        format!(
            "{agent} ({}/{}) pintle/{}",
            std::env::consts::OS,
            std::env::consts::ARCH,
            env!("CARGO_PKG_VERSION")
        )
    }

    /// The field manager of writes that name none: at most 128 printable characters, as the server
    /// asks.
    #[must_use]
    pub fn field_manager_name(&self) -> String {
        let agent = match (&*self.field_manager, &*self.user_agent) {
            ("", "") => default_agent(),
            ("", agent) => agent.to_owned(),
            (manager, _) => manager.to_owned(),
        };
        let name = if self.field_manager.is_empty() {
            agent.split(['/', ' ']).next().unwrap_or_default().to_owned()
        } else {
            agent
        };
        name.chars().filter(|c| !c.is_control()).take(128).collect()
    }
}

/// The program's file name; its version is not known.
fn default_agent() -> String {
    std::env::args_os()
        .next()
        .and_then(|arg| Some(PathBuf::from(arg).file_stem()?.to_string_lossy().into_owned()))
        .filter(|name| !name.is_empty())
        .map(|name| name.chars().filter(|c| c.is_ascii_graphic()).collect())
        .unwrap_or_else(|| "pintle".into())
}

#[cfg(test)]
mod tests;
