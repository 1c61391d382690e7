//! Runs kubectl, the release that the API is of and an older one, against the embedded API server
//! and the real one, and compares what it prints and how it ends.
//!
//! `cargo xtask conformance kubectl` builds what is needed, starts the real server (without its
//! controllers: what they do is compared elsewhere) and calls this. Scripts are in `scenarios/`,
//! what they apply in `manifests/`, differences that are known in `known.yaml`, with reasons. The
//! OpenAPI documents of both servers are compared as well.

mod known;
mod normalise;
mod openapi;
mod run;
mod script;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pintle_apiserver::{ApiServer, Controllers, User};

use crate::known::Known;
use crate::run::{Place, Step};
use crate::script::Scenario;

/// What is compared with what.
struct Options {
    /// kubectl, by what its runs are called.
    programs: Vec<(&'static str, PathBuf)>,
    /// The real server.
    kubeconfig: PathBuf,
    /// A folder for what is written.
    dir: PathBuf,
    only: Vec<String>,
    verbose: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        programs: Vec::new(),
        kubeconfig: PathBuf::new(),
        dir: PathBuf::new(),
        only: Vec::new(),
        verbose: false,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--verbose" {
            options.verbose = true;
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--new" => options.programs.push(("new", value.into())),
            "--old" => options.programs.push(("old", value.into())),
            "--kubeconfig" => options.kubeconfig = value.into(),
            "--dir" => options.dir = value.into(),
            "--only" => options.only = value.split(',').map(str::to_owned).collect(),
            _ => return Err(format!("unknown argument {arg}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// How many scripts run at a time: kubectl waits more than it computes.
const AT_A_TIME: usize = 8;

fn run(options: &Options) -> Result<bool, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    let mut scenarios = script::read_all(&here.join("scenarios"))?;
    scenarios.retain(|scenario| wanted(&scenario.name));
    let known = Known::read(&here.join("known.yaml"))?;

    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let server = runtime
        .block_on(
            ApiServer::builder()
                .controllers(Controllers::none())
                .admission_plugin("ServiceAccount", false)
                .map_err(|e| e.to_string())?
                .listen()
                .start(),
        )
        .map_err(|e| e.to_string())?;
    std::fs::create_dir_all(&options.dir).map_err(|e| e.to_string())?;
    let ours = options.dir.join("embedded.kubeconfig");
    // As the real server's administrator is called.
    let admin = User { name: "admin".to_owned(), ..User::admin() };
    let kubeconfig = server.kubeconfig_for(&admin).map_err(|e| e.to_string())?;
    std::fs::write(&ours, kubeconfig).map_err(|e| format!("{}: {e}", ours.display()))?;
    let servers = [("embedded", ours.as_path()), ("real", options.kubeconfig.as_path())];

    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Compared<'_>>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // One after the other: what belongs to no namespace is there once.
                    for (kubectl, program) in &options.programs {
                        let transcripts = servers.map(|(server, kubeconfig)| {
                            let dir = format!("{}-{kubectl}-{server}", scenario.name);
                            let dir = options.dir.join(dir);
                            let manifests = here.join("manifests");
                            let space = format!("s-{}-{kubectl}", scenario.name);
                            Place { program, kubeconfig, dir, manifests, space }.run(scenario)
                        });
                        if let Ok(mut results) = results.lock() {
                            results.push(Compared { scenario, kubectl, transcripts });
                        }
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().map_err(|e| e.to_string())?;
    results.sort_by_key(|r| (r.scenario.name.clone(), r.kubectl));

    let mut report = Report { known, verbose: options.verbose, ..Report::default() };
    for compared in &results {
        report.compare(compared)?;
    }
    if wanted("openapi")
        && let Some((_, program)) = options.programs.first()
    {
        report.openapi(program, &servers)?;
    }
    runtime.block_on(server.shutdown());
    Ok(report.end(options.only.is_empty()))
}

/// A script's runs on both servers.
struct Compared<'a> {
    scenario: &'a Scenario,
    kubectl: &'static str,
    transcripts: [Result<Vec<Step>, String>; 2],
}

#[derive(Default)]
struct Report {
    known: Known,
    verbose: bool,
    commands: usize,
    differ: usize,
    listed: usize,
}

impl Report {
    fn compare(&mut self, compared: &Compared<'_>) -> Result<(), String> {
        let Compared { scenario, kubectl, transcripts: [ours, real] } = compared;
        let (ours, real) = (ours.as_ref()?, real.as_ref()?);
        for (ours, real) in ours.iter().zip(real) {
            self.commands += 1;
            let (ours_text, real_text) = (ours.shown(), real.shown());
            if self.verbose {
                println!("--- {}, {kubectl}: {}\n{real_text}", scenario.name, ours.command);
            }
            if ours_text == real_text {
                continue;
            }
            if let Some(reason) = self.known.find(&scenario.name, kubectl, &ours.command) {
                self.listed += 1;
                println!("known: {}, {kubectl}: {}: {reason}", scenario.name, ours.command);
                continue;
            }
            self.differ += 1;
            println!("\n== {}, {kubectl}: kubectl {}", scenario.name, ours.command);
            print!("{}", lines_that_differ(&ours_text, &real_text));
        }
        Ok(())
    }

    fn openapi(&mut self, program: &Path, servers: &[(&str, &Path); 2]) -> Result<(), String> {
        let found = openapi::compare(program, servers[0].1, servers[1].1)?;
        self.commands += found.documents;
        for difference in found.differences {
            match self.known.find("openapi", "", &difference) {
                Some(_) => self.listed += 1,
                None => {
                    self.differ += 1;
                    println!("openapi: {difference}");
                }
            }
        }
        Ok(())
    }

    /// The last line; whether all is well. `all` says that everything was run, so that known
    /// differences that did not show are gone.
    fn end(&self, all: bool) -> bool {
        let Report { commands, differ, listed, .. } = self;
        println!("kubectl: {commands} commands and documents, {differ} differ, {listed} as known");
        let unused = if all { self.known.unused() } else { Vec::new() };
        for entry in &unused {
            println!("known.yaml: {entry} does not differ any more: take it out");
        }
        *differ == 0 && unused.is_empty()
    }
}

/// Lines of one that the other does not have in that place.
fn lines_that_differ(ours: &str, real: &str) -> String {
    let (ours, real): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), real.lines().collect());
    let same = ours.iter().zip(&real).take_while(|(a, b)| a == b).count();
    let tail = |lines: &[&str]| lines.iter().skip(same).take(12).map(|l| (*l).to_owned()).collect();
    let (ours, real): (Vec<String>, Vec<String>) = (tail(&ours), tail(&real));
    let mut out = String::new();
    for (sign, lines) in [("embedded", ours), ("real    ", real)] {
        for line in lines {
            out += &format!("  {sign} | {line}\n");
        }
    }
    out
}
