//! Protobuf on the wire: a reader over a slice, and a writer that goes backwards.
use super::error::{DecodeError, R};

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
    pub(crate) fn position(&self) -> usize {
        self.at
    }
    pub(crate) fn rewind(&mut self, at: usize) {
        self.at = at;
    }
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
        let t = self.varint()?;
        let num = t >> 3;
        if num == 0 || num > (1 << 29) - 1 {
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
            match self.tag()?.1 {
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
    std::str::from_utf8(b).map_err(|e| DecodeError::new(format!("invalid UTF-8 ({e})")))
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
#[derive(Debug)]
pub struct Writer {
    buf: Vec<u8>,
    at: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Writer::new()
    }
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Writer { buf: vec![0; 1024], at: 1024 }
    }
    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        &self.buf[self.at..]
    }
    /// Forgets what was written and keeps the room.
    pub fn clear(&mut self) {
        self.at = self.buf.len();
    }
    /// Number of bytes written so far: a mark for [`Writer::close`].
    #[inline]
    pub fn mark(&self) -> usize {
        self.buf.len() - self.at
    }
    #[inline(never)]
    fn grow(&mut self, n: usize) {
        let used = self.mark();
        let cap = (self.buf.len() * 2).max(used + n);
        let mut v = vec![0; cap];
        v[cap - used..].copy_from_slice(self.as_slice());
        self.buf = v;
        self.at = cap - used;
    }
    /// Raw bytes.
    #[inline]
    pub fn raw(&mut self, s: &[u8]) {
        if self.at < s.len() {
            self.grow(s.len());
        }
        self.at -= s.len();
        self.buf[self.at..self.at + s.len()].copy_from_slice(s);
    }
    /// A varint.
    #[inline]
    pub fn varint(&mut self, v: u64) {
        if v < 128 { self.raw(&[v as u8]) } else { self.long_varint(v) }
    }
    fn long_varint(&mut self, mut v: u64) {
        let mut t = [0u8; 10];
        let mut n = 0;
        while v >= 128 {
            t[n] = v as u8 | 128;
            v >>= 7;
            n += 1;
        }
        t[n] = v as u8;
        self.raw(&t[..=n]);
    }
    fn tag(&mut self, num: u32, wire: u32) {
        self.varint(u64::from(num << 3 | wire));
    }
    /// An integer or boolean field.
    #[inline]
    pub fn int(&mut self, num: u32, v: u64) {
        self.varint(v);
        self.tag(num, VARINT);
    }
    /// A double field.
    pub fn f64(&mut self, num: u32, v: f64) {
        self.raw(&v.to_le_bytes());
        self.tag(num, FIXED64);
    }
    /// A string or bytes field.
    #[inline]
    pub fn bytes(&mut self, num: u32, s: &[u8]) {
        self.raw(s);
        self.varint(s.len() as u64);
        self.tag(num, BYTES);
    }
    /// Makes what was written since `mark` the body of message field `num`.
    #[inline]
    pub fn close(&mut self, num: u32, mark: usize) {
        let n = self.mark() - mark;
        self.varint(n as u64);
        self.tag(num, BYTES);
    }
}

/// Key, wire type and value record of a map entry. An absent value has wire type `None`.
pub(crate) fn map_entry<'a>(entry: &'a [u8]) -> R<(&'a [u8], Option<u32>, Reader<'a>)> {
    let mut r = Reader::new(entry);
    let (mut key, mut wire, mut value) = (&b""[..], None, Reader::new(b""));
    while r.more() {
        let (num, w) = r.tag()?;
        match num {
            1 => {
                expect_wire(w, BYTES)?;
                key = r.bytes()?;
            }
            2 => {
                let at = r.position();
                r.skip(w)?;
                wire = Some(w);
                value = Reader::new(r.since(at));
            }
            _ => r.skip(w)?,
        }
    }
    Ok((key, wire, value))
}
