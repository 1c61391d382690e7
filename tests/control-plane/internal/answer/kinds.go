package answer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/install"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/capabilities"

	// Kinds of every group, with their defaults and conversions.
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/authentication/install"
	_ "k8s.io/kubernetes/pkg/apis/authorization/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/certificates/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/events/install"
	_ "k8s.io/kubernetes/pkg/apis/flowcontrol/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/resource/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	_ "k8s.io/kubernetes/pkg/apis/storagemigration/install"

	"k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/apps/controllerrevision"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/coordination/lease"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/endpoint"
	"k8s.io/kubernetes/pkg/registry/core/event"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolume"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/podtemplate"
	"k8s.io/kubernetes/pkg/registry/core/replicationcontroller"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/discovery/endpointslice"
	"k8s.io/kubernetes/pkg/registry/flowcontrol/flowschema"
	"k8s.io/kubernetes/pkg/registry/flowcontrol/prioritylevelconfiguration"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/ingressclass"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/node/runtimeclass"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrole"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
	"k8s.io/kubernetes/pkg/registry/storage/csidriver"
	"k8s.io/kubernetes/pkg/registry/storage/csinode"
	"k8s.io/kubernetes/pkg/registry/storage/csistoragecapacity"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"
	"k8s.io/kubernetes/pkg/registry/storage/volumeattachment"
	"k8s.io/kubernetes/pkg/registry/storage/volumeattributesclass"
)

func init() {
	functions["kinds.default"] = kindsDefault
	functions["kinds.create"] = kindsCreate
	functions["kinds.update"] = of(kindsUpdate)
	functions["kinds.status"] = of(kindsStatus)
}

// strategy is how a server treats the objects of a kind.
type strategy interface {
	rest.RESTCreateStrategy
	rest.RESTUpdateStrategy
}

var strategies = map[schema.GroupKind]strategy{
	{Group: "", Kind: "ConfigMap"}:             configmap.Strategy,
	{Group: "", Kind: "Endpoints"}:             endpoint.Strategy,
	{Group: "", Kind: "Event"}:                 event.Strategy,
	{Group: "", Kind: "LimitRange"}:            limitrange.Strategy,
	{Group: "", Kind: "Namespace"}:             namespace.Strategy,
	{Group: "", Kind: "Node"}:                  node.Strategy,
	{Group: "", Kind: "PersistentVolume"}:      persistentvolume.Strategy,
	{Group: "", Kind: "PersistentVolumeClaim"}: persistentvolumeclaim.Strategy,
	{Group: "", Kind: "Pod"}:                   pod.Strategy,
	{Group: "", Kind: "PodTemplate"}:           podtemplate.Strategy,
	{Group: "", Kind: "ReplicationController"}: replicationcontroller.Strategy,
	{Group: "", Kind: "ResourceQuota"}:         resourcequota.Strategy,
	{Group: "", Kind: "Secret"}:                secret.Strategy,
	{Group: "", Kind: "Service"}:               service.Strategy,
	{Group: "", Kind: "ServiceAccount"}:        serviceaccount.Strategy,

	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:   mutatingwebhookconfiguration.Strategy,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}: validatingwebhookconfiguration.Strategy,

	{Group: "apps", Kind: "ControllerRevision"}:                                 controllerrevision.Strategy,
	{Group: "apps", Kind: "DaemonSet"}:                                          daemonset.Strategy,
	{Group: "apps", Kind: "Deployment"}:                                         deployment.Strategy,
	{Group: "apps", Kind: "ReplicaSet"}:                                         replicaset.Strategy,
	{Group: "apps", Kind: "StatefulSet"}:                                        statefulset.Strategy,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:                     horizontalpodautoscaler.Strategy,
	{Group: "batch", Kind: "CronJob"}:                                           cronjob.Strategy,
	{Group: "batch", Kind: "Job"}:                                               job.Strategy,
	{Group: "coordination.k8s.io", Kind: "Lease"}:                               lease.Strategy,
	{Group: "discovery.k8s.io", Kind: "EndpointSlice"}:                          endpointslice.Strategy,
	{Group: "events.k8s.io", Kind: "Event"}:                                     event.Strategy,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}:                 flowschema.Strategy,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}: prioritylevelconfiguration.Strategy,
	{Group: "networking.k8s.io", Kind: "Ingress"}:                               ingress.Strategy,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                          ingressclass.Strategy,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:                         networkpolicy.Strategy,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                                runtimeclass.Strategy,
	{Group: "policy", Kind: "PodDisruptionBudget"}:                              poddisruptionbudget.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                   clusterrole.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:            clusterrolebinding.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:                          role.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:                   rolebinding.Strategy,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                         priorityclass.Strategy,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                csidriver.Strategy,
	{Group: "storage.k8s.io", Kind: "CSINode"}:                                  csinode.Strategy,
	{Group: "storage.k8s.io", Kind: "CSIStorageCapacity"}:                       csistoragecapacity.Strategy,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                             storageclass.Strategy,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:                         volumeattachment.Strategy,
	{Group: "storage.k8s.io", Kind: "VolumeAttributesClass"}:                    volumeattributesclass.Strategy,
}

// statusStrategies is how a server treats updates of the status.
var statusStrategies = map[schema.GroupKind]rest.RESTUpdateStrategy{
	{Group: "", Kind: "Namespace"}:             namespace.StatusStrategy,
	{Group: "", Kind: "Node"}:                  node.StatusStrategy,
	{Group: "", Kind: "PersistentVolume"}:      persistentvolume.StatusStrategy,
	{Group: "", Kind: "PersistentVolumeClaim"}: persistentvolumeclaim.StatusStrategy,
	{Group: "", Kind: "Pod"}:                   pod.StatusStrategy,
	{Group: "", Kind: "ReplicationController"}: replicationcontroller.StatusStrategy,
	{Group: "", Kind: "ResourceQuota"}:         resourcequota.StatusStrategy,
	{Group: "", Kind: "Service"}:               service.StatusStrategy,

	{Group: "apps", Kind: "DaemonSet"}:                                          daemonset.StatusStrategy,
	{Group: "apps", Kind: "Deployment"}:                                         deployment.StatusStrategy,
	{Group: "apps", Kind: "ReplicaSet"}:                                         replicaset.StatusStrategy,
	{Group: "apps", Kind: "StatefulSet"}:                                        statefulset.StatusStrategy,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:                     horizontalpodautoscaler.StatusStrategy,
	{Group: "batch", Kind: "CronJob"}:                                           cronjob.StatusStrategy,
	{Group: "batch", Kind: "Job"}:                                               job.StatusStrategy,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}:                 flowschema.StatusStrategy,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}: prioritylevelconfiguration.StatusStrategy,
	{Group: "networking.k8s.io", Kind: "Ingress"}:                               ingress.StatusStrategy,
	{Group: "policy", Kind: "PodDisruptionBudget"}:                              poddisruptionbudget.StatusStrategy,
	{Group: "storage.k8s.io", Kind: "CSINode"}:                                  csinode.StatusStrategy,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:                         volumeattachment.StatusStrategy,
}

// rulesOf is how a server treats the objects of a kind.
func rulesOf(kind schema.GroupKind) (strategy, bool) {
	if kind.Group == "apiextensions.k8s.io" && kind.Kind == "CustomResourceDefinition" {
		return customresourcedefinition.NewStrategy(serverScheme()), true
	}
	rules, ok := strategies[kind]
	return rules, ok
}

// statusRulesOf is how a server treats updates of the status of a kind.
func statusRulesOf(kind schema.GroupKind) (rest.RESTUpdateStrategy, bool) {
	if kind.Group == "apiextensions.k8s.io" && kind.Kind == "CustomResourceDefinition" {
		return customresourcedefinition.NewStatusStrategy(serverScheme()), true
	}
	rules, ok := statusStrategies[kind]
	return rules, ok
}

// serverScheme has the kinds of a server, definitions and services of APIs too.
var serverScheme = sync.OnceValue(func() *runtime.Scheme {
	// As the flag --allow-privileged sets it.
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true})
	apiextensions.Install(legacyscheme.Scheme)
	apiregistration.Install(legacyscheme.Scheme)
	return legacyscheme.Scheme
})

// defaulted decodes an object and fills in its defaults.
func defaulted(data []byte) (runtime.Object, schema.GroupVersionKind, error) {
	scheme := serverScheme()
	object, kind, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, schema.GroupVersionKind{}, badInput{err}
	}
	scheme.Default(object)
	return object, *kind, nil
}

// asJSON is an object with its head, as clients see it.
func asJSON(object runtime.Object, kind schema.GroupVersionKind) (any, error) {
	object.GetObjectKind().SetGroupVersionKind(kind)
	data, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	return json.RawMessage(data), nil
}

func kindsDefault(in json.RawMessage) (any, error) {
	object, kind, err := defaulted(in)
	if err != nil {
		return nil, err
	}
	return asJSON(object, kind)
}

// internal is an object as a server's strategies take it, and the context of
// the request that brings it.
func internal(data []byte) (context.Context, runtime.Object, strategy, schema.GroupVersionKind, error) {
	object, kind, err := defaulted(data)
	if err != nil {
		return nil, nil, nil, kind, err
	}
	rules, ok := rulesOf(kind.GroupKind())
	if !ok {
		return nil, nil, nil, kind, badInput{fmt.Errorf("no rules for %s", kind)}
	}
	hub := schema.GroupVersion{Group: kind.Group, Version: runtime.APIVersionInternal}
	inner, err := serverScheme().ConvertToVersion(object, hub)
	if err != nil {
		return nil, nil, nil, kind, err
	}
	accessor, err := meta.Accessor(inner)
	if err != nil {
		return nil, nil, nil, kind, err
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	ctx := genericapirequest.NewContext()
	info := &genericapirequest.RequestInfo{
		IsResourceRequest: true, Verb: "create", APIGroup: kind.Group, APIVersion: kind.Version,
		Namespace: accessor.GetNamespace(), Resource: plural.Resource, Name: accessor.GetName(),
	}
	ctx = genericapirequest.WithRequestInfo(ctx, info)
	ctx = genericapirequest.WithUser(ctx, &user.DefaultInfo{Name: "admin", Groups: []string{"system:masters"}})
	if rules.NamespaceScoped() {
		ctx = genericapirequest.WithNamespace(ctx, accessor.GetNamespace())
	} else {
		ctx = genericapirequest.WithNamespace(ctx, "")
	}
	return ctx, inner, rules, kind, nil
}

// versioned is an object of the strategies as clients see it, or the error.
func versioned(object runtime.Object, kind schema.GroupVersionKind, failure error) (any, error) {
	if failure != nil {
		return nil, failure
	}
	outer, err := serverScheme().ConvertToVersion(object, kind.GroupVersion())
	if err != nil {
		return nil, err
	}
	// As it is read back from where it is stored.
	serverScheme().Default(outer)
	return asJSON(outer, kind)
}

func kindsCreate(in json.RawMessage) (any, error) {
	ctx, object, rules, kind, err := internal(in)
	if err != nil {
		return nil, err
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return nil, err
	}
	rest.FillObjectMetaSystemFields(accessor)
	accessor.SetUID(types.UID("00000000-0000-4000-8000-000000000000"))
	err = rest.BeforeCreate(rules, ctx, object)
	accessor.SetCreationTimestamp(metav1.Time{})
	return versioned(object, kind, err)
}

type updateIn struct {
	Old json.RawMessage `json:"old"`
	New json.RawMessage `json:"new"`
}

func kindsUpdate(in updateIn) (any, error) {
	return update(in, false)
}

func kindsStatus(in updateIn) (any, error) {
	return update(in, true)
}

func update(in updateIn, status bool) (any, error) {
	ctx, old, rules, _, err := internal(in.Old)
	if err != nil {
		return nil, err
	}
	// What is there was created.
	accessor, err := meta.Accessor(old)
	if err != nil {
		return nil, err
	}
	rest.FillObjectMetaSystemFields(accessor)
	accessor.SetUID(types.UID("00000000-0000-4000-8000-000000000000"))
	accessor.SetCreationTimestamp(metav1.Unix(1_600_000_000, 0))
	if err := rest.BeforeCreate(rules, ctx, old); err != nil {
		return nil, badInput{fmt.Errorf("the old object is not valid: %s", strings.TrimSpace(err.Error()))}
	}
	accessor.SetResourceVersion("1")
	_, object, _, kind, err := internal(in.New)
	if err != nil {
		return nil, err
	}
	if accessor, err = meta.Accessor(object); err != nil {
		return nil, err
	}
	accessor.SetResourceVersion("1")
	before := old.DeepCopyObject()
	var how rest.RESTUpdateStrategy = rules
	if status {
		known := false
		if how, known = statusRulesOf(kind.GroupKind()); !known {
			return nil, badInput{fmt.Errorf("no status of %s", kind)}
		}
		if info, ok := genericapirequest.RequestInfoFrom(ctx); ok {
			info.Subresource = "status"
		}
	}
	if info, ok := genericapirequest.RequestInfoFrom(ctx); ok {
		info.Verb = "update"
	}
	err = rest.BeforeUpdate(how, ctx, object, old)
	if !apiequality.Semantic.DeepEqual(before, old) {
		return nil, badInput{fmt.Errorf("the old object was changed")}
	}
	return versioned(object, kind, err)
}
