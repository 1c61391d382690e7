//! Writes the typed clients: a struct per group-version and one method per resource, which only
//! names the kind. Go: client-gen's output, without behaviour.

use crate::emit::HEADER;
use crate::features::Features;
use crate::names;
use crate::rust::{Module, ResourceFacts};

/// Modules with at least one resource.
pub fn served<'a>(modules: &[&'a Module]) -> Vec<&'a Module> {
    modules.iter().copied().filter(|m| resources(m).next().is_some()).collect()
}

fn resources(module: &Module) -> impl Iterator<Item = (&str, &ResourceFacts)> {
    module.structs.iter().filter_map(|s| {
        let kind = s.kind.as_ref().filter(|k| k.object)?;
        Some((s.name.as_str(), kind.resource.as_ref()?))
    })
}

/// `core_v1` -> `CoreV1`.
fn type_name(module: &str) -> String {
    let upper = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string() + chars.as_str())
    };
    module.split('_').map(upper).collect()
}

/// The list of modules, and the method of `Clientset` for each.
pub fn modules(modules: &[&Module], features: &Features) -> String {
    let mut out = format!("{HEADER}\n//! Typed clients, a module per group-version.\n");
    let cfg = |m: &Module| {
        features.of(&m.name).map(|f| format!("#[cfg(feature = \"{f}\")]\n")).unwrap_or_default()
    };
    for m in modules {
        out += &format!("\n{}#[rustfmt::skip]\nmod {};\n", cfg(m), m.name);
        out += &format!("{}pub use {}::{};\n", cfg(m), m.name, type_name(&m.name));
    }
    out += "\n#[rustfmt::skip]\nimpl crate::Clientset {\n";
    for m in modules {
        let group = if m.group.is_empty() { "the core group" } else { &m.group };
        out += &format!("    /// Clients of {group}, version {}.\n", m.version);
        if let Some(f) = features.of(&m.name) {
            out += &format!("    #[cfg(feature = \"{f}\")]\n");
        }
        let ty = type_name(&m.name);
        out += &format!("    pub fn {}(&self) -> {ty} {{ {ty}(self.client().clone()) }}\n", m.name);
    }
    out + "}\n"
}

/// The file of one group-version.
pub fn module(module: &Module) -> String {
    let ty = type_name(&module.name);
    let group = if module.group.is_empty() { "core" } else { &module.group };
    let mut out = format!("{HEADER}\n//! Typed clients of {group}/{}.\n", module.version);
    out += &format!("use pintle_api::{};\nuse pintle_client::{{Api, Client}};\n\n", module.name);
    out += &format!("/// Clients of {group}/{}.\n", module.version);
    out += &format!("#[derive(Clone, Debug)]\npub struct {ty}(pub(super) Client);\n\n");
    out += &format!("impl {ty} {{\n");
    for (name, resource) in resources(module) {
        let method = names::plural(&names::snake(name));
        let kind = format!("{}::{name}", module.name);
        if resource.namespaced {
            out += &format!(
                "    /// `{}` of a namespace; of all namespaces when it is empty.\n    pub fn \
                 {method}(&self, namespace: &str) -> Api<{kind}> {{ self.0.namespaced(namespace) }}\n",
                resource.plural
            );
        } else {
            out += &format!(
                "    /// `{}` of the cluster.\n    pub fn {method}(&self) -> Api<{kind}> {{ \
                 self.0.all() }}\n",
                resource.plural
            );
        }
    }
    out + "}\n"
}
