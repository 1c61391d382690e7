//! `cargo xtask fuzz`: the targets of `fuzz/`, built as cargo-fuzz builds them and each run for a
//! while. Needs a nightly toolchain, and nothing else.
use crate::process::{only, option, run};
use crate::root;
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// What cargo-fuzz tells the compiler.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Zsanitizer=address --cfg fuzzing";

/// `[--seconds N] [--target NAME]`.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--seconds", "--target"], &[])?;
    let seconds = option(args, "--seconds").unwrap_or("10");
    let _: u32 = seconds.parse().map_err(|_| format!("--seconds wants a number, not {seconds}"))?;
    if !nightly() {
        eprintln!(
            "SKIPPED: the nightly toolchain is not installed: rustup toolchain install nightly"
        );
        return Ok(());
    }
    let home = root().join("fuzz");
    let mut names = targets(&home)?;
    if let Some(one) = option(args, "--target") {
        if !names.iter().any(|name| name == one) {
            return Err(format!("no target {one}; there are: {}", names.join(", ")));
        }
        names = vec![one.to_owned()];
    }
    let products = root().join("target").join("fuzz");
    let mut build = Command::new("cargo");
    build.args(["+nightly", "build", "--release", "--target", TARGET, "--target-dir"]);
    build.arg(&products).env("RUSTFLAGS", FLAGS).current_dir(&home);
    for name in &names {
        build.args(["--bin", name]);
    }
    // The toolchain is the one named above, not the one that runs this.
    run(build.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN"))?;
    for name in &names {
        let [corpus, artifacts] = ["corpus", "artifacts"].map(|kind| home.join(kind).join(name));
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        let mut fuzz = Command::new(products.join(TARGET).join("release").join(name));
        fuzz.arg(&corpus).arg(home.join("seeds").join(name)).args([
            &format!("-max_total_time={seconds}"),
            "-print_final_stats=1",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-verbosity=0",
        ]);
        fuzz.arg(format!("-artifact_prefix={}/", artifacts.display()));
        run(&mut fuzz)?;
    }
    Ok(())
}

fn targets(home: &std::path::Path) -> Result<Vec<String>, String> {
    let folder = home.join("fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    let stem = |f: &PathBuf| Some(f.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = files.iter().filter_map(stem).collect();
    names.sort();
    Ok(names)
}

fn nightly() -> bool {
    let mut c = Command::new("rustc");
    c.args(["+nightly", "--version"]).env_remove("RUSTUP_TOOLCHAIN");
    c.output().is_ok_and(|o| o.status.success())
}
