//! How long it takes until the server is ready: in this process without and with a socket, and as a
//! process until it says that it serves. `cargo xtask bench start`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pintle_apiserver::{ApiServer, Builder, Controllers};

const ROUNDS: usize = 25;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let in_process = |builder: fn() -> Builder| {
        measure(|| {
            runtime.block_on(async {
                let started = Instant::now();
                let server = builder().start().await.expect("starts");
                let taken = started.elapsed();
                server.shutdown().await;
                taken
            })
        })
    };
    report("in process", 20.0, in_process(ApiServer::builder));
    let alone = || ApiServer::builder().controllers(Controllers::none());
    report("in process, no controllers", 20.0, in_process(alone));
    report("in process, with a socket", 20.0, in_process(|| ApiServer::builder().listen()));
    report("as a process", 50.0, measure(process));
}

/// From the start of the program until it says where it serves and where the kubeconfig is.
fn process() -> Duration {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pintle-apiserver"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let output = child.stdout.take().expect("its output");
    let lines = BufReader::new(output).lines().take(2).filter(Result::is_ok).count();
    let taken = started.elapsed();
    assert_eq!(lines, 2, "it serves");
    let id = child.id().to_string();
    let stopped = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
    assert!(stopped.success() && child.wait().expect("it ends").success());
    taken
}

/// Sorted times of many rounds; the first ones only warm up.
fn measure(mut round: impl FnMut() -> Duration) -> Vec<Duration> {
    for _ in 0..3 {
        round();
    }
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| round()).collect();
    times.sort_unstable();
    times
}

fn report(what: &str, limit: f64, times: Vec<Duration>) {
    let at = |part: usize| times.get(part).map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    let (least, median, most) = (at(0), at(times.len() / 2), at(times.len() - 1));
    let mark = if median <= limit { "holds" } else { "MISSED" };
    println!(
        "{what:<28} {median:>7.1} ms median, {least:.1} to {most:.1}; goal {limit:.0} ms: {mark}"
    );
}
