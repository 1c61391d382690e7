//! The kubeconfig file as data: clusters, users, contexts (Go: `clientcmd/api`, `clientcmd/api/v1`).

use super::Secret;
use super::yaml::{Complaint, Fields, Node, UnknownField};
use crate::exec::{Exec, Interactive};
use pintle_apimachinery::yaml;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One kubeconfig file, or several merged.
///
/// Entries are kept by name, as Go's internal form does. Unknown fields are never an error; they
/// are listed in [`unknown_fields`](Self::unknown_fields).
///
/// ```
/// use pintle_client::Kubeconfig;
///
/// let kubeconfig = Kubeconfig::parse(
///     "
/// clusters: [{name: dev, cluster: {server: 'https://127.0.0.1:6443'}}]
/// contexts: [{name: dev, context: {cluster: dev, namespace: team-a}}]
/// current-context: dev
/// ",
///     "example.yaml",
/// )?;
/// assert_eq!(kubeconfig.contexts["dev"].namespace, "team-a");
/// # Ok::<(), pintle_client::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Kubeconfig {
    /// The context used when none is asked for.
    pub current_context: String,
    /// Clusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Users by name (Go: `AuthInfos`).
    pub users: BTreeMap<String, User>,
    /// Contexts by name.
    pub contexts: BTreeMap<String, Context>,
    /// Fields that were not understood and therefore have no effect.
    pub unknown_fields: Vec<UnknownField>,
    /// The files this came from, for messages.
    pub files: Vec<PathBuf>,
}

/// How to reach a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Cluster {
    /// The API server's address, `https://host:port/path`.
    pub server: String,
    /// The name to check the server's certificate for, in place of the host of `server`.
    pub tls_server_name: String,
    /// Accept any server certificate.
    pub insecure_skip_tls_verify: bool,
    /// A PEM file of certificate authorities.
    pub certificate_authority: Option<PathBuf>,
    /// PEM bytes of certificate authorities; not both this and the file.
    pub certificate_authority_data: Vec<u8>,
    /// The proxy to use for this cluster, in place of the environment's.
    pub proxy_url: String,
    /// What exec plugins are told about this cluster beside the above: the extension
    /// `client.authentication.k8s.io/exec`.
    pub exec_extension: Option<serde_json::Value>,
    /// The file that defined this entry.
    pub origin: PathBuf,
}

/// Who one is on a cluster (Go: `AuthInfo`).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// A PEM file of the client certificate and its chain.
    pub client_certificate: Option<PathBuf>,
    /// PEM bytes of the client certificate and its chain.
    pub client_certificate_data: Vec<u8>,
    /// A PEM file of the client's private key.
    pub client_key: Option<PathBuf>,
    /// PEM bytes of the client's private key.
    pub client_key_data: Secret<Vec<u8>>,
    /// A bearer token.
    pub token: Secret,
    /// A file that holds a bearer token; wins over `token`.
    pub token_file: Option<PathBuf>,
    /// User name of basic authentication.
    pub username: String,
    /// Password of basic authentication.
    pub password: Secret,
    /// The user to act as (`as`).
    pub impersonate: String,
    /// The UID to act as (`as-uid`).
    pub impersonate_uid: String,
    /// The groups to act as (`as-groups`).
    pub impersonate_groups: Vec<String>,
    /// Further facts to act with (`as-user-extra`).
    pub impersonate_extra: BTreeMap<String, Vec<String>>,
    /// A program that gives credentials. What it is told about the cluster is added when the
    /// configuration is made.
    pub exec: Option<Exec>,
    /// Whether `exec` wants to know about the cluster.
    pub exec_wants_cluster: bool,
    /// The name of an auth provider (removed from Kubernetes), when there is one.
    pub auth_provider: Option<String>,
    /// The file that defined this entry.
    pub origin: PathBuf,
}

/// A user on a cluster, with a namespace to start in.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Context {
    /// Name of a cluster.
    pub cluster: String,
    /// Name of a user; empty for none.
    pub user: String,
    /// Namespace used where a request names none; empty means `default`.
    pub namespace: String,
    /// The file that defined this entry.
    pub origin: PathBuf,
}

impl Kubeconfig {
    /// Reads kubeconfig text. `file` is used in messages and to resolve relative paths.
    ///
    /// # Errors
    /// Text that is not YAML, or whose structure is not a kubeconfig's; the message names the file
    /// and the field (or line).
    pub fn parse(text: &str, file: impl AsRef<Path>) -> Result<Self, crate::Error> {
        let file = file.as_ref();
        parse_text(text, file).map_err(|complaint| {
            crate::error::config(format!("kubeconfig {}: {complaint}", file.display()))
        })
    }

    /// Reads one file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`parse`](Self::parse).
    pub fn read(file: impl AsRef<Path>) -> Result<Self, crate::Error> {
        let file = file.as_ref();
        let bytes = std::fs::read(file).map_err(|e| {
            crate::error::config(format!("kubeconfig {}: cannot be read: {e}", file.display()))
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            crate::error::config(format!(
                "kubeconfig {}: is not UTF-8 (byte {})",
                file.display(),
                e.valid_up_to()
            ))
        })?;
        Self::parse(text, file)
    }

    /// Adds what another file defines and this one does not: whoever comes first wins, and an
    /// entry is taken whole or not at all.
    pub fn merge(&mut self, later: Self) {
        if self.current_context.is_empty() {
            self.current_context = later.current_context;
        }
        for (name, cluster) in later.clusters {
            self.clusters.entry(name).or_insert(cluster);
        }
        for (name, user) in later.users {
            self.users.entry(name).or_insert(user);
        }
        for (name, context) in later.contexts {
            self.contexts.entry(name).or_insert(context);
        }
        self.unknown_fields.extend(later.unknown_fields);
        self.files.extend(later.files);
    }

    /// Whether it defines nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current_context.is_empty()
            && self.clusters.is_empty()
            && self.users.is_empty()
            && self.contexts.is_empty()
    }
}

fn parse_text(text: &str, file: &Path) -> Result<Kubeconfig, Complaint> {
    let (value, twice) =
        yaml::parse_strict(text.as_bytes()).map_err(|e| format!("is not YAML: {e}"))?;
    if let Some(twice) = twice {
        return Err(format!("is not YAML: {twice}"));
    }
    let mut unknown = Vec::new();
    let mut top = Node::root(&value).fields()?;
    for (field, expected) in [("apiVersion", "v1"), ("kind", "Config")] {
        let found = top.string(field)?;
        if !found.is_empty() && found != expected {
            return Err(format!("{field} is {found:?}; a kubeconfig's is {expected:?}"));
        }
    }
    // Known, without effect on a client.
    let _ = (top.get("preferences"), top.get("extensions"));
    let reader = Reader { dir: file.parent().map(Path::to_owned).unwrap_or_default(), file };
    let kubeconfig = Kubeconfig {
        current_context: top.string("current-context")?,
        clusters: named(&mut top, "clusters", "cluster", &mut unknown, |f, _| reader.cluster(f))?,
        users: named(&mut top, "users", "user", &mut unknown, |f, u| reader.user(f, u))?,
        contexts: named(&mut top, "contexts", "context", &mut unknown, |f, _| reader.context(f))?,
        unknown_fields: Vec::new(),
        files: vec![file.to_owned()],
    };
    top.finish(&mut unknown);
    Ok(Kubeconfig { unknown_fields: unknown, ..kubeconfig })
}

/// A list of `{name: ..., <inner>: {...}}`.
fn named<T>(
    top: &mut Fields<'_>,
    list: &'static str,
    inner: &'static str,
    unknown: &mut Vec<UnknownField>,
    mut read: impl FnMut(&mut Fields<'_>, &mut Vec<UnknownField>) -> Result<T, Complaint>,
) -> Result<BTreeMap<String, T>, Complaint> {
    let mut out = BTreeMap::new();
    let Some(node) = top.get(list) else { return Ok(out) };
    for item in node.items()? {
        let mut entry = item.fields()?;
        let name = entry.string("name")?;
        if name.is_empty() {
            return Err(format!("{} has no name", item.path()));
        }
        let value = match entry.get(inner) {
            Some(node) => {
                let mut fields = node.fields()?;
                let value = read(&mut fields, unknown)?;
                fields.finish(unknown);
                value
            }
            None => {
                let empty = Value::Null;
                let mut fields = Node::root(&empty).fields()?;
                read(&mut fields, unknown)?
            }
        };
        entry.finish(unknown);
        if out.insert(name.clone(), value).is_some() {
            return Err(format!("{} is the second of the name {name:?}", item.path()));
        }
    }
    Ok(out)
}

struct Reader<'a> {
    dir: PathBuf,
    file: &'a Path,
}

impl Reader<'_> {
    /// A path in the file is relative to the file.
    fn path(
        &self,
        fields: &mut Fields<'_>,
        name: &'static str,
    ) -> Result<Option<PathBuf>, Complaint> {
        let text = fields.string(name)?;
        Ok((!text.is_empty()).then(|| self.dir.join(text)))
    }

    fn cluster(&self, f: &mut Fields<'_>) -> Result<Cluster, Complaint> {
        // Known, without effect here: bodies are never compressed.
        let _ = f.get("disable-compression");
        Ok(Cluster {
            exec_extension: exec_extension(f)?,
            server: f.string("server")?,
            tls_server_name: f.string("tls-server-name")?,
            insecure_skip_tls_verify: f.boolean("insecure-skip-tls-verify")?,
            certificate_authority: self.path(f, "certificate-authority")?,
            certificate_authority_data: f.bytes("certificate-authority-data")?,
            proxy_url: f.string("proxy-url")?,
            origin: self.file.to_owned(),
        })
    }

    fn user(&self, f: &mut Fields<'_>, unknown: &mut Vec<UnknownField>) -> Result<User, Complaint> {
        let _ = f.get("extensions");
        let mut impersonate_extra = BTreeMap::new();
        if let Some(node) = f.get("as-user-extra") {
            for (key, values) in node.fields()?.entries() {
                let values = values.items()?.iter().map(Node::string).collect::<Result<_, _>>()?;
                impersonate_extra.insert(key, values);
            }
        }
        Ok(User {
            client_certificate: self.path(f, "client-certificate")?,
            client_certificate_data: f.bytes("client-certificate-data")?,
            client_key: self.path(f, "client-key")?,
            client_key_data: Secret::new(f.bytes("client-key-data")?),
            token: Secret::new(f.string("token")?),
            token_file: self.path(f, "tokenFile")?,
            username: f.string("username")?,
            password: Secret::new(f.string("password")?),
            impersonate: f.string("as")?,
            impersonate_uid: f.string("as-uid")?,
            impersonate_groups: f.strings("as-groups")?,
            impersonate_extra,
            exec_wants_cluster: match f.get("exec") {
                Some(node) => node.fields()?.boolean("provideClusterInfo")?,
                None => false,
            },
            exec: f.get("exec").map(|node| self.exec(&node, unknown)).transpose()?,
            auth_provider: f
                .get("auth-provider")
                .map(|n| n.fields()?.string("name"))
                .transpose()?,
            origin: self.file.to_owned(),
        })
    }

    fn exec(&self, node: &Node<'_>, unknown: &mut Vec<UnknownField>) -> Result<Exec, Complaint> {
        let mut f = node.fields()?;
        let _ = f.get("provideClusterInfo");
        let command = f.string("command")?;
        // As for other paths; a bare name is looked up in PATH.
        let command = if command.contains(std::path::is_separator) {
            self.dir.join(command).to_string_lossy().into_owned()
        } else {
            command
        };
        let mut env = Vec::new();
        if let Some(list) = f.get("env") {
            for item in list.items()? {
                let mut item = item.fields()?;
                env.push((item.string("name")?, Secret::new(item.string("value")?)));
                item.finish(unknown);
            }
        }
        let interactive = match &*f.string("interactiveMode")? {
            "" | "IfAvailable" => Interactive::IfAvailable,
            "Never" => Interactive::Never,
            "Always" => Interactive::Always,
            other => {
                return Err(format!(
                    "{} is {other:?}; it must be Never, IfAvailable or Always",
                    f.path_of("interactiveMode")
                ));
            }
        };
        let exec = Exec {
            api_version: f.string("apiVersion")?,
            command,
            args: f.strings("args")?,
            env,
            install_hint: f.string("installHint")?,
            interactive,
            cluster: None,
        };
        f.finish(unknown);
        Ok(exec)
    }

    fn context(&self, f: &mut Fields<'_>) -> Result<Context, Complaint> {
        let _ = f.get("extensions");
        Ok(Context {
            cluster: f.string("cluster")?,
            user: f.string("user")?,
            namespace: f.string("namespace")?,
            origin: self.file.to_owned(),
        })
    }
}

/// The extension of a cluster that is meant for exec plugins.
fn exec_extension(f: &mut Fields<'_>) -> Result<Option<serde_json::Value>, Complaint> {
    let Some(list) = f.get("extensions") else { return Ok(None) };
    for item in list.items()? {
        let mut item = item.fields()?;
        if item.string("name")? == "client.authentication.k8s.io/exec"
            && let Some(extension) = item.get("extension")
        {
            return Ok(Some(extension.json()));
        }
    }
    Ok(None)
}
