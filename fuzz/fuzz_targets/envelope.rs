//! The envelope of protobuf bodies, and bodies in whatever format they are recognised as: what is
//! decoded by a scheme is encoded and decoded again as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_api::core_v1::{ConfigMap, Pod, PodList};
use pintle_apimachinery::{CodecFactory, Envelope, Format, Scheme};
use std::sync::OnceLock;

fn codecs() -> &'static CodecFactory {
    static CODECS: OnceLock<CodecFactory> = OnceLock::new();
    CODECS.get_or_init(|| {
        let mut scheme = Scheme::new();
        scheme.register_meta();
        scheme.register::<ConfigMap>().register::<Pod>().register::<PodList>();
        CodecFactory::new(scheme).strict().with_unstructured()
    })
}

fuzz_target!(|data: &[u8]| {
    if let Ok(envelope) = Envelope::parse(data) {
        let mut out = Vec::new();
        envelope.write(&mut out);
        assert_eq!(Envelope::parse(&out).expect("reads what it wrote"), envelope);
        let _ = envelope.gvk();
    }
    let format = Format::recognize(data);
    let Ok(decoded) = codecs().deserialize(data) else { return };
    assert!(decoded.strict.iter().count() <= 100);
    for to in [Format::Protobuf, Format::Json, Format::Cbor, Format::Yaml] {
        let mut out = Vec::new();
        // What has no type has no protobuf; protobuf and CBOR may hold what JSON cannot.
        if codecs().encode(&*decoded.object, to, &mut out).is_err() {
            continue;
        }
        let again = codecs().deserialize_as(&out, to, None);
        let again = again.unwrap_or_else(|e| panic!("{format:?} to {to:?}: {e}"));
        assert_eq!(again.kind, decoded.kind);
        let mut twice = Vec::new();
        codecs().encode(&*again.object, to, &mut twice).expect("encodes what it decoded");
        assert_eq!(out, twice, "{format:?} to {to:?}");
    }
});
