//! `apimachinery write DIR` makes the inputs of `cargo xtask bench apimachinery`, `apimachinery run
//! DIR SECONDS` measures ours on them.
use pintle_api::apps_v1::Deployment;
use pintle_api::core_v1::{Container, EnvVar, Pod};
use pintle_apimachinery::reflect::Described;
use pintle_apimachinery::{
    Codec, Decoder, Format, GroupVersionKind, LabelSelector, Map, Quantity, Shared, Str,
    decode_strict, labels,
};
use pintle_benches::pods::{self, Mix};
use pintle_patch::{TypeSchema, strategic};
use pintle_structured_merge::{TypeConverter, TypeTable};
use serde_json::{Value, json};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PODS: usize = 100;
/// The small things are measured by the thousand.
const SMALL: usize = 1000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["write", dir] => write(dir.as_ref()),
        ["run", dir, seconds] => run(dir.as_ref(), seconds.parse().expect("seconds")),
        _ => panic!("usage: apimachinery write DIR | run DIR SECONDS"),
    }
}

fn json_of<T: Codec>(object: &T) -> Vec<u8> {
    let mut out = Vec::new();
    object.encode(Format::Json, &mut out).expect("JSON");
    out
}

/// A Deployment of about 100 KB: containers with much environment.
fn deployment(image: &str, containers: usize, variables: usize) -> Deployment {
    let mut out = Deployment::default();
    out.metadata.name = "web".into();
    out.metadata.namespace = "default".into();
    let labels = || Map::from([("app", "web")]);
    let selector = LabelSelector { match_labels: labels(), ..Default::default() };
    out.spec.selector = Some(Shared::new(selector));
    out.spec.template.metadata.labels = labels();
    for i in 0..containers {
        let variable = |v| EnvVar {
            name: format!("VARIABLE_{v}").into(),
            value: format!("the value of variable {v} of container {i}").into(),
            ..Default::default()
        };
        out.spec.template.spec.containers.push(Container {
            name: format!("container-{i}").into(),
            image: image.into(),
            env: (0..variables).map(variable).collect(),
            ..Default::default()
        });
    }
    out
}

fn write(dir: &Path) {
    let put = |name: &str, bytes: &[u8]| fs::write(dir.join(name), bytes).expect("room");
    fs::create_dir_all(dir).expect("a folder");
    let (mut lines, mut frames) = (Vec::new(), Vec::new());
    for i in 0..PODS {
        let pod = pods::served(i, Mix::Realistic);
        lines.extend(json_of(&pod));
        lines.push(b'\n');
        let mut body = Vec::new();
        pod.encode(Format::Protobuf, &mut body).expect("protobuf");
        frames.extend((body.len() as u32).to_be_bytes());
        frames.extend(body);
    }
    put("pods.jsonl", &lines);
    put("pods.pb", &frames);
    let pod = pods::served(0, Mix::Realistic);
    let name = pod.spec.containers[0].name.as_str();
    let patch = json!({
        "metadata": {"labels": {"patched": "yes"}, "annotations": {"checksum/config": null}},
        "spec": {
            "$setElementOrder/containers": [{"name": name}, {"name": "proxy"}],
            "containers": [
                {"name": name, "image": "web:2", "env": [{"name": "EXTRA", "value": "1"}]},
                {"name": "proxy", "image": "proxy:1"},
            ],
            "tolerations": [{"key": "spot", "operator": "Exists"}],
        },
    });
    put("original.json", &json_of(&pod));
    put("patch.json", patch.to_string().as_bytes());
    put("live.json", &json_of(&deployment("web:1", 20, 60)));
    put("config.json", &json_of(&deployment("web:2", 21, 60)));
}

/// The fastest of many short rounds, in ns a pass: other work on the machine spoils some of them.
fn measure(seconds: f64, mut pass: impl FnMut()) -> f64 {
    const ROUNDS: u32 = 20;
    let round = Duration::from_secs_f64(seconds) / ROUNDS;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (started, mut passes) = (Instant::now(), 0_u32);
        while started.elapsed() < round {
            pass();
            passes += 1;
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e9 / f64::from(passes));
    }
    best
}

fn run(dir: &Path, seconds: f64) {
    let read = |name: &str| fs::read(dir.join(name)).expect("inputs, made by `write`");
    let mut results = serde_json::Map::new();
    let mut put = |name: &str, bytes: usize, ns: f64| {
        results.insert(name.into(), json!({"ns": ns, "bytes": bytes}));
    };

    let lines = read("pods.jsonl");
    let json_pods: Vec<&[u8]> = lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
    let frames = read("pods.pb");
    let mut rest = &frames[..];
    let mut protobuf_pods = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (body, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        protobuf_pods.push(body);
        rest = after;
    }
    for (name, format, bodies) in
        [("json", Format::Json, &json_pods), ("protobuf", Format::Protobuf, &protobuf_pods)]
    {
        let bytes = bodies.iter().map(|b| b.len()).sum();
        let decode = |body: &[u8], cx: &mut Decoder| Pod::decode(body, format, cx).expect("a Pod");
        let ns = measure(seconds, || {
            bodies.iter().for_each(|body| drop(black_box(decode(body, &mut Decoder::new()))));
        });
        put(&format!("{name}_decode"), bytes, ns);
        // As an informer decodes: what repeats is shared.
        let mut cx = Decoder::interning();
        let ns = measure(seconds, || {
            bodies.iter().for_each(|body| drop(black_box(decode(body, &mut cx))));
        });
        put(&format!("{name}_decode_interned"), bytes, ns);
        let objects: Vec<Pod> = bodies.iter().map(|b| decode(b, &mut Decoder::new())).collect();
        let mut out = Vec::new();
        let ns = measure(seconds, || {
            for pod in &objects {
                out.clear();
                black_box(pod).encode(format, &mut out).expect("a Pod");
            }
        });
        put(&format!("{name}_encode"), bytes, ns);
    }
    let bytes = json_pods.iter().map(|b| b.len()).sum();
    let ns = measure(seconds, || {
        for body in &json_pods {
            let (pod, problems) =
                decode_strict::<Pod>(body, Format::Json, &mut Decoder::new()).expect("a Pod");
            assert!(problems.is_empty());
            drop(black_box(pod));
        }
    });
    put("json_decode_strict", bytes, ns);

    let texts = ["100m", "128Mi", "2", "1500m", "4Gi", "500M", "1k", "250u"];
    let ns = measure(seconds, || {
        for i in 0..SMALL {
            drop(black_box(black_box(texts[i % texts.len()]).parse::<Quantity>().expect("one")));
        }
    });
    put("quantity_parse", 0, ns);
    let selector: labels::Selector =
        "app=web,tier in (front,middle),!canary".parse().expect("a selector");
    let set: Map<Str> =
        [("app", "web"), ("tier", "front"), ("pod-template-hash", "6d4cf56db6")].into();
    let ns = measure(seconds, || {
        for _ in 0..SMALL {
            assert!(selector.matches(black_box(&set)));
        }
    });
    put("label_selector_match", 0, ns);

    let (original, patch) = (read("original.json"), read("patch.json"));
    let schema = TypeSchema::of::<Pod>();
    let text = |bytes| str::from_utf8(bytes).expect("text");
    let ns = measure(seconds, || {
        let (original, patch) = (text(&original), text(&patch));
        drop(black_box(strategic::apply_text(original, patch, schema).expect("a patch")));
    });
    put("strategic_merge", original.len() + patch.len(), ns);

    let (live, config) = (read("live.json"), read("config.json"));
    let bytes = live.len() + config.len();
    let value = |bytes: &[u8]| Arc::new(serde_json::from_slice::<Value>(bytes).expect("JSON"));
    let (live, config) = (value(&live), value(&config));
    let types = TypeTable::of([Deployment::described()]);
    let gvk = GroupVersionKind::new("apps", "v1", "Deployment");
    let ty = types.type_of(&gvk).expect("a type");
    let ns = measure(seconds, || {
        let live = ty.typed(Arc::clone(&live)).expect("a Deployment");
        let config = ty.typed(Arc::clone(&config)).expect("a Deployment");
        black_box(config.to_field_set().expect("a set"));
        let merged = live.merge(&config).expect("a merge");
        black_box(live.compare(&merged).expect("a comparison"));
    });
    put("structured_merge_100kb", bytes, ns);
    println!("{}", json!({"results": results}));
}
