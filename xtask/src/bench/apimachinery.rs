//! `cargo xtask bench apimachinery`: codecs, quantities, selectors, patches and structured merge,
//! beside Go's own and, where it has the same, k8s-openapi with serde_json; all on the same inputs.
use super::table::{Table, ratio};
use super::{machine, own_binary, peers_cargo, peers_target};
use crate::process::{only, option, output, run};
use crate::root;
use serde_json::Value;
use std::process::Command;

/// What is shown: the name in the results, in words, and how often it happens in a pass.
const PARTS: &[(&str, &str, f64)] = &[
    ("json_decode", "decode JSON Pods", 1.0),
    ("json_decode_interned", "decode JSON Pods, as an informer", 1.0),
    ("json_encode", "encode JSON Pods", 1.0),
    ("protobuf_decode", "decode protobuf Pods", 1.0),
    ("protobuf_decode_interned", "decode protobuf Pods, as an informer", 1.0),
    ("protobuf_encode", "encode protobuf Pods", 1.0),
    ("json_decode_strict", "decode JSON Pods strictly", 1.0),
    ("quantity_parse", "parse a quantity", 1000.0),
    ("label_selector_match", "match a label selector", 1000.0),
    ("strategic_merge", "strategic merge of a Pod", 1.0),
    ("structured_merge_100kb", "structured merge of a 100 KB Deployment", 1.0),
];
/// How much faster than Go everything is to be.
const GOAL: f64 = 3.0;

/// `[--seconds N]`: how long each part is measured.
pub(super) fn command(args: &[String]) -> Result<(), String> {
    only(args, &["--seconds"], &[])?;
    let seconds = option(args, "--seconds").unwrap_or("2");
    let inputs = root().join("target").join("bench-apimachinery");
    let own = own_binary(&["apimachinery"])?.join("apimachinery");
    run(Command::new(&own).arg("write").arg(&inputs))?;
    run(&mut peers_cargo(&["build", "--quiet", "--release", "--package", "peer-codec"]))?;
    let peer = peers_target().join("release").join("peer-codec");

    let ours = figures(Command::new(own).arg("run").arg(&inputs).arg(seconds))?;
    let peer = figures(Command::new(peer).arg(&inputs).arg(seconds))?;
    let go = match crate::control_plane::build()? {
        Some(program) => figures(
            Command::new(program).args(["bench-apimachinery", "--seconds", seconds]).arg(&inputs),
        )?,
        None => {
            eprintln!("Go is not installed: its column stays empty");
            Value::Null
        }
    };

    let version = go["go"].as_str().unwrap_or("without Go");
    println!("\n## apimachinery\n\n{}, {version}.\n", machine());
    let mut table = Table::new(&["", "", "pintle", "Go", "k8s-openapi", "pintle / Go"]);
    let mut short = Vec::new();
    for (name, what, times) in PARTS {
        // As an informer decodes: Go and serde have one way only.
        let plain = name.strip_suffix("_interned").unwrap_or(name);
        let of = |all: &Value, name: &str| {
            let ns = all["results"][name]["ns"].as_f64()?;
            let bytes = all["results"][name]["bytes"].as_f64().unwrap_or(0.0);
            Some((ns, bytes))
        };
        let rate = times == &1.0;
        let shown = |figure: Option<(f64, f64)>| match figure {
            None => String::new(),
            Some((ns, bytes)) if rate => format!("{:.0}", bytes * 1e3 / ns),
            Some((ns, _)) => format!("{:.1}", ns / times),
        };
        let (own, theirs, peers) = (of(&ours, name), of(&go, plain), of(&peer, plain));
        let faster = match (own, theirs) {
            (Some((own, _)), Some((theirs, _))) => {
                if theirs / own < GOAL {
                    short.push(format!("{what}: {}", ratio(theirs, own)));
                }
                ratio(theirs, own)
            }
            _ => String::new(),
        };
        let unit = if rate { "MB/s" } else { "ns" };
        let cells = [*what, unit, &shown(own), &shown(theirs), &shown(peers), &faster];
        table.row(cells.map(str::to_owned).to_vec());
    }
    table.print();
    match short.is_empty() {
        true => println!("\nThe goal of {GOAL}x Go holds everywhere."),
        false => println!("\nShort of {GOAL}x Go: {}", short.join("; ")),
    }
    Ok(())
}

fn figures(command: &mut Command) -> Result<Value, String> {
    let text = output(command)?;
    serde_json::from_str(&text).map_err(|e| format!("{text:?}: {e}"))
}
