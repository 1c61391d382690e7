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
    sanitize::command(&[])?;
    fuzz::command(&[])?;
    conformance::command(&["fixtures".into()])?;
    conformance::command(&["tables".into()])?;
    conformance::command(&["apimachinery".into()])?;
    conformance::command(&["kubectl".into()])?;
    conformance::command(&["clients".into()])?;
    // Against recorded transcripts `cargo test` compares; here the real server is asked again.
    conformance::command(&["apiserver".into()])?;
    e2e::command(&[])?;
    // controller-runtime's own tests on the stand-in; what the real pair does is known.
    conformance::command(&["envtest".into(), "--embedded".into(), "--jobs".into(), "2".into()])
}
