//! Whether names, labels and options are valid, in Kubernetes' words, and errors about fields.
//! Go: `k8s.io/apimachinery/pkg/util/validation`, `.../validation/field`, `pkg/api/validate/content` and the
//! validation of options in `pkg/apis/meta/v1/validation`.
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

mod field;
mod names;
mod options;

pub use self::field::{BadValue, FieldError, FieldErrorKind, FieldErrors, FieldPath};
pub use self::names::{
    c_identifier, config_map_key, dns1035_label, dns1123_label, dns1123_subdomain,
    dns1123_subdomain_with_underscore, domain_prefixed_path, env_var_name,
    fully_qualified_domain_name, fully_qualified_name, group_id, http_header_name, in_range,
    label_key, label_value, mask_trailing_dash, path_segment_name, path_segment_prefix, percent,
    port_name, port_number, prefixed_label_key, relaxed_env_var_name, user_id,
    validate_annotations, validate_labels, wildcard_dns1123_subdomain,
};
pub use self::options::{validate_dry_run, validate_field_manager, validate_field_validation};

#[cfg(test)]
mod tests;
