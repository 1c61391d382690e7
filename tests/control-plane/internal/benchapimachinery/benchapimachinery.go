// Package benchapimachinery measures the parts of apimachinery whose speed
// matters: codecs, quantities, selectors, patches and structured merge. The
// inputs are files that pintle's side has written.
package benchapimachinery

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"

	"pintle/control-plane/internal/answer"
)

// measured is one pass over the input: how long it takes, and over how many
// bytes it goes.
type measured struct {
	NS    float64 `json:"ns"`
	Bytes int     `json:"bytes,omitempty"`
}

// Main runs the bench-apimachinery command.
func Main(args []string) error {
	f := flag.NewFlagSet("bench-apimachinery", flag.ContinueOnError)
	seconds := f.Float64("seconds", 1, "how long each part is measured")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return fmt.Errorf("wants a folder of inputs")
	}
	b := bench{dir: f.Arg(0), each: time.Duration(*seconds * float64(time.Second)), results: map[string]measured{}}
	if err := b.run(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"go": runtime.Version(), "results": b.results})
}

type bench struct {
	dir     string
	each    time.Duration
	results map[string]measured
}

// measure runs pass in rounds; the fastest round counts.
func (b *bench) measure(name string, size int, pass func() error) error {
	const rounds = 20
	best := 0.0
	for range rounds {
		started, passes := time.Now(), 0
		for time.Since(started) < b.each/rounds {
			if err := pass(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			passes++
		}
		ns := float64(time.Since(started).Nanoseconds()) / float64(passes)
		if best == 0 || ns < best {
			best = ns
		}
	}
	b.results[name] = measured{NS: best, Bytes: size}
	return nil
}

func (b *bench) read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(b.dir, name)) }

func total(all [][]byte) int {
	n := 0
	for _, one := range all {
		n += len(one)
	}
	return n
}

func (b *bench) run() error {
	text, err := b.read("pods.jsonl")
	if err != nil {
		return err
	}
	jsonPods := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	framed, err := b.read("pods.pb")
	if err != nil {
		return err
	}
	var protobufPods [][]byte
	for len(framed) > 4 {
		n := binary.BigEndian.Uint32(framed)
		protobufPods = append(protobufPods, framed[4:4+n])
		framed = framed[4+n:]
	}
	plain := jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, jsonserializer.SerializerOptions{})
	strict := jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, jsonserializer.SerializerOptions{Strict: true})
	proto := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	for _, c := range []struct {
		name  string
		coder apiruntime.Serializer
		pods  [][]byte
	}{{"json", plain, jsonPods}, {"protobuf", proto, protobufPods}} {
		if err := b.codec(c.name, c.coder, c.pods); err != nil {
			return err
		}
	}
	if err := b.measure("json_decode_strict", total(jsonPods), func() error { return decode(strict, jsonPods) }); err != nil {
		return err
	}
	if err := b.small(); err != nil {
		return err
	}
	return b.merges()
}

func decode(coder apiruntime.Serializer, pods [][]byte) error {
	for _, body := range pods {
		if _, _, err := coder.Decode(body, nil, &corev1.Pod{}); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) codec(name string, coder apiruntime.Serializer, pods [][]byte) error {
	if err := b.measure(name+"_decode", total(pods), func() error { return decode(coder, pods) }); err != nil {
		return err
	}
	var objects []apiruntime.Object
	for _, body := range pods {
		object, _, err := coder.Decode(body, nil, &corev1.Pod{})
		if err != nil {
			return err
		}
		object.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
		objects = append(objects, object)
	}
	var out bytes.Buffer
	return b.measure(name+"_encode", total(pods), func() error {
		for _, object := range objects {
			out.Reset()
			if err := coder.Encode(object, &out); err != nil {
				return err
			}
		}
		return nil
	})
}

// small is a thousand of each, so that the clock does not count.
const small = 1000

func (b *bench) small() error {
	texts := []string{"100m", "128Mi", "2", "1500m", "4Gi", "500M", "1k", "250u"}
	if err := b.measure("quantity_parse", 0, func() error {
		for i := range small {
			if _, err := resource.ParseQuantity(texts[i%len(texts)]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	selector, err := labels.Parse("app=web,tier in (front,middle),!canary")
	if err != nil {
		return err
	}
	set := labels.Set{"app": "web", "tier": "front", "pod-template-hash": "6d4cf56db6"}
	return b.measure("label_selector_match", 0, func() error {
		for range small {
			if !selector.Matches(set) {
				return fmt.Errorf("no match")
			}
		}
		return nil
	})
}

func (b *bench) merges() error {
	original, err := b.read("original.json")
	if err != nil {
		return err
	}
	patch, err := b.read("patch.json")
	if err != nil {
		return err
	}
	if err := b.measure("strategic_merge", len(original)+len(patch), func() error {
		_, err := strategicpatch.StrategicMergePatch(original, patch, corev1.Pod{})
		return err
	}); err != nil {
		return err
	}
	deployment, err := answer.BuiltinType(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"})
	if err != nil {
		return err
	}
	var trees [2]any
	size := 0
	for i, name := range []string{"live.json", "config.json"} {
		text, err := b.read(name)
		if err != nil {
			return err
		}
		size += len(text)
		if err := json.Unmarshal(text, &trees[i]); err != nil {
			return err
		}
	}
	return b.measure("structured_merge_100kb", size, func() error {
		live, err := deployment.FromUnstructured(trees[0])
		if err != nil {
			return err
		}
		config, err := deployment.FromUnstructured(trees[1])
		if err != nil {
			return err
		}
		if _, err := config.ToFieldSet(); err != nil {
			return err
		}
		merged, err := live.Merge(config)
		if err != nil {
			return err
		}
		_, err = live.Compare(merged)
		return err
	})
}
