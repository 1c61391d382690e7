//! `cargo xtask bench small`: the parts that a controller lives on, beside Go's own figures from
//! the same run. Ours are the criterion benchmarks of `benches/benches/small.rs`, under Go's names; one of them has no
//! counterpart of its own.
use super::table::{Table, ratio};
use super::{client_go, machine};
use crate::process::{cargo, only, output, run};
use crate::root;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// No arguments.
pub(super) fn command(args: &[String]) -> Result<(), String> {
    only(args, &[], &[])?;
    let go = client_go()?.ok_or("needs client-go: install Go 1.26 or later")?;
    let theirs = output(Command::new(go).arg("bench-micro"))?;
    let theirs: Value = serde_json::from_str(&theirs).map_err(|e| format!("{theirs:?}: {e}"))?;
    let home = root().join("target").join("criterion");
    let mut c = cargo(&["bench", "--package", "pintle-benches", "--bench", "small"]);
    run(c.args(["--", "--noplot"]).env("CRITERION_HOME", &home))?;
    println!(
        "\n## In the small, ns/op\n\n{}, {}.\n",
        machine(),
        theirs["go"].as_str().unwrap_or("Go")
    );
    let mut table = Table::new(&["", "pintle", "Go", "Go / pintle"]);
    let mut slower = Vec::new();
    let theirs = theirs["ns_per_op"].as_object().ok_or("Go's figures are missing")?;
    let same_name = theirs.keys().map(|name| (name.as_str(), name.as_str()));
    for (name, go) in same_name.chain([("get_by_key_in_place", "get_by_key")]) {
        let ns = theirs.get(go).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let own = median(&home.join(name))?;
        let shown = name.replace('_', " ");
        table.row(vec![shown.clone(), format!("{own:.1}"), format!("{ns:.1}"), ratio(ns, own)]);
        if own > ns {
            slower.push(format!("{shown} by {:.0} %", (own / ns - 1.0) * 100.0));
        }
    }
    table.print();
    match slower.is_empty() {
        true => println!("\nNone is slower than Go's."),
        false => println!("\nSlower than Go's: {}", slower.join(", ")),
    }
    Ok(())
}

/// What criterion wrote down of a benchmark.
fn median(folder: &Path) -> Result<f64, String> {
    let file = folder.join("new").join("estimates.json");
    let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let estimates: Value =
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
    let median = estimates["median"]["point_estimate"].as_f64();
    median.ok_or_else(|| format!("{}: no median", file.display()))
}
