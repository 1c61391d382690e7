//! Label and field selectors: printed, they read back as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::{fields, labels};

fuzz_target!(|input: (&str, Vec<(&str, &str)>)| {
    let (text, pairs) = input;
    if let Ok(selector) = text.parse::<labels::Selector>() {
        let again: labels::Selector = selector.to_string().parse().expect("reads what it wrote");
        assert_eq!(again.to_string(), selector.to_string());
        assert_eq!(again.matches(&pairs[..]), selector.matches(&pairs[..]));
    }
    if let Ok(selector) = text.parse::<fields::Selector>() {
        let again: fields::Selector = selector.to_string().parse().expect("reads what it wrote");
        assert_eq!(again.matches(&pairs[..]), selector.matches(&pairs[..]));
    }
    assert_eq!(fields::unescape_value(&fields::escape_value(text)).as_deref(), Ok(text));
});
