//! Scripts of commands.
//!
//! A line is a command; its first word says how it is run:
//!
//! ```text
//! # for people
//! $ get pods -o wide              # kubectl with these arguments
//! $ edit cm/a < sed s/x/y/        # the same with an editor that does this to the file
//! uid = get cm/a -o jsonpath={.metadata.uid}    # kept, for {uid} in what follows and in manifests
//! & 2 get cm --watch              # in the background, until it has printed two lines
//! proxy /api/v1/namespaces/{ns}/configmaps/a    # through `kubectl proxy`
//! ```

use std::path::Path;

/// One script.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

/// One line of a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Run { command: String, editor: Option<String> },
    Keep { name: String, command: String },
    Background { lines: usize, command: String },
    Proxy { path: String },
}

/// All scripts of a folder, by name.
pub(crate) fn read_all(dir: &Path) -> Result<Vec<Scenario>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut scenarios = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        scenarios.push(parse(&name, &text)?);
    }
    Ok(scenarios)
}

fn parse(name: &str, text: &str) -> Result<Scenario, String> {
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        lines.push(match first {
            "$" => match rest.split_once(" < ") {
                Some((command, editor)) => {
                    Line::Run { command: command.to_owned(), editor: Some(editor.to_owned()) }
                }
                None => Line::Run { command: rest.to_owned(), editor: None },
            },
            "&" => {
                let (count, command) = rest.split_once(' ').unwrap_or_default();
                let lines = count.parse().map_err(|_| format!("{name}: {line}: no number"))?;
                Line::Background { lines, command: command.to_owned() }
            }
            "proxy" => Line::Proxy { path: rest.to_owned() },
            _ => match rest.strip_prefix("= ") {
                Some(command) => Line::Keep { name: first.to_owned(), command: command.to_owned() },
                None => return Err(format!("{name}: cannot read {line}")),
            },
        });
    }
    Ok(Scenario { name: name.to_owned(), lines })
}

/// The words of a command, as a shell takes them apart.
pub(crate) fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                begun = true;
            }
            (None, ' ') => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (None, c) => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = "# x\n$ get cm\n\nuid = get cm -o name\n& 2 get cm -w\n$ edit cm/a < s/a/b/\n";
        let scenario = parse("x", text).expect("a script");
        assert_eq!(scenario.lines.len(), 4);
        assert_eq!(
            scenario.lines[3],
            Line::Run { command: "edit cm/a".to_owned(), editor: Some("s/a/b/".to_owned()) }
        );
        assert!(parse("x", "what is this").is_err());
    }

    #[test]
    fn quotes() {
        assert_eq!(words("a 'b c' d=\"e f\" ''"), ["a", "b c", "d=e f", ""]);
    }
}
