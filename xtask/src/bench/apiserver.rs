//! `cargo xtask bench apiserver`: the embedded API server beside the real one, in one run.
//!
//! Each serves alone, as a process and without controllers; `benches/src/bin/apiserver.rs` asks it
//! the same. What counts is wall time, and the CPU time of the server's own processes, which other
//! work on the machine disturbs less: of the real one that is etcd's and kube-apiserver's.
use super::table::Table;
use super::{machine, own_binary, start};
use crate::control_plane::{Running, build, folder};
use crate::process::{cargo, flag, only, option, output, run};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// `--objects N --watchers N [--embedded]`.
pub(super) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--objects", "--watchers"], &["--embedded"])?;
    let (objects, watchers) =
        (option(args, "--objects").unwrap_or("10000"), option(args, "--watchers").unwrap_or("50"));
    let load = own_binary(&["apiserver"])?.join("apiserver");
    run(&mut cargo(&["build", "--release", "--package", "pintle-apiserver"]))?;
    let measure = |kubeconfig: &Path, pids: &str| {
        let mut command = Command::new(&load);
        command.arg("--kubeconfig").arg(kubeconfig);
        command.args(["--objects", objects, "--watchers", watchers, "--pids", pids]);
        let line = output(&mut command)?;
        serde_json::from_str::<Value>(&line).map_err(|e| format!("{line:?}: {e}"))
    };
    eprintln!("the embedded server:");
    let ours = {
        let server = Embedded::start(&load.with_file_name("pintle-apiserver"))?;
        let ours = measure(&server.kubeconfig, &server.child.id().to_string())?;
        (ours, server.ready)
    };
    let real = match build()? {
        _ if flag(args, "--embedded") => None,
        None => {
            eprintln!("SKIPPED: the real API server: Go is not installed");
            None
        }
        Some(program) => {
            eprintln!("the real one:");
            let began = Instant::now();
            let server =
                Running::start(&program, folder("bench"), &["--controller-manager=false"])?;
            let ready = began.elapsed().as_secs_f64();
            let path = server.dir.join("control-plane.json");
            let told = std::fs::read_to_string(&path).map_err(|e| format!("{path:?}: {e}"))?;
            let told: Value = serde_json::from_str(&told).map_err(|e| format!("{path:?}: {e}"))?;
            let pid = |name: &str| told["pids"][name].to_string();
            let pids = format!("{},{}", pid("etcd"), pid("kube-apiserver"));
            Some((measure(&server.dir.join("kubeconfig"), &pids)?, ready))
        }
    };
    println!("\n## {objects} Pods, {watchers} watchers, over TLS\n\n{}.\n", machine());
    report(&ours, real.as_ref());
    println!("\nUntil ready:");
    start()
}

/// Ours: a number, and of the real one how much of it; more is better where a rate is told.
fn report(ours: &(Value, f64), real: Option<&(Value, f64)>) {
    let mut table = Table::new(&["", "embedded", "real", "ratio"]);
    let mut row = |what: &str, of: &dyn Fn(&Value, f64) -> f64, digits: usize, more: bool| {
        let one = of(&ours.0, ours.1);
        let other = real.map(|(told, ready)| of(told, *ready));
        let ratio = other.map_or(String::new(), |other| {
            let ratio = if more { one / other } else { other / one };
            format!("{ratio:.1}x")
        });
        let text = |n: f64| format!("{n:.digits$}");
        table.row(vec![what.into(), text(one), other.map_or(String::new(), text), ratio]);
    };
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let parts = [
        ("creates", "create"),
        ("updates", "update"),
        ("events to watchers, JSON", "fan_json"),
        ("events to watchers, protobuf", "fan_protobuf"),
    ];
    for (what, part) in parts {
        let count = move |told: &Value| number(&told[part]["count"]);
        let rate = move |told: &Value, _| count(told) / number(&told[part]["wall_s"]);
        row(&format!("{what}/s"), &rate, 0, true);
        let cost = move |told: &Value, _| number(&told[part]["cpu_s"]) * 1e6 / count(told);
        row(&format!("{what}: CPU us each"), &cost, 1, false);
    }
    for (what, part) in
        [("list MiB/s, JSON", "list_json"), ("list MiB/s, protobuf", "list_protobuf")]
    {
        let mib = move |told: &Value| number(&told[format!("{part}_mib").as_str()]);
        row(what, &move |told, _| mib(told) / number(&told[part]["wall_s"]), 0, true);
        let cost = move |told: &Value, _| number(&told[part]["cpu_s"]) * 1e3 / mib(told);
        row(&format!("{what}: CPU ms a MiB"), &cost, 2, false);
    }
    for (what, key) in [
        ("resident MiB, idle", "idle_mib"),
        ("resident MiB, with all Pods", "full_mib"),
        ("resident MiB, at the end", "end_mib"),
    ] {
        row(what, &move |told, _| number(&told[key]), 1, false);
    }
    row("until ready, s", &|_, ready| ready, 3, false);
    table.print();
}

/// The embedded server as a process.
struct Embedded {
    child: Child,
    kubeconfig: std::path::PathBuf,
    ready: f64,
}

impl Embedded {
    fn start(program: &Path) -> Result<Embedded, String> {
        let dir = folder("bench-embedded");
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let kubeconfig = dir.join("kubeconfig");
        let began = Instant::now();
        let mut child = Command::new(program)
            .arg("--controllers=none")
            .arg("--kubeconfig-out")
            .arg(&kubeconfig)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let told: Vec<_> = lines.by_ref().take(2).filter_map(Result::ok).collect();
        let ready = began.elapsed().as_secs_f64();
        if told.len() < 2 {
            let _ = child.kill();
            let _ = child.wait();
            return Err("the embedded server did not start".into());
        }
        Ok(Embedded { child, kubeconfig, ready })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
