package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/kube-openapi/pkg/util/proto"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

func init() {
	functions["jsonpatch.apply"] = of(jsonPatchApply)
	functions["jsonpatch.object"] = of(jsonPatchObject)
	functions["mergepatch.apply"] = of(mergePatchApply)
	functions["mergepatch.merge"] = of(mergePatchMerge)
	functions["mergepatch.diff"] = of(mergePatchDiff)
	functions["mergepatch.threeway"] = of(mergePatchThreeWay)
	functions["mergepatch.conflicts"] = of(mergePatchConflicts)
	functions["strategic.apply"] = of(strategicApply)
	functions["strategic.diff"] = of(strategicDiff)
	functions["strategic.threeway"] = of(strategicThreeWay)
	functions["strategic.merge"] = of(strategicMerge)
	functions["strategic.conflicts"] = of(strategicConflicts)
	functions["strategic.lookup"] = of(strategicLookup)
}

type documents struct {
	APIVersion string     `json:"apiVersion"` // of a built-in kind; absent for the few below
	Path       []struct { // of fields, to look up how the last one merges
		Key  string `json:"key"`
		List bool   `json:"list"`
	} `json:"path"`
	Kind    string                  `json:"kind"`
	Schemas map[string]*spec.Schema `json:"schemas"` // of OpenAPI v3; the type's own when absent

	Definitions json.RawMessage `json:"definitions"` // of OpenAPI v2

	Original json.RawMessage   `json:"original"`
	Modified json.RawMessage   `json:"modified"`
	Current  json.RawMessage   `json:"current"`
	Patch    json.RawMessage   `json:"patch"`
	Patches  []json.RawMessage `json:"patches"`

	OriginalText *string `json:"originalText"` // where the spelling counts
	PatchText    *string `json:"patchText"`

	CopyLimit     int64          `json:"copyLimit"`
	Overwrite     bool           `json:"overwrite"`
	Preconditions []precondition `json:"preconditions"`
}

type precondition struct {
	Key         string `json:"key"`
	MetadataKey string `json:"metadataKey"`
}

func (in documents) preconditions() []mergepatch.PreconditionFunc {
	var fns []mergepatch.PreconditionFunc
	for _, p := range in.Preconditions {
		if p.Key != "" {
			fns = append(fns, mergepatch.RequireKeyUnchanged(p.Key))
		} else {
			fns = append(fns, mergepatch.RequireMetadataKeyUnchanged(p.MetadataKey))
		}
	}
	return fns
}

// raw gives each run bytes of its own. An absent document is null.
func raw(document json.RawMessage) []byte {
	if len(document) == 0 {
		return []byte("null")
	}
	return append([]byte(nil), document...)
}

type outcome struct {
	Out   any     `json:"out,omitempty"`
	Error *string `json:"error,omitempty"`
}

// outcomes runs a function that goes through maps until it is all but certain
// that every outcome was seen. If there are several, the output is
// {"several":[...]}.
func (in documents) outcomes(run func() (any, error)) (any, error) {
	once := func() (result outcome) {
		defer func() {
			if p := recover(); p != nil {
				text := fmt.Sprintf("panic: %v", p)
				result = outcome{Error: &text}
			}
		}()
		out, err := run()
		if err != nil {
			text := err.Error()
			return outcome{Error: &text}
		}
		return outcome{Out: out}
	}
	var all []outcome
	runs := 8
	if !in.Overwrite && len(in.Patch) == 0 && len(in.Original) > 0 { // conflicts: in whatever order members are met
		runs = 48
	}
	if bytes.Contains(in.Patch, []byte("$deleteFromPrimitiveList")) {
		runs = 128
	}
	for i := 0; i < runs; i++ {
		next, seen := once(), false
		for _, other := range all {
			seen = seen || reflect.DeepEqual(next, other)
		}
		if !seen {
			all = append(all, next)
		}
		if next.Error != nil {
			runs = 128
		}
	}
	if len(all) > 1 {
		return map[string]any{"several": all}, nil
	}
	if all[0].Error != nil {
		return nil, fmt.Errorf("%s", *all[0].Error)
	}
	return all[0].Out, nil
}

// document is bytes as a value, so that outcomes can be compared.
func document(text []byte, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	var value any
	if err := kjson.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	return value, nil
}

// spelled is a document as it is spelled.
func spelled(text *string, document json.RawMessage) []byte {
	if text != nil {
		return []byte(*text)
	}
	return raw(document)
}

func jsonPatchApply(in documents) (any, error) {
	return in.jsonPatch(spelled(in.OriginalText, in.Original))
}

// jsonPatchObject patches a document as a server does: as it encodes it.
func jsonPatchObject(in documents) (any, error) {
	var object any
	if err := kjson.Unmarshal(raw(in.Original), &object); err != nil {
		return nil, badInput{err}
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, badInput{err}
	}
	return in.jsonPatch(text)
}

func (in documents) jsonPatch(original []byte) (any, error) {
	patch, err := jsonpatch.DecodePatch(spelled(in.PatchText, in.Patch))
	if err != nil {
		return nil, err
	}
	jsonpatch.AccumulatedCopySizeLimit = in.CopyLimit
	out, err := patch.Apply(original)
	return json.RawMessage(out), err
}

func mergePatchApply(in documents) (any, error) {
	return in.outcomes(func() (any, error) {
		return document(jsonpatch.MergePatch(raw(in.Original), raw(in.Patch)))
	})
}

func mergePatchMerge(in documents) (any, error) {
	return in.outcomes(func() (any, error) {
		return document(jsonpatch.MergeMergePatches(raw(in.Original), raw(in.Patch)))
	})
}

func mergePatchDiff(in documents) (any, error) {
	return in.outcomes(func() (any, error) {
		return document(jsonpatch.CreateMergePatch(raw(in.Original), raw(in.Modified)))
	})
}

func mergePatchThreeWay(in documents) (any, error) {
	return in.outcomes(func() (any, error) {
		return document(jsonmergepatch.CreateThreeWayJSONMergePatch(
			raw(in.Original), raw(in.Modified), raw(in.Current), in.preconditions()...))
	})
}

func mergePatchConflicts(in documents) (any, error) {
	var left, right any
	if err := kjson.Unmarshal(raw(in.Original), &left); err != nil {
		return nil, badInput{err}
	}
	if err := kjson.Unmarshal(raw(in.Modified), &right); err != nil {
		return nil, badInput{err}
	}
	return mergepatch.HasConflicts(left, right)
}

// item has what no one built-in type has: lists of numbers that merge, lists
// of lists, lists that merge and have no key, pointers to what merges.
type item struct {
	Name        string               `json:"name,omitempty"`
	Value       string               `json:"value,omitempty"`
	Count       int64                `json:"count,omitempty"`
	Items       []item               `json:"items,omitempty" patchStrategy:"merge" patchMergeKey:"name"`
	Counted     []item               `json:"counted,omitempty" patchStrategy:"merge" patchMergeKey:"count"`
	Atomic      []item               `json:"atomic,omitempty"`
	Keyless     []item               `json:"keyless,omitempty" patchStrategy:"merge"`
	Ints        []int64              `json:"ints,omitempty" patchStrategy:"merge"`
	Words       []string             `json:"words,omitempty" patchStrategy:"merge"`
	AtomicWords []string             `json:"atomicWords,omitempty"`
	Lists       [][]string           `json:"lists,omitempty" patchStrategy:"merge"`
	Bytes       []byte               `json:"bytes,omitempty"`
	Pointer     *item                `json:"pointer,omitempty" patchStrategy:"merge" patchMergeKey:"name"`
	Labels      map[string]string    `json:"labels,omitempty"`
	Replaced    runtime.RawExtension `json:"replaced,omitempty" patchStrategy:"replace"`
	Union       *item                `json:"union,omitempty" patchStrategy:"retainKeys"`
	Unions      []item               `json:"unions,omitempty" patchStrategy:"merge,retainKeys" patchMergeKey:"name"`
}

func (in documents) schema() (strategicpatch.LookupPatchMeta, error) {
	if in.Schemas != nil {
		return strategicpatch.PatchMetaFromOpenAPIV3{SchemaList: in.Schemas, Schema: in.Schemas[in.Kind]}, nil
	}
	if in.Definitions != nil {
		document := fmt.Sprintf(`{"swagger":"2.0","info":{"title":"t","version":"v"},"paths":{},"definitions":%s}`, in.Definitions)
		parsed, err := openapi_v2.ParseDocument([]byte(document))
		if err != nil {
			return nil, badInput{err}
		}
		models, err := proto.NewOpenAPIData(parsed)
		if err != nil {
			return nil, err
		}
		return strategicpatch.NewPatchMetaFromOpenAPI(models.LookupModel(in.Kind)), nil
	}
	if in.APIVersion != "" {
		object, err := everything().scheme.New(schema.FromAPIVersionAndKind(in.APIVersion, in.Kind))
		if err != nil {
			return nil, badInput{err}
		}
		return strategicpatch.NewPatchMetaFromStruct(object)
	}
	kinds := map[string]any{
		"item": item{}, "Pod": corev1.Pod{}, "Node": corev1.Node{}, "Service": corev1.Service{},
		"ServiceAccount": corev1.ServiceAccount{}, "Deployment": appsv1.Deployment{},
		"StatefulSet": appsv1.StatefulSet{},
	}
	kind, ok := kinds[in.Kind]
	if !ok {
		return nil, badInput{fmt.Errorf("no kind %q", in.Kind)}
	}
	return strategicpatch.NewPatchMetaFromStruct(kind)
}

func (in documents) strategic(run func(strategicpatch.LookupPatchMeta) (any, error)) (any, error) {
	schema, err := in.schema()
	if err != nil {
		return nil, err
	}
	return in.outcomes(func() (any, error) { return run(schema) })
}

func strategicApply(in documents) (any, error) {
	return in.strategic(func(schema strategicpatch.LookupPatchMeta) (any, error) {
		return document(strategicpatch.StrategicMergePatchUsingLookupPatchMeta(raw(in.Original), raw(in.Patch), schema))
	})
}

func strategicDiff(in documents) (any, error) {
	return in.strategic(func(schema strategicpatch.LookupPatchMeta) (any, error) {
		return document(strategicpatch.CreateTwoWayMergePatchUsingLookupPatchMeta(
			raw(in.Original), raw(in.Modified), schema, in.preconditions()...))
	})
}

func strategicThreeWay(in documents) (any, error) {
	return in.strategic(func(schema strategicpatch.LookupPatchMeta) (any, error) {
		return document(strategicpatch.CreateThreeWayMergePatch(
			raw(in.Original), raw(in.Modified), raw(in.Current), schema, in.Overwrite, in.preconditions()...))
	})
}

func strategicLookup(in documents) (any, error) {
	at, err := in.schema()
	if err != nil {
		return nil, err
	}
	var meta strategicpatch.PatchMeta
	for _, step := range in.Path {
		if step.List {
			at, meta, err = at.LookupPatchMetadataForSlice(step.Key)
		} else {
			at, meta, err = at.LookupPatchMetadataForStruct(step.Key)
		}
		if err != nil {
			return nil, err
		}
	}
	name := at.Name()
	if members, ok := strings.CutPrefix(name, "Kind(["); ok { // in no order
		members := strings.Fields(strings.TrimSuffix(members, "])"))
		sort.Strings(members)
		name = fmt.Sprintf("Kind(%v)", members)
	}
	return map[string]any{
		"strategy": strings.Join(meta.GetPatchStrategies(), ","), "key": meta.GetPatchMergeKey(), "name": name,
	}, nil
}

func object(text []byte) (map[string]any, error) {
	var object map[string]any
	if err := kjson.Unmarshal(text, &object); err != nil {
		return nil, badInput{err}
	}
	return object, nil
}

func strategicMerge(in documents) (any, error) {
	return in.strategic(func(schema strategicpatch.LookupPatchMeta) (any, error) {
		var patches []strategicpatch.JSONMap
		for _, text := range in.Patches {
			patch, err := object(raw(text))
			if err != nil {
				return nil, err
			}
			patches = append(patches, patch)
		}
		out, err := strategicpatch.MergeStrategicMergeMapPatchUsingLookupPatchMeta(schema, patches...)
		if err != nil {
			return nil, err
		}
		return document(json.Marshal(out))
	})
}

func strategicConflicts(in documents) (any, error) {
	return in.strategic(func(schema strategicpatch.LookupPatchMeta) (any, error) {
		left, err := object(raw(in.Original))
		if err != nil {
			return nil, err
		}
		right, err := object(raw(in.Modified))
		if err != nil {
			return nil, err
		}
		return strategicpatch.MergingMapsHaveConflicts(left, right, schema)
	})
}
