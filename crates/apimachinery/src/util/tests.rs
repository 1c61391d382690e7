//! Tables and laws of the utilities. What Go answers is in `tests/answers`.

use std::collections::HashMap;
use std::time::Duration;

use super::*;
use crate::parse_error::random;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

// Go: TestBackoff_Step, TestStep, TestBackoffCap
#[test]
fn jitter_adds_up_to_a_share_and_is_not_carried_on() {
    let steps = 10;
    let backoff =
        Backoff { duration: ms(100), factor: 2.0, jitter: 0.5, steps, ..Backoff::default() };
    let delays = |random: f64| {
        let mut backoff = backoff;
        [(); 4].map(|()| backoff.step(random).as_millis())
    };
    assert_eq!(delays(0.0), [100, 200, 400, 800]);
    assert_eq!(delays(1.0), [150, 300, 600, 1200]);
    assert_eq!(delays(0.5), [125, 250, 500, 1000]);
    assert_eq!(jitter(ms(100), 0.0, 1.0), ms(200), "no share is all of it");
    assert_eq!(jitter(ms(100), -1.0, 0.5), ms(150));
}

#[test]
fn a_delay_at_the_cap_ends_the_steps() {
    let mut backoff =
        Backoff { duration: ms(1), factor: 10.0, steps: 100, cap: ms(50), ..Backoff::default() };
    assert_eq!([(); 4].map(|()| backoff.step(0.0).as_millis()), [1, 10, 50, 50]);
    assert_eq!((backoff.steps, backoff.duration), (0, ms(50)));
}

#[test]
fn a_delay_stays_what_can_be_held() {
    let mut random = random(7);
    for _ in 0..20_000 {
        let mut number = || match random(6) {
            0 => 0,
            1 => u64::MAX,
            n => random(u64::MAX) >> (n * 11),
        };
        let odd = [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 2.0, 1e-300];
        let mut backoff = Backoff {
            duration: Duration::from_nanos(number()),
            factor: odd[number() as usize % odd.len()],
            jitter: odd[number() as usize % odd.len()],
            steps: number() as u32 % 5,
            cap: Duration::from_nanos(number()),
        };
        let cap = backoff.cap.max(backoff.duration);
        for _ in 0..6 {
            let delay = backoff.step(odd[number() as usize % odd.len()]);
            assert!(backoff.cap.is_zero() || backoff.duration <= cap, "{backoff:?}");
            assert!(delay >= Duration::ZERO);
        }
        let mut polling = Polling::with_backoff(backoff).timeout(Duration::from_nanos(number()));
        for _ in 0..6 {
            polling.next(Duration::from_nanos(number()), 0.5);
        }
    }
}

// Go: TestExponentialBackoffManagerGetNextBackoff, TestExponentialBackoffManagerWithRealClock
#[test]
fn delays_begin_anew() {
    #[track_caller]
    fn check(mut manager: BackoffManager, steps: &[(u64, u64)]) {
        let mut now = ms(0);
        for (pause, expect) in steps {
            now += ms(*pause);
            assert_eq!(manager.next(now, 0.0), ms(*expect), "after {pause}");
        }
    }
    let backoff =
        Backoff { duration: ms(1), factor: 10.0, steps: 10, cap: ms(10), ..Backoff::default() };
    let quiet = BackoffManager::after_quiet(backoff, ms(100), ms(0));
    // Each call counts as noise, so that only a pause begins anew.
    check(quiet.clone(), &[(0, 1), (90, 10), (90, 10), (100, 10), (101, 1), (0, 10)]);
    check(quiet, &[(101, 1), (0, 10)]);
    // The period runs from when it last began, whatever happened since.
    let every = BackoffManager::every(backoff, ms(100), ms(0));
    check(every, &[(0, 1), (90, 10), (90, 1), (10, 10), (91, 1)]);
    check(BackoffManager::every(backoff, ms(0), ms(0)), &[(0, 1), (1, 1), (500, 1)]);
}

/// Runs a polling whose looking takes the given times, until these are used up or time is; gives
/// when it looked, and when it ended if time was up.
fn looks(mut polling: Polling, takes: &[u64]) -> (Vec<u64>, Option<u64>) {
    let (mut now, mut looked) = (ms(0), Vec::new());
    let mut takes = takes.iter();
    loop {
        match polling.next(now, 0.5) {
            PollStep::Run => {
                let Some(takes) = takes.next() else { return (looked, None) };
                looked.push(now.as_millis() as u64);
                now += ms(*takes);
            }
            PollStep::WaitUntil(then) => {
                assert!(then > now, "waiting goes forward");
                now = then;
            }
            PollStep::TimedOut => return (looked, Some(now.as_millis() as u64)),
        }
    }
}

// Go: Test_loopConditionUntilContext_semantic, TestPollUntilContextTimeout, TestNonSlidingUntil,
// TestJitterUntil, TestBackoffUntil
#[test]
fn looks_when_go_does() {
    #[track_caller]
    fn check(polling: Polling, takes: &[u64], at: &[u64], timed_out: Option<u64>) {
        assert_eq!(looks(polling, takes), (at.to_vec(), timed_out));
    }
    let every = || Polling::every(ms(100));
    check(every(), &[0; 3], &[100, 200, 300], None);
    check(every().immediate(), &[0; 3], &[0, 100, 200], None);
    // Looking that takes long makes up for one point, and then goes back to the grid.
    check(every().immediate(), &[30, 250, 0, 0], &[0, 100, 350, 400], None);
    check(every(), &[1000, 0, 0], &[100, 1100, 1200], None);
    check(every().timeout(ms(250)), &[0; 9], &[100, 200], Some(250));
    check(every().immediate().timeout(ms(0)), &[0; 9], &[0], Some(0));
    check(every().timeout(ms(0)), &[0; 9], &[], Some(0));
    // At the deadline itself time is up.
    check(every().timeout(ms(200)), &[0; 9], &[100], Some(200));
    check(every().immediate().timeout(ms(100)), &[500, 0], &[0], Some(500));
    // Ticks that begin when the first look is done.
    check(every().immediate().sliding(), &[30, 0, 0], &[0, 130, 230], None);
    check(every().immediate().sliding().timeout(ms(140)), &[30, 0, 0], &[0, 130], Some(140));
    check(Polling::every(ms(0)), &[1, 2, 3], &[0, 1, 3], None);

    check(Polling::until(ms(100), 0.0), &[30, 250, 0, 0], &[0, 100, 350, 450], None);
    check(Polling::until(ms(100), 0.0).sliding(), &[30, 250, 0], &[0, 130, 480], None);
    check(Polling::until(ms(100), 1.0), &[0; 3], &[0, 150, 300], None);

    let backoff = Backoff { duration: ms(10), factor: 2.0, steps: 3, ..Backoff::default() };
    check(Polling::with_backoff(backoff), &[0; 5], &[10, 30, 70, 150, 230], None);
    check(Polling::with_backoff(backoff).sliding(), &[5; 3], &[10, 35, 80], None);
    let managed = BackoffManager::after_quiet(backoff, ms(1_000), ms(0));
    check(Polling::managed(managed).sliding(), &[0, 0, 2_000, 0], &[0, 10, 30, 2_040], None);
}

#[test]
fn no_steps_are_no_attempts() {
    let mut attempts = Attempts::new(Backoff { duration: ms(1), ..Backoff::default() });
    assert_eq!(attempts.next(0.0), Attempt::GiveUp);
    assert_eq!(attempts.next(0.0), Attempt::GiveUp);
}

/// Pieces of `alphabet`, one after the other.
fn text(random: &mut impl FnMut(u64) -> u64, alphabet: &[&str], most: u64) -> String {
    let length = random(most);
    (0..length).map(|_| alphabet[random(alphabet.len() as u64) as usize]).collect()
}

#[test]
fn how_a_stream_arrives_does_not_matter() {
    let pieces = ["---", "\n", "\r\n", "a: 1", "#", " ", "-", "x", "é", "\n---\n", "\r"];
    let mut random = random(3);
    for _ in 0..5_000 {
        let text = text(&mut random, &pieces, 12);
        let mut chunks: Vec<&[u8]> = Vec::new();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(1 + random(rest.len() as u64) as usize);
            chunks.push(chunk);
            rest = after;
        }
        let split = |chunks: &[&[u8]]| {
            let (mut splitter, mut documents) = (YamlSplitter::new(), Vec::new());
            for chunk in chunks {
                splitter.feed(chunk);
                while let Some(document) = splitter.next()? {
                    documents.push(document);
                }
            }
            documents.extend(splitter.finish()?);
            Ok::<_, crate::ParseError>(documents)
        };
        assert_eq!(split(&chunks), split(&[text.as_bytes()]), "{text:?}");
        let frame = |chunks: &[&[u8]]| {
            let (mut framer, mut documents) = (YamlFramer::new(), Vec::new());
            for chunk in chunks {
                framer.feed(chunk);
                while let Some(document) = framer.next().unwrap() {
                    documents.push(document);
                }
            }
            documents.extend(framer.finish().unwrap());
            documents
        };
        assert_eq!(frame(&chunks), frame(&[text.as_bytes()]), "{text:?}");
    }
}

#[test]
fn a_wrong_separator_loses_one_document() {
    let mut splitter = YamlSplitter::new();
    splitter.feed(b"a: 1\n---x\nb: 2\n---\nc: 3\n");
    assert_eq!(splitter.next().unwrap_err().message(), "invalid Yaml document separator: x");
    assert_eq!(splitter.next().unwrap().unwrap(), b"b: 2\n");
    assert_eq!(splitter.finish().unwrap(), [b"c: 3\n"]);
}

#[test]
fn a_document_has_a_limit() {
    let mut framer = YamlFramer::new();
    framer.feed(&vec![b'a'; (5 << 20) - 1]);
    assert_eq!(framer.next().unwrap(), None);
    framer.feed(b"a");
    assert!(framer.next().is_err() && framer.finish().is_err());
}

#[test]
fn names_are_of_the_alphabet() {
    let mut bits = random(5);
    let mut bits = || bits(u64::MAX);
    let suffix = random_suffix(2_000, &mut bits);
    let mut counts: HashMap<char, usize> = HashMap::new();
    suffix.chars().for_each(|c| *counts.entry(c).or_default() += 1);
    assert!(NAME_ALPHABET.chars().all(|c| counts.contains_key(&c)) && counts.len() == 27);

    let base = "a".repeat(63);
    let name = generate_name(&base, &mut bits);
    assert!(name.len() == 63 && name.starts_with(&base[..58]));
    // Never half a character, and never an endless search for a number in range.
    let name = generate_name(&format!("{}é", "a".repeat(57)), || u64::MAX);
    assert_eq!(name, format!("{}bbbbb", "a".repeat(57)));
    assert_eq!(safe_encode("é"), NAME_ALPHABET[0xe9 % 27..].chars().next().unwrap().to_string());
}

#[test]
fn caches_do_what_plain_maps_would() {
    let mut random = random(11);
    let mut now = Duration::ZERO;
    let (mut expiring, mut lru) = (ExpiringCache::new(), LruCache::new(3));
    let mut by_time: HashMap<u64, (u64, Duration)> = HashMap::new();
    let mut by_use: Vec<(u64, u64)> = Vec::new();
    for value in 0..20_000 {
        now += ms(random(5));
        let key = random(6);
        let place = by_use.iter().position(|(k, _)| *k == key);
        match random(4) {
            0 => {
                let keep = ms(random(20));
                expiring.set(key, value, keep, now);
                by_time.insert(key, (value, now + keep));
                if let Some(place) = place {
                    by_use.remove(place);
                }
                by_use.push((key, value));
                let gone = (by_use.len() > 3).then(|| by_use.remove(0));
                assert_eq!(lru.insert(key, value), gone);
            }
            1 => {
                expiring.delete(&key);
                by_time.remove(&key);
                assert_eq!(lru.remove(&key), place.map(|place| by_use.remove(place).1));
            }
            _ => {
                let live = by_time.get(&key).filter(|(_, expiry)| now < *expiry);
                assert_eq!(expiring.get(&key, now), live.map(|(value, _)| value));
                assert_eq!(lru.get(&key).copied(), place.map(|place| by_use[place].1));
                if let Some(place) = place {
                    let used = by_use.remove(place);
                    by_use.push(used);
                }
            }
        }
        assert!(lru.keys().eq(by_use.iter().map(|(key, _)| key)) && lru.len() == by_use.len());
        assert!(expiring.len() <= 6);
    }
}

#[test]
fn a_cache_may_give_what_has_expired() {
    let mut cache = ExpiringCache::new().allow_expired();
    cache.set("a", 1, ms(1), ms(0));
    assert_eq!(cache.get(&"a", ms(5)), Some(&1));
    cache.set("b", 2, ms(1), ms(5));
    assert_eq!((cache.get(&"a", ms(5)), cache.len()), (None, 1));
}

#[test]
fn makes_what_is_missing_once() {
    let mut cache = LruCache::new(0);
    assert_eq!(*cache.get_or_insert_with("a", || 1), 1);
    *cache.get_or_insert_with("a", || 2) += 10;
    assert_eq!(cache.peek(&"a"), Some(&11));
    cache.get_or_insert_with("b", || 3);
    assert_eq!((cache.peek(&"a"), cache.len()), (None, 1));
    cache.remove_all(|key| *key == "b");
    assert!(cache.is_empty() && cache.keys().next().is_none());
}

#[test]
fn one_error_is_itself_and_several_are_its_cause() {
    use crate::Error;
    let one: Error = Aggregate::from_iter([Error::timeout("late")]).into();
    assert!(one.is_timeout() && one.to_string() == "late");
    let kind = crate::GroupKind::from_static("", "X");
    let two: Error =
        Aggregate::from_iter([Error::timeout("late"), Error::no_kind_match(&kind, &[])]).into();
    assert_eq!(two.to_string(), r#"[late, no matches for kind "X" in group ""]"#);
    assert!(two.is_no_match() && !two.is_ambiguous() && !two.is_timeout());
    assert!(std::error::Error::source(&two).is_some());
}

#[test]
fn no_text_breaks_a_parser() {
    let pieces = [
        ".",
        "[",
        "]",
        "?",
        "(",
        ")",
        "@",
        "'",
        "\"",
        "a",
        "0",
        "-",
        ":",
        "*",
        ",",
        "=",
        "!",
        "<",
        "\\",
        " ",
        "é",
        "1",
        "..",
        "[?(",
        ")]",
        "[*]",
        "9999999999999999999",
        "\n",
        "{",
        "}",
        "\\x",
    ];
    let value = serde_json::json!({"a": [{"a": 1}, {"a": "é"}, [[]]], "0": null});
    let mut random = random(13);
    for _ in 0..30_000 {
        let path = text(&mut random, &pieces, 14);
        if let Ok(path) = JsonPath::parse(&path) {
            let _ = path.find(&value);
        }
    }
    assert!(JsonPath::parse(&"[?(".repeat(10_000)).is_err());
    let nested = format!("{}@.a{}", "[?(".repeat(100), ")]".repeat(100));
    assert!(JsonPath::parse(&nested).is_err());
}

#[test]
fn durations_at_the_ends() {
    for nanos in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
        let duration = crate::Duration::from_nanos(nanos);
        assert!(!human_duration(duration).is_empty() && !short_human_duration(duration).is_empty());
    }
}
