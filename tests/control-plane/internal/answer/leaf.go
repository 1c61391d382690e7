package answer

import (
	"encoding/json"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

func init() {
	functions["quantity.operations"] = of(quantityOperations)
	functions["quantity.arithmetic"] = of(quantityArithmetic)
	functions["quantity.json"] = of(quantityJSON)
	functions["quantity.new"] = of(quantityNew)
	functions["labels.requirement"] = of(labelsRequirement)
	functions["labels.exact"] = of(labelsExact)
	functions["labels.set"] = of(labelsSet)
	functions["labels.text"] = of(labelsText)
	functions["labels.ofLabelSelector"] = of(labelsOfLabelSelector)
	functions["fields.exact"] = of(fieldsExact)
	functions["fields.escape"] = of(fieldsEscape)
	functions["time.print"] = of(timePrint)
	functions["duration.print"] = of(durationPrint)
}

// decimal is the exact amount in plain decimal notation.
func decimal(q resource.Quantity) string {
	text := q.AsDec().String()
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// written is a quantity as it is marshalled, with its format and its amount.
func written(q resource.Quantity) map[string]any {
	exact := q.DeepCopy()
	return map[string]any{"text": q.String(), "format": string(q.Format), "decimal": decimal(exact)}
}

type quantityOperationsIn struct {
	Text   string `json:"text"`
	Factor int64  `json:"factor"`
	Scale  int32  `json:"scale"`
}

// quantityOperations is everything there is to do with one quantity.
func quantityOperations(in quantityOperationsIn) (any, error) {
	q, err := resource.ParseQuantity(in.Text)
	if err != nil {
		return nil, err
	}
	negated, rounded, multiplied := q.DeepCopy(), q.DeepCopy(), q.DeepCopy()
	negated.Neg()
	exact := rounded.RoundUp(resource.Scale(in.Scale))
	multiplied.Mul(in.Factor)
	integer, isInteger := q.AsInt64()
	var asInt any
	if isInteger {
		asInt = integer
	}
	return map[string]any{
		"decimal":     decimal(q.DeepCopy()),
		"negated":     written(negated),
		"rounded":     written(rounded),
		"exact":       exact,
		"multiplied":  written(multiplied),
		"scaled":      q.ScaledValue(resource.Scale(in.Scale)),
		"compare":     sign(q.CmpInt64(in.Factor)),
		"zero":        q.IsZero(),
		"int":         asInt,
		"slow":        finite(q.AsFloat64Slow()),
		"approximate": finite(q.AsApproximateFloat64()),
	}, nil
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func quantityArithmetic(in [2]string) (any, error) {
	a, err := resource.ParseQuantity(in[0])
	if err != nil {
		return nil, err
	}
	b, err := resource.ParseQuantity(in[1])
	if err != nil {
		return nil, err
	}
	sum, difference := a.DeepCopy(), a.DeepCopy()
	sum.Add(b)
	difference.Sub(b)
	doubled := sum.DeepCopy()
	doubled.Add(sum)
	return map[string]any{
		"sum": written(sum), "difference": written(difference), "doubled": written(doubled),
		"compare": a.Cmp(b), "equal": a.Equal(b),
	}, nil
}

// quantityJSON reads a quantity as it stands in a JSON document, and writes it.
func quantityJSON(text string) (any, error) {
	var q resource.Quantity
	if err := q.UnmarshalJSON([]byte(text)); err != nil {
		return nil, err
	}
	out, err := q.MarshalJSON()
	return string(out), err
}

type quantityNewIn struct {
	Value int64 `json:"value"`
	Scale int32 `json:"scale"`
}

func quantityNew(in quantityNewIn) (any, error) {
	return map[string]any{
		"scaled":   written(*resource.NewScaledQuantity(in.Value, resource.Scale(in.Scale))),
		"binary":   written(*resource.NewQuantity(in.Value, resource.BinarySI)),
		"decimal":  written(*resource.NewQuantity(in.Value, resource.DecimalSI)),
		"milli":    written(*resource.NewMilliQuantity(in.Value, resource.BinarySI)),
		"exponent": written(*resource.NewMilliQuantity(in.Value, resource.DecimalExponent)),
	}, nil
}

type requirementIn struct {
	Key      string            `json:"key"`
	Operator string            `json:"operator"`
	Values   []string          `json:"values"`
	Set      map[string]string `json:"set"`
}

func labelsRequirement(in requirementIn) (any, error) {
	r, err := labels.NewRequirement(in.Key, selection.Operator(in.Operator), in.Values)
	if err != nil {
		return nil, err
	}
	return map[string]any{"text": r.String(), "matches": r.Matches(labels.Set(in.Set))}, nil
}

type exactIn struct {
	Selector string `json:"selector"`
	Key      string `json:"key"`
}

func exactly(value string, found bool) any {
	if !found {
		return nil
	}
	return value
}

func labelsExact(in exactIn) (any, error) {
	selector, err := labels.Parse(in.Selector)
	if err != nil {
		return nil, err
	}
	return exactly(selector.RequiresExactMatch(in.Key)), nil
}

func labelsText(text string) (any, error) {
	set, err := labels.ConvertSelectorToLabelsMap(text)
	if err != nil {
		return nil, err
	}
	return set, nil
}

// labelsSet makes selectors of the first set, for the second.
func labelsSet(in [2]map[string]string) (any, error) {
	a, b := labels.Set(in[0]), labels.Set(in[1])
	out := map[string]any{
		"selector":  labels.SelectorFromSet(a).String(),
		"text":      a.String(),
		"matches":   a.AsSelectorPreValidated().Matches(b),
		"borrowed":  labels.ValidatedSetSelector(a).String(),
		"formatted": labels.FormatLabels(a),
		"conflict":  labels.Conflicts(a, b),
		"merged":    labels.Merge(a, b).String(),
	}
	validated, err := a.AsValidatedSelector()
	if err != nil {
		out["error"] = err.Error()
	} else {
		out["validated"] = validated.String()
	}
	return out, nil
}

// labelsOfLabelSelector takes the JSON of a LabelSelector, or null.
func labelsOfLabelSelector(in *metav1.LabelSelector) (any, error) {
	selector, err := metav1.LabelSelectorAsSelector(in)
	if err != nil {
		return nil, err
	}
	_, selectable := selector.Requirements()
	return map[string]any{"canonical": selector.String(), "empty": selector.Empty(), "selectable": selectable}, nil
}

func fieldsExact(in exactIn) (any, error) {
	selector, err := fields.ParseSelector(in.Selector)
	if err != nil {
		return nil, err
	}
	return exactly(selector.RequiresExactMatch(in.Key)), nil
}

func fieldsEscape(text string) (any, error) {
	out := map[string]any{"escaped": fields.EscapeValue(text)}
	if plain, err := fields.UnescapeValue(text); err != nil {
		out["error"] = err.Error()
	} else {
		out["unescaped"] = plain
	}
	return out, nil
}

type instant struct {
	Seconds int64 `json:"seconds"`
	Nanos   int64 `json:"nanos"`
}

func timePrint(in instant) (any, error) {
	whole, micro := metav1.Unix(in.Seconds, 0), metav1.NewMicroTime(time.Unix(in.Seconds, in.Nanos))
	a, err := whole.MarshalJSON()
	if err != nil {
		return nil, err
	}
	b, err := micro.MarshalJSON()
	if err != nil {
		return nil, err
	}
	query, err := whole.MarshalQueryParameter()
	return map[string]any{"time": string(a), "micro": string(b), "query": query}, err
}

func durationPrint(nanos int64) (any, error) {
	d := metav1.Duration{Duration: time.Duration(nanos)}
	text, err := json.Marshal(d)
	return map[string]any{"json": string(text), "seconds": d.Seconds()}, err
}
