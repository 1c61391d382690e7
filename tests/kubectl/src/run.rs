//! Runs a script on one server.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::normalise::normalise;
use crate::script::{Line, Scenario, words};

/// A command that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a script runs, and with what.
pub(crate) struct Place<'a> {
    pub(crate) program: &'a Path,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) dir: PathBuf,
    pub(crate) manifests: PathBuf,
    /// The script's own namespace.
    pub(crate) space: String,
}

/// A command and what came of it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) command: String,
    code: Option<i32>,
    out: String,
    err: String,
}

impl Step {
    /// What is compared.
    pub(crate) fn shown(&self) -> String {
        let code = self.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        let mut text = format!("{}exit {code}\n", self.out);
        if !self.err.is_empty() {
            text += &format!("stderr: {}", self.err);
        }
        text
    }
}

/// A command in the background.
struct Background {
    command: String,
    child: Child,
    lines: Receiver<String>,
    wanted: usize,
    seen: Vec<String>,
}

impl Background {
    /// Waits until it has printed so many lines.
    fn wait(&mut self, lines: usize) {
        let end = Instant::now() + PATIENCE;
        while self.seen.len() < lines {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Place<'_> {
    /// Runs every line.
    ///
    /// # Errors
    /// What the script needs cannot be made. What kubectl says is no error here.
    pub(crate) fn run(&self, scenario: &Scenario) -> Result<Vec<Step>, String> {
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir).map_err(|e| format!("{}: {e}", self.dir.display()))?;
        }
        fs::create_dir_all(&self.dir).map_err(|e| format!("{}: {e}", self.dir.display()))?;
        let mut kept = BTreeMap::from([("ns".to_owned(), self.space.clone())]);
        self.copy(&kept)?;
        self.kubectl(&format!("create namespace {}", self.space), None)?;
        let mut steps = Vec::new();
        let mut background = Vec::new();
        for line in &scenario.lines {
            match line {
                Line::Run { command, editor } => {
                    let editor = editor.as_ref().map(|editor| self.editor(editor)).transpose()?;
                    let mut step = self.kubectl(&fill(command, &kept), editor.as_deref())?;
                    command.clone_into(&mut step.command);
                    steps.push(step);
                }
                Line::Keep { name, command } => {
                    let (_, out, _) = self.output(&fill(command, &kept), None)?;
                    kept.insert(name.clone(), out.trim().to_owned());
                    self.copy(&kept)?;
                }
                Line::Background { lines, command } => {
                    let mut started = self.start(&fill(command, &kept), *lines)?;
                    command.clone_into(&mut started.command);
                    // It watches when the first line is there.
                    started.wait(1);
                    background.push(started);
                }
                Line::Proxy { path } => steps.push(self.proxy(path, &fill(path, &kept))?),
            }
        }
        for mut started in background {
            started.wait(started.wanted);
            steps.push(Step {
                command: started.command.clone(),
                code: None,
                out: self.normalise(&(started.seen.join("\n") + "\n")),
                err: String::new(),
            });
        }
        Ok(steps)
    }

    /// Copies the manifests with what is known filled in.
    fn copy(&self, kept: &BTreeMap<String, String>) -> Result<(), String> {
        let at = |path: &Path| format!("{}", path.display());
        let entries =
            fs::read_dir(&self.manifests).map_err(|e| format!("{}: {e}", at(&self.manifests)))?;
        for entry in entries.flatten() {
            let path = entry.path();
            let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", at(&path)))?;
            fs::write(self.dir.join(entry.file_name()), fill(&text, kept))
                .map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    fn editor(&self, script: &str) -> Result<String, String> {
        let path = self.dir.join("editor.sh");
        fs::write(&path, format!("#!/bin/sh\nsed -i '{script}' \"$1\"\n"))
            .map_err(|e| e.to_string())?;
        Ok(format!("sh {}", path.display()))
    }

    fn command(&self, arguments: &str, editor: Option<&str>) -> Command {
        let mut command = Command::new(self.program);
        command
            .arg("--namespace")
            .arg(&self.space)
            .arg("--cache-dir")
            .arg(self.dir.join("cache"))
            .args(words(arguments))
            .current_dir(&self.dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.dir)
            .env("TMPDIR", &self.dir)
            .env("KUBECONFIG", self.kubeconfig)
            // It ends before there is much to collect.
            .env("GOGC", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(editor) = editor {
            command.env("KUBE_EDITOR", editor);
        }
        command
    }

    /// A text without what differs by run.
    fn normalise(&self, text: &str) -> String {
        let text = text.replace(&self.dir.display().to_string(), "DIR");
        normalise(&text, &self.space)
    }

    fn kubectl(&self, arguments: &str, editor: Option<&str>) -> Result<Step, String> {
        let (code, out, err) = self.output(arguments, editor)?;
        // What built-in types are for is told by the real server only.
        let out = match words(arguments).first().map(String::as_str) {
            Some("explain") if arguments.contains("--recursive") => without_description(&out),
            _ => out,
        };
        Ok(Step {
            command: arguments.to_owned(),
            code,
            out: self.normalise(&out),
            err: self.normalise(&err),
        })
    }

    fn output(
        &self,
        arguments: &str,
        editor: Option<&str>,
    ) -> Result<(Option<i32>, String, String), String> {
        let mut child =
            self.command(arguments, editor).spawn().map_err(|e| format!("kubectl: {e}"))?;
        let read = |stream: Option<Box<dyn Read + Send>>| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                if let Some(mut stream) = stream {
                    // What was read until an error is what there is.
                    let _ = stream.read_to_end(&mut bytes);
                }
                String::from_utf8_lossy(&bytes).into_owned()
            })
        };
        let out = read(child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
        let err = read(child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
        let (done, ended) = channel::<()>();
        let id = child.id();
        // A command that hangs is ended from beside.
        let guard = std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").arg(id.to_string()).status();
            }
        });
        let status = child.wait().map_err(|e| e.to_string())?;
        drop(done);
        let _ = guard.join();
        let text = |thread: std::thread::JoinHandle<String>| {
            thread.join().map_err(|_| "kubectl's output cannot be read".to_owned())
        };
        Ok((status.code(), text(out)?, text(err)?))
    }

    fn start(&self, arguments: &str, wanted: usize) -> Result<Background, String> {
        let mut child = self
            .command(arguments, None)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("kubectl: {e}"))?;
        let (send, lines) = channel();
        if let Some(out) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let command = arguments.to_owned();
        Ok(Background { command, child, lines, wanted, seen: Vec::new() })
    }

    /// A request through kubectl's proxy.
    fn proxy(&self, command: &str, path: &str) -> Result<Step, String> {
        let mut proxy = self.start("proxy --port=0", 1)?;
        proxy.wait(1);
        let said = proxy.seen.first().cloned().unwrap_or_default();
        let port: u16 = said
            .rsplit(':')
            .next()
            .and_then(|port| port.trim().parse().ok())
            .ok_or_else(|| format!("kubectl proxy says {said:?}"))?;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|e| e.to_string())?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).map_err(|e| e.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|e| e.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|e| e.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.lines().next().unwrap_or_default();
        let kind = head.lines().find(|l| l.to_ascii_lowercase().starts_with("content-type"));
        let out = format!("{status}\n{}\n{body}\n", kind.unwrap_or_default());
        Ok(Step {
            command: format!("proxy {command}"),
            code: Some(0),
            out: self.normalise(&out),
            err: String::new(),
        })
    }
}

/// An explanation without the text between its head and its fields.
fn without_description(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        match *line {
            "DESCRIPTION:" => inside = true,
            "FIELDS:" => inside = false,
            _ => {}
        }
        !inside
    });
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// Fills in what is kept: `{name}`.
fn fill(text: &str, kept: &BTreeMap<String, String>) -> String {
    kept.iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
