//! What Go's decoder of JSON says of a value of the wrong type: `json: cannot unmarshal string into
//! Go struct field DeploymentSpec.spec.replicas of type int32`. Users see it from servers.
//!
//! It is a pass of its own over text that did not decode, so that decoding costs nothing more. What
//! Go calls a type is in the table of its field where it does not follow from the type here
//! ([`Facts::go`](super::Facts::go)).
use super::error::R;
use super::type_meta::is_key;
use super::{Decoder, Desc, Field, INLINE, Leaf, NOJSON, Parser, Type};
use crate::{Duration, IntOrString, MicroTime, Quantity, Time};

/// Go's text for the first value of JSON text that a type cannot have; none when there is no such
/// value, or another mistake that Go finds before, or one of which nothing is known here.
///
/// ```
/// use pintle_apimachinery::PartialObjectMetadata;
/// use pintle_apimachinery::reflect::{Described, mismatch};
/// let text = r#"{"metadata":{"uid":[],"labels":{}}}"#;
/// assert_eq!(
///     mismatch(text, PartialObjectMetadata::DESC).unwrap(),
///     "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.uid of type types.UID"
/// );
/// assert_eq!(mismatch(r#"{"metadata":{}}"#, PartialObjectMetadata::DESC), None);
/// ```
pub fn mismatch(text: &str, desc: &'static Desc) -> Option<String> {
    // Go looks at the whole first.
    let mut whole = Parser::new(text);
    whole.skip().and_then(|()| whole.finish()).ok()?;
    let mut w = Walk { path: Vec::new(), owner: None, first: None, outer: None };
    match w.message(desc, "", &mut Parser::new(text)) {
        Ok(()) => w.first.flatten(),
        Err(Stop::Final(text)) => Some(text),
        Err(Stop::Unknown) => None,
    }
}

/// Go's text for JSON that cannot say what it is: for what is no object, and for a kind or
/// apiVersion that is no string.
pub(crate) fn kind_mismatch(text: &str) -> Option<String> {
    let mut whole = Parser::new(text);
    whole.skip().and_then(|()| whole.finish()).ok()?;
    let said = |found: &str, what: &str| {
        Some(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go {what}"
        ))
    };
    let mut p = Parser::new(text);
    if p.peek().ok()? != b'{' {
        let fields = [("APIVersion", "apiVersion"), ("Kind", "kind")];
        let fields = fields.map(|(go, json)| format!(r#"{go} string "json:\"{json},omitempty\"""#));
        return said(kind_of(&mut p), &format!("value of type struct {{ {} }}", fields.join("; ")));
    }
    let mut more = p.open(b'{', b'}').ok()?;
    while more {
        let key = p.key().ok()?;
        let field = ["kind", "apiVersion"].into_iter().find(|f| key.eq_ignore_ascii_case(f));
        let found = kind_of(&mut p);
        if let Some(field) = field.filter(|_| !matches!(found, "string" | "null")) {
            return said(found, &format!("struct field .{field} of type string"));
        }
        p.raw().ok()?;
        more = p.next(b'}').ok()?;
    }
    None
}

/// Go's name of the value that comes next, without a number's text.
fn kind_of(p: &mut Parser<'_>) -> &'static str {
    match p.peek() {
        Ok(b'"') => "string",
        Ok(b'{') => "object",
        Ok(b'[') => "array",
        Ok(b't' | b'f') => "bool",
        Ok(b'n') => "null",
        _ => "number",
    }
}

/// Why it ends before the end.
enum Stop {
    /// Values that decode themselves end it at once.
    Final(String),
    /// It is not known what Go says.
    Unknown,
}

impl From<Box<super::DecodeError>> for Stop {
    fn from(_: Box<super::DecodeError>) -> Self {
        Stop::Unknown
    }
}

struct Walk {
    path: Vec<&'static str>,
    owner: Option<&'static Desc>,
    /// What Go has found first, if that is known: it reads on, in case of worse.
    first: Option<Option<String>>,
    /// The struct that is named inside a value that decodes itself.
    outer: Option<&'static Desc>,
}

/// Go's name of a type.
fn name(t: &Type) -> String {
    match t {
        Type::Str | Type::OptStr => "string".into(),
        Type::I32 | Type::OptI32 => "int32".into(),
        Type::I64 | Type::OptI64 => "int64".into(),
        Type::Bool | Type::OptBool => "bool".into(),
        Type::F64 | Type::OptF64 => "float64".into(),
        Type::Bytes => "[]uint8".into(),
        Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) => of_desc(d),
        Type::Leaf(l) | Type::OptLeaf(l) => match l.name {
            "IntOrString" => "intstr.IntOrString".into(),
            "Quantity" => "resource.Quantity".into(),
            "RawExtension" => "runtime.RawExtension".into(),
            name => format!("v1.{name}"),
        },
        Type::List(of) => format!("[]{}", name(of)),
        Type::Map(of) => format!("map[string]{}", name(of)),
    }
}

/// What Go calls the elements of the list type `go`.
fn element(go: &str) -> &str {
    let of = go.strip_prefix("[]").unwrap_or_default();
    of.strip_prefix('*').unwrap_or(of)
}

/// What Go calls the values of the map type `go`.
fn value(go: &str) -> &str {
    let of = go.strip_prefix("map[").and_then(|rest| rest.split_once(']'));
    let of = of.map_or("", |(_, of)| of);
    of.strip_prefix('*').unwrap_or(of)
}

fn of_desc(d: &Desc) -> String {
    // The modules are those of Go's packages: `core_v1` is `k8s.io/api/core/v1`.
    let module = d.module.rsplit("::").next().unwrap_or_default();
    format!("{}.{}", module.rsplit('_').next().unwrap_or_default(), d.name)
}

impl Walk {
    fn said(&self, value: &str, wanted: &str) -> String {
        match self.outer.or(self.owner) {
            Some(d) => format!(
                "json: cannot unmarshal {value} into Go struct field {}.{} of type {wanted}",
                d.name,
                self.path.join(".")
            ),
            None => format!("json: cannot unmarshal {value} into Go value of type {wanted}"),
        }
    }
    /// Passes over a value that is not what is wanted.
    fn wrong(&mut self, p: &mut Parser<'_>, wanted: &str, is_number: bool) -> Result<(), Stop> {
        let kind = kind_of(p);
        let text = p.raw()?;
        if self.first.is_none() && kind != "null" {
            // A number that does not fit a type of numbers is there itself.
            let value =
                if kind == "number" && is_number { format!("number {text}") } else { kind.into() };
            self.first = Some(Some(self.said(&value, wanted)));
        }
        Ok(())
    }
    /// `go` is Go's name of the type where the place has another than the type itself.
    fn message(&mut self, d: &'static Desc, go: &str, p: &mut Parser<'_>) -> Result<(), Stop> {
        if d.transparent
            && let (b'[', Type::List(of)) = (p.peek()?, &d.fields[0].ty)
        {
            return self.elements(of, element(d.fields[0].facts.go), p);
        }
        if d.transparent || p.peek()? != b'{' {
            let wanted = if go.is_empty() { of_desc(d) } else { go.to_owned() };
            return self.wrong(p, &wanted, false);
        }
        let (owner, mark) = (self.owner, self.path.len());
        let mut more = p.open(b'{', b'}')?;
        while more {
            let key = p.key()?;
            self.owner = Some(d);
            if let Some(f) = find(d, &key, &mut self.path) {
                self.path.push(f.name);
                self.typed(&f.ty, f.facts.go, p)?;
            } else if d.kind.is_some() && is_key(&key) {
                self.path.extend(["TypeMeta", if key == "kind" { "kind" } else { "apiVersion" }]);
                self.typed(&Type::Str, "", p)?;
            } else {
                p.raw()?;
            }
            self.path.truncate(mark);
            more = p.next(b'}')?;
        }
        self.owner = owner;
        Ok(())
    }
    fn elements(&mut self, of: &'static Type, go: &str, p: &mut Parser<'_>) -> Result<(), Stop> {
        let mut more = p.open(b'[', b']')?;
        while more {
            self.typed(of, go, p)?;
            more = p.next(b']')?;
        }
        Ok(())
    }
    /// A value of a type, which Go calls `go` if that is not empty.
    fn typed(&mut self, t: &'static Type, go: &str, p: &mut Parser<'_>) -> Result<(), Stop> {
        let first = p.peek()?;
        if first == b'n' && !matches!(t, Type::Leaf(_)) {
            p.null()?;
            return Ok(());
        }
        let fits = match t {
            Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) => return self.message(d, go, p),
            Type::Leaf(l) | Type::OptLeaf(l) => return self.leaf(l.name, p),
            Type::List(of) if first == b'[' => return self.elements(of, element(go), p),
            Type::Map(of) if first == b'{' => {
                let go = value(go);
                let mut more = p.open(b'{', b'}')?;
                while more {
                    p.key()?;
                    self.typed(of, go, p)?;
                    more = p.next(b'}')?;
                }
                return Ok(());
            }
            Type::List(_) | Type::Map(_) => false,
            Type::Str | Type::OptStr => first == b'"',
            Type::Bool | Type::OptBool => matches!(first, b't' | b'f'),
            Type::I32 | Type::OptI32 => tried(p, |p| p.int32().is_ok()),
            Type::I64 | Type::OptI64 => tried(p, |p| p.int().is_ok()),
            Type::F64 | Type::OptF64 => tried(p, |p| p.f64().is_ok()),
            // Bytes may be a list of numbers.
            Type::Bytes if first == b'[' => {
                let mut more = p.open(b'[', b']')?;
                while more {
                    let is_byte =
                        |p: &mut Parser<'_>| p.int().is_ok_and(|i| u8::try_from(i).is_ok());
                    if tried(p, is_byte) {
                        p.raw()?;
                    } else {
                        self.wrong(p, "uint8", true)?;
                    }
                    more = p.next(b']')?;
                }
                return Ok(());
            }
            Type::Bytes if first == b'"' => {
                let fault = not_base64(p.string()?);
                if self.first.is_none() && fault.is_some() {
                    self.first = Some(fault);
                }
                return Ok(());
            }
            Type::Bytes => false,
        };
        if fits {
            return Ok(p.raw().map(drop)?);
        }
        let is_number = matches!(
            t,
            Type::I32 | Type::OptI32 | Type::I64 | Type::OptI64 | Type::F64 | Type::OptF64
        );
        let wanted = if go.is_empty() { name(t) } else { go.to_owned() };
        self.wrong(p, &wanted, is_number)
    }
    /// A value that decodes itself.
    fn leaf(&mut self, leaf: &str, p: &mut Parser<'_>) -> Result<(), Stop> {
        if leaf.starts_with("JSONSchemaPropsOr") {
            return self.schema(leaf, p);
        }
        let kind = kind_of(p);
        let raw = p.raw()?;
        fn fault(mut l: impl Leaf, raw: &str) -> Option<String> {
            let read: R<()> = l.json_get(&mut Parser::new(raw), &mut Decoder::new(), 0);
            read.err().map(|e| e.what().to_owned())
        }
        let fault = match leaf {
            "Time" => fault(Time::default(), raw),
            "MicroTime" => fault(MicroTime::default(), raw),
            "Duration" if kind != "null" => fault(Duration::default(), raw),
            "Quantity" => fault(Quantity::default(), raw),
            "IntOrString" => fault(IntOrString::default(), raw),
            "RawExtension" | "Json" | "FieldsV1" => return Ok(()),
            // What is wrong with them is said in other words.
            _ => return Err(Stop::Unknown),
        };
        let Some(fault) = fault else { return Ok(()) };
        let plain = match (leaf, kind) {
            ("Time" | "MicroTime" | "Duration", "string") | ("Quantity", _) => fault,
            ("Time" | "MicroTime" | "Duration", _) => self.said(kind, "string"),
            ("IntOrString", "number") => self.said(&format!("number {raw}"), "int32"),
            ("IntOrString", _) => self.said(kind, "int32"),
            _ => return Err(Stop::Unknown),
        };
        Err(Stop::Final(plain))
    }
}

impl Walk {
    /// A schema or something else, which decodes itself: what is wrong inside ends it at once.
    fn schema(&mut self, leaf: &str, p: &mut Parser<'_>) -> Result<(), Stop> {
        let Some(schema) = self.owner else { return Err(Stop::Unknown) };
        let outer = self.outer.unwrap_or(schema);
        let path = self.path.clone();
        let mut inner = Walk { path, owner: self.owner, first: None, outer: Some(outer) };
        match (p.peek()?, leaf) {
            (b'{', _) => inner.message(schema, "", p)?,
            (b'[', "JSONSchemaPropsOrArray") => {
                let mut more = p.open(b'[', b']')?;
                while more {
                    if !p.null()? {
                        inner.message(schema, "", p)?;
                    }
                    more = p.next(b']')?;
                }
            }
            (b'[', "JSONSchemaPropsOrStringArray") => inner.elements(&Type::Str, "", p)?,
            (b'n' | b't' | b'f', _) => drop(p.raw()?),
            (_, "JSONSchemaPropsOrBool") => return Err(Stop::Unknown),
            _ => drop(p.raw()?),
        }
        match inner.first {
            None => Ok(()),
            Some(Some(text)) => Err(Stop::Final(text)),
            Some(None) => Err(Stop::Unknown),
        }
    }
}

/// Why a text is no base64: Go names the first byte that is wrong.
fn not_base64(text: &str) -> Option<String> {
    let bytes: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, c)| !matches!(c, b'\r' | b'\n')).collect();
    let corrupt = |at: usize| Some(format!("illegal base64 data at input byte {at}"));
    let mut at = 0;
    while at < bytes.len() {
        for index in 0..4 {
            let Some(&(place, c)) = bytes.get(at + index) else {
                return corrupt(text.len() - (bytes.len() - at));
            };
            if c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/') {
                continue;
            }
            if c != b'=' || index < 2 {
                return corrupt(place);
            }
            // Padding: nothing else may follow.
            let rest = &bytes[at + index + 1..];
            return match (index, rest) {
                (2, []) => corrupt(text.len()),
                (2, [(_, b'=')]) | (3, []) => None,
                (2, [(_, b'='), (place, _), ..]) | (3, [(place, _), ..]) => corrupt(*place),
                (2, [(place, _), ..]) => corrupt(place - 1),
                _ => None,
            };
        }
        at += 4;
    }
    None
}

/// Whether `read` finds what it wants; the parser stays where it is.
fn tried(p: &mut Parser<'_>, read: impl FnOnce(&mut Parser<'_>) -> bool) -> bool {
    let at = p.position();
    let found = read(p);
    p.seek(at);
    found
}

/// The field `key` of `d` or of what is inlined in it, whose Go names go behind `path`.
fn find(d: &'static Desc, key: &str, path: &mut Vec<&'static str>) -> Option<&'static Field> {
    let own = d.fields.iter().find(|f| f.name == key && f.flags & (INLINE | NOJSON) == 0);
    own.or_else(|| {
        d.fields.iter().find_map(|f| {
            let (INLINE, Type::Msg(sub) | Type::Emb(sub) | Type::OptMsg(sub)) =
                (f.flags & INLINE, f.ty)
            else {
                return None;
            };
            path.push(sub.name);
            find(sub, key, path).or_else(|| {
                path.pop();
                None
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_go_has_it() {
        for (text, expect) in [
            ("Yg==", None),
            ("YWI=", None),
            ("YWJj", None),
            ("", None),
            ("YQ", Some(0)),
            ("YWJjYQ", Some(4)),
            ("Y%==", Some(1)),
            ("YQ=", Some(3)),
            ("YQ==x", Some(4)),
        ] {
            let expect = expect.map(|at: usize| format!("illegal base64 data at input byte {at}"));
            assert_eq!(not_base64(text), expect, "{text}");
        }
    }

    #[test]
    fn inside_of_types() {
        assert_eq!(element("[]v1.Phase"), "v1.Phase");
        assert_eq!(element("[]*v1.Phase"), "v1.Phase");
        assert_eq!(element("v1.Phases"), "");
        assert_eq!(value("map[v1.Name]v1.Phase"), "v1.Phase");
        assert_eq!(value("v1.Phases"), "");
    }
}
