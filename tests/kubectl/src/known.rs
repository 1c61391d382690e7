//! Differences that are known, each with its reason.

use std::cell::Cell;
use std::path::Path;

use serde_json::Value;

/// The list of `known.yaml`.
#[derive(Default)]
pub(crate) struct Known(Vec<Entry>);

struct Entry {
    scenario: String,
    kubectl: String,
    command: String,
    reason: String,
    used: Cell<bool>,
}

impl Known {
    /// Reads the list: entries with `scenario`, `command` (a part of it), `reason`, and `kubectl`
    /// where only one of the two differs.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let list: Value = serde_yaml::from_str(&text).map_err(|e| format!("known.yaml: {e}"))?;
        let entries = list.as_array().into_iter().flatten().map(|entry| {
            let of = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            let reason = of("reason");
            if reason.is_empty() {
                return Err(format!("known.yaml: no reason is given for {entry}"));
            }
            Ok(Entry {
                scenario: of("scenario"),
                kubectl: of("kubectl"),
                command: of("command"),
                reason,
                used: Cell::new(false),
            })
        });
        entries.collect::<Result<_, _>>().map(Known)
    }

    /// The reason why a command differs.
    pub(crate) fn find(&self, scenario: &str, kubectl: &str, command: &str) -> Option<&str> {
        let entry = self.0.iter().find(|entry| {
            entry.scenario == scenario
                && command.contains(&entry.command)
                && (entry.kubectl.is_empty() || entry.kubectl == kubectl)
        })?;
        entry.used.set(true);
        Some(&entry.reason)
    }

    /// Entries that nothing was found for.
    pub(crate) fn unused(&self) -> Vec<String> {
        let unused = self.0.iter().filter(|entry| !entry.used.get());
        unused.map(|entry| format!("{}: {}", entry.scenario, entry.command)).collect()
    }
}
