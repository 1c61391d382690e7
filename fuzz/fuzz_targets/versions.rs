//! Versions: of APIs, of resources, of programs. Comparing is an order, and what is printed reads back as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::version::{Version, compare_kube_versions, compare_resource_versions};
use std::cmp::Ordering;

// Three versions, with NULs between them.
fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let [a, b, c] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let kube = compare_kube_versions;
    assert_eq!(kube(a, a), Ordering::Equal);
    assert_eq!(kube(a, b), kube(b, a).reverse());
    if kube(a, b) == kube(b, c) {
        assert_eq!(kube(a, c), kube(a, b));
    }
    match (compare_resource_versions(a, b), compare_resource_versions(b, a)) {
        (Ok(one), Ok(other)) => assert_eq!(one, other.reverse()),
        (one, other) => assert!(one.is_err() && other.is_err()),
    }
    let all = [a, b, c].map(|text| Version::parse(text).ok());
    for version in all.iter().flatten() {
        let again = Version::parse(&version.to_string()).expect("reads what it wrote");
        assert_eq!(again.to_string(), version.to_string());
        assert_eq!(&again, version);
        let _ = (version.offset_minor(1), version.offset_minor(-1), version.with_patch(0));
    }
    for text in [a, b, c] {
        if let Ok(version) = Version::parse_semantic(text) {
            let again = Version::parse_semantic(&version.to_string()).expect("reads what it wrote");
            assert_eq!(again, version);
        }
        let _ = (Version::parse_generic(text), Version::parse_major_minor(text));
    }
    let _ = Version::highest_supported(&[a, b, c]);
    if let [Some(a), Some(b), _] = &all {
        assert_eq!(a.partial_cmp(b), b.partial_cmp(a).map(Ordering::reverse));
        let _ = a.compare(&b.to_string());
    }
});
