//! A client for Kubernetes' API: finds its configuration as kubectl does, authenticates, and reads,
//! writes and watches objects, typed or not.
//!
//! It caches nothing (informers do), knows no API types of its own (any [`Resource`] will do), and
//! does not run commands in containers or forward ports yet. TLS is rustls with its ring provider,
//! always there and never taken from the process; the runtime is tokio.
//!
//! | Go | here |
//! |---|---|
//! | `clientcmd`, `rest.Config` | [`Config`], [`Kubeconfig`], [`LoadOptions`] |
//! | `rest.RESTClient`, `rest.Request` | [`Client`], [`Request`], [`Response`] |
//! | `gentype.Client`, `kubernetes/typed` | [`Api`] |
//! | `plugin/pkg/client/auth/exec` | [`Exec`] |
//! | `dynamic` | [`Client::dynamic`] |
//! | `discovery` | [`Client::api_resources`], [`Client::find`], [`Client::server_version`] |
//! | `restmapper` | [`Client::rest_mapper`], [`Client::group_resources`] |
//! | `transport`, `http.Transport` | [`Transport`], [`Proxy`] |
//! | `tools/pager`, `util/retry` | [`Api::pages`], [`Api::list_all`], [`retry_on_conflict`] |
//!
//! # Example: what namespaces are there?
//! ```no_run
//! use pintle_apimachinery::{ListOptions, Object};
//! use pintle_client::{ApiResource, Client};
//!
//! # async fn f() -> Result<(), pintle_client::Error> {
//! let client = Client::from_environment().await?; // $KUBECONFIG, ~/.kube/config, in-cluster
//! let namespaces = ApiResource::cluster_scoped("", "v1", "Namespace", "namespaces");
//! for namespace in client.dynamic(&namespaces)?.list(&ListOptions::default()).await? {
//!     println!("{}", namespace.name());
//! }
//! # Ok(()) }
//! ```
//!
//! # Example: where is the server?
//! ```
//! use pintle_client::{Client, Config, Kubeconfig, LoadOptions};
//!
//! let text = "
//! current-context: dev
//! contexts: [{ name: dev, context: { cluster: dev, namespace: team-a } }]
//! clusters: [{ name: dev, cluster: { server: https://10.0.0.1 } }]
//! ";
//! let kubeconfig = Kubeconfig::parse(text, "~/.kube/config")?;
//! let client = Client::new(&Config::from_kubeconfig(&kubeconfig, &LoadOptions::default())?)?;
//! assert_eq!(client.default_namespace(), "team-a");
//!
//! let prod = LoadOptions { context: "prod".into(), ..LoadOptions::default() };
//! let error = Config::from_kubeconfig(&kubeconfig, &prod).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "kubeconfig ~/.kube/config: context \"prod\" does not exist; there are: dev"
//! );
//! # Ok::<(), pintle_client::Error>(())
//! ```
//!
//! With typed kinds it reads `client.namespaced::<Pod>("team-a").get("web")`; with generated
//! clients, `clients.core_v1().pods("team-a").get("web")`.
//!
//! # Logging
//! Through `tracing`: requests with status and latency at `debug`, headers and bodies at `trace`,
//! credentials masked, and bodies that may hold Secrets or tokens left out. Warnings of the server
//! at `warn`, once per text.
//!
//! [`Resource`]: pintle_apimachinery::Resource

mod api;
mod auth;
mod client;
mod config;
mod discovery;
mod error;
mod exec;
mod log;
mod path;
mod proxy;
mod request;
mod rest_mapper;
mod retry;
#[cfg(test)]
mod testing;
mod transport;
mod warning;

pub use api::{
    Api, ApiListerWatcher, ApiResource, Call, Deletion, LogOptions, Patch, Watch, retry_on_conflict,
};
pub use client::Client;
pub use config::{
    Cluster, Config, Context, Credentials, Identity, Impersonate, Kubeconfig, LoadOptions, Pem,
    Secret, Tls, UnknownField, User,
};
pub use discovery::ServerVersion;
pub use exec::{Exec, Interactive};
pub use pintle_apimachinery::Error;
pub use proxy::{Proxy, ProxyServer};
pub use request::{Request, Response};
pub use rest_mapper::DeferredRestMapper;
pub use retry::Repeat;
pub use transport::{Body, BoxError, Transport};
pub use warning::WarningHandler;
