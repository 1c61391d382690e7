//! [`List`]: a copy-on-write list of eight bytes.
use super::heap::{self, Header, OpsOf};
#[cfg(test)]
use super::heap::{Handle, SlotMut};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A copy-on-write list of eight bytes: a Go slice as API objects use it.
///
/// It derefs to a slice. Cloning shares the elements; the first write through one of the clones
/// copies them (element clones are shares again), so a clone is a snapshot.
///
/// As in Go, a list is nil (the default; JSON `null`) or holds zero or more elements; nil and
/// empty compare equal.
///
/// ```
/// use pintle_apimachinery::{List, Str};
/// let mut args: List<Str> = ["serve".into(), "--port=80".into()].into();
/// let snapshot = args.clone();
/// args[1] = "--port=8080".into();
/// args.push("--verbose".into());
/// assert_eq!(snapshot[..], ["serve", "--port=80"]);
/// assert_eq!(args.len(), 3);
/// ```
#[repr(transparent)]
pub struct List<T>(*mut Header, PhantomData<T>);

// SAFETY: as for Arc<T>: elements are shared between threads (Sync) and dropped by the last (Send).
unsafe impl<T: Send + Sync> Send for List<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for List<T> {}

impl<T> List<T> {
    /// The nil list.
    #[inline]
    pub const fn new() -> Self {
        List(std::ptr::null_mut(), PhantomData)
    }
    /// The list that is empty but not nil: `[]` in JSON where a nil list is `null`.
    pub fn empty() -> Self {
        List(heap::empty(), PhantomData)
    }
    /// Whether the list is nil, not merely empty.
    pub fn is_nil(&self) -> bool {
        self.0.is_null()
    }
    /// The elements.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        if self.0.is_null() {
            return &[];
        }
        // SAFETY: a live header with `len` initialised elements behind it.
        unsafe { std::slice::from_raw_parts(heap::data(self.0), heap::len(self.0)) }
    }
    /// Whether both share the same elements in memory.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl<T: 'static> List<T> {
    const OPS: &'static heap::Ops = OpsOf::<List<T>, T>::OPS;

    /// Takes over the elements of `v` with exact capacity.
    fn from_exact(v: Vec<T>) -> Self {
        let n = v.len();
        if n == 0 {
            return List::empty();
        }
        let h = heap::alloc(n, size_of::<T>());
        let mut v = std::mem::ManuallyDrop::new(v);
        // SAFETY: the block has room for n elements; they are moved bitwise, and the vector frees
        // only its buffer afterwards.
        unsafe {
            std::ptr::copy_nonoverlapping(v.as_ptr(), heap::data::<T>(h), n);
            v.set_len(0);
            std::mem::ManuallyDrop::drop(&mut v);
        }
        List(h, PhantomData)
    }

    /// Type-erased access.
    #[cfg(test)]
    pub(crate) fn slot(&mut self) -> SlotMut<'_>
    where
        T: Send + Sync,
    {
        SlotMut::typed::<List<T>, T>(&mut self.0)
    }

    /// A type-erased share of the elements.
    #[cfg(test)]
    pub(crate) fn share(&self) -> Option<Handle>
    where
        T: Send + Sync,
    {
        let mut copy = std::mem::ManuallyDrop::new(List::<T>(self.0, PhantomData));
        copy.slot().share()
    }
}

impl<T: Clone + 'static> List<T> {
    const CLONE: &'static heap::CloneOps = OpsOf::<List<T>, T>::CLONE;

    /// The elements for writing, copied first when they are shared.
    #[inline]
    pub fn make_mut(&mut self) -> &mut [T] {
        if self.0.is_null() {
            return &mut [];
        }
        // SAFETY: after `own` this is the only owner of a live header.
        unsafe {
            heap::own(&mut self.0, Self::CLONE);
            std::slice::from_raw_parts_mut(heap::data(self.0), heap::len(self.0))
        }
    }
    /// Appends `value`.
    #[inline]
    pub fn push(&mut self, value: T) {
        // SAFETY: the slot is written at once.
        unsafe { heap::push_slot(&mut self.0, Self::CLONE).cast::<T>().write(value) }
    }
    /// Moves the elements into a vector, copying them only when they are shared.
    pub fn into_vec(mut self) -> Vec<T> {
        if heap::is_unowned(self.0) {
            return Vec::new();
        }
        // SAFETY: when unique, the elements are moved out bitwise and the block is freed without
        // dropping them; `self.0` becomes nil so that nothing is released twice.
        unsafe {
            if !heap::is_unique(self.0) {
                return self.as_slice().to_vec();
            }
            let n = heap::len(self.0);
            let mut v = Vec::with_capacity(n);
            std::ptr::copy_nonoverlapping(heap::data::<T>(self.0), v.as_mut_ptr(), n);
            v.set_len(n);
            heap::free_block(self.0, Self::OPS);
            self.0 = std::ptr::null_mut();
            v
        }
    }
    /// Runs `edit` on the elements as a vector: anything that a vector can do.
    pub fn edit<R>(&mut self, edit: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let mut v = std::mem::take(self).into_vec();
        let r = edit(&mut v);
        *self = v.into();
        r
    }
    /// Keeps the elements for which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.edit(|v| v.retain(keep));
    }
    /// Inserts `value` at `at`.
    ///
    /// # Panics
    /// When `at` is beyond the end, as `Vec::insert`.
    pub fn insert(&mut self, at: usize, value: T) {
        assert!(at <= self.len(), "insertion index {at} is beyond the length {}", self.len());
        // SAFETY: the slot is written at once.
        unsafe { heap::insert_slot(&mut self.0, Self::CLONE, at).cast::<T>().write(value) }
    }
    /// Removes and returns the element at `at`.
    ///
    /// # Panics
    /// When `at` is not below the length, as `Vec::remove`.
    pub fn remove(&mut self, at: usize) -> T {
        let p: *mut T = &mut self.make_mut()[at];
        // SAFETY: unique after make_mut; the element is moved out, then the list closes over it.
        unsafe {
            let value = p.read();
            heap::close(&mut self.0, Self::OPS, at);
            value
        }
    }
    /// Removes and returns the last element.
    pub fn pop(&mut self) -> Option<T> {
        match self.as_slice().len() {
            0 => None,
            n => Some(self.remove(n - 1)),
        }
    }
    /// Removes all elements; the list is then empty, not nil.
    pub fn clear(&mut self) {
        *self = List::empty();
    }
}

impl<T> Clone for List<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: `self` holds a count.
        unsafe { heap::retain(self.0) };
        List(self.0, PhantomData)
    }
}
impl<T> Drop for List<T> {
    #[inline]
    fn drop(&mut self) {
        if !heap::is_unowned(self.0) {
            // SAFETY: the list's count is given up once, with the ops of its own element type.
            unsafe { heap::release(self.0, DropOps::<T>::OPS) }
        }
    }
}
/// `Drop` cannot ask for `T: 'static`, so its table carries a neutral type identity; `release`
/// never looks at it.
struct DropOps<T>(PhantomData<T>);
impl<T> DropOps<T> {
    const OPS: &'static heap::Ops = OpsOf::<(), T>::OPS;
}
impl<T> Default for List<T> {
    #[inline]
    fn default() -> Self {
        List::new()
    }
}
impl<T> Deref for List<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}
impl<T: Clone + 'static> DerefMut for List<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        self.make_mut()
    }
}
impl<T: 'static> From<Vec<T>> for List<T> {
    fn from(v: Vec<T>) -> Self {
        List::from_exact(v)
    }
}
impl<T: 'static, const N: usize> From<[T; N]> for List<T> {
    fn from(v: [T; N]) -> Self {
        List::from_exact(v.into())
    }
}
impl<T: Clone + 'static> From<&[T]> for List<T> {
    fn from(v: &[T]) -> Self {
        List::from_exact(v.to_vec())
    }
}
impl<T: Clone + 'static> From<List<T>> for Vec<T> {
    fn from(l: List<T>) -> Self {
        l.into_vec()
    }
}
impl<T: 'static> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(i: I) -> Self {
        List::from_exact(i.into_iter().collect())
    }
}
impl<T: Clone + 'static> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, i: I) {
        i.into_iter().for_each(|x| self.push(x));
    }
}
/// Elements of a [`List`] by value.
pub type IntoIter<T> = std::vec::IntoIter<T>;
impl<T: Clone + 'static> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}
impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}
impl<'a, T: Clone + 'static> IntoIterator for &'a mut List<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.make_mut().iter_mut()
    }
}
impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.ptr_eq(other) || self.as_slice() == other.as_slice()
    }
}
impl<T: Eq> Eq for List<T> {}
impl<T: std::hash::Hash> std::hash::Hash for List<T> {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        self.as_slice().hash(h);
    }
}
impl<T: std::fmt::Debug> std::fmt::Debug for List<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_slice().fmt(f)
    }
}
