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
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func init() {
	functions["custom.write"] = of(customWrite)
	functions["custom.definition"] = of(customDefinition)
}

type customIn struct {
	Schema apiextensionsv1.JSONSchemaProps `json:"schema"`
	Object json.RawMessage                 `json:"object"`
	Old    json.RawMessage                 `json:"old,omitempty"`
	// Status is whether there is the subresource of that name, Scale where the other is.
	Status bool                                          `json:"status,omitempty"`
	Scale  *apiextensions.CustomResourceSubresourceScale `json:"scale,omitempty"`
	// Part is "status" for an update of the status.
	Part string `json:"part,omitempty"`
}

// sortedTexts is every error once, in the order of the texts.
func sortedTexts(errs field.ErrorList) []string {
	texts := sets.New[string]()
	for _, err := range errs {
		texts.Insert(err.Error())
	}
	return sets.List(texts)
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
	rules := customresource.NewStrategy(nil, true, kind, validator, statusValidator, structural, status, in.Scale, nil)
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
		// What is there was created.
		rules.PrepareForCreate(ctx, before)
		if in.Part == "status" {
			statusRules := customresource.NewStatusStrategy(rules)
			statusRules.PrepareForUpdate(ctx, object, old)
			errs = statusRules.ValidateUpdate(ctx, object, old)
		} else {
			// As the system fills it in.
			object.SetGeneration(before.GetGeneration())
			rules.PrepareForUpdate(ctx, object, old)
			errs = rules.ValidateUpdate(ctx, object, old)
		}
	}
	if len(errs) > 0 {
		// Much of it is found in the order of Go's maps.
		return map[string]any{"invalid": sortedTexts(errs)}, nil
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

type definitionIn struct {
	New json.RawMessage `json:"new"`
	// Old is what is there, established.
	Old json.RawMessage `json:"old,omitempty"`
}

// customDefinition is what is wrong with a definition, and what is told of one
// that is not wrong.
func customDefinition(in definitionIn) (any, error) {
	ctx, object, rules, _, err := internal(in.New)
	if err != nil {
		return nil, err
	}
	definition, ok := object.(*apiextensions.CustomResourceDefinition)
	if !ok {
		return nil, badInput{fmt.Errorf("not a definition: %T", object)}
	}
	if in.Old == nil {
		rules.PrepareForCreate(ctx, definition)
		if errs := rules.Validate(ctx, definition); len(errs) > 0 {
			return map[string]any{"invalid": sortedTexts(errs)}, nil
		}
		return map[string]any{"warnings": texts(rules.WarningsOnCreate(ctx, definition))}, nil
	}
	_, before, _, _, err := internal(in.Old)
	if err != nil {
		return nil, err
	}
	old, ok := before.(*apiextensions.CustomResourceDefinition)
	if !ok {
		return nil, badInput{fmt.Errorf("not a definition: %T", before)}
	}
	rules.PrepareForCreate(ctx, old)
	if errs := rules.Validate(ctx, old); len(errs) > 0 {
		return nil, badInput{errs.ToAggregate()}
	}
	old.ResourceVersion, definition.ResourceVersion = "1", "1"
	definition.Generation = old.Generation
	old.Status.Conditions = []apiextensions.CustomResourceDefinitionCondition{{Type: apiextensions.Established, Status: apiextensions.ConditionTrue}}
	rules.PrepareForUpdate(ctx, definition, old)
	if errs := rules.ValidateUpdate(ctx, definition, old); len(errs) > 0 {
		return map[string]any{"invalid": sortedTexts(errs)}, nil
	}
	return map[string]any{"warnings": texts(rules.WarningsOnUpdate(ctx, definition, old))}, nil
}
