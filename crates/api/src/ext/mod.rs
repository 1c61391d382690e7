//! What is written by hand beside the generated types, a module per group.

#[cfg(any(feature = "apiextensions", feature = "apiextensions-v1beta1"))]
mod apiextensions;

#[cfg(feature = "apiextensions")]
pub(crate) use apiextensions::apiextensions_v1;
#[cfg(feature = "apiextensions-v1beta1")]
pub(crate) use apiextensions::apiextensions_v1beta1;
