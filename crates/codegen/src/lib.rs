//! Kubernetes' API schema and the generator of pintle's Rust code: counterpart of
//! `k8s.io/code-generator`.
//!
//! The [`model`] holds what is known of each Go type, its markers and the server's discovery;
//! [`schema`] is its text form, stored beside this crate; [`lower`] resolves it to Rust types
//! ([`rust`]), [`emit`] writes them and [`output`] writes or checks all generated files. The
//! derive macros lower a user's struct to the same [`rust`] types.
//!
//! It knows no other crate of the workspace, opens no connection, and does not format: generated
//! lines are as compact as they should be compiled.
//!
//! # Example: from schema to Rust
//! ```
//! let package = pintle_codegen::schema::parse(
//!     "package k8s.io/api/demo/v1\ngroup demo never\n\ntype Port\n  hostIP: string 1 omitempty\n",
//! )?;
//! let schema = pintle_codegen::model::Schema { version: "1.37".into(), packages: vec![package], ..Default::default() };
//! let modules = pintle_codegen::lower::lower(&schema)?;
//! let text = pintle_codegen::emit::module(&modules[0], "1.37");
//! assert!(text.contains("host_ip: Str = \"hostIP\" 1 OMITEMPTY;"));
//! # Ok::<(), String>(())
//! ```

pub mod emit;
pub mod emit_clients;
pub mod emit_openapi;
pub mod emit_server;
pub mod features;
mod go_types;
#[cfg(feature = "import")]
pub mod import;
pub mod lower;
pub mod model;
pub mod names;
pub mod oddities;
pub mod output;
pub mod rust;
pub mod schema;
