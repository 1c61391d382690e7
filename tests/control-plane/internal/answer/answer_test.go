package answer

import (
	"strings"
	"testing"
)

func TestAnswersInOrder(t *testing.T) {
	for _, c := range []struct{ request, response string }{
		{`{"id":1,"fn":"quantity.parse","in":"0.5Gi"}`, `{"id":1,"out":{"canonical":"512Mi","format":"BinarySI","sign":1,"value":536870912,"milliValue":536870912000,"float":536870912,"decimal":"536870912"}}`},
		{`{"id":"two","fn":"labels.parse","in":"b,a=1"}`, `{"id":"two","out":{"canonical":"a=1,b","empty":false,"requirements":[{"key":"a","operator":"=","values":["1"]},{"key":"b","operator":"exists","values":[]}]}}`},
		{`{"id":[3],"fn":"fields.parse","in":"a"}`, `{"id":[3],"error":"invalid selector: 'a'; can't understand 'a'"}`},
		{`{"id":4,"fn":"fields.matches","in":{"selector":"a!=b","set":{"a":"c"}}}`, `{"id":4,"out":true}`},
		{`{"id":5,"fn":"time.parse","in":"2020-01-01T02:00:00+02:00"}`, `{"id":5,"out":{"json":"\"2020-01-01T00:00:00Z\"","seconds":1577836800,"nanos":0}}`},
		{`{"id":6,"fn":"quantity.parse","in":6}`, `{"id":6,"error":"json: cannot unmarshal number into Go value of type string","bad":true}`},
		{`{"id":7,"fn":"none"}`, `{"id":7,"error":"no function \"none\"","bad":true}`},
	} {
		var out strings.Builder
		if err := serve(strings.NewReader(c.request), &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(out.String()); got != c.response {
			t.Errorf("%s\n got %s\nwant %s", c.request, got, c.response)
		}
	}
}
