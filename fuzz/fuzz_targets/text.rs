//! Small texts: versions, kinds, integers or percentages, addresses, names, query parameters.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::validation::{self as v, FieldPath};
use pintle_apimachinery::{GroupVersion, IntOrString, ListOptions, QueryPairs, version};

fuzz_target!(|input: (&str, &str)| {
    let (text, other) = input;
    let path = FieldPath::new("f");
    for problems in [
        v::valid_ip(&path, text),
        v::valid_cidr(&path, text),
        v::valid_interface_address(&path, text),
        v::domain_prefixed_path(&path, text),
        v::fully_qualified_domain_name(&path, text),
        v::validate_annotations(&path, [(text, other)]),
        v::validate_labels(&path, [(text, other)]),
        v::declarative::resource_pool_name(&path, text),
    ] {
        let _ = problems.to_string();
    }
    let _ = (v::ip_warnings(&path, text), v::cidr_warnings(&path, text), v::label_key(text));
    let _ = (v::name_is_dns_label(text, true), v::port_name(text), v::config_map_key(text));
    if let Ok(gv) = GroupVersion::parse(text) {
        assert_eq!(GroupVersion::parse(&gv.to_string()), Ok(gv));
    }
    let _ = IntOrString::parse(text).scaled_value(100, true);
    assert_eq!(
        version::compare_kube_versions(text, other),
        version::compare_kube_versions(other, text).reverse()
    );
    let query = QueryPairs::parse(text);
    assert_eq!(QueryPairs::parse(&query.encode()).encode(), query.encode());
    if let Ok(options) = ListOptions::from_query(&query) {
        let _ = options.validate(true).to_string();
    }
});
