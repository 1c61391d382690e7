//! Options as query parameters, both ways. Go: `runtime.ParameterCodec`.
use super::super::area::{Answer, Area, Case};
use super::super::rng::Rng;
use super::random_object::*;
use pintle_apimachinery::{
    Codec, CreateOptions, Decoder, DeleteOptions, Format, GetOptions, GroupVersionKind,
    ListOptions, PatchOptions, QueryPairs, UpdateOptions, meta_v1,
};
use serde_json::{Value, json};

/// Every kind of options.
pub(crate) struct Query;

const KINDS: [&str; 6] = [
    "ListOptions",
    "GetOptions",
    "CreateOptions",
    "UpdateOptions",
    "PatchOptions",
    "DeleteOptions",
];
const KEYS: [&str; 24] = [
    "labelSelector",
    "fieldSelector",
    "watch",
    "allowWatchBookmarks",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
    "limit",
    "continue",
    "sendInitialEvents",
    "shardSelector",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "gracePeriodSeconds",
    "propagationPolicy",
    "orphanDependents",
    "uid",
    "preconditions",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "kind",
    "apiVersion",
    "x",
];
const VALUES: [&str; 18] = [
    "",
    "1",
    "0",
    "true",
    "false",
    "False",
    "All",
    "a%3Db",
    "-5",
    "9223372036854775808",
    "x+y",
    "%zz",
    "a;b",
    "NotOlderThan",
    "+7",
    "1e3",
    "07",
    "%F0%9F%98%80",
];

fn text<'a>(case: &'a Case, key: &str) -> &'a str {
    case.input.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn through_query(kind: &str, query: &QueryPairs) -> Result<String, String> {
    macro_rules! options {
        ($($type:ident)*) => {
            match kind {
                $(stringify!($type) => {
                    <$type>::from_query(query).map(|o| o.query_string()).map_err(|e| e.to_string())
                })*
                other => Err(format!("no options {other}")),
            }
        };
    }
    options!(ListOptions GetOptions CreateOptions UpdateOptions PatchOptions DeleteOptions)
}

impl Area for Query {
    fn name(&self) -> &'static str {
        "query"
    }
    fn generate(&self, rng: &mut Rng) -> Case {
        let kind = *rng.pick(&KINDS);
        if rng.chance(30) {
            let gvk = GroupVersionKind::from_static("", "v1", kind);
            let object = object(rng, &gvk);
            let data = String::from_utf8_lossy(&encoded(&*object, Format::Json)).into_owned();
            return Case::new("query.encode", json!({"kind": kind, "data": data}));
        }
        let pairs: Vec<String> = (0..rng.below(6))
            .map(|_| {
                let key = *rng.pick(&KEYS);
                if rng.chance(8) { key.to_owned() } else { format!("{key}={}", rng.pick(&VALUES)) }
            })
            .collect();
        Case::new("query.decode", json!({"kind": kind, "query": pairs.join("&")}))
    }
    fn ours(&self, case: &Case) -> Answer {
        let kind = text(case, "kind");
        if case.function == "query.decode" {
            return through_query(kind, &QueryPairs::parse(text(case, "query"))).map(Value::from);
        }
        let data = text(case, "data").as_bytes();
        macro_rules! typed {
            ($($type:ident)*) => {
                match kind {
                    $(stringify!($type) => meta_v1::$type::decode(data, Format::Json, &mut Decoder::new())
                        .map(|o| pintle_apimachinery::reflect::to_query(&o).encode()),)*
                    other => return Err(format!("no options {other}")),
                }
            };
        }
        typed!(ListOptions GetOptions CreateOptions UpdateOptions PatchOptions DeleteOptions)
            .map(Value::from)
            .map_err(|e| e.to_string())
    }
    fn same(&self, _: &Case, ours: &Answer, go: &Answer) -> bool {
        match (ours, go) {
            (Ok(a), Ok(b)) => a == b,
            (Err(a), Err(b)) => a == b,
            _ => false,
        }
    }
}
