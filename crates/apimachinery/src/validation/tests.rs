//! Names and options against Go's answers. Go: `pkg/util/validation/validation_test.go`,
//! `pkg/api/validate/content/*_test.go`, `pkg/apis/meta/{v1,internalversion}/validation/validation_test.go`.

use super::*;
use crate::parse_error::cases;
use crate::{
    CreateOptions, DeleteOptions, GetOptions, ListOptions, PatchOptions, PatchType, QueryPairs,
    UpdateOptions,
};

fn joined(errors: FieldErrors) -> String {
    if errors.is_empty() { "ok".to_owned() } else { errors.to_string() }
}

#[test]
fn names_agree_with_go() {
    let cases = cases(include_str!("../../testdata/leaf/names.jsonl"));
    assert!(cases.len() > 90);
    let path = FieldPath::new("f");
    for (_, arguments, expect) in cases {
        let text = arguments[0].as_str();
        let got = [
            label_key(text),
            label_value(text),
            prefixed_label_key(text),
            dns1123_label(text),
            dns1123_subdomain(text),
            dns1123_subdomain_with_underscore(text),
            dns1035_label(text),
            wildcard_dns1123_subdomain(text),
            c_identifier(text),
            port_name(text),
            percent(text),
            http_header_name(text),
            env_var_name(text),
            relaxed_env_var_name(text),
            config_map_key(text),
            path_segment_name(text),
            path_segment_prefix(text),
            vec![joined(fully_qualified_name(&path, text))],
            vec![joined(fully_qualified_domain_name(&path, text))],
            vec![joined(domain_prefixed_path(&path, text))],
            dns1123_subdomain(&mask_trailing_dash(text)),
            vec![joined(validate_annotations(&path, [(text, "")]))],
            vec![joined(validate_labels(&path, [(text, text)]))],
            vec![joined(validate_field_manager(&path, text))],
        ];
        assert_eq!(got.map(|problems| problems.join("\n")).as_slice(), expect, "{text:?}");
    }
}

#[test]
fn options_agree_with_go() {
    let cases = cases(include_str!("../../testdata/leaf/options.jsonl"));
    assert!(cases.len() > 35);
    for (_, arguments, expect) in cases {
        let query = QueryPairs::parse(&arguments[0]);
        let mut got = vec![query.encode()];
        match ListOptions::from_query(&query) {
            Ok(list) => got.extend([
                list.query_string(),
                joined(list.validate(true)),
                joined(list.validate(false)),
            ]),
            Err(error) => got.push(format!("error: {error}")),
        }
        got.push(GetOptions::from_query(&query).unwrap().query_string());
        let create = CreateOptions::from_query(&query).unwrap();
        got.extend([create.query_string(), joined(create.validate())]);
        let update = UpdateOptions::from_query(&query).unwrap();
        got.extend([update.query_string(), joined(update.validate())]);
        let patch = PatchOptions::from_query(&query).unwrap();
        let [apply, merge] =
            [PatchType::Apply, PatchType::Merge].map(|kind| joined(patch.validate(kind)));
        got.extend([patch.query_string(), apply, merge]);
        match DeleteOptions::from_query(&query) {
            Ok(delete) => {
                got.extend([delete.query_string(), joined(delete.validate()), delete.to_json()])
            }
            Err(error) => got.push(format!("error: {error}")),
        }
        assert_eq!(got, expect, "{arguments:?}");
    }
}

#[test]
fn numbers() {
    assert!(port_number(1).is_empty() && port_number(65535).is_empty());
    assert_eq!(port_number(0), ["must be between 1 and 65535, inclusive"]);
    assert_eq!(user_id(-1), ["must be between 0 and 2147483647, inclusive"]);
    assert!(group_id(i32::MAX.into()).is_empty() && !group_id(i64::from(i32::MAX) + 1).is_empty());
}

#[test]
fn annotations_have_a_limit() {
    let path = FieldPath::new("metadata").child("annotations");
    let value = "x".repeat((256 << 10) - 1);
    assert!(validate_annotations(&path, [("A", value.as_str())]).is_empty());
    let errors = validate_annotations(&path, [("Ab", value.as_str())]);
    assert_eq!(
        errors.to_string(),
        "metadata.annotations: Too long: may not be more than 262144 bytes"
    );
}
