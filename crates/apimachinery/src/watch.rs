//! Watch events, and decoding a stream of them. Go: `watch.Event` and `streaming` decoders.
use crate::codec::text;
use crate::reflect::{Decoder, Parser, Reader, Writer};
use crate::{
    Codec, Envelope, Error, Format, Object, ObjectMeta, PartialObjectMetadata, Status, Str,
};
use std::sync::Arc;

/// Annotation of the bookmark that ends the initial events of a watch-list.
/// Go: `metav1.InitialEventsAnnotationKey`.
pub const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent<T> {
    /// The object appeared (or was there when the watch began).
    Added(T),
    /// The object changed.
    Modified(T),
    /// The object went away; its last state, with the resource version of the deletion.
    Deleted(T),
    /// Nothing changed up to a resource version.
    Bookmark(Bookmark),
    /// The server gives up on this watch.
    Error(Status),
}

/// A point that a watch has reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bookmark {
    /// Everything up to here was told.
    pub resource_version: Str,
    /// Whether this ends the initial events of a watch-list.
    pub initial_events_end: bool,
}

impl Bookmark {
    /// From the metadata of a bookmark's object.
    pub fn of(m: &ObjectMeta) -> Bookmark {
        Bookmark {
            resource_version: m.resource_version.clone(),
            initial_events_end: m.annotations.get(INITIAL_EVENTS_END).is_some_and(|v| v == "true"),
        }
    }
}

impl<T> WatchEvent<T> {
    /// The object, if the event has one.
    pub fn object(&self) -> Option<&T> {
        match self {
            WatchEvent::Added(t) | WatchEvent::Modified(t) | WatchEvent::Deleted(t) => Some(t),
            WatchEvent::Bookmark(_) | WatchEvent::Error(_) => None,
        }
    }
    /// The same event with another object.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> WatchEvent<U> {
        match self {
            WatchEvent::Added(t) => WatchEvent::Added(f(t)),
            WatchEvent::Modified(t) => WatchEvent::Modified(f(t)),
            WatchEvent::Deleted(t) => WatchEvent::Deleted(f(t)),
            WatchEvent::Bookmark(b) => WatchEvent::Bookmark(b),
            WatchEvent::Error(s) => WatchEvent::Error(s),
        }
    }
    /// The type on the wire: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, `ERROR`.
    pub fn type_name(&self) -> &'static str {
        match self {
            WatchEvent::Added(_) => "ADDED",
            WatchEvent::Modified(_) => "MODIFIED",
            WatchEvent::Deleted(_) => "DELETED",
            WatchEvent::Bookmark(_) => "BOOKMARK",
            WatchEvent::Error(_) => "ERROR",
        }
    }
}

/// Appends one event of a watch stream: a frame in protobuf, a line in JSON, a data item in CBOR.
/// `object` is already encoded in `format`, envelope included; a watch in YAML does not exist, and
/// one in CBOR only with its feature. For servers.
/// Go: `Encoder` of `k8s.io/client-go/rest/watch`, in a frame of `streaming.NewEncoder`.
pub fn put_watch_frame(type_name: &str, object: &[u8], format: Format, out: &mut Vec<u8>) {
    #[cfg(feature = "cbor")]
    if format == Format::Cbor {
        return crate::cbor::put_event(type_name, object, out);
    }
    if format == Format::Protobuf {
        let mut w = Writer::new();
        let mark = w.mark();
        w.bytes(1, object);
        w.close(2, mark);
        w.bytes(1, type_name.as_bytes());
        let body = w.as_slice();
        out.extend_from_slice(&(body.len() as u32).to_be_bytes());
        out.extend_from_slice(body);
    } else {
        out.extend_from_slice(b"{\"type\":");
        crate::reflect::put_str(out, type_name);
        out.extend_from_slice(b",\"object\":");
        out.extend_from_slice(object);
        out.extend_from_slice(b"}\n");
    }
}

/// Decodes a watch stream as it arrives. Feed it chunks of any size, then take events with
/// [`WatchDecoder::next`] until there is none.
/// Go: `Decoder` of `k8s.io/client-go/rest/watch`, over `streaming.NewDecoder`.
///
/// ```
/// use pintle_apimachinery::{Decoder, Format, PartialObjectMetadata, WatchDecoder, WatchEvent};
/// let mut watch = WatchDecoder::<PartialObjectMetadata>::new(Format::Json);
/// let mut cx = Decoder::interning();
/// watch.feed(br#"{"type":"ADDED","object":{"metadata":{"name":"a"}}} {"type":"BOOK"#);
/// let Some(WatchEvent::Added(a)) = watch.next(&mut cx)? else { panic!() };
/// assert_eq!(a.metadata.name, "a");
/// assert!(watch.next(&mut cx)?.is_none());
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub struct WatchDecoder<T> {
    known: Option<Known<T>>,
    format: Format,
    buf: Vec<u8>,
    at: usize,
    scan: crate::list::Scan,
    broken: bool,
    of: std::marker::PhantomData<fn() -> T>,
}

/// Finds the last known state of an object by namespace and name.
pub type Known<T> = Arc<dyn Fn(&str, &str) -> Option<Arc<T>> + Send + Sync>;

impl<T> std::fmt::Debug for WatchDecoder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is buffered may be a Secret.
        f.debug_struct("WatchDecoder").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Largest event, in bytes.
const MAX_EVENT: usize = 64 << 20;

impl<T: Object + Codec> WatchDecoder<T> {
    /// For a stream in `format` (JSON, protobuf or CBOR).
    pub fn new(format: Format) -> Self {
        WatchDecoder {
            known: None,
            format,
            buf: Vec::new(),
            at: 0,
            scan: Default::default(),
            broken: false,
            of: std::marker::PhantomData,
        }
    }
    /// Decodes changes of objects that `known` finds by sharing what did not change: an event then
    /// costs little more than its difference.
    #[must_use]
    pub fn knowing(mut self, known: Known<T>) -> Self {
        self.known = Some(known);
        self
    }
    /// Takes the next part of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.at > 0 {
            self.buf.drain(..self.at);
            self.at = 0;
        }
        self.buf.extend_from_slice(chunk);
    }
    /// Whether the stream, if it ends here, ends inside an event.
    pub fn is_inside_event(&self) -> bool {
        let rest = &self.buf[self.at..];
        match self.format {
            Format::Json | Format::Yaml => rest.iter().any(|c| !c.is_ascii_whitespace()),
            Format::Protobuf | Format::Cbor => !rest.is_empty(),
        }
    }
    /// Whether the stream itself is broken, so that nothing more can be read from it; an error
    /// without this is about one event.
    pub fn is_broken(&self) -> bool {
        self.broken
    }
    /// Where the next event lies, when it is there as a whole.
    fn frame(&mut self) -> Result<Option<(usize, usize)>, Error> {
        if self.buf.len() - self.at > MAX_EVENT {
            return Err(Error::decode(format!("a watch event is larger than {MAX_EVENT} bytes")));
        }
        if self.format == Format::Protobuf {
            let Some(head) = self.buf.get(self.at..self.at + 4) else { return Ok(None) };
            let n = u32::from_be_bytes(head.try_into().expect("four bytes")) as usize;
            if n > MAX_EVENT {
                return Err(Error::decode(format!("a watch event claims to have {n} bytes")));
            }
            let from = self.at + 4;
            if self.buf.len() - from < n {
                return Ok(None);
            }
            Ok(Some((from, from + n)))
        } else if self.format == Format::Cbor {
            #[cfg(feature = "cbor")]
            return match self.buf.get(self.at..) {
                None | Some([]) => Ok(None),
                Some(rest) => Ok(crate::cbor::item_len(rest)?.map(|n| (self.at, self.at + n))),
            };
            #[cfg(not(feature = "cbor"))]
            return Err(Error::decode(crate::codec::NO_CBOR));
        } else {
            while self.buf.get(self.at).is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            }
            let Some(&first) = self.buf.get(self.at) else { return Ok(None) };
            if first != b'{' {
                return Err(Error::decode(format!(
                    "watch stream: unexpected {:?} where an event is expected",
                    first as char
                )));
            }
            let Some(end) = self.scan.value(&self.buf, self.at)? else { return Ok(None) };
            Ok(Some((self.at, end)))
        }
    }
    /// The next event that is there as a whole.
    ///
    /// # Errors
    /// The bytes are not events of `T`. An event whose object cannot be decoded is passed over by
    /// the next call: one bad object does not break a watch.
    #[allow(clippy::should_implement_trait)] // needs the decoder, and can fail
    pub fn next(&mut self, cx: &mut Decoder) -> Result<Option<WatchEvent<T>>, Error> {
        let (from, end) = match self.frame() {
            Ok(Some(range)) => range,
            Ok(None) => return Ok(None),
            Err(e) => {
                self.broken = true;
                return Err(e);
            }
        };
        self.at = end;
        let frame = &self.buf[from..end];
        let (name, object) = match self.format {
            Format::Protobuf => protobuf_event(frame)?,
            #[cfg(feature = "cbor")]
            Format::Cbor => {
                let (name, object) = crate::cbor::event(frame)?;
                (name.into(), object)
            }
            _ => json_event(text(frame)?)?,
        };
        let format = self.format;
        let known = match (&self.known, format) {
            (Some(known), Format::Protobuf) => {
                protobuf_key(object).and_then(|(namespace, name)| known(namespace, name))
            }
            _ => None,
        };
        let decode = |cx: &mut Decoder| {
            let decoded = match &known {
                Some(old) => cx.decode_over(object, format, old),
                None => T::decode(object, format, cx),
            };
            decoded.map_err(|e| e.context(format!("{name} event")))
        };
        Ok(Some(match &*name {
            "ADDED" => WatchEvent::Added(decode(cx)?),
            "MODIFIED" => WatchEvent::Modified(decode(cx)?),
            "DELETED" => WatchEvent::Deleted(decode(cx)?),
            "BOOKMARK" => {
                let raw =
                    if format == Format::Protobuf { Envelope::parse(object)?.raw } else { object };
                let m = PartialObjectMetadata::decode_item(raw, format, &mut Decoder::new())
                    .map_err(|e| e.context("BOOKMARK event"))?;
                WatchEvent::Bookmark(Bookmark::of(&m.metadata))
            }
            "ERROR" => WatchEvent::Error(
                Status::decode_if(object, format)
                    .ok_or_else(|| Error::decode("an ERROR event of a watch holds no Status"))?,
            ),
            other => {
                return Err(Error::decode(format!("a watch event has the unknown type {other:?}")));
            }
        }))
    }
}

fn json_event(frame: &str) -> Result<(std::borrow::Cow<'_, str>, &[u8]), Error> {
    let mut p = Parser::new(frame);
    let (mut name, mut object) = (String::new(), "");
    let mut more = p.open(b'{', b'}')?;
    while more {
        match &*p.key()? {
            "type" => name = p.string()?.to_owned(),
            "object" => object = p.raw()?,
            _ => p.skip()?,
        }
        more = p.next(b'}')?;
    }
    if object.is_empty() {
        return Err(Error::decode(format!("a watch event of type {name:?} has no object")));
    }
    Ok((name.into(), object.as_bytes()))
}

/// Namespace and name of an object, if its metadata come first, as Go writes them.
fn protobuf_key(object: &[u8]) -> Option<(&str, &str)> {
    let mut r = Reader::new(Envelope::parse(object).ok()?.raw);
    if r.tag().ok()? != (1, 2) {
        return None;
    }
    let mut meta = Reader::new(r.bytes().ok()?);
    let (mut namespace, mut name) = ("", "");
    while meta.more() {
        match meta.tag().ok()? {
            (1, 2) => name = meta.str().ok()?,
            (3, 2) => {
                namespace = meta.str().ok()?;
                break;
            }
            (_, w) => meta.skip(w).ok()?,
        }
    }
    Some((namespace, name))
}

fn protobuf_event(frame: &[u8]) -> Result<(std::borrow::Cow<'_, str>, &[u8]), Error> {
    let (mut name, mut object) = ("", &b""[..]);
    let mut r = Reader::new(frame);
    while r.more() {
        match r.tag()? {
            (1, 2) => name = r.str()?,
            (2, 2) => {
                let mut raw = Reader::new(r.bytes()?);
                while raw.more() {
                    match raw.tag()? {
                        (1, 2) => object = raw.bytes()?,
                        (_, w) => raw.skip(w)?,
                    }
                }
            }
            (_, w) => r.skip(w)?,
        }
    }
    Ok((name.into(), object))
}
