//! The columns of every built-in kind.

use super::Cell::{Age, By, Count, Created, Flag, Int, Text};
use super::{Cell, Column, apps, core, events, others, pods, volumes};

const fn column(name: &'static str, kind: &'static str, cell: Cell) -> Column {
    Column { name, kind, format: "", priority: 0, cell }
}

const fn string(name: &'static str, cell: Cell) -> Column {
    column(name, "string", cell)
}

const fn integer(name: &'static str, cell: Cell) -> Column {
    column(name, "integer", cell)
}

const fn boolean(name: &'static str, cell: Cell) -> Column {
    column(name, "boolean", cell)
}

/// Shown with `-o wide` only.
const fn wide(column: Column) -> Column {
    Column { priority: 1, ..column }
}

/// Known to be a name.
const fn named(column: Column) -> Column {
    Column { format: "name", ..column }
}

const NAME: Column = named(string("Name", Text("metadata.name", "")));
const AGE: Column = string("Age", Age);
const CREATED: Column = column("Created At", "date", Created);

/// Of kinds that have none of their own.
pub(super) static PLAIN: &[Column] = &[NAME, CREATED];

pub(super) static SCALE: &[Column] = &[
    string("Name", Text("metadata.name", "")),
    integer("Desired", Int("spec.replicas")),
    integer("Available", Int("status.replicas")),
    AGE,
];

static EVENTS: &[Column] = &[
    string("Last Seen", By(events::last_seen)),
    string("Type", Text("type", "")),
    string("Reason", Text("reason", "")),
    string("Object", By(events::object)),
    wide(string("Subobject", Text("involvedObject.fieldPath", ""))),
    wide(string("Source", By(events::source))),
    string("Message", By(events::message)),
    wide(string("First Seen", By(events::first_seen))),
    wide(string("Count", By(events::count))),
    named(wide(string("Name", Text("metadata.name", "")))),
];

static REPLICAS: &[Column] = &[
    NAME,
    integer("Desired", Int("spec.replicas")),
    integer("Current", Int("status.replicas")),
    integer("Ready", Int("status.readyReplicas")),
    AGE,
    wide(string("Containers", By(apps::containers))),
    wide(string("Images", By(apps::images))),
    wide(string("Selector", By(apps::selector))),
];

static BINDINGS: &[Column] = &[
    NAME,
    string("Role", By(others::role)),
    AGE,
    wide(string("Users", By(others::users))),
    wide(string("Groups", By(others::groups))),
    wide(string("ServiceAccounts", By(others::accounts))),
];

static WEBHOOKS: &[Column] = &[NAME, integer("Webhooks", Count("webhooks")), AGE];

static POLICY_BINDINGS: &[Column] = &[
    NAME,
    string("PolicyName", Text("spec.policyName", "")),
    string("ParamRef", By(others::param_ref)),
    AGE,
];

static ONLY_AGE: &[Column] = &[NAME, AGE];

/// Group, resource and columns of each kind.
pub(super) static KINDS: &[(&str, &str, &[Column])] = &[
    (
        "",
        "pods",
        &[
            NAME,
            string("Ready", By(pods::ready)),
            string("Status", By(pods::status)),
            string("Restarts", By(pods::restarts)),
            AGE,
            wide(string("IP", By(pods::ip))),
            wide(string("Node", Text("spec.nodeName", "<none>"))),
            wide(string("Nominated Node", Text("status.nominatedNodeName", "<none>"))),
            wide(string("Readiness Gates", By(pods::gates))),
        ],
    ),
    (
        "",
        "podtemplates",
        &[
            NAME,
            string("Containers", By(core::template_containers)),
            string("Images", By(core::template_images)),
            string("Pod Labels", By(core::template_labels)),
        ],
    ),
    (
        "",
        "replicationcontrollers",
        &[
            NAME,
            integer("Desired", Int("spec.replicas")),
            integer("Current", Int("status.replicas")),
            integer("Ready", Int("status.readyReplicas")),
            AGE,
            wide(string("Containers", By(apps::containers))),
            wide(string("Images", By(apps::images))),
            wide(string("Selector", By(core::selector_labels))),
        ],
    ),
    (
        "",
        "services",
        &[
            NAME,
            string("Type", Text("spec.type", "")),
            string("Cluster-IP", By(core::cluster_ip)),
            string("External-IP", By(core::external_ip)),
            string("Port(s)", By(core::ports)),
            AGE,
            wide(string("Selector", By(core::selector_labels))),
        ],
    ),
    ("", "endpoints", &[NAME, string("Endpoints", By(core::endpoints)), AGE]),
    (
        "",
        "nodes",
        &[
            NAME,
            string("Status", By(core::node_status)),
            string("Roles", By(core::node_roles)),
            AGE,
            string("Version", Text("status.nodeInfo.kubeletVersion", "")),
            wide(string("Internal-IP", By(core::internal_ip))),
            wide(string("External-IP", By(core::node_external_ip))),
            wide(string("OS-Image", By(core::os_image))),
            wide(string("Kernel-Version", By(core::kernel))),
            wide(string("Container-Runtime", By(core::runtime))),
        ],
    ),
    ("", "events", EVENTS),
    ("events.k8s.io", "events", EVENTS),
    ("", "namespaces", &[NAME, string("Status", Text("status.phase", "")), AGE]),
    ("", "secrets", &[NAME, string("Type", Text("type", "")), string("Data", Count("data")), AGE]),
    ("", "configmaps", &[NAME, string("Data", By(core::data)), AGE]),
    ("", "serviceaccounts", ONLY_AGE),
    (
        "",
        "persistentvolumes",
        &[
            NAME,
            string("Capacity", By(volumes::capacity)),
            string("Access Modes", By(volumes::modes)),
            string("Reclaim Policy", Text("spec.persistentVolumeReclaimPolicy", "")),
            string("Status", By(volumes::phase)),
            string("Claim", By(volumes::claim)),
            string("StorageClass", By(volumes::class)),
            string("VolumeAttributesClass", Text("spec.volumeAttributesClassName", "<unset>")),
            string("Reason", Text("status.reason", "")),
            AGE,
            wide(string("VolumeMode", Text("spec.volumeMode", "<unset>"))),
        ],
    ),
    (
        "",
        "persistentvolumeclaims",
        &[
            NAME,
            string("Status", By(volumes::phase)),
            string("Volume", Text("spec.volumeName", "")),
            string("Capacity", By(volumes::claim_capacity)),
            string("Access Modes", By(volumes::claim_modes)),
            string("StorageClass", By(volumes::class)),
            string("VolumeAttributesClass", Text("spec.volumeAttributesClassName", "<unset>")),
            AGE,
            wide(string("VolumeMode", Text("spec.volumeMode", "<unset>"))),
        ],
    ),
    (
        "",
        "componentstatuses",
        &[
            NAME,
            string("Status", By(core::component_status)),
            string("Message", By(core::component_message)),
            string("Error", By(core::component_error)),
        ],
    ),
    (
        "",
        "resourcequotas",
        &[
            NAME,
            string("Request", By(core::quota_requests)),
            string("Limit", By(core::quota_limits)),
            AGE,
        ],
    ),
    (
        "apps",
        "deployments",
        &[
            NAME,
            string("Ready", By(apps::ready)),
            string("Up-to-date", Int("status.updatedReplicas")),
            string("Available", Int("status.availableReplicas")),
            AGE,
            wide(string("Containers", By(apps::containers))),
            wide(string("Images", By(apps::images))),
            wide(string("Selector", By(apps::bare_selector))),
        ],
    ),
    ("apps", "replicasets", REPLICAS),
    (
        "apps",
        "statefulsets",
        &[
            NAME,
            string("Ready", By(apps::ready)),
            AGE,
            wide(string("Containers", By(apps::containers))),
            wide(string("Images", By(apps::images))),
        ],
    ),
    (
        "apps",
        "daemonsets",
        &[
            NAME,
            integer("Desired", Int("status.desiredNumberScheduled")),
            integer("Current", Int("status.currentNumberScheduled")),
            integer("Ready", Int("status.numberReady")),
            integer("Up-to-date", Int("status.updatedNumberScheduled")),
            integer("Available", Int("status.numberAvailable")),
            string("Node Selector", By(apps::node_selector)),
            AGE,
            wide(string("Containers", By(apps::containers))),
            wide(string("Images", By(apps::images))),
            wide(string("Selector", By(apps::selector))),
        ],
    ),
    (
        "apps",
        "controllerrevisions",
        &[
            NAME,
            string("Controller", By(apps::controller)),
            string("Revision", Int("revision")),
            AGE,
        ],
    ),
    (
        "batch",
        "jobs",
        &[
            NAME,
            string("Status", By(apps::job_status)),
            string("Completions", By(apps::completions)),
            string("Duration", By(apps::job_duration)),
            AGE,
            wide(string("Containers", By(apps::containers))),
            wide(string("Images", By(apps::images))),
            wide(string("Selector", By(apps::selector))),
        ],
    ),
    (
        "batch",
        "cronjobs",
        &[
            NAME,
            string("Schedule", Text("spec.schedule", "")),
            string("Timezone", Text("spec.timeZone", "<none>")),
            boolean("Suspend", By(apps::suspend)),
            integer("Active", Count("status.active")),
            string("Last Schedule", By(apps::last_schedule)),
            AGE,
            wide(string("Containers", By(apps::cron_containers))),
            wide(string("Images", By(apps::cron_images))),
            wide(string("Selector", By(apps::cron_selector))),
        ],
    ),
    (
        "autoscaling",
        "horizontalpodautoscalers",
        &[
            NAME,
            string("Reference", By(others::scale_target)),
            string("Targets", By(others::metrics)),
            string("MinPods", Text("spec.minReplicas", "<unset>")),
            string("MaxPods", Int("spec.maxReplicas")),
            string("Replicas", Int("status.currentReplicas")),
            AGE,
        ],
    ),
    (
        "policy",
        "poddisruptionbudgets",
        &[
            NAME,
            string("Min Available", Text("spec.minAvailable", "N/A")),
            string("Max Unavailable", Text("spec.maxUnavailable", "N/A")),
            integer("Allowed Disruptions", Int("status.disruptionsAllowed")),
            AGE,
        ],
    ),
    (
        "networking.k8s.io",
        "ingresses",
        &[
            NAME,
            string("Class", Text("spec.ingressClassName", "<none>")),
            string("Hosts", By(others::hosts)),
            string("Address", By(core::balancer)),
            string("Ports", By(others::ingress_ports)),
            AGE,
        ],
    ),
    (
        "networking.k8s.io",
        "ingressclasses",
        &[
            named(string("Name", By(others::ingress_class))),
            string("Controller", Text("spec.controller", "")),
            string("Parameters", By(others::parameters)),
            AGE,
        ],
    ),
    (
        "networking.k8s.io",
        "networkpolicies",
        &[NAME, string("Pod-Selector", By(others::pod_selector)), AGE],
    ),
    ("networking.k8s.io", "servicecidrs", &[NAME, string("CIDRs", By(others::cidrs)), AGE]),
    ("networking.k8s.io", "ipaddresses", &[NAME, string("ParentRef", By(others::parent))]),
    ("rbac.authorization.k8s.io", "rolebindings", BINDINGS),
    ("rbac.authorization.k8s.io", "clusterrolebindings", BINDINGS),
    (
        "certificates.k8s.io",
        "certificatesigningrequests",
        &[
            NAME,
            AGE,
            string("SignerName", Text("spec.signerName", "<none>")),
            string("Requestor", Text("spec.username", "")),
            string("RequestedDuration", By(others::requested_duration)),
            string("Condition", By(others::signing_status)),
        ],
    ),
    (
        "certificates.k8s.io",
        "clustertrustbundles",
        &[NAME, string("SignerName", Text("spec.signerName", "<none>"))],
    ),
    (
        "certificates.k8s.io",
        "podcertificaterequests",
        &[
            NAME,
            string("PodName", Text("spec.podName", "")),
            string("ServiceAccountName", Text("spec.serviceAccountName", "")),
            string("NodeName", Text("spec.nodeName", "")),
            string("SignerName", Text("spec.signerName", "")),
            string("State", By(others::certificate_state)),
            string("UnverifiedUserAnnotations", By(others::unverified)),
        ],
    ),
    (
        "coordination.k8s.io",
        "leases",
        &[NAME, string("Holder", Text("spec.holderIdentity", "")), AGE],
    ),
    (
        "storage.k8s.io",
        "storageclasses",
        &[
            NAME,
            string("Provisioner", Text("provisioner", "")),
            string("ReclaimPolicy", Text("reclaimPolicy", "Delete")),
            string("VolumeBindingMode", Text("volumeBindingMode", "Immediate")),
            string("AllowVolumeExpansion", Flag("allowVolumeExpansion", false)),
            AGE,
        ],
    ),
    (
        "storage.k8s.io",
        "volumeattributesclasses",
        &[NAME, string("DriverName", Text("driverName", "")), AGE],
    ),
    (
        "storage.k8s.io",
        "volumeattachments",
        &[
            NAME,
            named(string("Attacher", Text("spec.attacher", ""))),
            string("PV", Text("spec.source.persistentVolumeName", "")),
            string("Node", Text("spec.nodeName", "")),
            boolean("Attached", Flag("status.attached", false)),
            AGE,
        ],
    ),
    (
        "storage.k8s.io",
        "csidrivers",
        &[
            NAME,
            boolean("AttachRequired", Flag("spec.attachRequired", true)),
            boolean("PodInfoOnMount", Flag("spec.podInfoOnMount", false)),
            boolean("StorageCapacity", Flag("spec.storageCapacity", false)),
            string("TokenRequests", By(volumes::token_requests)),
            boolean("RequiresRepublish", Flag("spec.requiresRepublish", false)),
            string("Modes", By(volumes::driver_modes)),
            AGE,
        ],
    ),
    ("storage.k8s.io", "csinodes", &[NAME, integer("Drivers", Count("spec.drivers")), AGE]),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", WEBHOOKS),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", WEBHOOKS),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
        &[
            NAME,
            integer("Validations", Count("spec.validations")),
            string("ParamKind", By(others::param_kind)),
            AGE,
        ],
    ),
    (
        "admissionregistration.k8s.io",
        "mutatingadmissionpolicies",
        &[
            NAME,
            integer("Mutations", Count("spec.mutations")),
            string("ParamKind", By(others::param_kind)),
            AGE,
        ],
    ),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings", POLICY_BINDINGS),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", POLICY_BINDINGS),
    (
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        &[
            NAME,
            string("Scope", Text("spec.scope", "")),
            string("Versions", By(others::versions)),
            CREATED,
            wide(string("Group", Text("spec.group", ""))),
            wide(string("Kind", Text("spec.names.kind", ""))),
            wide(string("ShortNames", By(others::short_names))),
            wide(boolean("Established", By(others::established))),
        ],
    ),
    (
        "apiregistration.k8s.io",
        "apiservices",
        &[
            NAME,
            string("Service", By(others::api_service)),
            string("Available", By(others::available)),
            AGE,
        ],
    ),
    (
        "scheduling.k8s.io",
        "priorityclasses",
        &[
            NAME,
            integer("Value", Int("value")),
            boolean("Global-Default", Flag("globalDefault", false)),
            AGE,
            string("PreemptionPolicy", Text("preemptionPolicy", "")),
        ],
    ),
    ("node.k8s.io", "runtimeclasses", &[NAME, string("Handler", Text("handler", "")), AGE]),
    (
        "discovery.k8s.io",
        "endpointslices",
        &[
            NAME,
            string("AddressType", Text("addressType", "")),
            string("Ports", By(others::slice_ports)),
            string("Endpoints", By(others::slice_endpoints)),
            AGE,
        ],
    ),
    ("resource.k8s.io", "deviceclasses", ONLY_AGE),
    ("resource.k8s.io", "resourceclaimtemplates", ONLY_AGE),
    ("resource.k8s.io", "resourceclaims", &[NAME, string("State", By(others::claim_state)), AGE]),
    (
        "resource.k8s.io",
        "devicetaintrules",
        &[
            NAME,
            string("Key", Text("spec.taint.key", "")),
            string("Value", Text("spec.taint.value", "")),
            string("Effect", Text("spec.taint.effect", "")),
            string("TimeAdded", By(others::taint_added)),
            AGE,
        ],
    ),
    (
        "resource.k8s.io",
        "resourceslices",
        &[
            NAME,
            string("Node", Text("spec.nodeName", "")),
            string("Driver", Text("spec.driver", "")),
            string("Pool", Text("spec.pool.name", "")),
            AGE,
        ],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "flowschemas",
        &[
            NAME,
            string("PriorityLevel", Text("spec.priorityLevelConfiguration.name", "")),
            string("MatchingPrecedence", Int("spec.matchingPrecedence")),
            string("DistinguisherMethod", Text("spec.distinguisherMethod.type", "<none>")),
            AGE,
            string("MissingPL", By(others::dangling)),
        ],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
        &[
            NAME,
            string("Type", Text("spec.type", "")),
            string("NominalConcurrencyShares", By(others::shares)),
            string("Queues", By(others::queues)),
            string("HandSize", By(others::hand_size)),
            string("QueueLengthLimit", By(others::queue_length)),
            AGE,
        ],
    ),
    (
        "storagemigration.k8s.io",
        "storageversionmigrations",
        &[
            string("Name", Text("metadata.name", "")),
            string("Resource", By(others::migrated)),
            string("Status", By(others::migration)),
        ],
    ),
];
