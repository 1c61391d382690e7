package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

func init() {
	functions["merge.updater"] = of(mergeUpdater)
}

// updaterIn is a sequence of updates and applies to one value, in which the
// schema may change. A version is a type of the schema of that name; some
// members have another name in v2.
type updaterIn struct {
	Schemas  []json.RawMessage      `json:"schemas"`
	Renamed  map[string]string      `json:"renamed"`  // name in v1: name in v2
	Ignored  map[string]string      `json:"ignored"`  // set by version
	Included map[string][][]*string `json:"included"` // matchers by version; null is any
	Noop     bool                   `json:"noop"`     // return the input of what changes nothing
	Ops      []updaterOp            `json:"ops"`
}

type updaterOp struct {
	Op       string          `json:"op"` // apply, extract, update, schema, versions
	Version  string          `json:"version"`
	Manager  string          `json:"manager"`
	Force    bool            `json:"force"`
	Keys     bool            `json:"keys"` // extract with the fields of keys
	Object   json.RawMessage `json:"object"`
	Schema   int             `json:"schema"`
	Versions []string        `json:"versions"`
}

type updaterState struct {
	in       updaterIn
	parser   *typed.Parser
	versions []string
	live     *typed.TypedValue
	managers fieldpath.ManagedFields
	updater  *merge.Updater
}

var errMissingVersion = errors.New("no such version")

func (s *updaterState) IsMissingVersionError(err error) bool {
	return errors.Is(err, errMissingVersion)
}

func (s *updaterState) Convert(object *typed.TypedValue, version fieldpath.APIVersion) (*typed.TypedValue, error) {
	known := false
	for _, v := range s.versions {
		known = known || v == string(version)
	}
	if !known {
		return nil, errMissingVersion
	}
	from := object.TypeRef().NamedType
	if from == nil || *from == string(version) {
		return object, nil
	}
	value := object.AsValue().Unstructured()
	if members, ok := value.(map[string]any); ok {
		out := map[string]any{}
		for name, member := range members {
			for one, two := range s.in.Renamed {
				if *from == "v2" {
					one, two = two, one
				}
				if (*from == "v2") != (version == "v2") && name == one {
					name = two
					break
				}
			}
			out[name] = member
		}
		value = out
	}
	return s.parser.Type(string(version)).FromUnstructured(value, typed.AllowDuplicates)
}

func (s *updaterState) read(op updaterOp, opts ...typed.ValidationOptions) (*typed.TypedValue, error) {
	v, err := jsonTree(op.Object)
	if err != nil {
		return nil, err
	}
	return s.parser.Type(op.Version).FromUnstructured(v, opts...)
}

func (s *updaterState) run(op updaterOp) error {
	version := fieldpath.APIVersion(op.Version)
	switch op.Op {
	case "schema":
		parser, err := parserOf(string(s.in.Schemas[op.Schema]))
		if err != nil {
			return badInput{err}
		}
		s.parser = parser
		if s.live != nil {
			live, err := typed.AsTyped(s.live.AsValue(), &parser.Schema, s.live.TypeRef(), typed.AllowDuplicates)
			if err != nil {
				return err
			}
			s.live = live
		}
		return nil
	case "versions":
		s.versions = op.Versions
		return nil
	}
	if s.live == nil {
		live, err := s.parser.Type(op.Version).FromUnstructured(nil)
		if err != nil {
			return err
		}
		s.live = live
	}
	var opts []typed.ValidationOptions
	if op.Op == "update" {
		opts = append(opts, typed.AllowDuplicates)
	}
	object, err := s.read(op, opts...)
	if err != nil {
		return err
	}
	live, err := s.Convert(s.live, version)
	if err != nil {
		return err
	}
	s.live = live
	if op.Op == "update" {
		after, managers, err := s.updater.Update(s.live, object, version, s.managers, op.Manager)
		if err != nil {
			return err
		}
		s.live, s.managers = after, managers
		return nil
	}
	if op.Op == "extract" {
		set := fieldpath.NewSet()
		if own := s.managers[op.Manager]; own != nil {
			set = own.Set().Leaves()
		}
		var opts []typed.ExtractItemsOption
		if op.Keys {
			opts = append(opts, typed.WithAppendKeyFields())
		}
		if object, err = s.live.ExtractItems(set, opts...).Merge(object); err != nil {
			return err
		}
	}
	after, managers, err := s.updater.Apply(s.live, object, version, s.managers, op.Manager, op.Force)
	if err != nil {
		return err
	}
	s.managers = managers
	if after != nil {
		s.live = after
	}
	return nil
}

func mergeUpdater(in updaterIn) (any, error) {
	parser, err := parserOf(string(in.Schemas[0]))
	if err != nil {
		return nil, badInput{err}
	}
	state := &updaterState{in: in, parser: parser, versions: []string{"v1", "v2"}, managers: fieldpath.ManagedFields{}}
	builder := merge.UpdaterBuilder{Converter: state, ReturnInputOnNoop: in.Noop}
	if in.Ignored != nil {
		builder.IgnoredFields = map[fieldpath.APIVersion]*fieldpath.Set{}
		for version, text := range in.Ignored {
			set, err := setOf(text)
			if err != nil {
				return nil, badInput{err}
			}
			builder.IgnoredFields[fieldpath.APIVersion(version)] = set
		}
	}
	if in.Included != nil {
		builder.IgnoreFilter = map[fieldpath.APIVersion]fieldpath.Filter{}
		for version, all := range in.Included {
			var matchers []*fieldpath.SetMatcher
			for _, elements := range all {
				m, err := matcherOf(elements)
				if err != nil {
					return nil, badInput{err}
				}
				matchers = append(matchers, m)
			}
			builder.IgnoreFilter[fieldpath.APIVersion(version)] = fieldpath.NewIncludeMatcherFilter(matchers...)
		}
	}
	state.updater = builder.BuildUpdater()
	out := []any{}
	for _, op := range in.Ops {
		err := state.run(op)
		if b, ok := err.(badInput); ok {
			return nil, b
		}
		var conflicts merge.Conflicts
		switch {
		case errors.As(err, &conflicts):
			all := []string{}
			for _, c := range conflicts {
				all = append(all, fmt.Sprintf("%s|%s", c.Manager, c.Path))
			}
			sort.Strings(all)
			out = append(out, map[string]any{"conflicts": all, "error": conflicts.Error()})
		case err != nil:
			out = append(out, map[string]any{"error": sortedLines(err.Error())})
		default:
			step := map[string]any{"managers": managersOut(state.managers)}
			if state.live != nil {
				step["object"] = state.live.AsValue().Unstructured()
			}
			out = append(out, step)
		}
	}
	return out, nil
}
