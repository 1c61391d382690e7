package answer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	internalvalidation "k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"
)

func init() {
	functions["intstr.parse"] = of(intstrParse)
	functions["intstr.scale"] = of(intstrScale)
	functions["resourceversion.compare"] = of(resourceVersionCompare)
	functions["labelselector.parse"] = of(labelSelectorParse)
	functions["labelselector.convert"] = of(labelSelectorConvert)
	functions["labelselector.fromLabels"] = of(labelSelectorFromLabels)
	functions["options.list"] = of(optionsList)
	functions["options.write"] = of(optionsWrite)
	functions["options.delete"] = of(optionsDelete)
	functions["status.new"] = of(statusNew)
	functions["status.predicates"] = of(statusPredicates)
	functions["conditions.edit"] = of(conditionsEdit)
	functions["restmapper.ask"] = of(restMapperAsk)
	functions["restmapper.guess"] = of(restMapperGuess)
	functions["restmapper.category"] = of(restMapperCategory)
	functions["table.convert"] = of(tableConvert)
	functions["errors.aggregate"] = of(errorsAggregate)
}

func intstrParse(text string) (any, error) {
	value := intstr.Parse(text)
	return map[string]any{"type": value.Type, "string": value.String(), "value": value.IntValue()}, nil
}

type scaleIn struct {
	Of    intstr.IntOrString `json:"of"`
	Total int                `json:"total"`
	Up    bool               `json:"up"`
}

func intstrScale(in scaleIn) (any, error) {
	return intstr.GetScaledValueFromIntOrPercent(&in.Of, in.Total, in.Up)
}

func resourceVersionCompare(in [2]string) (any, error) {
	return resourceversion.CompareResourceVersion(in[0], in[1])
}

func labelSelectorParse(text string) (any, error) {
	selector, err := metav1.ParseToLabelSelector(text)
	if err != nil {
		return nil, err
	}
	return selector, nil
}

// converted is what a label selector becomes: each conversion, or its error.
type converted struct {
	Selector string            `json:"selector"`
	Map      map[string]string `json:"map"`
	Errors   []string          `json:"errors"`
	Format   string            `json:"format"`
	Nothing  bool              `json:"nothing"`
	Empty    bool              `json:"empty"`
}

func labelSelectorConvert(in *metav1.LabelSelector) (any, error) {
	out := converted{Errors: []string{}, Format: metav1.FormatLabelSelector(in)}
	selector, err := metav1.LabelSelectorAsSelector(in)
	if err != nil {
		out.Errors = append(out.Errors, err.Error())
	} else {
		out.Selector, out.Empty = selector.String(), selector.Empty()
		_, selectable := selector.Requirements()
		out.Nothing = !selectable
	}
	out.Map, err = metav1.LabelSelectorAsMap(in)
	if err != nil {
		out.Errors = append(out.Errors, err.Error())
		out.Map = nil
	}
	return out, nil
}

func labelSelectorFromLabels(in map[string]string) (any, error) {
	return metav1.SetAsLabelSelector(labels.Set(in)), nil
}

// problems are field errors as a list of texts.
func problems(all field.ErrorList) any {
	out := []string{}
	for _, err := range all {
		out = append(out, err.Error())
	}
	return out
}

type optionsListIn struct {
	Options   internalversion.ListOptions `json:"options"`
	WatchList bool                        `json:"watchList"`
	Default   bool                        `json:"default"`
}

func optionsList(in optionsListIn) (any, error) {
	if in.Default {
		internalversion.SetListOptionsDefaults(&in.Options, in.WatchList)
	}
	all := internalvalidation.ValidateListOptions(&in.Options, in.WatchList)
	return map[string]any{
		"problems":          problems(all),
		"match":             in.Options.ResourceVersionMatch,
		"sendInitialEvents": in.Options.SendInitialEvents,
	}, nil
}

type optionsWriteIn struct {
	Kind            string   `json:"kind"`
	DryRun          []string `json:"dryRun"`
	FieldManager    string   `json:"fieldManager"`
	FieldValidation string   `json:"fieldValidation"`
	Force           *bool    `json:"force"`
	PatchType       string   `json:"patchType"`
}

func optionsWrite(in optionsWriteIn) (any, error) {
	switch in.Kind {
	case "create":
		return problems(validation.ValidateCreateOptions(&metav1.CreateOptions{
			DryRun: in.DryRun, FieldManager: in.FieldManager, FieldValidation: in.FieldValidation,
		})), nil
	case "update":
		return problems(validation.ValidateUpdateOptions(&metav1.UpdateOptions{
			DryRun: in.DryRun, FieldManager: in.FieldManager, FieldValidation: in.FieldValidation,
		})), nil
	case "patch":
		return problems(validation.ValidatePatchOptions(&metav1.PatchOptions{
			DryRun: in.DryRun, FieldManager: in.FieldManager, FieldValidation: in.FieldValidation, Force: in.Force,
		}, types.PatchType(in.PatchType))), nil
	}
	return nil, badInput{fmt.Errorf("no kind %q", in.Kind)}
}

func optionsDelete(in metav1.DeleteOptions) (any, error) {
	return problems(validation.ValidateDeleteOptions(&in)), nil
}

type statusNewIn struct {
	Of            string               `json:"of"`
	Group         string               `json:"group"`
	Resource      string               `json:"resource"`
	Name          string               `json:"name"`
	Text          string               `json:"text"`
	Verb          string               `json:"verb"`
	Code          int                  `json:"code"`
	RetryAfter    int                  `json:"retryAfter"`
	IsUnexpected  bool                 `json:"isUnexpected"`
	Causes        []metav1.StatusCause `json:"causes"`
	InvalidFields []string             `json:"invalidFields"`
}

func statusNew(in statusNewIn) (any, error) {
	resource := schema.GroupResource{Group: in.Group, Resource: in.Resource}
	kind := schema.GroupKind{Group: in.Group, Kind: in.Resource}
	cause := errors.New(in.Text)
	var err *apierrors.StatusError
	switch in.Of {
	case "NotFound":
		err = apierrors.NewNotFound(resource, in.Name)
	case "AlreadyExists":
		err = apierrors.NewAlreadyExists(resource, in.Name)
	case "GenerateNameConflict":
		err = apierrors.NewGenerateNameConflict(resource, in.Name, in.RetryAfter)
	case "Unauthorized":
		err = apierrors.NewUnauthorized(in.Text)
	case "Forbidden":
		err = apierrors.NewForbidden(resource, in.Name, cause)
	case "Conflict":
		err = apierrors.NewConflict(resource, in.Name, cause)
	case "ApplyConflict":
		err = apierrors.NewApplyConflict(in.Causes, in.Text)
	case "Gone":
		err = apierrors.NewGone(in.Text)
	case "ResourceExpired":
		err = apierrors.NewResourceExpired(in.Text)
	case "Invalid":
		var all field.ErrorList
		for i, name := range in.InvalidFields {
			path := field.NewPath(name)
			switch i % 3 {
			case 0:
				all = append(all, field.Required(path, in.Text))
			case 1:
				all = append(all, field.Invalid(path, in.Name, in.Text))
			default:
				all = append(all, field.Duplicate(path.Index(i), in.Name))
			}
		}
		err = apierrors.NewInvalid(kind, in.Name, all)
	case "BadRequest":
		err = apierrors.NewBadRequest(in.Text)
	case "TooManyRequests":
		err = apierrors.NewTooManyRequests(in.Text, in.RetryAfter)
	case "TooManyRequestsError":
		err = apierrors.NewTooManyRequestsError(in.Text)
	case "ServiceUnavailable":
		err = apierrors.NewServiceUnavailable(in.Text)
	case "MethodNotSupported":
		err = apierrors.NewMethodNotSupported(resource, in.Verb)
	case "ServerTimeout":
		err = apierrors.NewServerTimeout(resource, in.Verb, in.RetryAfter)
	case "InternalError":
		err = apierrors.NewInternalError(cause)
	case "Timeout":
		err = apierrors.NewTimeoutError(in.Text, in.RetryAfter)
	case "RequestEntityTooLarge":
		err = apierrors.NewRequestEntityTooLargeError(in.Text)
	case "GenericServerResponse":
		err = apierrors.NewGenericServerResponse(in.Code, in.Verb, resource, in.Name, in.Text, in.RetryAfter, in.IsUnexpected)
	case "ClientError":
		return apierrors.NewClientErrorReporter(in.Code, in.Verb, in.Name).AsObject(cause), nil
	default:
		return nil, badInput{fmt.Errorf("no constructor %q", in.Of)}
	}
	return err.ErrStatus, nil
}

func statusPredicates(in metav1.Status) (any, error) {
	var err error = &apierrors.StatusError{ErrStatus: in}
	// Through wrapping, as everywhere.
	err = fmt.Errorf("wrapped: %w", err)
	holds := []string{}
	for _, p := range []struct {
		name  string
		holds func(error) bool
	}{
		{"NotFound", apierrors.IsNotFound},
		{"AlreadyExists", apierrors.IsAlreadyExists},
		{"Conflict", apierrors.IsConflict},
		{"Invalid", apierrors.IsInvalid},
		{"Gone", apierrors.IsGone},
		{"ResourceExpired", apierrors.IsResourceExpired},
		{"NotAcceptable", apierrors.IsNotAcceptable},
		{"UnsupportedMediaType", apierrors.IsUnsupportedMediaType},
		{"MethodNotSupported", apierrors.IsMethodNotSupported},
		{"ServiceUnavailable", apierrors.IsServiceUnavailable},
		{"BadRequest", apierrors.IsBadRequest},
		{"Unauthorized", apierrors.IsUnauthorized},
		{"Forbidden", apierrors.IsForbidden},
		{"Timeout", apierrors.IsTimeout},
		{"ServerTimeout", apierrors.IsServerTimeout},
		{"InternalError", apierrors.IsInternalError},
		{"TooManyRequests", apierrors.IsTooManyRequests},
		{"RequestEntityTooLarge", apierrors.IsRequestEntityTooLargeError},
		{"UnexpectedServerError", apierrors.IsUnexpectedServerError},
		{"StoreReadError", apierrors.IsStoreReadError},
	} {
		if p.holds(err) {
			holds = append(holds, p.name)
		}
	}
	out := map[string]any{"holds": holds, "reason": apierrors.ReasonForError(err)}
	if seconds, asked := apierrors.SuggestsClientDelay(err); asked {
		out["delay"] = seconds
	}
	if cause, found := apierrors.StatusCause(err, metav1.CauseTypeFieldValueInvalid); found {
		out["cause"] = cause
	}
	return out, nil
}

type conditionEdit struct {
	Set    *metav1.Condition `json:"set"`
	Remove string            `json:"remove"`
}

type conditionsIn struct {
	Conditions []metav1.Condition `json:"conditions"`
	Edits      []conditionEdit    `json:"edits"`
	Ask        string             `json:"ask"`
}

// conditionsEdit says "now" for the times that come from the clock.
func conditionsEdit(in conditionsIn) (any, error) {
	all, changed := in.Conditions, []bool{}
	begin := time.Now().Add(-time.Minute)
	for _, edit := range in.Edits {
		if edit.Set != nil {
			changed = append(changed, meta.SetStatusCondition(&all, *edit.Set))
		} else {
			changed = append(changed, meta.RemoveStatusCondition(&all, edit.Remove))
		}
	}
	out := []map[string]any{}
	for _, c := range all {
		when := c.LastTransitionTime.UTC().Format(time.RFC3339)
		if c.LastTransitionTime.After(begin) {
			when = "now"
		}
		out = append(out, map[string]any{
			"type": c.Type, "status": c.Status, "reason": c.Reason, "message": c.Message,
			"observedGeneration": c.ObservedGeneration, "lastTransitionTime": when,
		})
	}
	return map[string]any{
		"conditions": out,
		"changed":    changed,
		"true":       meta.IsStatusConditionTrue(all, in.Ask),
		"false":      meta.IsStatusConditionFalse(all, in.Ask),
		"unknown":    meta.IsStatusConditionPresentAndEqual(all, in.Ask, metav1.ConditionUnknown),
		"found":      meta.FindStatusCondition(all, in.Ask) != nil,
	}, nil
}

// mapperIn describes a mapper: its kind, and what it is made of.
type mapperIn struct {
	Type     string                 `json:"type"`
	Versions [][2]string            `json:"versions"`
	Kinds    []mapperKind           `json:"kinds"`
	Of       []mapperIn             `json:"of"`
	Priority [][2]string            `json:"priority"`
	Groups   []mapperDiscoveryGroup `json:"groups"`

	warnings *[]string
}

type mapperKind struct {
	Group, Version, Kind string
	Plural, Singular     string
	Root                 bool
}

type mapperDiscoveryGroup struct {
	Group     metav1.APIGroup                 `json:"group"`
	Resources map[string][]metav1.APIResource `json:"resources"`
}

func (in mapperIn) mapper() (meta.RESTMapper, error) {
	of := func() (meta.MultiRESTMapper, error) {
		all := meta.MultiRESTMapper{}
		for _, m := range in.Of {
			mapper, err := m.mapper()
			if err != nil {
				return nil, err
			}
			all = append(all, mapper)
		}
		return all, nil
	}
	switch in.Type {
	case "default":
		var versions []schema.GroupVersion
		for _, v := range in.Versions {
			versions = append(versions, schema.GroupVersion{Group: v[0], Version: v[1]})
		}
		mapper := meta.NewDefaultRESTMapper(versions)
		for _, k := range in.Kinds {
			scope := meta.RESTScope(meta.RESTScopeNamespace)
			if k.Root {
				scope = meta.RESTScopeRoot
			}
			gv := schema.GroupVersion{Group: k.Group, Version: k.Version}
			if k.Plural == "" {
				mapper.Add(gv.WithKind(k.Kind), scope)
			} else {
				mapper.AddSpecific(gv.WithKind(k.Kind), gv.WithResource(k.Plural), gv.WithResource(k.Singular), scope)
			}
		}
		return mapper, nil
	case "multi":
		return of()
	case "firsthit":
		all, err := of()
		return meta.FirstHitRESTMapper{MultiRESTMapper: all}, err
	case "priority":
		all, err := of()
		mapper := meta.PriorityRESTMapper{Delegate: all}
		for _, p := range in.Priority {
			mapper.ResourcePriority = append(mapper.ResourcePriority, schema.GroupVersionResource{Group: p[0], Version: p[1], Resource: meta.AnyResource})
			mapper.KindPriority = append(mapper.KindPriority, schema.GroupVersionKind{Group: p[0], Version: p[1], Kind: meta.AnyKind})
		}
		return mapper, err
	case "discovery":
		var groups []*restmapper.APIGroupResources
		for _, g := range in.Groups {
			groups = append(groups, &restmapper.APIGroupResources{Group: g.Group, VersionedResources: g.Resources})
		}
		return restmapper.NewDiscoveryRESTMapper(groups), nil
	case "shortcuts":
		if len(in.Of) != 1 {
			return nil, badInput{errors.New("short names are of one mapper")}
		}
		delegate, err := in.Of[0].mapper()
		if err != nil {
			return nil, err
		}
		warn := func(text string) { *in.warnings = append(*in.warnings, text) }
		return restmapper.NewShortcutExpander(delegate, served{groups: in.Groups}, warn), nil
	}
	return nil, badInput{fmt.Errorf("no mapper %q", in.Type)}
}

// served is as much of discovery as short names and categories need.
type served struct {
	discovery.DiscoveryInterface
	groups []mapperDiscoveryGroup
}

func (s served) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	var groups []*metav1.APIGroup
	var lists []*metav1.APIResourceList
	for _, g := range s.groups {
		groups = append(groups, &g.Group)
		for _, v := range g.Group.Versions {
			if all, found := g.Resources[v.Version]; found {
				gv := schema.GroupVersion{Group: g.Group.Name, Version: v.Version}
				lists = append(lists, &metav1.APIResourceList{GroupVersion: gv.String(), APIResources: all})
			}
		}
	}
	return groups, lists, nil
}

type categoryIn struct {
	Groups   []mapperDiscoveryGroup `json:"groups"`
	Category string                 `json:"category"`
}

func restMapperCategory(in categoryIn) (any, error) {
	all, _ := restmapper.NewDiscoveryCategoryExpander(served{groups: in.Groups}).Expand(in.Category)
	out := []string{}
	for _, r := range all {
		out = append(out, r.String())
	}
	return out, nil
}

type restMapperIn struct {
	Mapper   mapperIn `json:"mapper"`
	Method   string   `json:"method"`
	Group    string   `json:"group"`
	Version  string   `json:"version"`
	Name     string   `json:"name"`
	Versions []string `json:"versions"`
}

func mappingOut(m *meta.RESTMapping) any {
	return map[string]any{
		"resource": m.Resource.String(), "kind": m.GroupVersionKind.String(), "scope": m.Scope.Name(),
	}
}

// restMapperAsk says with an error whether it is of one of the two kinds that callers ask for.
func restMapperAsk(in restMapperIn) (any, error) {
	warnings := []string{}
	in.Mapper.warnings = &warnings
	mapper, err := in.Mapper.mapper()
	if err != nil {
		return nil, err
	}
	resource := schema.GroupVersionResource{Group: in.Group, Version: in.Version, Resource: in.Name}
	kind := schema.GroupKind{Group: in.Group, Kind: in.Name}
	out, err := func() (any, error) {
		switch in.Method {
		case "KindFor":
			kind, err := mapper.KindFor(resource)
			return kind.String(), err
		case "KindsFor":
			kinds, err := mapper.KindsFor(resource)
			out := []string{}
			for _, k := range kinds {
				out = append(out, k.String())
			}
			return out, err
		case "ResourceFor":
			r, err := mapper.ResourceFor(resource)
			return r.String(), err
		case "ResourcesFor":
			resources, err := mapper.ResourcesFor(resource)
			out := []string{}
			for _, r := range resources {
				out = append(out, r.String())
			}
			return out, err
		case "RESTMapping":
			m, err := mapper.RESTMapping(kind, in.Versions...)
			if err != nil {
				return nil, err
			}
			return mappingOut(m), nil
		case "RESTMappings":
			all, err := mapper.RESTMappings(kind, in.Versions...)
			out := []any{}
			for _, m := range all {
				out = append(out, mappingOut(m))
			}
			return out, err
		case "ResourceSingularizer":
			return mapper.ResourceSingularizer(in.Name)
		}
		return nil, badInput{fmt.Errorf("no method %q", in.Method)}
	}()
	if err != nil {
		if _, bad := err.(badInput); bad {
			return nil, err
		}
		what := ""
		if meta.IsNoMatchError(err) {
			what = "no match: "
		} else if meta.IsAmbiguousError(err) {
			what = "ambiguous: "
		}
		return nil, errors.New(what + err.Error())
	}
	if in.Mapper.Type == "shortcuts" {
		return map[string]any{"answer": out, "warnings": warnings}, nil
	}
	return out, nil
}

func restMapperGuess(kind string) (any, error) {
	plural, singular := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Group: "g", Version: "v", Kind: kind})
	return []string{plural.String(), singular.String()}, nil
}

type tableIn struct {
	Columns []apiextensionsv1.CustomResourceColumnDefinition `json:"columns"`
	Object  map[string]json.RawMessage                       `json:"object"`
}

// tableConvert leaves out the description of the name, which is a text of Go's own.
func tableConvert(in tableIn) (any, error) {
	convertor, err := tableconvertor.New(in.Columns)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(in.Object)
	if err != nil {
		return nil, badInput{err}
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return nil, badInput{err}
	}
	table, err := convertor.ConvertToTable(context.Background(), object, nil)
	if err != nil {
		return nil, err
	}
	table.ColumnDefinitions[0].Description = ""
	return map[string]any{"columns": table.ColumnDefinitions, "cells": table.Rows[0].Cells}, nil
}

func errorsAggregate(texts []string) (any, error) {
	var all []error
	for _, text := range texts {
		all = append(all, errors.New(text))
	}
	aggregate := utilerrors.NewAggregate(all)
	if aggregate == nil {
		return nil, nil
	}
	kept := utilerrors.FilterOut(aggregate, func(err error) bool { return strings.HasPrefix(err.Error(), "a") })
	out := map[string]any{"message": aggregate.Error(), "kept": ""}
	if kept != nil {
		out["kept"] = kept.Error()
	}
	return out, nil
}
