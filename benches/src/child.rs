//! The protocol of a client under measurement, the same for every client: arguments, one line of
//! JSON when it has every Pod, then answers to `mark` and `report` on standard input, at whose end
//! the process ends. client-go's client speaks it too (`tests/control-plane`, `bench-client`).
//!
//! Included by path in the peers, so it knows nothing but the standard library.
use super::usage::{cpu_seconds, resident_mib};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// `--kubeconfig FILE --mode json|protobuf --list list|watchlist`.
#[derive(Debug)]
pub struct Arguments {
    /// The server.
    pub kubeconfig: String,
    /// The format to ask for.
    pub mode: String,
    /// How to get the first state.
    pub list: String,
    /// When the process began.
    pub began: Instant,
}

impl Arguments {
    /// Those of this process.
    ///
    /// # Errors
    /// One is unknown, has no value, or `--kubeconfig` is missing.
    pub fn of_process() -> Result<Self, String> {
        let mut it = Arguments {
            kubeconfig: String::new(),
            mode: "protobuf".into(),
            list: "watchlist".into(),
            began: Instant::now(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--kubeconfig" => it.kubeconfig = value,
                "--mode" => it.mode = value,
                "--list" => it.list = value,
                _ => return Err(format!("unknown argument {name}")),
            }
        }
        if it.kubeconfig.is_empty() {
            return Err("--kubeconfig FILE is missing".into());
        }
        Ok(it)
    }
}

/// Counts update events, and what they cost.
#[derive(Clone, Debug)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Says that the client has everything, and answers standard input from now on.
    pub fn synced(began: Instant, objects: usize) -> Meter {
        let (cpu, wall) = (cpu_seconds(), began.elapsed().as_secs_f64());
        let (rss, peak) = resident_mib();
        println!(
            "{{\"cpu_s\":{cpu:.6},\"wall_s\":{wall:.6},\"rss_mib\":{rss:.2},\
             \"peak_rss_mib\":{peak:.2},\"objects\":{objects}}}"
        );
        let meter = Meter(Arc::default());
        let events = meter.0.clone();
        std::thread::spawn(move || answer(&events));
        meter
    }

    /// One update event more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn answer(events: &AtomicU64) {
    let (mut cpu, mut began) = (cpu_seconds(), Instant::now());
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).is_ok_and(|n| n > 0) {
        match line.trim() {
            "mark" => {
                events.store(0, Ordering::Relaxed);
                (cpu, began) = (cpu_seconds(), Instant::now());
                println!("{{\"marked\":true}}");
            }
            "report" => println!(
                "{{\"events\":{},\"cpu_s\":{:.6},\"wall_s\":{:.6},\"rss_mib\":{:.2}}}",
                events.load(Ordering::Relaxed),
                cpu_seconds() - cpu,
                began.elapsed().as_secs_f64(),
                resident_mib().0
            ),
            other => println!("{{\"error\":\"unknown: {}\"}}", other.escape_default()),
        }
        line.clear();
    }
    std::process::exit(0);
}
