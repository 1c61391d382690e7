package answer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"

	"k8s.io/apimachinery/pkg/api/operation"
	"k8s.io/apimachinery/pkg/api/validate"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/api/validation/path"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func init() {
	functions["validation.name"] = of(validationName)
	functions["validation.number"] = of(validationNumber)
	functions["validation.ip"] = of(validationIP)
	functions["validation.maps"] = of(validationMaps)
	functions["validation.selector"] = of(validationSelector)
	functions["validation.conditions"] = of(validationConditions)
	functions["field.path"] = of(fieldPath)
	functions["field.errors"] = of(fieldErrors)
	functions["objectmeta.create"] = of(objectMetaCreate)
	functions["objectmeta.update"] = of(objectMetaUpdate)
	functions["declarative.value"] = of(declarativeValue)
	functions["declarative.format"] = of(declarativeFormat)
	functions["declarative.enum"] = of(declarativeEnum)
	functions["declarative.union"] = of(declarativeUnion)
	functions["declarative.list"] = of(declarativeList)
	functions["declarative.update"] = of(declarativeUpdate)
	functions["declarative.filter"] = of(declarativeFilter)
}

// texts is what a function of names found; never nil.
func texts(problems []string) []string {
	if problems == nil {
		return []string{}
	}
	return problems
}

// found is a list of errors in the order they were found.
func found(list field.ErrorList) []map[string]any {
	out := []map[string]any{}
	for _, e := range list {
		one := map[string]any{"type": string(e.Type), "text": e.Error()}
		if e.Origin != "" {
			one["origin"] = e.Origin
		}
		if e.CoveredByDeclarative {
			one["covered"] = true
		}
		out = append(out, one)
	}
	return out
}

// sorted is the same for functions that go through maps, whose order is any.
func sorted(list field.ErrorList) []map[string]any {
	out := found(list)
	sort.SliceStable(out, func(i, j int) bool { return out[i]["text"].(string) < out[j]["text"].(string) })
	return out
}

var root = field.NewPath("f")

func validationName(v string) (any, error) {
	return map[string]any{
		"labelKey":                       texts(content.IsLabelKey(v)),
		"labelValue":                     texts(content.IsLabelValue(v)),
		"prefixedLabelKey":               texts(content.IsPrefixedLabelKey(v)),
		"dns1123Label":                   texts(utilvalidation.IsDNS1123Label(v)),
		"dns1123Subdomain":               texts(utilvalidation.IsDNS1123Subdomain(v)),
		"dns1123SubdomainWithUnderscore": texts(utilvalidation.IsDNS1123SubdomainWithUnderscore(v)),
		"dns1123SubdomainCaseless":       texts(content.IsDNS1123SubdomainCaseless(v)),
		"dns1035Label":                   texts(utilvalidation.IsDNS1035Label(v)),
		"wildcard":                       texts(utilvalidation.IsWildcardDNS1123Subdomain(v)),
		"cIdentifier":                    texts(utilvalidation.IsCIdentifier(v)),
		"decimalInteger":                 texts(content.IsDecimalInteger(v)),
		"portName":                       texts(utilvalidation.IsValidPortName(v)),
		"percent":                        texts(utilvalidation.IsValidPercent(v)),
		"httpHeaderName":                 texts(utilvalidation.IsHTTPHeaderName(v)),
		"envVarName":                     texts(utilvalidation.IsEnvVarName(v)),
		"relaxedEnvVarName":              texts(utilvalidation.IsRelaxedEnvVarName(v)),
		"configMapKey":                   texts(utilvalidation.IsConfigMapKey(v)),
		"conditionReason":                texts(metavalidation.IsValidConditionReason(v)),
		"fullyQualifiedName":             found(utilvalidation.IsFullyQualifiedName(root, v)),
		"fullyQualifiedDomainName":       found(utilvalidation.IsFullyQualifiedDomainName(root, v)),
		"domainPrefixedPath":             found(utilvalidation.IsDomainPrefixedPath(root, v)),
		"domainPrefixedKey":              found(utilvalidation.IsDomainPrefixedKey(root, v)),
		"fieldManager":                   found(metavalidation.ValidateFieldManager(v, root)),
		"finalizer":                      found(apivalidation.ValidateFinalizerName(v, root)),
		"rules": [][]string{
			texts(apivalidation.NameIsDNSSubdomain(v, false)), texts(apivalidation.NameIsDNSSubdomain(v, true)),
			texts(apivalidation.NameIsDNSLabel(v, false)), texts(apivalidation.NameIsDNSLabel(v, true)),
			texts(apivalidation.NameIsDNS1035Label(v, false)), texts(apivalidation.NameIsDNS1035Label(v, true)),
			texts(path.ValidatePathSegmentName(v, false)), texts(path.ValidatePathSegmentName(v, true)),
		},
	}, nil
}

func validationNumber(n int64) (any, error) {
	return map[string]any{
		"port":        texts(utilvalidation.IsValidPortNum(int(n))),
		"group":       texts(utilvalidation.IsValidGroupID(n)),
		"user":        texts(utilvalidation.IsValidUserID(n)),
		"range":       texts(utilvalidation.IsInRange(int(n), -5, 1000)),
		"nonnegative": found(apivalidation.ValidateNonnegativeField(n, root)),
	}, nil
}

type ipIn struct {
	Text string   `json:"text"`
	Old  []string `json:"old"`
}

func validationIP(in ipIn) (any, error) {
	out := map[string]any{
		"ip":         found(utilvalidation.IsValidIP(root, in.Text)),
		"legacyIP":   found(utilvalidation.IsValidIPForLegacyField(root, in.Text, false, in.Old)),
		"strictIP":   found(utilvalidation.IsValidIPForLegacyField(root, in.Text, true, in.Old)),
		"cidr":       found(utilvalidation.IsValidCIDR(root, in.Text)),
		"legacyCIDR": found(utilvalidation.IsValidCIDRForLegacyField(root, in.Text, false, in.Old)),
		"strictCIDR": found(utilvalidation.IsValidCIDRForLegacyField(root, in.Text, true, in.Old)),
		"interface":  found(utilvalidation.IsValidInterfaceAddress(root, in.Text)),
	}
	// Go logs an error when it is asked to warn about what is not valid at all.
	if len(utilvalidation.IsValidIPForLegacyField(root, in.Text, false, nil)) == 0 {
		out["ipWarnings"] = texts(utilvalidation.GetWarningsForIP(root, in.Text))
	}
	if len(utilvalidation.IsValidCIDRForLegacyField(root, in.Text, false, nil)) == 0 {
		out["cidrWarnings"] = texts(utilvalidation.GetWarningsForCIDR(root, in.Text))
	}
	return out, nil
}

func validationMaps(in map[string]string) (any, error) {
	return map[string]any{
		"labels":      sorted(metavalidation.ValidateLabels(in, root)),
		"annotations": sorted(apivalidation.ValidateAnnotations(in, root)),
	}, nil
}

type selectorIn struct {
	Selector  metav1.LabelSelector            `json:"selector"`
	Fields    metav1.FieldSelectorRequirement `json:"fields"`
	Values    bool                            `json:"values"`
	Operators bool                            `json:"operators"`
	Include   string                          `json:"include"`
}

func validationSelector(in selectorIn) (any, error) {
	opts := metavalidation.LabelSelectorValidationOptions{
		AllowInvalidLabelValueInSelector: in.Values, AllowUnknownOperatorInRequirement: in.Operators,
	}
	fieldOpts := metavalidation.FieldSelectorValidationOptions{AllowUnknownOperatorInRequirement: in.Operators}
	return map[string]any{
		"labels":  sorted(metavalidation.ValidateLabelSelector(&in.Selector, opts, root)),
		"invalid": metavalidation.LabelSelectorHasInvalidLabelValue(&in.Selector),
		"fields":  found(metavalidation.ValidateFieldSelectorRequirement(in.Fields, fieldOpts, root)),
		"table":   found(metavalidation.ValidateTableOptions(&metav1.TableOptions{IncludeObject: metav1.IncludeObjectPolicy(in.Include)})),
	}, nil
}

func validationConditions(in []metav1.Condition) (any, error) {
	return found(metavalidation.ValidateConditions(in, root)), nil
}

// fieldPath builds a path of steps: a name to begin with or to go on with, an index, or a key.
func fieldPath(steps []map[string]json.RawMessage) (any, error) {
	p, err := buildPath(steps)
	return p.String(), err
}

func buildPath(steps []map[string]json.RawMessage) (*field.Path, error) {
	var p *field.Path
	for _, step := range steps {
		for kind, raw := range step {
			var text string
			var index int
			if kind == "index" {
				if err := json.Unmarshal(raw, &index); err != nil {
					return nil, badInput{err}
				}
			} else if err := json.Unmarshal(raw, &text); err != nil {
				return nil, badInput{err}
			}
			switch kind {
			case "new":
				p = field.NewPath(text)
			case "child":
				p = p.Child(text)
			case "index":
				p = p.Index(index)
			case "key":
				p = p.Key(text)
			default:
				return nil, badInput{fmt.Errorf("no step %q", kind)}
			}
		}
	}
	return p, nil
}

// namedString is a type made of strings.
type namedString string

type fieldErrorIn struct {
	Kind   string          `json:"kind"`
	Field  string          `json:"field"`
	Value  json.RawMessage `json:"value"`
	Named  bool            `json:"named"` // the value is of a type made of strings
	Detail string          `json:"detail"`
	Bound  int             `json:"bound"`
	Actual int             `json:"actual"`
	Values []string        `json:"values"`
}

func fieldErrors(in []fieldErrorIn) (any, error) {
	var list field.ErrorList
	for _, e := range in {
		var value any
		if err := json.Unmarshal(e.Value, &value); err != nil {
			return nil, badInput{err}
		}
		if text, ok := value.(string); ok && e.Named {
			value = namedString(text)
		}
		p := field.NewPath(e.Field)
		switch e.Kind {
		case "NotFound":
			list = append(list, field.NotFound(p, value))
		case "Required":
			list = append(list, field.Required(p, e.Detail))
		case "Duplicate":
			list = append(list, field.Duplicate(p, value))
		case "Invalid":
			list = append(list, field.Invalid(p, value, e.Detail))
		case "TypeInvalid":
			list = append(list, field.TypeInvalid(p, value, e.Detail))
		case "NotSupported":
			list = append(list, field.NotSupported(p, value, e.Values))
		case "Forbidden":
			list = append(list, field.Forbidden(p, e.Detail))
		case "TooLong":
			list = append(list, field.TooLong(p, value, e.Bound))
		case "TooLongCharacters":
			list = append(list, field.TooLongCharacters(p, "", e.Bound))
		case "TooShort":
			list = append(list, field.TooShort(p, "", e.Bound))
		case "TooMany":
			list = append(list, field.TooMany(p, e.Actual, e.Bound))
		case "TooFew":
			list = append(list, field.TooFew(p, e.Actual, e.Bound))
		case "Internal":
			list = append(list, field.InternalError(p, errors.New(e.Detail)))
		default:
			return nil, badInput{fmt.Errorf("no kind %q", e.Kind)}
		}
	}
	out := map[string]any{"errors": found(list)}
	bodies := []string{}
	for _, e := range list {
		bodies = append(bodies, e.ErrorBody())
	}
	out["bodies"] = bodies
	if all := list.ToAggregate(); all != nil {
		out["all"] = all.Error()
	}
	return out, nil
}

var nameRules = map[string]apivalidation.ValidateNameFunc{
	"subdomain":   apivalidation.NameIsDNSSubdomain,
	"label":       apivalidation.NameIsDNSLabel,
	"label1035":   apivalidation.NameIsDNS1035Label,
	"pathSegment": path.ValidatePathSegmentName,
}

type objectMetaIn struct {
	Meta       metav1.ObjectMeta `json:"meta"`
	Old        metav1.ObjectMeta `json:"old"`
	Namespaced bool              `json:"namespaced"`
	Rule       string            `json:"rule"`
}

func objectMetaCreate(in objectMetaIn) (any, error) {
	rule, ok := nameRules[in.Rule]
	if !ok {
		return nil, badInput{fmt.Errorf("no rule %q", in.Rule)}
	}
	long := func(fldPath *field.Path, name string) field.ErrorList {
		return validate.LongName(context.Background(), operation.Operation{}, fldPath, &name, nil)
	}
	return map[string]any{
		"errors": sorted(apivalidation.ValidateObjectMeta(&in.Meta, in.Namespaced, rule, root)),
		"with":   sorted(apivalidation.ValidateObjectMetaWithOpts(&in.Meta, in.Namespaced, long, root)),
	}, nil
}

func objectMetaUpdate(in objectMetaIn) (any, error) {
	return sorted(apivalidation.ValidateObjectMetaUpdate(&in.Meta, &in.Old, root)), nil
}

// operationIn is what is being done: an update or not, and the options that are defined.
type operationIn struct {
	Update  bool            `json:"update"`
	Options map[string]bool `json:"options"`
}

func (in operationIn) operation() operation.Operation {
	op := operation.Operation{Options: in.Options}
	if in.Update {
		op.Type = operation.Update
	}
	return op
}

type declarativeValueIn struct {
	operationIn
	Text   string `json:"text"`
	Other  string `json:"other"`
	Number int64  `json:"number"`
	Old    *int64 `json:"old"`
	Bound  int    `json:"bound"`
	Option string `json:"option"`
	Wanted bool   `json:"wanted"`
}

func declarativeValue(in declarativeValueIn) (any, error) {
	ctx, op := context.Background(), in.operation()
	items := make([]int, max(in.Number%8, 0))
	pairs := map[int]int{}
	for i := range items {
		pairs[i] = 0
	}
	set := func(triggered *[2]string) bool { return triggered[0] != "" }
	other := func(triggered *[2]string) bool { return triggered[1] != "" }
	now, before := &[2]string{in.Text, in.Other}, &[2]string{in.Other, in.Text}
	return map[string]any{
		"required":           found(validate.RequiredValue(ctx, op, root, &in.Text, nil)),
		"forbidden":          found(validate.ForbiddenValue(ctx, op, root, &in.Text, nil)),
		"optional":           found(validate.OptionalValue(ctx, op, root, &in.Text, nil)),
		"immutable":          found(validate.Immutable(ctx, op, root, &in.Text, nil)),
		"maxLength":          found(validate.MaxLength(ctx, op, root, &in.Text, nil, in.Bound)),
		"maxBytes":           found(validate.MaxBytes(ctx, op, root, &in.Text, nil, in.Bound)),
		"minLength":          found(validate.MinLength(ctx, op, root, &in.Text, nil, in.Bound)),
		"maxItems":           found(validate.MaxItems(ctx, op, root, items, nil, in.Bound)),
		"minItems":           found(validate.MinItems(ctx, op, root, items, nil, in.Bound)),
		"maxProperties":      found(validate.MaxProperties(ctx, op, root, pairs, nil, in.Bound)),
		"minProperties":      found(validate.MinProperties(ctx, op, root, pairs, nil, in.Bound)),
		"minimum":            found(validate.Minimum(ctx, op, root, &in.Number, nil, int64(in.Bound))),
		"maximum":            found(validate.Maximum(ctx, op, root, &in.Number, nil, int64(in.Bound))),
		"monotonic":          found(validate.Monotonic(ctx, op, root, &in.Number, in.Old)),
		"neq":                found(validate.NEQ(ctx, op, root, &in.Number, nil, int64(in.Bound))),
		"neqText":            found(validate.NEQ(ctx, op, root, &in.Text, nil, in.Other)),
		"ifOption":           found(validate.IfOption(ctx, op, root, &in.Text, nil, in.Option, in.Wanted, validate.ForbiddenPointer)),
		"dependentRequired":  found(validate.DependentRequired(ctx, op, root, now, before, "a", set, "b", other)),
		"dependentForbidden": found(validate.DependentForbidden(ctx, op, root, now, before, "a", set, "b", other)),
		"dependentNew":       found(validate.DependentRequired(ctx, op, root, now, nil, "a", set, "b", other)),
	}, nil
}

func declarativeFormat(v string) (any, error) {
	ctx, op := context.Background(), operation.Operation{}
	out := map[string]any{}
	for name, rule := range map[string]validate.ValidateFunc[*string]{
		"shortName": validate.ShortName[string], "longName": validate.LongName[string],
		"longNameCaseless": validate.LongNameCaseless[string], "labelKey": validate.LabelKey[string],
		"prefixedLabelKey": validate.PrefixedLabelKey[string], "labelValue": validate.LabelValue[string],
		"pathSegmentName": validate.PathSegmentName[string], "uuid": validate.UUID[string],
		"resourcePoolName": validate.ResourcePoolName[string], "extendedResourceName": validate.ExtendedResourceName[string],
		"resourceFullyQualifiedName": validate.ResourceFullyQualifiedName[string],
	} {
		out[name] = found(rule(ctx, op, root, &v, nil))
	}
	return out, nil
}

type declarativeEnumIn struct {
	operationIn
	Value      namedString                           `json:"value"`
	Valid      []namedString                         `json:"valid"`
	Exclusions []validate.EnumExclusion[namedString] `json:"exclusions"`
}

func declarativeEnum(in declarativeEnumIn) (any, error) {
	return found(validate.Enum(context.Background(), in.operation(), root, &in.Value, nil, sets.New(in.Valid...), in.Exclusions)), nil
}

type unionValue struct {
	Value string  `json:"value"`
	Set   [3]bool `json:"set"`
}

type declarativeUnionIn struct {
	operationIn
	New     *unionValue `json:"new"`
	Old     *unionValue `json:"old"`
	Members []string    `json:"members"`
}

func declarativeUnion(in declarativeUnionIn) (any, error) {
	ctx, op := context.Background(), in.operation()
	var members []validate.UnionMember
	var plain []validate.UnionMember
	for i, name := range in.Members {
		members = append(members, validate.NewDiscriminatedUnionMember(name, string(rune('A'+i))))
		plain = append(plain, validate.NewUnionMember(name))
	}
	isSet := func(i int) validate.ExtractorFn[*unionValue, bool] {
		return func(u *unionValue) bool { return u != nil && u.Set[i] }
	}
	discriminator := func(u *unionValue) string {
		if u == nil {
			return ""
		}
		return u.Value
	}
	rule := func(text string) validate.ValidateFunc[*bool] {
		return func(_ context.Context, _ operation.Operation, p *field.Path, v, old *bool) field.ErrorList {
			return field.ErrorList{field.Invalid(p, *v, fmt.Sprint(text, " ", old != nil && *old))}
		}
	}
	first := func(u *unionValue) *bool { return &u.Set[0] }
	return map[string]any{
		"union":         found(validate.Union(ctx, op, root, in.New, in.Old, validate.NewUnionMembership(plain...), isSet(0), isSet(1), isSet(2))),
		"zeroOrOneOf":   found(validate.ZeroOrOneOfUnion(ctx, op, root, in.New, in.Old, validate.NewUnionMembership(plain...), isSet(0), isSet(1), isSet(2))),
		"discriminated": found(validate.DiscriminatedUnion(ctx, op, root, in.New, in.Old, validate.NewDiscriminatedUnionMembership("type", members...), discriminator, isSet(0), isSet(1), isSet(2))),
		"rules": found(validate.Discriminated(ctx, op, root, in.New, in.Old, "m", first, discriminator, validate.DirectEqual[bool], rule("otherwise"), []validate.DiscriminatedRule[*bool, string]{
			{Value: "A", Validation: rule("a")}, {Value: "B", Validation: rule("b")},
		})),
	}, nil
}

// keyed is an item with a key.
type keyed struct {
	Key   string `json:"key"`
	Value int    `json:"value"`
}

type declarativeListIn struct {
	operationIn
	New []keyed `json:"new"`
	Old []keyed `json:"old"`
}

func keyedRule(_ context.Context, _ operation.Operation, p *field.Path, v, old *keyed) field.ErrorList {
	was := "new"
	if old != nil {
		was = fmt.Sprint(old.Value)
	}
	return field.ErrorList{field.Invalid(p, v.Value, was)}
}

func declarativeList(in declarativeListIn) (any, error) {
	ctx, op := context.Background(), in.operation()
	byKey := func(a, b *keyed) bool { return a.Key == b.Key }
	newMap, oldMap := map[string]keyed{}, map[string]keyed{}
	for _, v := range in.New {
		newMap[v.Key] = v
	}
	for _, v := range in.Old {
		oldMap[v.Key] = v
	}
	keyRule := func(_ context.Context, _ operation.Operation, p *field.Path, k, _ *string) field.ErrorList {
		return field.ErrorList{field.Invalid(p, *k, "key")}
	}
	out := map[string]any{
		"byKey":    found(validate.EachValSliceVal(ctx, op, root, in.New, in.Old, byKey, validate.DirectEqual[keyed], keyedRule)),
		"byValue":  found(validate.EachValSliceVal(ctx, op, root, in.New, in.Old, validate.DirectEqual[keyed], nil, keyedRule)),
		"each":     found(validate.EachValSliceVal(ctx, op, root, in.New, in.Old, nil, nil, keyedRule)),
		"unique":   found(validate.ValSliceUnique(ctx, op, root, in.New, in.Old, byKey)),
		"item":     found(validate.ValSliceItem(ctx, op, root, in.New, in.Old, func(v *keyed) bool { return v.Key == "a" }, validate.DirectEqual[keyed], keyedRule)),
		"mapValue": sorted(validate.EachMapVal(ctx, op, root, newMap, oldMap, validate.DirectEqual[keyed], keyedRule)),
		"mapAll":   sorted(validate.EachMapVal(ctx, op, root, newMap, oldMap, nil, keyedRule)),
		"mapKey":   sorted(validate.EachMapKey(ctx, op, root, newMap, oldMap, keyRule)),
	}
	if len(in.New) > 0 {
		var old *keyed
		if len(in.Old) > 0 {
			old = &in.Old[0]
		}
		get := func(k *keyed) *int { return &k.Value }
		rule := func(_ context.Context, _ operation.Operation, p *field.Path, v, old *int) field.ErrorList {
			was := "new"
			if old != nil {
				was = fmt.Sprint(*old)
			}
			return field.ErrorList{field.Invalid(p, *v, was)}
		}
		out["subfield"] = found(validate.Subfield(ctx, op, root, &in.New[0], old, "value", get, validate.DirectEqual[int], rule))
	}
	return out, nil
}

type declarativeUpdateIn struct {
	operationIn
	New         []string `json:"new"`
	Old         []string `json:"old"`
	Value       string   `json:"value"`
	Before      *string  `json:"before"`
	Constraints []string `json:"constraints"`
}

func declarativeUpdate(in declarativeUpdateIn) (any, error) {
	ctx, op := context.Background(), in.operation()
	var constraints []validate.UpdateConstraint
	for _, name := range in.Constraints {
		constraints = append(constraints, map[string]validate.UpdateConstraint{
			"NoSet": validate.NoSet, "NoUnset": validate.NoUnset, "NoModify": validate.NoModify,
			"NoAddItem": validate.NoAddItem, "NoRemoveItem": validate.NoRemoveItem,
		}[name])
	}
	newMap, oldMap := map[string]int{}, map[string]int{}
	for _, v := range in.New {
		newMap[v] = 1
	}
	for _, v := range in.Old {
		oldMap[v] = 1
	}
	var pointer *string
	if in.Value != "" {
		pointer = &in.Value
	}
	return map[string]any{
		"value":   found(validate.UpdateValueByCompare(ctx, op, root, &in.Value, in.Before, constraints...)),
		"reflect": found(validate.UpdateValueByReflect(ctx, op, root, &in.Value, in.Before, constraints...)),
		"pointer": found(validate.UpdatePointer(ctx, op, root, pointer, in.Before, constraints...)),
		"struct":  found(validate.UpdateStruct(ctx, op, root, &in.Value, in.Before, constraints...)),
		"list":    found(validate.ValSliceUpdate(ctx, op, root, in.New, in.Old, validate.DirectEqual[string], constraints...)),
		"map":     sorted(validate.UpdateMap(ctx, op, root, newMap, oldMap, constraints...)),
	}, nil
}

type markedIn struct {
	Kind      string `json:"kind"`
	Field     string `json:"field"`
	Origin    string `json:"origin"`
	Covered   bool   `json:"covered"`
	Stability string `json:"stability"`
}

type declarativeFilterIn struct {
	Handwritten []markedIn `json:"handwritten"`
	Declarative []markedIn `json:"declarative"`
	Beta        bool       `json:"beta"`
}

func marked(in []markedIn) field.ErrorList {
	var list field.ErrorList
	for _, m := range in {
		var e *field.Error
		p := field.NewPath(m.Field)
		switch m.Kind {
		case "Required":
			e = field.Required(p, "")
		case "Internal":
			e = field.InternalError(p, errors.New("x"))
		default:
			e = field.Invalid(p, "v", "")
		}
		e = e.WithOrigin(m.Origin)
		e.CoveredByDeclarative = m.Covered
		switch m.Stability {
		case "alpha":
			e = e.MarkAlpha()
		case "beta":
			e = e.MarkBeta()
		}
		list = append(list, e)
	}
	return list
}

func declarativeFilter(in declarativeFilterIn) (any, error) {
	ctx := context.Background()
	enforced := validate.FilterEnforcedDeclarativeErrors(ctx, marked(in.Declarative), in.Beta)
	kept := validate.FilterCoveredHandwrittenErrors(ctx, marked(in.Handwritten), enforced, in.Beta)
	return map[string]any{"enforced": found(enforced), "kept": found(kept)}, nil
}
