//! Clients that follow the ConfigMaps of a namespace: our informer in this process, and programs
//! that speak in lines of JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use pintle::api::core_v1::ConfigMap;
use pintle::{
    ApiServer, Client, Config, HandlerFuncs, InformerFactory, InformerScope, Lister, LoadOptions,
    Object, Registration, Tombstone,
};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What a client has, and what it was told.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Told {
    pub(crate) synced: bool,
    /// Names and versions.
    pub(crate) objects: BTreeMap<String, String>,
    /// Additions and updates.
    #[serde(default)]
    pub(crate) applied: usize,
    #[serde(default)]
    added: usize,
    #[serde(default)]
    updated: usize,
    pub(crate) deleted: usize,
    /// What it was told that cannot be.
    pub(crate) wrong: Vec<String>,
}

pub(crate) struct Follower {
    pub(crate) name: &'static str,
    who: Who,
}

enum Who {
    Own(Box<Own>),
    Program(Box<Program>),
}

struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    initial: usize,
}

struct Own {
    told: Arc<Mutex<Told>>,
    lister: Lister<ConfigMap>,
    handler: Registration,
    _factory: InformerFactory<Client>,
    /// Where the programs find the server.
    kubeconfig: PathBuf,
}

/// Our informer, and the programs that the environment names.
pub(crate) fn all(
    server: &ApiServer,
    namespace: &str,
) -> Result<Vec<Follower>, Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("pintle-clients-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let kubeconfig = folder.join("kubeconfig");
    std::fs::write(&kubeconfig, server.kubeconfig()?)?;
    let mut followers = Vec::new();
    for (name, variable, arguments, initial) in [
        ("client-go's informer", "PINTLE_CLIENT_GO", &["follow"][..], 1),
        ("kube-rs' reflector", "PINTLE_KUBE_RS", &[], 0),
    ] {
        let Some(program) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
            eprintln!("SKIPPED: {name}: run `cargo xtask conformance clients`");
            continue;
        };
        let mut child = Command::new(program)
            .args(arguments)
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["--namespace", namespace])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // They tell there of every fault they meet.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let (input, lines) = (child.stdin.take(), BufReader::new(output).lines());
        let who = Who::Program(Box::new(Program { child, input, lines, initial }));
        followers.push(Follower { name, who });
    }
    let who = Who::Own(Box::new(Own::start(kubeconfig, namespace)?));
    followers.push(Follower { name: "our informer", who });
    Ok(followers)
}

impl Own {
    fn start(kubeconfig: PathBuf, namespace: &str) -> Result<Own, Box<dyn std::error::Error>> {
        let client = Client::new(&Config::load(&LoadOptions::file(&kubeconfig))?)?;
        let factory = InformerFactory::new(client);
        let informer =
            factory.informer::<ConfigMap>(InformerScope::namespace(namespace), Default::default());
        let told = Arc::new(Mutex::new(Told::default()));
        let (added, updated, deleted) = (told.clone(), told.clone(), told.clone());
        let handler = HandlerFuncs::new()
            .on_add(move |map: Arc<ConfigMap>, _| added.lock().unwrap().set(&map, None))
            .on_update(move |old: Arc<ConfigMap>, map: Arc<ConfigMap>| {
                updated.lock().unwrap().set(&map, Some(&old));
            })
            .on_delete(move |gone: Tombstone<ConfigMap>| {
                let mut told = deleted.lock().unwrap();
                told.deleted += 1;
                if told.objects.remove(&*gone.key().name).is_none() {
                    told.wrong.push(format!("{} deleted, not known", gone.key()));
                }
            });
        let handler = informer.add_handler(handler)?;
        informer.start();
        let lister = informer.lister();
        Ok(Own { told, lister, handler, _factory: factory, kubeconfig })
    }

    fn told(&self) -> Told {
        let mut told = self.told.lock().unwrap().clone();
        told.synced = self.handler.is_synced();
        // What the handlers were told and what the lister shows may differ for a moment only, so
        // both must agree with the server.
        let shown: BTreeMap<String, String> = self
            .lister
            .list()
            .iter()
            .map(|map| (map.name().to_owned(), map.resource_version().to_owned()))
            .collect();
        if shown != told.objects {
            told.synced = false;
            told.objects.clear();
        }
        told
    }
}

impl Told {
    fn set(&mut self, map: &ConfigMap, old: Option<&ConfigMap>) {
        let (name, version) = (map.name().to_owned(), map.resource_version().to_owned());
        let number = |version: &str| version.parse::<u64>().unwrap_or(0);
        if old.is_none_or(|old| old.resource_version() != version) {
            self.applied += 1;
        }
        let known = self.objects.insert(name.clone(), version.clone());
        let before = old.map(|old| old.resource_version().to_owned());
        if known != before {
            self.wrong.push(format!("{name} comes from {before:?}, known at {known:?}"));
        }
        if before.is_some_and(|before| number(&before) > number(&version)) {
            self.wrong.push(format!("{name} went back to {version}"));
        }
    }
}

impl Follower {
    /// 1 if what there was at the start counts among what was added.
    pub(crate) fn counts_initial(&self) -> usize {
        match &self.who {
            Who::Own(_) => 1,
            Who::Program(program) => program.initial,
        }
    }

    pub(crate) async fn told(&mut self) -> Result<Told, String> {
        let Program { input, lines, .. } = match &mut self.who {
            Who::Own(own) => return Ok(own.told()),
            Who::Program(program) => &mut **program,
        };
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", self.name);
        let input = input.as_mut().ok_or("it was stopped")?;
        input.write_all(b"state\n").await.map_err(|error| failed(&error))?;
        input.flush().await.map_err(|error| failed(&error))?;
        let line = lines.next_line().await.map_err(|error| failed(&error))?;
        let line = line.ok_or_else(|| failed(&"it ended"))?;
        let mut told: Told = serde_json::from_str(&line).map_err(|error| failed(&error))?;
        told.applied += told.added + told.updated;
        Ok(told)
    }

    pub(crate) async fn stop(self) -> Result<(), Box<dyn std::error::Error>> {
        match self.who {
            Who::Own(own) => {
                if let Some(folder) = own.kubeconfig.parent() {
                    std::fs::remove_dir_all(folder)?;
                }
            }
            Who::Program(mut program) => {
                drop(program.input.take());
                let status = program.child.wait().await?;
                if !status.success() {
                    return Err(format!("{} ended with {status}", self.name).into());
                }
            }
        }
        Ok(())
    }
}
