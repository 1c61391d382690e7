//! What ours says to the questions of `internal/answer/validation.go` about names, addresses, selectors and
//! conditions, in the shape of Go's answers.

use super::{Answer, text_map};
use pintle_apimachinery::meta_v1::{FieldSelectorRequirement, TableOptions};
use pintle_apimachinery::validation::{self as v, FieldErrors, FieldPath};
use pintle_apimachinery::{Condition, LabelSelector};
use serde_json::{Value, json};

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    function.starts_with("validation.").then(|| of_validation(function, input))
}

/// Errors in the order they were found, as Go's side writes them.
pub(crate) fn found(errors: FieldErrors) -> Value {
    let one = |error: v::FieldError| {
        let mut out = json!({"type": error.kind.cause_type(), "text": error.to_string()});
        if !error.origin.is_empty() {
            out["origin"] = error.origin.into();
        }
        if error.covered_by_declarative {
            out["covered"] = true.into();
        }
        out
    };
    errors.into_iter().map(one).collect()
}

/// The same for functions that go through maps, whose order is any in Go.
pub(crate) fn sorted(errors: FieldErrors) -> Value {
    let mut errors: Vec<v::FieldError> = errors.into_iter().collect();
    errors.sort_by_key(ToString::to_string);
    found(errors.into_iter().collect())
}

fn of_validation(function: &str, input: &Value) -> Answer {
    let path = &FieldPath::new("f");
    let bad = |e: serde_json::Error| e.to_string();
    Ok(match function {
        "validation.name" => {
            let text = input.as_str().unwrap_or_default();
            json!({
                "labelKey": v::label_key(text),
                "labelValue": v::label_value(text),
                "prefixedLabelKey": v::prefixed_label_key(text),
                "dns1123Label": v::dns1123_label(text),
                "dns1123Subdomain": v::dns1123_subdomain(text),
                "dns1123SubdomainWithUnderscore": v::dns1123_subdomain_with_underscore(text),
                "dns1123SubdomainCaseless": v::dns1123_subdomain_caseless(text),
                "dns1035Label": v::dns1035_label(text),
                "wildcard": v::wildcard_dns1123_subdomain(text),
                "cIdentifier": v::c_identifier(text),
                "decimalInteger": v::decimal_integer(text),
                "portName": v::port_name(text),
                "percent": v::percent(text),
                "httpHeaderName": v::http_header_name(text),
                "envVarName": v::env_var_name(text),
                "relaxedEnvVarName": v::relaxed_env_var_name(text),
                "configMapKey": v::config_map_key(text),
                "conditionReason": v::condition_reason(text),
                "fullyQualifiedName": found(v::fully_qualified_name(path, text)),
                "fullyQualifiedDomainName": found(v::fully_qualified_domain_name(path, text)),
                "domainPrefixedPath": found(v::domain_prefixed_path(path, text)),
                "domainPrefixedKey": found(v::domain_prefixed_key(path, text)),
                "fieldManager": found(v::validate_field_manager(path, text)),
                "finalizer": found(v::validate_finalizer_name(path, text)),
                "rules": [
                    v::name_is_dns_subdomain(text, false), v::name_is_dns_subdomain(text, true),
                    v::name_is_dns_label(text, false), v::name_is_dns_label(text, true),
                    v::name_is_dns1035_label(text, false), v::name_is_dns1035_label(text, true),
                    v::name_is_path_segment(text, false), v::name_is_path_segment(text, true),
                ],
            })
        }
        "validation.number" => {
            let n = input.as_i64().unwrap_or_default();
            json!({
                "port": v::port_number(n),
                "group": v::group_id(n),
                "user": v::user_id(n),
                "range": v::in_range(n, -5, 1000),
                "nonnegative": found(v::validate_nonnegative(path, n)),
            })
        }
        "validation.ip" => {
            let text = input["text"].as_str().unwrap_or_default();
            let old: Vec<&str> =
                input["old"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let mut out = json!({
                "ip": found(v::valid_ip(path, text)),
                "legacyIP": found(v::valid_ip_for_legacy_field(path, text, false, &old)),
                "strictIP": found(v::valid_ip_for_legacy_field(path, text, true, &old)),
                "cidr": found(v::valid_cidr(path, text)),
                "legacyCIDR": found(v::valid_cidr_for_legacy_field(path, text, false, &old)),
                "strictCIDR": found(v::valid_cidr_for_legacy_field(path, text, true, &old)),
                "interface": found(v::valid_interface_address(path, text)),
            });
            if v::valid_ip_for_legacy_field(path, text, false, &[]).is_empty() {
                out["ipWarnings"] = v::ip_warnings(path, text).into();
            }
            if v::valid_cidr_for_legacy_field(path, text, false, &[]).is_empty() {
                out["cidrWarnings"] = v::cidr_warnings(path, text).into();
            }
            out
        }
        "validation.maps" => {
            let map = text_map(input);
            let pairs = || map.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            json!({
                "labels": sorted(v::validate_labels(path, pairs())),
                "annotations": sorted(v::validate_annotations(path, pairs())),
            })
        }
        "validation.selector" => {
            let selector: LabelSelector =
                serde_json::from_value(input["selector"].clone()).map_err(bad)?;
            let fields: FieldSelectorRequirement =
                serde_json::from_value(input["fields"].clone()).map_err(bad)?;
            let leniency = v::SelectorLeniency {
                invalid_values: input["values"] == true,
                unknown_operators: input["operators"] == true,
            };
            let include_object = input["include"].as_str().unwrap_or_default().into();
            let table = TableOptions { include_object, ..Default::default() };
            json!({
                "labels": sorted(v::validate_label_selector(path, &selector, leniency)),
                "invalid": v::label_selector_has_invalid_value(&selector),
                "fields": found(v::validate_field_selector_requirement(path, &fields, leniency)),
                "table": found(v::validate_table_options(&table)),
            })
        }
        "validation.conditions" => {
            let all: Vec<Condition> = serde_json::from_value(input.clone()).map_err(bad)?;
            found(v::validate_conditions(path, &all))
        }
        _ => return Err(format!("no function {function}")),
    })
}
