//! Label selectors as API objects: from text, to text, from JSON, and what they match.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::meta::format_label_selector;
use pintle_apimachinery::{LabelSelector, labels};

// A selector as text or as JSON, and labels as `key=value`, with NULs between them.
fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let text = parts.next().unwrap_or_default();
    let pairs: Vec<(&str, &str)> = parts.filter_map(|pair| pair.split_once('=')).collect();
    let parsed = LabelSelector::parse(text).ok();
    for selector in parsed.into_iter().chain(serde_json::from_str::<LabelSelector>(text).ok()) {
        let _ = (selector.to_labels(), format_label_selector(Some(&selector)));
        let Ok(matcher) = labels::Selector::from_label_selector(Some(&selector)) else { continue };
        let matches = matcher.matches(&pairs[..]);
        // A selector without requirements has no text that is read as one of everything.
        let text = matcher.to_string();
        let again: labels::Selector = text.parse().expect("reads what it wrote");
        assert_eq!(again.matches(&pairs[..]), matches, "{text}");
        let back = LabelSelector::parse(&text).expect("it came from such an object");
        let back = labels::Selector::from_label_selector(Some(&back)).expect("it is valid");
        assert_eq!(back.matches(&pairs[..]), matches, "{text}");
    }
});
