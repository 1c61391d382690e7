//! [`Tail`]: bytes written from the end to the start, into the unused room of a vector.
use super::str::Str;

/// What is written backwards, so that a length is known before it is written, straight into the
/// room behind what a vector holds already. It grows like a vector.
///
/// # Safety argument
/// `buf.len() <= at <= buf.capacity()` always holds. The bytes from `at` to the capacity were
/// written; those below are room. [`room`](Tail::room) makes the bytes below `at` it promises
/// part of the allocation, and only what is below `at` and above `buf.len()` is written.
pub(crate) struct Tail {
    buf: Vec<u8>,
    at: usize,
}

/// Beside the text itself, a record has at most two bytes of tag and ten of length; a store of
/// eight bytes may reach seven beyond what counts.
const SLACK: usize = 32;

/// Field number and wire type of a record, as written; field numbers are below 256.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    /// The one or two bytes, in the upper ones of the two.
    bits: u16,
    width: u8,
}

impl Tag {
    pub(crate) const fn new(num: u8, wire: u32) -> Tag {
        let t = (num as u16) << 3 | wire as u16;
        if t < 128 {
            Tag { bits: t << 8, width: 1 }
        } else {
            Tag { bits: (t & 127 | 128) | (t >> 7) << 8, width: 2 }
        }
    }
}

impl Tail {
    /// Behind what `buf` holds.
    pub(crate) fn after(buf: Vec<u8>) -> Tail {
        let at = buf.capacity();
        Tail { buf, at }
    }
    /// Number of bytes written.
    #[inline]
    pub(crate) fn written(&self) -> usize {
        self.buf.capacity() - self.at
    }
    /// What was written.
    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: the bytes from `at` to the capacity are written.
        unsafe { std::slice::from_raw_parts(self.buf.as_ptr().add(self.at), self.written()) }
    }
    /// Forgets what was written and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.at = self.buf.capacity();
    }
    /// What the vector held, and behind it what was written.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let (len, n) = (self.buf.len(), self.written());
        // SAFETY: both are within the allocation, and `len + n <= at + n`, its capacity.
        unsafe {
            let p = self.buf.as_mut_ptr();
            std::ptr::copy(p.add(self.at), p.add(len), n);
            self.buf.set_len(len + n);
        }
        self.buf
    }
    /// Makes room for `n` bytes and a little more.
    #[inline]
    fn room(&mut self, n: usize) {
        if self.at - self.buf.len() < n + SLACK {
            self.grow(n + SLACK);
        }
    }
    #[cold]
    #[inline(never)]
    fn grow(&mut self, n: usize) {
        let used = self.written();
        let wanted = (self.buf.len() + used + n).max(2 * self.buf.capacity()).max(1024);
        let mut buf = Vec::with_capacity(wanted);
        buf.extend_from_slice(&self.buf);
        let at = buf.capacity() - used;
        // SAFETY: `used` bytes lie behind `at` in both.
        unsafe {
            let from = self.buf.as_ptr().add(self.at);
            std::ptr::copy_nonoverlapping(from, buf.as_mut_ptr().add(at), used);
        }
        self.buf = buf;
        self.at = at;
    }
    /// The byte behind what can be written next.
    #[inline]
    fn end(&mut self) -> *mut u8 {
        // SAFETY: `at` is within the allocation.
        unsafe { self.buf.as_mut_ptr().add(self.at) }
    }
    /// Raw bytes.
    #[inline]
    pub(crate) fn raw(&mut self, s: &[u8]) {
        self.room(s.len());
        // SAFETY: there is room, outside of what `s` can borrow.
        unsafe { self.put(s.as_ptr(), s.len()) }
    }
    /// # Safety
    /// There is room for `n` bytes, which are at `from`.
    #[inline]
    unsafe fn put(&mut self, from: *const u8, n: usize) {
        // SAFETY: the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(from, self.end().sub(n), n) };
        self.at -= n;
    }
    /// # Safety
    /// There is room for two bytes.
    #[inline]
    unsafe fn put_tag(&mut self, tag: Tag) {
        // SAFETY: of two bytes the first may not count; what is below is room.
        unsafe { self.end().sub(2).cast::<u16>().write_unaligned(tag.bits) };
        self.at -= usize::from(tag.width);
    }
    /// # Safety
    /// There is room for ten bytes.
    #[inline]
    unsafe fn put_varint(&mut self, v: u64) {
        if v < 128 {
            self.at -= 1;
            // SAFETY: room.
            unsafe { self.end().write(v as u8) }
        } else {
            self.put_long_varint(v);
        }
    }
    #[inline(never)]
    fn put_long_varint(&mut self, mut v: u64) {
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
    /// A varint.
    #[inline]
    pub(crate) fn varint(&mut self, v: u64) {
        self.room(10);
        // SAFETY: room.
        unsafe { self.put_varint(v) }
    }
    /// An integer or boolean field.
    #[inline]
    pub(crate) fn int(&mut self, tag: Tag, v: u64) {
        self.room(0);
        // SAFETY: the slack is room.
        unsafe {
            self.put_varint(v);
            self.put_tag(tag);
        }
    }
    /// A double field.
    #[inline]
    pub(crate) fn f64(&mut self, tag: Tag, v: f64) {
        self.raw(&v.to_le_bytes());
        // SAFETY: the slack is room.
        unsafe { self.put_tag(tag) }
    }
    /// A field of bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, tag: Tag, s: &[u8]) {
        self.room(s.len());
        // SAFETY: room for the bytes, and in the slack for the rest.
        unsafe {
            self.put(s.as_ptr(), s.len());
            self.put_varint(s.len() as u64);
            self.put_tag(tag);
        }
    }
    /// A field of text.
    #[inline(always)]
    pub(crate) fn text(&mut self, tag: Tag, s: &Str) {
        let Some((word, n)) = s.inline_word() else { return self.long_text(tag, s) };
        self.room(0);
        // SAFETY: eight bytes of the slack are written, of which the last `n` count: the word
        // without its first byte, its text moved up to the end. Then the rest, in the slack too.
        unsafe {
            self.end().sub(8).cast::<u64>().write_unaligned((word & !0xff) << (8 * (7 - n)));
            self.at -= n + 1;
            self.end().write(n as u8);
            self.put_tag(tag);
        }
    }
    #[inline(never)]
    fn long_text(&mut self, tag: Tag, s: &Str) {
        let s = s.as_bytes();
        let n = s.len();
        if !(8..=32).contains(&n) {
            return self.bytes(tag, s);
        }
        self.room(n);
        // SAFETY: room; two pieces of eight or sixteen bytes that overlap are all of the text.
        unsafe {
            let (from, to) = (s.as_ptr(), self.end().sub(n));
            if n <= 16 {
                copy::<8>(from, to);
                copy::<8>(from.add(n - 8), to.add(n - 8));
            } else {
                copy::<16>(from, to);
                copy::<16>(from.add(n - 16), to.add(n - 16));
            }
            self.at -= n;
            self.put_varint(n as u64);
            self.put_tag(tag);
        }
    }
    /// Makes what was written since there were `mark` bytes the body of a field.
    #[inline]
    pub(crate) fn close(&mut self, tag: Tag, mark: usize) {
        let n = self.written() - mark;
        self.room(0);
        // SAFETY: the slack is room.
        unsafe {
            self.put_varint(n as u64);
            self.put_tag(tag);
        }
    }
}

/// # Safety
/// `N` bytes at both, which do not overlap.
#[inline(always)]
unsafe fn copy<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { to.cast::<[u8; N]>().write_unaligned(from.cast::<[u8; N]>().read_unaligned()) }
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tail({} bytes)", self.written())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_length_behind_what_is_there() {
        let mut all = String::new();
        for n in 0..300 {
            let s = Str::new(&all);
            let mut w = Tail::after(b"head".to_vec());
            w.raw(b"end");
            w.text(Tag::new(1, 2), &s);
            w.bytes(Tag::new(200, 2), s.as_bytes());
            w.int(Tag::new(15, 0), u64::MAX - n);
            w.close(Tag::new(16, 2), 3);
            let written = w.as_slice().to_vec();
            let mut expected = vec![];
            let put = |out: &mut Vec<u8>, mut v: u64| {
                while v >= 128 {
                    out.push(v as u8 | 128);
                    v >>= 7;
                }
                out.push(v as u8);
            };
            let mut body = vec![15 << 3];
            put(&mut body, u64::MAX - n);
            put(&mut body, 200 << 3 | 2);
            put(&mut body, n);
            body.extend(all.as_bytes());
            body.push(1 << 3 | 2);
            put(&mut body, n);
            body.extend(all.as_bytes());
            put(&mut expected, 16 << 3 | 2);
            put(&mut expected, body.len() as u64);
            expected.extend(body);
            expected.extend(b"end");
            assert_eq!(written, expected, "{n}");
            assert_eq!(w.finish(), [&b"head"[..], &expected].concat(), "{n}");
            all.push(char::from(b'a' + (n % 26) as u8));
        }
    }

    #[test]
    fn room_is_kept() {
        let mut w = Tail::after(Vec::new());
        w.raw(&[7; 5000]);
        w.clear();
        assert_eq!(w.as_slice(), b"");
        w.varint(300);
        assert_eq!(w.as_slice(), [0xac, 2]);
        assert_eq!(w.finish(), [0xac, 2]);
    }
}
