//! Whether names, labels and options are valid, in Kubernetes' words, and errors about fields.
//! Go: `k8s.io/apimachinery/pkg/util/validation`, `.../validation/field`, `pkg/api/validate`,
//! `pkg/api/validation` and `pkg/apis/meta/v1/validation`.
//!
//! [`declarative`] has the rules that generated validation calls.
//!
//! The functions about texts return what is wrong, each as one message; nothing means valid, and costs no
//! allocation.
//!
//! ```
//! use pintle_apimachinery::validation::{self, FieldError, FieldErrors, FieldPath};
//!
//! assert!(validation::label_key("app.kubernetes.io/name").is_empty());
//! assert_eq!(validation::dns1123_label("a.b"), ["must not contain dots"]);
//!
//! let ports = FieldPath::new("spec").child("ports").index(0);
//! let mut errors = FieldErrors::default();
//! errors.push(FieldError::required(&ports.child("name"), ""));
//! errors.push(FieldError::invalid(&ports.child("port"), 0, "must be between 1 and 65535, inclusive"));
//! assert_eq!(
//!     errors.to_string(),
//!     "[spec.ports[0].name: Required value, \
//!      spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive]",
//! );
//! ```

pub mod declarative;
mod field;
mod ip;
mod meta;
mod names;
mod object_meta;
mod options;
mod path;
mod value;

pub use self::field::{FieldError, FieldErrorKind, FieldErrors, Stability};
pub use self::ip::{
    cidr_warnings, ip_warnings, valid_cidr, valid_cidr_for_legacy_field, valid_interface_address,
    valid_ip, valid_ip_for_legacy_field,
};
pub use self::meta::{
    SelectorLeniency, condition_reason, label_selector_has_invalid_value, validate_condition,
    validate_conditions, validate_field_selector_requirement, validate_label_selector,
    validate_label_selector_requirement, validate_managed_fields, validate_table_options,
};
pub use self::names::{
    NameRule, c_identifier, config_map_key, decimal_integer, dns1035_label, dns1123_label,
    dns1123_subdomain, dns1123_subdomain_caseless, dns1123_subdomain_with_underscore,
    domain_prefixed_key, domain_prefixed_path, env_var_name, fully_qualified_domain_name,
    fully_qualified_name, group_id, http_header_name, in_range, label_key, label_value,
    mask_trailing_dash, name_is_dns_label, name_is_dns_subdomain, name_is_dns1035_label,
    name_is_path_segment, path_segment_name, path_segment_prefix, percent, port_name, port_number,
    prefixed_label_key, relaxed_env_var_name, user_id, validate_annotations, validate_label_name,
    validate_labels, wildcard_dns1123_subdomain,
};
pub use self::object_meta::{
    FIELD_IMMUTABLE, validate_finalizer_name, validate_finalizers, validate_no_new_finalizers,
    validate_nonnegative, validate_object_meta, validate_object_meta_update,
    validate_object_meta_with, validate_owner_references,
};
pub use self::options::{validate_dry_run, validate_field_manager, validate_field_validation};
pub use self::path::FieldPath;
pub use self::value::BadValue;

#[cfg(test)]
mod tests;
