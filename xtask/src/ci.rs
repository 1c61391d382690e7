//! `cargo xtask ci`: what must hold before a change lands, after the README's test command.
use crate::process::{cargo, flag, only, run};
use crate::{codegen, conformance, e2e, fuzz, sanitize, tidy};

/// Runs every check in the order in which failures are cheapest.
pub(crate) fn command(args: &[String]) -> Result<(), String> {
    only(args, &[], &["--quick"])?;
    let quick = flag(args, "--quick");
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    codegen::run(&["--check".into()])?;
    tidy::run(&[])?;
    let mut clippy = cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    run(&mut clippy)?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    run(doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
    if quick {
        return Ok(());
    }
    run(&mut cargo(&["test", "--quiet", "--package", "xtask", "--package", "pintle-conformance"]))?;
    // With CBOR, which is off by default.
    run(&mut cargo(&[
        "test",
        "--quiet",
        "--package",
        "pintle-apimachinery",
        "--features",
        "cbor",
    ]))?;
    sanitize::command(&[])?;
    fuzz::command(&[])?;
    conformance::command(&["fixtures".into()])?;
    conformance::command(&["tables".into()])?;
    conformance::command(&["apimachinery".into()])?;
    e2e::command(&[])?;
    with_others(&["kubectl"])?;
    with_others(&["clients"])?;
    // Against recorded transcripts `cargo test` compares; here the real server is asked again.
    with_others(&["apiserver"])?;
    // controller-runtime's own tests on the stand-in; what the real pair does is known.
    with_others(&["envtest", "--embedded", "--jobs", "2"])
}

/// Comparisons in which other people's programs set the pace. One that fails is done once more, so
/// that a delay of theirs does not decide; what ours does wrong fails twice.
fn with_others(what: &[&str]) -> Result<(), String> {
    let args: Vec<String> = what.iter().map(|s| (*s).to_owned()).collect();
    conformance::command(&args).or_else(|e| {
        eprintln!("conformance {}: {e}; once more", what.join(" "));
        conformance::command(&args)
    })
}
