//! An embedded Kubernetes API server for tests and local development.
//!
//! [`ApiServer`] keeps objects in memory and serves them as a real API server does: every
//! built-in resource of Kubernetes' discovery and custom resources from their definitions, with
//! true resource versions from one log, conflicts, watches that resume, watch-list, paging,
//! status subresources, `managedFields`, finalizers and garbage collection, in JSON, YAML and
//! protobuf. Tests and examples talk to it in process through [`Service`], a `tower` service that
//! needs no socket; or over TLS on a loopback port ([`Builder::listen`]), with a kubeconfig for any
//! client.
//!
//! Users come from static tokens, client certificates and tokens of ServiceAccounts, which it
//! issues itself. It answers who somebody is and what they may do: members of `system:masters`
//! everything, others what every cluster allows everybody ([`Builder::allow_all`] changes that).
//!
//! The program `pintle-apiserver` is this server as a process, with the flags of kube-apiserver;
//! `pintle-apiserver assets DIR` makes a folder that test environments of any language take for
//! etcd and kube-apiserver (`KUBEBUILDER_ASSETS=DIR`). What it keeps is in memory; the stand-in for
//! etcd keeps it while kube-apiserver is stopped with SIGTERM and started again, in its `--data-dir`
//! even while it is stopped itself. In a test, [`ApiServer::into_snapshot`] does that.
//!
//! Beside it run the controllers that every test leans on ([`Controllers`]): garbage collection by
//! owner references, the end of namespaces, their ServiceAccounts and `kube-root-ca.crt`. For tests
//! there are manifests, faults and a clock to move: [`testing`].
//!
//! Of the admission plugins that are on by default it has those of [`Builder::admission_plugins`]:
//! Pods have the token of their ServiceAccount, and the amounts of their namespace's LimitRange.
//! Not there are ResourceQuota (quotas are kept, and nothing is counted), PodSecurity (labels of
//! namespaces that ask for more than `privileged` have no effect), and those about signers of
//! certificates: who may write a request may approve it.
//!
//! What it does not do yet answers with a clear `Status` (501) and never with a wrong success:
//! server-side apply, roles that are stored (RBAC), admission webhooks, CEL, conversion webhooks,
//! and what needs a node (`log`, `exec`, `proxy`, ...). No Pod runs anywhere.
//!
//! Built-in kinds behave like themselves: every kind has the defaults of the real server, Services
//! are given addresses and ports, Jobs their selector, Pods their priority and tolerations.
//! What the server fills in and refuses can be asked without a server, too: [`BuiltinKinds`].
//!
//! Validated by rules of their own are CSIDriver, CSINode, CSIStorageCapacity, ClusterRole, ClusterRoleBinding,
//! ConfigMap, ControllerRevision, CronJob, CustomResourceDefinition, DaemonSet, Deployment,
//! EndpointSlice, Endpoints, Event, HorizontalPodAutoscaler, Ingress, IngressClass, Job, Lease,
//! LimitRange, MutatingWebhookConfiguration, Namespace, NetworkPolicy, Node, PersistentVolume,
//! PersistentVolumeClaim, Pod, PodDisruptionBudget, PodTemplate, PriorityClass, ReplicaSet,
//! ReplicationController, ResourceQuota, Role, RoleBinding, Secret, Service, ServiceAccount,
//! StatefulSet, StorageClass, ValidatingWebhookConfiguration, VolumeAttachment,
//! VolumeAttributesClass. Of the other built-in kinds only metadata and types are checked:
//! APIService, CertificateSigningRequest, ClusterTrustBundle, DeviceClass, DeviceTaintRule,
//! FlowSchema, IPAddress, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding,
//! PodCertificateRequest, PriorityLevelConfiguration, ResourceClaim, ResourceClaimTemplate,
//! ResourceSlice, RuntimeClass, ServiceCIDR, StorageVersionMigration, ValidatingAdmissionPolicy,
//! ValidatingAdmissionPolicyBinding. Of Pods and what has templates of them, volumes, Services and
//! definitions, rare errors are missing, or worded otherwise where Go shows its internal types.
//! Custom resources are checked against the schema of their
//! definition, rules in CEL excepted.
//!
//! # Example: a ConfigMap in process
//! ```
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::{BodyExt, Full};
//! use pintle_apiserver::ApiServer;
//! use tower_service::Service;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let server = ApiServer::builder().start().await?;
//! let request = Request::post("/api/v1/namespaces/default/configmaps")
//!     .header("content-type", "application/json")
//!     .body(Full::new(Bytes::from(r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#)))
//!     .expect("a request");
//! let Ok(response) = server.service().call(request).await;
//! assert_eq!(response.status(), 201);
//! let body = response.into_body().collect().await.expect("a body").to_bytes();
//! assert!(body.starts_with(br#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a""#));
//! server.shutdown().await;
//! # Ok::<(), pintle_apimachinery::Error>(())
//! # }).unwrap();
//! ```

mod apiservices;
mod auth;
mod body;
mod bootstrap;
mod builtin;
mod controllers;
mod core;
mod crds;
mod custom;
mod der;
mod discovery;
mod encode;
mod generated;
mod go_json;
mod handlers;
mod health;
mod kinds;
mod listen;
mod managed;
mod negotiate;
mod object;
mod openapi;
mod pki;
mod plugins;
mod printers;
mod registry;
mod request;
mod respond;
mod selector;
mod server;
mod service;
mod snapshot;
mod status;
mod storage;
pub mod testing;
mod timers;
mod transform;
mod tree;
mod typed;
mod validate;

pub use auth::User;
pub use body::Body;
pub use builtin::BuiltinKinds;
pub use controllers::Controllers;
pub use custom::{CustomKind, Verdict};
pub use server::{ApiServer, Builder};
pub use service::Service;
