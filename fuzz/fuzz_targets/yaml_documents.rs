//! The documents of a YAML stream: fed in parts, they are what they are in one piece.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::util::{YamlFramer, YamlSplitter, looks_like_json};

/// What comes of a stream up to the first error, and the text of that.
macro_rules! cut {
    ($splitter:expr, $data:expr, $size:expr) => {{
        let (mut splitter, mut documents) = ($splitter, Vec::new());
        let fed = $data.chunks($size).try_for_each(|part| {
            splitter.feed(part);
            while let Some(document) = splitter.next()? {
                documents.push(document);
            }
            Ok(())
        });
        let rest = fed.and_then(|()| splitter.finish()).map(|rest| documents.extend(rest));
        (documents, rest.map_err(|e: pintle_apimachinery::ParseError| e.to_string()))
    }};
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, data) = input;
    let size = usize::from(size).max(1);
    let whole = cut!(YamlSplitter::new(), data, data.len().max(1));
    assert_eq!(whole, cut!(YamlSplitter::new(), data, size));
    assert_eq!(
        cut!(YamlFramer::new(), data, data.len().max(1)),
        cut!(YamlFramer::new(), data, size)
    );
    let _ = looks_like_json(data);
});
