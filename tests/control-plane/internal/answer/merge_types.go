package answer

import (
	"encoding/json"
	"maps"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsscheme "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/scheme"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	apiextensionsopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	aggregatorscheme "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset/scheme"
	aggregatoropenapi "k8s.io/kube-aggregator/pkg/generated/openapi"
	"k8s.io/kube-openapi/pkg/builder3"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	generatedopenapi "k8s.io/kubernetes/pkg/generated/openapi"
	smdschema "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// builtinModels are the OpenAPI models of the built-in kinds, as the API server
// makes its type converter from them.
var builtinModels = sync.OnceValues(func() (map[string]*spec.Schema, error) {
	kinds := map[string][]any{}
	for _, s := range []*runtime.Scheme{scheme.Scheme, apiextensionsscheme.Scheme, aggregatorscheme.Scheme} {
		for gvk := range s.AllKnownTypes() {
			name, err := s.ToOpenAPIDefinitionName(gvk)
			if err != nil {
				return nil, err
			}
			kinds[name] = append(kinds[name], map[string]any{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind})
		}
	}
	definitions := func(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
		all := generatedopenapi.GetOpenAPIDefinitions(ref)
		maps.Copy(all, apiextensionsopenapi.GetOpenAPIDefinitions(ref))
		maps.Copy(all, aggregatoropenapi.GetOpenAPIDefinitions(ref))
		return all
	}
	ref := func(name string) spec.Ref { return spec.MustCreateRef("#/components/schemas/" + name) }
	var names []string
	for name := range definitions(ref) {
		if _, ok := kinds[name]; ok {
			names = append(names, name)
		}
	}
	return builder3.BuildOpenAPIDefinitionsForResources(&common.OpenAPIV3Config{
		Info:           &spec.Info{},
		GetDefinitions: definitions,
		GetDefinitionName: func(name string) (string, spec.Extensions) {
			if gvks, ok := kinds[name]; ok {
				return name, spec.Extensions{"x-kubernetes-group-version-kind": gvks}
			}
			return name, nil
		},
	}, names...)
})

type typeIndex map[schema.GroupVersionKind]*typed.ParseableType

func typesOf(models map[string]*spec.Schema, preserve bool) (typeIndex, error) {
	s, err := schemaconv.ToSchemaFromOpenAPI(models, preserve)
	if err != nil {
		return nil, err
	}
	parser := &typed.Parser{Schema: smdschema.Schema{Types: s.Types}}
	out := typeIndex{}
	for name, model := range models {
		list, _ := model.Extensions["x-kubernetes-group-version-kind"].([]any)
		for _, item := range list {
			gvk, _ := item.(map[string]any)
			text := func(key string) string { s, _ := gvk[key].(string); return s }
			t := parser.Type(name)
			out[schema.GroupVersionKind{Group: text("group"), Version: text("version"), Kind: text("kind")}] = &t
		}
	}
	return out, nil
}

var builtinTypes = sync.OnceValues(func() (typeIndex, error) {
	models, err := builtinModels()
	if err != nil {
		return nil, err
	}
	return typesOf(models, false)
})

// schemaOf converts models that are given as JSON.
func schemaOf(raw json.RawMessage, preserve bool) (*smdschema.Schema, error) {
	var models map[string]*spec.Schema
	if err := json.Unmarshal(raw, &models); err != nil {
		return nil, badInput{err}
	}
	return schemaconv.ToSchemaFromOpenAPI(models, preserve)
}

var crds = map[string]typeIndex{}

// crdTypes does what the handler of custom resources does before it applies.
func crdTypes(raw json.RawMessage) (typeIndex, error) {
	if t, ok := crds[string(raw)]; ok {
		return t, nil
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := json.Unmarshal(raw, &crd); err != nil {
		return nil, badInput{err}
	}
	all := map[string]*spec.Schema{}
	static, err := builtinModels()
	if err != nil {
		return nil, err
	}
	const meta = "io.k8s.apimachinery.pkg.apis.meta.v1."
	for _, name := range []string{"ObjectMeta", "OwnerReference", "ManagedFieldsEntry", "FieldsV1", "Time"} {
		all[meta+name] = static[meta+name]
	}
	for _, v := range crd.Spec.Versions {
		s, err := builder.BuildOpenAPIV3(&crd, v.Name, builder.Options{})
		if err != nil {
			return nil, err
		}
		for name, model := range s.Components.Schemas {
			if kinds, ok := model.Extensions["x-kubernetes-group-version-kind"].([]any); ok && len(kinds) == 1 {
				if k, ok := kinds[0].(map[string]any); ok && k["kind"] == crd.Spec.Names.Kind {
					all[name] = model
				}
			}
		}
	}
	t, err := typesOf(all, crd.Spec.PreserveUnknownFields)
	if err == nil && len(crds) < 1000 {
		crds[string(raw)] = t
	}
	if err != nil {
		return nil, err
	}
	for gvk := range t {
		if gvk.Kind != crd.Spec.Names.Kind {
			delete(t, gvk)
		}
	}
	return t, nil
}
