//! Writes the table of built-in resources that the embedded API server serves.

use crate::emit::HEADER;
use crate::model::{Resource, Schema, Served};

/// The list of modules.
pub fn modules() -> String {
    format!(
        "{HEADER}\n//! Tables written from the schema.\n\n#[rustfmt::skip]\npub(crate) mod resources;\n"
    )
}

/// Every resource that is served by default, in the order of discovery.
pub fn resources(schema: &Schema) -> String {
    let release = &schema.version;
    let mut out = format!(
        "{HEADER}\n//! What Kubernetes {release} serves by default, in the order of its discovery.\n"
    );
    out += "use crate::registry::{BuiltinResource, BuiltinSubresource};\n\n";
    out += "pub(crate) static RESOURCES: &[BuiltinResource] = &[\n";
    for (group, version) in &schema.order {
        let Some(package) = schema.group_version(group, version) else { continue };
        if package.served == Served::Default {
            for resource in &package.resources {
                out += &entry(group, version, resource);
            }
        }
    }
    out + "];\n"
}

fn entry(group: &str, version: &str, resource: &Resource) -> String {
    let Resource { plural, singular, kind, namespaced, .. } = resource;
    let mut out = format!(
        "    BuiltinResource {{ group: {group:?}, version: {version:?}, plural: {plural:?}, \
         singular: {singular:?}, kind: {kind:?}, namespaced: {namespaced}, \
         verbs: &{:?}, short_names: &{:?}, categories: &{:?}, subresources: &[",
        resource.verbs, resource.short_names, resource.categories
    );
    for sub in &resource.subresources {
        let (gv, kind) = sub.kind.rsplit_once('.').unwrap_or(("", &sub.kind));
        let (group, version) = gv.split_once('/').unwrap_or_default();
        out += &format!(
            "\n        BuiltinSubresource {{ name: {:?}, group: {group:?}, version: {version:?}, \
             kind: {kind:?}, verbs: &{:?} }},",
            sub.plural, sub.verbs
        );
    }
    if !resource.subresources.is_empty() {
        out += "\n    ";
    }
    out + "] },\n"
}
