//! Definitions and services of APIs.
//!
//! Go counterpart: the defaults of `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1` and
//! `k8s.io/kube-aggregator/pkg/apis/apiregistration/v1`.

use serde_json::{Value, json};

use super::defaults::Default;
use super::tree::{Fields, child, fill, is_empty, text};

/// The function of a type of definitions.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "CustomResourceDefinition" => definition,
        "CustomResourceDefinitionSpec" => definition_spec,
        "ServiceReference" => |service| fill(service, "port", 443),
        _ => return None,
    })
}

/// The function of a type of API services.
pub(super) fn service_default_of(name: &str) -> Option<Default> {
    (name == "ServiceReference").then_some(|service| fill(service, "port", 443))
}

fn definition(definition: &mut Fields) {
    definition_spec(child(definition, "spec"));
    let stored = child(definition, "spec").get("versions").and_then(Value::as_array);
    let stored = stored.into_iter().flatten().find(|version| version["storage"] == true);
    let stored = stored.map(|version| version["name"].clone());
    let status = child(definition, "status");
    if let Some(stored) = stored
        && is_empty(status.get("storedVersions"))
    {
        status.insert("storedVersions".to_owned(), json!([stored]));
    }
}

fn definition_spec(spec: &mut Fields) {
    let names = child(spec, "names");
    let kind = text(names, "kind").to_owned();
    if !kind.is_empty() {
        if text(names, "singular").is_empty() {
            names.insert("singular".to_owned(), kind.to_lowercase().into());
        }
        if text(names, "listKind").is_empty() {
            names.insert("listKind".to_owned(), format!("{kind}List").into());
        }
    }
    fill(spec, "conversion", json!({"strategy": "None"}));
}
