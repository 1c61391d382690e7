//! `cargo xtask bench sync`: until an informer has 10,000 Pods, and then per change.
//!
//! Starts the real control plane without controllers, so that nothing but the benchmark touches
//! the Pods, and measures each client as a process of its own, one after another. How a client is
//! told what to do: `benches/src/child.rs`.
use super::table::{Table, goal, ratio};
use super::{client_go, machine, own_binary, peers_cargo, peers_target};
use crate::control_plane::{Running, build, folder};
use crate::process::{flag, only, option, output, run};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

struct Plan {
    objects: usize,
    rounds: usize,
    rate: usize,
    seconds: usize,
    mixes: Vec<String>,
}

/// A client under measurement.
struct Contender {
    name: &'static str,
    who: Who,
    mode: &'static str,
    list: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Ours,
    KubeRs,
    ClientGo,
}

const CONTENDERS: [Contender; 10] = [
    Contender {
        name: "pintle, protobuf watch-list",
        who: Who::Ours,
        mode: "protobuf",
        list: "watchlist",
    },
    Contender { name: "pintle, protobuf list", who: Who::Ours, mode: "protobuf", list: "list" },
    Contender { name: "pintle, JSON watch-list", who: Who::Ours, mode: "json", list: "watchlist" },
    Contender { name: "pintle, JSON list", who: Who::Ours, mode: "json", list: "list" },
    Contender { name: "kube-rs 5, watch-list", who: Who::KubeRs, mode: "json", list: "watchlist" },
    Contender { name: "kube-rs 5, paged list", who: Who::KubeRs, mode: "json", list: "list" },
    Contender {
        name: "client-go, protobuf watch-list",
        who: Who::ClientGo,
        mode: "protobuf",
        list: "watchlist",
    },
    Contender {
        name: "client-go, protobuf list",
        who: Who::ClientGo,
        mode: "protobuf",
        list: "list",
    },
    Contender {
        name: "client-go, JSON watch-list",
        who: Who::ClientGo,
        mode: "json",
        list: "watchlist",
    },
    Contender { name: "client-go, JSON list", who: Who::ClientGo, mode: "json", list: "list" },
];

/// What was measured: of several rounds the one with the least CPU time.
#[derive(Clone, Default)]
struct Measured {
    cpu: f64,
    wall: f64,
    rss: f64,
    peak: f64,
    heap: Option<f64>,
    events: f64,
    event_cpu: f64,
    churned_rss: f64,
}

/// `--objects N --mix realistic|distinct|both --rounds N --rate N --seconds N [--quick]`.
pub(super) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--objects", "--mix", "--rounds", "--rate", "--seconds"], &["--quick"])?;
    let quick = flag(args, "--quick");
    let number = |name: &str, default: usize| {
        option(args, name)
            .map_or(Ok(default), |v| v.parse().map_err(|e| format!("{name} {v}: {e}")))
    };
    let mixes = match option(args, "--mix").unwrap_or("realistic") {
        "both" => vec!["realistic".into(), "distinct".into()],
        one @ ("realistic" | "distinct") => vec![one.to_owned()],
        other => return Err(format!("no mix {other}: realistic, distinct or both")),
    };
    let plan = Plan {
        objects: number("--objects", if quick { 200 } else { 10_000 })?,
        rounds: number("--rounds", if quick { 1 } else { 3 })?,
        rate: number("--rate", 300)?,
        seconds: number("--seconds", if quick { 1 } else { 10 })?,
        mixes,
    };
    let Some(control_plane) = build()? else {
        return Err("needs the real control plane: install Go 1.26 or later".into());
    };
    let go = client_go()?.ok_or("needs client-go: install Go 1.26 or later")?;
    let own = own_binary(&["sync", "load"])?;
    run(&mut peers_cargo(&["build", "--release", "--package", "peer-sync"]))?;
    for mix in &plan.mixes {
        let arguments = ["--controller-manager=false"];
        let server = Running::start(&control_plane, folder("bench"), &arguments)?;
        let bench = Bench {
            plan: &plan,
            mix,
            kubeconfig: server.dir.join("kubeconfig"),
            own: own.clone(),
            go: go.clone(),
        };
        bench.run()?;
    }
    Ok(())
}

struct Bench<'a> {
    plan: &'a Plan,
    mix: &'a str,
    kubeconfig: PathBuf,
    own: PathBuf,
    go: PathBuf,
}

impl Bench<'_> {
    fn run(&self) -> Result<(), String> {
        let objects = self.plan.objects.to_string();
        let filled = output(self.load("fill").args(["--objects", &objects, "--mix", self.mix]))?;
        eprintln!("filled: {}", filled.trim());
        let mut all = vec![Measured::default(); CONTENDERS.len()];
        for round in 0..self.plan.rounds {
            for (contender, best) in CONTENDERS.iter().zip(&mut all) {
                let last = round + 1 == self.plan.rounds;
                let now = self.measure(contender, last)?;
                eprintln!("  {}: {:.3} s, {:.0} MiB", contender.name, now.cpu, now.rss);
                if round == 0 || now.cpu < best.cpu {
                    *best = Measured {
                        events: best.events,
                        event_cpu: best.event_cpu,
                        churned_rss: best.churned_rss,
                        ..now
                    };
                }
                if last {
                    (best.events, best.event_cpu, best.churned_rss) =
                        (now.events, now.event_cpu, now.churned_rss);
                }
            }
        }
        self.report(&all);
        Ok(())
    }

    fn load(&self, what: &str) -> Command {
        let mut c = Command::new(self.own.join("load"));
        c.arg(what).arg("--kubeconfig").arg(&self.kubeconfig);
        c
    }

    fn measure(&self, contender: &Contender, churn: bool) -> Result<Measured, String> {
        let mut c = match contender.who {
            Who::Ours => Command::new(self.own.join("sync")),
            Who::KubeRs => Command::new(peers_target().join("release").join("peer-sync")),
            Who::ClientGo => {
                let mut c = Command::new(&self.go);
                c.arg("bench-client");
                c
            }
        };
        c.arg("--kubeconfig").arg(&self.kubeconfig);
        c.args(["--mode", contender.mode, "--list", contender.list]);
        let mut client = Client::start(&mut c).map_err(|e| format!("{}: {e}", contender.name))?;
        let synced = client.line()?;
        let number = |value: &Value, name: &str| value[name].as_f64().unwrap_or(f64::NAN);
        if synced["objects"].as_u64() != Some(self.plan.objects as u64) {
            return Err(format!("{} has {} objects", contender.name, synced["objects"]));
        }
        let mut it = Measured {
            cpu: number(&synced, "cpu_s"),
            wall: number(&synced, "wall_s"),
            rss: number(&synced, "rss_mib"),
            peak: number(&synced, "peak_rss_mib"),
            heap: synced["heap_after_gc_mib"].as_f64(),
            ..Measured::default()
        };
        if churn {
            let sent = self.plan.rate * self.plan.seconds;
            client.ask("mark")?;
            let (objects, rate) = (self.plan.objects.to_string(), self.plan.rate.to_string());
            let seconds = self.plan.seconds.to_string();
            output(self.load("churn").args([
                "--objects",
                &objects,
                "--mix",
                self.mix,
                "--rate",
                &rate,
                "--seconds",
                &seconds,
            ]))?;
            // The last events are on their way.
            let mut report = client.ask("report")?;
            for _ in 0..100 {
                if number(&report, "events") >= sent as f64 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
                report = client.ask("report")?;
            }
            it.events = number(&report, "events");
            if it.events < sent as f64 {
                return Err(format!("{} saw {} of {sent} changes", contender.name, it.events));
            }
            it.event_cpu = number(&report, "cpu_s") / it.events;
            it.churned_rss = number(&report, "rss_mib");
        }
        client.stop()?;
        Ok(it)
    }

    fn report(&self, all: &[Measured]) {
        let Plan { objects, rate, seconds, rounds, .. } = self.plan;
        println!("\n## {objects} Pods, {}, over TLS from a real kube-apiserver\n", self.mix);
        println!(
            "{}. CPU of the whole process until synced, best of {rounds}; then {rate} status patches a second for {seconds} s.\n",
            machine()
        );
        let base = &all[0];
        let mut table = Table::new(&[
            "client",
            "cpu s",
            "",
            "wall s",
            "",
            "resident MiB",
            "",
            "peak MiB",
            "heap MiB",
            "",
            "us/event",
            "",
            "events/s a core",
            "MiB after churn",
        ]);
        for (contender, m) in CONTENDERS.iter().zip(all) {
            table.row(vec![
                contender.name.into(),
                format!("{:.3}", m.cpu),
                ratio(m.cpu, base.cpu),
                format!("{:.2}", m.wall),
                ratio(m.wall, base.wall),
                format!("{:.1}", m.rss),
                ratio(m.rss, base.rss),
                format!("{:.1}", m.peak),
                m.heap.map_or(String::new(), |h| format!("{h:.1}")),
                m.heap.map_or(String::new(), |h| ratio(h, base.rss)),
                format!("{:.1}", m.event_cpu * 1e6),
                ratio(m.event_cpu, base.event_cpu),
                format!("{:.0}", 1.0 / m.event_cpu),
                format!("{:.1}", m.churned_rss),
            ]);
        }
        table.print();
        let best = |who: Who, of: fn(&Measured) -> f64| {
            let those = CONTENDERS.iter().zip(all).filter(|(c, _)| c.who == who);
            those.map(|(_, m)| of(m)).fold(f64::INFINITY, f64::min)
        };
        let heap = best(Who::ClientGo, |m| m.heap.unwrap_or(f64::INFINITY));
        let share = if self.mix == "realistic" { 6.0 } else { 3.0 };
        println!("\nGoals, each client at its best:");
        goal(
            "CPU against a quarter of client-go's",
            best(Who::ClientGo, |m| m.cpu) / 4.0,
            best(Who::Ours, |m| m.cpu),
            "s",
        );
        goal(
            "CPU against an eighth of kube-rs'",
            best(Who::KubeRs, |m| m.cpu) / 8.0,
            best(Who::Ours, |m| m.cpu),
            "s",
        );
        goal(
            &format!("resident against client-go's heap / {share}"),
            heap / share,
            best(Who::Ours, |m| m.rss),
            "MiB",
        );
        goal(
            "CPU an event against a quarter of client-go's",
            best(Who::ClientGo, |m| m.event_cpu) * 1e6 / 4.0,
            best(Who::Ours, |m| m.event_cpu) * 1e6,
            "us",
        );
    }
}

/// A child that speaks the protocol.
struct Client {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Client {
    fn start(c: &mut Command) -> Result<Client, String> {
        let mut child = c
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", Path::new(c.get_program()).display()))?;
        let out = child.stdout.take().ok_or("no standard output")?;
        Ok(Client { child, lines: BufReader::new(out) })
    }

    fn line(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.lines.read_line(&mut line).map_err(|e| e.to_string())?;
        serde_json::from_str(&line).map_err(|e| format!("{line:?}: {e}"))
    }

    fn ask(&mut self, what: &str) -> Result<Value, String> {
        let stdin = self.child.stdin.as_mut().ok_or("no standard input")?;
        writeln!(stdin, "{what}").map_err(|e| e.to_string())?;
        self.line()
    }

    fn stop(mut self) -> Result<(), String> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|e| e.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("a client ended with {status}")) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
