//! Which files to read, and merging them (Go: `clientcmd.ClientConfigLoadingRules`,
//! `DeferredLoadingClientConfig`).

use super::{Config, Impersonate, Kubeconfig, in_cluster, resolve};
use crate::Error;
use crate::error::config as error;
use std::path::{Path, PathBuf};

/// Choices that override what the files say (Go: `clientcmd.ConfigOverrides`). Empty: no choice.
///
/// ```no_run
/// use pintle_client::{Config, LoadOptions};
///
/// let config = Config::load(&LoadOptions { context: "prod".into(), ..Default::default() })?;
/// # Ok::<(), pintle_client::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The one file to read, in place of `$KUBECONFIG` and `~/.kube/config`; must exist.
    pub kubeconfig: Option<PathBuf>,
    /// The context to use in place of `current-context`.
    pub context: String,
    /// The cluster to use in place of the context's.
    pub cluster: String,
    /// The user to be in place of the context's.
    pub user: String,
    /// The namespace in place of the context's.
    pub namespace: String,
    /// The server's address in place of the cluster's.
    pub server: String,
    /// Whom to act as in place of what the user entry says.
    pub impersonate: Impersonate,
}

impl LoadOptions {
    /// Reads this file and no other.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        LoadOptions { kubeconfig: Some(path.into()), ..Self::default() }
    }
}

/// Answers with a variable's value.
type Lookup = Box<dyn Fn(&str) -> Option<String>>;

/// What the loader takes from the process; tests give their own.
pub(crate) struct Environment {
    pub(crate) vars: Lookup,
    pub(crate) service_account: PathBuf,
}

impl Environment {
    pub(crate) fn process() -> Self {
        Environment {
            vars: Box::new(|name| std::env::var(name).ok()),
            service_account: in_cluster::FOLDER.into(),
        }
    }

    /// A variable that is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<String> {
        (self.vars)(name).filter(|value| !value.is_empty())
    }

    fn home(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.var(name).map(PathBuf::from)
    }
}

pub(super) fn load(options: &LoadOptions, env: &Environment) -> Result<Config, Error> {
    if let Some(file) = &options.kubeconfig {
        let kubeconfig = read(file)?;
        return resolve::resolve(&kubeconfig, options, env);
    }
    let (files, tried) = candidates(env);
    let mut kubeconfig = Kubeconfig::default();
    for file in &files {
        if file.exists() {
            kubeconfig.merge(read(file)?);
        } else {
            tracing::debug!(file = %file.display(), "kubeconfig does not exist, skipped");
        }
    }
    if kubeconfig.is_empty() && options.server.is_empty() {
        if in_cluster::is_possible(env) {
            let mut config = in_cluster::in_cluster(env)?;
            if !options.namespace.is_empty() {
                config.default_namespace.clone_from(&options.namespace);
            }
            if !options.impersonate.is_empty() {
                config.impersonate.clone_from(&options.impersonate);
            }
            return Ok(config);
        }
        return Err(error(format!(
            "no cluster is configured: {tried}, and this is not a pod with a service account; \
             set KUBECONFIG to a kubeconfig file"
        )));
    }
    resolve::resolve(&kubeconfig, options, env)
}

fn read(file: &Path) -> Result<Kubeconfig, Error> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let kubeconfig = Kubeconfig::read(&file)?;
    for unknown in &kubeconfig.unknown_fields {
        match unknown.resembles {
            Some(known) => tracing::warn!(
                "kubeconfig {}: {} is unknown and has no effect; was {known} meant?",
                file.display(),
                unknown.path
            ),
            None => tracing::debug!(
                "kubeconfig {}: {} is unknown and has no effect",
                file.display(),
                unknown.path
            ),
        }
    }
    Ok(kubeconfig)
}

/// The files to merge, first wins, and how to say that none of them gave anything.
fn candidates(env: &Environment) -> (Vec<PathBuf>, String) {
    if let Some(list) = env.var("KUBECONFIG") {
        let mut files: Vec<PathBuf> = Vec::new();
        for file in std::env::split_paths(&list) {
            if !file.as_os_str().is_empty() && !files.contains(&file) {
                files.push(file);
            }
        }
        return (files, format!("$KUBECONFIG is {list:?} and names no file with content"));
    }
    match env.home() {
        Some(home) => {
            let file = home.join(".kube").join("config");
            let tried = format!("$KUBECONFIG is not set, {} does not exist", file.display());
            (vec![file], tried)
        }
        None => (Vec::new(), "neither $KUBECONFIG nor a home folder is set".into()),
    }
}
