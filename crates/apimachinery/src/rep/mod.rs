//! The primitives that API objects are made of: [`Str`], [`List`], [`Shared`], [`Emb`], [`Map`], [`Bytes`].
//!
//! Every one of them is eight bytes and copy on write: a clone is a reference count, and writing
//! to one copy never changes another. That is what makes a cached object cheap to hand out, and
//! DeepCopy the same thing as `clone()`.
//!
//! All `unsafe` code of the project lives in this folder. `heap` has the one allocation layout
//! (a count, a length, then the values), type-erased so that the compiler sees it once; `str`,
//! `list` and `shared` are typed faces over it.
#![allow(unsafe_code)]

mod bytes;
mod elements;
mod emb;
mod encode;
mod heap;
mod list;
mod macros;
mod map;
mod plan;
mod pool;
#[cfg(feature = "schemars")]
mod schema;
mod serde_impls;
mod shared;
mod str;
mod table;
mod tail;

pub use self::bytes::Bytes;
pub use self::elements::{ListMut, ListRef, MapMut, MapRef};
pub use self::emb::{Emb, StaticDefault};
pub(crate) use self::encode::put_message;
pub use self::heap::{Handle, SlotMut};
pub use self::list::{IntoIter, List};
pub use self::map::Map;
pub use self::plan::LeafOps;
pub(crate) use self::plan::Plan;
pub(crate) use self::pool::Pool;
pub use self::shared::Shared;
#[cfg(all(test, not(loom)))]
pub(crate) use self::shared::slot as shared_slot;
pub use self::str::Str;
pub(crate) use self::table::view;
pub use self::table::{
    Described, Fields, FieldsMut, Message, OptMut, Optional, Pair, Reflect, clone_of, default_of,
    erase, erase_mut,
};
pub(crate) use self::tail::{Tag, Tail};

/// The atomics of the counts: the standard library's, or loom's when it explores interleavings.
mod sync {
    #[cfg(loom)]
    pub(super) use loom::sync::atomic::{AtomicU32, Ordering};
    #[cfg(not(loom))]
    pub(super) use std::sync::atomic::{AtomicU32, Ordering};
}

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
