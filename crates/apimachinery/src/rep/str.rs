//! [`Str`]: an immutable string of eight bytes.
use super::sync::{AtomicU32, Ordering};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ops::Deref;
use std::ptr::NonNull;

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!(
    "pintle's strings keep up to seven bytes inside a pointer: a 64-bit little-endian target is needed"
);

/// Begins like the header of every other block, so that copies by description need not tell them
/// apart.
#[repr(C, align(8))]
struct Header {
    count: AtomicU32,
    len: u32,
}

pub(super) const HEADER: usize = size_of::<Header>();
/// Longest string kept inside the eight bytes.
pub(super) const INLINE: usize = 7;
/// In `Header::len` of a string that shares a block with others: the other bits are how far into
/// the block it begins, in steps of eight bytes, and the length.
const POOLED: u32 = 1 << 31;
const POOLED_LEN: u32 = 12;
/// How far into its block a string can begin.
pub(super) const REACH: usize = 1 << 15;

/// An immutable UTF-8 string of eight bytes: up to seven bytes inline, longer ones shared by count.
///
/// Cloning never copies text. It derefs to `str`, compares with `str` and `&str`, and is made with
/// `.into()`.
///
/// ```
/// use pintle_apimachinery::Str;
/// let image: Str = "registry.k8s.io/pause:3.10".into();
/// let copy = image.clone();
/// assert_eq!(copy, "registry.k8s.io/pause:3.10");
/// assert!(copy.starts_with("registry"));
/// assert_eq!(size_of::<Option<Str>>(), 8);
/// ```
///
/// # Panics
/// Making a string of 2 GiB or more panics.
// Representation: a pointer to a Header (aligned to 8, so its lowest bit is 0), or, with the
// lowest bit set, `length << 1 | 1` in the first byte and the text in the other seven.
#[repr(transparent)]
pub struct Str(NonNull<u8>);

// SAFETY: the text is immutable and the count atomic.
unsafe impl Send for Str {}
// SAFETY: as above.
unsafe impl Sync for Str {}

impl Str {
    /// The empty string.
    #[inline]
    pub const fn empty() -> Str {
        // SAFETY: 1 is not null.
        Str(unsafe { NonNull::new_unchecked(std::ptr::without_provenance_mut(1)) })
    }

    /// Copies `s`.
    #[inline]
    pub fn new(s: &str) -> Str {
        let n = s.len();
        if n <= INLINE {
            let addr = (short_word(s.as_bytes()) << 8) as usize | n << 1 | 1;
            // SAFETY: the lowest bit is set, so it is not null.
            return Str(unsafe { NonNull::new_unchecked(std::ptr::without_provenance_mut(addr)) });
        }
        Self::on_heap(s)
    }

    /// Copies `b`, when it is short and ASCII.
    #[inline]
    pub(super) fn short_ascii(b: &[u8]) -> Option<Str> {
        if b.len() > INLINE {
            return None;
        }
        let word = short_word(b);
        if word & 0x8080_8080_8080_8080 != 0 {
            return None;
        }
        let addr = (word << 8) as usize | b.len() << 1 | 1;
        // SAFETY: the lowest bit is set, so it is not null; ASCII is UTF-8.
        Some(Str(unsafe { NonNull::new_unchecked(std::ptr::without_provenance_mut(addr)) }))
    }

    /// Writes a string that is longer than what fits inside, `back` bytes into a block of several.
    ///
    /// # Safety
    /// At `p` is room for the header and the text, and the string has a count of the block. `back`
    /// is a multiple of eight below [`REACH`], the text shorter than 4096 bytes.
    pub(super) unsafe fn write_pooled(p: NonNull<u8>, s: &str, back: usize) -> Str {
        let len = POOLED | (back as u32 / 8) << POOLED_LEN | s.len() as u32;
        // SAFETY: the caller's promise.
        unsafe {
            p.cast::<Header>().write(Header { count: AtomicU32::new(1), len });
            std::ptr::copy_nonoverlapping(s.as_ptr(), p.as_ptr().add(HEADER), s.len());
        }
        Str(p)
    }

    #[inline(never)]
    fn on_heap(s: &str) -> Str {
        assert!(s.len() < POOLED as usize, "a string of 2 GiB or more");
        let len = s.len() as u32;
        let layout = Self::layout(s.len());
        // SAFETY: the layout is not empty; the block has room for the header and the text.
        unsafe {
            let p = alloc(layout);
            if p.is_null() {
                handle_alloc_error(layout)
            }
            p.cast::<Header>().write(Header { count: AtomicU32::new(1), len });
            std::ptr::copy_nonoverlapping(s.as_ptr(), p.add(HEADER), s.len());
            Str(NonNull::new_unchecked(p))
        }
    }

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(HEADER + len, 8).expect("a string of less than 2 GiB")
    }

    #[inline]
    fn is_inline(&self) -> bool {
        self.0.as_ptr().addr() & 1 == 1
    }

    /// Its eight bytes and the length, when the text is in them: behind the first byte.
    #[inline]
    pub(super) fn inline_word(&self) -> Option<(u64, usize)> {
        let word = self.0.as_ptr().addr() as u64;
        (word & 1 == 1).then_some((word, (word as usize & 0xff) >> 1))
    }

    /// # Safety
    /// The string is not inline.
    #[inline]
    unsafe fn header(&self) -> &Header {
        // SAFETY: a heap string points at a live header for as long as `self` lives.
        unsafe { &*self.0.as_ptr().cast::<Header>() }
    }

    /// The text as bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        let addr = self.0.as_ptr().addr();
        // SAFETY: inline text lies in the bytes of `self` itself (little endian: after the tag
        // byte, at most seven); heap text lies behind its header.
        unsafe {
            if addr & 1 == 1 {
                std::slice::from_raw_parts(
                    std::ptr::from_ref(self).cast::<u8>().add(1),
                    (addr & 0xff) >> 1,
                )
            } else {
                let len = self.header().len;
                let len = if len & POOLED == 0 { len } else { len & ((1 << POOLED_LEN) - 1) };
                std::slice::from_raw_parts(self.0.as_ptr().add(HEADER), len as usize)
            }
        }
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: only made from `&str` and never changed.
        unsafe { std::str::from_utf8_unchecked(self.as_bytes()) }
    }

    /// Whether both are the same text in the same place (or equal inline text).
    #[inline]
    pub fn ptr_eq(&self, other: &Str) -> bool {
        self.0 == other.0
    }
}

/// Up to seven bytes, the first lowest. Two halves that overlap, which costs less than a loop.
#[inline]
fn short_word(b: &[u8]) -> u64 {
    let n = b.len();
    if let (Some(first), Some(last)) = (b.first_chunk::<4>(), b.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last));
        return u64::from(u32::from_le_bytes(*first)) | last << (8 * (n - 4));
    }
    match *b {
        [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
        [a, b] => u64::from(a) | u64::from(b) << 8,
        [a] => u64::from(a),
        _ => 0,
    }
}

impl Clone for Str {
    #[inline]
    fn clone(&self) -> Str {
        if !self.is_inline() {
            // SAFETY: a heap string.
            let old = unsafe { self.header() }.count.fetch_add(1, Ordering::Relaxed);
            if old > i32::MAX as u32 {
                std::process::abort()
            }
        }
        Str(self.0)
    }
}

impl Drop for Str {
    #[inline]
    fn drop(&mut self) {
        if !self.is_inline() {
            // SAFETY: a heap string whose count is given up once.
            unsafe { release(self.0) }
        }
    }
}

/// Drops the string or absent string in a word.
///
/// # Safety
/// `word` is null or of a string that nobody uses afterwards.
#[inline]
pub(super) unsafe fn release_word(word: *mut u8) {
    if word.addr() & 1 == 0
        && let Some(p) = NonNull::new(word)
    {
        // SAFETY: a heap string whose count is given up once.
        unsafe { release(p) }
    }
}

/// # Safety
/// `p` is a heap string's block, and the caller gives up one count.
#[inline(never)]
unsafe fn release(p: NonNull<u8>) {
    let h = p.as_ptr().cast::<Header>();
    // SAFETY: live until the last count is given up.
    unsafe {
        if super::heap::give_up(&(*h).count) {
            let len = (*h).len;
            if len & POOLED == 0 {
                dealloc(p.as_ptr(), Str::layout(len as usize));
            } else {
                let back = ((len & !POOLED) >> POOLED_LEN) as usize * 8;
                super::pool::release(p, back);
            }
        }
    }
}

impl Default for Str {
    #[inline]
    fn default() -> Str {
        Str::empty()
    }
}
impl Deref for Str {
    type Target = str;
    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}
impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self
    }
}
impl std::borrow::Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self
    }
}
impl From<&str> for Str {
    fn from(s: &str) -> Str {
        Str::new(s)
    }
}
impl From<String> for Str {
    fn from(s: String) -> Str {
        Str::new(&s)
    }
}
impl From<&String> for Str {
    fn from(s: &String) -> Str {
        Str::new(s)
    }
}
impl From<&Str> for Str {
    fn from(s: &Str) -> Str {
        s.clone()
    }
}
impl From<Str> for String {
    fn from(s: Str) -> String {
        s.as_str().to_owned()
    }
}
impl From<std::borrow::Cow<'_, str>> for Str {
    fn from(s: std::borrow::Cow<'_, str>) -> Str {
        Str::new(&s)
    }
}
impl std::str::FromStr for Str {
    type Err = std::convert::Infallible;
    fn from_str(s: &str) -> Result<Str, Self::Err> {
        Ok(Str::new(s))
    }
}
impl PartialEq for Str {
    #[inline]
    fn eq(&self, other: &Str) -> bool {
        self.0 == other.0
            || (!self.is_inline() && !other.is_inline() && self.as_bytes() == other.as_bytes())
    }
}
impl Eq for Str {}
impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}
impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
impl PartialEq<String> for Str {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}
impl PartialEq<Str> for str {
    fn eq(&self, other: &Str) -> bool {
        self == other.as_str()
    }
}
impl PartialEq<Str> for &str {
    fn eq(&self, other: &Str) -> bool {
        *self == other.as_str()
    }
}
impl PartialEq<Str> for String {
    fn eq(&self, other: &Str) -> bool {
        self == other.as_str()
    }
}
impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Str) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Str {
    fn cmp(&self, other: &Str) -> std::cmp::Ordering {
        self.as_str().cmp(other)
    }
}
impl std::hash::Hash for Str {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        self.as_str().hash(h);
    }
}
impl std::fmt::Debug for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}
impl std::fmt::Display for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}
