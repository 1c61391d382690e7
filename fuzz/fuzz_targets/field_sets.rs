//! Field sets and path elements of managed fields: written, they read back as the same; sets keep their laws.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_structured_merge::{PathElement, Set};

// A path element and two sets, with a NUL between them.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |b| *b == 0);
    let mut next = || parts.next().unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(next())
        && let Ok(Some(element)) = PathElement::parse(text)
    {
        let again = PathElement::parse(&element.serialize()).expect("reads what it wrote");
        assert_eq!(again, Some(element));
    }
    let (Ok(a), Ok(b)) = (Set::from_json(next()), Set::from_json(next())) else { return };
    assert_eq!(Set::from_json(a.to_json().as_bytes()).expect("reads what it wrote"), a);
    let both = a.union(&b);
    assert_eq!(both, b.union(&a));
    assert_eq!(both.intersection(&a), a);
    assert!(a.difference(&b).intersection(&b).is_empty());
});
