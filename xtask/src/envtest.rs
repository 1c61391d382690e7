//! `cargo xtask conformance envtest`: controller-runtime's own tests, unmodified, on the stand-in
//! for etcd and kube-apiserver and on the real ones.
use crate::control_plane::build;
use crate::process::{cargo, exists, flag, only, option, output, run};
use crate::root;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The module whose tests are run, and the folder of its packages.
const MODULE: &str = "sigs.k8s.io/controller-runtime/pkg";

/// A package is given up after this time.
const LIMIT: &str = "8m";

struct Package {
    name: &'static str,
    /// Specs, or tests where there are none: that fewer pass is a failure, too.
    specs: usize,
    /// Whether all must pass.
    must: bool,
}

const fn must(name: &'static str, specs: usize) -> Package {
    Package { name, specs, must: true }
}

const fn told(name: &'static str, specs: usize) -> Package {
    Package { name, specs, must: false }
}

/// The packages, those that take longest first.
const PACKAGES: [Package; 14] = [
    must("cache", 276),
    must("manager", 107),
    must("internal/controller", 75),
    must("source", 19),
    must("builder", 72),
    must("controller", 32),
    must("handler", 96),
    must("controller/controllerutil", 60),
    must("cluster", 15),
    must("internal/recorder", 5),
    must("client/apiutil", 22),
    // These need what the server does not do yet: apply, webhooks.
    told("client", 311),
    told("envtest", 28),
    told("webhook", 8),
];

/// What became of a package.
#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: usize,
    /// Of those that passed, how many only did when they were run again.
    again: usize,
    seconds: f32,
    /// The program ended well.
    ended: bool,
    failures: Vec<String>,
}

/// Options: `--embedded` leaves out the real programs, `--only PKG,..`, `--jobs N` packages at a
/// time (one, so that times can be compared), `--release` optimises the stand-in.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--only", "--jobs"], &["--embedded", "--release"])?;
    let wanted: Option<Vec<&str>> = option(args, "--only").map(|names| names.split(',').collect());
    let packages: Vec<&Package> = PACKAGES
        .iter()
        .filter(|package| wanted.as_ref().is_none_or(|names| names.contains(&package.name)))
        .collect();
    if packages.is_empty() || wanted.is_some_and(|names| names.len() != packages.len()) {
        let known: Vec<&str> = PACKAGES.iter().map(|package| package.name).collect();
        return Err(format!("--only takes packages of: {}", known.join(", ")));
    }
    let jobs = match option(args, "--jobs").map(str::parse) {
        None => 1,
        Some(Ok(jobs)) if jobs > 0 => jobs,
        _ => return Err("--jobs takes a number".into()),
    };
    let missing = "Go is not installed: install Go 1.26 or later";
    let program = match flag(args, "--embedded") {
        true if exists("go", "version") => None,
        true => return Err(missing.into()),
        false => Some(build()?.ok_or(missing)?),
    };
    let folder = root().join("target").join("envtest");
    let assets = stand_in(&folder, flag(args, "--release"))?;
    let tests = tests(&packages, &folder.join("tests"))?;
    let ours = on("the stand-in", &assets, &tests, jobs, &folder)?;
    let real = match program {
        None => None,
        Some(program) => {
            let assets = real(&folder, &program)?;
            Some(on("etcd and kube-apiserver", &assets, &tests, jobs, &folder)?)
        }
    };
    print(&packages, &ours, real.as_deref());
    let short: Vec<&str> = packages
        .iter()
        .zip(&ours)
        .filter(|(package, outcome)| package.must && !is_whole(package, outcome))
        .map(|(package, _)| package.name)
        .collect();
    if short.is_empty() {
        Ok(())
    } else {
        let logs = folder.join("logs");
        Err(format!("not everything passed in {}; see {}", short.join(", "), logs.display()))
    }
}

fn is_whole(package: &Package, outcome: &Outcome) -> bool {
    outcome.ended && outcome.failed == 0 && outcome.passed >= package.specs
}

fn made(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))
}

/// Builds the stand-in and links it under both names.
fn stand_in(folder: &Path, release: bool) -> Result<PathBuf, String> {
    let mut build = cargo(&["build", "--quiet", "--package", "pintle-apiserver"]);
    build.args(release.then_some("--release"));
    run(&mut build)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| root().join("target"));
    let built = target.join(if release { "release" } else { "debug" }).join("pintle-apiserver");
    // A copy: whoever builds in the meantime does not change what is tested.
    let own = folder.join("pintle-apiserver");
    made(folder)?;
    let _ = std::fs::remove_file(&own);
    std::fs::copy(&built, &own).map_err(|e| format!("{}: {e}", built.display()))?;
    let assets = folder.join("stand-in");
    output(Command::new(&own).arg("assets").arg(&assets))?;
    Ok(assets)
}

/// Links the control plane that Go built under the names of its parts.
#[cfg(unix)]
fn real(folder: &Path, program: &Path) -> Result<PathBuf, String> {
    let assets = folder.join("real");
    made(&assets)?;
    let program =
        std::path::absolute(program).map_err(|e| format!("{}: {e}", program.display()))?;
    for name in ["etcd", "kube-apiserver"] {
        let link = assets.join(name);
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&program, &link)
            .map_err(|e| format!("{}: {e}", link.display()))?;
    }
    Ok(assets)
}

#[cfg(not(unix))]
fn real(_: &Path, _: &Path) -> Result<PathBuf, String> {
    Err("the real control plane runs on Unix".into())
}

/// A package's tests: its name, the program, and the folder it runs in.
type Test = (&'static str, PathBuf, PathBuf);

/// Compiles the tests of packages.
fn tests(packages: &[&Package], to: &Path) -> Result<Vec<Test>, String> {
    made(to)?;
    let source = root().join("tests").join("envtest");
    let go = |args: &[&str]| {
        let mut c = Command::new("go");
        c.args(args).current_dir(&source);
        c
    };
    let mut tests = Vec::new();
    for package in packages {
        let path = format!("{MODULE}/{}", package.name);
        let program = to.join(format!("{}.test", package.name.replace('/', "-")));
        run(&mut go(&["test", "-c", "-o", &program.to_string_lossy(), &path]))?;
        let dir = output(&mut go(&["list", "-f", "{{.Dir}}", &path]))?;
        tests.push((package.name, program, PathBuf::from(dir.trim())));
    }
    Ok(tests)
}

/// Runs tests with the programs in a folder, `jobs` packages at a time.
fn on(
    what: &str,
    assets: &Path,
    tests: &[Test],
    jobs: usize,
    folder: &Path,
) -> Result<Vec<Outcome>, String> {
    eprintln!("== controller-runtime's tests on {what}");
    let kind = assets.file_name().unwrap_or_default();
    let (logs, temporary) = (folder.join("logs").join(kind), folder.join("tmp").join(kind));
    made(&logs)?;
    made(&temporary)?;
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..tests.len()).collect());
    let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(tests.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(at) = next else { return };
                    let outcome = one(&tests[at], assets, &logs, &temporary);
                    let (name, passed, failed) = (tests[at].0, outcome.passed, outcome.failed);
                    let seconds = outcome.seconds;
                    eprintln!("  {name}: {passed} passed, {failed} failed, {seconds:.1} s");
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(outcome);
                }
            });
        }
    });
    // Some of the tests leave what they started, and their folders.
    stop_leftovers(assets);
    let _ = std::fs::remove_dir_all(&temporary);
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(outcomes.into_iter().map(Option::unwrap_or_default).collect())
}

fn one((name, program, dir): &Test, assets: &Path, logs: &Path, temporary: &Path) -> Outcome {
    let log = logs.join(format!("{}.log", name.replace('/', "-")));
    let mut c = Command::new(program);
    c.args(["-test.v", &format!("-test.timeout={LIMIT}")]).current_dir(dir);
    if *name == "client/apiutil" {
        // The others download an old control plane.
        c.arg("-test.run=/aggregatedDiscovery=true");
    } else {
        // Some specs race: one wants an informer not to have synced by the time that it looks, which
        // takes longer with the real server. What had to be run again is told.
        c.arg("-ginkgo.flake-attempts=3");
    }
    c.env("KUBEBUILDER_ASSETS", assets).env("TMPDIR", temporary).env_remove("USE_EXISTING_CLUSTER");
    c.stdin(Stdio::null());
    let started = Instant::now();
    let result = c.output();
    let seconds = started.elapsed().as_secs_f32();
    let (text, ended) = match result {
        Ok(out) => {
            let text = [out.stdout, out.stderr].concat();
            (String::from_utf8_lossy(&text).into_owned(), out.status.success())
        }
        Err(error) => (error.to_string(), false),
    };
    let text = plain(&text);
    // A log that cannot be written is missed by whoever looks for it.
    let _ = std::fs::write(&log, &text);
    Outcome { seconds, ended, ..counted(&text) }
}

/// Text without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find('m').map_or(rest.len(), |end| end + 1);
        rest = &rest[end..];
    }
    out + rest
}

/// What a test program says of itself: specs of Ginkgo, or Go's tests where there are none.
fn counted(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let go = |mark: &str| text.lines().filter(|line| line.trim_start().starts_with(mark)).count();
    let summary = text.lines().rev().find(|line| line.contains(" Passed | "));
    let number = |word: &str| {
        let line = summary?;
        let before = &line[..line.find(word)?];
        before.split_whitespace().last()?.parse::<usize>().ok()
    };
    match (number(" Passed"), number(" Failed")) {
        (Some(passed), Some(failed)) if passed + failed > 0 => {
            outcome.passed = passed;
            outcome.failed = failed;
            outcome.again = number(" Flaked").unwrap_or(0);
        }
        _ => {
            outcome.passed = go("--- PASS");
            outcome.failed = go("--- FAIL");
        }
    }
    for line in text.lines().map(str::trim_start) {
        let named = line.strip_prefix("[FAIL] ").or_else(|| line.strip_prefix("--- FAIL: "));
        if let Some(named) = named.map(str::to_owned)
            && !outcome.failures.contains(&named)
        {
            outcome.failures.push(named);
        }
    }
    outcome
}

/// Ends the programs of a folder that tests have left running.
fn stop_leftovers(assets: &Path) {
    let prefix = format!("{}/", assets.display());
    let left = || -> Vec<String> {
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        let ours = |id: &String| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            line.starts_with(prefix.as_bytes())
        };
        let ids = processes.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        ids.filter(|id| id.parse::<u32>().is_ok()).filter(ours).collect()
    };
    for signal in ["-TERM", "-KILL"] {
        let deadline = Instant::now() + Duration::from_secs(10);
        for id in left() {
            let _ = Command::new("kill").args([signal, &id]).stderr(Stdio::null()).status();
        }
        while !left().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn print(packages: &[&Package], ours: &[Outcome], real: Option<&[Outcome]>) {
    let beside = if real.is_some() { "  real: passed failed      s" } else { "" };
    println!("{:<28} passed failed      s{beside}", "package");
    let cells = |outcome: &Outcome| {
        let ended = if outcome.ended || outcome.failed > 0 { ' ' } else { '!' };
        format!("{:>6} {:>6} {:>6.1}{ended}", outcome.passed, outcome.failed, outcome.seconds)
    };
    let total = |outcomes: &[Outcome]| {
        let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum();
        Outcome {
            passed: sum(|o| o.passed),
            failed: sum(|o| o.failed),
            again: sum(|o| o.again),
            seconds: outcomes.iter().map(|o| o.seconds).sum(),
            ended: true,
            failures: Vec::new(),
        }
    };
    let line = |name: &str, ours: &Outcome, real: Option<&Outcome>| {
        let real = real.map(|real| format!("       {}", cells(real))).unwrap_or_default();
        println!("{name:<28} {}{real}", cells(ours));
    };
    for (at, (package, outcome)) in packages.iter().zip(ours).enumerate() {
        let mark = if package.must { "" } else { " (told)" };
        line(&format!("{}{mark}", package.name), outcome, real.and_then(|real| real.get(at)));
    }
    line("all", &total(ours), real.map(total).as_ref());
    for (package, outcome) in packages.iter().zip(ours) {
        if outcome.again > 0 {
            println!("run again in {}: {} specs", package.name, outcome.again);
        }
        for failure in outcome.failures.iter().filter(|_| package.must) {
            println!("failed in {}: {failure}", package.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_say_is_counted() {
        let text = "\u{1b}[1mRan 3 of 4 Specs\u{1b}[0m\n  [FAIL] A [It] b\n[FAIL] A [It] b\n\
                    FAIL! -- \u{1b}[32m2 Passed\u{1b}[0m | \u{1b}[31m1 Failed\u{1b}[0m | 1 Flaked | 0 Pending\n\
                    --- FAIL: TestSource (1s)\n";
        let outcome = counted(&plain(text));
        assert_eq!((outcome.passed, outcome.failed, outcome.again), (2, 1, 1));
        assert_eq!(outcome.failures, ["A [It] b", "TestSource (1s)"]);
        let outcome =
            counted("--- PASS: TestA (0s)\n    --- PASS: TestA/b (0s)\n--- FAIL: TestC\n");
        assert_eq!((outcome.passed, outcome.failed), (2, 1));
        assert_eq!(counted("").passed, 0);
    }

    #[test]
    fn fewer_specs_than_there_were_are_not_enough() {
        let outcome = Outcome { passed: 5, ended: true, ..Outcome::default() };
        assert!(is_whole(&must("x", 5), &outcome));
        assert!(!is_whole(&must("x", 6), &outcome));
        assert!(!is_whole(
            &must("x", 5),
            &Outcome { ended: false, passed: 5, ..Outcome::default() }
        ));
    }
}
