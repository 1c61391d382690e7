//! [`Shared`]: a copy-on-write box of eight bytes.
#[cfg(test)]
use super::heap::SlotMut;
use super::heap::{self, Header, OpsOf};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A copy-on-write box of eight bytes: what a Go pointer to a struct is in an API object.
///
/// Fields hold it as `Option<Shared<T>>`. Cloning shares the value; the first write through one of
/// the clones copies it.
///
/// ```
/// use pintle_apimachinery::Shared;
/// #[derive(Clone, Default, PartialEq, Debug)]
/// struct Probe { period: i32 }
/// let mut probe: Option<Shared<Probe>> = None;
/// probe.get_or_insert_default().period = 5;
/// let snapshot = probe.clone();
/// probe.get_or_insert_default().period = 9;
/// assert_eq!(snapshot.unwrap().period, 5);
/// ```
#[repr(transparent)]
pub struct Shared<T>(NonNull<Header>, PhantomData<T>);

// SAFETY: as for Arc<T>.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Moves `value` behind a count.
    pub fn new(value: T) -> Self {
        const { assert!(align_of::<T>() <= 8) };
        let h = heap::alloc(1, size_of::<T>());
        // SAFETY: room for one value, written at once; alloc never returns null.
        unsafe {
            heap::data::<T>(h).write(value);
            Shared(NonNull::new_unchecked(h), PhantomData)
        }
    }
    /// Whether both are the same value in memory.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Clone + 'static> Shared<T> {
    /// The value, copied only when it is shared.
    pub fn into_inner(self) -> T {
        (*self).clone()
    }
}

/// Type-erased access to the pointer in an `Option<Shared<T>>`.
#[cfg(test)]
pub(crate) fn slot<T: Send + Sync + 'static>(o: &mut Option<Shared<T>>) -> SlotMut<'_> {
    // SAFETY: `Shared` is a transparent NonNull, so the option is a nullable pointer of the same
    // layout (guaranteed for NonNull niches); SlotMut keeps it null or counted.
    let ptr = unsafe { &mut *std::ptr::from_mut(o).cast::<*mut Header>() };
    SlotMut::typed::<Shared<T>, T>(ptr)
}

impl<T> Clone for Shared<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: `self` holds a count.
        unsafe { heap::retain(self.0.as_ptr()) };
        Shared(self.0, PhantomData)
    }
}
impl<T> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the count is given up once, with the ops of the value's type.
        unsafe { heap::release(self.0.as_ptr(), OpsOf::<(), T>::OPS) }
    }
}
impl<T> Deref for Shared<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a live header with one value behind it.
        unsafe { &*heap::data::<T>(self.0.as_ptr()) }
    }
}
impl<T: Clone + 'static> DerefMut for Shared<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        let mut h = self.0.as_ptr();
        // SAFETY: after `own` this is the only owner; `own` never makes it null.
        unsafe {
            heap::own(&mut h, OpsOf::<Shared<T>, T>::CLONE);
            self.0 = NonNull::new_unchecked(h);
            &mut *heap::data::<T>(h)
        }
    }
}
impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Shared::new(value)
    }
}
impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Shared::new(T::default())
    }
}
impl<T> AsRef<T> for Shared<T> {
    fn as_ref(&self) -> &T {
        self
    }
}
impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.ptr_eq(other) || **self == **other
    }
}
impl<T: Eq> Eq for Shared<T> {}
impl<T: std::fmt::Debug> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}
