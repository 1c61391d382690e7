//! Starting and stopping the server.
//!
//! Go counterpart: `cmd/kube-apiserver/app` and, for tests, `cmd/kube-apiserver/app/testing`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use pintle_apimachinery::{CustomResource, Error, Format, Status, Time};
use tower_service::Service as _;

use crate::auth::{Auth, User};
use crate::core::{Clock, Core, Settings};
use crate::handlers::namespaces::create_initial;
use crate::listen::Listener;
use crate::service::Service;
use crate::storage::Storage;
use crate::testing::Faults;

/// How a server is to be: see [`ApiServer::builder`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    auth: Auth,
    clock: Clock,
    settings: Settings,
    seed: Option<u64>,
    listen: Option<SocketAddr>,
    crds: Vec<Crd>,
    controllers: crate::Controllers,
}

/// A kind to serve from the start.
#[derive(Clone, Copy)]
struct Crd {
    kind: &'static str,
    gvr: [&'static str; 3],
    json: fn() -> Result<serde_json::Value, Error>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            auth: Auth { anonymous: true, ..Auth::default() },
            clock: Arc::new(Time::now),
            settings: Settings::default(),
            seed: None,
            listen: None,
            crds: Vec::new(),
            controllers: crate::Controllers::all(),
        }
    }
}

impl Builder {
    /// Accepts a bearer token as a user. Go: one line of `--token-auth-file`.
    pub fn token(mut self, token: impl Into<String>, user: User) -> Self {
        self.auth.tokens.insert(token.into(), user);
        self
    }

    /// Whether requests without credentials are `system:anonymous` (the default) or refused with
    /// 401. Go: `--anonymous-auth`.
    pub fn anonymous(mut self, accept: bool) -> Self {
        self.auth.anonymous = accept;
        self
    }

    /// Whether every user may do everything, not only members of `system:masters` (not the
    /// default). Go: `--authorization-mode=AlwaysAllow`.
    pub fn allow_all(mut self, allow: bool) -> Self {
        self.auth.allow_all = allow;
        self
    }

    /// Where the server takes the time from that it writes into objects.
    pub fn clock(mut self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Which controllers run beside the server, in its process; all there are by default. Go:
    /// `--controllers` of kube-controller-manager.
    pub fn controllers(mut self, controllers: crate::Controllers) -> Self {
        self.controllers = controllers;
        self
    }

    /// Makes generated names and UIDs repeatable.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How often watches that ask for bookmarks get one; a minute by default.
    pub fn bookmark_interval(mut self, interval: Duration) -> Self {
        self.settings.bookmarks = interval;
        self
    }

    /// How long a read waits for a resource version that has not happened yet, before it is
    /// answered with 504; three seconds by default.
    pub fn future_version_wait(mut self, wait: Duration) -> Self {
        self.settings.future_wait = wait;
        self
    }

    /// How much history is kept for watches and lists at older versions: a number of events and
    /// the bytes that only history holds. What goes beyond is compacted, oldest first. 100,000
    /// events and 64 MiB by default.
    pub fn history(mut self, events: usize, bytes: usize) -> Self {
        self.settings.history_events = events;
        self.settings.history_bytes = bytes;
        self
    }

    /// Bytes a request's body may have; 3 MiB by default, as in Kubernetes.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// Serves on a free port of the loopback address too, with TLS and a certificate authority of
    /// its own. [`ApiServer::url`] and [`ApiServer::kubeconfig`] tell where.
    pub fn listen(self) -> Self {
        self.listen_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// As [`Builder::listen`], on an address of your choice; port 0 takes a free one. Go:
    /// `--bind-address` and `--secure-port`.
    pub fn listen_on(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Serves a kind of the program's own from the start, as if somebody had created its
    /// CustomResourceDefinition. Of a kind with several versions, create the merged definition
    /// instead.
    pub fn with_crd<T: CustomResource>(mut self) -> Self {
        let gvr = [T::GROUP, T::VERSION, T::PLURAL];
        self.crds.push(Crd { kind: T::KIND, gvr, json: T::crd_json });
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// The address to listen on is not free ([`Error::is_transport`]), no certificate can be
    /// made, or a kind of [`Builder::with_crd`] cannot be served; the message says why.
    ///
    /// # Cancel safety
    /// A server that was not handed out is gone.
    ///
    /// # Panics
    /// Outside of a tokio runtime: the server's controllers are tasks.
    pub async fn start(self) -> Result<ApiServer, Error> {
        let core = Core::new(self.auth, self.clock, self.settings, self.seed);
        create_initial(&core)
            .map_err(|error| Error::other(format!("cannot start: {}", error.message())))?;
        let core = Arc::new(core);
        for crd in &self.crds {
            let served = serve(&core, crd).await;
            served.map_err(|error| error.context(format_args!("kind {}", crd.kind)))?;
        }
        let listener = match self.listen {
            Some(address) => {
                Some(Listener::open(address, Service::new(Arc::clone(&core), None)).await?)
            }
            None => None,
        };
        let certificate = match &listener {
            Some(listener) => listener.ca(),
            None => crate::pki::Authority::new()?.pem(),
        };
        core.set_root_certificate(certificate);
        let controllers = crate::controllers::start(&core, self.controllers).await;
        Ok(ApiServer { core, controllers: Some(controllers), listener })
    }
}

/// Creates a definition as any client would.
async fn serve(core: &Arc<Core>, crd: &Crd) -> Result<(), Error> {
    let request = Request::post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from((crd.json)()?.to_string())))
        .map_err(|error| Error::other(error.to_string()))?;
    let Ok(response) = Service::new(Arc::clone(core), Some(User::admin())).call(request).await;
    if !response.status().is_success() {
        let body = response.into_body().collect().await.map(|body| body.to_bytes());
        let status = body.ok().and_then(|bytes| Status::decode_if(&bytes, Format::Json));
        return Err(Error::from_status(status.unwrap_or_default()));
    }
    let [group, version, plural] = crd.gvr;
    if core.registry.table().find(group, version, plural).is_none() {
        return Err(Error::config(
            "not served: another definition has its names, or its version says `served = false`",
        ));
    }
    Ok(())
}

/// A running API server. Dropping it stops it.
pub struct ApiServer {
    core: Arc<Core>,
    controllers: Option<crate::controllers::Running>,
    listener: Option<Listener>,
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer").finish_non_exhaustive()
    }
}

impl ApiServer {
    /// Describes a server: storage in memory, anonymous requests accepted as such, members of
    /// `system:masters` allowed to do everything.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The server as a service in this process. Requests that bring no token are made as
    /// [`User::admin`]; [`Service::with_user`] changes that.
    pub fn service(&self) -> Service {
        Service::new(Arc::clone(&self.core), Some(User::admin()))
    }

    fn listener(&self) -> Result<&Listener, Error> {
        self.listener
            .as_ref()
            .ok_or_else(|| Error::config("the server has no socket: start it with Builder::listen"))
    }

    /// Where the server listens, such as `https://127.0.0.1:43567`.
    ///
    /// # Errors
    /// The server was started without [`Builder::listen`].
    pub fn url(&self) -> Result<String, Error> {
        self.listener().map(Listener::url)
    }

    /// The certificate of the server's authority, in PEM.
    ///
    /// # Errors
    /// The server was started without [`Builder::listen`].
    pub fn ca_certificate(&self) -> Result<String, Error> {
        self.listener().map(Listener::ca)
    }

    /// A kubeconfig, as YAML, for [`User::admin`] with a client certificate.
    ///
    /// # Errors
    /// The server was started without [`Builder::listen`].
    pub fn kubeconfig(&self) -> Result<String, Error> {
        self.kubeconfig_for(&User::admin())
    }

    /// A kubeconfig for any user, with a client certificate.
    ///
    /// # Errors
    /// The server was started without [`Builder::listen`], or the user has more than one group
    /// ([`Error::is_invalid_argument`]): use a token then.
    pub fn kubeconfig_for(&self, user: &User) -> Result<String, Error> {
        self.listener()?.kubeconfig(user)
    }

    /// A kubeconfig with a bearer token, one of [`Builder::token`] or a wrong one.
    ///
    /// # Errors
    /// The server was started without [`Builder::listen`].
    pub fn kubeconfig_with_token(&self, token: &str) -> Result<String, Error> {
        Ok(self.listener()?.kubeconfig_with_token(token))
    }

    /// The resource version of the newest write.
    pub fn resource_version(&self) -> u64 {
        self.core.store.revision()
    }

    /// Waits until the server's controllers have acted on everything written so far, and on what
    /// they wrote themselves: what they delete is deleted then, and what they make is there.
    /// Writes of others meanwhile are waited for, too.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn settled(&self) {
        crate::controllers::settled(&self.core).await;
    }

    /// Faults on demand, for tests.
    pub fn faults(&self) -> Faults {
        Faults::new(Arc::clone(&self.core))
    }

    /// Stops the server: watches end, controllers stop, sockets close.
    ///
    /// # Cancel safety
    /// What was told to stop stops all the same.
    pub async fn shutdown(mut self) {
        self.core.store.cancel_watchers();
        if let Some(listener) = self.listener.take() {
            listener.close().await;
        }
        if let Some(controllers) = self.controllers.take() {
            controllers.stop().await;
        }
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.core.store.cancel_watchers();
    }
}
