//! `cargo xtask sanitize`: the primitives' unsafe code under AddressSanitizer (with leaks),
//! ThreadSanitizer and loom. The sanitizers need a nightly toolchain; ThreadSanitizer its
//! `rust-src` too, since only an instrumented standard library gives no false alarms.
use crate::process::{cargo, output, run};
use crate::root;
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const TESTS: [&str; 3] = ["rep::", "reflect::", "fields_v1::"];

/// `[address | thread | loom]`; all without an argument.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    let what: Vec<&str> = match args {
        [] => vec!["loom", "address", "thread"],
        [one] if matches!(one.as_str(), "address" | "thread" | "loom") => vec![one],
        _ => return Err("usage: cargo xtask sanitize [address | thread | loom]".into()),
    };
    if what.contains(&"loom") {
        loom()?;
    }
    if what == ["loom"] {
        return Ok(());
    }
    if !nightly() {
        return skip("the nightly toolchain is not installed: rustup toolchain install nightly");
    }
    for sanitizer in what.into_iter().filter(|w| *w != "loom") {
        let mut c = Command::new("cargo");
        c.args(["+nightly", "test", "--quiet", "--package", "pintle-apimachinery", "--lib"]);
        c.args(["--target", TARGET, "--target-dir"]);
        c.arg(root().join("target").join(format!("sanitize-{sanitizer}")));
        if sanitizer == "thread" {
            if !has_source()? {
                skip("ThreadSanitizer needs: rustup component add rust-src --toolchain nightly")?;
                continue;
            }
            c.arg("-Zbuild-std");
        }
        c.env("RUSTFLAGS", format!("-Zsanitizer={sanitizer}")).env_remove("CARGO");
        // The toolchain is the one named above, not the one that runs this.
        c.env_remove("RUSTUP_TOOLCHAIN").arg("--").args(TESTS).current_dir(root());
        run(&mut c)?;
    }
    Ok(())
}

fn has_source() -> Result<bool, String> {
    let mut c = Command::new("rustc");
    c.args(["+nightly", "--print", "sysroot"]).env_remove("RUSTUP_TOOLCHAIN");
    let sysroot = output(&mut c)?;
    let source = std::path::Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    Ok(source.exists())
}

/// Says what is left out.
fn skip(why: &str) -> Result<(), String> {
    eprintln!("SKIPPED: {why}");
    Ok(())
}

fn nightly() -> bool {
    let mut c = Command::new("rustc");
    c.args(["+nightly", "--version"]).env_remove("RUSTUP_TOOLCHAIN");
    c.output().is_ok_and(|o| o.status.success())
}

/// Every interleaving of the counts and of the queue's wake-ups.
fn loom() -> Result<(), String> {
    for package in ["pintle-apimachinery", "pintle-controller"] {
        let mut c = cargo(&["test", "--quiet", "--package", package, "--no-default-features"]);
        c.args(["--lib", "loom_tests", "--target-dir"]).arg(root().join("target").join("loom"));
        run(c.env("RUSTFLAGS", "--cfg loom"))?;
    }
    Ok(())
}
