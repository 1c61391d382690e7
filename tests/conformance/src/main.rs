//! Compares pintle with Go. `fixtures DIR` reads a folder of objects that Go encoded,
//! `apimachinery` asks Go's functions and ours the same questions; run them as
//! `cargo xtask conformance`.
// Without the star, what is picked from would have to be of a size known beforehand.
#![allow(clippy::explicit_auto_deref)]

mod apimachinery;
mod fixtures;

use std::process::ExitCode;

const USAGE: &str = "usage: pintle-conformance fixtures DIR
       pintle-conformance apimachinery --program PATH --seed S --cases N [--only AREA,..]
       pintle-conformance tables --program PATH [--write] FOLDER...
       pintle-conformance areas";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["fixtures", dir] => fixtures::run(dir.as_ref()).map(|report| {
            print!("{report}");
            report.failed() == 0
        }),
        ["apimachinery", ..] => {
            plan(&words[1..]).and_then(|p| apimachinery::run(&p)).map(|failed| failed == 0)
        }
        ["tables", ref rest @ ..] => tables(rest),
        ["areas"] => {
            println!("{}", apimachinery::names().join("\n"));
            Ok(true)
        }
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("conformance: {e}");
            ExitCode::FAILURE
        }
    }
}

fn tables(words: &[&str]) -> Result<bool, String> {
    let ["--program", program, rest @ ..] = words else { return Err(USAGE.into()) };
    let write = rest.first() == Some(&"--write");
    let folders: Vec<_> = rest.iter().skip(usize::from(write)).map(Into::into).collect();
    Ok(apimachinery::tables::run(program.as_ref(), &folders, write)? == 0)
}

fn plan(words: &[&str]) -> Result<apimachinery::Plan, String> {
    let value = |name: &str| {
        let at = words.iter().position(|w| *w == name)?;
        words.get(at + 1).copied()
    };
    let number = |name: &str| {
        let text = value(name).ok_or(USAGE)?;
        text.parse().map_err(|_| format!("{name} wants a number, not {text}"))
    };
    let only = value("--only").map(|v| v.split(',').map(str::to_owned).collect());
    Ok(apimachinery::Plan {
        program: value("--program").ok_or(USAGE)?.into(),
        seed: number("--seed")?,
        cases: number("--cases")?,
        only: only.unwrap_or_default(),
    })
}
