//! What describes a type: the macros that write its struct and its table from one declaration, so
//! that the two cannot differ. See [`plan`](super::plan) for what rests on that.

/// A generated type: the struct, its table, and the traits that rest on it.
///
/// `NAME DESCRIPTOR "GoName" [index of the field by protobuf number] form;`, then per field
/// `name: Type = "json name" number FLAG | FLAG (facts);`.
#[doc(hidden)]
#[macro_export]
macro_rules! message {
    (
        $(#[$meta:meta])*
        $vis:vis struct $type:ident $desc:ident $go:literal $by_num:tt $form:expr;
        $($(#[$field_meta:meta])*
        $field:ident: $field_type:ty = $json:literal $num:literal $($flag:ident)|* $(($facts:expr))?;)*
    ) => {
        $(#[$meta])*
        $vis struct $type {
            $($(#[$field_meta])* pub $field: $field_type,)*
        }
        #[doc(hidden)]
        $vis static $desc: $crate::reflect::Desc = $crate::reflect::Desc::of::<$type>(
            $go,
            ::std::module_path!(),
            &[$($crate::reflect::Field::of::<$field_type>(
                $json, $num, 0 $(| $crate::reflect::$flag)*, ::std::mem::offset_of!($type, $field),
            )$(.facts(&$facts))?,)*],
            &$by_num,
            $form,
        );
        // SAFETY: the table above has every field of the struct above, by its offset and type.
        #[allow(unsafe_code)]
        unsafe impl $crate::reflect::Described for $type {
            const DESC: &'static $crate::reflect::Desc = &$desc;
        }
        $crate::described!($type);
    };
}

/// The description of a leaf: `DESCRIPTOR Type how "schema"`, where how is `plain` for a type that
/// owns nothing, `of` for others.
#[doc(hidden)]
#[macro_export]
macro_rules! leaf_desc {
    ($(#[$meta:meta])* $vis:vis $desc:ident $type:ident $how:ident $schema:literal) => {
        $(#[$meta])*
        $vis static $desc: $crate::reflect::LeafDesc =
            $crate::reflect::LeafDesc::$how::<$type>(::std::stringify!($type), $schema);
        // SAFETY: the description above is of this very type.
        #[allow(unsafe_code)]
        unsafe impl $crate::reflect::Reflect for $type {
            const TYPE: $crate::reflect::Type = $crate::reflect::Type::Leaf(&$desc);
        }
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe impl $crate::reflect::Optional for $type {
            const OPTION: $crate::reflect::Type = $crate::reflect::Type::OptLeaf(&$desc);
        }
        $crate::inline_schema!($type);
    };
}
