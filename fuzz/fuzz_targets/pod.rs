//! Pods in JSON, YAML, protobuf and CBOR: what decodes encodes, and decodes again as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{Codec, Decoder, Format, Unstructured};

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let format =
        [Format::Json, Format::Protobuf, Format::Yaml, Format::Cbor][usize::from(which % 4)];
    let mut cx = if which & 4 == 0 { Decoder::new() } else { Decoder::interning() };
    if let Ok(pod) = Pod::decode(data, format, &mut cx) {
        for format in [Format::Json, Format::Protobuf, Format::Cbor] {
            let mut out = Vec::new();
            // Protobuf and CBOR may hold what JSON cannot, such as texts that are not UTF-8.
            if pod.encode(format, &mut out).is_ok() {
                let again = Pod::decode(&out, format, &mut cx).expect("decodes what it encoded");
                let mut twice = Vec::new();
                again.encode(format, &mut twice).expect("encodes what it decoded");
                assert_eq!(out, twice, "{format:?}");
            }
        }
    }
    let _ = Unstructured::decode(data, format, &mut cx);
});
