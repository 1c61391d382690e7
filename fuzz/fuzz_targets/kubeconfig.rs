//! Kubeconfigs.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_client::Kubeconfig;

fuzz_target!(|text: &str| {
    let _ = Kubeconfig::parse(text, "config");
});
