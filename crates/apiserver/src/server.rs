//! Starting and stopping the server.
//!
//! Go counterpart: `cmd/kube-apiserver/app` and, for tests, `cmd/kube-apiserver/app/testing`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pintle_apimachinery::{CustomResource, Error, Time};

use crate::auth::{Auth, Mode, PrivateKey, User, public_keys};
use crate::core::{Clock, Core, Settings};
use crate::handlers::namespaces::create_initial;
use crate::listen::{Listener, Serving};
use crate::service::Service;
use crate::storage::{Storage, StorageError};
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
    identity: Option<(String, String)>,
    client_ca: Option<String>,
    crds: Vec<Crd>,
    off: Vec<[String; 3]>,
    snapshot: Option<Vec<u8>>,
    controllers: crate::Controllers,
    manual: Option<crate::testing::Clock>,
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
            auth: Auth::default(),
            clock: Arc::new(Time::now),
            settings: Settings::default(),
            seed: None,
            listen: None,
            identity: None,
            client_ca: None,
            crds: Vec::new(),
            off: Vec::new(),
            snapshot: None,
            controllers: crate::Controllers::all(),
            manual: None,
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
        self.auth.mode = if allow { Mode::AlwaysAllow } else { Mode::Rbac };
        self
    }

    /// Refuses everything to everybody but members of `system:masters`, even what every cluster
    /// allows everybody. Go: `--authorization-mode=AlwaysDeny`.
    pub fn deny_all(mut self) -> Self {
        self.auth.mode = Mode::AlwaysDeny;
        self
    }

    /// Who issues tokens of ServiceAccounts: a URL. The first of several calls names the issuer,
    /// others are accepted, too. Go: `--service-account-issuer`.
    pub fn service_account_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.auth.accounts.issuers.push(issuer.into());
        self
    }

    /// Signs tokens of ServiceAccounts with a private key in PEM (RSA, or ECDSA on P-256 or
    /// P-384); without, the server makes a key when it first needs one. Go:
    /// `--service-account-signing-key-file`.
    ///
    /// # Errors
    /// There is no such key in `pem` ([`Error::is_config`]).
    pub fn service_account_signing_key(mut self, pem: &str) -> Result<Self, Error> {
        self.auth.accounts.sign_with(PrivateKey::from_pem(pem)?);
        Ok(self)
    }

    /// Accepts tokens of ServiceAccounts that the private halves of these keys signed: public
    /// keys, private keys or certificates in PEM. Go: `--service-account-key-file`.
    ///
    /// # Errors
    /// There is no such key in `pem` ([`Error::is_config`]).
    pub fn service_account_keys(mut self, pem: &str) -> Result<Self, Error> {
        self.auth.accounts.keys.extend(public_keys(pem)?);
        Ok(self)
    }

    /// How long a token of a ServiceAccount may be good for at most; no bound by default. Go:
    /// `--service-account-max-token-expiration`.
    pub fn service_account_max_token_expiration(mut self, most: Duration) -> Self {
        self.auth.accounts.max_seconds = i64::try_from(most.as_secs()).ok();
        self
    }

    /// Whether tokens that kubelets request for Pods are good for a year in truth (the default).
    /// Go: `--service-account-extend-token-expiration`.
    pub fn service_account_extend_token_expiration(mut self, extend: bool) -> Self {
        self.auth.accounts.extend = extend;
        self
    }

    /// Where the keys of tokens can be read, when not from this server. Go:
    /// `--service-account-jwks-uri`.
    pub fn service_account_jwks_uri(mut self, uri: impl Into<String>) -> Self {
        self.auth.accounts.jwks_uri = Some(uri.into());
        self
    }

    /// Whom tokens are for that are for this server; the issuers by default. Go:
    /// `--api-audiences`.
    pub fn api_audiences(mut self, audiences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.auth.accounts.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Serves with this certificate chain and key, in PEM, instead of one that the server signs.
    /// [`ApiServer::ca_certificate`] and kubeconfigs then hold this chain. Go: `--tls-cert-file`
    /// and `--tls-private-key-file`.
    pub fn tls_identity(mut self, certificate: impl Into<String>, key: impl Into<String>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Turns an admission plugin on or off. Go: `--enable-admission-plugins` and
    /// `--disable-admission-plugins`. Of those that are on by default in Kubernetes, this server
    /// has [`Builder::admission_plugins`]; turning on others has no effect.
    ///
    /// `ServiceAccount` refuses Pods whose account is not there. It is on by default when the
    /// controller runs that makes the accounts ([`Builder::controllers`]).
    ///
    /// # Errors
    /// Kubernetes has no plugin of that name ([`Error::is_invalid_argument`]).
    pub fn admission_plugin(mut self, name: &str, on: bool) -> Result<Self, Error> {
        self.settings.plugins.set(name, on)?;
        Ok(self)
    }

    /// The admission plugins this server has.
    pub fn admission_plugins() -> impl Iterator<Item = &'static str> {
        crate::plugins::HERE.into_iter()
    }

    /// Authorities, in PEM, whose client certificates count, beside the server's own. Go:
    /// `--client-ca-file`.
    pub fn client_ca(mut self, pem: impl Into<String>) -> Self {
        self.client_ca = Some(pem.into());
        self
    }

    /// Where the server takes the time from that it writes into objects.
    pub fn clock(mut self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where the server takes all its time from: what it writes into objects, and when it sends
    /// bookmarks, ends watches and gives up waiting. See [`Clock`](crate::testing::Clock).
    pub fn manual_clock(mut self, clock: &crate::testing::Clock) -> Self {
        self.manual = Some(clock.clone());
        let clock = clock.clone();
        self.clock(move || clock.now())
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

    /// How long Events are kept after they were last written: an hour by default, for ever with
    /// zero. Go: `--event-ttl`.
    pub fn event_ttl(mut self, ttl: Duration) -> Self {
        self.settings.event_ttl = ttl;
        self
    }

    /// How long a request may take, watches excepted: a minute by default. Requests may ask for
    /// less (`timeout=`). Go: `--request-timeout`.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.settings.request_timeout = timeout;
        self
    }

    /// How long watches last at least that do not say for how long; half an hour by default, and
    /// at most twice that. Go: `--min-request-timeout`.
    pub fn min_request_timeout(mut self, timeout: Duration) -> Self {
        self.settings.watch_at_least = timeout;
        self
    }

    /// Where addresses of Services are taken from: a network of IPv4 such as `10.96.0.0/16`;
    /// `10.0.0.0/24` by default. Go: `--service-cluster-ip-range`.
    ///
    /// # Errors
    /// It is no network, or one too large or too small ([`Error::is_invalid_argument`]).
    pub fn service_cluster_ip_range(mut self, network: &str) -> Result<Self, Error> {
        self.settings.ranges.set_addresses(network).map_err(Error::invalid)?;
        Ok(self)
    }

    /// Where ports of nodes are taken from, from the first to the last; 30000 to 32767 by default.
    /// Go: `--service-node-port-range`.
    ///
    /// # Errors
    /// There is no port between them ([`Error::is_invalid_argument`]).
    pub fn service_node_port_range(mut self, first: u16, last: u16) -> Result<Self, Error> {
        self.settings.ranges.set_ports(first, last).map_err(Error::invalid)?;
        Ok(self)
    }

    /// Does not serve a version of a built-in group, or only not one of its resources when
    /// `resource` is not empty. Go: `--runtime-config=GROUP/VERSION=false`.
    pub fn without_api(mut self, group: &str, version: &str, resource: &str) -> Self {
        self.off.push([group.to_owned(), version.to_owned(), resource.to_owned()]);
        self
    }

    /// Starts with the objects of a server that ended: what [`ApiServer::into_snapshot`] gave.
    /// They are what they were, with their resource versions; older ones cannot be watched from.
    pub fn snapshot(mut self, snapshot: impl Into<Vec<u8>>) -> Self {
        self.snapshot = Some(snapshot.into());
        self
    }

    /// Whether a version of a built-in group is one that this server has.
    pub fn serves(group: &str, version: &str) -> bool {
        crate::registry::is_builtin(group, version)
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
        let mut settings = self.settings;
        if !self.controllers.contains("serviceaccount-controller") {
            settings.plugins.leave_out("ServiceAccount");
        }
        let mut core = Core::new(self.auth, self.clock, settings, self.seed);
        if !self.off.is_empty() {
            core.registry.leave_out(&self.off);
        }
        if let Some(clock) = self.manual {
            core.timers = crate::timers::Timers::Manual(clock);
        }
        if let Some(snapshot) = &self.snapshot {
            crate::snapshot::read(&core, snapshot)?;
        }
        create_initial(&core)
            .map_err(|error| Error::other(format!("cannot start: {}", error.message())))?;
        crate::apiservices::builtin(&core);
        let core = Arc::new(core);
        if core.registry.table().find("scheduling.k8s.io", "v1", "priorityclasses").is_some() {
            crate::bootstrap::priority_classes(&core).await?;
        }
        for crd in &self.crds {
            let served = match serve(&core, crd).await {
                // It was served when the server ended whose objects these are.
                Err(error) if error.is_already_exists() && self.snapshot.is_some() => Ok(()),
                served => served,
            };
            served.map_err(|error| error.context(format_args!("kind {}", crd.kind)))?;
        }
        let listener = match self.listen {
            Some(address) => {
                let how = Serving { address, identity: self.identity, client_ca: self.client_ca };
                Some(Listener::open(how, Service::new(Arc::clone(&core), None)).await?)
            }
            None => None,
        };
        let port = listener.as_ref().map(Listener::port);
        crate::bootstrap::kubernetes_service(&core, port).await?;
        let publish = self.controllers.contains("root-ca-certificate-publisher-controller");
        match &listener {
            Some(listener) => core.set_root_certificate(listener.ca()),
            // Nobody listens, but what is published is a certificate all the same.
            None if publish => core.set_root_certificate(crate::pki::Authority::new()?.pem()),
            None => {}
        }
        let controllers = crate::controllers::start(&core, self.controllers).await;
        Ok(ApiServer { core, controllers: Some(controllers), listener })
    }
}

/// Creates a definition as any client would.
async fn serve(core: &Arc<Core>, crd: &Crd) -> Result<(), Error> {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    crate::bootstrap::create(core, path, &(crd.json)()?).await?;
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

    /// The certificate chain and key the server serves with, in PEM.
    ///
    /// # Errors
    /// The server was started without [`Builder::listen`].
    pub fn tls_identity(&self) -> Result<(String, String), Error> {
        self.listener().map(Listener::identity)
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

    /// What is served now.
    pub(crate) fn registry(&self) -> Arc<crate::registry::Table> {
        self.core.registry.table()
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
        self.stop().await;
    }

    /// Stops the server, as [`ApiServer::shutdown`], and answers every object it had, for
    /// [`Builder::snapshot`]. It is JSON, has the Secrets as they are, and the same version of this
    /// crate reads it.
    ///
    /// # Cancel safety
    /// As [`ApiServer::shutdown`]; the objects are gone.
    pub async fn into_snapshot(mut self) -> Vec<u8> {
        self.stop().await;
        crate::snapshot::write(&self.core)
    }

    async fn stop(&mut self) {
        self.core.store.cancel_watchers(StorageError::Cancelled);
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
        self.core.store.cancel_watchers(StorageError::Cancelled);
    }
}
