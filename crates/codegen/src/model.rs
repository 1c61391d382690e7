//! The schema model: what the generator knows of Kubernetes' Go types, their markers and the
//! server's discovery, with nothing of Rust in it yet. Counterpart of the parsed packages that
//! Go's code generators work on (gengo's `types`).

/// All packages of one Kubernetes release.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Release, as `1.37`.
    pub version: String,
    /// Group and version of everything that a server can offer, in the order of its discovery:
    /// groups by priority, the preferred version first.
    pub order: Vec<(String, String)>,
    /// Packages, sorted by path.
    pub packages: Vec<Package>,
}

/// One Go package: a group-version's types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    /// Go import path, `k8s.io/api/core/v1`.
    pub path: String,
    /// API group, empty for core; `None` for a package that is no group.
    pub group: Option<String>,
    /// How a server offers the group-version.
    pub served: Served,
    /// Markers of the package, without the leading `+`.
    pub facts: Vec<String>,
    /// Resources that discovery lists, sorted by plural.
    pub resources: Vec<Resource>,
    /// Types, sorted by name.
    pub types: Vec<TypeDef>,
    /// Constants without a named type, sorted by name.
    pub consts: Vec<Const>,
}

/// Whether a server offers a group-version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Served {
    /// With default flags.
    Default,
    /// Only when every version is switched on.
    All,
    /// Never: removed, or served by somebody else.
    #[default]
    Never,
}

/// One entry of discovery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Name in the URL.
    pub plural: String,
    /// Singular name; empty where discovery has none.
    pub singular: String,
    /// Kind, bare or `group/version.Kind` when it is of another group-version.
    pub kind: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Verbs, sorted.
    pub verbs: Vec<String>,
    /// Abbreviations that kubectl takes.
    pub short_names: Vec<String>,
    /// Groups of resources, such as `all`.
    pub categories: Vec<String>,
    /// Subresources; of these only plural (the subresource's name), kind and verbs are set.
    pub subresources: Vec<Resource>,
}

/// A Go type declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDef {
    /// Go name.
    pub name: String,
    /// Structure or underlying type.
    pub body: Body,
    /// Markers without the leading `+`.
    pub facts: Vec<String>,
    /// Constants of this type, sorted by name.
    pub values: Vec<Const>,
}

/// What a type is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A struct.
    Struct(Vec<Field>),
    /// A type named after another one.
    Named(GoType),
}

/// A constant; the value is JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct Const {
    /// Go name.
    pub name: String,
    /// JSON text of the value.
    pub value: String,
}

/// How a field appears in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonForm {
    /// Under its JSON name.
    #[default]
    Named,
    /// Its own fields appear in the parent.
    Inline,
    /// Tagged `-`: never.
    Hidden,
    /// No tag at all: the type has a JSON form of its own.
    Untagged,
}

/// A field of a struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// Go name.
    pub go: String,
    /// JSON name; empty unless `form` is [`JsonForm::Named`].
    pub json: String,
    /// How it appears in JSON.
    pub form: JsonForm,
    /// Go type.
    pub ty: GoType,
    /// Protobuf field number; 0 when it is not in protobuf.
    pub number: u32,
    /// JSON `omitempty`.
    pub omitempty: bool,
    /// JSON `omitzero`.
    pub omitzero: bool,
    /// Marked `+optional`.
    pub optional: bool,
    /// Marked `+required`.
    pub required: bool,
    /// `atomic`, `set` or `map`; empty when not said.
    pub list_type: String,
    /// Keys of a list of type `map`.
    pub list_keys: Vec<String>,
    /// `atomic` or `granular`; empty when not said (`+mapType` and `+structType`).
    pub map_type: String,
    /// Strategic merge patch: `merge`, `replace`, `retainKeys`, comma separated.
    pub patch_strategy: String,
    /// Strategic merge patch: key of the elements.
    pub patch_key: String,
    /// Other markers, without the leading `+`, in source order.
    pub facts: Vec<String>,
}

/// A Go type expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum GoType {
    /// A type: package path (empty for Go's own types) and name.
    Name(String, String),
    /// `*T`
    Pointer(Box<GoType>),
    /// `[]T`
    Slice(Box<GoType>),
    /// `map[K]V`
    Map(Box<GoType>, Box<GoType>),
    /// Something that is no data, such as a function.
    #[default]
    Opaque,
}

impl Schema {
    /// The package at `path`.
    pub fn package(&self, path: &str) -> Option<&Package> {
        self.packages.iter().find(|p| p.path == path)
    }

    /// The package of a group and version.
    pub fn group_version(&self, group: &str, version: &str) -> Option<&Package> {
        let found = |p: &&Package| p.group.as_deref() == Some(group) && p.version() == version;
        self.packages.iter().find(found)
    }

    /// The declaration of `name` in the package at `path`.
    pub fn find(&self, path: &str, name: &str) -> Option<&TypeDef> {
        self.package(path)?.types.iter().find(|t| t.name == name)
    }
}

impl Package {
    /// API version: the last element of the path.
    pub fn version(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Name of the Rust module and of the schema file: `core_v1`.
    pub fn module(&self) -> String {
        let mut parts = self.path.rsplit('/');
        let version = parts.next().unwrap_or_default();
        let group = parts.next().unwrap_or_default();
        format!("{group}_{version}")
    }
}

impl TypeDef {
    /// The value of the marker `name=value`, or the empty text of a bare marker.
    pub fn fact(&self, name: &str) -> Option<&str> {
        fact(&self.facts, name)
    }

    /// Fields; none for a type that is no struct.
    pub fn fields(&self) -> &[Field] {
        match &self.body {
            Body::Struct(fields) => fields,
            Body::Named(_) => &[],
        }
    }
}

impl Field {
    /// The value of the marker `name=value`, or the empty text of a bare marker.
    pub fn fact(&self, name: &str) -> Option<&str> {
        fact(&self.facts, name)
    }

    /// Whether clients must give a value: as OpenAPI says it, which follows from the markers.
    pub fn is_required(&self) -> bool {
        self.required || !(self.optional || self.omitempty)
    }
}

/// Looks `name` up among markers of the form `name` or `name=value`.
pub fn fact<'a>(facts: &'a [String], name: &str) -> Option<&'a str> {
    facts.iter().find_map(|f| match f.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('='),
    })
}

impl GoType {
    /// Reads a type expression found in the package at `home`.
    pub fn parse(text: &str, home: &str) -> GoType {
        if let Some(rest) = text.strip_prefix('*') {
            return GoType::Pointer(Box::new(GoType::parse(rest, home)));
        }
        if let Some(rest) = text.strip_prefix("[]") {
            return GoType::Slice(Box::new(GoType::parse(rest, home)));
        }
        if let Some((key, value)) = text.strip_prefix("map[").and_then(|r| r.split_once(']')) {
            let (key, value) = (GoType::parse(key, home), GoType::parse(value, home));
            return GoType::Map(Box::new(key), Box::new(value));
        }
        if text == "interface{}" || text == "any" {
            return GoType::Name(String::new(), "any".to_owned());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
        if text.is_empty() || !text.chars().all(plain) {
            return GoType::Opaque;
        }
        match text.rsplit_once('.') {
            Some((package, name)) => GoType::Name(package.to_owned(), name.to_owned()),
            None if text.starts_with(|c: char| c.is_ascii_lowercase()) => {
                GoType::Name(String::new(), text.to_owned())
            }
            None => GoType::Name(home.to_owned(), text.to_owned()),
        }
    }

    /// The expression as Go writes it in the package at `home`, packages by their whole path.
    pub fn text(&self, home: &str) -> String {
        match self {
            GoType::Name(package, name) if package.is_empty() || package == home => name.clone(),
            GoType::Name(package, name) => format!("{package}.{name}"),
            GoType::Pointer(inner) => format!("*{}", inner.text(home)),
            GoType::Slice(inner) => format!("[]{}", inner.text(home)),
            GoType::Map(key, value) => format!("map[{}]{}", key.text(home), value.text(home)),
            GoType::Opaque => "func".to_owned(),
        }
    }
}
