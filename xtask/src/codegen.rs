//! `cargo xtask codegen`: distil, generate, check.

use std::fs;
use std::path::Path;
use std::process::Command;

use pintle_codegen::{import, output, schema};

use crate::{control_plane, process, root};

const SCHEMA: &str = "crates/codegen/schema";
const USAGE: &str = "usage: cargo xtask codegen [--check] | import DIR | import --from-modules";

pub(crate) fn run(args: &[String]) -> Result<(), String> {
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => generate(false),
        ["--check"] => generate(true),
        ["import", "--from-modules"] => import_from_modules(),
        ["import", dir] => import_from(Path::new(dir)),
        _ => Err(USAGE.to_owned()),
    }
}

/// Has the Go program export the facts of the modules it is built of and of the servers it runs,
/// and distils them.
fn import_from_modules() -> Result<(), String> {
    let program = control_plane::build()?.ok_or("Go is not installed: install Go 1.26 or later")?;
    let folder = control_plane::folder("export");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut export = Command::new(program);
    export.arg("export").arg("--out").arg(&folder);
    export.arg("--module-dir").arg(root().join("tests").join("control-plane"));
    process::run(&mut export)?;
    import_from(&folder)
}

/// Distils `dir` into the schema folder, which then holds nothing else.
fn import_from(dir: &Path) -> Result<(), String> {
    let import::Imported { schema: imported, warnings } = import::import(dir)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let folder = root().join(SCHEMA);
    let at = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    fs::create_dir_all(&folder).map_err(|e| at(&folder, e))?;
    for entry in fs::read_dir(&folder).map_err(|e| at(&folder, e))? {
        let path = entry.map_err(|e| at(&folder, e))?.path();
        fs::remove_file(&path).map_err(|e| at(&path, e))?;
    }
    let mut size = 0;
    for package in &imported.packages {
        let text = schema::write(package);
        if schema::parse(&text)? != *package {
            return Err(format!("{}: its text form loses something", package.path));
        }
        size += text.len();
        let path = folder.join(format!("{}.txt", package.module()));
        fs::write(&path, text).map_err(|e| at(&path, e))?;
    }
    let path = folder.join("release");
    fs::write(&path, schema::write_release(&imported)).map_err(|e| at(&path, e))?;
    let types: usize = imported.packages.iter().map(|p| p.types.len()).sum();
    println!(
        "Kubernetes {}: {} packages, {types} types, {} KiB in {SCHEMA}; {} warnings",
        imported.version,
        imported.packages.len(),
        size / 1024,
        warnings.len(),
    );
    Ok(())
}

/// The schema in the repository.
fn stored() -> Result<pintle_codegen::model::Schema, String> {
    let folder = root().join(SCHEMA);
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
    let entries = fs::read_dir(&folder).map_err(|e| format!("{SCHEMA}: {e}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| format!("{SCHEMA}: {e}"))?.path();
        if path.extension().is_some_and(|e| e == "txt") {
            files.push((path.display().to_string(), read(&path)?));
        }
    }
    let release = read(&folder.join("release"))?;
    schema::parse_all(&release, files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

fn generate(check: bool) -> Result<(), String> {
    let changes = output::generate(&stored()?)?.apply(&root(), check)?;
    for path in &changes.written {
        println!("{}: {path}", if check { "out of date" } else { "written" });
    }
    for path in &changes.removed {
        println!("{}: {path}", if check { "stale" } else { "removed" });
    }
    if check && !changes.is_empty() {
        return Err("generated files differ from the schema; run `cargo xtask codegen`".to_owned());
    }
    if changes.is_empty() {
        println!("generated files are up to date");
    }
    Ok(())
}
