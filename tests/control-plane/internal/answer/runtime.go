package answer

import (
	"bytes"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"net/url"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/runtime/serializer/recognizer"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"pintle/control-plane/internal/vectors"
)

func init() {
	functions["runtime.transcode"] = of(runtimeTranscode)
	functions["runtime.strict"] = of(runtimeStrict)
	functions["runtime.recognize"] = of(runtimeRecognize)
	functions["runtime.unstructured"] = of(runtimeUnstructured)
	functions["runtime.fromUnstructured"] = of(runtimeFromUnstructured)
	functions["runtime.toUnstructured"] = of(runtimeToUnstructured)
	functions["runtime.cbor"] = of(runtimeCBOR)
	functions["runtime.yaml"] = of(runtimeYAML)
	functions["query.encode"] = of(queryEncode)
	functions["query.decode"] = of(queryDecode)
}

// everything is the scheme of all kinds and its serializers, made when first
// asked for.
var everything = sync.OnceValue(func() *allKinds {
	scheme, err := vectors.Scheme()
	if err != nil {
		panic(err)
	}
	make := func(strict bool) map[string]runtime.Serializer {
		return map[string]runtime.Serializer{
			"json":     json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Strict: strict}),
			"yaml":     json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: strict}),
			"protobuf": protobuf.NewSerializer(scheme, scheme),
			"cbor":     cbor.NewSerializer(scheme, scheme, cbor.Strict(strict)),
		}
	}
	all := &allKinds{scheme: scheme, lax: make(false), strict: make(true)}
	all.parameters = runtime.NewParameterCodec(scheme)
	return all
})

type allKinds struct {
	scheme      *runtime.Scheme
	lax, strict map[string]runtime.Serializer
	parameters  runtime.ParameterCodec
}

// body is an encoded object: text for the formats that are text, base64 for
// the others.
type body struct {
	Format string `json:"format"`
	Data   string `json:"data"`
}

func (b body) bytes() ([]byte, error) {
	if b.Format == "protobuf" || b.Format == "cbor" {
		data, err := base64.StdEncoding.DecodeString(b.Data)
		if err != nil {
			return nil, badInput{err}
		}
		return data, nil
	}
	return []byte(b.Data), nil
}

// show gives encoded bytes as an answer: YAML as the JSON it stands for.
func show(format string, data []byte) (string, error) {
	switch format {
	case "protobuf", "cbor":
		return base64.StdEncoding.EncodeToString(data), nil
	case "yaml":
		text, err := yaml.YAMLToJSON(data)
		return string(text), err
	}
	return string(bytes.TrimRight(data, "\n")), nil
}

type transcodeIn struct {
	body
	To string `json:"to"`
}

type transcodeOut struct {
	Kind string `json:"kind"`
	Data string `json:"data"`
}

func runtimeTranscode(in transcodeIn) (any, error) {
	all := everything()
	data, err := in.bytes()
	if err != nil {
		return nil, err
	}
	object, kind, err := all.lax[in.Format].Decode(data, nil, nil)
	if err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(*kind)
	var out bytes.Buffer
	if err := all.lax[in.To].Encode(object, &out); err != nil {
		return nil, err
	}
	text, err := show(in.To, out.Bytes())
	return transcodeOut{kind.String(), text}, err
}

type strictOut struct {
	Object string   `json:"object"`
	Strict []string `json:"strict"`
}

// strictErrors are the texts of a strict decoding error; any other error stays.
func strictErrors(err error) ([]string, error) {
	out := []string{}
	if err == nil {
		return out, nil
	}
	strict, ok := runtime.AsStrictDecodingError(err)
	if !ok {
		return nil, err
	}
	for _, e := range strict.Errors() {
		out = append(out, e.Error())
	}
	return out, nil
}

type strictIn struct {
	body
	Unstructured bool `json:"unstructured"`
}

func runtimeStrict(in strictIn) (any, error) {
	all := everything()
	data, err := in.bytes()
	if err != nil {
		return nil, err
	}
	var into runtime.Object
	if in.Unstructured {
		into = &unstructured.Unstructured{}
	}
	object, kind, err := all.strict[in.Format].Decode(data, nil, into)
	texts, err := strictErrors(err)
	if err != nil {
		return nil, err
	}
	if !in.Unstructured {
		object.GetObjectKind().SetGroupVersionKind(*kind)
	}
	var out bytes.Buffer
	if err := all.lax["json"].Encode(object, &out); err != nil {
		return nil, err
	}
	text, err := show("json", out.Bytes())
	return strictOut{text, texts}, err
}

func runtimeRecognize(data string) (any, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, badInput{err}
	}
	all := everything()
	for _, format := range []string{"json", "protobuf", "cbor"} {
		ok, _, err := all.lax[format].(recognizer.RecognizingDecoder).RecognizesData(raw)
		if err != nil {
			return nil, err
		}
		if ok {
			return format, nil
		}
	}
	return "yaml", nil
}

// runtimeUnstructured decodes to an object or a list without a type, as the
// dynamic client does.
func runtimeUnstructured(in transcodeIn) (any, error) {
	all := everything()
	data, err := in.bytes()
	if err != nil {
		return nil, err
	}
	var object runtime.Object
	switch in.Format {
	case "cbor":
		into := &unstructured.Unstructured{}
		object, _, err = all.lax["cbor"].Decode(data, nil, into)
	case "yaml":
		if data, err = yaml.YAMLToJSON(data); err != nil {
			return nil, err
		}
		fallthrough
	default:
		object, _, err = unstructured.UnstructuredJSONScheme.Decode(data, nil, nil)
	}
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	switch in.To {
	case "cbor", "yaml":
		err = all.lax[in.To].Encode(object, &out)
	default:
		err = unstructured.UnstructuredJSONScheme.Encode(object, &out)
	}
	if err != nil {
		return nil, err
	}
	text, err := show(in.To, out.Bytes())
	return transcodeOut{object.GetObjectKind().GroupVersionKind().String(), text}, err
}

type converterIn struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
	Data    string `json:"data"`
}

func (in converterIn) new() (runtime.Object, error) {
	object, err := everything().scheme.New(schema.GroupVersionKind{Group: in.Group, Version: in.Version, Kind: in.Kind})
	if err != nil {
		return nil, badInput{err}
	}
	return object, nil
}

func runtimeFromUnstructured(in converterIn) (any, error) {
	object, err := in.new()
	if err != nil {
		return nil, err
	}
	var content map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(in.Data), &content); err != nil {
		return nil, badInput{err}
	}
	err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(content, object, true)
	texts, err := strictErrors(err)
	if err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{Group: in.Group, Version: in.Version, Kind: in.Kind})
	text, err := stdjson.Marshal(object)
	return strictOut{string(text), texts}, err
}

func runtimeToUnstructured(in converterIn) (any, error) {
	object, err := in.new()
	if err != nil {
		return nil, err
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(in.Data), object); err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{Group: in.Group, Version: in.Version, Kind: in.Kind})
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	text, err := stdjson.Marshal(content)
	return string(text), err
}

// runtimeCBOR reads any data item and writes it again.
func runtimeCBOR(data string) (any, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, badInput{err}
	}
	var value any
	if err := direct.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	again, err := direct.Marshal(value)
	if err != nil {
		return nil, err
	}
	text, err := stdjson.Marshal(value)
	if err != nil {
		return nil, err
	}
	return map[string]string{"json": string(text), "cbor": base64.StdEncoding.EncodeToString(again)}, nil
}

// runtimeYAML reads a document and says what strictness objects to.
func runtimeYAML(text string) (any, error) {
	out, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	strict := ""
	if _, err := yaml.YAMLToJSONStrict([]byte(text)); err != nil {
		strict = err.Error()
	}
	back, err := yaml.JSONToYAML(out)
	if err != nil {
		return nil, err
	}
	return map[string]string{"json": string(out), "strict": strict, "yaml": string(back)}, nil
}

func optionsOf(kind string) (runtime.Object, error) {
	switch kind {
	case "ListOptions":
		return &metav1.ListOptions{}, nil
	case "GetOptions":
		return &metav1.GetOptions{}, nil
	case "CreateOptions":
		return &metav1.CreateOptions{}, nil
	case "UpdateOptions":
		return &metav1.UpdateOptions{}, nil
	case "PatchOptions":
		return &metav1.PatchOptions{}, nil
	case "DeleteOptions":
		return &metav1.DeleteOptions{}, nil
	}
	return nil, badInput{fmt.Errorf("no options %q", kind)}
}

type queryIn struct {
	Kind  string `json:"kind"`
	Query string `json:"query"`
}

// queryDecode reads options from a query and writes them again.
func queryDecode(in queryIn) (any, error) {
	options, err := optionsOf(in.Kind)
	if err != nil {
		return nil, err
	}
	// As a server does: what is malformed is left out.
	values, _ := url.ParseQuery(in.Query)
	codec := everything().parameters
	version := schema.GroupVersion{Version: "v1"}
	if err := codec.DecodeParameters(values, version, options); err != nil {
		return nil, err
	}
	again, err := codec.EncodeParameters(options, version)
	if err != nil {
		return nil, err
	}
	return again.Encode(), nil
}

type queryObject struct {
	Kind string `json:"kind"`
	Data string `json:"data"`
}

func queryEncode(in queryObject) (any, error) {
	options, err := optionsOf(in.Kind)
	if err != nil {
		return nil, err
	}
	if err := stdjson.Unmarshal([]byte(in.Data), options); err != nil {
		return nil, badInput{err}
	}
	values, err := everything().parameters.EncodeParameters(options, schema.GroupVersion{Version: "v1"})
	if err != nil {
		return nil, err
	}
	return values.Encode(), nil
}
