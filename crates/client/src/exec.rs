//! Credentials that a program gives: exec plugins (Go: `plugin/pkg/client/auth/exec`).

use crate::config::Secret;
use futures_util::FutureExt;
use futures_util::future::Shared;
use pintle_apimachinery::Time;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// The versions of the protocol that are spoken; they do not differ in what is used here.
const VERSIONS: [&str; 2] =
    ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// A program that prints credentials, as kubeconfig files of cloud providers name it (Go:
/// `clientcmdapi.ExecConfig`).
///
/// It is run when there is no credential yet, when the one there is expires, and when the server
/// refuses it. Tokens are supported; a program that gives a client certificate is an error.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Exec {
    /// The version of the protocol, `client.authentication.k8s.io/v1`.
    pub api_version: String,
    /// The program: a name looked up in `PATH`, or a path.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables added to its environment.
    pub env: Vec<(String, Secret)>,
    /// What to tell people who have not installed it.
    pub install_hint: String,
    /// Whether it may ask questions.
    pub interactive: Interactive,
    /// What it is told about the cluster, if it wants to know (`provideClusterInfo`).
    pub cluster: Option<Value>,
}

/// Whether a program gets the terminal to ask questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interactive {
    /// It does not ask.
    Never,
    /// It asks when there is a terminal.
    #[default]
    IfAvailable,
    /// It must ask: without a terminal it is not run.
    Always,
}

impl Exec {
    /// What is wrong with the configuration, if anything is.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.command.is_empty() {
            Some("exec has no command".into())
        } else if !VERSIONS.contains(&&*self.api_version) {
            Some(format!(
                "exec.apiVersion is {:?}; it must be one of {}",
                self.api_version,
                VERSIONS.join(", ")
            ))
        } else {
            None
        }
    }

    /// What the program is told, in `KUBERNETES_EXEC_INFO`.
    fn info(&self, interactive: bool) -> String {
        let mut spec = json!({ "interactive": interactive });
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        json!({"kind": "ExecCredential", "apiVersion": self.api_version, "spec": spec}).to_string()
    }

    /// Runs the program to its end.
    fn run(&self) -> Result<Credential, String> {
        let name = format!("exec plugin {:?}", self.command);
        let terminal = std::io::stdin().is_terminal();
        let interactive = match self.interactive {
            Interactive::Never => false,
            Interactive::IfAvailable => terminal,
            Interactive::Always if terminal => true,
            Interactive::Always => {
                return Err(format!("{name} must ask questions, but there is no terminal"));
            }
        };
        let output = Command::new(&self.command)
            .args(&self.args)
            .envs(self.env.iter().map(|(key, value)| (key, value.expose())))
            .env("KUBERNETES_EXEC_INFO", self.info(interactive))
            .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            // Prompts and complaints are for the user.
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| {
                let hint = self.install_hint.trim();
                if e.kind() == std::io::ErrorKind::NotFound && !hint.is_empty() {
                    format!("{name} is not installed: {hint}")
                } else {
                    format!("{name} cannot be run: {e}")
                }
            })?;
        if !output.status.success() {
            return Err(format!("{name} failed: {}", output.status));
        }
        parse(&self.api_version, &output.stdout).map_err(|complaint| format!("{name} {complaint}"))
    }
}

#[derive(Debug, PartialEq)]
struct Credential {
    token: Secret,
    expires: Option<Time>,
}

/// Reads an `ExecCredential`. Complaints never quote it.
fn parse(api_version: &str, output: &[u8]) -> Result<Credential, String> {
    let value: Value = serde_json::from_slice(output)
        .map_err(|e| format!("did not print JSON (line {}, column {})", e.line(), e.column()))?;
    if value["kind"] != "ExecCredential" {
        return Err("did not print an ExecCredential".into());
    }
    if value["apiVersion"] != api_version {
        return Err(format!("printed an ExecCredential of another version than {api_version}"));
    }
    let status = &value["status"];
    let text = |field: &str| status[field].as_str().unwrap_or_default();
    if !text("clientCertificateData").is_empty() {
        return Err(
            "gave a client certificate, which is not supported yet; have it give a token".into()
        );
    }
    let token = text("token");
    if token.is_empty() {
        return Err("gave no token".into());
    }
    let expires =
        match text("expirationTimestamp") {
            "" => None,
            time => Some(Time::parse(time).map_err(|_| {
                format!("gave the expirationTimestamp {time:?}, which is not a time")
            })?),
        };
    Ok(Credential { token: token.into(), expires })
}

/// A program and what it last gave.
pub(crate) struct ExecSource {
    exec: Arc<Exec>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    last: Option<(Credential, Instant)>,
    running: Option<Running>,
}

/// One run, awaited by everybody who needs its result.
type Running = Shared<oneshot::Receiver<Result<Secret, Arc<str>>>>;

impl ExecSource {
    pub(crate) fn new(exec: Exec) -> Self {
        ExecSource { exec: Arc::new(exec), state: Arc::default() }
    }

    /// The token: the one at hand, or that of a new run.
    pub(crate) async fn token(&self, wall: Time) -> Result<Secret, String> {
        let running = {
            let mut state = lock(&self.state);
            if let Some((credential, _)) = &state.last
                && credential.expires.is_none_or(|expires| expires > wall)
            {
                return Ok(credential.token.clone());
            }
            match &state.running {
                Some(running) => running.clone(),
                None => {
                    let running = self.start();
                    state.running = Some(running.clone());
                    running
                }
            }
        };
        match running.await {
            Ok(result) => result.map_err(|complaint| complaint.to_string()),
            Err(_) => Err("the runtime is shutting down".into()),
        }
    }

    fn start(&self) -> Running {
        let (done, wait) = oneshot::channel();
        let (exec, state) = (self.exec.clone(), self.state.clone());
        tokio::task::spawn_blocking(move || {
            let result = exec.run();
            let mut state = lock(&state);
            state.running = None;
            let result = result.map_err(Arc::from).map(|credential| {
                let token = credential.token.clone();
                state.last = Some((credential, Instant::now()));
                token
            });
            drop(state);
            let _ = done.send(result);
        });
        wait.shared()
    }

    /// The server refused the credential of a request sent at `sent`. Whether it pays to try again:
    /// with what a new run gives, or what one has given since.
    pub(crate) fn refused(&self, sent: Instant) -> bool {
        let mut state = lock(&self.state);
        if state.last.as_ref().is_some_and(|(_, got)| *got <= sent) {
            state.last = None;
        }
        true
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = VERSIONS[0];

    #[test]
    fn what_plugins_print() {
        #[track_caller]
        fn check(output: &str, expect: Result<(&str, Option<i64>), &str>) {
            let found = parse(V1, output.as_bytes());
            let found = found
                .as_ref()
                .map(|c| (c.token.expose().as_str(), c.expires.map(Time::unix)))
                .map_err(String::as_str);
            assert_eq!(found, expect, "{output}");
        }
        let with = |status: Value| {
            json!({"kind": "ExecCredential", "apiVersion": V1, "status": status}).to_string()
        };
        check(&with(json!({"token": "t"})), Ok(("t", None)));
        let expires = json!({"token": "t", "expirationTimestamp": "1970-01-01T00:01:00Z"});
        check(&with(expires), Ok(("t", Some(60))));
        check(&with(json!({})), Err("gave no token"));
        check(
            &with(json!({"token": "t", "expirationTimestamp": "soon"})),
            Err("gave the expirationTimestamp \"soon\", which is not a time"),
        );
        check(
            &with(json!({"clientCertificateData": "x", "clientKeyData": "y"})),
            Err("gave a client certificate, which is not supported yet; have it give a token"),
        );
        check("hunter2", Err("did not print JSON (line 1, column 1)"));
        check("{}", Err("did not print an ExecCredential"));
        check(
            "{\"kind\":\"ExecCredential\",\"apiVersion\":\"v1\"}",
            Err(
                "printed an ExecCredential of another version than client.authentication.k8s.io/v1",
            ),
        );
    }

    #[test]
    fn configurations_that_cannot_be() {
        let exec = Exec { api_version: V1.into(), command: "x".into(), ..Default::default() };
        assert_eq!(exec.fault(), None);
        let bad = Exec { command: String::new(), ..exec.clone() };
        assert_eq!(bad.fault().unwrap(), "exec has no command");
        let bad = Exec { api_version: "v1".into(), ..exec };
        assert!(bad.fault().unwrap().starts_with("exec.apiVersion is \"v1\"; it must be one of"));
    }

    /// A plugin that counts its runs in a file and prints the count as its token.
    #[cfg(unix)]
    fn counting(dir: &crate::testing::TempDir, expires: &str) -> ExecSource {
        let script = r#"
            echo run >> "$COUNT"
            n=$(wc -l < "$COUNT" | tr -d ' ')
            printf '%s' "$KUBERNETES_EXEC_INFO" > "$COUNT.info"
            printf '{"kind":"ExecCredential","apiVersion":"%s","status":{"token":"%s-%s"%s}}' \
                client.authentication.k8s.io/v1 "$1" "$n" "$EXPIRES"
        "#;
        let count = dir.path().join("count").to_str().unwrap().to_owned();
        ExecSource::new(Exec {
            api_version: V1.into(),
            command: "sh".into(),
            args: ["-c", script, "plugin", "arg"].map(String::from).to_vec(),
            env: vec![("COUNT".into(), count.into()), ("EXPIRES".into(), expires.into())],
            interactive: Interactive::Never,
            cluster: Some(json!({"server": "https://a"})),
            ..Default::default()
        })
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn it_is_run_when_there_is_need() {
        let dir = crate::testing::TempDir::new();
        let source = counting(&dir, ",\"expirationTimestamp\":\"1970-01-01T00:01:00Z\"");
        let token = async |wall: i64| -> String {
            source.token(Time::from_unix(wall)).await.unwrap().expose().clone()
        };
        // Those who ask at the same time share a run.
        let (a, b) = futures_util::future::join(token(10), token(10)).await;
        assert_eq!((&*a, &*b), ("arg-1", "arg-1"));
        assert_eq!(token(59).await, "arg-1");
        assert_eq!(token(60).await, "arg-2", "expired");
        // Refused by the server.
        let before = Instant::now();
        assert_eq!(token(59).await, "arg-2");
        source.refused(Instant::now());
        assert_eq!(token(59).await, "arg-3");
        source.refused(before);
        assert_eq!(token(59).await, "arg-3", "what was refused is older than this");
        let info: Value =
            serde_json::from_slice(&std::fs::read(dir.path().join("count.info")).unwrap()).unwrap();
        assert_eq!(
            info,
            json!({"kind": "ExecCredential", "apiVersion": V1,
                   "spec": {"interactive": false, "cluster": {"server": "https://a"}}})
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn failures_name_the_plugin() {
        let run = async |command: &str, args: &[&str]| {
            let exec = Exec {
                api_version: V1.into(),
                command: command.into(),
                args: args.iter().map(|a| (*a).to_owned()).collect(),
                install_hint: "get it from example.com\n".into(),
                interactive: Interactive::Never,
                ..Default::default()
            };
            ExecSource::new(exec).token(Time::from_unix(0)).await.unwrap_err()
        };
        assert_eq!(
            run("/no/such/plugin", &[]).await,
            "exec plugin \"/no/such/plugin\" is not installed: get it from example.com"
        );
        assert_eq!(run("sh", &["-c", "exit 3"]).await, "exec plugin \"sh\" failed: exit status: 3");
        assert_eq!(
            run("sh", &["-c", "echo {}"]).await,
            "exec plugin \"sh\" did not print an ExecCredential"
        );
    }
}
