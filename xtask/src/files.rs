//! The files of the repository that people write or the generator writes.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file.
pub(crate) struct SourceFile {
    /// Path from the root of the repository, with slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// Every file with the extension `extension` below the folders of sources, sorted by path.
pub(crate) fn sources(root: &Path, extension: &str) -> Result<Vec<SourceFile>, String> {
    let mut out = Vec::new();
    for folder in ["crates", "xtask", "tests", "examples", "benches", "fuzz"] {
        walk(root, &root.join(folder), extension, &mut out)?;
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

fn walk(root: &Path, dir: &Path, extension: &str, out: &mut Vec<SourceFile>) -> Result<(), String> {
    let at = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(dir).map_err(|e| at(dir, e))? {
        let path: PathBuf = entry.map_err(|e| at(dir, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(root, &path, extension, out)?;
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            let text = fs::read_to_string(&path).map_err(|e| at(&path, e))?;
            let shown = path.strip_prefix(root).unwrap_or(&path);
            out.push(SourceFile { path: shown.to_string_lossy().replace('\\', "/"), text });
        }
    }
    Ok(())
}
