//! Scenarios of `tools/record/events_cache_test.go` (TestEventCorrelator, TestEventSpamFilter,
//! TestEventAggregatorByReasonFunc) and the limits themselves.

use super::*;

fn event(reason: &str, message: &str) -> Event {
    let mut event =
        Event { reason: reason.into(), message: message.into(), count: 1, ..Event::default() };
    event.metadata.name = format!("my-pod.{reason}").into();
    event.metadata.namespace = "my-ns".into();
    event.involved_object.kind = "Pod".into();
    event.involved_object.namespace = "my-ns".into();
    event.involved_object.name = "my-pod".into();
    event.source.component = "kubelet".into();
    event.type_ = "Normal".into();
    event
}

fn similar(n: usize) -> Vec<Event> {
    (0..n).map(|i| event("similar", &format!("similar message {i}"))).collect()
}

struct Play {
    correlator: Correlator,
    start: Instant,
    seconds: u64,
}

impl Play {
    fn new() -> Self {
        let correlator = Correlator::new(CorrelatorOptions::default());
        Play { correlator, start: Instant::now(), seconds: 0 }
    }

    /// Tells the event `after` seconds after the last one, and stores what is written.
    fn tell(&mut self, mut event: Event, after: u64) -> Correlated {
        self.seconds += after;
        let now = Moment {
            instant: self.start + Duration::from_secs(self.seconds),
            unix_nanos: (1_700_000_000 + i128::from(self.seconds)) * 1_000_000_000,
        };
        event.first_timestamp = now.time();
        event.last_timestamp = now.time();
        let correlated = self.correlator.correlate(event, now);
        if let Correlated::Create(event) | Correlated::Patch(event, _) = &correlated {
            self.correlator.stored(event);
        }
        correlated
    }
}

/// Tells the previous events and then one more; what is written has this message and count, or
/// nothing is written.
#[track_caller]
fn check(previous: Vec<Event>, new: Event, every: u64, expect: Option<(&str, i32)>) {
    let mut play = Play::new();
    for event in previous {
        play.tell(event, every);
    }
    let got = play.tell(new, every);
    let brief = match &got {
        Correlated::Spam => None,
        Correlated::Create(event) => {
            assert_eq!(event.count, 1);
            Some((event.message.as_str(), 1))
        }
        Correlated::Patch(event, patch) => {
            assert!(event.count > 1);
            let patch: serde_json::Value = serde_json::from_slice(patch).expect("JSON");
            assert_eq!(patch["count"], event.count);
            assert_eq!(patch["message"], event.message.as_str());
            assert_eq!(patch["lastTimestamp"], event.last_timestamp.to_string());
            assert_eq!(patch.as_object().map(|o| o.len()), Some(3));
            assert!(event.first_timestamp.unix() < event.last_timestamp.unix());
            Some((event.message.as_str(), event.count))
        }
    };
    assert_eq!(brief, expect);
}

#[test]
fn one_event_is_created() {
    check(vec![], event("first", "i am first"), 5, Some(("i am first", 1)));
}

#[test]
fn the_same_event_counts() {
    let again = || event("duplicate", "me again");
    check(vec![again()], again(), 5, Some(("me again", 2)));
    check(vec![again(); 10], again(), 30, Some(("me again", 11)));
}

#[test]
fn too_many_at_once_are_spam() {
    let again = || event("duplicate", "me again");
    check(vec![again(); 26], again(), 1, None);
}

#[test]
fn many_different_events_are_created() {
    let different = (0..30).map(|i| event(&format!("r{i}"), "m")).collect();
    check(different, event("unique", "snowflake"), 400, Some(("snowflake", 1)));
}

#[test]
fn similar_events_are_aggregated_and_the_aggregate_counts() {
    let combined = "(combined from similar events): another";
    check(similar(8), event("similar", "another"), 5, Some(("another", 1)));
    check(similar(9), event("similar", "another"), 5, Some((combined, 1)));
    check(similar(10), event("similar", "another"), 5, Some((combined, 2)));
    check(similar(14), event("similar", "another"), 5, Some((combined, 6)));
    // The first few are told apart as before.
    check(similar(14), event("similar", "similar message 3"), 5, Some(("similar message 3", 2)));
}

#[test]
fn similar_events_far_apart_are_not_aggregated() {
    check(similar(9), event("similar", "another"), 601, Some(("another", 1)));
}

#[test]
fn parts_of_an_object_are_told_apart() {
    let part = |n| {
        let mut event = event("similar", "m");
        event.involved_object.field_path = format!("spec.containers{{container{n}}}").into();
        event
    };
    check(vec![part(1)], part(2), 5, Some(("m", 1)));
    check(vec![part(1)], part(1), 5, Some(("m", 2)));
}

#[test]
fn fields_do_not_run_into_each_other() {
    // Joined without a mark between them, the two would be one event.
    check(vec![event("ab", "c")], event("a", "bc"), 5, Some(("bc", 1)));
}

#[test]
fn the_burst_refills_one_in_five_minutes() {
    let mut play = Play::new();
    let mut told = |after| play.tell(event("r", "m"), after) != Correlated::Spam;
    assert_eq!((0..30).filter(|_| told(0)).count(), 25);
    assert!(!told(299));
    assert!(told(1));
    assert!(!told(299));
    // What was filtered still counts.
    match play.tell(event("r", "m"), 1) {
        Correlated::Patch(event, _) => assert_eq!(event.count, 34),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_patch_goes_to_the_event_as_the_server_named_it() {
    let mut play = Play::new();
    let Correlated::Create(mut created) = play.tell(event("r", "m"), 1) else { panic!("new") };
    created.metadata.name = "named-by-the-server".into();
    play.correlator.stored(&created);
    let Correlated::Patch(patched, _) = play.tell(event("r", "m"), 1) else { panic!("again") };
    assert_eq!(patched.metadata.name, "named-by-the-server");
    assert_eq!(patched.first_timestamp, created.first_timestamp);
}

#[test]
fn memory_is_bounded() {
    let mut correlator =
        Correlator::new(CorrelatorOptions { cache_size: 16, ..CorrelatorOptions::default() });
    let instant = Instant::now();
    for i in 0..1000 {
        let now = Moment { instant, unix_nanos: i };
        let mut event = event("r", &format!("m{i}"));
        event.involved_object.name = format!("pod-{i}").into();
        assert!(matches!(correlator.correlate(event, now), Correlated::Create(_)));
    }
    let sizes = [correlator.similar.len(), correlator.told.len(), correlator.buckets.len()];
    assert_eq!(sizes, [16; 3]);
}

#[test]
fn names() {
    assert_eq!(event_name("web", 0x17), "web.17");
    assert_eq!(event_name("system:node:a", 0x17), "event.17");
    assert_eq!(event_name("", 0x17), "event.17");
    assert_eq!(event_name("a..b", 0x17), "event.17");
    assert_eq!(event_name("-a", 0x17), "event.17");
    assert_eq!(event_name(&"a".repeat(251), 0x17), "event.17");
    assert_eq!(event_name(&"a".repeat(250), 0x17).len(), 253);
}
