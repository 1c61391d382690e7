//! Watch streams: fed in parts, the events are the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{Decoder, Format, WatchDecoder};

/// The types of the events, and whether the stream broke.
fn events(format: Format, body: &[u8], size: usize) -> (Vec<&'static str>, bool) {
    let mut cx = Decoder::interning();
    let mut decoder = WatchDecoder::<Pod>::new(format);
    let mut seen = Vec::new();
    for part in body.chunks(size.max(1)) {
        decoder.feed(part);
        loop {
            match decoder.next(&mut cx) {
                Ok(Some(event)) => seen.push(event.type_name()),
                Ok(None) => break,
                Err(_) => return (seen, true),
            }
        }
    }
    (seen, false)
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (which, size, body) = input;
    let format = if which & 1 == 0 { Format::Json } else { Format::Protobuf };
    assert_eq!(events(format, body, body.len()), events(format, body, size.into()));
});
