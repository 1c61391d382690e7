//! Tables of questions with Go's answers, which crates test themselves against without Go: asks Go again, and says
//! where a table is not what Go says, or writes it.
use super::area::{Answer, Case, same};
use super::oracle::{Oracle, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Goes through the `*.jsonl` files of folders; the number of lines that differ.
pub(crate) fn run(program: &Path, folders: &[PathBuf], write: bool) -> Result<usize, String> {
    let mut oracle = Oracle::start(program)?;
    let mut names = BTreeMap::new();
    let mut wrong = 0;
    for folder in folders {
        let named = |e: std::io::Error| format!("{}: {e}", folder.display());
        let entries = std::fs::read_dir(folder).map_err(named)?;
        let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        files.retain(|f| f.extension().is_some_and(|e| e == "jsonl"));
        files.sort();
        for file in files {
            wrong += table(&mut oracle, &mut names, &file, write)?;
        }
    }
    Ok(wrong)
}

fn table(
    oracle: &mut Oracle,
    names: &mut BTreeMap<String, &'static str>,
    file: &Path,
    write: bool,
) -> Result<usize, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    let lines = lines.map_err(|e| format!("{}: {e}", file.display()))?;
    let mut cases = Vec::with_capacity(lines.len());
    for line in &lines {
        let name = line["fn"].as_str().ok_or_else(|| format!("{}: {line}", file.display()))?;
        // There are few names of functions, so that it does no harm to keep them for good.
        let function = match names.get(name) {
            Some(kept) => kept,
            None => names.entry(name.to_owned()).or_insert(Box::leak(name.to_owned().into())),
        };
        cases.push(Case::new(function, line["in"].clone()));
    }
    let mut out = String::new();
    let mut wrong = 0;
    for (line, (case, reply)) in lines.iter().zip(oracle.ask(cases)?) {
        let answer: Answer = match reply {
            Reply::Answer(answer) => answer,
            Reply::Bad(why) => return Err(format!("{}: {line}: {why}", file.display())),
        };
        let right = |answer: &Answer| match (answer, line.get("error")) {
            (Ok(go), None) => same(line.get("out").unwrap_or(&Value::Null), go),
            (Err(go), Some(error)) => error == go,
            _ => false,
        };
        if !right(&answer) && !oracle.ever(&case, right)? {
            wrong += 1;
            if !write {
                println!(
                    "{}: {} {}: Go says {answer:?}",
                    file.display(),
                    case.function,
                    case.input
                );
            }
        }
        let question = format!("{{\"fn\":{},\"in\":{},", json!(case.function), case.input);
        out += &match answer {
            Ok(go) => format!("{question}\"out\":{go}}}\n"),
            Err(error) => format!("{question}\"error\":{}}}\n", json!(error)),
        };
    }
    println!("{}: {} lines, {wrong} differ", file.display(), lines.len());
    if write && wrong > 0 {
        std::fs::write(file, out).map_err(|e| format!("{}: {e}", file.display()))?;
        return Ok(0);
    }
    Ok(wrong)
}
