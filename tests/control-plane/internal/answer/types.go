package answer

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// BuiltinType is how values of a built-in kind merge.
func BuiltinType(gvk schema.GroupVersionKind) (*typed.ParseableType, error) {
	types, err := builtinTypes()
	if err != nil {
		return nil, err
	}
	t := types[gvk]
	if t == nil {
		return nil, fmt.Errorf("no type of %s", gvk)
	}
	return t, nil
}
