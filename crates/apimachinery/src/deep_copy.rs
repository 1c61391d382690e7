//! [`DeepCopy`]: a copy that shares nothing that either side could change. Go: `DeepCopy`, as
//! deepcopy-gen writes it.
use crate::{Bytes, Emb, List, Map, Shared, StaticDefault, Str};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

/// A copy that shares nothing that either side could change. Go: `DeepCopy`.
///
/// For built-in types, and for kinds made by `derive(CustomResource)`, this is `clone()`: what
/// clones share is copied when one of them writes. It differs from `clone()` where a type shares
/// on purpose: an `Arc`, `Rc` or lock is copied with what it holds. `derive(DeepCopy)` copies
/// field by field and does not compile when a field cannot be copied so.
///
/// ```
/// use pintle_apimachinery::DeepCopy;
/// use std::sync::{Arc, Mutex};
/// let a = vec![Arc::new(Mutex::new(1))];
/// let b = a.deep_copy();
/// *a[0].lock().unwrap() = 2;
/// assert_eq!(*b[0].lock().unwrap(), 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied deeply",
    note = "for a type of your own, write #[derive(DeepCopy)] on it"
)]
pub trait DeepCopy {
    /// The copy.
    #[must_use]
    fn deep_copy(&self) -> Self;
}

macro_rules! by_clone {
    ($($type:ty),* $(,)?) => { $(
        impl DeepCopy for $type {
            #[inline]
            fn deep_copy(&self) -> Self {
                self.clone()
            }
        }
    )* };
}
by_clone!(
    (), bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64,
    String, std::time::Duration, std::time::SystemTime, std::time::Instant, std::path::PathBuf,
    std::net::IpAddr, std::net::Ipv4Addr, std::net::Ipv6Addr, std::net::SocketAddr,
    serde_json::Value, serde_json::Number, serde_json::Map<String, serde_json::Value>,
    Str, Bytes, crate::Time, crate::MicroTime, crate::Duration, crate::Quantity, crate::IntOrString,
    crate::FieldsV1, crate::Json, crate::RawExtension, crate::Unstructured,
    crate::GroupVersionKind, crate::GroupVersionResource, crate::GroupResource,
    crate::GroupVersion, crate::ObjectKey,
);

impl<T: ?Sized> DeepCopy for std::marker::PhantomData<T> {
    fn deep_copy(&self) -> Self {
        *self
    }
}
/// A shared reference gives no way to write: it is copied as it is.
impl<T: ?Sized> DeepCopy for &'static T {
    fn deep_copy(&self) -> Self {
        self
    }
}
impl<T: ToOwned + ?Sized + 'static> DeepCopy for Cow<'static, T> {
    fn deep_copy(&self) -> Self {
        self.clone()
    }
}
impl<T: DeepCopy> DeepCopy for Option<T> {
    fn deep_copy(&self) -> Self {
        self.as_ref().map(T::deep_copy)
    }
}
impl<T: DeepCopy, E: DeepCopy> DeepCopy for Result<T, E> {
    fn deep_copy(&self) -> Self {
        match self {
            Ok(v) => Ok(v.deep_copy()),
            Err(e) => Err(e.deep_copy()),
        }
    }
}
impl<T: DeepCopy, const N: usize> DeepCopy for [T; N] {
    fn deep_copy(&self) -> Self {
        std::array::from_fn(|i| self[i].deep_copy())
    }
}

macro_rules! pointers {
    ($($type:ident),*) => { $(
        impl<T: DeepCopy> DeepCopy for $type<T> {
            fn deep_copy(&self) -> Self {
                $type::new((**self).deep_copy())
            }
        }
    )* };
}
pointers!(Box, Rc, Arc);

impl<T: DeepCopy> DeepCopy for RefCell<T> {
    fn deep_copy(&self) -> Self {
        RefCell::new(self.borrow().deep_copy())
    }
}
impl<T: Copy> DeepCopy for Cell<T> {
    fn deep_copy(&self) -> Self {
        Cell::new(self.get())
    }
}
/// Waits for the lock. What a panicking holder left behind is copied as it is.
impl<T: DeepCopy> DeepCopy for Mutex<T> {
    fn deep_copy(&self) -> Self {
        Mutex::new(self.lock().unwrap_or_else(|e| e.into_inner()).deep_copy())
    }
}
/// Waits for the lock. What a panicking holder left behind is copied as it is.
impl<T: DeepCopy> DeepCopy for RwLock<T> {
    fn deep_copy(&self) -> Self {
        RwLock::new(self.read().unwrap_or_else(|e| e.into_inner()).deep_copy())
    }
}

macro_rules! collections {
    ($($type:ident<$t:ident $(: $bound:ident $(+ $more:ident)*)?>),*) => { $(
        impl<$t: DeepCopy $(+ $bound $(+ $more)*)?> DeepCopy for $type<$t> {
            fn deep_copy(&self) -> Self {
                self.iter().map($t::deep_copy).collect()
            }
        }
    )* };
}
collections!(Vec<T>, VecDeque<T>, BTreeSet<T: Ord>);
impl<T: DeepCopy + Eq + Hash, S: BuildHasher + Default> DeepCopy for HashSet<T, S> {
    fn deep_copy(&self) -> Self {
        self.iter().map(T::deep_copy).collect()
    }
}
impl<K: DeepCopy + Ord, V: DeepCopy> DeepCopy for BTreeMap<K, V> {
    fn deep_copy(&self) -> Self {
        self.iter().map(|(k, v)| (k.deep_copy(), v.deep_copy())).collect()
    }
}
impl<K: DeepCopy + Eq + Hash, V: DeepCopy, S: BuildHasher + Default> DeepCopy for HashMap<K, V, S> {
    fn deep_copy(&self) -> Self {
        self.iter().map(|(k, v)| (k.deep_copy(), v.deep_copy())).collect()
    }
}
impl<T: DeepCopy + Clone + 'static> DeepCopy for List<T> {
    fn deep_copy(&self) -> Self {
        if self.is_nil() { List::default() } else { self.iter().map(T::deep_copy).collect() }
    }
}
impl<V: DeepCopy + Clone + 'static> DeepCopy for Map<V> {
    fn deep_copy(&self) -> Self {
        if self.is_nil() {
            return Map::default();
        }
        self.iter().map(|(k, v)| (k.clone(), v.deep_copy())).collect()
    }
}
impl<T: DeepCopy> DeepCopy for Shared<T> {
    fn deep_copy(&self) -> Self {
        Shared::new((**self).deep_copy())
    }
}
impl<T: DeepCopy + StaticDefault> DeepCopy for Emb<T> {
    fn deep_copy(&self) -> Self {
        Emb::from((**self).deep_copy())
    }
}
impl<T: DeepCopy> DeepCopy for crate::ObjectList<T> {
    fn deep_copy(&self) -> Self {
        crate::ObjectList { metadata: self.metadata.clone(), items: self.items.deep_copy() }
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt),+);)*) => { $(
        impl<$($t: DeepCopy),+> DeepCopy for ($($t,)+) {
            fn deep_copy(&self) -> Self {
                ($(self.$i.deep_copy(),)+)
            }
        }
    )* };
}
tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
}
