//! `cargo xtask e2e`: the end-to-end tests, on the embedded server and on a real one.
use crate::control_plane::{Running, build, folder};
use crate::process::{cargo, flag, only, option, run};
use std::process::Command;

/// Variables by which the tests know their server.
const VARIABLES: [&str; 5] = [
    "PINTLE_E2E_KUBECONFIG",
    "PINTLE_E2E_ASSETS",
    "PINTLE_E2E_CONTROL_PLANE",
    "PINTLE_E2E_WATCH_CACHE",
    "PINTLE_E2E_ALONE",
];

/// Tests at a time on a real server: they wait more than they compute.
const AT_A_TIME: &str = "8";

/// Runs the tests of tests/e2e on the embedded server and on a real one. That is, in this order:
/// `--kubeconfig FILE`, the programs in `KUBEBUILDER_ASSETS`, the control plane that Go builds;
/// the latter once without its watch cache, so that etcd's compactions are felt, and once as
/// clusters have it. Tests say on standard error what they leave out.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--kubeconfig", "--test"], &["--embedded", "--real"])?;
    let filter = option(args, "--test");
    let (embedded, real) = (flag(args, "--embedded"), flag(args, "--real"));
    if !real || embedded {
        eprintln!("== end to end on the embedded server");
        run(&mut tests(filter))?;
    }
    if embedded && !real {
        return Ok(());
    }
    if let Some(file) = option(args, "--kubeconfig") {
        eprintln!("== end to end on the cluster of {file}");
        let file = std::path::absolute(file).map_err(|e| format!("{file}: {e}"))?;
        return run(on_real(filter).env("PINTLE_E2E_KUBECONFIG", file));
    }
    if std::env::var_os("KUBEBUILDER_ASSETS").is_some_and(|v| !v.is_empty()) {
        eprintln!("== end to end on the programs in KUBEBUILDER_ASSETS");
        return run(on_real(filter).env("PINTLE_E2E_ASSETS", "1"));
    }
    let Some(program) = build()? else {
        let what = "the end-to-end tests on a real API server: Go is not installed, \
                    KUBEBUILDER_ASSETS is not set and no --kubeconfig is given";
        if std::env::var_os("CI").is_some() {
            return Err(format!("nothing is skipped in CI, but cannot run {what}"));
        }
        eprintln!("SKIPPED: {what}");
        return Ok(());
    };
    for (what, flags, cache) in [
        ("without its watch cache", &["--watch-cache=false"][..], ""),
        ("as clusters have it", &[], "1"),
    ] {
        eprintln!("== end to end on the real control plane, {what}");
        let control_plane = Running::start(&program, folder("e2e"), flags)?;
        let on_this = |filter| {
            let mut c = on_real(filter);
            c.env("PINTLE_E2E_CONTROL_PLANE", &control_plane.dir)
                .env("PINTLE_E2E_WATCH_CACHE", cache)
                .env("PINTLE_CONTROL_PLANE", &program);
            c
        };
        run(&mut on_this(filter))?;
        if !cache.is_empty() && filter.is_none_or(|f| f.starts_with("restarts")) {
            eprintln!("== end to end on the real control plane, while it restarts");
            run(on_this(Some("restarts::")).env("PINTLE_E2E_ALONE", "1"))?;
        }
    }
    Ok(())
}

fn tests(filter: Option<&str>) -> Command {
    let mut c = cargo(&["test", "--quiet", "--package", "pintle-e2e"]);
    c.args(filter);
    for name in VARIABLES {
        c.env_remove(name);
    }
    c
}

fn on_real(filter: Option<&str>) -> Command {
    let mut c = tests(filter);
    c.env("RUST_TEST_THREADS", AT_A_TIME);
    c
}
