//! Every interleaving of two threads that share, write and drop the same values:
//! `cargo xtask sanitize loom`.
use super::*;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// A value whose accesses loom watches: a write that races with anything fails the model, and so
/// does one that is dropped twice or never.
struct Watched {
    value: UnsafeCell<u32>,
    _tracked: Arc<()>,
}
// SAFETY: for the model only; that the accesses do not race is what it finds out.
unsafe impl Sync for Watched {}

impl Watched {
    fn new(value: u32) -> Self {
        Watched { value: UnsafeCell::new(value), _tracked: Arc::new(()) }
    }
    fn get(&self) -> u32 {
        // SAFETY: loom reports a race.
        self.value.with(|v| unsafe { *v })
    }
    fn set(&mut self, value: u32) {
        // SAFETY: exclusive, as loom checks.
        self.value.with_mut(|v| unsafe { *v = value });
    }
}
impl Clone for Watched {
    fn clone(&self) -> Self {
        Watched::new(self.get())
    }
}
impl Drop for Watched {
    fn drop(&mut self) {
        self.set(u32::MAX);
    }
}

#[test]
fn shared_writes_after_the_other_copy_is_gone() {
    loom::model(|| {
        let mut a = Shared::new(Watched::new(1));
        let b = a.clone();
        let other = thread::spawn(move || {
            let seen = b.get();
            drop(b);
            seen
        });
        a.set(2);
        assert_eq!(other.join().unwrap(), 1);
        assert_eq!(a.get(), 2);
    });
}

#[test]
fn shared_is_dropped_once_by_whoever_is_last() {
    loom::model(|| {
        let a = Shared::new(Watched::new(1));
        let b = a.clone();
        let other = thread::spawn(move || drop(b));
        drop(a);
        other.join().unwrap();
    });
}

#[test]
fn lists_are_copied_on_write_by_both() {
    loom::model(|| {
        let mut a: List<Watched> = [Watched::new(1)].into();
        let mut b = a.clone();
        let other = thread::spawn(move || {
            b[0].set(3);
            b.push(Watched::new(4));
            b.iter().map(Watched::get).sum::<u32>()
        });
        a[0].set(2);
        assert_eq!(a[0].get(), 2);
        assert_eq!(other.join().unwrap(), 7);
    });
}

#[test]
fn a_handle_keeps_what_it_shares() {
    loom::model(|| {
        let mut a: List<Watched> = [Watched::new(1)].into();
        let handle = a.share().unwrap();
        let other = thread::spawn(move || {
            let mut b: List<Watched> = List::new();
            assert!(b.slot().adopt(&handle));
            drop(handle);
            b[0].get()
        });
        a[0].set(2);
        assert_eq!(other.join().unwrap(), 1);
    });
}

#[test]
fn strings_are_freed_once() {
    loom::model(|| {
        let a = Str::new("longer than seven bytes");
        let b = a.clone();
        let other = thread::spawn(move || b.len());
        let c = a.clone();
        drop(a);
        assert_eq!(other.join().unwrap(), c.len());
    });
}
