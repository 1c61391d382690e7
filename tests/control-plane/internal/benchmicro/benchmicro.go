// Package benchmicro measures the small parts of client-go and apimachinery
// that a controller lives on.
package benchmicro

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// benchmarks by the name they are reported under, in ns/op.
var benchmarks = []struct {
	name string
	run  func(b *testing.B)
}{
	{"queue_cycle", queueCycle},
	{"queue_two_producers_two_workers", queueContended},
	{"index_lookup_20_hits", indexLookup},
	{"store_update_two_indexes", storeUpdate},
	{"get_by_key", getByKey},
	{"deep_copy_pod_two_containers", deepCopyPod},
	{"label_selector_match_three_requirements", selectorMatch},
	{"quantity_parse", quantityParse},
}

// Main runs the bench-micro command.
func Main(args []string) error {
	f := flag.NewFlagSet("bench-micro", flag.ContinueOnError)
	rounds := f.Int("rounds", 3, "times each is measured; the fastest counts")
	printPod := f.Bool("print-pod", false, "print the Pod that is copied and stored, and measure nothing")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *printPod {
		return json.NewEncoder(os.Stdout).Encode(twoContainers())
	}
	results := map[string]float64{}
	for _, benchmark := range benchmarks {
		for range *rounds {
			r := testing.Benchmark(benchmark.run)
			if r.N == 0 {
				return fmt.Errorf("%s failed", benchmark.name)
			}
			ns := float64(r.T.Nanoseconds()) / float64(r.N)
			if best, ok := results[benchmark.name]; !ok || ns < best {
				results[benchmark.name] = ns
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"go": runtime.Version(), "cpus": runtime.NumCPU(), "ns_per_op": results,
	})
}

func newQueue() workqueue.TypedRateLimitingInterface[string] {
	return workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
}

// keys are made beforehand, so that making them is not measured.
var keys = func() []string {
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("namespace-%d/pod-%d", i%16, i)
	}
	return keys
}()

func queueCycle(b *testing.B) {
	queue := newQueue()
	defer queue.ShutDown()
	for i := range b.N {
		queue.Add(keys[i%len(keys)])
		key, _ := queue.Get()
		queue.Forget(key)
		queue.Done(key)
	}
}

// queueContended has two goroutines add b.N keys in all, no two the same at a
// time, and two take them.
func queueContended(b *testing.B) {
	names := make([]string, b.N)
	for i := range names {
		names[i] = fmt.Sprintf("namespace/pod-%d", i)
	}
	queue := newQueue()
	b.ResetTimer()
	var producers, workers sync.WaitGroup
	for p := range 2 {
		producers.Go(func() {
			for i := p; i < len(names); i += 2 {
				queue.Add(names[i])
			}
		})
		workers.Go(func() {
			for {
				key, shutdown := queue.Get()
				if shutdown {
					return
				}
				queue.Forget(key)
				queue.Done(key)
			}
		})
	}
	producers.Wait()
	queue.ShutDown()
	workers.Wait()
}

const (
	pods     = 1_000
	perOwner = 20
	ownerKey = "owner"
)

// podNumber is one of a thousand Pods in ten namespaces, twenty to an owner.
func podNumber(i int) *corev1.Pod {
	pod := twoContainers()
	pod.Name = fmt.Sprintf("pod-%d", i)
	pod.Namespace = fmt.Sprintf("namespace-%d", i/100)
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "owner", UID: types.UID(fmt.Sprintf("uid-%d", i/perOwner))}}
	return pod
}

func filledIndexer() (cache.Indexer, []*corev1.Pod) {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
		cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
		ownerKey: func(object any) ([]string, error) {
			return []string{string(object.(*corev1.Pod).OwnerReferences[0].UID)}, nil
		},
	})
	all := make([]*corev1.Pod, pods)
	for i := range all {
		all[i] = podNumber(i)
		_ = indexer.Add(all[i])
	}
	return indexer, all
}

func indexLookup(b *testing.B) {
	indexer, _ := filledIndexer()
	owners := make([]string, pods/perOwner)
	for i := range owners {
		owners[i] = fmt.Sprintf("uid-%d", i)
	}
	b.ResetTimer()
	for i := range b.N {
		found, err := indexer.ByIndex(ownerKey, owners[i%len(owners)])
		if err != nil || len(found) != perOwner {
			b.Fatal(len(found), err)
		}
	}
}

func storeUpdate(b *testing.B) {
	indexer, all := filledIndexer()
	again := make([]*corev1.Pod, len(all))
	for i, pod := range all {
		again[i] = pod.DeepCopy()
	}
	b.ResetTimer()
	for i := range b.N {
		if err := indexer.Update(again[i%len(again)]); err != nil {
			b.Fatal(err)
		}
	}
}

func getByKey(b *testing.B) {
	indexer, all := filledIndexer()
	names := make([]string, len(all))
	for i, pod := range all {
		names[i] = pod.Namespace + "/" + pod.Name
	}
	b.ResetTimer()
	for i := range b.N {
		if _, found, _ := indexer.GetByKey(names[i%len(names)]); !found {
			b.Fatal("lost")
		}
	}
}

// sink keeps results alive, so that nothing is optimized away.
var sink any

func deepCopyPod(b *testing.B) {
	pod := twoContainers()
	for range b.N {
		sink = pod.DeepCopy()
	}
}

func selectorMatch(b *testing.B) {
	selector, err := labels.Parse("app=web,tier in (front,middle),!canary")
	if err != nil {
		b.Fatal(err)
	}
	set := labels.Set{"app": "web", "tier": "front", "pod-template-hash": "6d4cf56db6"}
	for range b.N {
		if !selector.Matches(set) {
			b.Fatal("no match")
		}
	}
}

func quantityParse(b *testing.B) {
	texts := []string{"100m", "128Mi", "2", "1500m", "4Gi", "500M", "1k", "250u"}
	for i := range b.N {
		q, err := resource.ParseQuantity(texts[i%len(texts)])
		if err != nil {
			b.Fatal(err)
		}
		parsed = q
	}
}

var parsed resource.Quantity

var created = metav1.Unix(1_700_000_000, 0)

// twoContainers is a Pod as a Deployment makes it, scheduled and running.
func twoContainers() *corev1.Pod {
	container := func(name string) corev1.Container {
		return corev1.Container{
			Name:  name,
			Image: "registry.example.com/team/" + name + ":1.2.3",
			Args:  []string{"--listen=:8080", "--verbose"},
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
			Env: []corev1.EnvVar{
				{Name: "MODE", Value: "production"},
				{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.name"}}},
			},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
			},
			VolumeMounts:             []corev1.VolumeMount{{Name: "token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}},
			TerminationMessagePath:   corev1.TerminationMessagePathDefault,
			TerminationMessagePolicy: corev1.TerminationMessageReadFile,
			ImagePullPolicy:          corev1.PullIfNotPresent,
		}
	}
	status := func(name string) corev1.ContainerStatus {
		started := true
		return corev1.ContainerStatus{
			Name: name, Ready: true, Started: &started, Image: "registry.example.com/team/" + name + ":1.2.3",
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: created}},
		}
	}
	controller := true
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: "web-6d4cf56db6-abcde", Namespace: "default", GenerateName: "web-6d4cf56db6-",
			UID: "2b7ee5f4-0b0e-4d7d-9d3c-9b0d6b7c5a11", ResourceVersion: "12345", CreationTimestamp: created,
			Labels:      map[string]string{"app": "web", "tier": "front", "pod-template-hash": "6d4cf56db6"},
			Annotations: map[string]string{"example.com/revision": "3"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-6d4cf56db6", UID: "f2b9d9a0-6f43-4a43-9a32-0e5a9e1f7c22", Controller: &controller,
			}},
		},
		Spec: corev1.PodSpec{
			Containers:         []corev1.Container{container("web"), container("proxy")},
			RestartPolicy:      corev1.RestartPolicyAlways,
			DNSPolicy:          corev1.DNSClusterFirst,
			ServiceAccountName: "default",
			NodeName:           "node-1",
			Volumes: []corev1.Volume{{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}},
			}}}},
			Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.1.2.3", HostIP: "192.168.1.2",
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: created},
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: created},
			},
			ContainerStatuses: []corev1.ContainerStatus{status("web"), status("proxy")},
		},
	}
}
