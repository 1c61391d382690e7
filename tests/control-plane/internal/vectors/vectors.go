// Package vectors writes objects of every kind, filled with random values and
// encoded by Go in JSON, YAML and protobuf.
package vectors

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Main runs the vectors command.
func Main(args []string) error {
	f := flag.NewFlagSet("vectors", flag.ContinueOnError)
	seed := f.Int64("seed", 1, "the objects follow from the seed, each kind's independent of the others'")
	count := f.Int("count", 1, "objects of each kind")
	out := f.String("out", "", "folder to write to; made when missing")
	only := f.String("kinds", "", "only these, as group/version/Kind or version/Kind with commas between; * stands for any part")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("--out is missing")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	all, err := newUniverse()
	if err != nil {
		return err
	}
	kinds, err := choose(all.kinds(), *only)
	if err != nil {
		return err
	}
	files, retries := 0, 0
	for _, kind := range kinds {
		for n := range *count {
			v, again, err := all.vector(kind, *seed, n)
			if err != nil {
				return fmt.Errorf("%s, seed %d, number %d: %w", kind, *seed, n, err)
			}
			retries += again
			written, err := v.write(*out, fmt.Sprintf("%s.%d", fileStem(kind), n))
			if err != nil {
				return err
			}
			files += written
		}
	}
	fmt.Printf("{\"seed\":%d,\"kinds\":%d,\"objects\":%d,\"files\":%d,\"retries\":%d}\n", *seed, len(kinds), len(kinds)**count, files, retries)
	return nil
}

// fileStem is the name of a kind in a file's name, as upstream's test data has
// it: the group without a name is called core.
func fileStem(kind schema.GroupVersionKind) string {
	group := kind.Group
	if group == "" {
		group = "core"
	}
	return group + "." + kind.Version + "." + kind.Kind
}

// write writes the encodings a vector has and returns how many those are.
func (v vector) write(dir, stem string) (int, error) {
	files := 0
	for _, encoding := range []struct {
		extension string
		data      []byte
	}{{"json", v.json}, {"yaml", v.yaml}, {"pb", v.protobuf}} {
		if encoding.data == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, stem+"."+encoding.extension), encoding.data, 0o644); err != nil {
			return files, err
		}
		files++
	}
	return files, nil
}

// choose keeps the kinds that match one of the patterns; each pattern must
// match one.
func choose(kinds []schema.GroupVersionKind, patterns string) ([]schema.GroupVersionKind, error) {
	if patterns == "" {
		return kinds, nil
	}
	chosen := map[schema.GroupVersionKind]bool{}
	for _, pattern := range strings.Split(patterns, ",") {
		parts := strings.Split(pattern, "/")
		if len(parts) == 2 {
			parts = append([]string{""}, parts...)
		}
		if len(parts) != 3 {
			return nil, fmt.Errorf("kind %q is not group/version/Kind", pattern)
		}
		if parts[0] == "core" {
			parts[0] = ""
		}
		matches := func(i int, value string) bool { return parts[i] == "*" || parts[i] == value }
		found := false
		for _, kind := range kinds {
			if matches(0, kind.Group) && matches(1, kind.Version) && matches(2, kind.Kind) {
				chosen[kind], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no kind matches %q", pattern)
		}
	}
	var list []schema.GroupVersionKind
	for kind := range chosen {
		list = append(list, kind)
	}
	sortKinds(list)
	return list, nil
}

func sortKinds(kinds []schema.GroupVersionKind) {
	sort.Slice(kinds, func(i, j int) bool { return fileStem(kinds[i]) < fileStem(kinds[j]) })
}
