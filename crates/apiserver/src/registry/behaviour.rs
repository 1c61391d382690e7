//! What differs by kind, as one table.
//!
//! Go counterpart: the strategies in `k8s.io/kubernetes/pkg/registry/*/*/strategy.go`. A kind
//! without an entry behaves as the default says.

use super::kinds;
use crate::kinds::autoscaling_v1;
use crate::object::Object;

/// How names of a kind are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// RFC 1123 subdomain.
    Subdomain,
    /// RFC 1123 label.
    Label,
    /// Anything that can be one segment of a path.
    PathSegment,
    /// The same, also of what names are generated from.
    WholeSegment,
}

/// How a kind behaves where kinds differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behaviour {
    /// `metadata.generation` starts at 1 and counts changes outside metadata and status.
    pub(crate) generation: bool,
    /// Updates raise the generation, and not only the deletion.
    pub(crate) counts_updates: bool,
    /// A change of the annotations raises the generation too.
    pub(crate) counts_annotations: bool,
    /// PUT to a missing object creates it.
    pub(crate) create_on_update: bool,
    /// PUT without a resource version replaces whatever is there.
    pub(crate) unconditional_update: bool,
    /// DELETE answers the object and not a Status.
    pub(crate) returns_deleted: bool,
    /// Deleting without a policy keeps dependents.
    pub(crate) orphans: bool,
    /// Deletion waits for a grace period (Pods).
    pub(crate) graceful: bool,
    /// Objects have finalizers in `spec.finalizers` too (namespaces).
    pub(crate) spec_finalizers: bool,
    /// Create keeps the status that was sent.
    pub(crate) status_on_create: bool,
    /// Metadata that an update of the status leaves as it is; the rest of the metadata is taken
    /// over. Custom resources take over none.
    pub(crate) status_keeps: &'static [&'static str],
    pub(crate) names: NameRule,
    /// Field selector labels beside name and namespace, with the path of each.
    pub(crate) selectable: &'static [(&'static str, &'static str)],
    /// How an unknown field label is refused; `{}` is the label.
    pub(crate) unknown_label: &'static str,
    /// Corrects values that are not plain fields.
    pub(crate) field_values: Option<fn(&Object, &mut [String])>,
    /// Resets or computes fields of an object to be created.
    pub(crate) prepare_create: Option<fn(&mut Object)>,
    /// Resets or computes fields of an object to be updated, from the stored one.
    pub(crate) prepare_update: Option<fn(&mut Object, &Object)>,
    /// The same for the `finalize` subresource.
    pub(crate) prepare_finalize: Option<fn(&mut Object, &Object)>,
    /// The group and version objects are stored in, where it is not their own.
    pub(crate) storage_version: Option<&'static str>,
    /// Turns a stored object into one of this version, where it is not the one stored.
    pub(crate) from_storage: Option<fn(&mut Object)>,
    /// Turns an object of this version into one to be stored.
    pub(crate) to_storage: Option<fn(&mut Object)>,
}

const DEFAULT: Behaviour = Behaviour {
    generation: false,
    counts_updates: true,
    counts_annotations: false,
    create_on_update: false,
    unconditional_update: true,
    returns_deleted: false,
    orphans: false,
    graceful: false,
    spec_finalizers: false,
    status_on_create: false,
    status_keeps: &[],
    names: NameRule::Subdomain,
    selectable: &[],
    unknown_label: "\"{}\" is not a known field selector: only \"metadata.name\", \
                    \"metadata.namespace\"",
    field_values: None,
    prepare_create: None,
    prepare_update: None,
    prepare_finalize: None,
    storage_version: None,
    from_storage: None,
    to_storage: None,
};

/// Custom resources: conditional updates only, generation, and CRDs' own selectable fields.
pub(super) const CUSTOM: Behaviour = Behaviour {
    generation: true,
    unconditional_update: false,
    status_keeps: STATUS_METADATA,
    unknown_label: UNSUPPORTED,
    ..DEFAULT
};

const UNSUPPORTED: &str = "field label not supported: {}";

/// Kinds whose objects have a generation.
const WITH_GENERATION: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("discovery.k8s.io", "endpointslices"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("resource.k8s.io", "deviceclasses"),
    ("resource.k8s.io", "devicetaintrules"),
    ("resource.k8s.io", "resourceslices"),
    ("scheduling.k8s.io", "priorityclasses"),
];

const CREATE_ON_UPDATE: &[(&str, &str)] = &[
    ("", "endpoints"),
    ("", "events"),
    ("", "limitranges"),
    ("", "services"),
    ("coordination.k8s.io", "leases"),
    ("events.k8s.io", "events"),
    ("node.k8s.io", "runtimeclasses"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
];

const CONDITIONAL_UPDATE: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "apiservices"),
    ("certificates.k8s.io", "clustertrustbundles"),
    ("certificates.k8s.io", "podcertificaterequests"),
    ("coordination.k8s.io", "leases"),
    ("node.k8s.io", "runtimeclasses"),
    ("policy", "poddisruptionbudgets"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "csistoragecapacities"),
    ("storage.k8s.io", "volumeattachments"),
    ("storagemigration.k8s.io", "storageversionmigrations"),
];

const RETURNS_DELETED: &[(&str, &str)] = &[
    ("", "namespaces"),
    ("", "persistentvolumeclaims"),
    ("", "persistentvolumes"),
    ("", "pods"),
    ("", "podtemplates"),
    ("", "resourcequotas"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("resource.k8s.io", "deviceclasses"),
    ("resource.k8s.io", "resourceclaims"),
    ("resource.k8s.io", "resourceclaimtemplates"),
    ("resource.k8s.io", "resourceslices"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
    ("storage.k8s.io", "volumeattributesclasses"),
];

const ORPHANS: &[(&str, &str)] = &[("", "replicationcontrollers"), ("batch", "jobs")];

/// An update of the status of these leaves all metadata alone.
const STATUS_KEEPS_METADATA: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("certificates.k8s.io", "podcertificaterequests"),
    ("networking.k8s.io", "servicecidrs"),
    ("resource.k8s.io", "devicetaintrules"),
    ("resource.k8s.io", "resourceclaims"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "volumeattachments"),
    ("storagemigration.k8s.io", "storageversionmigrations"),
];

const STATUS_METADATA: &[&str] = &["annotations", "finalizers", "labels", "ownerReferences"];

/// Names of these may hold anything a path segment may (RBAC), or have a rule of their own.
const NAMES: &[(&str, &str, NameRule)] = &[
    ("", "namespaces", NameRule::Label),
    ("", "services", NameRule::Label),
    ("apps", "statefulsets", NameRule::Label),
    ("certificates.k8s.io", "clustertrustbundles", NameRule::PathSegment),
    ("", "events", NameRule::PathSegment),
    ("policy", "poddisruptionbudgets", NameRule::PathSegment),
    ("rbac.authorization.k8s.io", "clusterrolebindings", NameRule::WholeSegment),
    ("rbac.authorization.k8s.io", "clusterroles", NameRule::WholeSegment),
    ("rbac.authorization.k8s.io", "rolebindings", NameRule::WholeSegment),
    ("rbac.authorization.k8s.io", "roles", NameRule::WholeSegment),
];

const POD_FIELDS: &[(&str, &str)] = &[
    ("spec.nodeName", "spec.nodeName"),
    ("spec.restartPolicy", "spec.restartPolicy"),
    ("spec.schedulerName", "spec.schedulerName"),
    ("spec.serviceAccountName", "spec.serviceAccountName"),
    ("spec.hostNetwork", "spec.hostNetwork"),
    ("status.phase", "status.phase"),
    ("status.podIP", "status.podIP"),
    ("status.nominatedNodeName", "status.nominatedNodeName"),
    ("status.podIPs", "status.podIPs"),
];

const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject.kind", "involvedObject.kind"),
    ("involvedObject.namespace", "involvedObject.namespace"),
    ("involvedObject.name", "involvedObject.name"),
    ("involvedObject.uid", "involvedObject.uid"),
    ("involvedObject.apiVersion", "involvedObject.apiVersion"),
    ("involvedObject.resourceVersion", "involvedObject.resourceVersion"),
    ("involvedObject.fieldPath", "involvedObject.fieldPath"),
    ("reason", "reason"),
    ("reportingComponent", "reportingComponent"),
    ("source", "source.component"),
    ("type", "type"),
];

/// The same values under the names of `events.k8s.io`.
const NEW_EVENT_FIELDS: &[(&str, &str)] = &[
    ("regarding.kind", "involvedObject.kind"),
    ("regarding.namespace", "involvedObject.namespace"),
    ("regarding.name", "involvedObject.name"),
    ("regarding.uid", "involvedObject.uid"),
    ("regarding.apiVersion", "involvedObject.apiVersion"),
    ("regarding.resourceVersion", "involvedObject.resourceVersion"),
    ("regarding.fieldPath", "involvedObject.fieldPath"),
    ("reason", "reason"),
    ("reportingController", "reportingComponent"),
    // Not offered in this version; keeps the values in the order of the stored ones.
    ("source\0", "source.component"),
    ("type", "type"),
];

/// The behaviour of a built-in resource.
pub(super) fn of(group: &str, version: &str, plural: &str) -> Behaviour {
    let of = |table: &[(&str, &str)]| table.contains(&(group, plural));
    let mut behaviour = Behaviour {
        generation: of(WITH_GENERATION),
        create_on_update: of(CREATE_ON_UPDATE),
        unconditional_update: !of(CONDITIONAL_UPDATE),
        returns_deleted: of(RETURNS_DELETED),
        orphans: of(ORPHANS),
        status_keeps: if of(STATUS_KEEPS_METADATA) { STATUS_METADATA } else { &[] },
        ..DEFAULT
    };
    if let Some((.., rule)) = NAMES.iter().find(|(g, p, _)| (*g, *p) == (group, plural)) {
        behaviour.names = *rule;
    }
    match (group, plural) {
        ("", "pods") => {
            behaviour.graceful = true;
            behaviour.status_keeps = &["ownerReferences"];
            behaviour.selectable = POD_FIELDS;
            behaviour.unknown_label = UNSUPPORTED;
            behaviour.field_values = Some(kinds::pod_fields);
            behaviour.prepare_create = Some(kinds::create_pod);
        }
        ("", "nodes") => {
            behaviour.status_on_create = true;
            behaviour.selectable = &[("spec.unschedulable", "spec.unschedulable")];
            behaviour.unknown_label = UNSUPPORTED;
        }
        ("", "namespaces") => {
            behaviour.spec_finalizers = true;
            behaviour.selectable = &[("status.phase", "status.phase")];
            behaviour.unknown_label = UNSUPPORTED;
            behaviour.prepare_create = Some(kinds::create_namespace);
            behaviour.prepare_update = Some(kinds::update_namespace);
            behaviour.prepare_finalize = Some(kinds::label_namespace);
        }
        ("", "secrets") => {
            behaviour.selectable = &[("type", "type")];
            behaviour.unknown_label = UNSUPPORTED;
            behaviour.prepare_create = Some(kinds::create_secret);
            behaviour.prepare_update = Some(kinds::update_secret);
        }
        ("", "services") => {
            behaviour.selectable =
                &[("spec.clusterIP", "spec.clusterIP"), ("spec.type", "spec.type")];
            behaviour.unknown_label = UNSUPPORTED;
        }
        ("", "replicationcontrollers") => {
            behaviour.selectable = &[("status.replicas", "status.replicas")];
            behaviour.unknown_label = UNSUPPORTED;
        }
        ("", "persistentvolumes" | "persistentvolumeclaims") => {
            behaviour.prepare_create = Some(kinds::create_volume);
        }
        ("", "events") => {
            behaviour.selectable = EVENT_FIELDS;
            behaviour.unknown_label = UNSUPPORTED;
            behaviour.field_values = Some(kinds::event_fields);
        }
        ("events.k8s.io", "events") => {
            behaviour.selectable = NEW_EVENT_FIELDS;
            behaviour.unknown_label = UNSUPPORTED;
            behaviour.field_values = Some(kinds::event_fields);
            behaviour.storage_version = Some("v1");
            behaviour.from_storage = Some(kinds::event_to_new);
            behaviour.to_storage = Some(kinds::event_to_legacy);
        }
        ("apps", "deployments") => {
            behaviour.status_keeps = &["labels"];
            behaviour.counts_annotations = true;
        }
        ("apiregistration.k8s.io", "apiservices") => {
            behaviour.names = NameRule::PathSegment;
            behaviour.prepare_create = Some(kinds::create_api_service);
        }
        ("scheduling.k8s.io", "priorityclasses") => behaviour.counts_updates = false,
        ("autoscaling", "horizontalpodautoscalers") if version == "v1" => {
            behaviour.storage_version = Some("autoscaling/v2");
            behaviour.from_storage = Some(autoscaling_v1::from_v2);
            behaviour.to_storage = Some(autoscaling_v1::to_v2);
        }
        ("autoscaling", "horizontalpodautoscalers") => {
            behaviour.to_storage = Some(autoscaling_v1::drop_annotations);
        }
        ("batch", "jobs") => {
            behaviour.selectable = &[("status.successful", "status.succeeded")];
            behaviour.unknown_label = "field label \"{}\" not supported for Job";
        }
        ("certificates.k8s.io", "certificatesigningrequests" | "clustertrustbundles") => {
            behaviour.selectable = &[("spec.signerName", "spec.signerName")];
            behaviour.unknown_label = UNSUPPORTED;
        }
        ("certificates.k8s.io", "podcertificaterequests") => {
            behaviour.selectable = &[
                ("spec.signerName", "spec.signerName"),
                ("spec.podName", "spec.podName"),
                ("spec.nodeName", "spec.nodeName"),
            ];
            behaviour.unknown_label = UNSUPPORTED;
        }
        ("resource.k8s.io", "resourceslices") => {
            behaviour.selectable =
                &[("spec.nodeName", "spec.nodeName"), ("spec.driver", "spec.driver")];
            behaviour.unknown_label =
                "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {}";
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            behaviour.prepare_create = Some(kinds::create_crd);
            behaviour.prepare_update = Some(kinds::update_crd);
        }
        _ => {}
    }
    behaviour
}
