//! What is wrong with a value, with paths. Go: `typed.ValidationErrors`.
use crate::{Path, PathElement};
use pintle_apimachinery::Error;

/// Errors found so far, and where the walk stands.
#[derive(Default)]
pub(super) struct Errors {
    path: Path,
    found: Vec<String>,
}

impl Errors {
    pub(super) fn add(&mut self, message: &str) {
        // The place, as Go puts it together from the inside out.
        let text = if self.path.is_empty() {
            message.to_owned()
        } else {
            format!("{}: {message}", self.path)
        };
        self.found.push(text);
    }
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }
    pub(super) fn truncate(&mut self, count: usize) {
        self.found.truncate(count);
    }
    pub(super) fn depth(&self) -> usize {
        self.path.len()
    }
    /// Walks into a child.
    pub(super) fn inside<T>(
        &mut self,
        element: PathElement,
        walk: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.path.push(element);
        let out = walk(self);
        self.path.pop();
        out
    }
    pub(super) fn finish(mut self) -> Result<(), Error> {
        match self.found.len() {
            0 => Ok(()),
            1 => Err(Error::invalid(self.found.swap_remove(0))),
            _ => {
                let lines: Vec<String> = self.found.iter().map(|e| format!("  {e}")).collect();
                Err(Error::invalid(format!("errors:\n{}", lines.join("\n"))))
            }
        }
    }
}
