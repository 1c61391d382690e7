//! What ours says of times to the questions of `internal/answer/leaf.go`, in the shape of Go's answers.

use super::Answer;
use pintle_apimachinery::{Duration, MicroTime, Time};
use serde_json::{Value, json};

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    let ours = ["time.parse", "time.print", "duration.print"];
    ours.contains(&function).then(|| of_times(function, input))
}

fn of_times(function: &str, input: &Value) -> Answer {
    let shown =
        |zero: bool, text: String| if zero { "null".into() } else { json!(text).to_string() };
    let text = input["text"].as_str().unwrap_or_default();
    Ok(match (function, input["type"].as_str()) {
        ("time.parse", Some("Time")) => {
            let t = Time::parse(text).map_err(|e| e.to_string())?;
            json!({"json": shown(t.is_zero(), t.to_string()), "seconds": t.unix(), "nanos": 0})
        }
        ("time.parse", Some("MicroTime")) => {
            let t = MicroTime::parse(text).map_err(|e| e.to_string())?;
            let json = shown(t.is_zero(), t.to_string());
            json!({"json": json, "seconds": t.unix(), "nanos": t.nanos()})
        }
        ("time.parse", _) => {
            let d = Duration::parse(text).map_err(|e| e.to_string())?;
            json!({"json": d.to_string(), "nanos": d.as_nanos()})
        }
        ("time.print", _) => {
            let number = |name: &str| input[name].as_i64().unwrap_or_default();
            let t = Time::from_unix(number("seconds"));
            let micro = MicroTime::from_unix(number("seconds"), number("nanos"));
            json!({
                "time": shown(t.is_zero(), t.to_string()),
                "micro": shown(micro.is_zero(), micro.to_string()),
                "query": if t.is_zero() { String::new() } else { t.to_string() },
            })
        }
        _ => {
            let d = Duration::from_nanos(input.as_i64().unwrap_or_default());
            json!({"json": json!(d.to_string()).to_string(), "seconds": d.as_secs_f64()})
        }
    })
}
