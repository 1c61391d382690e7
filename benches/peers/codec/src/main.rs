//! `peer-codec DIR SECONDS`: JSON Pods with k8s-openapi and serde_json.
use k8s_openapi::api::core::v1::Pod;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The fastest of many short rounds, in ns a pass.
fn measure(seconds: f64, mut pass: impl FnMut()) -> f64 {
    const ROUNDS: u32 = 20;
    let round = Duration::from_secs_f64(seconds) / ROUNDS;
    let one = |pass: &mut dyn FnMut()| {
        let (started, mut passes) = (Instant::now(), 0);
        while started.elapsed() < round {
            pass();
            passes += 1;
        }
        started.elapsed().as_secs_f64() * 1e9 / f64::from(passes)
    };
    (0..ROUNDS).map(|_| one(&mut pass)).fold(f64::INFINITY, f64::min)
}

fn main() {
    let mut args = std::env::args().skip(1);
    let dir = std::path::PathBuf::from(args.next().expect("a folder of inputs"));
    let seconds: f64 = args.next().and_then(|s| s.parse().ok()).expect("seconds");
    let text = std::fs::read_to_string(dir.join("pods.jsonl")).expect("pods.jsonl");
    let bodies: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
    let bytes: usize = bodies.iter().map(|b| b.len()).sum();
    let read = |body: &&[u8]| serde_json::from_slice::<Pod>(body).expect("a Pod");
    let decode = measure(seconds, || bodies.iter().for_each(|b| drop(black_box(read(b)))));
    let pods: Vec<Pod> = bodies.iter().map(read).collect();
    let mut out = Vec::new();
    let encode = measure(seconds, || {
        for pod in &pods {
            out.clear();
            serde_json::to_writer(&mut out, black_box(pod)).expect("JSON");
        }
    });
    let result = |ns: f64| serde_json::json!({"ns": ns, "bytes": bytes});
    let results = serde_json::json!({"json_decode": result(decode), "json_encode": result(encode)});
    println!("{}", serde_json::json!({"results": results}));
}
