package vectors

import (
	"bytes"
	"testing"
)

// A kind's objects follow from the seed, and from nothing that was made before.
func TestSameSeedSameObject(t *testing.T) {
	all, err := newUniverse()
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := choose(all.kinds(), "core/v1/Pod,apiextensions.k8s.io/*/CustomResourceDefinition")
	if err != nil {
		t.Fatal(err)
	}
	if len(kinds) != 3 {
		t.Fatalf("%d kinds", len(kinds))
	}
	for _, kind := range kinds {
		first, _, err := all.vector(kind, 7, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := all.vector(kind, 7, 2); err != nil {
			t.Fatal(err)
		}
		again, _, err := all.vector(kind, 7, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.protobuf, again.protobuf) || !bytes.Equal(first.json, again.json) {
			t.Errorf("%s differs from itself", kind)
		}
	}
}

func TestUnknownKindIsAnError(t *testing.T) {
	all, err := newUniverse()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"Pod", "v1/Nothing", "a/b/c/d"} {
		if _, err := choose(all.kinds(), pattern); err == nil {
			t.Errorf("%s is accepted", pattern)
		}
	}
}
