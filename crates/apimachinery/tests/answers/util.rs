//! What ours says to the questions of `internal/answer/metautil.go`, in the shape of Go's answers.
//! The comparison with Go (`cargo xtask conformance apimachinery`) uses this file too.

use pintle_apimachinery::Duration as GoDuration;
use pintle_apimachinery::util::{
    Attempt, Attempts, Backoff, BackoffManager, ExpiringCache, LruExpireCache, YamlFramer,
    YamlSplitter, human_duration, looks_like_json, short_human_duration,
};
use pintle_apimachinery::version::{Version, compare_kube_versions};
use serde_json::{Value, json};
use std::time::Duration;

type Answer = Result<Value, String>;

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    Some(match function {
        "version.kube" => version_kube(input),
        "version.parse" => parsed(input).map(|v| version(&v)),
        "version.compare" => version_compare(input),
        "version.change" => version_change(input),
        "version.highest" => version_highest(input),
        "duration.human" => duration_human(input),
        "wait.backoff" => wait_backoff(input),
        "wait.reset" => wait_reset(input),
        "wait.attempts" => wait_attempts(input),
        "yaml.split" => yaml_split(input),
        "yaml.frame" => yaml_frame(input),
        "yaml.isJSON" => Ok(looks_like_json(plain(input).as_bytes()).into()),
        "cache.expiring" => cache_expiring(input),
        "cache.lru" => cache_lru(input),
        _ => return None,
    })
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |list| list)
}

fn nanos(value: &Value) -> Duration {
    Duration::from_nanos(value.as_u64().unwrap_or_default())
}

fn version_kube(input: &Value) -> Answer {
    Ok((compare_kube_versions(plain(&input[0]), plain(&input[1])) as i8).into())
}

fn parsed(input: &Value) -> Result<Version, String> {
    let text = plain(&input["text"]);
    let version = match plain(&input["how"]) {
        "semantic" => Version::parse_semantic(text),
        "generic" => Version::parse_generic(text),
        "majorMinor" => Version::parse_major_minor(text),
        _ => Version::parse(text),
    };
    version.map_err(|e| e.to_string())
}

fn version(v: &Version) -> Value {
    json!({
        "text": v.to_string(), "components": v.components(), "preRelease": v.pre_release(),
        "buildMetadata": v.build_metadata(), "major": v.major(), "minor": v.minor(),
        "patch": v.patch(),
    })
}

fn version_compare(input: &Value) -> Answer {
    let (a, b) = (parsed(&input[0])?, parsed(&input[1])?);
    let mut out =
        json!({"equal": a == b, "atLeast": a.at_least(&b), "less": a < b, "greater": a > b});
    match a.compare(plain(&input[1]["text"])) {
        Ok(order) => out["order"] = (order as i8).into(),
        Err(error) => out["error"] = error.to_string().into(),
    }
    Ok(out)
}

fn version_change(input: &Value) -> Answer {
    let v = parsed(input)?;
    let number = input["number"].as_u64().unwrap_or_default();
    let offset = i64::try_from(number).unwrap_or(i64::MAX);
    let extra = plain(&input["extra"]);
    Ok(version(&match plain(&input["change"]) {
        "major" => v.with_major(number),
        "minor" => v.with_minor(number),
        "patch" => v.with_patch(number),
        "add" => v.offset_minor(offset),
        "subtract" => v.offset_minor(-offset),
        "preRelease" => v.with_pre_release(extra),
        "buildMetadata" => v.with_build_metadata(extra),
        _ => v,
    }))
}

fn version_highest(input: &Value) -> Answer {
    let versions: Vec<&str> = list(input).iter().map(plain).collect();
    let highest = Version::highest_supported(&versions);
    highest.map(|v| v.to_string().into()).map_err(|e| e.to_string())
}

fn duration_human(input: &Value) -> Answer {
    let duration = GoDuration::from_nanos(input.as_i64().unwrap_or_default());
    Ok(json!([human_duration(duration), short_human_duration(duration)]))
}

fn backoff(input: &Value) -> Backoff {
    Backoff {
        duration: nanos(&input["duration"]),
        factor: input["factor"].as_f64().unwrap_or_default(),
        jitter: 0.0,
        steps: input["steps"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        cap: nanos(&input["cap"]),
    }
}

fn as_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn wait_backoff(input: &Value) -> Answer {
    let mut backoff = backoff(input);
    let times = input["times"].as_u64().unwrap_or_default();
    let delays: Vec<u64> = (0..times).map(|_| as_nanos(backoff.step(0.5))).collect();
    Ok(json!({"delays": delays, "steps": backoff.steps, "next": as_nanos(backoff.duration)}))
}

fn wait_reset(input: &Value) -> Answer {
    let mut now = Duration::ZERO;
    let mut delays = BackoffManager::every(backoff(input), nanos(&input["reset"]), now);
    let delay = |pause: &Value| {
        now += nanos(pause);
        Value::from(as_nanos(delays.next(now, 0.5)))
    };
    Ok(list(&input["pauses"]).iter().map(delay).collect())
}

fn wait_attempts(input: &Value) -> Answer {
    let mut attempts = Attempts::new(backoff(input));
    let succeed_at = input["succeedAt"].as_u64().unwrap_or_default();
    let mut tried = 0;
    loop {
        match attempts.next(0.5) {
            Attempt::Try => tried += 1,
            Attempt::Wait(_) => continue,
            Attempt::GiveUp => return Ok(json!({"attempts": tried, "gaveUp": true})),
        }
        if tried == succeed_at {
            return Ok(json!({"attempts": tried, "gaveUp": false}));
        }
    }
}

fn utf8(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

/// Fed in parts, which must not matter.
fn parts(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().chunks(1 + text.len() % 7)
}

fn yaml_split(input: &Value) -> Answer {
    let mut splitter = YamlSplitter::new();
    let mut documents: Vec<Value> = Vec::new();
    let error = 'all: {
        for part in parts(plain(input)) {
            splitter.feed(part);
            loop {
                match splitter.next() {
                    Ok(Some(document)) => documents.push(utf8(&document)),
                    Ok(None) => break,
                    Err(error) => break 'all Some(error),
                }
            }
        }
        match splitter.finish() {
            Ok(rest) => {
                documents.extend(rest.iter().map(|document| utf8(document)));
                None
            }
            Err(error) => Some(error),
        }
    };
    let mut out = json!({ "documents": documents });
    if let Some(error) = error {
        out["error"] = error.to_string().into();
    }
    Ok(out)
}

fn yaml_frame(input: &Value) -> Answer {
    let mut framer = YamlFramer::new();
    let mut documents: Vec<Value> = Vec::new();
    for part in parts(plain(input)) {
        framer.feed(part);
        while let Some(document) = framer.next().map_err(|e| e.to_string())? {
            documents.push(utf8(&document));
        }
    }
    let rest = framer.finish().map_err(|e| e.to_string())?;
    documents.extend(rest.iter().map(|document| utf8(document)));
    Ok(documents.into())
}

fn cache_expiring(input: &Value) -> Answer {
    let (mut cache, mut now, mut out) = (ExpiringCache::new(), Duration::ZERO, Vec::new());
    for step in list(input) {
        now += nanos(&step["pause"]);
        let key = plain(&step["key"]).to_owned();
        match plain(&step["do"]) {
            "get" => out.push(cache.get(&key, now).cloned().unwrap_or_default()),
            "set" => cache.set(key, step["value"].clone(), nanos(&step["keep"]), now),
            "delete" => drop(cache.delete(&key)),
            _ => out.push(cache.len().into()),
        }
    }
    Ok(out.into())
}

fn cache_lru(input: &Value) -> Answer {
    let size = input["size"].as_u64().unwrap_or_default();
    let mut cache = LruExpireCache::new(usize::try_from(size).unwrap_or(usize::MAX));
    let (mut now, mut out) = (Duration::ZERO, Vec::new());
    for step in list(&input["steps"]) {
        now += nanos(&step["pause"]);
        let key = plain(&step["key"]).to_owned();
        match plain(&step["do"]) {
            "get" => out.push(cache.get(&key, now).cloned().unwrap_or_default()),
            "set" => cache.add(key, step["value"].clone(), nanos(&step["keep"]), now),
            "delete" => cache.remove(&key),
            _ => out.push(cache.keys(now).cloned().collect::<Vec<String>>().into()),
        }
    }
    Ok(out.into())
}
