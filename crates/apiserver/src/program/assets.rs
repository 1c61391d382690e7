//! A folder that test environments take for etcd and kube-apiserver.
//!
//! Go counterpart: what `setup-envtest` downloads to.

use std::path::Path;

use pintle_apimachinery::Error;

/// Writes `DIR/etcd` and `DIR/kube-apiserver`, links to this program.
///
/// # Errors
/// The folder cannot be written to, or has real programs of these names ([`Error::is_config`]).
pub(crate) fn write(dir: &Path) -> Result<(), Error> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        Error::config(format!("cannot write {}: {error}", path.display()))
    };
    let own = std::env::current_exe()
        .and_then(std::fs::canonicalize)
        .map_err(|error| Error::other(format!("cannot find this program: {error}")))?;
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    for name in ["etcd", "kube-apiserver"] {
        let path = dir.join(name);
        if let Ok(found) = path.symlink_metadata() {
            if !found.is_symlink() {
                return Err(failed(&path, &"it is there, and no link; choose another folder"));
            }
            std::fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
        }
        link(&own, &path).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(own: &Path, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(own, path)
}

#[cfg(not(unix))]
fn link(own: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::copy(own, path.with_extension("exe")).map(drop)
}
