//! YAML: documents are split, read, and written so that they read back as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::yaml;

fuzz_target!(|data: &[u8]| {
    let _ = yaml::parse_strict(data);
    if let Ok(value) = yaml::parse(data) {
        let text = yaml::to_string(&value);
        let again = yaml::parse(text.as_bytes()).expect("reads what it wrote");
        assert_eq!(again, value, "{text}");
    }
    yaml::documents(data).take(100).for_each(drop);
});
