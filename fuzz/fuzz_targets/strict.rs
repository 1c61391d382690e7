//! Strict decoding: it gives the object that lenient decoding gives.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{Codec, Decoder, Format, decode_strict};

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let format = if which & 1 == 0 { Format::Json } else { Format::Yaml };
    let lenient = Pod::decode(data, format, &mut Decoder::new());
    if let Ok((strict, problems)) = decode_strict::<Pod>(data, format, &mut Decoder::new()) {
        assert!(lenient.is_ok_and(|lenient| lenient == strict));
        let _ = problems.to_string();
    }
});
