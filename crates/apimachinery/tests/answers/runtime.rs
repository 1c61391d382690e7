//! Go's functions of `tests/control-plane/internal/answer/runtime.go`, answered by this crate.
//! `cargo xtask conformance` uses this file as well, with every built-in kind in the scheme.
use pintle_apimachinery::{
    AnyUnstructured, Codec, CodecFactory, Decoder, Error, Format, GroupVersionKind, Scheme,
    StrictErrors, Unstructured, codec, decode_strict, reflect, yaml,
};
use serde_json::{Value, json};

type Answer = Result<Value, String>;

/// The answer to a function that is of this file.
pub(crate) fn answer(codecs: &CodecFactory, function: &str, input: &Value) -> Option<Answer> {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let (from, to) = (format_of(text("format")), format_of(text("to")));
    let bytes = || bytes_of(from, text("data"));
    Some(match function {
        "runtime.transcode" => bytes().and_then(|b| transcode(codecs, &b, from, to)),
        "runtime.strict" => {
            bytes().and_then(|b| strict(codecs, &b, from, input["unstructured"] == true))
        }
        "runtime.unstructured" => bytes().and_then(|b| unstructured(&b, from, to)),
        "runtime.cbor" => from_base64(input.as_str()?).and_then(|b| cbor(&b)),
        "runtime.yaml" => document(input.as_str()?),
        "runtime.fromUnstructured" | "runtime.toUnstructured" => {
            let owned = |key: &str| text(key).to_owned();
            let kind = GroupVersionKind::new(owned("group"), owned("version"), owned("kind"));
            if function == "runtime.toUnstructured" {
                to_unstructured(codecs.scheme(), &kind, text("data"))
            } else {
                from_unstructured(codecs.scheme(), &kind, text("data"))
            }
        }
        _ => return None,
    })
}

/// Whether two answers are the same. Texts of errors are each one's own, but for those that say
/// what an object does not say of itself; Go has the object in them, which may be secret.
pub(crate) fn same(function: &str, ours: &Answer, go: &Answer) -> bool {
    match (ours, go) {
        (Ok(a), Ok(b)) if function == "runtime.yaml" => {
            a["json"] == b["json"] && a["strict"] == b["strict"]
        }
        (Ok(a), Ok(b)) => a == b,
        // What users see of values of the wrong type.
        (Err(a), Err(b))
            if matches!(function, "runtime.transcode" | "runtime.strict")
                && (is_mismatch(a) || is_mismatch(b)) =>
        {
            a == b
        }
        (Err(a), Err(b)) => {
            let plain = |e: &str| !e.starts_with("Object '");
            b.starts_with(a.as_str()) || (plain(a) && plain(b))
        }
        _ => false,
    }
}

fn is_mismatch(e: &str) -> bool {
    e.contains("json: cannot unmarshal") || e.starts_with("illegal base64 data at")
}

pub(crate) fn format_of(name: &str) -> Format {
    match name {
        "yaml" => Format::Yaml,
        "protobuf" => Format::Protobuf,
        "cbor" => Format::Cbor,
        _ => Format::Json,
    }
}

fn from_base64(data: &str) -> Result<Vec<u8>, String> {
    serde_json::from_value::<pintle_apimachinery::Bytes>(data.into())
        .map(|b| b.to_vec())
        .map_err(|e| e.to_string())
}

/// Bytes in base64.
pub(crate) fn to_base64(bytes: &[u8]) -> Value {
    serde_json::to_value(pintle_apimachinery::Bytes::from(bytes.to_vec())).unwrap_or_default()
}

fn bytes_of(format: Format, data: &str) -> Result<Vec<u8>, String> {
    match format {
        Format::Protobuf | Format::Cbor => from_base64(data),
        _ => Ok(data.as_bytes().to_vec()),
    }
}

fn wrong(e: Error) -> String {
    e.to_string()
}

/// Bytes as Go's side shows them: YAML as the JSON it stands for.
fn shown(format: Format, bytes: &[u8]) -> Answer {
    match format {
        Format::Protobuf | Format::Cbor => Ok(to_base64(bytes)),
        Format::Yaml => Ok(go_json(&yaml::parse(bytes).map_err(wrong)?).into()),
        Format::Json => Ok(String::from_utf8_lossy(bytes).into()),
    }
}

/// JSON as Go writes it: that of an object without a type.
fn go_json(v: &Value) -> String {
    let o = [("v".to_owned(), v.clone())].into_iter().collect();
    let mut out = Vec::new();
    let written = Unstructured::from_object(o).encode(Format::Json, &mut out);
    let text = String::from_utf8_lossy(&out);
    match written {
        Ok(()) => text[5..text.len() - 1].to_owned(),
        Err(e) => e.to_string(),
    }
}

fn transcode(codecs: &CodecFactory, bytes: &[u8], from: Format, to: Format) -> Answer {
    let decoded = codecs.deserialize_as(bytes, from, None).map_err(wrong)?;
    let mut out = Vec::new();
    decoded.object.encode_any(to, &mut out).map_err(wrong)?;
    Ok(json!({"kind": decoded.kind.to_string(), "data": shown(to, &out)?}))
}

fn texts(strict: &StrictErrors) -> Vec<String> {
    strict.iter().map(ToString::to_string).collect()
}

fn strict(codecs: &CodecFactory, bytes: &[u8], format: Format, untyped: bool) -> Answer {
    let mut out = Vec::new();
    let strict = if untyped {
        // Go's serializer looks at the kind first, even when it is told what to decode into.
        let json = match format {
            Format::Yaml => codec::yaml_to_json(bytes).map_err(wrong)?,
            _ => String::from_utf8_lossy(bytes).into_owned(),
        };
        let (api_version, _) = codec::peek_json_kind(&json).map_err(wrong)?;
        pintle_apimachinery::GroupVersion::parse(&api_version).map_err(|e| e.to_string())?;
        let cx = &mut Decoder::new();
        let (u, strict) = decode_strict::<Unstructured>(bytes, format, cx).map_err(wrong)?;
        u.encode(Format::Json, &mut out).map_err(wrong)?;
        strict
    } else {
        let decoded = codecs.clone().strict().deserialize_as(bytes, format, None).map_err(wrong)?;
        decoded.object.encode_any(Format::Json, &mut out).map_err(wrong)?;
        decoded.strict
    };
    Ok(json!({"object": String::from_utf8_lossy(&out), "strict": texts(&strict)}))
}

fn unstructured(bytes: &[u8], from: Format, to: Format) -> Answer {
    let object: Box<dyn pintle_apimachinery::AnyKind> = if from == Format::Cbor {
        let u = Unstructured::decode(bytes, from, &mut Decoder::new()).map_err(wrong)?;
        if u.api_version.is_empty() {
            return Err("Object 'apiVersion' is missing".into());
        }
        Box::new(u)
    } else {
        AnyUnstructured::decode(bytes, from).map_err(wrong)?.into_any_kind()
    };
    let mut out = Vec::new();
    object.encode_any(to, &mut out).map_err(wrong)?;
    Ok(json!({"kind": object.gvk().to_string(), "data": shown(to, &out)?}))
}

/// A data item, by way of an object around it.
fn cbor(item: &[u8]) -> Answer {
    // {"v": item}
    let mut bytes = vec![0xa1, 0x41, b'v'];
    bytes.extend_from_slice(item);
    let u = Unstructured::decode_item(&bytes, Format::Cbor, &mut Decoder::new()).map_err(wrong)?;
    let mut out = Vec::new();
    u.encode(Format::Cbor, &mut out).map_err(wrong)?;
    let value = u.fields.get("v").cloned().unwrap_or_default();
    // Behind the prefix, the head of the map and the key.
    Ok(json!({"json": go_json(&value), "cbor": to_base64(&out[6..])}))
}

fn document(text: &str) -> Answer {
    let (value, twice) = yaml::parse_strict(text.as_bytes()).map_err(wrong)?;
    let written = yaml::to_string(&value);
    let back = yaml::parse(written.as_bytes()).map_err(wrong)?;
    if go_json(&back) != go_json(&value) {
        return Err(format!("{written:?} is not read as it was written"));
    }
    Ok(json!({"json": go_json(&value), "strict": twice.unwrap_or_default(), "yaml": written}))
}

fn to_unstructured(scheme: &Scheme, kind: &GroupVersionKind, data: &str) -> Answer {
    let mut object = scheme.new_object(kind).map_err(wrong)?;
    let m = object.as_message_mut().ok_or("no message")?;
    let mut p = reflect::Parser::new(data);
    let read = reflect::json_merge(m, &mut p, &mut Decoder::new()).and_then(|()| p.finish());
    read.map_err(|e| e.to_string())?;
    let content = reflect::to_unstructured(m).map_err(wrong)?;
    Ok(go_json(&content.into()).into())
}

fn from_unstructured(scheme: &Scheme, kind: &GroupVersionKind, data: &str) -> Answer {
    let mut object = scheme.new_object(kind).map_err(wrong)?;
    let m = object.as_message_mut().ok_or("no message")?;
    // Numbers as Kubernetes reads them.
    let wrapped = format!("{{\"v\":{data}}}");
    let u = Unstructured::decode_item(wrapped.as_bytes(), Format::Json, &mut Decoder::new())
        .map_err(wrong)?;
    let content = u.fields.get("v").and_then(Value::as_object).ok_or("no object")?;
    let strict = reflect::from_unstructured(content, m).map_err(wrong)?;
    let mut out = Vec::new();
    object.encode_any(Format::Json, &mut out).map_err(wrong)?;
    Ok(json!({"object": String::from_utf8_lossy(&out), "strict": texts(&strict)}))
}
