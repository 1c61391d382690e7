//! What becomes of an event: a new one, a higher count on an old one, a part of an aggregate, or
//! nothing. Go counterpart: `tools/record/events_cache.go`.
//!
//! Three steps, each with a bounded memory. *Aggregate*: events that differ only in their message
//! are told one by one up to a number in a span of time, and then under one combined message.
//! *Count*: the same event again is a patch that raises its count. *Filter*: a source has a burst
//! of events about one object, and then a slow refill.

use std::time::{Duration, Instant};

use pintle_api::core_v1::Event;
use pintle_apimachinery::util::LruCache as Lru;
use pintle_apimachinery::{Str, Time};

use crate::queue::TokenBucket;

/// How much is told.
///
/// Go counterpart: `record.CorrelatorOptions`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CorrelatorOptions {
    /// How many groups of events are remembered for each of the three steps; 4,096 by default.
    pub cache_size: usize,
    /// How many events a source may send about one object at once; 25 by default.
    pub burst: u32,
    /// How many more it may send each second; one in 300 s by default.
    pub refill_per_second: f64,
    /// With which differing message in a row aggregation begins; the 10th by default.
    pub max_similar: usize,
    /// After how long without a similar event telling one by one begins anew; 600 s by default.
    pub similar_within: Duration,
}

impl Default for CorrelatorOptions {
    fn default() -> Self {
        CorrelatorOptions {
            cache_size: 4096,
            burst: 25,
            refill_per_second: 1.0 / 300.0,
            max_similar: 10,
            similar_within: Duration::from_secs(600),
        }
    }
}

/// What tells events apart, field by field.
type Key = Box<[Str]>;

/// The time, as the event and as the limits see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    /// Nanoseconds since 1970.
    pub(super) unix_nanos: i128,
}

impl Moment {
    pub(super) fn time(self) -> Time {
        Time::from_unix(self.unix_nanos.div_euclid(1_000_000_000) as i64)
    }
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Correlated {
    /// Nothing: the source tells too much about the object.
    Spam,
    /// A new event.
    Create(Event),
    /// A higher count on an event that exists; the whole event, in case it is gone meanwhile.
    Patch(Event, Vec<u8>),
}

#[derive(Debug)]
struct Similar {
    messages: Vec<Str>,
    last: Instant,
}

/// What is known of an event that was told before.
#[derive(Debug, Default)]
struct Told {
    count: i32,
    first: Time,
    name: Str,
}

/// The state machine.
#[derive(Debug)]
pub(super) struct Correlator {
    options: CorrelatorOptions,
    similar: Lru<Key, Similar>,
    told: Lru<Key, Told>,
    buckets: Lru<Key, TokenBucket>,
}

impl Correlator {
    pub(super) fn new(options: CorrelatorOptions) -> Self {
        Correlator {
            similar: Lru::new(options.cache_size),
            told: Lru::new(options.cache_size),
            buckets: Lru::new(options.cache_size),
            options,
        }
    }

    /// Decides what becomes of the event. Its count is 1.
    pub(super) fn correlate(&mut self, event: Event, now: Moment) -> Correlated {
        let (event, key) = self.aggregate(event, now);
        let spam_key = spam_key(&event);
        let correlated = self.count(event, key);
        let options = &self.options;
        let bucket = self.buckets.get_or_insert_with(spam_key, || {
            TokenBucket::new(options.refill_per_second, options.burst)
        });
        if bucket.try_take(now.instant) { correlated } else { Correlated::Spam }
    }

    /// Remembers the event as the server has it.
    pub(super) fn stored(&mut self, event: &Event) {
        let told = Told {
            count: event.count,
            first: event.first_timestamp,
            name: event.metadata.name.clone(),
        };
        self.told.insert(event_key(event), told);
    }

    /// The event itself, or the aggregate it goes into; with the key under which it is counted.
    fn aggregate(&mut self, event: Event, now: Moment) -> (Event, Key) {
        let key = aggregate_key(&event);
        let within = self.options.similar_within;
        let fresh = || Similar { messages: Vec::new(), last: now.instant };
        let similar = self.similar.get_or_insert_with(key.clone(), fresh);
        if now.instant.saturating_duration_since(similar.last) > within {
            similar.messages.clear();
        }
        similar.last = now.instant;
        let is_new = !similar.messages.contains(&event.message);
        // The newest message is not remembered once there are enough, so that the first few are
        // still told apart. (client-go forgets one at random.)
        if is_new && similar.messages.len() + 1 >= self.options.max_similar {
            let mut combined = event;
            combined.metadata.name = event_name(&combined.involved_object.name, now.unix_nanos);
            combined.message =
                format!("(combined from similar events): {}", combined.message).into();
            combined.count = 1;
            combined.first_timestamp = now.time();
            combined.last_timestamp = now.time();
            return (combined, key);
        }
        if is_new {
            similar.messages.push(event.message.clone());
        }
        let key = event_key(&event);
        (event, key)
    }

    fn count(&mut self, mut event: Event, key: Key) -> Correlated {
        let told = self.told.get_or_insert_with(key, Told::default);
        if told.count == 0 {
            *told = Told {
                count: event.count,
                first: event.first_timestamp,
                name: event.metadata.name.clone(),
            };
            return Correlated::Create(event);
        }
        told.count = told.count.saturating_add(1);
        event.count = told.count;
        event.first_timestamp = told.first;
        event.metadata.name = told.name.clone();
        let patch = serde_json::json!({
            "count": event.count,
            "lastTimestamp": event.last_timestamp.to_string(),
            "message": event.message.as_str(),
        });
        Correlated::Patch(event, patch.to_string().into_bytes())
    }
}

/// A name that is new in every nanosecond. Names of some objects are no names for events; then
/// only the time is left.
pub(super) fn event_name(object: &str, unix_nanos: i128) -> Str {
    let name = format!("{object}.{unix_nanos:x}");
    let valid = name.len() <= 253
        && name.split('.').all(|label| {
            let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
            label.bytes().all(|c| inner(c) || c == b'-')
                && label.bytes().next().is_some_and(inner)
                && label.bytes().last().is_some_and(inner)
        });
    if valid { name.into() } else { format!("event.{unix_nanos:x}").into() }
}

/// Source and object without the part of it.
fn spam_key(event: &Event) -> Key {
    let object = &event.involved_object;
    [
        &event.source.component,
        &event.source.host,
        &object.kind,
        &object.namespace,
        &object.name,
        &object.uid,
        &object.api_version,
        &event.type_,
    ]
    .map(Str::clone)
    .into()
}

/// All but the message and the part of the object.
fn aggregate_key(event: &Event) -> Key {
    let reporting = [&event.reason, &event.reporting_component, &event.reporting_instance];
    spam_key(event).iter().chain(reporting).cloned().collect()
}

/// Everything that makes it the same event.
fn event_key(event: &Event) -> Key {
    let rest = [&event.involved_object.field_path, &event.reason, &event.message];
    // One more field than an aggregate's key, so that the two cannot be equal.
    spam_key(event).iter().chain(rest).cloned().chain([Str::default()]).collect()
}

#[cfg(test)]
#[path = "correlator_tests.rs"]
mod tests;
