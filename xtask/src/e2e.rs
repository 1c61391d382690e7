//! `cargo xtask e2e`: the end-to-end tests, on the embedded server and on a real one.
use crate::control_plane::{Running, build, folder};
use crate::process::{cargo, flag, only, option, run};

/// Runs the tests of tests/e2e twice. A real server is, in this order: `--kubeconfig FILE`, the
/// programs in `KUBEBUILDER_ASSETS`, the control plane that Go builds.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--kubeconfig", "--test"], &["--embedded", "--real"])?;
    let filter = option(args, "--test");
    let only_real = flag(args, "--real");
    if !only_real {
        eprintln!("== end to end on the embedded server");
        run(&mut tests(filter))?;
    }
    if flag(args, "--embedded") {
        return Ok(());
    }
    if let Some(file) = option(args, "--kubeconfig") {
        eprintln!("== end to end on the cluster of {file}");
        let file = std::path::absolute(file).map_err(|e| format!("{file}: {e}"))?;
        return run(tests(filter).env("PINTLE_E2E_KUBECONFIG", file));
    }
    if std::env::var_os("KUBEBUILDER_ASSETS").is_some_and(|v| !v.is_empty()) {
        eprintln!("== end to end on the programs in KUBEBUILDER_ASSETS");
        return run(tests(filter).env("PINTLE_E2E_ASSETS", "1"));
    }
    let Some(program) = build()? else {
        let in_ci = std::env::var_os("CI").is_some();
        let what = "the end-to-end tests on a real API server: Go is not installed, \
                    KUBEBUILDER_ASSETS is not set and no --kubeconfig is given";
        if in_ci {
            return Err(format!("nothing is skipped in CI, but cannot run {what}"));
        }
        eprintln!("SKIPPED: {what}");
        return Ok(());
    };
    eprintln!("== end to end on the real control plane");
    let control_plane = Running::start(&program, folder("e2e"), &["--watch-cache=false"])?;
    run(tests(filter)
        .env("PINTLE_E2E_CONTROL_PLANE", &control_plane.dir)
        .env("PINTLE_CONTROL_PLANE", &program))
}

fn tests(filter: Option<&str>) -> std::process::Command {
    let mut c = cargo(&["test", "--quiet", "--package", "pintle-e2e"]);
    if let Some(filter) = filter {
        c.arg(filter);
    }
    for name in ["PINTLE_E2E_KUBECONFIG", "PINTLE_E2E_ASSETS", "PINTLE_E2E_CONTROL_PLANE"] {
        c.env_remove(name);
    }
    c
}
