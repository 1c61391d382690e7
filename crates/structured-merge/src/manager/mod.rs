//! `managedFields` of objects as the API server keeps them.
//! Go: `k8s.io/apimachinery/pkg/util/managedfields`.
mod conflict_error;
mod csa;
mod extract;
mod field_manager;
mod last_applied;
mod managed;
mod object;
mod scale;
mod types;

pub use csa::{find_fields_owners, upgrade_managed_fields, upgrade_managed_fields_patch};
pub use extract::{extract, extract_apply_configuration};
pub use field_manager::FieldManager;
pub use last_applied::LAST_APPLIED;
pub use managed::validate_managed_fields;
pub use object::{from_value, to_value};
pub use scale::ScaleHandler;
pub use types::{DeducedTypes, NoConversion, ObjectConverter, TypeConverter, TypeTable};
