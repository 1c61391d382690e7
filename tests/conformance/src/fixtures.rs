//! Every kind agrees with Go: decodes files that Go wrote, compares the formats with each other,
//! and encodes them again.
//!
//! Files are named `group.version.Kind[.suffix].ext` with `ext` one of `json`, `yaml`, `pb`. All
//! files of one stem hold the same object. Encoding gives the file again, or, where there is one
//! of the same name with `after_roundtrip` before its ending, that file: so say folders that
//! older releases wrote, k8s.io/api's `testdata` among them, what later types make of them.
use pintle_apimachinery::{AnyKind, Format, GroupVersionKind, Scheme, reflect};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// What came of a folder.
#[derive(Default)]
pub(crate) struct Report {
    kinds: BTreeSet<GroupVersionKind>,
    files: usize,
    failures: Vec<String>,
    unknown: BTreeMap<String, usize>,
}

impl Report {
    pub(crate) fn failed(&self) -> usize {
        // A folder with nothing in it shows nothing.
        self.failures.len() + usize::from(self.files == 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        for failure in self.failures.iter().take(SHOWN) {
            writeln!(f, "{failure}")?;
        }
        if self.failures.len() > SHOWN {
            writeln!(f, "... and {} more", self.failures.len() - SHOWN)?;
        }
        if !self.unknown.is_empty() {
            let files: usize = self.unknown.values().sum();
            let kinds: Vec<&str> = self.unknown.keys().map(String::as_str).collect();
            writeln!(f, "{files} files of {} unknown kinds: {}", kinds.len(), kinds.join(", "))?;
        }
        writeln!(f, "{} kinds, {} files, {} failures", self.kinds.len(), self.files, self.failed())
    }
}

/// Reads every fixture in `dir`.
pub(crate) fn run(dir: &Path) -> Result<Report, String> {
    let scheme = scheme();
    let mut stems: BTreeMap<String, Vec<(Format, PathBuf)>> = BTreeMap::new();
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", dir.display()))?.path();
        let format = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => Format::Json,
            Some("yaml") => Format::Yaml,
            Some("pb") => Format::Protobuf,
            _ => continue,
        };
        if let Some(stem) = path.file_stem().and_then(|s| s.to_str()) {
            stems.entry(stem.to_owned()).or_default().push((format, path.clone()));
        }
    }
    let mut report = Report::default();
    for (stem, files) in stems {
        let Some(gvk) = parse_stem(&stem) else {
            *report.unknown.entry(stem).or_default() += files.len();
            continue;
        };
        if !scheme.recognizes(&gvk) {
            let name = format!("{}.{}", gvk.api_version(), gvk.kind);
            *report.unknown.entry(name).or_default() += files.len();
            continue;
        }
        let mut first: Option<(PathBuf, Box<dyn AnyKind>)> = None;
        for (format, path) in files {
            report.files += 1;
            match check(&scheme, &gvk, format, &path, &encoded(&path)) {
                Ok(object) => match &first {
                    Some((other, first)) if !same(&**first, &*object) => {
                        report.failures.push(format!(
                            "{}: differs from {}",
                            path.display(),
                            other.display()
                        ));
                    }
                    Some(_) => {}
                    None => first = Some((path, object)),
                },
                Err(e) => report.failures.push(format!("{}: {e}", path.display())),
            }
        }
        report.kinds.insert(gvk);
    }
    Ok(report)
}

fn scheme() -> Scheme {
    let mut scheme = Scheme::new();
    pintle_api::add_to_scheme(&mut scheme);
    scheme.register_meta();
    scheme
}

/// `apps.v1.Deployment.0` and the like; `core` stands for the group without a name.
fn parse_stem(stem: &str) -> Option<GroupVersionKind> {
    let parts: Vec<&str> = stem.split('.').collect();
    let at = parts.iter().position(|p| is_version(p))?;
    let kind = parts.get(at + 1)?;
    let group = parts[..at].join(".");
    let group = if group == "core" { String::new() } else { group };
    Some(GroupVersionKind::new(group, parts[at].to_owned(), (*kind).to_owned()))
}

fn is_version(s: &str) -> bool {
    s.strip_prefix('v').is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether two objects decoded from different formats are the same. Raw JSON inside them may have
/// its members in another order, as YAML sorts them, so values are compared, not texts; and
/// protobuf does not tell an empty list from none.
fn same(a: &dyn AnyKind, b: &dyn AnyKind) -> bool {
    if let (Some(a), Some(b)) = (a.as_message(), b.as_message())
        && reflect::eq(a, b)
    {
        return true;
    }
    let json = |object: &dyn AnyKind| {
        let mut out = Vec::new();
        object.encode_any(Format::Json, &mut out).ok()?;
        let mut v = value(&out, Format::Json).ok()?;
        empty_to_null(&mut v);
        Some(v)
    };
    json(a).is_some_and(|a| json(b).is_some_and(|b| difference(&a, &b, "").is_none()))
}

fn empty_to_null(v: &mut Value) {
    match v {
        Value::Array(a) => a.iter_mut().for_each(empty_to_null),
        Value::Object(o) => o.values_mut().for_each(empty_to_null),
        _ => {}
    }
    if v.as_array().is_some_and(Vec::is_empty) || v.as_object().is_some_and(|o| o.is_empty()) {
        *v = Value::Null;
    }
}

/// The file that says what encoding gives.
fn encoded(path: &Path) -> PathBuf {
    let of =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("{}.after_roundtrip.{}", of(path.file_stem()), of(path.extension()));
    let after = path.with_file_name(name);
    if after.is_file() { after } else { path.to_owned() }
}

/// Decodes a file, encodes the object again and compares with what that should give.
fn check(
    scheme: &Scheme,
    gvk: &GroupVersionKind,
    format: Format,
    path: &Path,
    encoded: &Path,
) -> Result<Box<dyn AnyKind>, String> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    let object = scheme.decode(&read(path)?, format).map_err(|e| e.to_string())?;
    if object.gvk() != *gvk {
        return Err(format!("the file holds {}", object.gvk()));
    }
    let bytes = read(encoded)?;
    let mut out = Vec::new();
    object.encode_any(format, &mut out).map_err(|e| e.to_string())?;
    match format {
        Format::Protobuf if out != bytes => {
            let at = out.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
            Err(format!(
                "encoded again, byte {at} differs ({} bytes, Go's have {})",
                out.len(),
                bytes.len()
            ))
        }
        Format::Protobuf => Ok(object),
        Format::Json | Format::Yaml | Format::Cbor => {
            let (ours, theirs) = (value(&out, format)?, value(&bytes, format)?);
            match difference(&ours, &theirs, "") {
                Some(d) => Err(format!("encoded again, {d}")),
                None => Ok(object),
            }
        }
    }
}

fn value(bytes: &[u8], format: Format) -> Result<Value, String> {
    if format == Format::Yaml {
        serde_yaml::from_slice(bytes).map_err(|e| e.to_string())
    } else {
        serde_json::from_slice(bytes).map_err(|e| e.to_string())
    }
}

/// Where two JSON values differ, if they do.
fn difference(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let missing = b
                .keys()
                .find(|k| !a.contains_key(*k))
                .map(|k| format!("{path}.{k} is missing; Go has {}", b[k]));
            missing.or_else(|| {
                a.iter().find_map(|(k, v)| match b.get(k) {
                    Some(w) => difference(v, w, &format!("{path}.{k}")),
                    None => Some(format!("{path}.{k} is {v}; Go has none")),
                })
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (v, w))| difference(v, w, &format!("{path}[{i}]"))),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() && a.is_f64() => None,
        (a, b) if a == b => None,
        (a, b) => Some(format!("{path} is {a}; Go has {b}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_stem(stem: &str, expect: &str) {
        assert_eq!(parse_stem(stem).unwrap().to_string(), expect);
    }

    #[test]
    fn names_of_files() {
        check_stem("core.v1.Pod", "/v1, Kind=Pod");
        check_stem("apps.v1.Deployment.17", "apps/v1, Kind=Deployment");
        check_stem(
            "resource.k8s.io.v1beta1.ResourceClaim.after.roundtrip",
            "resource.k8s.io/v1beta1, Kind=ResourceClaim",
        );
        assert!(parse_stem("README").is_none());
    }

    #[test]
    fn what_encoding_gives_may_be_a_file_of_its_own() {
        let dir = std::env::temp_dir().join(format!("pintle-fixtures-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
        let config = |data: &str| {
            format!(r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{}}{data}}}"#)
        };
        write("core.v1.ConfigMap.json", &config(r#","gone":1"#));
        assert_eq!(run(&dir).unwrap().failed(), 1, "a field that is no more");
        write("core.v1.ConfigMap.after_roundtrip.json", &config(""));
        assert_eq!(run(&dir).unwrap().failed(), 0);
        write("core.v1.ConfigMap.after_roundtrip.json", &config(r#","data":{"a":"b"}"#));
        assert_eq!(run(&dir).unwrap().failed(), 1, "compared with the file that says it");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn differences_are_found() {
        let v = |s: &str| serde_json::from_str::<Value>(s).unwrap();
        assert_eq!(
            difference(&v(r#"{"a":[1]}"#), &v(r#"{"a":[2]}"#), ""),
            Some(".a[0] is 1; Go has 2".into())
        );
        assert_eq!(
            difference(&v(r#"{"a":1}"#), &v(r#"{"a":1,"b":null}"#), ""),
            Some(".b is missing; Go has null".into())
        );
        assert_eq!(difference(&v(r#"{"a":1.0}"#), &v(r#"{"a":1}"#), ""), None);
    }

    #[test]
    fn an_empty_folder_fails() {
        assert_eq!(Report::default().failed(), 1);
    }
}
