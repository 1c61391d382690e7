//! The locks the queue is built of: std's, or loom's when the loom tests are built.

#[cfg(all(test, loom))]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

use std::sync::PoisonError;

/// Locks, whether or not another thread panicked while it held the lock.
///
/// The only foreign code that runs under the queue's lock is a key's `Hash`, `Eq`, `Clone` and
/// `Drop` and the metrics; if one of them panics, that key's turn may be lost, but the others go on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
