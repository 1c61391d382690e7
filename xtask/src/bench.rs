//! `cargo xtask bench`: pintle beside its peers, client-go and kube-rs, measured in one run.
//!
//! Peers are child processes: kube-rs' of `benches/peers`, a workspace of its own, client-go's of
//! the Go program in `tests/control-plane`.
mod apimachinery;
mod apiserver;
mod build;
mod small;
mod sync;
mod table;

use crate::process::{output, run};
use crate::root;
use std::path::PathBuf;
use std::process::Command;

/// `sync | build | small | apimachinery | apiserver | start`.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    match args.split_first() {
        Some((what, rest)) if what == "sync" => sync::command(rest),
        Some((what, rest)) if what == "build" => build::command(rest),
        Some((what, rest)) if what == "small" => small::command(rest),
        Some((what, rest)) if what == "apimachinery" => apimachinery::command(rest),
        Some((what, rest)) if what == "apiserver" => apiserver::command(rest),
        Some((what, [])) if what == "start" => start(),
        _ => {
            Err("usage: cargo xtask bench sync | build | small | apimachinery | apiserver | start"
                .into())
        }
    }
}

/// How long the embedded API server takes to be ready.
fn start() -> Result<(), String> {
    println!("{}", machine());
    run(&mut crate::process::cargo(&[
        "bench",
        "--quiet",
        "--package",
        "pintle-apiserver",
        "--bench",
        "start",
    ]))
}

/// `cargo` of the peers' workspace, with its products beside ours.
pub(crate) fn peers_cargo(args: &[&str]) -> Command {
    let mut c = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    c.args(args).current_dir(root().join("benches").join("peers"));
    c.env("CARGO_TARGET_DIR", peers_target());
    c
}

pub(crate) fn peers_target() -> PathBuf {
    root().join("target").join("peers")
}

/// The program with client-go's benchmarks, beside that of the control plane; `None` without Go.
pub(crate) fn client_go() -> Result<Option<PathBuf>, String> {
    let Some(program) = crate::control_plane::build()? else { return Ok(None) };
    let bench = program.with_file_name("client-go-bench");
    if bench.exists() { Ok(Some(bench)) } else { Err(format!("{} is missing", bench.display())) }
}

/// What the machine is, for the reader of the tables.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = output(Command::new("rustc").arg("--version")).unwrap_or_default();
    format!("{}, {cores} cores, {}", model.unwrap_or("unknown processor"), rustc.trim())
}

/// Builds a release binary of the benches and gives its path.
fn own_binary(names: &[&str]) -> Result<PathBuf, String> {
    let mut c = crate::process::cargo(&["build", "--release", "--package", "pintle-benches"]);
    for name in names {
        c.args(["--bin", name]);
    }
    run(&mut c)?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release"))
}
