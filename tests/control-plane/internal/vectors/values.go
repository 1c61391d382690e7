package vectors

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"

	schedulingv1alpha3 "k8s.io/api/scheduling/v1alpha3"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/randfill"
)

// ownFuncs are the random values of types for which the general filler makes
// none that are valid, or only a few sorts of them.
func ownFuncs(serializer.CodecFactory) []any {
	return append(schemaFuncs(),
		func(s *string, c randfill.Continue) { *s = text(c) },
		func(f *float64, c randfill.Continue) { *f = float(c) },
		func(q *resource.Quantity, c randfill.Continue) { *q = resource.MustParse(quantity(c)) },
		func(t *metav1.Time, c randfill.Continue) {
			*t = metav1.Time{}
			if c.Intn(8) > 0 {
				*t = metav1.Unix(seconds(c), 0)
			}
		},
		// Behind a pointer a zero time is null in JSON, and so another value.
		func(t **metav1.Time, c randfill.Continue) {
			*t = nil
			if c.Bool() {
				v := metav1.Unix(seconds(c), 0)
				*t = &v
			}
		},
		func(t **metav1.MicroTime, c randfill.Continue) {
			*t = nil
			if c.Bool() {
				v := metav1.NewMicroTime(time.Unix(seconds(c), int64(c.Intn(1_000_000))*1000))
				*t = &v
			}
		},
		func(t *metav1.MicroTime, c randfill.Continue) {
			*t = metav1.MicroTime{}
			if c.Intn(8) > 0 {
				*t = metav1.NewMicroTime(time.Unix(seconds(c), int64(c.Intn(1_000_000))*1000))
			}
		},
		func(f *metav1.FieldsV1, c randfill.Continue) { f.SetRawBytes(fieldSet(c)) },
		func(m *metav1.ManagedFieldsEntry, c randfill.Continue) {
			c.FillNoCustom(m)
			m.FieldsType = "FieldsV1"
		},
		func(r *runtime.RawExtension, c randfill.Continue) { *r = runtime.RawExtension{Raw: embedded(c)} },
		func(j *apiextensionsv1.JSON, c randfill.Continue) { j.Raw = compact(anyJSON(c, 3)) },
		func(j *apiextensionsv1beta1.JSON, c randfill.Continue) { j.Raw = compact(anyJSON(c, 3)) },
		func(v *apiextensionsv1.CustomResourceValidation, c randfill.Continue) {
			v.OpenAPIV3Schema = &apiextensionsv1.JSONSchemaProps{}
			c.Fill(v.OpenAPIV3Schema)
		},
		func(v *apiextensionsv1beta1.CustomResourceValidation, c randfill.Continue) {
			v.OpenAPIV3Schema = &apiextensionsv1beta1.JSONSchemaProps{}
			c.Fill(v.OpenAPIV3Schema)
		},
		// Templates contain templates.
		func(l *[]schedulingv1alpha3.CompositePodGroupTemplate, c randfill.Continue) {
			*l = few[schedulingv1alpha3.CompositePodGroupTemplate](c, 3)
		},
		func(l *[]schedulingv1beta1.CompositePodGroupTemplate, c randfill.Continue) {
			*l = few[schedulingv1beta1.CompositePodGroupTemplate](c, 3)
		},
		func(r *metav1.TableRow, c randfill.Continue) {
			c.Fill(&r.Conditions)
			c.Fill(&r.Object)
			r.Cells = make([]any, c.Intn(4))
			for i := range r.Cells {
				r.Cells[i] = anyJSON(c, 2)
			}
		},
		func(o *metav1.TableOptions, c randfill.Continue) {
			c.FillNoCustom(o)
			o.NoHeaders = false // not part of any encoding
		},
	)
}

// telling are strings an encoder or a decoder could take for something else.
// DEL, U+0085, the byte order mark and << are missing: Go's YAML fails on them.
var telling = []string{
	"", " ", "~", "null", "true", "no", "Yes", "on", "0", "-1", "1e3", "0x1F", "0o17", "012", "1_000", ".5", "+1", ".inf", ".nan",
	"2001-02-03", "2001-02-03T04:05:06Z", "12:30:45", "<a href=\"x\">&amp;</a>", "it's", `"quoted"`, `back\slash`,
	" leading", "trailing ", "two\nlines\n", "\n", "tab\there", "carriage\rreturn", "- item", "key: value", "# comment", "{}", "[]",
	"*alias", "&anchor", "!tag", "%percent", "@at", "`tick", "|", ">", "?", ":", ",", "=", "---", "...",
	"\u00e9", "\u2028line\u2029", "\u0001\u001f", "日本語", "🙂", "\U0010ffff", "e\u0301",
}

// text is plain half the time; otherwise it is any Unicode, or telling.
func text(c randfill.Continue) string {
	switch c.Intn(4) {
	case 0:
		return telling[c.Intn(len(telling))]
	case 1:
		return c.String(12)
	default:
		return word(c)
	}
}

func word(c randfill.Continue) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-./"
	b := make([]byte, 1+c.Intn(16))
	for i := range b {
		b[i] = letters[c.Intn(len(letters))]
	}
	return string(b)
}

func float(c randfill.Continue) float64 {
	switch c.Intn(5) {
	case 0:
		return float64(c.Intn(2000) - 1000)
	case 1:
		return float64(c.Intn(2_000_000)-1_000_000) / 1024
	case 2:
		return (c.Float64() - 0.5) * math.Pow(10, float64(c.Intn(60)-30))
	case 3:
		return float64(c.Int63())
	default:
		return c.NormFloat64()
	}
}

// quantity is any sort of quantity, not only what it is printed as.
func quantity(c randfill.Continue) string {
	suffixes := []string{"", "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E-3", "e0", "e12"}
	sign := []string{"", "", "", "-", "+"}[c.Intn(5)]
	number := fmt.Sprint(c.Intn(5000))
	switch c.Intn(6) {
	case 0:
		number = "0"
	case 1:
		number = fmt.Sprintf("%d.%03d", c.Intn(1000), c.Intn(1000))
	case 2:
		number = fmt.Sprintf(".%d", c.Intn(100))
	case 3:
		number = fmt.Sprint(c.Int63())
	}
	return sign + number + suffixes[c.Intn(len(suffixes))]
}

// seconds lie between the years 1 and 9999, most of them around now.
func seconds(c randfill.Continue) int64 {
	if c.Intn(4) > 0 {
		return c.Int63n(1 << 32)
	}
	const first, last = -62135596799, 253402300799
	return first + c.Int63n(last-first)
}

// anyJSON is a JSON value, but not null, which stands for a missing one where
// these are used. Its strings need no HTML escapes, in which encoders of equal
// values differ.
func anyJSON(c randfill.Continue, depth int) any {
	sorts := 6
	if depth == 0 {
		sorts = 4
	}
	switch c.Intn(sorts) {
	case 0:
		return word(c)
	case 1:
		return c.Int63() >> c.Intn(63)
	case 2:
		return c.Bool()
	case 3:
		return float64(c.Intn(4000)-2000) / 64 // exact in decimal
	case 4:
		list := make([]any, c.Intn(3))
		for i := range list {
			list[i] = anyJSON(c, depth-1)
		}
		return list
	default:
		fields := map[string]any{}
		for range c.Intn(3) {
			fields[word(c)] = anyJSON(c, depth-1)
		}
		return fields
	}
}

// compact has keys in order and no spaces, so that a raw value is the same
// bytes again after a decoder took it apart.
func compact(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}

// embedded is an object inside another.
func embedded(c randfill.Continue) []byte {
	return compact(map[string]any{
		"apiVersion": "example.com/v1",
		"kind":       "Embedded",
		"metadata":   map[string]any{"name": word(c)},
		"spec":       map[string]any{word(c): anyJSON(c, 3)},
	})
}

// fieldSet is what managed fields record: f: for fields, k: for list items, a
// dot for the field itself.
func fieldSet(c randfill.Continue) []byte {
	var set func(depth int) map[string]any
	set = func(depth int) map[string]any {
		fields := map[string]any{}
		if depth == 0 {
			return fields
		}
		if c.Bool() {
			fields["."] = map[string]any{}
		}
		for range 1 + c.Intn(2) {
			switch c.Intn(3) {
			case 0:
				fields["k:"+string(compact(map[string]any{"name": word(c)}))] = set(depth - 1)
			default:
				fields["f:"+word(c)] = set(depth - 1)
			}
		}
		return fields
	}
	return compact(set(3))
}

// rare is how often a schema holds another in each of the places it can. The
// places are about a dozen, so that the sizes stay small.
const rare = 16

// schemaFuncs keep the types of JSON schemas, which contain themselves, from
// growing without end.
func schemaFuncs() []any {
	return append(
		schemaFuncsOf[apiextensionsv1.JSONSchemaProps, apiextensionsv1.JSONSchemaPropsOrArray, apiextensionsv1.JSONSchemaPropsOrBool, apiextensionsv1.JSONSchemaPropsOrStringArray, apiextensionsv1.JSONSchemaDependencies, apiextensionsv1.JSONSchemaDefinitions](),
		schemaFuncsOf[apiextensionsv1beta1.JSONSchemaProps, apiextensionsv1beta1.JSONSchemaPropsOrArray, apiextensionsv1beta1.JSONSchemaPropsOrBool, apiextensionsv1beta1.JSONSchemaPropsOrStringArray, apiextensionsv1beta1.JSONSchemaDependencies, apiextensionsv1beta1.JSONSchemaDefinitions]()...,
	)
}

func schemaFuncsOf[Props, OrArray, OrBool, OrStrings any, Dependencies ~map[string]OrStrings, Definitions ~map[string]Props]() []any {
	return []any{
		func(p **OrArray, c randfill.Continue) { rarely(p, c) },
		func(p **OrBool, c randfill.Continue) { rarely(p, c) },
		func(p **Props, c randfill.Continue) { rarely(p, c) },
		func(l *[]Props, c randfill.Continue) { *l = few[Props](c, rare) },
		func(m *map[string]Props, c randfill.Continue) { *m = rareMap[Props](c) },
		func(m *Definitions, c randfill.Continue) { *m = rareMap[Props](c) },
		func(m *Dependencies, c randfill.Continue) { *m = rareMap[OrStrings](c) },
		// The three unions: one branch, and the one that is read back.
		func(u *OrArray, c randfill.Continue) {
			branch(u, "Schema", c)
			if c.Bool() {
				branch(u, "JSONSchemas", c)
			}
		},
		func(u *OrBool, c randfill.Continue) {
			v := reflect.ValueOf(u).Elem()
			v.SetZero()
			if c.Bool() {
				branch(u, "Schema", c)
				v.FieldByName("Allows").SetBool(true)
			} else {
				v.FieldByName("Allows").SetBool(c.Bool())
			}
		},
		func(u *OrStrings, c randfill.Continue) {
			branch(u, "Schema", c)
			if c.Bool() {
				branch(u, "Property", c)
			}
		},
	}
}

func rarely[T any](p **T, c randfill.Continue) {
	*p = nil
	if c.Intn(rare) == 0 {
		*p = new(T)
		c.Fill(*p)
	}
}

// few is a list with one or two elements, once in so often; else none.
func few[T any](c randfill.Continue, often int) []T {
	if c.Intn(often) > 0 {
		return nil
	}
	list := make([]T, 1+c.Intn(2))
	for i := range list {
		c.Fill(&list[i])
	}
	return list
}

func rareMap[T any](c randfill.Continue) map[string]T {
	if c.Intn(rare) > 0 {
		return nil
	}
	m := map[string]T{}
	for range 1 + c.Intn(2) {
		var value T
		c.Fill(&value)
		m[text(c)] = value
	}
	return m
}

// branch empties a union but for the named field, which it fills: a list with
// one or two elements, or what a pointer points to.
func branch(union any, field string, c randfill.Continue) {
	v := reflect.ValueOf(union).Elem()
	v.SetZero()
	f := v.FieldByName(field)
	if f.Kind() == reflect.Pointer {
		f.Set(reflect.New(f.Type().Elem()))
		c.Fill(f.Interface())
		return
	}
	f.Set(reflect.MakeSlice(f.Type(), 1+c.Intn(2), 2))
	for i := range f.Len() {
		c.Fill(f.Index(i).Addr().Interface())
	}
}
