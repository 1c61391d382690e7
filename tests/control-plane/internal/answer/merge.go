package answer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	smdschema "sigs.k8s.io/structured-merge-diff/v6/schema"

	sigsjson "sigs.k8s.io/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

func init() {
	functions["fieldset.parse"] = of(fieldsetParse)
	functions["fieldset.element"] = of(fieldsetElement)
	functions["fieldset.algebra"] = of(fieldsetAlgebra)
	functions["fieldset.filter"] = of(fieldsetFilter)
	functions["fieldset.fromValue"] = of(fieldsetFromValue)
	functions["fieldset.values"] = of(fieldsetValues)
	functions["fieldset.managers"] = of(fieldsetManagers)
	functions["merge.typed"] = of(mergeTyped)
	functions["merge.reconcile"] = of(mergeReconcile)
	functions["merge.schema"] = of(mergeSchema)
	functions["merge.openapi"] = of(mergeOpenAPI)
	functions["merge.crd"] = of(mergeCRD)
}

// jsonTree reads JSON as Kubernetes does: whole numbers are int64.
func jsonTree(raw json.RawMessage) (any, error) {
	var v any
	if len(raw) == 0 {
		return nil, nil
	}
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(raw, &v); err != nil {
		return nil, badInput{err}
	}
	return v, nil
}

func setOf(text string) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if err := set.FromJSON(strings.NewReader(text)); err != nil {
		return nil, err
	}
	return set, nil
}

func setText(set *fieldpath.Set) string {
	text, err := set.ToJSON()
	if err != nil {
		return "error: " + err.Error()
	}
	return string(text)
}

func fieldsetParse(text string) (any, error) {
	set, err := setOf(text)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"json": setText(set), "string": set.String(), "size": set.Size(), "empty": set.Empty(),
		"leaves": setText(set.Leaves()),
	}, nil
}

func fieldsetElement(text string) (any, error) {
	pe, err := fieldpath.DeserializePathElement(text)
	if err == fieldpath.ErrUnknownPathElementType {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	again, err := fieldpath.SerializePathElement(pe)
	if err != nil {
		return nil, err
	}
	return map[string]any{"text": again, "string": pe.String()}, nil
}

type algebraIn struct {
	A string `json:"a"`
	B string `json:"b"`
}

func fieldsetAlgebra(in algebraIn) (any, error) {
	a, err := setOf(in.A)
	if err != nil {
		return nil, err
	}
	b, err := setOf(in.B)
	if err != nil {
		return nil, err
	}
	var has []bool
	b.Iterate(func(p fieldpath.Path) { has = append(has, a.Has(p)) })
	prefixes := []string{}
	b.Members.Iterate(func(pe fieldpath.PathElement) { prefixes = append(prefixes, setText(a.WithPrefix(pe))) })
	return map[string]any{
		"union": setText(a.Union(b)), "intersection": setText(a.Intersection(b)),
		"difference": setText(a.Difference(b)), "recursive": setText(a.RecursiveDifference(b)),
		"equal": a.Equals(b), "has": append([]bool{}, has...), "prefixes": prefixes,
		"leavesOfUnion": setText(a.Union(b).Leaves()),
	}, nil
}

type filterIn struct {
	Set      string      `json:"set"`
	Exclude  *string     `json:"exclude"`
	Matchers [][]*string `json:"matchers"` // serialized elements; null is any
}

func fieldsetFilter(in filterIn) (any, error) {
	set, err := setOf(in.Set)
	if err != nil {
		return nil, err
	}
	if in.Exclude != nil {
		exclude, err := setOf(*in.Exclude)
		if err != nil {
			return nil, err
		}
		return setText(fieldpath.NewExcludeSetFilter(exclude).Filter(set)), nil
	}
	var matchers []*fieldpath.SetMatcher
	for _, elements := range in.Matchers {
		m, err := matcherOf(elements)
		if err != nil {
			return nil, err
		}
		matchers = append(matchers, m)
	}
	return setText(fieldpath.NewIncludeMatcherFilter(matchers...).Filter(set)), nil
}

// matcherOf is a matcher of a path of serialized elements, of which nil is any.
func matcherOf(elements []*string) (*fieldpath.SetMatcher, error) {
	var parts []any
	for _, e := range elements {
		if e == nil {
			parts = append(parts, fieldpath.MatchAnyPathElement())
			continue
		}
		pe, err := fieldpath.DeserializePathElement(*e)
		if err != nil {
			return nil, badInput{err}
		}
		parts = append(parts, pe)
	}
	return fieldpath.PrefixMatcher(parts...)
}

func fieldsetFromValue(raw json.RawMessage) (any, error) {
	v, err := jsonTree(raw)
	if err != nil {
		return nil, err
	}
	return setText(fieldpath.SetFromValue(value.NewValueInterface(v))), nil
}

type valuesIn struct {
	A json.RawMessage `json:"a"`
	B json.RawMessage `json:"b"`
}

func fieldsetValues(in valuesIn) (any, error) {
	va, err := jsonTree(in.A)
	if err != nil {
		return nil, err
	}
	vb, err := jsonTree(in.B)
	if err != nil {
		return nil, err
	}
	a, b := value.NewValueInterface(va), value.NewValueInterface(vb)
	text, err := value.ToJSON(a)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"equals": value.Equals(a, b), "compare": value.Compare(a, b), "json": string(text)}
	// Maps have no order there.
	if !bytes.Contains(in.A, []byte("{")) {
		out["string"] = value.ToString(a)
	}
	out["v"] = fmt.Sprintf("%v", a)
	out["syntax"] = fmt.Sprintf("%#v", a)
	return out, nil
}

type versionedIn struct {
	Set     string `json:"set"`
	Version string `json:"version"`
	Applied bool   `json:"applied"`
}

type managersIn struct {
	A map[string]versionedIn `json:"a"`
	B map[string]versionedIn `json:"b"`
}

func managersOf(in map[string]versionedIn) (fieldpath.ManagedFields, error) {
	out := fieldpath.ManagedFields{}
	for name, v := range in {
		set, err := setOf(v.Set)
		if err != nil {
			return nil, badInput{err}
		}
		out[name] = fieldpath.NewVersionedSet(set, fieldpath.APIVersion(v.Version), v.Applied)
	}
	return out, nil
}

func managersOut(in fieldpath.ManagedFields) map[string]versionedIn {
	out := map[string]versionedIn{}
	for name, v := range in {
		out[name] = versionedIn{setText(v.Set()), string(v.APIVersion()), v.Applied()}
	}
	return out
}

func fieldsetManagers(in managersIn) (any, error) {
	a, err := managersOf(in.A)
	if err != nil {
		return nil, err
	}
	b, err := managersOf(in.B)
	if err != nil {
		return nil, err
	}
	return map[string]any{"difference": managersOut(a.Difference(b)), "equal": a.Equals(b)}, nil
}

// typeIn is a type: of a schema in its YAML (or JSON) form by name, a built-in
// kind, or the deduced type.
type typeIn struct {
	Schema json.RawMessage `json:"schema"`
	Name   string          `json:"name"`
	Kind   *kindIn         `json:"kind"`
	CRD    json.RawMessage `json:"crd"`
}

type kindIn struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

func (k kindIn) gvk() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind}
}

func (in typeIn) parseable() (typed.ParseableType, error) {
	switch {
	case in.CRD != nil && in.Kind != nil:
		types, err := crdTypes(in.CRD)
		if err != nil {
			return typed.ParseableType{}, err
		}
		if t := types[in.Kind.gvk()]; t != nil {
			return *t, nil
		}
		return typed.ParseableType{}, badInput{errors.New("no such version")}
	case in.Kind != nil:
		types, err := builtinTypes()
		if err != nil {
			return typed.ParseableType{}, badInput{err}
		}
		t := types[in.Kind.gvk()]
		if t == nil {
			return typed.ParseableType{}, badInput{fmt.Errorf("no kind %v", *in.Kind)}
		}
		return *t, nil
	case in.Schema != nil:
		parser, err := parserOf(string(in.Schema))
		if err != nil {
			return typed.ParseableType{}, badInput{err}
		}
		return parser.Type(in.Name), nil
	}
	return typed.DeducedParseableType, nil
}

var parsers = map[string]*typed.Parser{}

func parserOf(text string) (*typed.Parser, error) {
	if p, ok := parsers[text]; ok {
		return p, nil
	}
	p, err := typed.NewParser(typed.YAMLObject(text))
	if err == nil && len(parsers) < 1000 {
		parsers[text] = p
	}
	return p, err
}

type typedIn struct {
	typeIn
	L          json.RawMessage `json:"l"`
	R          json.RawMessage `json:"r"`
	Duplicates bool            `json:"duplicates"`
	Items      string          `json:"items"`
}

// mergeOutcome is what an operation returned, or its error. Where Go walks maps, the
// order of errors is chance: the lines are sorted.
func mergeOutcome(out any, err error) map[string]any {
	if err != nil {
		return map[string]any{"error": sortedLines(err.Error())}
	}
	return map[string]any{"out": out}
}

func sortedLines(text string) string {
	at := strings.Index(text, "errors:\n")
	if at < 0 {
		return text
	}
	lines := strings.Split(text[at+len("errors:\n"):], "\n")
	sort.Strings(lines)
	return text[:at] + "errors:\n" + strings.Join(lines, "\n")
}

func mergeTyped(in typedIn) (any, error) {
	t, err := in.parseable()
	if err != nil {
		return nil, err
	}
	items, err := setOf(in.Items)
	if err != nil {
		return nil, badInput{err}
	}
	var opts []typed.ValidationOptions
	if in.Duplicates {
		opts = append(opts, typed.AllowDuplicates)
	}
	read := func(raw json.RawMessage) (*typed.TypedValue, error) {
		v, err := jsonTree(raw)
		if err != nil {
			return nil, err
		}
		return t.FromUnstructured(v, opts...)
	}
	out := map[string]any{}
	l, lerr := read(in.L)
	r, rerr := read(in.R)
	if lerr != nil {
		out["l"] = mergeOutcome(nil, lerr)
	}
	if rerr != nil {
		out["r"] = mergeOutcome(nil, rerr)
	}
	if lerr != nil || rerr != nil {
		return out, nil
	}
	set := func(v *typed.TypedValue) map[string]any {
		set, err := v.ToFieldSet()
		if err != nil {
			return mergeOutcome(nil, err)
		}
		return mergeOutcome(setText(set), nil)
	}
	out["lSet"], out["rSet"] = set(l), set(r)
	merged, err := l.Merge(r)
	if err != nil {
		out["merge"] = mergeOutcome(nil, err)
	} else {
		out["merge"] = mergeOutcome(merged.AsValue().Unstructured(), nil)
	}
	c, err := l.Compare(r)
	if err != nil {
		out["compare"] = mergeOutcome(nil, err)
	} else {
		out["compare"] = mergeOutcome(map[string]any{
			"removed": setText(c.Removed), "modified": setText(c.Modified), "added": setText(c.Added),
			"same": c.IsSame(), "string": c.String(),
		}, nil)
	}
	out["remove"] = l.RemoveItems(items).AsValue().Unstructured()
	out["extract"] = l.ExtractItems(items).AsValue().Unstructured()
	out["extractKeys"] = l.ExtractItems(items, typed.WithAppendKeyFields()).AsValue().Unstructured()
	if set, err := r.ToFieldSet(); err == nil {
		out["removeR"] = l.RemoveItems(set).AsValue().Unstructured()
		out["extractR"] = l.ExtractItems(set.Leaves()).AsValue().Unstructured()
	}
	return out, nil
}

type reconcileIn struct {
	typeIn
	Value json.RawMessage `json:"value"`
	Set   string          `json:"set"`
}

func mergeReconcile(in reconcileIn) (any, error) {
	t, err := in.parseable()
	if err != nil {
		return nil, err
	}
	set, err := setOf(in.Set)
	if err != nil {
		return nil, badInput{err}
	}
	v, err := jsonTree(in.Value)
	if err != nil {
		return nil, err
	}
	tv, err := t.FromUnstructured(v, typed.AllowDuplicates)
	if err != nil {
		return nil, errors.New(sortedLines(err.Error()))
	}
	out, err := typed.ReconcileFieldSetWithSchema(set, tv)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, nil
	}
	return setText(out), nil
}

// typeShape writes a type out to some depth, so that schemas can be compared
// whatever their types are called.
func typeShape(s *smdschema.Schema, tr smdschema.TypeRef, above []string, depth int) any {
	if tr.NamedType != nil {
		name := *tr.NamedType
		switch name {
		case "__untyped_atomic_", "__untyped_deduced_":
			return name
		}
		for _, a := range above {
			if a == name {
				return "again"
			}
		}
		above = append(append([]string{}, above...), name)
	}
	atom, ok := s.Resolve(tr)
	if !ok {
		return "unresolved"
	}
	if depth == 0 {
		return "deep"
	}
	out := map[string]any{}
	if atom.Scalar != nil {
		out["scalar"] = string(*atom.Scalar)
	}
	if atom.List != nil {
		list := map[string]any{
			"of": typeShape(s, atom.List.ElementType, above, depth-1), "relationship": string(atom.List.ElementRelationship),
		}
		if len(atom.List.Keys) > 0 {
			list["keys"] = atom.List.Keys
		}
		out["list"] = list
	}
	if atom.Map != nil {
		fields := map[string]any{}
		for _, f := range atom.Map.Fields {
			field := map[string]any{"type": typeShape(s, f.Type, above, depth-1)}
			switch d := f.Default.(type) {
			case nil:
			case map[string]any:
				// Of a struct: nothing looks at it.
				if len(d) > 0 {
					field["default"] = d
				}
			default:
				field["default"] = d
			}
			fields[f.Name] = field
		}
		m := map[string]any{"fields": fields}
		switch r := atom.Map.ElementRelationship; r {
		case "", smdschema.Separable:
		default:
			m["relationship"] = string(r)
		}
		if (atom.Map.ElementType != smdschema.TypeRef{}) {
			m["of"] = typeShape(s, atom.Map.ElementType, above, depth-1)
		}
		out["map"] = m
	}
	return out
}

const shapeDepth = 24

func mergeSchema(in kindIn) (any, error) {
	t, err := typeIn{Kind: &in}.parseable()
	if err != nil {
		return nil, err
	}
	return typeShape(t.Schema, t.TypeRef, nil, shapeDepth), nil
}

type openapiIn struct {
	Models   json.RawMessage `json:"models"`
	Preserve bool            `json:"preserve"`
}

func mergeOpenAPI(in openapiIn) (any, error) {
	s, err := schemaOf(in.Models, in.Preserve)
	if err != nil {
		lines := strings.Split(err.Error(), "\n")
		sort.Strings(lines)
		return nil, errors.New(strings.Join(lines, "\n"))
	}
	out := map[string]any{}
	for _, t := range s.Types {
		name := t.Name
		if !strings.HasPrefix(name, "__") {
			out[name] = typeShape(s, smdschema.TypeRef{NamedType: &name}, nil, shapeDepth)
		}
	}
	return out, nil
}

func mergeCRD(raw json.RawMessage) (any, error) {
	types, err := crdTypes(raw)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for gvk, t := range types {
		out[gvk.Version+"/"+gvk.Kind] = typeShape(t.Schema, t.TypeRef, nil, shapeDepth)
	}
	return out, nil
}
