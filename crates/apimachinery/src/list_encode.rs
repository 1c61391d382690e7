//! Encoding lists item by item: the encoded list is never held as a whole.
//! Go: the streaming encoders of `runtime/serializer/{json,protobuf,cbor}`.
use crate::codec::PROTOBUF_MAGIC;
use crate::reflect::{Writer, json_put, pb_put, put_str};
use crate::{AnyKind, Error, Format, Kind, ListMeta, ObjectList};

/// Where the parts of an encoded list go.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

impl<T: Kind> ObjectList<T> {
    /// Appends the list as kind `{T}List`.
    ///
    /// # Errors
    /// An item cannot be written in `format`.
    pub fn encode(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_to(format, &mut |part| {
            out.extend_from_slice(part);
            Ok(())
        })
    }
    /// Encodes the list as kind `{T}List` and hands it to `sink` in parts, none much larger than
    /// an item. YAML is one part.
    /// Go: `StreamingCollectionsEncoding` of the serializers.
    ///
    /// # Errors
    /// An item cannot be written in `format`, or those of `sink`.
    ///
    /// ```
    /// use pintle_apimachinery::{Format, ObjectList, PartialObjectMetadata};
    /// let list = ObjectList { items: vec![PartialObjectMetadata::default(); 3], ..Default::default() };
    /// let (mut parts, mut length) = (0, 0);
    /// list.encode_to(Format::Protobuf, &mut |part| {
    ///     parts += 1;
    ///     length += part.len();
    ///     Ok(())
    /// })?;
    /// let mut whole = Vec::new();
    /// list.encode(Format::Protobuf, &mut whole)?;
    /// assert_eq!((parts, length), (5, whole.len()));
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    pub fn encode_to(&self, format: Format, sink: &mut Sink<'_>) -> Result<(), Error> {
        let gvk = T::gvk_of();
        let head = Head {
            kind: &format!("{}List", gvk.kind),
            api_version: &gvk.api_version(),
            metadata: &self.metadata,
        };
        encode(&head, self.items.len(), &|i| &self.items[i], format, sink)
    }
}

struct Head<'a> {
    kind: &'a str,
    api_version: &'a str,
    metadata: &'a ListMeta,
}

/// Compiled once for all kinds.
fn encode<'a>(
    head: &Head<'_>,
    count: usize,
    item: &dyn Fn(usize) -> &'a dyn AnyKind,
    format: Format,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    let mut out = Vec::new();
    match format {
        Format::Json => {
            out.extend_from_slice(b"{\"kind\":");
            put_str(&mut out, head.kind);
            out.extend_from_slice(b",\"apiVersion\":");
            put_str(&mut out, head.api_version);
            out.extend_from_slice(b",\"metadata\":");
            json_put(head.metadata, &mut out);
            out.extend_from_slice(b",\"items\":[");
            sink(&out)?;
            for i in 0..count {
                out.clear();
                if i > 0 {
                    out.push(b',');
                }
                item(i).encode_any(format, &mut out)?;
                sink(&out)?;
            }
            sink(b"]}")
        }
        Format::Yaml => {
            encode(head, count, item, Format::Json, &mut |part| {
                out.extend_from_slice(part);
                Ok(())
            })?;
            sink(crate::codec::json_to_yaml(&out)?.as_bytes())
        }
        Format::Protobuf => protobuf(head, count, item, sink),
        #[cfg(feature = "cbor")]
        Format::Cbor => {
            crate::cbor::put_list_start(head.kind, count, &mut out);
            sink(&out)?;
            for i in 0..count {
                out.clear();
                item(i).encode_any(format, &mut out)?;
                sink(&out)?;
            }
            out.clear();
            crate::cbor::put_list_end(head.metadata, head.api_version, &mut out)?;
            sink(&out)
        }
        #[cfg(not(feature = "cbor"))]
        Format::Cbor => Err(Error::encode(crate::codec::NO_CBOR)),
    }
}

/// One item as a record of the list.
fn record(item: &dyn AnyKind) -> Result<Writer, Error> {
    let mut w = Writer::new();
    let mark = w.mark();
    let m = item
        .as_message()
        .ok_or_else(|| Error::encode(format!("{} has no protobuf form", item.gvk().kind)))?;
    pb_put(m, &mut w);
    w.close(2, mark);
    Ok(w)
}

/// Lengths come before what they are of, so items are encoded twice: once to be measured.
fn protobuf<'a>(
    head: &Head<'_>,
    count: usize,
    item: &dyn Fn(usize) -> &'a dyn AnyKind,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    let mut metadata = Writer::new();
    let mark = metadata.mark();
    pb_put(head.metadata, &mut metadata);
    metadata.close(1, mark);
    let mut length = metadata.as_slice().len();
    for i in 0..count {
        length += record(item(i))?.as_slice().len();
    }
    let mut envelope = Writer::new();
    let mark = envelope.mark();
    envelope.bytes(2, head.kind.as_bytes());
    envelope.bytes(1, head.api_version.as_bytes());
    envelope.close(1, mark);
    let mut out = PROTOBUF_MAGIC.to_vec();
    out.extend_from_slice(envelope.as_slice());
    // Field 2, the list itself.
    out.push(0x12);
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(metadata.as_slice());
    sink(&out)?;
    for i in 0..count {
        sink(record(item(i))?.as_slice())?;
    }
    // Fields 3 and 4, encoding and media type: empty.
    sink(&[0x1a, 0, 0x22, 0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, PartialObjectMetadata};

    #[test]
    fn parts_make_a_list_of_any_length() {
        for count in [0, 1, 2, 300] {
            let mut list = ObjectList::<PartialObjectMetadata>::default();
            list.metadata.resource_version = "7".into();
            for i in 0..count {
                let mut m = PartialObjectMetadata::default();
                m.metadata.name = format!("name-{i}").into();
                list.items.push(m);
            }
            for format in [Format::Json, Format::Yaml, Format::Protobuf] {
                let mut out = Vec::new();
                list.encode(format, &mut out).unwrap();
                assert_eq!(ObjectList::decode(&out, format, &mut Decoder::new()).unwrap(), list);
            }
        }
    }

    #[test]
    fn the_sink_may_refuse() {
        let list =
            ObjectList { items: vec![PartialObjectMetadata::default()], ..Default::default() };
        let e = list.encode_to(Format::Json, &mut |_| Err(Error::transport("closed")));
        assert!(e.unwrap_err().is_transport());
    }
}
