package answer

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// functions by name. Each takes a string unless it says otherwise.
var functions = map[string]function{
	"quantity.parse": of(quantityParse),
	"labels.parse":   of(labelsParse),
	"labels.matches": of(labelsMatches),
	"fields.parse":   of(fieldsParse),
	"fields.matches": of(fieldsMatches),
	"time.parse":     of(timeParse),
}

type quantityOut struct {
	Canonical  string `json:"canonical"`
	Format     string `json:"format"`
	Sign       int    `json:"sign"`
	Value      int64  `json:"value"`      // rounded up
	MilliValue int64  `json:"milliValue"` // rounded up
	Float      any    `json:"float"`
	Decimal    string `json:"decimal"` // exact
}

func quantityParse(text string) (any, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return nil, err
	}
	out := quantityOut{
		Canonical: q.String(), Format: string(q.Format), Sign: q.Sign(),
		Value: q.Value(), MilliValue: q.MilliValue(), Float: finite(q.AsApproximateFloat64()),
	}
	// How many zeros follow depends on how the quantity is held in memory.
	out.Decimal = q.AsDec().String()
	if strings.Contains(out.Decimal, ".") {
		out.Decimal = strings.TrimRight(strings.TrimRight(out.Decimal, "0"), ".")
	}
	return out, nil
}

// finite is a float, or nil for what JSON cannot hold.
func finite(f float64) any {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return f
}

type requirementOut struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

type selectorOut struct {
	Canonical    string           `json:"canonical"`
	Empty        bool             `json:"empty"`
	Requirements []requirementOut `json:"requirements"`
}

func labelsParse(text string) (any, error) {
	selector, err := labels.Parse(text)
	if err != nil {
		return nil, err
	}
	out := selectorOut{Canonical: selector.String(), Empty: selector.Empty(), Requirements: []requirementOut{}}
	requirements, _ := selector.Requirements()
	for _, r := range requirements {
		values := r.ValuesUnsorted()
		if values == nil {
			values = []string{}
		}
		out.Requirements = append(out.Requirements, requirementOut{r.Key(), string(r.Operator()), values})
	}
	return out, nil
}

// matchesIn is a selector and the labels or fields it is held against.
type matchesIn struct {
	Selector string            `json:"selector"`
	Set      map[string]string `json:"set"`
}

func labelsMatches(in matchesIn) (any, error) {
	selector, err := labels.Parse(in.Selector)
	if err != nil {
		return nil, err
	}
	return selector.Matches(labels.Set(in.Set)), nil
}

func fieldsParse(text string) (any, error) {
	selector, err := fields.ParseSelector(text)
	if err != nil {
		return nil, err
	}
	out := selectorOut{Canonical: selector.String(), Empty: selector.Empty(), Requirements: []requirementOut{}}
	for _, r := range selector.Requirements() {
		out.Requirements = append(out.Requirements, requirementOut{r.Field, string(r.Operator), []string{r.Value}})
	}
	return out, nil
}

func fieldsMatches(in matchesIn) (any, error) {
	selector, err := fields.ParseSelector(in.Selector)
	if err != nil {
		return nil, err
	}
	return selector.Matches(fields.Set(in.Set)), nil
}

type timeOut struct {
	JSON    string `json:"json"`
	Seconds int64  `json:"seconds"`
	Nanos   int    `json:"nanos"`
}

// timeIn is the text of a time and which of the types reads it: Time (the
// default), MicroTime or Duration. The text alone will do for Time.
type timeIn struct {
	Text string `json:"text"`
	Type string `json:"type"`
}

func (in *timeIn) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &in.Text) == nil {
		return nil
	}
	type object timeIn
	return json.Unmarshal(data, (*object)(in))
}

func timeParse(in timeIn) (any, error) {
	quoted, err := json.Marshal(in.Text)
	if err != nil {
		return nil, err
	}
	switch in.Type {
	case "", "Time":
		var t metav1.Time
		return readTime(t.UnmarshalJSON(quoted), &t, func() time.Time { return t.Time })
	case "MicroTime":
		var t metav1.MicroTime
		return readTime(t.UnmarshalJSON(quoted), &t, func() time.Time { return t.Time })
	case "Duration":
		var d metav1.Duration
		if err := d.UnmarshalJSON(quoted); err != nil {
			return nil, err
		}
		return map[string]any{"json": d.Duration.String(), "nanos": d.Duration.Nanoseconds()}, nil
	}
	return nil, badInput{fmt.Errorf("no type %q", in.Type)}
}

func readTime(err error, value interface{ MarshalJSON() ([]byte, error) }, when func() time.Time) (any, error) {
	if err != nil {
		return nil, err
	}
	text, err := value.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return timeOut{JSON: string(text), Seconds: when().Unix(), Nanos: when().Nanosecond()}, nil
}
