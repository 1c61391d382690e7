//! Time, MicroTime and Duration: parse and print.
use crate::apimachinery::area::{Answer, Area, Case, differences};
use crate::apimachinery::rng::Rng;
use serde_json::json;

pub(crate) struct Times;

const DIGITS: &[&str] = &["0", "0", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

fn time(rng: &mut Rng) -> String {
    let two = |rng: &mut Rng, below: usize| format!("{:02}", rng.below(below));
    let text = if rng.chance(25) {
        format!(
            "20{}-{:02}-{:02}T{}:{}:{}Z",
            two(rng, 100),
            1 + rng.below(12),
            1 + rng.below(31),
            two(rng, 24),
            two(rng, 60),
            two(rng, 60)
        )
    } else {
        let years = ["2026", "0000", "0001", "9999", "1900", "2000", "2024", "1969"];
        let hour = if rng.chance(10) { rng.below(10).to_string() } else { two(rng, 26) };
        let fraction = match rng.below(6) {
            0 => ".5".to_owned(),
            1 => format!("{}{}", rng.pick(&[".", ","]), rng.text(DIGITS, 12)),
            2 | 3 => format!(".{:06}", rng.below(1_000_000)),
            4 => format!(".{}12345", rng.pick(&["+", "-", "0"])),
            _ => String::new(),
        };
        let zone = match rng.below(5) {
            0 => format!("{}{}:{}", rng.pick(&["+", "-", "x"]), two(rng, 27), two(rng, 63)),
            1 => (*rng.pick(&["", "z", "Z ", "+0100", "+1:00"])).to_owned(),
            _ => "Z".to_owned(),
        };
        format!(
            "{}-{}-{}T{hour}:{}:{}{fraction}{zone}",
            rng.pick(&years),
            two(rng, 14),
            two(rng, 33),
            two(rng, 61),
            two(rng, 62)
        )
    };
    let odd = ["0", "9", "-", ":", "T", "Z", "+", ".", ",", " ", "é", "\"", "\u{7f}", "\n"];
    if rng.chance(30) { rng.mutate(&text, &odd) } else { text }
}

fn duration(rng: &mut Rng) -> String {
    let mut text = (*rng.pick(&["", "", "-", "+"])).to_owned();
    for _ in 0..1 + rng.below(3) {
        let whole = *rng.pick(&[1, 2, 4, 10, 19, 20]);
        text += &rng.text(DIGITS, whole);
        if rng.chance(33) {
            text.push('.');
            let fraction = *rng.pick(&[1, 3, 9, 20]);
            text += &rng.text(DIGITS, fraction);
        }
        text += *rng.pick(&["ns", "us", "µs", "μs", "ms", "s", "m", "h", "h", "m", "s", "d", ""]);
    }
    let odd = ["0", "5", ".", "h", "m", "s", "-", " ", "é", "\""];
    if rng.chance(20) { rng.mutate(&text, &odd) } else { text }
}

impl Area for Times {
    fn name(&self) -> &'static str {
        "time"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(8) {
            0 | 1 => Case::new("time.parse", json!({"type": "Time", "text": time(rng)})),
            2 | 3 => Case::new("time.parse", json!({"type": "MicroTime", "text": time(rng)})),
            4 | 5 => Case::new("time.parse", json!({"type": "Duration", "text": duration(rng)})),
            6 => {
                let seconds = match rng.below(4) {
                    0 => rng.integer().clamp(-(1 << 55), 1 << 55),
                    1 => -62_135_596_800 + rng.between(-1, 1),
                    _ => (rng.next_u64() as i64) >> 28,
                };
                let nanos = rng.between(0, 999_999_999);
                Case::new("time.print", json!({"seconds": seconds, "nanos": nanos}))
            }
            _ => Case::new("duration.print", rng.integer()),
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }

    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        match (ours, go) {
            (Ok(_), Ok(_)) if case.function == "time.print" => {
                let fine = (1..1000).contains(&case.input["nanos"].as_i64()?);
                fine.then_some(
                    "Go takes a time for zero only if its nanoseconds are, which it never writes",
                )
            }
            (Ok(a), Ok(b)) => {
                let fraction = case.input["type"] == "Time"
                    && differences(a, b).iter().all(|(path, ..)| path == ".nanos");
                fraction.then_some(
                    "Go keeps the fraction of a Time in memory and never writes it; ours cuts it off at once",
                )
            }
            (Err(e), Ok(_)) if e.starts_with("time: invalid duration ") => {
                // Wrapping takes terms that are each in bounds and together are not.
                let text = case.input["text"].as_str()?;
                (nanoseconds(text)? >= 9.22e18).then_some(
                    "time.ParseDuration wraps around where terms add up to 2^64; ours is an error",
                )
            }
            _ => None,
        }
    }
}

/// About how many nanoseconds the terms of a duration add up to.
fn nanoseconds(text: &str) -> Option<f64> {
    let mut rest = text.trim_start_matches(['+', '-']);
    let mut sum = 0.0;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let end = rest[unit..].find(|c: char| c.is_ascii_digit() || c == '.');
        let end = end.map_or(rest.len(), |i| unit + i);
        let each = match &rest[unit..end] {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        sum += rest[..unit].parse::<f64>().ok()? * each;
        rest = &rest[end..];
    }
    Some(sum)
}
