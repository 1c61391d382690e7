//! Lists of objects, and decoding them as they arrive.
use crate::codec::{PROTOBUF_MAGIC, text};
use crate::reflect::{Decoder, Parser, Reader, json_merge, pb_merge};
use crate::{Codec, Envelope, Error, Format, ListMeta, Status};

/// A list of objects as a client holds it: items and the list's metadata.
/// Go: the list type of each kind, such as `PodList`.
///
/// Generated list kinds (`PodList`) exist as well, for schemes; clients use this one for every
/// type.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectList<T> {
    /// Resource version, continue token, number of remaining items.
    pub metadata: ListMeta,
    /// The objects.
    pub items: Vec<T>,
}

impl<T> Default for ObjectList<T> {
    fn default() -> Self {
        ObjectList { metadata: ListMeta::default(), items: Vec::new() }
    }
}
impl<T> IntoIterator for ObjectList<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
impl<'a, T> IntoIterator for &'a ObjectList<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
impl<T> ObjectList<T> {
    /// Iterates over the items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }
    /// The token for the next page; empty on the last.
    /// Go: `GetContinue`.
    pub fn continue_token(&self) -> &str {
        &self.metadata.continue_
    }
    /// The resource version of the list.
    pub fn resource_version(&self) -> &str {
        &self.metadata.resource_version
    }
}
impl<T: Codec> ObjectList<T> {
    /// Decodes a whole list.
    ///
    /// # Errors
    /// The bytes are not a list of `T`, or a Status.
    pub fn decode(bytes: &[u8], format: Format, cx: &mut Decoder) -> Result<Self, Error> {
        let mut d = ListDecoder::new(format);
        d.feed(bytes, cx)?;
        d.finish()
    }
}
/// Decodes a list as its body arrives, item by item: the body is never held as a whole.
///
/// Feed it chunks of any size, then [`ListDecoder::finish`]. YAML cannot be decoded in parts and
/// is collected.
///
/// ```
/// use pintle_apimachinery::{Decoder, Format, ListDecoder, PartialObjectMetadata};
/// let body = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},
///                 "items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#;
/// let mut cx = Decoder::interning();
/// let mut list = ListDecoder::<PartialObjectMetadata>::new(Format::Json);
/// for chunk in body.chunks(10) {
///     list.feed(chunk, &mut cx)?;
/// }
/// let list = list.finish()?;
/// assert_eq!(list.resource_version(), "7");
/// assert_eq!(list.items[1].metadata.name, "b");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Debug)]
pub struct ListDecoder<T> {
    format: Format,
    buf: Vec<u8>,
    /// Bytes of `buf` that are done with.
    at: usize,
    state: State,
    scan: Scan,
    kind: String,
    /// Protobuf: the list inside the envelope is complete.
    body_done: bool,
    list: ObjectList<T>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nothing read.
    Start,
    /// JSON: before a member of the list.
    Member,
    /// JSON: inside `items`, before an element or the end.
    Element,
    /// JSON: behind an element.
    AfterElement,
    /// JSON: behind a member's value.
    AfterMember,
    /// Protobuf: before a record of the envelope.
    Envelope,
    /// Protobuf: inside the list, with this many bytes left.
    Body(u64),
    /// CBOR: inside the list, with so many members left; none for an unknown number.
    #[cfg(feature = "cbor")]
    CborMembers(Option<u64>),
    /// CBOR: inside `items`, with so many items left, and members behind them.
    #[cfg(feature = "cbor")]
    CborItems(Option<u64>, Option<u64>),
    /// The list is complete.
    Done,
}

/// Largest single item, in bytes: beyond it a body is refused rather than buffered. etcd's limit
/// on an object is 1.5 MB by default.
const MAX_ITEM: usize = 64 << 20;

impl<T: Codec> ListDecoder<T> {
    /// For a body in `format`.
    pub fn new(format: Format) -> Self {
        ListDecoder {
            format,
            buf: Vec::new(),
            at: 0,
            state: State::Start,
            scan: Scan::default(),
            kind: String::new(),
            body_done: false,
            list: ObjectList::default(),
        }
    }
    /// Takes the next part of the body.
    ///
    /// # Errors
    /// What came so far cannot be the start of a list of `T`. The decoder is of no use afterwards.
    pub fn feed(&mut self, chunk: &[u8], cx: &mut Decoder) -> Result<(), Error> {
        // The part that is done with is dropped before the buffer grows.
        if self.at > 0 {
            self.buf.drain(..self.at);
            self.at = 0;
        }
        self.buf.extend_from_slice(chunk);
        if self.format == Format::Yaml {
            return Ok(());
        }
        loop {
            let before = (self.at, self.state);
            let more = match self.format {
                Format::Json => self.step_json(cx)?,
                #[cfg(feature = "cbor")]
                Format::Cbor => self.step_cbor(cx)?,
                #[cfg(not(feature = "cbor"))]
                Format::Cbor => return Err(Error::decode(crate::codec::NO_CBOR)),
                _ => self.step_protobuf(cx)?,
            };
            debug_assert!(!more || before != (self.at, self.state), "a step makes progress");
            if !more {
                break;
            }
        }
        if self.buf.len() - self.at > MAX_ITEM {
            return Err(Error::decode(format!(
                "an item of the list is larger than {MAX_ITEM} bytes"
            )));
        }
        Ok(())
    }
    /// Items decoded so far and not yet taken.
    pub fn take_items(&mut self) -> Vec<T> {
        std::mem::take(&mut self.list.items)
    }
    /// The list, with all items that were not taken.
    ///
    /// # Errors
    /// The body ended too early.
    pub fn finish(mut self) -> Result<ObjectList<T>, Error> {
        if self.format == Format::Yaml {
            let json = crate::codec::yaml_to_json(&self.buf)?;
            return ObjectList::decode(json.as_bytes(), Format::Json, &mut Decoder::new());
        }
        if self.state != State::Done {
            return Err(Error::decode("the list ended before it was complete"));
        }
        if !self.kind.is_empty() && !self.kind.ends_with("List") {
            return Err(Error::decode(format!("the body is a {}, not a list", self.kind)));
        }
        Ok(std::mem::take(&mut self.list))
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(&c) = self.buf.get(self.at) {
            if !matches!(c, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(c);
            }
            self.at += 1;
        }
        None
    }
    fn unexpected(&self, c: u8, wanted: &str) -> Error {
        Error::decode(format!("list: unexpected {:?} where {wanted} is expected", c as char))
    }
    /// One step of the JSON machine; `false` when more input is needed or all is done.
    fn step_json(&mut self, cx: &mut Decoder) -> Result<bool, Error> {
        match self.state {
            State::Start => match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.state = State::Member;
                    Ok(true)
                }
                Some(c) => Err(self.unexpected(c, "a list object")),
                None => Ok(false),
            },
            State::Member => {
                if self.peek() == Some(b'}') {
                    self.at += 1;
                    self.state = State::Done;
                    return Ok(true);
                }
                self.member(cx)
            }
            State::Element => match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    self.state = State::AfterMember;
                    Ok(true)
                }
                Some(_) => {
                    let Some(end) = self.scan.value(&self.buf, self.at)? else { return Ok(false) };
                    let index = self.list.items.len();
                    let item = T::decode_item(&self.buf[self.at..end], Format::Json, cx)
                        .map_err(|e| e.context(format!("items[{index}]")))?;
                    self.list.items.push(item);
                    self.at = end;
                    self.state = State::AfterElement;
                    Ok(true)
                }
                None => Ok(false),
            },
            State::AfterElement | State::AfterMember => {
                let in_items = self.state == State::AfterElement;
                match self.peek() {
                    Some(b',') => {
                        self.state = if in_items { State::Element } else { State::Member };
                    }
                    Some(b']') if in_items => self.state = State::AfterMember,
                    Some(b'}') if !in_items => self.state = State::Done,
                    Some(c) => return Err(self.unexpected(c, "',' or the end")),
                    None => return Ok(false),
                }
                self.at += 1;
                Ok(true)
            }
            State::Done => match self.peek() {
                Some(c) => Err(self.unexpected(c, "the end")),
                None => Ok(false),
            },
            _ => unreachable!("states of other formats"),
        }
    }
    /// A member of the list object, once it is there as a whole (`items`: once it begins).
    fn member(&mut self, cx: &mut Decoder) -> Result<bool, Error> {
        let from = self.at;
        let Some(key_end) = Scan::default().value(&self.buf, from)? else { return Ok(false) };
        let rest = &self.buf[key_end..];
        let Some(colon) = rest.iter().position(|c| !c.is_ascii_whitespace()) else {
            return Ok(false);
        };
        if rest[colon] != b':' {
            return Err(self.unexpected(rest[colon], "':'"));
        }
        let Some(gap) = rest[colon + 1..].iter().position(|c| !c.is_ascii_whitespace()) else {
            return Ok(false);
        };
        let value = key_end + colon + 1 + gap;
        let key = &self.buf[from..key_end];
        if key == b"\"items\"" && self.buf[value] == b'[' {
            self.at = value + 1;
            self.state = State::Element;
            return Ok(true);
        }
        let Some(end) = Scan::default().value(&self.buf, value)? else { return Ok(false) };
        let raw = text(&self.buf[value..end])?;
        let mut p = Parser::new(raw);
        match key {
            b"\"metadata\"" => json_merge(&mut self.list.metadata, &mut p, cx)
                .map_err(|e| Error::decode(format!("list metadata: {e}")))?,
            b"\"kind\"" => self.kind = p.string()?.to_owned(),
            _ => p.skip()?,
        }
        if self.kind == "Status" {
            // Served where a list was asked for: kind comes first, so the body is still whole.
            return Err(Error::decode("the body is a Status, not a list"));
        }
        self.at = end;
        self.state = State::AfterMember;
        Ok(true)
    }
    /// One step of the CBOR machine; `false` when more input is needed or all is done.
    #[cfg(feature = "cbor")]
    fn step_cbor(&mut self, cx: &mut Decoder) -> Result<bool, Error> {
        use crate::cbor::{self, Opened};
        let rest = &self.buf[self.at..];
        if rest.is_empty() {
            return Ok(false);
        }
        let more = |left: Option<u64>| left.map(|n| n - 1);
        let ends = |left: Option<u64>| left == Some(0) || (left.is_none() && rest[0] == 0xff);
        match self.state {
            State::Start => match cbor::open(rest, 5)? {
                Opened::Short => Ok(false),
                Opened::Other => Err(Error::decode("list: the body is not a CBOR map")),
                Opened::At(n, left) => {
                    self.at += n;
                    self.state = State::CborMembers(left);
                    self.finish_cbor();
                    Ok(true)
                }
            },
            State::CborMembers(left) => {
                if ends(left) {
                    self.at += usize::from(left.is_none());
                    self.state = State::Done;
                    return Ok(true);
                }
                let Some(key_len) = cbor::item_len(rest)? else { return Ok(false) };
                let key = cbor::key(&rest[..key_len])?;
                let value = &rest[key_len..];
                if value.is_empty() {
                    return Ok(false);
                }
                if key == "items" {
                    match cbor::open(value, 4)? {
                        Opened::Short => return Ok(false),
                        Opened::At(n, items) => {
                            self.at += key_len + n;
                            self.state = State::CborItems(items, more(left));
                            self.finish_cbor();
                            return Ok(true);
                        }
                        Opened::Other => {}
                    }
                }
                let Some(n) = cbor::item_len(value)? else { return Ok(false) };
                let value = &value[..n];
                match key.as_str() {
                    "metadata" => {
                        if let Ok(o) = cbor::decode_object(value) {
                            cbor::decode_message(&o, &mut self.list.metadata)
                                .map_err(|e| e.context("list metadata"))?;
                        }
                    }
                    "kind" => {
                        self.kind = cbor::decode(value)?.as_str().unwrap_or_default().to_owned();
                        if self.kind == "Status" {
                            return Err(Error::decode("the body is a Status, not a list"));
                        }
                    }
                    _ => drop(cbor::decode(value)?),
                }
                self.at += key_len + n;
                self.state = State::CborMembers(more(left));
                self.finish_cbor();
                Ok(true)
            }
            State::CborItems(items, left) => {
                if ends(items) {
                    self.at += usize::from(items.is_none());
                    self.state = State::CborMembers(left);
                    self.finish_cbor();
                    return Ok(true);
                }
                let Some(n) = cbor::item_len(rest)? else { return Ok(false) };
                let index = self.list.items.len();
                let item = T::decode_item(&rest[..n], Format::Cbor, cx)
                    .map_err(|e| e.context(format!("items[{index}]")))?;
                self.list.items.push(item);
                self.at += n;
                self.state = State::CborItems(more(items), left);
                self.finish_cbor();
                Ok(true)
            }
            _ => Err(Error::decode("list: unexpected data behind the end")),
        }
    }
    /// Goes on where no further byte says so.
    #[cfg(feature = "cbor")]
    fn finish_cbor(&mut self) {
        if let State::CborItems(Some(0), left) = self.state {
            self.state = State::CborMembers(left);
        }
        if self.state == State::CborMembers(Some(0)) {
            self.state = State::Done;
        }
    }
    /// One step of the protobuf machine; `false` when more input is needed or all is done.
    fn step_protobuf(&mut self, cx: &mut Decoder) -> Result<bool, Error> {
        if self.state == State::Start {
            if self.buf.len() < 4 {
                return Ok(false);
            }
            if self.buf[..4] != PROTOBUF_MAGIC {
                return Err(Error::decode(
                    "not Kubernetes protobuf: the body does not begin with \"k8s\\0\"",
                ));
            }
            self.at = 4;
            self.state = State::Envelope;
            return Ok(true);
        }
        let left = match self.state {
            State::Body(0) => {
                self.body_done = true;
                self.state = State::Envelope;
                return Ok(true);
            }
            State::Body(n) => n,
            _ => u64::MAX,
        };
        let in_body = left != u64::MAX;
        let mut r = Reader::new(&self.buf[self.at..]);
        if !r.more() {
            if !in_body {
                // Behind the last record of the envelope, as far as one can know.
                self.state = if self.body_done { State::Done } else { State::Envelope };
            }
            return Ok(false);
        }
        let short = |e: Box<crate::reflect::DecodeError>| {
            if e.is_unexpected_end() { Ok(false) } else { Err(Error::from(e)) }
        };
        self.state = if in_body { self.state } else { State::Envelope };
        let (num, wire) = match r.tag() {
            Ok(t) => t,
            Err(e) => return short(e),
        };
        if !in_body && (num, wire) == (2, 2) {
            return match r.varint() {
                Ok(n) => {
                    self.at += r.position();
                    self.state = State::Body(n);
                    Ok(true)
                }
                Err(e) => short(e),
            };
        }
        if wire != 2 {
            if let Err(e) = r.skip(wire) {
                return short(e);
            }
            let used = r.position();
            return self.consumed(used, left).map(|()| true);
        }
        let raw = match r.bytes() {
            Ok(b) => b,
            Err(e) => return short(e),
        };
        match (in_body, num) {
            (false, 1) => {
                let mut head = PROTOBUF_MAGIC.to_vec();
                head.extend_from_slice(&self.buf[self.at..self.at + r.position()]);
                self.kind = Envelope::parse(&head)?.kind.to_owned();
                if self.kind == "Status" {
                    return Err(Error::decode("the body is a Status, not a list"));
                }
            }
            (true, 1) => pb_merge(&mut self.list.metadata, raw, cx)
                .map_err(|e| Error::decode(format!("list metadata: {e}")))?,
            (true, 2) => {
                let index = self.list.items.len();
                let item = T::decode_item(raw, Format::Protobuf, cx)
                    .map_err(|e| e.context(format!("items[{index}]")))?;
                self.list.items.push(item);
            }
            _ => {}
        }
        let used = r.position();
        self.consumed(used, left)?;
        Ok(true)
    }
    fn consumed(&mut self, n: usize, left: u64) -> Result<(), Error> {
        self.at += n;
        if left != u64::MAX {
            let left = left.checked_sub(n as u64).ok_or_else(|| {
                Error::decode("a record of the list is longer than the list itself")
            })?;
            self.state = State::Body(left);
        }
        Ok(())
    }
}

/// Finds where a JSON value ends while it is still arriving; remembers how far it looked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    /// Bytes of the value looked at.
    done: usize,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// The end of the value that begins at `from`, when it is there as a whole. A scalar ends at a
    /// delimiter, which must be there too.
    pub(crate) fn value(&mut self, buf: &[u8], from: usize) -> Result<Option<usize>, Error> {
        let mut i = from + self.done;
        while let Some(&c) = buf.get(i) {
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                let Some(at) = crate::reflect::quote_or_escape(buf, i) else {
                    i = buf.len();
                    break;
                };
                i = at;
                self.escaped = buf[i] == b'\\';
                self.in_string = self.escaped;
                if !self.in_string && self.depth == 0 {
                    return Ok(self.found(i + 1));
                }
            } else {
                match c {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' if self.depth == 0 => return Ok(self.found(i)),
                    b'}' | b']' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Ok(self.found(i + 1));
                        }
                    }
                    b',' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => {
                        return Ok(self.found(i));
                    }
                    _ => {}
                }
            }
            i += 1;
        }
        self.done = i - from;
        Ok(None)
    }
    fn found(&mut self, end: usize) -> Option<usize> {
        *self = Scan::default();
        Some(end)
    }
}

impl Status {
    /// The Status in `bytes`, when that is what they are.
    pub fn decode_if(bytes: &[u8], format: Format) -> Option<Status> {
        match format {
            Format::Yaml => {
                let json = crate::codec::yaml_to_json(bytes).ok()?;
                return Self::decode_if(json.as_bytes(), Format::Json);
            }
            Format::Json => {
                let (_, kind) = crate::codec::peek_json_kind(text(bytes).ok()?).ok()?;
                if kind != "Status" {
                    return None;
                }
            }
            Format::Protobuf => {
                if Envelope::parse(bytes).ok()?.kind != "Status" {
                    return None;
                }
            }
            Format::Cbor => {
                let o = crate::codec::cbor_object(bytes).ok()?;
                if o.get("kind")?.as_str()? != "Status" {
                    return None;
                }
            }
        }
        <Status as Codec>::decode(bytes, format, &mut Decoder::new()).ok()
    }
}
