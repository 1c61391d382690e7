//! Cargo features of the API crate: one per group for what servers offer by default, one per
//! further group-version.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Package, Schema, Served};
use crate::rust::Module;

/// Features and what they need.
#[derive(Debug, Default)]
pub struct Features {
    by_module: BTreeMap<String, String>,
    needs: BTreeMap<String, BTreeSet<String>>,
    default: BTreeSet<String>,
}

impl Features {
    /// The features of `modules`.
    pub fn new(schema: &Schema, modules: &[Module]) -> Features {
        let mut out = Features::default();
        for module in modules.iter().filter(|m| !m.meta && m.name != "core_v1") {
            let Some(package) = schema.package(&module.path) else { continue };
            let feature = name(package);
            if package.served == Served::Default {
                out.default.insert(feature.clone());
            }
            out.needs.entry(feature.clone()).or_default();
            out.by_module.insert(module.name.clone(), feature);
        }
        for module in modules {
            let Some(feature) = out.by_module.get(&module.name) else { continue };
            let needed = module.uses.iter().filter_map(|used| out.by_module.get(used));
            let needed: Vec<_> = needed.filter(|n| *n != feature).cloned().collect();
            out.needs.entry(feature.clone()).or_default().extend(needed);
        }
        out
    }

    /// The feature that switches a module on; `None` when it is always there.
    pub fn of(&self, module: &str) -> Option<&str> {
        self.by_module.get(module).map(String::as_str)
    }

    /// The lines of the manifest of a crate that only passes features on. Its own name for what
    /// servers offer by default is `served`.
    pub fn forwarded(&self, to: &[&str], served: &str) -> String {
        let line = |name: &str, theirs: &str| {
            let targets: Vec<_> = to.iter().map(|t| format!("\"{t}/{theirs}\"")).collect();
            format!("{name} = [{}]\n", targets.join(", "))
        };
        let mut out = line(served, "default") + &line("all", "all");
        for feature in self.needs.keys() {
            out += &line(feature, feature);
        }
        out
    }

    /// The lines of the manifest.
    pub fn manifest(&self) -> String {
        let quoted = |names: &BTreeSet<String>| {
            let names: Vec<_> = names.iter().map(|n| format!("\"{n}\"")).collect();
            names.join(", ")
        };
        let lines = |name: &str, names: &BTreeSet<String>| {
            let mut out = format!("{name} = [\n");
            for n in names {
                out += &format!("    \"{n}\",\n");
            }
            out + "]\n"
        };
        let mut out = lines("default", &self.default);
        out += &lines("all", &self.needs.keys().cloned().collect());
        for (feature, needs) in &self.needs {
            out += &format!("{feature} = [{}]\n", quoted(needs));
        }
        out
    }
}

/// `apps` for what servers offer by default or what is stable but never served, else
/// `apps-v1beta1`.
fn name(package: &Package) -> String {
    let module = package.module();
    let group = module.rsplit_once('_').map_or(module.as_str(), |(group, _)| group);
    let group = group.replace('_', "-");
    let version = package.version();
    let stable = version[1..].bytes().all(|b| b.is_ascii_digit());
    let offered_now = package.served == Served::Default;
    // A review that servers send (admission) is stable without being served; a version that
    // they dropped has a newer one that is served.
    let only_sent = package.served == Served::Never && stable;
    if offered_now || only_sent { group } else { format!("{group}-{version}") }
}
