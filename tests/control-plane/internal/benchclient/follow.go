package benchclient

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	stdsync "sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// follower is what the handlers of an informer were told.
type follower struct {
	mu      stdsync.Mutex
	Added   int      `json:"added"`
	Updated int      `json:"updated"`
	Deleted int      `json:"deleted"`
	Wrong   []string `json:"wrong"`
	known   map[string]string
}

// followed is the answer to a line on standard input.
type followed struct {
	*follower
	Synced  bool              `json:"synced"`
	Lists   int64             `json:"lists"`
	Watches int64             `json:"watches"`
	Objects map[string]string `json:"objects"`
}

// Follow runs the follow command: an informer of the ConfigMaps of a namespace,
// in protobuf and by watch-list. For each line on standard input it prints what
// it has and what its handlers were told; it ends with standard input.
func Follow(args []string) error {
	f := flag.NewFlagSet("follow", flag.ContinueOnError)
	kubeconfig := f.String("kubeconfig", "", "kubeconfig of the server")
	namespace := f.String("namespace", "default", "the namespace to follow")
	if err := f.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	requests := &requestCounter{}
	config.Wrap(requests.wrap)
	if err := setMode(config, "protobuf"); err != nil {
		return err
	}
	if err := setList("watchlist"); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(*namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	told := &follower{Wrong: []string{}, known: map[string]string{}}
	registration, err := informer.AddEventHandler(told)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
		told.mu.Lock()
		answer := followed{
			follower: told, Synced: registration.HasSynced(),
			Lists: requests.lists.Load(), Watches: requests.watches.Load(),
			Objects: map[string]string{},
		}
		for _, object := range informer.GetStore().List() {
			config := object.(*corev1.ConfigMap)
			answer.Objects[config.Name] = config.ResourceVersion
		}
		line, err := json.Marshal(answer)
		told.mu.Unlock()
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", line)
	}
	return nil
}

func (f *follower) wrong(format string, args ...any) {
	f.Wrong = append(f.Wrong, fmt.Sprintf(format, args...))
}

// OnAdd is told of an object that was not known.
func (f *follower) OnAdd(object any, _ bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	config := object.(*corev1.ConfigMap)
	f.Added++
	if before, ok := f.known[config.Name]; ok {
		f.wrong("%s added, known at %s", config.Name, before)
	}
	f.known[config.Name] = config.ResourceVersion
}

// OnUpdate is told of an object that was known.
func (f *follower) OnUpdate(old, object any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	config, before := object.(*corev1.ConfigMap), old.(*corev1.ConfigMap)
	if config.ResourceVersion != before.ResourceVersion {
		f.Updated++
	}
	if f.known[config.Name] != before.ResourceVersion {
		f.wrong("%s updated from %s, known at %s", config.Name, before.ResourceVersion, f.known[config.Name])
	}
	if revision(config.ResourceVersion) < revision(before.ResourceVersion) {
		f.wrong("%s went back from %s to %s", config.Name, before.ResourceVersion, config.ResourceVersion)
	}
	f.known[config.Name] = config.ResourceVersion
}

// OnDelete is told of an object that is gone.
func (f *follower) OnDelete(object any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if err != nil {
		f.wrong("%v", err)
		return
	}
	name := key[strings.Index(key, "/")+1:]
	f.Deleted++
	if _, ok := f.known[name]; !ok {
		f.wrong("%s deleted, not known", name)
	}
	delete(f.known, name)
}

func revision(text string) uint64 {
	value, _ := strconv.ParseUint(text, 10, 64)
	return value
}
