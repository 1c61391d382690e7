//! What ours says of metadata to the questions of `internal/answer/validation.go`, in the shape of Go's answers.

use super::Answer;
use super::validation::sorted;
use pintle_apimachinery::ObjectMeta;
use pintle_apimachinery::validation::{
    FieldPath, NameRule, declarative, name_is_dns_label, name_is_dns_subdomain,
    name_is_dns1035_label, name_is_path_segment, validate_object_meta, validate_object_meta_update,
    validate_object_meta_with,
};
use serde_json::{Value, json};

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    function.starts_with("objectmeta.").then(|| of_metadata(function, input))
}

pub(crate) const RULES: &[(&str, NameRule)] = &[
    ("subdomain", name_is_dns_subdomain),
    ("label", name_is_dns_label),
    ("label1035", name_is_dns1035_label),
    ("pathSegment", name_is_path_segment),
];

fn of_metadata(function: &str, input: &Value) -> Answer {
    let read = |name: &str| -> Result<ObjectMeta, String> {
        serde_json::from_value(input[name].clone()).map_err(|e| e.to_string())
    };
    let path = &FieldPath::new("f");
    if function == "objectmeta.update" {
        let (new, old) = (read("meta")?, read("old")?);
        return Ok(sorted(validate_object_meta_update(path, &new, &old)));
    }
    let (meta, namespaced) = (read("meta")?, input["namespaced"] == true);
    let rule = RULES.iter().find(|(name, _)| input["rule"] == *name);
    let rule = rule.ok_or("no such rule")?.1;
    let with = validate_object_meta_with(path, &meta, namespaced, declarative::long_name);
    Ok(json!({
        "errors": sorted(validate_object_meta(path, &meta, namespaced, rule)),
        "with": sorted(with),
    }))
}
