//! `decode`: CPU and memory of decoding and keeping 10,000 Pods from bytes in memory.
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{Codec, Decoder, Format, ListDecoder, ObjectList};
use pintle_benches::pods::{self, Mix};
use pintle_benches::usage::{cpu_seconds, resident_mib};

fn main() {
    let arg = |i: usize, default: &str| std::env::args().nth(i).unwrap_or_else(|| default.into());
    let format = if arg(1, "protobuf") == "json" { Format::Json } else { Format::Protobuf };
    let mix = if arg(2, "realistic") == "distinct" { Mix::Distinct } else { Mix::Realistic };
    let count: usize = arg(3, "10000").parse().expect("a number of Pods");
    let path = std::env::temp_dir().join(format!("pintle-decode-{format:?}-{mix:?}-{count}"));
    if arg(4, "") == "run" {
        let body = std::fs::read(&path).expect("the body");
        let before = (cpu_seconds(), resident_mib().0);
        let mut cx = Decoder::interning();
        let mut list = ListDecoder::<Pod>::new(format);
        for chunk in body.chunks(64 << 10) {
            list.feed(chunk, &mut cx).expect("Pods");
        }
        let list = list.finish().expect("Pods");
        let cpu = cpu_seconds() - before.0;
        let mib = resident_mib().0 - before.1;
        println!(
            "{format:?} {mix:?}: {} Pods of {} bytes: {cpu:.2} s, {mib:.0} MiB more resident",
            list.items.len(),
            body.len() / list.items.len(),
        );
        let started = std::time::Instant::now();
        let mut one = Vec::new();
        list.items[7].encode(format, &mut one).expect("a Pod");
        for _ in 0..1000 {
            let mut out = Vec::with_capacity(one.len());
            std::hint::black_box(&list.items[7]).encode(format, &mut out).expect("a Pod");
        }
        let encode = started.elapsed();
        let started = std::time::Instant::now();
        for _ in 0..1000 {
            std::hint::black_box(Pod::decode(&one, format, &mut Decoder::new()).expect("a Pod"));
        }
        let decode = started.elapsed();
        let started = std::time::Instant::now();
        for p in list.items.iter().take(1000) {
            std::hint::black_box(p.clone());
        }
        let clone = started.elapsed();
        println!(
            "one Pod: decode {:.1} us, encode {:.1} us, clone {:.2} us; size_of {}",
            decode.as_secs_f64() * 1e3,
            encode.as_secs_f64() * 1e3,
            clone.as_secs_f64() * 1e3,
            size_of::<Pod>()
        );
        return;
    }
    let list = ObjectList {
        metadata: pods::list_meta(),
        items: (0..count).map(|i| pods::served(i, mix)).collect(),
    };
    let mut body = Vec::new();
    list.encode(format, &mut body).expect("Pods");
    std::fs::write(&path, body).expect("room for the body");
    let me = std::env::current_exe().expect("this program");
    let done = std::process::Command::new(me)
        .args([&arg(1, "protobuf"), &arg(2, "realistic"), &arg(3, "10000"), "run"])
        .status()
        .expect("this program");
    let _ = std::fs::remove_file(&path);
    std::process::exit(done.code().unwrap_or(1));
}
