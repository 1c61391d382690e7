//! What is done with the metadata that every object has: conditions, owners, finalizers, lists,
//! tables; and which resource a kind is.
//!
//! | Go | here |
//! |---|---|
//! | `api/meta` `RESTMapper` and its kinds | [`RestMapper`], [`DefaultRestMapper`], [`PriorityRestMapper`], [`MultiRestMapper`], [`FirstHitRestMapper`] |
//! | client-go's `restmapper.NewDiscoveryRESTMapper` | [`discovery_rest_mapper`] |
//! | client-go's `restmapper.NewShortcutExpander`, `NewDiscoveryCategoryExpander` | [`ShortcutRestMapper`], [`Shortcuts`] |
//! | `api/meta` `Accessor`, `ListAccessor`, `EachListItem`, `LenList` | [`object_meta`], [`list_meta`], [`list_items`], [`list_len`] |
//! | `api/meta` conditions | [`Conditions`] |
//! | `api/meta/table`, apiextensions' `tableconvertor` | [`TableColumns`], [`human_age`] |
//! | `apis/meta/v1` label selectors | methods of [`LabelSelector`](crate::LabelSelector), [`format_label_selector`] |
//! | controller-runtime's `controllerutil` | [`set_controller_reference`], [`add_finalizer`] and their kin |
//!
//! # Example: a condition and a finalizer
//! ```
//! use pintle_apimachinery::meta::{self, Conditions};
//! use pintle_apimachinery::{Condition, List, PartialObjectMetadata, Time};
//!
//! let mut conditions: List<Condition> = List::new();
//! let ready = Condition { type_: "Ready".into(), status: "True".into(), ..Default::default() };
//! assert!(conditions.set_condition(ready.clone(), Time::now()));
//! assert!(!conditions.set_condition(ready, Time::now()));
//! assert!(conditions.is_condition_true("Ready"));
//!
//! let mut object = PartialObjectMetadata::default();
//! assert!(meta::add_finalizer(&mut object, "example.com/cleanup"));
//! assert!(meta::has_finalizer(&object, "example.com/cleanup"));
//! ```

mod accessors;
mod conditions;
mod label_selector;
mod mapper;
mod mapper_default;
mod mapper_discovery;
mod mapper_many;
mod owners;
mod shortcuts;
mod table;

pub use self::accessors::{
    has_system_fields, list_items, list_len, list_meta, object_meta, object_meta_mut,
    reset_for_status,
};
pub use self::conditions::Conditions;
pub use self::label_selector::format_label_selector;
pub use self::mapper::{RestMapper, RestMapping, RestScope, guess_resource};
pub use self::mapper_default::DefaultRestMapper;
pub use self::mapper_discovery::{DiscoveryRestMapper, GroupResources, discovery_rest_mapper};
pub use self::mapper_many::{ANY, FirstHitRestMapper, MultiRestMapper, PriorityRestMapper};
pub use self::owners::{
    add_finalizer, has_controller_reference, has_finalizer, has_owner_reference, owner_reference,
    put_owner_reference, remove_controller_reference, remove_finalizer, remove_owner_reference,
    set_controller_reference, set_owner_reference,
};
pub use self::shortcuts::{ExpandedResource, ShortcutRestMapper, Shortcuts};
pub use self::table::{PrinterColumn, TableColumns, human_age};

#[cfg(test)]
mod tests;
