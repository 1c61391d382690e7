// Package benchclient measures what a shared informer of client-go costs: until
// it has every Pod, and then per change.
package benchclient

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	clientfeatures "k8s.io/client-go/features"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Main runs the bench-client command.
func Main(args []string) error {
	began := time.Now()
	f := flag.NewFlagSet("bench-client", flag.ContinueOnError)
	kubeconfig := f.String("kubeconfig", "", "kubeconfig of the server")
	mode := f.String("mode", "protobuf", "json or protobuf")
	list := f.String("list", "watchlist", "list or watchlist")
	what := f.String("resource", "pods", "pods is all there is")
	namespace := f.String("namespace", "", "one namespace instead of all")
	seconds := f.Float64("seconds", 0, "end by itself so long after the sync (0: with standard input)")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *what != "pods" {
		return fmt.Errorf("no benchmark for %q", *what)
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	requests := &requestCounter{}
	config.Wrap(requests.wrap)
	if err := setMode(config, *mode); err != nil {
		return err
	}
	if err := setList(*list); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(*namespace))
	informer := factory.Core().V1().Pods().Informer()
	var events atomic.Int64
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(_, _ any) { events.Add(1) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	// More often than cache.WaitForCacheSync asks, which is every 100 ms.
	for !registration.HasSynced() {
		select {
		case <-ctx.Done():
			return errors.New("stopped before the first sync")
		case <-time.After(2 * time.Millisecond):
		}
	}
	synced := sync{CPU: cpuSeconds(), Wall: time.Since(began).Seconds()}
	synced.RSS, synced.PeakRSS = residentMiB()
	synced.Lists, synced.Watches = requests.lists.Load(), requests.watches.Load()
	synced.Objects = len(informer.GetStore().ListKeys())
	// Only now, so that the collection counts in none of the above.
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	synced.Heap = float64(memory.HeapAlloc) / (1 << 20)
	synced.RSSAfterGC, _ = residentMiB()
	printJSON(synced)

	if *seconds > 0 {
		time.AfterFunc(time.Duration(*seconds*float64(time.Second)), cancel)
	}
	meter := newMeter(&events)
	follow(ctx, meter, *seconds > 0)
	printJSON(meter.read())
	return nil
}

// sync is what is printed once, when the informer has everything.
type sync struct {
	CPU        float64 `json:"cpu_s"`
	Wall       float64 `json:"wall_s"`
	RSS        float64 `json:"rss_mib"`
	PeakRSS    float64 `json:"peak_rss_mib"`
	Heap       float64 `json:"heap_after_gc_mib"`
	RSSAfterGC float64 `json:"rss_after_gc_mib"`
	Objects    int     `json:"objects"`
	Lists      int64   `json:"lists"`
	Watches    int64   `json:"watches"`
}

// follow obeys the lines on standard input until it ends or the context does.
func follow(ctx context.Context, meter *meter, outlivesStdin bool) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
			lines <- strings.TrimSpace(scanner.Text())
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case line, ok := <-lines:
			switch {
			case !ok && outlivesStdin:
				lines = nil
			case !ok:
				return
			case line == "mark":
				meter.reset()
				printJSON(map[string]bool{"marked": true})
			case line == "report":
				printJSON(meter.read())
			case line != "":
				printJSON(map[string]string{"error": "unknown: " + line})
			}
		}
	}
}

// meter counts events and the CPU time they took, from its last reset on.
type meter struct {
	events *atomic.Int64
	began  time.Time
	cpu    float64
}

func newMeter(events *atomic.Int64) *meter {
	m := &meter{events: events}
	m.reset()
	return m
}

func (m *meter) reset() {
	m.events.Store(0)
	m.began = time.Now()
	m.cpu = cpuSeconds()
}

type reading struct {
	Events int64   `json:"events"`
	CPU    float64 `json:"cpu_s"`
	Wall   float64 `json:"wall_s"`
	RSS    float64 `json:"rss_mib"`
}

func (m *meter) read() reading {
	r := reading{Events: m.events.Load(), CPU: cpuSeconds() - m.cpu, Wall: time.Since(m.began).Seconds()}
	r.RSS, _ = residentMiB()
	return r
}

func setMode(config *rest.Config, mode string) error {
	switch mode {
	case "json":
		config.ContentType = "application/json"
		config.AcceptContentTypes = "application/json"
	case "protobuf":
		config.ContentType = "application/vnd.kubernetes.protobuf"
		config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	default:
		return fmt.Errorf("no mode %q", mode)
	}
	return nil
}

// setList chooses how reflectors get the first state. The gate cannot be set by
// its environment variable here, since kube-apiserver's own gates replace those
// of client-go in this program.
func setList(list string) error {
	if list != "list" && list != "watchlist" {
		return fmt.Errorf("no list %q", list)
	}
	clientfeatures.ReplaceFeatureGates(gates{clientfeatures.FeatureGates(), list == "watchlist"})
	return nil
}

type gates struct {
	clientfeatures.Gates
	watchList bool
}

func (g gates) Enabled(feature clientfeatures.Feature) bool {
	if feature == clientfeatures.WatchListClient {
		return g.watchList
	}
	return g.Gates.Enabled(feature)
}

// requestCounter shows that the informer did what it was told to.
type requestCounter struct {
	next           http.RoundTripper
	lists, watches atomic.Int64
}

func (c *requestCounter) wrap(next http.RoundTripper) http.RoundTripper {
	c.next = next
	return c
}

// RoundTrip counts a request and passes it on.
func (c *requestCounter) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Query().Has("watch") {
		c.watches.Add(1)
	} else {
		c.lists.Add(1)
	}
	return c.next.RoundTrip(request)
}

// cpuSeconds is what this process has used, its start included.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// residentMiB is the resident memory now and at its peak; zero where there is
// no /proc.
func residentMiB() (now, peak float64) {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, 0
	}
	defer file.Close()
	data, _ := io.ReadAll(file)
	for _, line := range strings.Split(string(data), "\n") {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			now = kib / 1024
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			peak = kib / 1024
		}
	}
	return now, peak
}

func printJSON(value any) {
	line, _ := json.Marshal(value)
	fmt.Printf("%s\n", line)
}
