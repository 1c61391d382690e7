package vectors

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand"

	admissionv1 "k8s.io/api/admission/v1"
	admissionv1beta1 "k8s.io/api/admission/v1beta1"
	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apidiscoveryv2beta1 "k8s.io/api/apidiscovery/v2beta1"
	imagepolicyv1alpha1 "k8s.io/api/imagepolicy/v1alpha1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1beta1 "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/sets"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	apiregistrationv1beta1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1beta1"
	custommetricsv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	externalmetricsv1beta1 "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// universe is every kind there is, with what encodes them.
type universe struct {
	scheme *runtime.Scheme
	codecs serializer.CodecFactory
	json   runtime.Serializer
	yaml   runtime.Serializer
	proto  runtime.Serializer
}

func newUniverse() (*universe, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientscheme.AddToScheme,
		admissionv1.AddToScheme,
		admissionv1beta1.AddToScheme,
		apidiscoveryv2.AddToScheme,
		apidiscoveryv2beta1.AddToScheme,
		imagepolicyv1alpha1.AddToScheme,
		apiextensionsv1.AddToScheme,
		apiextensionsv1beta1.AddToScheme,
		apiregistrationv1.AddToScheme,
		apiregistrationv1beta1.AddToScheme,
		metricsv1beta1.AddToScheme,
		custommetricsv1beta2.AddToScheme,
		externalmetricsv1beta1.AddToScheme,
		metav1.AddMetaToScheme,
		metav1beta1.AddMetaToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	// What the server answers with whatever the group: Status, API discovery,
	// and the options, under the version v1 of the group without a name.
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	// JSON is not indented: that would reach into raw values, and change them.
	return &universe{
		scheme: scheme,
		codecs: serializer.NewCodecFactory(scheme),
		json:   json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{}),
		yaml:   json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true}),
		proto:  protobuf.NewSerializer(scheme, scheme),
	}, nil
}

// everywhere are kinds each group version registers again; they are one kind,
// so only that of the group without a name counts.
var everywhere = sets.New("CreateOptions", "UpdateOptions", "PatchOptions", "DeleteOptions", "GetOptions", "ListOptions")

// kinds are the external kinds whose objects say what they are, in order.
func (u *universe) kinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for kind := range u.scheme.AllKnownTypes() {
		switch {
		case kind.Version == runtime.APIVersionInternal:
		case kind.Kind == "WatchEvent": // has neither apiVersion nor kind
		case kind.Group != "" && everywhere.Has(kind.Kind):
		default:
			kinds = append(kinds, kind)
		}
	}
	sortKinds(kinds)
	return kinds
}

// vector is one object in its encodings. A kind without protobuf has none.
type vector struct {
	json, yaml, protobuf []byte
}

// patience is how many random objects a kind may need until one survives every
// encoding.
const patience = 50

// vector makes the number n of a kind. Random values can be such that Go itself
// does not get them back unchanged; those are left out, and counted.
func (u *universe) vector(kind schema.GroupVersionKind, seed int64, n int) (vector, int, error) {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%d %s %d", seed, kind, n)
	random := rand.NewSource(int64(hash.Sum64()))
	funcs := fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, ownFuncs)
	fill := fuzzer.FuzzerFor(funcs, random, u.codecs).NilChance(0.35).NumElements(0, 3)
	var last error
	for try := range patience {
		object, err := u.scheme.New(kind)
		if err != nil {
			return vector{}, try, err
		}
		fill.Fill(object)
		v, err := u.encode(kind, object)
		if err == nil {
			return v, try, nil
		}
		last = err
	}
	return vector{}, patience, last
}

// encode encodes an object and makes sure that each encoding decodes to the
// same. What protobuf cannot tell apart (an empty list and none) is settled
// first, by taking the object as protobuf gives it back.
func (u *universe) encode(kind schema.GroupVersionKind, object runtime.Object) (vector, error) {
	var v vector
	object.GetObjectKind().SetGroupVersionKind(kind)
	if _, ok := object.(interface{ Marshal() ([]byte, error) }); ok {
		first, err := runtime.Encode(u.proto, object)
		if err != nil {
			return v, err
		}
		if object, err = u.decode(u.proto, kind, first); err != nil {
			return v, err
		}
		if v.protobuf, err = runtime.Encode(u.proto, object); err != nil {
			return v, err
		}
		if !bytes.Equal(first, v.protobuf) {
			return v, errors.New("protobuf changes when encoded again")
		}
	}
	var err error
	if v.json, err = runtime.Encode(u.json, object); err != nil {
		return v, err
	}
	if v.yaml, err = runtime.Encode(u.yaml, object); err != nil {
		return v, err
	}
	for _, text := range []struct {
		name  string
		codec runtime.Serializer
		data  []byte
	}{{"JSON", u.json, v.json}, {"YAML", u.yaml, v.yaml}} {
		back, err := u.decode(text.codec, kind, text.data)
		if err != nil {
			return v, fmt.Errorf("%s: %w", text.name, err)
		}
		again, err := runtime.Encode(u.json, back)
		if err != nil {
			return v, err
		}
		if !bytes.Equal(again, v.json) {
			return v, fmt.Errorf("%s changes when decoded", text.name)
		}
		if v.protobuf == nil {
			continue
		}
		if again, err = runtime.Encode(u.proto, back); err != nil {
			return v, err
		}
		if !bytes.Equal(again, v.protobuf) {
			return v, fmt.Errorf("%s and protobuf differ", text.name)
		}
	}
	return v, nil
}

// decode decodes to the kind's Go type and keeps apiVersion and kind, which
// some decoders strip.
func (u *universe) decode(codec runtime.Serializer, kind schema.GroupVersionKind, data []byte) (runtime.Object, error) {
	into, err := u.scheme.New(kind)
	if err != nil {
		return nil, err
	}
	object, _, err := codec.Decode(data, &kind, into)
	if err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(kind)
	return object, nil
}
