//! Fields that somebody else owns.
use crate::{ManagedFields, Path, Set};
use std::collections::BTreeMap;
use std::fmt;

/// A field that another manager owns, with a different value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who owns it.
    pub manager: String,
    /// The field.
    pub path: Path,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conflict with {}: {}", crate::json::quote(&self.manager), self.path)
    }
}

/// All conflicts of an apply, in the order of managers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl Conflicts {
    /// A conflict for every field of every manager. Go: `ConflictsFromManagers`.
    pub fn from_managers(managers: &ManagedFields) -> Self {
        let mut all = Vec::new();
        for (manager, fields) in &managers.0 {
            fields.set.for_each(&mut |path| {
                all.push(Conflict { manager: manager.clone(), path: path.clone() });
            });
        }
        Conflicts(all)
    }
    /// The fields of all conflicts. Go: `ToSet`.
    pub fn to_set(&self) -> Set {
        self.0.iter().map(|c| &c.path).collect()
    }
    /// The fields by manager.
    pub(crate) fn by_manager(&self) -> BTreeMap<&str, Vec<&Path>> {
        let mut out: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
        for c in &self.0 {
            out.entry(&c.manager).or_default().push(&c.path);
        }
        out
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = &self.0[..] {
            return only.fmt(f);
        }
        let mut lines = Vec::new();
        for (manager, paths) in self.by_manager() {
            lines.push(format!("conflicts with {}:", crate::json::quote(manager)));
            lines.extend(paths.into_iter().map(|p| format!("- {p}")));
        }
        f.write_str(&lines.join("\n"))
    }
}
