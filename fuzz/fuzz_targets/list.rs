//! Lists: fed in parts, they are what they are in one piece.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{Decoder, Format, ListDecoder, ObjectList};

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (which, size, body) = input;
    let format = if which & 1 == 0 { Format::Json } else { Format::Protobuf };
    let whole = ObjectList::<Pod>::decode(body, format, &mut Decoder::new());
    let mut cx = Decoder::interning();
    let mut decoder = ListDecoder::<Pod>::new(format);
    let fed =
        body.chunks(usize::from(size).max(1)).try_for_each(|part| decoder.feed(part, &mut cx));
    let parts = fed.and_then(|()| decoder.finish());
    match (whole, parts) {
        (Ok(whole), Ok(parts)) => assert!(whole == parts, "{format:?} in parts of {size}"),
        (Err(_), Err(_)) => {}
        (whole, parts) => {
            panic!("{format:?} in parts of {size}: {:?} and {:?}", whole.err(), parts.err())
        }
    }
});
