//! [`Pool`]: strings that are made together share a block, so that making them costs few
//! allocations.
use super::str::{self, Str};
use super::sync::{AtomicU32, Ordering};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Start of a block for several strings.
///
/// # Safety argument
/// A block is freed by whoever takes its count to zero. Each string in it holds one count, which
/// it gives up when its own count gets to zero ([`release`]). The pool that still fills the block
/// holds [`OPEN`] counts, more than there can be strings, and takes the strings' counts out of
/// these: making a string does not write the count. The bytes behind `used` belong to the pool
/// alone; those before it are never written again.
#[repr(C, align(8))]
struct Block {
    count: AtomicU32,
}

/// Counts of a block that is being filled.
const OPEN: u32 = 1 << 20;
/// Bytes of a block: what is kept of other strings by one that is kept for itself is less.
const BLOCK: usize = 512;
/// Longest string in a block.
const LONGEST: usize = 96;

fn layout() -> Layout {
    const { assert!(size_of::<Block>() < BLOCK && BLOCK <= str::REACH) };
    Layout::new::<[u64; BLOCK / 8]>()
}

/// Makes strings, of which those that are neither inline nor long share blocks.
pub(crate) struct Pool {
    block: Option<NonNull<u8>>,
    /// Bytes of the block that are taken.
    used: usize,
    /// Strings in it.
    given: u32,
}

// SAFETY: the block is written by the pool only, which is borrowed for writing for that.
unsafe impl Send for Pool {}
// SAFETY: nothing is done with a shared pool.
unsafe impl Sync for Pool {}

impl Pool {
    pub(crate) const fn new() -> Pool {
        Pool { block: None, used: BLOCK, given: 0 }
    }

    /// Copies `s`.
    #[inline]
    pub(crate) fn str(&mut self, s: &str) -> Str {
        match s.len() {
            ..=str::INLINE => Str::new(s),
            n if n <= LONGEST => self.place(s),
            _ => Str::new(s),
        }
    }

    /// Copies `b`, when it is UTF-8.
    #[inline]
    pub(crate) fn utf8(&mut self, b: &[u8]) -> Result<Str, std::str::Utf8Error> {
        if let Some(short) = Str::short_ascii(b) {
            return Ok(short);
        }
        if b.is_ascii() {
            // SAFETY: ASCII is UTF-8.
            return Ok(self.str(unsafe { std::str::from_utf8_unchecked(b) }));
        }
        std::str::from_utf8(b).map(|s| self.str(s))
    }

    #[inline(never)]
    fn place(&mut self, s: &str) -> Str {
        let size = str::HEADER + s.len().next_multiple_of(8);
        if self.used + size > BLOCK {
            self.open();
        }
        let Some(block) = self.block else { return Str::new(s) };
        let at = self.used;
        self.used += size;
        self.given += 1;
        // SAFETY: `size` bytes from `at` are inside the block and nobody's yet; both are multiples
        // of eight. The string's count of the block is one of the pool's.
        unsafe { Str::write_pooled(block.add(at), s, at) }
    }

    #[cold]
    #[inline(never)]
    fn open(&mut self) {
        self.close();
        // SAFETY: the layout is not empty; the block has room for its start.
        unsafe {
            let p = alloc(layout());
            let Some(block) = NonNull::new(p) else { handle_alloc_error(layout()) };
            p.cast::<Block>().write(Block { count: AtomicU32::new(OPEN) });
            self.block = Some(block);
        }
        self.used = size_of::<Block>().next_multiple_of(8);
    }

    /// Leaves the block to its strings.
    fn close(&mut self) {
        let given = std::mem::take(&mut self.given);
        self.used = BLOCK;
        if let Some(block) = self.block.take() {
            // SAFETY: live, as the pool holds counts, which are given up once.
            unsafe { give_up(block.as_ptr(), OPEN - given) }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

/// # Safety
/// `p` is a live block, and the caller gives up `counts` of its counts.
unsafe fn give_up(p: *mut u8, counts: u32) {
    // SAFETY: live until the last count is given up.
    unsafe {
        let count = &(*p.cast::<Block>()).count;
        // Nobody else holds a count when these are all there are.
        if count.load(Ordering::Acquire) != counts {
            if count.fetch_sub(counts, Ordering::Release) != counts {
                return;
            }
            // A load, not a fence, which ThreadSanitizer does not know.
            count.load(Ordering::Acquire);
        }
        dealloc(p, layout());
    }
}

/// Gives up a string's count of its block, `back` bytes before it.
///
/// # Safety
/// `p` is a string that [`Pool::place`] made `back` bytes into its block, and that nobody uses any
/// more.
pub(super) unsafe fn release(p: NonNull<u8>, back: usize) {
    // SAFETY: the caller's promise; the string's address was made from that of the block.
    unsafe { give_up(p.as_ptr().sub(back), 1) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn strings_outlive_their_pool_and_each_other() {
        let texts: Vec<String> = (0..600).map(|n| "häuser und mehr".repeat(n % 9)).collect();
        let mut pool = Pool::new();
        let mut made: Vec<Str> = texts.iter().map(|t| pool.str(t)).collect();
        for (i, t) in texts.iter().enumerate() {
            assert_eq!(pool.utf8(t.as_bytes()).unwrap(), made[i]);
            assert_eq!(made[i], t.as_str());
            assert_eq!(made[i], Str::new(t));
        }
        drop(pool);
        // Every third string stays, and a clone of every seventh.
        let clones: Vec<Str> = made.iter().step_by(7).cloned().collect();
        let mut i = 0;
        made.retain(|_| {
            i += 1;
            i % 3 == 1
        });
        for (kept, t) in made.iter().zip(texts.iter().step_by(3)) {
            assert_eq!(kept, t.as_str());
        }
        drop(made);
        for (kept, t) in clones.iter().zip(texts.iter().step_by(7)) {
            assert_eq!(kept, t.as_str());
        }
    }

    #[test]
    fn threads_drop_what_a_pool_goes_on_filling() {
        let mut pool = Pool::new();
        std::thread::scope(|scope| {
            for round in 0..50 {
                let some: Vec<Str> =
                    (0..20).map(|i| pool.str(&format!("text {i} of round {round}"))).collect();
                scope.spawn(move || {
                    for (i, s) in some.iter().enumerate() {
                        assert_eq!(*s, format!("text {i} of round {round}"));
                    }
                });
            }
            drop(pool);
        });
    }

    #[test]
    fn what_is_not_utf8_is_an_error() {
        let mut pool = Pool::new();
        for bad in [&b"\xff"[..], b"abc\xc3", b"longer than seven \xed\xa0\x80", &[0x80; 200]] {
            assert!(pool.utf8(bad).is_err());
        }
        assert_eq!(pool.utf8("ä".as_bytes()).unwrap(), "ä");
    }
}
