package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/klog/v2"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

func init() {
	functions["apply.sequence"] = of(applySequence)
	functions["apply.extract"] = of(applyExtract)
	functions["apply.csa"] = of(applyCSA)
	functions["apply.scale"] = of(applyScale)
	functions["apply.validate"] = of(applyValidate)
}

// applyIn is a sequence of requests for one object. Types are those of a
// built-in kind, of models, or deduced when neither is there. With models there
// are the versions v1 and v2, which twoVersions converts.
type applyIn struct {
	Kind   kindIn            `json:"kind"`
	Types  string            `json:"types"` // builtin, models, deduced
	Models json.RawMessage   `json:"models"`
	Reset  map[string]string `json:"reset"` // exclude set by version
	Ops    []applyOp         `json:"ops"`
}

type applyOp struct {
	Op          string          `json:"op"` // apply, update, updateNoErrors
	Version     string          `json:"version"`
	Manager     string          `json:"manager"`
	Force       bool            `json:"force"`
	Subresource string          `json:"subresource"`
	Object      json.RawMessage `json:"object"`
}

// twoVersions converts between v1 and v2 of a kind: two fields have other names.
type twoVersions struct{}

var renamed = map[string]string{"replicas": "count", "items": "things"}

func (twoVersions) ConvertToVersion(in runtime.Object, to runtime.GroupVersioner) (runtime.Object, error) {
	u := in.(*unstructured.Unstructured)
	gv, ok := to.(schema.GroupVersion)
	if !ok {
		return nil, fmt.Errorf("no version: %v", to)
	}
	from := u.GroupVersionKind()
	if from.GroupVersion() == gv {
		return in, nil
	}
	known := func(v string) bool { return v == "v1" || v == "v2" }
	if gv.Group != from.Group || from.Group != "example.com" || !known(gv.Version) || !known(from.Version) {
		return nil, runtime.NewNotRegisteredErrForTarget("twoVersions", nil, to)
	}
	u = u.DeepCopy()
	u.SetAPIVersion(gv.String())
	if spec, ok := u.Object["spec"].(map[string]any); ok {
		for one, two := range renamed {
			old, fresh := one, two
			if from.Version == "v2" {
				old, fresh = two, one
			}
			if v, ok := spec[old]; ok {
				delete(spec, old)
				spec[fresh] = v
			}
		}
	}
	return u, nil
}

func (twoVersions) Convert(in, out, context any) error { return errors.New("not implemented") }

func (twoVersions) ConvertFieldLabel(schema.GroupVersionKind, string, string) (string, string, error) {
	return "", "", errors.New("not implemented")
}

type noDefaults struct{}

func (noDefaults) Default(runtime.Object) {}

type creater struct{}

func (creater) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(gvk)
	return u, nil
}

var builtinConverter = sync.OnceValues(func() (managedfields.TypeConverter, error) {
	models, err := builtinModels()
	if err != nil {
		return nil, err
	}
	return managedfields.NewTypeConverter(models, false)
})

var modelConverters = map[string]managedfields.TypeConverter{}

func (in applyIn) converter() (managedfields.TypeConverter, error) {
	switch in.Types {
	case "builtin":
		return builtinConverter()
	case "models":
		if c, ok := modelConverters[string(in.Models)]; ok {
			return c, nil
		}
		var models map[string]*spec.Schema
		if err := json.Unmarshal(in.Models, &models); err != nil {
			return nil, err
		}
		c, err := managedfields.NewTypeConverter(models, false)
		if err == nil && len(modelConverters) < 1000 {
			modelConverters[string(in.Models)] = c
		}
		return c, err
	}
	return managedfields.NewDeducedTypeConverter(), nil
}

func objectOf(raw json.RawMessage) (*unstructured.Unstructured, error) {
	v, err := jsonTree(raw)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, badInput{errors.New("not an object")}
	}
	return &unstructured.Unstructured{Object: m}, nil
}

// stamp gives entries of now a time that is the same in every run: that of the
// step, in 2010.
func stamp(u *unstructured.Unstructured, step int) {
	entries := u.GetManagedFields()
	for i, e := range entries {
		if e.Time != nil && e.Time.Year() >= 2020 {
			t := metav1.NewTime(time.Date(2010, 1, 1, 0, 0, step, 0, time.UTC))
			entries[i].Time = &t
		}
	}
	if entries != nil {
		u.SetManagedFields(entries)
	}
}

func failure(err error) map[string]any {
	out := map[string]any{"error": sortedLines(err.Error())}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		s := status.Status()
		causes := []string{}
		if s.Details != nil {
			for _, c := range s.Details.Causes {
				causes = append(causes, fmt.Sprintf("%s|%s|%s", c.Type, c.Message, c.Field))
			}
		}
		sort.Strings(causes)
		out["status"] = map[string]any{"code": s.Code, "reason": s.Reason, "causes": causes}
	}
	return out
}

// quiet turns off what the libraries log about odd objects.
var quiet = sync.OnceFunc(func() {
	klog.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil
})

func applySequence(in applyIn) (any, error) {
	quiet()
	types, err := in.converter()
	if err != nil {
		return nil, badInput{err}
	}
	reset := map[fieldpath.APIVersion]fieldpath.Filter{}
	for version, text := range in.Reset {
		set, err := setOf(text)
		if err != nil {
			return nil, badInput{err}
		}
		reset[fieldpath.APIVersion(version)] = fieldpath.NewExcludeSetFilter(set)
	}
	var live *unstructured.Unstructured
	out := []any{}
	for i, op := range in.Ops {
		gvk := in.Kind.gvk()
		if op.Version != "" {
			gvk.Version = op.Version
		}
		manager, err := managedfields.NewDefaultFieldManager(
			types, twoVersions{}, noDefaults{}, creater{}, gvk, gvk.GroupVersion(), op.Subresource, reset)
		if err != nil {
			return nil, err
		}
		object, err := objectOf(op.Object)
		if err != nil {
			return nil, err
		}
		var before runtime.Object
		if live == nil {
			before, _ = creater{}.New(gvk)
		} else {
			before = live.DeepCopy()
		}
		var after runtime.Object
		switch op.Op {
		case "apply":
			after, err = manager.Apply(before, object, op.Manager, op.Force)
		case "update":
			after, err = manager.Update(before, object, op.Manager)
		case "updateNoErrors":
			after = manager.UpdateNoErrors(before, object, op.Manager)
		default:
			return nil, badInput{fmt.Errorf("no operation %q", op.Op)}
		}
		if err != nil {
			out = append(out, failure(err))
			continue
		}
		live = after.(*unstructured.Unstructured).DeepCopy()
		stamp(live, i)
		out = append(out, map[string]any{"object": live.DeepCopy().Object})
	}
	return out, nil
}

type extractIn struct {
	typeIn
	Object      json.RawMessage `json:"object"`
	Manager     string          `json:"manager"`
	Subresource string          `json:"subresource"`
}

func applyExtract(in extractIn) (any, error) {
	quiet()
	t, err := in.parseable()
	if err != nil {
		return nil, err
	}
	object, err := objectOf(in.Object)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if err := managedfields.ExtractInto(object, t, in.Manager, &out, in.Subresource); err != nil {
		return nil, errors.New(sortedLines(err.Error()))
	}
	return out, nil
}

type csaIn struct {
	Entries     []metav1.ManagedFieldsEntry `json:"entries"`
	From        string                      `json:"from"`
	To          string                      `json:"to"`
	Subresource string                      `json:"subresource"`
	Fields      string                      `json:"fields"`
}

func entriesOut(entries []metav1.ManagedFieldsEntry) any {
	out := []any{}
	for _, e := range entries {
		o := map[string]any{
			"manager": e.Manager, "operation": e.Operation, "apiVersion": e.APIVersion,
			"fieldsType": e.FieldsType, "subresource": e.Subresource,
		}
		if e.Time != nil {
			o["time"] = e.Time.Unix()
		}
		if e.FieldsV1 != nil {
			o["fields"] = string(e.FieldsV1.GetRawBytes())
		}
		out = append(out, o)
	}
	return out
}

func applyCSA(in csaIn) (any, error) {
	// The functions change what the entries point to.
	meta := func() *metav1.PartialObjectMetadata {
		m := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7", ManagedFields: in.Entries}}
		return m.DeepCopy()
	}
	fields, err := setOf(in.Fields)
	if err != nil {
		return nil, badInput{err}
	}
	upgraded := meta()
	if err := csaupgrade.UpgradeManagedFields(upgraded, sets.New(in.From), in.To, csaupgrade.Subresource(in.Subresource)); err != nil {
		return nil, err
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(meta(), sets.New(in.From), in.To, csaupgrade.Subresource(in.Subresource))
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"entries": entriesOut(upgraded.ManagedFields),
		"owners":  entriesOut(csaupgrade.FindFieldsOwners(in.Entries, metav1.ManagedFieldsOperationUpdate, fields)),
	}
	if patch != nil {
		out["patch"] = json.RawMessage(patch)
	}
	return out, nil
}

type applyScaleIn struct {
	Parent   []metav1.ManagedFieldsEntry `json:"parent"`
	Scale    []metav1.ManagedFieldsEntry `json:"scale"`
	Version  schema.GroupVersion         `json:"version"`
	Mappings map[string][]string         `json:"mappings"`
}

func applyScale(in applyScaleIn) (any, error) {
	mappings := managedfields.ResourcePathMappings{}
	for version, names := range in.Mappings {
		var path fieldpath.Path
		for _, name := range names {
			path = append(path, fieldpath.FieldNameElement(name))
		}
		mappings[version] = path
	}
	handler := managedfields.NewScaleHandler(in.Parent, in.Version, mappings)
	sub, err := handler.ToSubresource()
	if err != nil {
		return nil, err
	}
	parent, err := handler.ToParent(in.Scale)
	if err != nil {
		return nil, err
	}
	return map[string]any{"sub": entriesOut(sub), "parent": entriesOut(parent)}, nil
}

func applyValidate(entries []metav1.ManagedFieldsEntry) (any, error) {
	return nil, managedfields.ValidateManagedFields(entries)
}
