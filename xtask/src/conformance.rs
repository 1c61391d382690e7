//! `cargo xtask conformance`: compares pintle with Go.
use crate::control_plane::{Running, build, folder, module_folder};
use crate::process::{cargo, flag, only, option, output, run};
use crate::root;
use std::process::Command;

/// `fixtures DIR`, or without a folder: a fresh one that Go fills, and those that k8s.io/api has of
/// this release and earlier ones.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    match args {
        [what, dir] if what == "fixtures" && !dir.starts_with("--") => fixtures(dir),
        [what, rest @ ..] if what == "fixtures" => {
            only(rest, &["--seed", "--count"], &[])?;
            let seed = option(rest, "--seed").map_or_else(fresh_seed, str::to_owned);
            generated(&seed, option(rest, "--count").unwrap_or("20"))?;
            published()
        }
        [what, rest @ ..] if what == "apimachinery" => {
            only(rest, &["--seed", "--cases", "--only"], &[])?;
            apimachinery(rest)
        }
        [what, rest @ ..] if what == "apiserver" => {
            only(rest, &["--only"], &["--record"])?;
            apiserver(option(rest, "--only"), flag(rest, "--record"))
        }
        [what, rest @ ..] if what == "envtest" => crate::envtest::command(rest),
        [what] if what == "clients" => clients(),
        [what, rest @ ..] if what == "kubectl" => {
            only(rest, &["--only"], &["--verbose"])?;
            kubectl(option(rest, "--only"), flag(rest, "--verbose"))
        }
        [what, rest @ ..] if what == "tables" => {
            only(rest, &[], &["--write"])?;
            tables(flag(rest, "--write"))
        }
        _ => Err("usage: cargo xtask conformance fixtures [DIR | --seed S --count N]\n       \
                  cargo xtask conformance apimachinery [--seed S] [--cases N] [--only AREA,..]\n       \
                  cargo xtask conformance apiserver [--record] [--only FAMILY,..]\n       \
                  cargo xtask conformance envtest [--embedded] [--release] [--only PKG,..] [--jobs N]\n       \
                  cargo xtask conformance clients\n       \
                  cargo xtask conformance kubectl [--verbose] [--only SCENARIO,..]\n       \
                  cargo xtask conformance tables [--write]"
            .into()),
    }
}

/// Asks Go whether the tables that crates test themselves against are what it says, or writes them.
fn tables(write: bool) -> Result<(), String> {
    let program = build()?.ok_or("Go is not installed: install Go 1.26 or later")?;
    let mut command = cargo(&["run", "--quiet", "--package", "pintle-conformance"]);
    command.args(["--", "tables", "--program"]).arg(program);
    command.args(write.then_some("--write"));
    let crates = root().join("crates");
    let entries = std::fs::read_dir(&crates).map_err(|e| format!("{}: {e}", crates.display()))?;
    let mut folders: Vec<_> = entries
        .flatten()
        .map(|e| e.path().join("testdata/answers"))
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    run(command.args(folders))
}

/// Asks Go's functions and ours the same questions.
fn apimachinery(args: &[String]) -> Result<(), String> {
    /// From here on an optimised build pays.
    const MANY: u64 = 200_000;
    let program = build()?.ok_or("Go is not installed: install Go 1.26 or later")?;
    let seed = option(args, "--seed").map_or_else(fresh_seed, str::to_owned);
    let cases = option(args, "--cases").unwrap_or("2000");
    let many = cases.parse().is_ok_and(|n: u64| n >= MANY);
    let mut command = cargo(&["run", "--quiet", "--package", "pintle-conformance"]);
    if many {
        command.arg("--release");
    }
    command.args(["--", "apimachinery", "--seed", &seed, "--cases", cases, "--program"]);
    command.arg(program);
    if let Some(areas) = option(args, "--only") {
        command.args(["--only", areas]);
    }
    run(&mut command)
}

/// Sends the same requests to the embedded server and to a real one, and compares the answers;
/// without Go, with the answers that were recorded.
fn apiserver(families: Option<&str>, record: bool) -> Result<(), String> {
    let program = build()?;
    if program.is_none() && (record || std::env::var_os("CI").is_some()) {
        return Err("a real API server is needed: install Go 1.26 or later".into());
    }
    let mut command = cargo(&["run", "--quiet", "--package", "pintle-differential", "--", "--dir"]);
    command.arg(folder("differential"));
    match program {
        Some(program) => {
            command.arg("--program").arg(program);
        }
        None => eprintln!("SKIPPED: the real API server: Go is not installed"),
    }
    command.args(record.then_some("--record"));
    if let Some(families) = families {
        command.args(["--only", families]);
    }
    run(&mut command)
}

/// Has informers of client-go and kube-rs follow the embedded server beside ours, and runs its test
/// under load with all objects: a minute without optimisation, less than it would take to optimise.
fn clients() -> Result<(), String> {
    let mut test = cargo(&["test", "--quiet", "--package", "pintle-e2e", "--test", "clients"]);
    match crate::bench::client_go()? {
        Some(program) => {
            test.env("PINTLE_CLIENT_GO", program);
        }
        None if std::env::var_os("CI").is_some() => {
            return Err("nothing is skipped in CI: install Go 1.26 or later".into());
        }
        None => eprintln!("SKIPPED: client-go's informer: Go is not installed"),
    }
    run(&mut crate::bench::peers_cargo(&["build", "--package", "peer-follow"]))?;
    test.env("PINTLE_KUBE_RS", crate::bench::peers_target().join("debug").join("peer-follow"));
    test.args(["--", "--nocapture"]);
    run(&mut test)?;
    let load = ["test", "--quiet", "--package", "pintle-apiserver", "--test", "load"];
    run(cargo(&load).args(["--", "--nocapture"]).env("PINTLE_LOAD_OBJECTS", "10000"))
}

/// The older kubectl's release.
const OLD_KUBECTL: &str = "v1.28.15";

/// Runs kubectl, new and old, against the embedded server and a real one, and compares what it
/// says; the OpenAPI documents of both as well.
fn kubectl(scenarios: Option<&str>, verbose: bool) -> Result<(), String> {
    let Some(program) = build()? else {
        let what = "kubectl against the embedded server and a real one: Go is not installed";
        if std::env::var_os("CI").is_some() {
            return Err(format!("nothing is skipped in CI, but cannot run {what}"));
        }
        eprintln!("SKIPPED: {what}");
        return Ok(());
    };
    let dir = folder("kubectl");
    let (new, old) = (dir.join("new"), dir.join("old"));
    for folder in [&new, &old] {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    // Called by this name, the program is kubectl, and names itself so.
    let (new, old) = (new.join("kubectl"), old.join("kubectl"));
    let program = std::path::absolute(&program).map_err(|e| e.to_string())?;
    let _ = std::fs::remove_file(&new);
    std::os::unix::fs::symlink(&program, &new).map_err(|e| format!("{}: {e}", new.display()))?;
    let (server, client) = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version");
    let ldflags = format!(
        "-s -w -X {server}.gitVersion={OLD_KUBECTL} -X {server}.gitMajor=1 \
         -X {server}.gitMinor=28 -X {client}.gitVersion={OLD_KUBECTL}"
    );
    let source = root().join("tests").join("kubectl-old");
    run(Command::new("go")
        .args(["build", "-buildvcs=false", "-ldflags", &ldflags, "-o"])
        .arg(&old)
        .arg(".")
        .current_dir(source))?;
    let flags = ["--controller-manager=false"];
    let real = Running::start(&program, dir.join("server"), &flags)?;
    let mut command = cargo(&["run", "--quiet", "--package", "pintle-kubectl", "--", "--new"]);
    command.arg(new).arg("--old").arg(old).arg("--dir").arg(dir.join("runs"));
    command.arg("--kubeconfig").arg(real.dir.join("kubeconfig"));
    command.args(verbose.then_some("--verbose"));
    if let Some(scenarios) = scenarios {
        command.args(["--only", scenarios]);
    }
    run(&mut command)
}

fn fresh_seed() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |d| d.as_secs()).to_string()
}

fn fixtures(dir: &str) -> Result<(), String> {
    run(&mut cargo(&["run", "--quiet", "--package", "pintle-conformance", "--", "fixtures", dir]))
}

/// Has Go fill every kind with random values, and compares.
fn generated(seed: &str, count: &str) -> Result<(), String> {
    let program = build()?.ok_or("Go is not installed: name a folder of fixtures instead")?;
    let dir = folder("vectors");
    if dir.exists() {
        std::fs::remove_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    println!("seed {seed}, {count} objects a kind");
    let made = output(
        Command::new(program)
            .args(["vectors", "--seed", seed, "--count", count, "--out"])
            .arg(&dir),
    )?;
    print!("{made}");
    let result = fixtures(&dir.to_string_lossy());
    let removed = std::fs::remove_dir_all(&dir);
    result.and(removed.map_err(|e| format!("{}: {e}", dir.display())))
}

/// The fixtures with which k8s.io/api proves that its types read what earlier releases wrote.
fn published() -> Result<(), String> {
    let dir = std::path::PathBuf::from(module_folder("k8s.io/api")?).join("testdata");
    let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut releases: Vec<_> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    releases.sort();
    if releases.is_empty() {
        return Err(format!("{}: no fixtures", dir.display()));
    }
    releases.iter().try_for_each(|release| fixtures(&release.to_string_lossy()))
}
