//! Running other programs, and saying what went wrong.
use crate::root;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// `cargo` of the toolchain that runs this, in the project's root.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut c = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    c.args(args).current_dir(root());
    c
}

/// Runs a command to its end; prints it first.
pub(crate) fn run(c: &mut Command) -> Result<(), String> {
    let shown = show(c);
    eprintln!("$ {shown}");
    let started = Instant::now();
    let status = c.status().map_err(|e| format!("{shown}: {e}"))?;
    let seconds = started.elapsed().as_secs_f32();
    if seconds > 5.0 {
        eprintln!("  took {seconds:.0} s");
    }
    if status.success() { Ok(()) } else { Err(format!("{shown}: {status}")) }
}

/// What a command prints on standard output.
pub(crate) fn output(c: &mut Command) -> Result<String, String> {
    let shown = show(c);
    let out = c.stderr(Stdio::inherit()).output().map_err(|e| format!("{shown}: {e}"))?;
    if !out.status.success() {
        return Err(format!("{shown}: {}", out.status));
    }
    String::from_utf8(out.stdout).map_err(|e| format!("{shown}: {e}"))
}

/// Whether a program is there.
pub(crate) fn exists(program: &str, arg: &str) -> bool {
    let quiet = Command::new(program).arg(arg).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|s| s.success())
}

fn show(c: &Command) -> String {
    let mut s = c.get_program().to_string_lossy().into_owned();
    if let Some(name) = PathBuf::from(&s).file_name() {
        s = name.to_string_lossy().into_owned();
    }
    for a in c.get_args() {
        s.push(' ');
        s.push_str(&a.to_string_lossy());
    }
    s
}

/// The value of option `--name`, wherever it stands.
pub(crate) fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).map(String::as_str)
}

/// Whether `--name` is there.
pub(crate) fn flag(args: &[String], name: &str) -> bool {
    args.iter().any(|a| a == name)
}

/// An error for arguments that a command does not take.
pub(crate) fn only(args: &[String], options: &[&str], flags: &[&str]) -> Result<(), String> {
    let mut rest = args.iter();
    while let Some(a) = rest.next() {
        if options.contains(&a.as_str()) {
            rest.next().ok_or_else(|| format!("{a} wants a value"))?;
        } else if !flags.contains(&a.as_str()) {
            let known = [options, flags].concat().join(", ");
            return Err(format!("unknown argument {a}; known: {known}"));
        }
    }
    Ok(())
}
