//! One test and its server.
use super::assets::Assets;
use super::{PATIENCE, Tap, Who, eventually, namespace, within};
use futures_util::FutureExt;
use pintle::api::core_v1::{Namespace, ServiceAccount};
use pintle::apiserver::User;
use pintle::client::{Identity, Pem, Transport};
use pintle::{ApiServer, Client, Config, Error, Kubeconfig, LoadOptions};
use std::collections::HashMap;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{RwLock, RwLockReadGuard};

/// What a test comes to.
pub(crate) type Done = Result<(), Error>;

/// Held while a test relies on history that a compaction would take from it. Real servers are
/// shared by the tests.
static HISTORY: RwLock<()> = RwLock::const_new(());

/// Tokens of the embedded server.
const ADMIN_TOKEN: &str = "the-token-of-the-admin";
const JOE_TOKEN: &str = "the-token-of-joe";

/// A test on its server.
pub(crate) struct Test {
    name: String,
    server: Server,
    client: Client,
    namespaces: Mutex<Vec<String>>,
}

enum Server {
    Embedded(Box<ApiServer>),
    Real(&'static Real),
}

/// A server that all tests of this process share.
pub(super) struct Real {
    label: &'static str,
    kubeconfigs: HashMap<Who, PathBuf>,
    compaction: Compaction,
    controllers: bool,
}

enum Compaction {
    None,
    /// Its watch cache hides compactions; a second run, on one without, shows them.
    Hidden,
    /// The control plane's program, and its folder.
    Program(PathBuf, PathBuf),
    Assets(&'static Assets),
}

/// Runs a test: starts its server, ends it after success and failure alike.
pub(crate) async fn run(body: impl AsyncFnOnce(&Test) -> Done) -> Done {
    let test = Test::start().await?;
    let all = tokio::time::timeout(6 * PATIENCE, body(&test));
    let result = AssertUnwindSafe(all).catch_unwind().await;
    test.stop().await;
    match result {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(Error::timeout(format!("the test took longer than {:?}", 6 * PATIENCE))),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The shared server that the environment names.
fn real() -> Result<Option<&'static Real>, Error> {
    static REAL: OnceLock<Result<Option<Real>, String>> = OnceLock::new();
    match REAL.get_or_init(|| Real::find().map_err(|e| e.to_string())) {
        Ok(real) => Ok(real.as_ref()),
        Err(message) => Err(Error::other(message.as_str())),
    }
}

impl Real {
    fn find() -> Result<Option<Real>, Error> {
        if let Some(dir) = variable("PINTLE_E2E_CONTROL_PLANE") {
            return Real::control_plane(Path::new(&dir)).map(Some);
        }
        if variable("PINTLE_E2E_ASSETS").is_some() {
            let assets: &'static Assets = Box::leak(Box::new(Assets::start()?));
            return Ok(Some(Real {
                label: "KUBEBUILDER_ASSETS",
                kubeconfigs: assets.kubeconfigs.clone(),
                compaction: Compaction::Assets(assets),
                controllers: false,
            }));
        }
        Ok(variable("PINTLE_E2E_KUBECONFIG").map(|file| Real {
            label: "the cluster",
            kubeconfigs: HashMap::from([(Who::Admin, file.into())]),
            compaction: Compaction::None,
            controllers: true,
        }))
    }

    fn control_plane(dir: &Path) -> Result<Real, Error> {
        let file = dir.join("control-plane.json");
        let fail = |e: &dyn std::fmt::Display| Error::config(format!("{}: {e}", file.display()));
        let text = std::fs::read(&file).map_err(|e| fail(&e))?;
        let facts: serde_json::Value = serde_json::from_slice(&text).map_err(|e| fail(&e))?;
        let mut kubeconfigs = HashMap::new();
        for who in Who::ALL {
            let path = facts["kubeconfigs"][who.key()].as_str();
            let path = path.ok_or_else(|| fail(&format!("no kubeconfig for {}", who.key())))?;
            kubeconfigs.insert(who, path.into());
        }
        let program = variable("PINTLE_CONTROL_PLANE")
            .ok_or_else(|| Error::config("PINTLE_CONTROL_PLANE is not set: name the program"))?;
        let alone = variable("PINTLE_E2E_ALONE").is_some();
        let compaction = match variable("PINTLE_E2E_WATCH_CACHE") {
            Some(_) if !alone => Compaction::Hidden,
            _ => Compaction::Program(program.into(), dir.to_owned()),
        };
        Ok(Real { label: "the control plane", kubeconfigs, compaction, controllers: true })
    }
}

impl Test {
    async fn start() -> Result<Test, Error> {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("test").to_owned();
        let server = match real()? {
            Some(real) => Server::Real(real),
            None => Server::Embedded(Box::new(
                ApiServer::builder()
                    .token(ADMIN_TOKEN, User::new("token-admin", ["system:masters"]))
                    .token(JOE_TOKEN, User::new("token-joe", Vec::<String>::new()))
                    .listen()
                    .start()
                    .await?,
            )),
        };
        let client = match &server {
            Server::Embedded(server) => Client::from_service(server.service(), "default"),
            Server::Real(real) => {
                Client::load(&LoadOptions::file(&real.kubeconfigs[&Who::Admin])).await?
            }
        };
        Ok(Test { name, server, client, namespaces: Mutex::default() })
    }

    async fn stop(self) {
        // The other servers end with their data.
        if self.label() == "the cluster" {
            let namespaces = self.namespaces.into_inner().unwrap_or_default();
            for name in namespaces {
                if let Err(e) = self.client.all::<Namespace>().delete(&name).await
                    && !e.is_not_found()
                {
                    say(&format!("namespace {name} is left behind: {e}"));
                }
            }
        }
        if let Server::Embedded(server) = self.server {
            server.shutdown().await;
        }
    }

    fn label(&self) -> &'static str {
        match &self.server {
            Server::Embedded(_) => "the embedded server",
            Server::Real(real) => real.label,
        }
    }

    /// Whether it runs on the embedded server.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.server, Server::Embedded(_))
    }

    /// Whether owners, namespaces and Deployments are cared for.
    pub(crate) fn has_controllers(&self) -> bool {
        match &self.server {
            Server::Embedded(_) => true,
            Server::Real(real) => real.controllers,
        }
    }

    /// A client that may do everything: in process on the embedded server, over TLS otherwise.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The same, through a tap.
    pub(crate) fn tapped(&self) -> Result<(Client, Tap), Error> {
        match &self.server {
            Server::Embedded(server) => {
                let tap = Tap::new(server.service());
                Ok((Client::from_service(tap.clone(), "default"), tap))
            }
            Server::Real(_) => self.tapped_with(&self.config(Who::Admin)?.expect("the admin's")),
        }
    }

    /// A client for a configuration, through a tap.
    pub(crate) fn tapped_with(&self, config: &Config) -> Result<(Client, Tap), Error> {
        let tap = Tap::new(Transport::new(config)?);
        Ok((Client::with_service(config, tap.clone())?, tap))
    }

    /// The configuration of a user, over TLS; `None`, and a word about it, where the server knows
    /// no such user.
    pub(crate) fn config(&self, who: Who) -> Result<Option<Config>, Error> {
        let server = match &self.server {
            Server::Real(real) => return self.config_of(real, who),
            Server::Embedded(server) => server,
        };
        let text = match who {
            Who::Admin | Who::AdminFiles | Who::Anonymous => server.kubeconfig()?,
            Who::AdminToken => server.kubeconfig_with_token(ADMIN_TOKEN)?,
            Who::Jane => server.kubeconfig_for(&User::new("jane", Vec::<String>::new()))?,
            Who::JoeToken => server.kubeconfig_with_token(JOE_TOKEN)?,
        };
        let kubeconfig = Kubeconfig::parse(&text, "kubeconfig")?;
        let mut config = Config::from_kubeconfig(&kubeconfig, &LoadOptions::default())?;
        match who {
            Who::Anonymous => config.tls.identity = None,
            Who::AdminFiles => {
                let folder = self.folder()?;
                let Some(Identity { certificate, key }) = config.tls.identity.take() else {
                    return Err(Error::config("the admin has no certificate"));
                };
                let put = |name: &str, pem: Pem| match pem {
                    Pem::Data(text) => {
                        let file = folder.join(name);
                        std::fs::write(&file, text.expose())
                            .map_err(|e| Error::other(format!("{}: {e}", file.display())))?;
                        Ok::<_, Error>(Pem::File(file))
                    }
                    file => Ok(file),
                };
                let certificate = put("client.crt", certificate)?;
                let key = put("client.key", key)?;
                config.tls.identity = Some(Identity { certificate, key });
            }
            _ => {}
        }
        Ok(Some(config))
    }

    fn config_of(&self, real: &Real, who: Who) -> Result<Option<Config>, Error> {
        if let Some(file) = real.kubeconfigs.get(&who) {
            return Config::load(&LoadOptions::file(file)).map(Some);
        }
        let mut config = Config::load(&LoadOptions::file(&real.kubeconfigs[&Who::Admin]))?;
        match who {
            Who::Jane => config.impersonate.user = "jane".into(),
            Who::Anonymous => {
                config.tls.identity = None;
                config.credentials = Default::default();
            }
            _ => {
                self.leave_out(&format!("the user {}: only the admin is known", who.key()));
                return Ok(None);
            }
        }
        Ok(Some(config))
    }

    /// A client of a user; see [`config`](Self::config).
    pub(crate) fn client_of(&self, who: Who) -> Result<Option<Client>, Error> {
        self.config(who)?.map(|config| Client::new(&config)).transpose()
    }

    /// A namespace that nobody else uses.
    pub(crate) async fn namespace(&self) -> Result<String, Error> {
        let name = self.unique();
        self.namespaces.lock().unwrap().push(name.clone());
        self.client.all::<Namespace>().create(&namespace(&name)).await?;
        Ok(name)
    }

    /// A namespace that nobody else uses and in which Pods can be created.
    pub(crate) async fn namespace_for_pods(&self) -> Result<String, Error> {
        let name = self.namespace().await?;
        if self.has_controllers() && !self.is_embedded() {
            let accounts = self.client.namespaced::<ServiceAccount>(&name);
            eventually("the default service account is made", async || {
                match accounts.get("default").await {
                    Err(e) if e.is_not_found() => Ok(false),
                    other => other.map(|_| true),
                }
            })
            .await?;
        }
        Ok(name)
    }

    /// A name that nobody else uses.
    pub(crate) fn unique(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let own = self.name.rsplit("::").next().unwrap_or_default().replace('_', "-");
        let own: String = own.chars().take(36).collect();
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("e2e-{}-{:x}-{n}", own.trim_matches('-'), now.as_millis() & 0xFFF_FFFF)
    }

    /// A folder of this test's own.
    pub(crate) fn folder(&self) -> Result<PathBuf, Error> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.unique());
        std::fs::create_dir_all(&folder)
            .map_err(|e| Error::other(format!("{}: {e}", folder.display())))?;
        Ok(folder)
    }

    /// While the answer is kept, no other test compacts the server that both use. Not to be asked
    /// for twice at a time: a compaction that waits in between would wait for ever.
    pub(crate) async fn keep_history(&self) -> Option<RwLockReadGuard<'static, ()>> {
        if self.is_embedded() { None } else { Some(HISTORY.read().await) }
    }

    /// Makes the server forget all history; whether it did. Must not be called while this test
    /// itself keeps history.
    pub(crate) async fn compact(&self) -> Result<bool, Error> {
        let real = match &self.server {
            Server::Embedded(server) => {
                // As on the others, something is written first.
                self.client.all::<Namespace>().create(&namespace(&self.unique())).await?;
                server.faults().compact()?;
                return Ok(true);
            }
            Server::Real(real) => real,
        };
        let _alone = HISTORY.write().await;
        match &real.compaction {
            Compaction::None => {
                self.leave_out("what needs a compaction of etcd");
                Ok(false)
            }
            Compaction::Hidden => {
                say(&format!("{}: compaction is for the run without a watch cache", self.name));
                Ok(false)
            }
            Compaction::Assets(assets) => assets.compact().await.map(|()| true),
            Compaction::Program(program, dir) => {
                control(program, "compact", dir).await.map(|()| true)
            }
        }
    }

    /// Restarts the server; whether it did. Open watches end, and for a moment nobody answers.
    pub(crate) async fn restart(&self) -> Result<bool, Error> {
        match &self.server {
            Server::Embedded(server) => {
                server.faults().drop_watches();
                Ok(true)
            }
            Server::Real(Real { compaction: Compaction::Program(program, dir), .. })
                if variable("PINTLE_E2E_ALONE").is_some() =>
            {
                control(program, "restart", dir).await.map(|()| true)
            }
            Server::Real(_) => {
                say(&format!("{}: a restart is for a run with no other tests", self.name));
                Ok(false)
            }
        }
    }

    /// Says that a part of the test is left out here. With the control plane in CI that fails.
    pub(crate) fn leave_out(&self, what: &str) {
        say(&format!("LEFT OUT on {}: {}: {what}", self.label(), self.name));
        let strict = self.label() == "the control plane" && variable("CI").is_some();
        assert!(!strict, "nothing is left out in CI: {what}");
    }

    /// The value, where the server has what was asked for. The embedded server may say, clearly,
    /// that it does not: that is checked, and told.
    #[track_caller]
    pub(crate) fn if_there<R: std::fmt::Debug>(
        &self,
        what: &str,
        result: Result<R, Error>,
    ) -> Result<Option<R>, Error> {
        if !self.is_embedded() {
            return result.map(Some);
        }
        match result {
            Ok(value) => Ok(Some(value)),
            Err(e) if e.code() == Some(501) => {
                let message = format!("{what} is not implemented by the embedded API server");
                super::refusal::<R>(Err(e)).is(501, "NotImplemented", &message);
                static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
                let mut told = TOLD.lock().unwrap();
                if !told.iter().any(|t| t == what) {
                    told.push(what.to_owned());
                    say(&format!("NOT THERE on the embedded server, and it says so: {what}"));
                }
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
}

/// Has the control plane's program do something to the one in a folder.
async fn control(program: &Path, what: &str, dir: &Path) -> Result<(), Error> {
    let ran = tokio::process::Command::new(program).arg(what).arg("--dir").arg(dir).output();
    let out = within(what, ran).await?;
    let out = out.map_err(|e| Error::other(format!("{}: {e}", program.display())))?;
    if out.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&out.stderr);
    Err(Error::other(format!("{what}: {}: {text}", out.status)))
}

/// Writes a line past libtest's capture, which hides what passing tests print.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs a task until it is told to stop.
pub(crate) struct Task<R> {
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<R>,
}

impl<R: Send + 'static> Task<R> {
    /// Starts what `start` makes of the future that completes when the task shall end.
    pub(crate) fn spawn<F>(start: impl FnOnce(BoxStop) -> F) -> Self
    where
        F: Future<Output = R> + Send + 'static,
    {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let until: BoxStop = Box::pin(async {
            let _ = stopped.await;
        });
        Task { stop, task: tokio::spawn(start(until)) }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(self) -> Result<R, Error> {
        let _ = self.stop.send(());
        let limit = Duration::from_secs(10);
        match tokio::time::timeout(limit, self.task).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(e)) => Err(Error::other(format!("a task failed: {e}"))),
            Err(_) => Err(Error::timeout(format!("a task did not stop within {limit:?}"))),
        }
    }
}

/// Completes when a task shall end.
pub(crate) type BoxStop = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
