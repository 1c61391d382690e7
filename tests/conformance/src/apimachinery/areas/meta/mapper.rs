//! Mappers of all kinds, asked everything.
use crate::apimachinery::area::Case;
use crate::apimachinery::rng::Rng;
use pintle_apimachinery::GroupVersionKind;
use pintle_apimachinery::meta::guess_resource;
use serde_json::{Map, Value, json};

const GROUPS: &[&str] = &["", "apps", "storage", "storage.k8s.io", "x.example.com"];
const VERSIONS: &[&str] = &["v1", "v1beta1", "v2", "v1alpha1"];
const KINDS: &[&str] =
    &["Pod", "Deployment", "Endpoints", "Ingress", "NetworkPolicy", "pod", "Widget", "PodList"];
/// Plural and singular; none is the singular of two plurals, between which Go chooses at random.
const NAMES: &[[&str; 2]] = &[
    ["pods", "pod"],
    ["deploys", "deploy"],
    ["endpoints", "endpoints"],
    ["widgets", "widget"],
    ["Things", "Thing"],
    ["sheep", "sheep"],
];
const SHORT: &[&str] = &["po", "deploy", "ep", "w", "sh", "pods", "\"q", "é"];
const CATEGORIES: &[&str] = &["all", "api-extensions", "x", ""];
const ASKED: &[&str] = &[
    "pods",
    "pod",
    "PODS",
    "deploys",
    "deploy",
    "deployments",
    "deployment",
    "endpoints",
    "ingresses",
    "ingress",
    "networkpolicies",
    "networkpolicy",
    "widgets",
    "widget",
    "things",
    "Things",
    "sheep",
    "podlists",
    "podlist",
    "lists",
    "list",
    "nothing",
    "",
];

fn default_mapper(rng: &mut Rng) -> Value {
    let mut versions: Vec<[&str; 2]> = Vec::new();
    let mut kinds = Vec::new();
    for _ in 0..rng.below(6) {
        let (group, version) = (*rng.pick(GROUPS), *rng.pick(VERSIONS));
        // What is not in the order of preference comes at random in Go.
        if !versions.contains(&[group, version]) {
            versions.insert(rng.below(versions.len() + 1), [group, version]);
        }
        let mut kind = json!({
            "Group": group, "Version": version, "Kind": *rng.pick(KINDS), "Root": rng.chance(30),
        });
        if rng.chance(50) {
            let [plural, singular] = *rng.pick(NAMES);
            kind["Plural"] = plural.into();
            kind["Singular"] = singular.into();
        }
        kinds.push(kind);
    }
    if rng.chance(30) {
        versions.push([*rng.pick(GROUPS), *rng.pick(VERSIONS)]);
        versions.dedup();
    }
    json!({"type": "default", "versions": versions, "kinds": kinds})
}

fn discovery_mapper(rng: &mut Rng) -> Value {
    let mut groups = Vec::new();
    for group in GROUPS {
        if rng.chance(50) {
            continue;
        }
        let mut versions = Vec::new();
        let mut resources = Map::new();
        for version in VERSIONS {
            if rng.chance(50) {
                continue;
            }
            versions
                .push(json!({"groupVersion": format!("{group}/{version}"), "version": version}));
            if rng.chance(85) {
                let mut all = Vec::new();
                for _ in 0..rng.below(4) {
                    let kind = *rng.pick(KINDS);
                    let [name, singular] = *rng.pick(NAMES);
                    let subresource = if rng.chance(15) { "/status" } else { "" };
                    // Where no singular is given it is guessed from the kind, and so is the plural
                    // here, for the same reason as above.
                    let guess = guess_resource(&GroupVersionKind::from_static("", "v", kind)).0;
                    let (name, singular) = match rng.chance(80) {
                        true => (name.to_owned(), singular),
                        false => (guess.resource.into_owned(), ""),
                    };
                    let mut resource = json!({
                        "name": format!("{name}{subresource}"), "singularName": singular,
                        "namespaced": rng.chance(60), "kind": kind, "verbs": [],
                    });
                    for (key, from) in [("shortNames", SHORT), ("categories", CATEGORIES)] {
                        if rng.chance(60) {
                            let some: Vec<&str> =
                                (0..1 + rng.below(2)).map(|_| *rng.pick(from)).collect();
                            resource[key] = some.into();
                        }
                    }
                    all.push(resource);
                }
                resources.insert((*version).to_owned(), all.into());
            }
        }
        let preferred = versions.get(rng.below(versions.len().max(1))).cloned().unwrap_or_default();
        let mut group = json!({"name": group, "versions": versions});
        if !preferred.is_null() && rng.chance(80) {
            group["preferredVersion"] = preferred;
        }
        groups.push(json!({"group": group, "resources": resources}));
    }
    json!({"type": "discovery", "groups": groups})
}

fn mapper(rng: &mut Rng) -> Value {
    let type_ = *rng.pick(&[
        "default",
        "default",
        "discovery",
        "multi",
        "firsthit",
        "priority",
        "shortcuts",
        "shortcuts",
    ]);
    match type_ {
        "default" => default_mapper(rng),
        "discovery" => discovery_mapper(rng),
        "shortcuts" => {
            let served = discovery_mapper(rng);
            let mut mapper = json!({"type": type_, "groups": served["groups"], "of": [served]});
            if rng.chance(20) {
                mapper["of"] = json!([default_mapper(rng)]);
            }
            mapper
        }
        _ => {
            // None at all is an empty answer in Go's first-hit mapper.
            let of: Vec<Value> = (0..1 + rng.below(3)).map(|_| default_mapper(rng)).collect();
            let pattern = |rng: &mut Rng, all: &[&'static str]| {
                if rng.chance(40) { "*" } else { *rng.pick(all) }
            };
            let priority: Vec<[&str; 2]> =
                (0..rng.below(4)).map(|_| [pattern(rng, GROUPS), pattern(rng, VERSIONS)]).collect();
            json!({"type": type_, "of": of, "priority": priority})
        }
    }
}

/// Group, version, kind and a name of the resource of everything that a mapper was told.
fn collect(mapper: &Value, known: &mut Vec<[String; 4]>) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for kind in list(&mapper["kinds"]) {
        let (plural, name) = (text(&kind["Plural"]), text(&kind["Kind"]));
        let guess = name.to_lowercase();
        let resource = if plural.is_empty() { guess } else { plural };
        known.push([text(&kind["Group"]), text(&kind["Version"]), name, resource]);
    }
    for group in list(&mapper["groups"]) {
        for (version, resources) in group["resources"].as_object().into_iter().flatten() {
            for r in list(resources) {
                let of = |name: &Value| {
                    [text(&group["group"]["name"]), version.clone(), text(&r["kind"]), text(name)]
                };
                known.push(of(&r["name"]));
                known.extend(list(&r["shortNames"]).iter().map(of));
            }
        }
    }
    list(&mapper["of"]).iter().for_each(|mapper| collect(mapper, known));
}

pub(super) fn mappers(rng: &mut Rng) -> Case {
    if rng.chance(10) {
        let kind = rng.text(&["P", "od", "s", "y", "S", "Y", "Endpoints", "É", "ss", "x"], 4);
        return Case::new("restmapper.guess", kind);
    }
    if rng.chance(5) {
        let groups = discovery_mapper(rng)["groups"].take();
        let category = *rng.pick(CATEGORIES);
        return Case::new("restmapper.category", json!({"groups": groups, "category": category}));
    }
    let mapper = mapper(rng);
    let method = *rng.pick(&[
        "KindFor",
        "KindsFor",
        "ResourceFor",
        "ResourcesFor",
        "RESTMapping",
        "RESTMappings",
        "ResourceSingularizer",
    ]);
    let of_kind = method.starts_with("REST");
    let mut known = Vec::new();
    collect(&mapper, &mut known);
    let (mut group, mut version, mut name);
    if rng.chance(70) && !known.is_empty() {
        let [g, v, kind, resource] = rng.pick(&known).clone();
        (group, version, name) = (g, v, if of_kind { kind } else { resource });
        if !of_kind && rng.chance(40) {
            group = String::new();
        } else if !of_kind && rng.chance(15) {
            // The beginning of a group.
            group.truncate(group.len() / 2);
        }
        if rng.chance(50) {
            version = String::new();
        }
        if !of_kind && rng.chance(10) {
            name = name.to_uppercase();
        }
    } else {
        let groups = if rng.chance(30) { &["stor", "storage.", "app", "nothing"] } else { GROUPS };
        group = (*rng.pick(groups)).to_owned();
        let names = if of_kind && rng.chance(90) { KINDS } else { ASKED };
        name = (*rng.pick(names)).to_owned();
        version = (*rng.pick(&["", "", "v1", "v1beta1", "v2", "__internal", "v9"])).to_owned();
    }
    let mut versions: Vec<String> = (0..rng.below(3))
        .map(|_| (*rng.pick(&["v1", "v1beta1", "v2", "", "__internal", "v9"])).to_owned())
        .collect();
    if of_kind && rng.chance(40) {
        versions.push(version.clone());
    }
    Case::new(
        "restmapper.ask",
        json!({
            "mapper": mapper, "method": method, "group": group, "version": version, "name": name,
            "versions": versions,
        }),
    )
}
