//! [`Emb`]: an embedded struct that lives behind a pointer.
use super::shared::Shared;
use std::ops::{Deref, DerefMut};

/// A type whose default value exists once, for [`Emb`] to point at.
pub trait StaticDefault: Clone + Default + Send + Sync + 'static {
    /// The default value.
    fn static_default() -> &'static Self;
}

/// A struct that a Go type embeds by value and that is large but mostly empty (a volume's source
/// has thirty pointers): eight bytes here, shared and copied on write like [`Shared`].
///
/// It derefs to `T` and is never absent; the default costs no allocation.
#[repr(transparent)]
pub struct Emb<T>(Option<Shared<T>>);

impl<T> Emb<T> {
    /// The default value.
    pub const fn new() -> Self {
        Emb(None)
    }
}
impl<T> Clone for Emb<T> {
    fn clone(&self) -> Self {
        Emb(self.0.clone())
    }
}
impl<T> Default for Emb<T> {
    fn default() -> Self {
        Emb(None)
    }
}
impl<T: StaticDefault> Deref for Emb<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.0 {
            Some(v) => v,
            None => T::static_default(),
        }
    }
}
impl<T: StaticDefault> DerefMut for Emb<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_with(Shared::default)
    }
}
impl<T> From<T> for Emb<T> {
    fn from(value: T) -> Self {
        Emb(Some(Shared::new(value)))
    }
}
impl<T: PartialEq + StaticDefault> PartialEq for Emb<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => a == b,
            _ => **self == **other,
        }
    }
}
impl<T: std::fmt::Debug + StaticDefault> std::fmt::Debug for Emb<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}
