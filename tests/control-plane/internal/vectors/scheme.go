package vectors

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Scheme has every kind there is.
func Scheme() (*runtime.Scheme, error) {
	u, err := newUniverse()
	if err != nil {
		return nil, err
	}
	return u.scheme, nil
}

// Kinds are the external kinds of the scheme, in order.
func Kinds() ([]schema.GroupVersionKind, error) {
	u, err := newUniverse()
	if err != nil {
		return nil, err
	}
	return u.kinds(), nil
}
