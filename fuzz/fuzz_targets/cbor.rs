//! CBOR: what any bytes are read as is written and read again as the same, in little more space; lists
//! and watch streams fed in parts are what they are in one piece.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{
    Codec, Decoder, Format, ListDecoder, ObjectList, Unstructured, WatchDecoder, decode_strict,
};

fn encoded(object: &impl Codec) -> Vec<u8> {
    let mut out = Vec::new();
    object.encode(Format::Cbor, &mut out).expect("encodes what it decoded");
    out
}

/// Objects without a type, as any data item may be one.
fn items(data: &[u8]) {
    // {"v": data}
    let mut bytes = vec![0xa1, 0x41, b'v'];
    bytes.extend_from_slice(data);
    for bytes in [data, &bytes] {
        let cx = &mut Decoder::new();
        let Ok(item) = Unstructured::decode_item(bytes, Format::Cbor, cx) else { continue };
        let out = encoded(&item);
        // A byte is at most a float of half precision's half, which becomes nine bytes.
        assert!(out.len() <= 64 + 16 * bytes.len(), "{} of {}", out.len(), bytes.len());
        let again = Unstructured::decode_item(&out, Format::Cbor, cx).expect("reads what it wrote");
        assert_eq!(encoded(&again), out);
        // JSON holds all of it, but does not tell 1.0 from 1.
        let mut json = Vec::new();
        item.encode(Format::Json, &mut json).expect("CBOR has no more than JSON here");
        Unstructured::decode_item(&json, Format::Json, cx).expect("it is JSON");
    }
}

/// Objects of a type.
fn pods(data: &[u8]) {
    let lenient = Pod::decode(data, Format::Cbor, &mut Decoder::new());
    if let Ok((strict, problems)) = decode_strict::<Pod>(data, Format::Cbor, &mut Decoder::new()) {
        assert!(lenient.is_ok_and(|lenient| lenient == strict));
        let _ = problems.to_string();
        let out = encoded(&strict);
        let again = Pod::decode(&out, Format::Cbor, &mut Decoder::new());
        assert_eq!(encoded(&again.expect("reads what it wrote")), out);
    }
}

fn list(data: &[u8], size: usize) {
    let whole = ObjectList::<Pod>::decode(data, Format::Cbor, &mut Decoder::new());
    let mut cx = Decoder::new();
    let mut decoder = ListDecoder::<Pod>::new(Format::Cbor);
    let fed = data.chunks(size).try_for_each(|part| decoder.feed(part, &mut cx));
    match (whole, fed.and_then(|()| decoder.finish())) {
        (Ok(whole), Ok(parts)) => assert!(whole == parts, "in parts of {size}"),
        (Err(_), Err(_)) => {}
        (whole, parts) => panic!("in parts of {size}: {:?} {:?}", whole.err(), parts.err()),
    }
}

/// The types of the events, and whether the stream broke.
fn events(data: &[u8], size: usize) -> (Vec<&'static str>, bool) {
    let mut cx = Decoder::new();
    let mut decoder = WatchDecoder::<Pod>::new(Format::Cbor);
    let mut seen = Vec::new();
    for part in data.chunks(size) {
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

// A size of parts, and the data.
fuzz_target!(|data: &[u8]| {
    let Some((&size, data)) = data.split_first() else { return };
    let size = usize::from(size).max(1);
    items(data);
    pods(data);
    list(data, size);
    assert_eq!(events(data, data.len().max(1)), events(data, size));
});
