//! The layers: which crate may depend on which. The table here is the one of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A crate, its layer, crates of its own layer that it may use, crates it must never use although
/// they are below, and crates that only its tests may use.
struct Rule {
    name: &'static str,
    layer: u8,
    beside: &'static [&'static str],
    never: &'static [&'static str],
    tests: &'static [&'static str],
}

const fn rule(name: &'static str, layer: u8) -> Rule {
    Rule { name, layer, beside: &[], never: &[], tests: &[] }
}

const RULES: &[Rule] = &[
    rule("pintle-apimachinery", 0),
    rule("pintle-codegen", 0),
    Rule {
        never: &["pintle-apimachinery"],
        // What the macros write must compile against something.
        tests: &["pintle-apimachinery", "pintle-api"],
        ..rule("pintle-macros", 1)
    },
    Rule { never: &["pintle-codegen"], ..rule("pintle-api", 1) },
    Rule { never: &["pintle-codegen"], ..rule("pintle-client-traits", 1) },
    // Examples and laws are about real types.
    Rule { never: &["pintle-codegen"], tests: &["pintle-api"], ..rule("pintle-patch", 1) },
    Rule {
        never: &["pintle-codegen"],
        tests: &["pintle-api"],
        ..rule("pintle-structured-merge", 1)
    },
    Rule {
        beside: &["pintle-api", "pintle-client-traits", "pintle-patch", "pintle-structured-merge"],
        ..rule("pintle-apiserver", 1)
    },
    Rule { never: &["pintle-codegen", "pintle-apiserver"], ..rule("pintle-client", 2) },
    Rule { never: &["pintle-codegen", "pintle-apiserver"], ..rule("pintle-informer", 2) },
    Rule { never: &["pintle-codegen", "pintle-apiserver"], ..rule("pintle-clientset", 3) },
    Rule {
        never: &["pintle-codegen", "pintle-apiserver", "pintle-client"],
        ..rule("pintle-controller", 3)
    },
    rule("pintle", 4),
];

/// Programs and tests may use everything and are used by nothing.
const TOP: u8 = 5;

/// Crates that apimachinery must not reach by any path.
const NO_IO: [&str; 5] = ["tokio", "hyper", "http", "tower", "rustls"];

/// What breaks the layers.
pub(super) fn check(root: &Path) -> Result<Vec<String>, String> {
    let own = metadata(root, &["--no-deps"])?;
    let mut problems = direct(&own);
    problems.extend(no_io(&metadata(root, &[])?));
    Ok(problems)
}

fn metadata(root: &Path, extra: &[&str]) -> Result<Value, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["metadata", "--format-version", "1"]).args(extra);
    let output = command.output().map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo metadata failed:\n{}", text.trim_end()));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn layer(name: &str) -> u8 {
    RULES.iter().find(|r| r.name == name).map_or(TOP, |r| r.layer)
}

/// Every dependency between crates of the workspace, those for tests included.
fn direct(metadata: &Value) -> Vec<String> {
    let packages = array(&metadata["packages"]);
    let members: BTreeSet<&str> = packages.iter().map(|p| text(&p["name"])).collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = text(&package["name"]);
        for dependency in array(&package["dependencies"]) {
            let used = text(&dependency["name"]);
            let in_tests = text(&dependency["kind"]) == "dev" && tests_may(name, used);
            if members.contains(used)
                && !in_tests
                && let Some(reason) = forbidden(name, used)
            {
                let kind = match text(&dependency["kind"]) {
                    "" => "depends on".to_owned(),
                    kind => format!("has the {kind}-dependency"),
                };
                problems.push(format!("layers: {name} {kind} {used}: {reason}"));
            }
        }
    }
    problems
}

fn tests_may(name: &str, used: &str) -> bool {
    RULES.iter().any(|r| r.name == name && r.tests.contains(&used))
}

/// Why `name` may not use `used`.
fn forbidden(name: &str, used: &str) -> Option<String> {
    let (own, below) = (layer(name), layer(used));
    let rule = RULES.iter().find(|r| r.name == name);
    if rule.is_some_and(|r| r.never.contains(&used)) {
        return Some(format!("{name} must never know {used}"));
    }
    if below < own || rule.is_some_and(|r| r.beside.contains(&used)) {
        return None;
    }
    if own == TOP && name != used && below == TOP {
        return None;
    }
    Some(format!("layer {own} may only use what is below it, {used} is in layer {below}"))
}

/// The whole graph below apimachinery, as a user of it compiles it.
fn no_io(metadata: &Value) -> Vec<String> {
    let nodes: BTreeMap<&str, &Value> =
        array(&metadata["resolve"]["nodes"]).iter().map(|n| (text(&n["id"]), n)).collect();
    let names: BTreeMap<&str, &str> =
        array(&metadata["packages"]).iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let start = names.iter().find(|(_, name)| **name == "pintle-apimachinery");
    let Some((start, _)) = start else {
        return vec!["layers: there is no crate pintle-apimachinery".to_owned()];
    };
    let mut seen = BTreeSet::new();
    let mut queue = vec![(*start, "pintle-apimachinery".to_owned())];
    let mut problems = Vec::new();
    while let Some((id, path)) = queue.pop() {
        if !seen.insert(id) {
            continue;
        }
        if NO_IO.contains(&names.get(id).copied().unwrap_or_default()) {
            problems.push(format!("layers: apimachinery must not reach it: {path}"));
            continue;
        }
        let Some(node) = nodes.get(id) else { continue };
        for dependency in array(&node["deps"]) {
            let kinds = array(&dependency["dep_kinds"]);
            if kinds.iter().any(|k| k["kind"].is_null()) {
                let next = text(&dependency["pkg"]);
                let name = names.get(next).copied().unwrap_or_default();
                queue.push((next, format!("{path} -> {name}")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        for (name, used) in [
            ("pintle-informer", "pintle-client-traits"),
            ("pintle-apiserver", "pintle-api"),
            ("pintle-apiserver", "pintle-patch"),
            ("pintle-macros", "pintle-codegen"),
            ("pintle-clientset", "pintle-client"),
            ("pintle", "pintle-controller"),
            ("pintle-e2e", "pintle"),
            ("pintle-e2e", "pintle-examples"),
        ] {
            assert_eq!(forbidden(name, used), None, "{name} -> {used}");
        }
        for (name, used) in [
            ("pintle-informer", "pintle-client"),
            ("pintle-client", "pintle-apiserver"),
            ("pintle-controller", "pintle-client"),
            ("pintle-apiserver", "pintle-client"),
            ("pintle-apimachinery", "pintle-codegen"),
            ("pintle-controller", "pintle"),
            ("pintle-patch", "pintle-api"),
            ("pintle", "xtask"),
        ] {
            assert!(forbidden(name, used).is_some(), "{name} -> {used}");
        }
    }

    #[test]
    fn reached_crates_are_named_with_their_path() {
        let graph = serde_json::json!({
            "packages": [
                {"id": "a", "name": "pintle-apimachinery"},
                {"id": "b", "name": "middle"},
                {"id": "c", "name": "tokio"},
            ],
            "resolve": {"nodes": [
                {"id": "a", "deps": [
                    {"pkg": "b", "dep_kinds": [{"kind": null}]},
                    {"pkg": "c", "dep_kinds": [{"kind": "dev"}]},
                ]},
                {"id": "b", "deps": [{"pkg": "c", "dep_kinds": [{"kind": null}]}]},
                {"id": "c", "deps": []},
            ]},
        });
        let problems = no_io(&graph);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("middle -> tokio"), "{problems:?}");
    }
}
