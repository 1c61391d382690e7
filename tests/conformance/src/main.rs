//! Compares pintle with Go. `fixtures DIR` reads a folder of objects that Go encoded; run it as
//! `cargo xtask conformance fixtures DIR`.
mod fixtures;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["fixtures", dir] => match fixtures::run(dir.as_ref()) {
            Ok(report) => {
                print!("{report}");
                if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(e) => {
                eprintln!("conformance: {e}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: cargo xtask conformance fixtures DIR");
            ExitCode::FAILURE
        }
    }
}
