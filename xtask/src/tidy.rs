//! `cargo xtask tidy`: what the compiler does not check. Layers against `cargo metadata`, the
//! headers of generated files, the size and opening of hand-written ones.

mod layers;

use pintle_codegen::emit::HEADER;

use crate::files::{self, SourceFile};
use crate::root;

/// A hand-written file with more lines is two files.
const MAX_LINES: usize = 700;

pub(crate) fn run(args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("usage: cargo xtask tidy".to_owned());
    }
    let root = root();
    let sources = files::sources(&root, "rs")?;
    let mut problems = layers::check(&root)?;
    problems.extend(sources.iter().flat_map(check_file));
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => {
            println!("tidy: {} files and the layers are as they should be", sources.len());
            Ok(())
        }
        n => Err(format!("tidy: {n} problems")),
    }
}

/// What is wrong with one Rust file.
fn check_file(file: &SourceFile) -> Vec<String> {
    let path = &file.path;
    let mut problems = Vec::new();
    let generated = path.contains("/src/generated/");
    let has_header = file.text.lines().next() == Some(HEADER);
    if generated {
        if !has_header {
            problems.push(format!(
                "{path}:1: only `cargo xtask codegen` writes here; its files begin with `{HEADER}`"
            ));
        }
        return problems;
    }
    if has_header {
        problems.push(format!("{path}:1: a generated file belongs in a folder `src/generated`"));
    }
    // What trybuild compiles to see it fail is shown to readers as it is.
    if path.contains("/tests/ui/") {
        return problems;
    }
    if !file.text.starts_with("//!") {
        problems.push(format!(
            "{path}:1: open with `//!`: what part this file plays, and its counterpart in Go"
        ));
    }
    let lines = file.text.lines().count();
    if lines > MAX_LINES {
        problems.push(format!("{path}: {lines} lines; split it, {MAX_LINES} is the limit"));
    }
    for (index, line) in file.text.lines().enumerate() {
        if let Some(word) = leftover(line) {
            let number = index + 1;
            problems.push(format!("{path}:{number}: `{word}`: do it now or open an issue"));
        }
    }
    problems
}

/// A mark of unfinished work.
fn leftover(line: &str) -> Option<&'static str> {
    // Spelled in parts, so that this file passes its own check.
    const MARKS: [&str; 5] = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("to", "do!("),
        concat!("unimplemented", "!("),
    ];
    let boundary = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    MARKS.into_iter().find(|mark| {
        line.match_indices(mark).any(|(at, _)| {
            boundary(line[..at].chars().next_back())
                && boundary(line[at + mark.len()..].chars().next().filter(|_| !mark.ends_with('(')))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expect: &[&str]) {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        let problems = check_file(&file);
        assert_eq!(problems.len(), expect.len(), "{problems:?}");
        for (problem, part) in problems.iter().zip(expect) {
            assert!(problem.contains(part), "{problem} should say {part}");
        }
    }

    #[test]
    fn files() {
        let generated = format!("{HEADER}\npub struct A;\n");
        check("crates/api/src/generated/a.rs", &generated, &[]);
        check("crates/api/src/generated/a.rs", "//! by hand\n", &["only `cargo xtask"]);
        check("crates/api/src/a.rs", &generated, &["src/generated", "open with"]);
        check("crates/api/src/a.rs", "//! part\n", &[]);
        check("crates/api/src/a.rs", "use b;\n", &["open with"]);
        check("crates/api/src/a.rs", &format!("//! x\n{}", "\n".repeat(700)), &["701 lines"]);
        check("crates/macros/tests/ui/a.rs", "fn main() {}\n", &[]);
    }

    #[test]
    fn leftovers() {
        assert!(leftover(concat!("// TO", "DO: later")).is_some());
        assert!(leftover(concat!("    to", "do!(\"x\")")).is_some());
        assert!(leftover("context::todo_list()").is_none());
        assert!(leftover(concat!("let AUTO", "DOC = 1;")).is_none());
    }
}
