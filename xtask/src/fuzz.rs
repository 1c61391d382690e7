//! `cargo xtask fuzz`: the targets of `fuzz/`, built as cargo-fuzz builds them and each run for a
//! number of inputs or for a while. Needs a nightly toolchain, and nothing else.
//!
//! Without `--seconds` a run can be repeated: it begins with the seeds in the tree alone, goes on
//! with inputs that follow from `--seed`, and ends after so many. Such a run decides whether a
//! change lands; what finds something new runs for `--seconds` and keeps its corpus.
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

/// How many inputs a target gets, and the seed that they follow from.
const RUNS: &str = "5000";
const SEED: &str = "1";

/// `[--runs N] [--seconds N] [--seed S] [--target NAME]`.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--runs", "--seconds", "--seed", "--target"], &[])?;
    for name in ["--runs", "--seconds", "--seed"] {
        let number = |text: &str| text.parse::<u32>().is_ok();
        if let Some(wrong) = option(args, name).filter(|text| !number(text)) {
            return Err(format!("{name} wants a number, not {wrong}"));
        }
    }
    let seconds = option(args, "--seconds");
    if seconds.is_some() && option(args, "--runs").is_some() {
        return Err("--runs or --seconds, not both".into());
    }
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
        let mut fuzz = Command::new(products.join(TARGET).join("release").join(name));
        let artifacts = home.join("artifacts").join(name);
        let corpus = match seconds {
            Some(_) => home.join("corpus").join(name),
            None => products.join("fresh").join(name),
        };
        match seconds {
            Some(seconds) => {
                fuzz.arg(format!("-max_total_time={seconds}"));
                if let Some(seed) = option(args, "--seed") {
                    fuzz.arg(format!("-seed={seed}"));
                }
            }
            None => {
                // What was found before would change what comes now.
                let _ = std::fs::remove_dir_all(&corpus);
                let [runs, seed] = [("--runs", RUNS), ("--seed", SEED)]
                    .map(|(name, otherwise)| option(args, name).unwrap_or(otherwise));
                fuzz.args([&format!("-runs={runs}"), &format!("-seed={seed}")]);
                // Compared values may be addresses, which are others in every run.
                fuzz.arg("-use_cmp=0");
            }
        }
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        fuzz.args(["-timeout=10", "-rss_limit_mb=2048", "-verbosity=0", "-print_final_stats=1"]);
        fuzz.arg(format!("-artifact_prefix={}/", artifacts.display()));
        run(fuzz.arg(&corpus).arg(home.join("seeds").join(name)))?;
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
