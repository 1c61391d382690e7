package answer

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	structuraldefaulting "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	schemaobjectmeta "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	structuralpruning "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apiservervalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func init() {
	functions["custom.write"] = of(customWrite)
}

type customIn struct {
	Schema apiextensionsv1.JSONSchemaProps `json:"schema"`
	Object json.RawMessage                 `json:"object"`
	Old    json.RawMessage                 `json:"old,omitempty"`
	Status bool                            `json:"status,omitempty"`
}

// customWrite is what a server makes of an object of a custom resource with a
// schema: the object as it would be stored, and what is wrong with it.
func customWrite(in customIn) (any, error) {
	props := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&in.Schema, props, nil); err != nil {
		return nil, badInput{err}
	}
	structural, err := structuralschema.NewStructural(props)
	if err != nil {
		return nil, badInput{err}
	}
	if errs := structuralschema.ValidateStructural(nil, structural); len(errs) > 0 {
		return nil, badInput{errs.ToAggregate()}
	}
	if err := structuraldefaulting.PruneDefaults(structural); err != nil {
		return nil, badInput{err}
	}
	validator, _, err := apiservervalidation.NewSchemaValidator(props)
	if err != nil {
		return nil, badInput{err}
	}
	var status *apiextensions.CustomResourceSubresourceStatus
	var statusValidator apiservervalidation.SchemaValidator
	if in.Status {
		status = &apiextensions.CustomResourceSubresourceStatus{}
		if sub, ok := props.Properties["status"]; ok {
			if statusValidator, _, err = apiservervalidation.NewSchemaValidator(&sub); err != nil {
				return nil, badInput{err}
			}
		}
	}
	kind := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Foo"}
	rules := customresource.NewStrategy(nil, true, kind, validator, statusValidator, structural, status, nil, nil)
	read := func(data []byte) (*unstructured.Unstructured, []string, error) {
		var content map[string]any
		if err := utiljson.Unmarshal(data, &content); err != nil {
			return nil, nil, badInput{err}
		}
		unknown := structuralpruning.PruneWithOptions(content, structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
		if err, more := schemaobjectmeta.CoerceWithOptions(nil, content, structural, false, schemaobjectmeta.CoerceOptions{DropInvalidFields: false, ReturnUnknownFieldPaths: true}); err != nil {
			return nil, nil, err
		} else {
			unknown = append(unknown, more...)
		}
		structuraldefaulting.PruneNonNullableNullsWithoutDefaults(content, structural)
		structuraldefaulting.Default(content, structural)
		return &unstructured.Unstructured{Object: content}, unknown, nil
	}
	object, unknown, err := read(in.Object)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	var errs field.ErrorList
	if in.Old == nil {
		rules.PrepareForCreate(ctx, object)
		errs = rules.Validate(ctx, object)
	} else {
		var old runtime.Object
		before, _, err := read(in.Old)
		if err != nil {
			return nil, badInput{err}
		}
		old = before
		rules.PrepareForUpdate(ctx, object, old)
		errs = rules.ValidateUpdate(ctx, object, old)
	}
	if len(errs) > 0 {
		return nil, apierrors.NewInvalid(kind.GroupKind(), object.GetName(), errs)
	}
	if unknown == nil {
		unknown = []string{}
	}
	content, err := json.Marshal(object.Object)
	if err != nil {
		return nil, fmt.Errorf("an object that has no JSON: %w", err)
	}
	return map[string]any{"object": json.RawMessage(content), "unknown": unknown}, nil
}
