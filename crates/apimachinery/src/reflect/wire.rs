//! Protobuf on the wire: a reader over a slice, and a writer that goes backwards.
use super::error::{DecodeError, R};
use crate::rep::{Tag, Tail};

/// Wire type of varints.
pub(crate) const VARINT: u32 = 0;
/// Wire type of eight-byte values.
pub(crate) const FIXED64: u32 = 1;
/// Wire type of strings, bytes and messages.
pub(crate) const BYTES: u32 = 2;
/// Wire types of the beginning and the end of a group.
const GROUP: u32 = 3;
const GROUP_END: u32 = 4;
/// Wire type of four-byte values.
pub(crate) const FIXED32: u32 = 5;

/// Reads protobuf records from a slice.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }
    /// Whether anything is left.
    #[inline]
    pub fn more(&self) -> bool {
        self.at < self.bytes.len()
    }
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.at
    }
    /// The whole slice.
    pub(crate) fn all(&self) -> &'a [u8] {
        self.bytes
    }
    #[inline]
    pub(crate) fn since(&self, at: usize) -> &'a [u8] {
        &self.bytes[at..self.at]
    }
    #[cold]
    fn short(&self) -> Box<DecodeError> {
        DecodeError::end("unexpected end of protobuf data", self.at)
    }
    /// A varint.
    ///
    /// # Errors
    /// The data ends, or the number is longer than ten bytes.
    #[inline]
    pub fn varint(&mut self) -> R<u64> {
        match self.bytes.get(self.at) {
            Some(&b) if b < 128 => {
                self.at += 1;
                Ok(u64::from(b))
            }
            _ => self.long_varint(),
        }
    }
    #[inline(never)]
    fn long_varint(&mut self) -> R<u64> {
        let mut v = 0u64;
        for shift in (0..70).step_by(7) {
            let b = *self.bytes.get(self.at).ok_or_else(|| self.short())?;
            self.at += 1;
            if shift < 64 {
                v |= u64::from(b & 127) << shift;
            }
            if b < 128 {
                return Ok(v);
            }
        }
        Err(DecodeError::at("a protobuf number is longer than ten bytes", self.at))
    }
    /// Field number and wire type of the next record.
    ///
    /// # Errors
    /// The data ends, or the number is not a field number.
    #[inline]
    pub fn tag(&mut self) -> R<(u32, u32)> {
        match self.bytes.get(self.at) {
            Some(&t @ 8..128) => {
                self.at += 1;
                Ok((u32::from(t >> 3), u32::from(t & 7)))
            }
            _ => self.long_tag(),
        }
    }
    #[inline(never)]
    fn long_tag(&mut self) -> R<(u32, u32)> {
        let t = self.varint()?;
        // As in Go, what is beyond 32 bits is not looked at.
        let num = (t >> 3) as i32;
        if num <= 0 {
            return Err(DecodeError::at(format!("illegal protobuf field number {num}"), self.at));
        }
        Ok((num as u32, (t & 7) as u32))
    }
    /// A length-delimited value.
    ///
    /// # Errors
    /// The data ends before its length.
    #[inline]
    pub fn bytes(&mut self) -> R<&'a [u8]> {
        let n = self.varint()?;
        if n > (self.bytes.len() - self.at) as u64 {
            return Err(self.short());
        }
        let s = &self.bytes[self.at..self.at + n as usize];
        self.at += n as usize;
        Ok(s)
    }
    /// A length-delimited UTF-8 value.
    ///
    /// # Errors
    /// As [`Reader::bytes`], and when it is not UTF-8.
    pub fn str(&mut self) -> R<&'a str> {
        utf8(self.bytes()?)
    }
    /// All consecutive records with the tag that was just read and began at `start`, and their
    /// number.
    ///
    /// # Errors
    /// As [`Reader::skip`] and [`Reader::tag`].
    pub(crate) fn run(&mut self, start: usize, num: u32, wire: u32) -> R<(&'a [u8], usize)> {
        let (mut n, mut end);
        if wire == BYTES && self.at == start + 1 {
            // A tag of one byte, so that of the others is the same byte.
            let tag = self.bytes[start];
            self.at = start;
            n = 0;
            while self.bytes.get(self.at) == Some(&tag) {
                self.at += 1;
                self.bytes()?;
                n += 1;
            }
            return Ok((self.since(start), n));
        }
        n = 0;
        loop {
            self.skip(wire)?;
            n += 1;
            end = self.at;
            if !self.more() {
                break;
            }
            if self.tag()? != (num, wire) {
                self.at = end;
                break;
            }
        }
        Ok((self.since(start), n))
    }
    pub(crate) fn f64(&mut self) -> R<f64> {
        let s = self.bytes.get(self.at..self.at + 8).ok_or_else(|| self.short())?;
        self.at += 8;
        Ok(f64::from_le_bytes(s.try_into().expect("eight bytes")))
    }
    /// Passes over a value of wire type `wire`.
    ///
    /// # Errors
    /// The data ends, or the wire type is not one that Kubernetes writes.
    pub fn skip(&mut self, wire: u32) -> R<()> {
        let n = match wire {
            VARINT => return self.varint().map(drop),
            BYTES => return self.bytes().map(drop),
            FIXED64 => 8,
            FIXED32 => 4,
            GROUP => return self.skip_group(),
            w => return Err(DecodeError::at(format!("illegal protobuf wire type {w}"), self.at)),
        };
        if self.bytes.len() - self.at < n {
            return Err(self.short());
        }
        self.at += n;
        Ok(())
    }
    /// Passes over a group, which nothing has written for twenty years.
    #[cold]
    fn skip_group(&mut self) -> R<()> {
        let mut open = 1u32;
        while open > 0 {
            match (self.varint()? & 7) as u32 {
                GROUP => open += 1,
                GROUP_END => open -= 1,
                wire => self.skip(wire)?,
            }
        }
        Ok(())
    }
}

#[inline]
pub(crate) fn utf8(b: &[u8]) -> R<&str> {
    std::str::from_utf8(b).map_err(not_utf8)
}
#[cold]
pub(crate) fn not_utf8(e: std::str::Utf8Error) -> Box<DecodeError> {
    DecodeError::new(format!("invalid UTF-8 ({e})"))
}

#[inline]
pub(crate) fn expect_wire(found: u32, wanted: u32) -> R<()> {
    if found == wanted { Ok(()) } else { Err(wrong_wire(found, wanted)) }
}
#[cold]
fn wrong_wire(found: u32, wanted: u32) -> Box<DecodeError> {
    DecodeError::new(format!("protobuf wire type {found} where {wanted} is expected"))
}

/// Writes protobuf from the end to the start, so that every length is known when it is written.
///
/// Field numbers are those of Kubernetes' types, below 256.
#[derive(Debug)]
pub struct Writer {
    pub(crate) tail: Tail,
}

impl Default for Writer {
    fn default() -> Self {
        Writer::new()
    }
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Writer::after(Vec::new())
    }
    /// A writer whose bytes come behind what `out` holds, in its room: [`Writer::finish`].
    pub fn after(out: Vec<u8>) -> Self {
        Writer { tail: Tail::after(out) }
    }
    /// What was held before, and behind it what was written.
    pub fn finish(self) -> Vec<u8> {
        self.tail.finish()
    }
    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        self.tail.as_slice()
    }
    /// Forgets what was written and keeps the room.
    pub fn clear(&mut self) {
        self.tail.clear();
    }
    /// Number of bytes written so far: a mark for [`Writer::close`].
    #[inline]
    pub fn mark(&self) -> usize {
        self.tail.written()
    }
    /// Raw bytes.
    #[inline]
    pub fn raw(&mut self, s: &[u8]) {
        self.tail.raw(s);
    }
    /// A varint.
    #[inline]
    pub fn varint(&mut self, v: u64) {
        self.tail.varint(v);
    }
    /// An integer or boolean field.
    #[inline]
    pub fn int(&mut self, num: u8, v: u64) {
        self.tail.int(Tag::new(num, VARINT), v);
    }
    /// A double field.
    pub fn f64(&mut self, num: u8, v: f64) {
        self.tail.f64(Tag::new(num, FIXED64), v);
    }
    /// A string or bytes field.
    #[inline]
    pub fn bytes(&mut self, num: u8, s: &[u8]) {
        self.tail.bytes(Tag::new(num, BYTES), s);
    }
    /// Makes what was written since `mark` the body of message field `num`.
    #[inline]
    pub fn close(&mut self, num: u8, mark: usize) {
        self.tail.close(Tag::new(num, BYTES), mark);
    }
}

/// A map entry.
pub(crate) struct MapEntry<'a> {
    pub(crate) key: &'a [u8],
    /// The last value.
    pub(crate) value: Option<Reader<'a>>,
    /// Values before the last one, which count for nothing but their mistakes.
    pub(crate) earlier: Vec<Reader<'a>>,
    /// Whether it reads on behind its end.
    pub(crate) overruns: bool,
}

/// Key and value of an entry that is exactly these two, the value of this wire type, as Go writes
/// entries.
#[inline]
pub(crate) fn plain_entry(entry: &[u8], wire: u32) -> Option<(&[u8], Reader<'_>)> {
    let mut r = Reader::new(entry);
    if entry.first() != Some(&(1 << 3 | BYTES as u8)) {
        return None;
    }
    r.at = 1;
    let key = r.bytes().ok()?;
    if entry.get(r.at) != Some(&(2 << 3 | wire as u8)) {
        return None;
    }
    let value = Reader { bytes: entry, at: r.at + 1 };
    r.at += 1;
    r.skip(wire).ok()?;
    (!r.more()).then_some((key, value))
}

/// The map entry from `at` to `end` of the message `all`, with values of wire type `wire`. As in
/// Go, nobody looks at the wire types that the entry has, and the end of key and value is only
/// compared with that of the message.
pub(crate) fn map_entry(all: &[u8], at: usize, end: usize, wire: u32) -> R<MapEntry<'_>> {
    let mut r = Reader { bytes: all, at };
    let mut entry = MapEntry { key: b"", value: None, earlier: Vec::new(), overruns: false };
    while r.at < end {
        let tag = r.varint()?;
        match (tag >> 3) as u32 {
            1 => entry.key = r.bytes()?,
            2 => {
                let from = r.at;
                r.skip(wire)?;
                let value = Reader::new(r.since(from));
                entry.earlier.extend(entry.value.replace(value));
            }
            _ => {
                r.skip((tag & 7) as u32)?;
                if r.at > end {
                    return Err(r.short());
                }
            }
        }
    }
    entry.overruns = r.at > end;
    Ok(entry)
}
