//! The project's commands: `cargo xtask` lists them.
//!
//! A command is a module with `pub(crate) fn run(args: &[String]) -> Result<(), String>` and one
//! line in [`COMMANDS`]. Keep the dependencies few: every command waits for this to compile.

mod bench;
mod ci;
mod codegen;
mod conformance;
mod control_plane;
mod e2e;
mod envtest;
mod files;
mod fuzz;
mod process;
mod sanitize;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

type Run = fn(&[String]) -> Result<(), String>;

/// Every command: name, arguments, what it does, where it is.
const COMMANDS: &[(&str, &str, &str, Run)] = &[
    (
        "bench",
        "sync [--objects N] [--mix realistic | distinct | both] | build | small | apimachinery [--seconds N] | apiserver [--objects N] [--watchers N] [--embedded] | start",
        "pintle beside client-go and kube-rs: informers, builds, small parts; how fast the API server starts",
        bench::command,
    ),
    ("ci", "[--quick]", "everything that must hold before a change lands", ci::command),
    (
        "codegen",
        "[--check] | import DIR | import --from-modules",
        "write everything generated from the schema, or check it; import distils a new schema",
        codegen::run,
    ),
    (
        "conformance",
        "fixtures [DIR | --seed S --count N] | apimachinery [--seed S] [--cases N] [--only AREA,..] | apiserver [--record] [--only FAMILY,..] | envtest [--embedded] [--release] [--only PKG,..] [--jobs N] | clients | tables [--write]",
        "every kind, function and request agrees with Go: objects it encoded, answers it gave, tests it has",
        conformance::command,
    ),
    (
        "control-plane",
        "build | serve [--dir DIR]",
        "the real etcd, kube-apiserver and kube-controller-manager, built with Go",
        control_plane::command,
    ),
    (
        "e2e",
        "[--embedded | --real] [--kubeconfig FILE] [--test NAME]",
        "end-to-end tests on the embedded server and on a real one",
        e2e::command,
    ),
    (
        "fuzz",
        "[--seconds N] [--target NAME]",
        "every parser with inputs that a fuzzer makes up, each for N seconds; needs nightly Rust",
        fuzz::command,
    ),
    (
        "sanitize",
        "[address | thread | loom]",
        "the unsafe primitives under AddressSanitizer, ThreadSanitizer and loom",
        sanitize::command,
    ),
    ("tidy", "", "check layers, generated headers, file sizes and opening lines", tidy::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        print!("{}", help());
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some((.., run)) = COMMANDS.iter().find(|(command, ..)| command == name) else {
        eprintln!("error: no command `{name}`\n\n{}", help());
        return ExitCode::FAILURE;
    };
    match run(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let mut out = "cargo xtask COMMAND\n\n".to_owned();
    for (name, args, what, _) in COMMANDS {
        let shown = format!("{name} {args}");
        out += &format!("  {}\n      {what}\n", shown.trim_end());
    }
    out
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(PathBuf::from).unwrap_or(own)
}
