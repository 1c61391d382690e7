package export

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// packageFacts, typeFacts, fieldFacts and constFacts are the shape of
// go-types.json.
type packageFacts struct {
	Path    string       `json:"path"`
	Markers []string     `json:"markers,omitempty"`
	Types   []typeFacts  `json:"types"`
	Consts  []constFacts `json:"consts"`
}

type typeFacts struct {
	Name       string       `json:"name"`
	Underlying string       `json:"underlying,omitempty"`
	Fields     []fieldFacts `json:"fields,omitempty"`
	Markers    []string     `json:"markers,omitempty"`
}

type fieldFacts struct {
	Go            string   `json:"go"`
	JSON          string   `json:"json"`
	Type          string   `json:"type"`
	Proto         string   `json:"proto,omitempty"`
	Inline        bool     `json:"inline,omitempty"`
	OmitEmpty     bool     `json:"omitempty,omitempty"`
	OmitZero      bool     `json:"omitzero,omitempty"`
	PatchStrategy string   `json:"patchStrategy,omitempty"`
	PatchMergeKey string   `json:"patchMergeKey,omitempty"`
	Markers       []string `json:"markers,omitempty"`
}

type constFacts struct {
	Name  string `json:"name"`
	Type  string `json:"type,omitempty"`
	Value any    `json:"value"`
}

// sources are the packages with types of the API. A release that adds a group
// or version to k8s.io/api needs no change here.
var sources = []string{
	"k8s.io/api/...",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1",
	"k8s.io/apimachinery/pkg/api/resource",
	"k8s.io/apimachinery/pkg/apis/meta/v1",
	"k8s.io/apimachinery/pkg/apis/meta/v1beta1",
	"k8s.io/apimachinery/pkg/runtime",
	"k8s.io/apimachinery/pkg/util/intstr",
	"k8s.io/kube-aggregator/pkg/apis/apiregistration/v1",
	"k8s.io/kube-aggregator/pkg/apis/apiregistration/v1beta1",
	"k8s.io/metrics/pkg/apis/custom_metrics/v1beta2",
	"k8s.io/metrics/pkg/apis/external_metrics/v1beta1",
	"k8s.io/metrics/pkg/apis/metrics/v1beta1",
}

// readTypes reads the source of the modules that the go.mod in a folder
// selects.
func readTypes(module string) ([]packageFacts, error) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax, Dir: module}, sources...)
	if err != nil {
		return nil, err
	}
	var all []packageFacts
	for _, p := range loaded {
		for _, e := range p.Errors {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, e)
		}
		r := reader{p}
		facts := r.read()
		if len(facts.Types) > 0 {
			all = append(all, facts)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Path < all[j].Path })
	return all, nil
}

// reader reads one package.
type reader struct{ *packages.Package }

func (r reader) read() packageFacts {
	facts := packageFacts{Path: r.PkgPath, Consts: []constFacts{}}
	for _, file := range r.Syntax {
		for _, group := range file.Comments {
			if group.End() < file.Package {
				facts.Markers = append(facts.Markers, markers(group)...)
			}
		}
		for _, decl := range file.Decls {
			decl, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if t, ok := r.typeFacts(file, decl, spec); ok {
						facts.Types = append(facts.Types, t)
					}
				case *ast.ValueSpec:
					if decl.Tok == token.CONST {
						facts.Consts = append(facts.Consts, r.constFacts(spec)...)
					}
				}
			}
		}
	}
	return facts
}

func (r reader) typeFacts(file *ast.File, decl *ast.GenDecl, spec *ast.TypeSpec) (typeFacts, bool) {
	facts := typeFacts{Name: spec.Name.Name}
	if !spec.Name.IsExported() {
		return facts, false
	}
	switch t := spec.Type.(type) {
	case *ast.InterfaceType, *ast.FuncType:
		return facts, false
	case *ast.StructType:
		facts.Fields = r.fields(t)
	default:
		facts.Underlying = r.typeName(spec.Type)
	}
	doc := spec.Doc
	if doc == nil {
		doc = decl.Doc
	}
	facts.Markers = r.above(file, doc, decl.Pos())
	return facts, true
}

// above are the markers before a declaration: those of the comment that ends on
// the line before it, and of the one that a single empty line parts from that,
// which is where generators look for theirs as well.
func (r reader) above(file *ast.File, doc *ast.CommentGroup, pos token.Pos) []string {
	first := pos
	if doc != nil {
		first = doc.Pos()
	}
	var found []string
	for _, group := range file.Comments {
		if r.Fset.Position(group.End()).Line == r.Fset.Position(first).Line-2 && group.Pos() > file.Package {
			found = append(found, markers(group)...)
		}
	}
	return append(found, markers(doc)...)
}

func (r reader) fields(t *ast.StructType) []fieldFacts {
	var all []fieldFacts
	for _, field := range t.Fields.List {
		tag := reflect.StructTag("")
		if field.Tag != nil {
			text, _ := strconv.Unquote(field.Tag.Value)
			tag = reflect.StructTag(text)
		}
		name, options, _ := strings.Cut(tag.Get("json"), ",")
		option := func(name string) bool { return slices.Contains(strings.Split(options, ","), name) }
		facts := fieldFacts{
			JSON:          name,
			Type:          r.typeName(field.Type),
			Proto:         tag.Get("protobuf"),
			Inline:        option("inline"),
			OmitEmpty:     option("omitempty"),
			OmitZero:      option("omitzero"),
			PatchStrategy: tag.Get("patchStrategy"),
			PatchMergeKey: tag.Get("patchMergeKey"),
			Markers:       markers(field.Doc),
		}
		if len(field.Names) == 0 {
			facts.Go = embeddedName(field.Type)
			facts.Inline = facts.Inline || name == ""
			if ast.IsExported(facts.Go) {
				all = append(all, facts)
			}
		}
		for _, name := range field.Names {
			if name.IsExported() {
				facts.Go = name.Name
				all = append(all, facts)
			}
		}
	}
	return all
}

// embeddedName is the name a field without one goes by.
func embeddedName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return embeddedName(t.X)
	case *ast.SelectorExpr:
		return t.Sel.Name
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// typeName is a type with whole paths for other packages and none for its own.
func (r reader) typeName(t ast.Expr) string {
	return r.typeString(r.TypesInfo.TypeOf(t))
}

func (r reader) typeString(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == r.Types {
			return ""
		}
		return p.Path()
	})
}

func (r reader) constFacts(spec *ast.ValueSpec) []constFacts {
	var all []constFacts
	for _, name := range spec.Names {
		object, ok := r.TypesInfo.Defs[name].(*types.Const)
		if !ok || !name.IsExported() {
			continue
		}
		facts := constFacts{Name: name.Name, Value: goValue(object.Val())}
		if _, basic := object.Type().(*types.Basic); !basic {
			facts.Type = r.typeString(object.Type())
		}
		all = append(all, facts)
	}
	return all
}

func goValue(v constant.Value) any {
	switch v.Kind() {
	case constant.Int:
		if i, exact := constant.Int64Val(v); exact {
			return i
		}
		return v.ExactString()
	case constant.Float:
		f, _ := constant.Float64Val(v)
		return f
	case constant.Bool:
		return constant.BoolVal(v)
	default:
		return constant.StringVal(v)
	}
}

// marker is a plus sign with a word behind it; tables drawn in comments have
// plus signs too.
var marker = regexp.MustCompile(`^\+[A-Za-z]`)

// markers are the markers in a comment, without build constraints, whose old
// form looks like one.
func markers(group *ast.CommentGroup) []string {
	if group == nil {
		return nil
	}
	var all []string
	for _, comment := range group.List {
		text := comment.Text
		if body, ok := strings.CutPrefix(text, "//"); ok {
			text = body
		} else {
			text = strings.TrimSuffix(strings.TrimPrefix(text, "/*"), "*/")
		}
		for _, line := range strings.Split(text, "\n") {
			if line = strings.TrimSpace(line); marker.MatchString(line) && !strings.HasPrefix(line, "+build ") {
				all = append(all, line)
			}
		}
	}
	return all
}
