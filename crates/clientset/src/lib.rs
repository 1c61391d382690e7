//! Typed clients of the built-in resources, by group and version as in Go's clientset:
//! `clients.core_v1().pods("team-a")`.
//!
//! Each method only names a kind: what it returns is the generic [`Api`],
//! which has every verb. There is no behaviour here, and nothing that
//! `client.namespaced::<Pod>("team-a")` cannot do. Custom resources have no methods of their own:
//! [`Clientset::of`] and [`Clientset::all`] take any kind.
//!
//! # Example: which Pods run, which nodes are there?
//! ```no_run
//! use pintle_apimachinery::{ListOptions, Object};
//! use pintle_client::Client;
//! use pintle_clientset::Clientset;
//!
//! # async fn f() -> Result<(), pintle_apimachinery::Error> {
//! let clients = Clientset::new(Client::from_environment().await?);
//! for pod in clients.core_v1().pods("team-a").list(&ListOptions::labels("app=web")).await? {
//!     println!("{} {}", pod.name(), pod.status.phase);
//! }
//! for node in clients.core_v1().nodes().list(&ListOptions::new()).await? {
//!     println!("{}", node.name());
//! }
//! # Ok(()) }
//! ```
//!
//! # Example: where requests go
//! ```
//! use pintle_client::{Client, Config};
//! use pintle_clientset::Clientset;
//!
//! let clients = Clientset::new(Client::new(&Config::new("https://10.0.0.1")?)?);
//! let pods = clients.core_v1().pods("team-a"); // nothing is sent before a verb is awaited
//! assert_eq!(format!("{pods:?}"), "Api(pods of v1 in team-a)");
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

mod generated;

pub use generated::*;
use pintle_apimachinery::{Namespaced, Resource};
use pintle_client::{Api, Client};

/// Typed clients over one [`Client`]; clones are cheap. Go: `kubernetes.Clientset`.
#[derive(Clone, Debug)]
pub struct Clientset(Client);

impl Clientset {
    /// Clients that use `client`.
    pub fn new(client: Client) -> Self {
        Clientset(client)
    }
    /// The client behind them.
    pub fn client(&self) -> &Client {
        &self.0
    }
    /// The objects of any namespaced kind, in a namespace; in all when it is empty.
    pub fn of<T: Resource<Scope = Namespaced>>(&self, namespace: &str) -> Api<T> {
        self.0.namespaced(namespace)
    }
    /// The objects of any kind: those of the cluster, or those of all namespaces.
    pub fn all<T: Resource>(&self) -> Api<T> {
        self.0.all()
    }
}

impl From<Client> for Clientset {
    fn from(client: Client) -> Self {
        Clientset(client)
    }
}
