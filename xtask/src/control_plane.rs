//! The real control plane: builds the Go program of tests/control-plane, starts and stops it.
use crate::process::{exists, option, output, run};
use crate::root;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Kubernetes' version, as /version says it.
const VERSION: &str = "v1.37.2";

/// The programs that are built, by package and file name.
const PROGRAMS: [(&str, &str); 2] =
    [(".", "pintle-control-plane"), ("./cmd/client-go-bench", "client-go-bench")];

/// `cargo xtask control-plane build | serve [ARGS]`.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    match args.split_first() {
        Some((what, [])) if what == "build" => {
            let path = build()?.ok_or("Go is not installed: install Go 1.26 or later")?;
            println!("{}", path.display());
            Ok(())
        }
        Some((what, rest)) if what == "serve" => {
            let path = build()?.ok_or("Go is not installed: install Go 1.26 or later")?;
            let dir = option(rest, "--dir").map_or_else(|| folder("serve"), PathBuf::from);
            run(Command::new(path).arg("serve").arg("--dir").arg(dir))
        }
        _ => Err("usage: cargo xtask control-plane build | serve [--dir DIR]".into()),
    }
}

/// A folder for what a control plane writes.
pub(crate) fn folder(name: &str) -> PathBuf {
    root().join("target").join("control-plane").join(name)
}

/// Go, in the module of the program.
fn go(args: &[&str]) -> Command {
    let mut c = Command::new("go");
    c.args(args).current_dir(root().join("tests").join("control-plane"));
    c
}

/// Where the sources of a module are that the program is built of.
pub(crate) fn module_folder(module: &str) -> Result<String, String> {
    let listed = || output(&mut go(&["list", "-m", "-f", "{{.Dir}}", module]));
    let mut dir = listed()?;
    if dir.trim().is_empty() {
        run(&mut go(&["mod", "download", module]))?;
        dir = listed()?;
    }
    Ok(dir.trim().to_owned())
}

/// Builds the program when Go is there; `None`, and a word about it, when it is not.
///
/// `PINTLE_CONTROL_PLANE` names one that is built already.
pub(crate) fn build() -> Result<Option<PathBuf>, String> {
    if let Some(path) = std::env::var_os("PINTLE_CONTROL_PLANE") {
        return Ok(Some(path.into()));
    }
    if !exists("go", "version") {
        return Ok(None);
    }
    let module = "k8s.io/apimachinery";
    let dir = module_folder(module)?;
    let gcflags = format!("-gcflags={module}/...=-trimpath={dir}=>{module}");
    let (server, client) = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version");
    let ldflags = format!(
        "-s -w -X {server}.gitVersion={VERSION} -X {server}.gitMajor=1 -X {server}.gitMinor=37 \
         -X {client}.gitVersion={VERSION} -X {client}.gitMajor=1 -X {client}.gitMinor=37"
    );
    let out = root().join("target").join("control-plane");
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    for (package, name) in PROGRAMS {
        let to = out.join(name).to_string_lossy().into_owned();
        run(&mut go(&[
            "build",
            "-buildvcs=false",
            &gcflags,
            "-ldflags",
            &ldflags,
            "-o",
            &to,
            package,
        ]))?;
    }
    Ok(Some(out.join(PROGRAMS[0].1)))
}

/// A control plane that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    /// Where its kubeconfigs and certificates are.
    pub(crate) dir: PathBuf,
    /// Held open: it says a word after each restart, and would end if nobody could hear it.
    _output: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts a fresh control plane in `dir` and waits until it is ready.
    pub(crate) fn start(program: &Path, dir: PathBuf, args: &[&str]) -> Result<Running, String> {
        if dir.exists() {
            std::fs::remove_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        let mut child = Command::new(program)
            .args(["serve", "--exit-with-stdin", "--dir"])
            .arg(&dir)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let mut line = String::new();
        let mut output = child.stdout.take().map(BufReader::new);
        if let Some(out) = &mut output {
            let read = out.read_line(&mut line);
            read.map_err(|e| format!("the control plane's output: {e}"))?;
        }
        if !line.contains("\"ready\":true") {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the control plane did not start; see {}/logs", dir.display()));
        }
        Ok(Running { child, dir, _output: output })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its standard input ends, so it stops what it started and leaves.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
