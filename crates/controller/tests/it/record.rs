//! The event recorder against a sink that answers as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_core::future::BoxFuture;
use pintle_api::core_v1::{Event, Node, Pod};
use pintle_apimachinery::{Error, GroupResource, Object};
use pintle_controller::{EventRecorder, EventSink, RecorderOptions};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::support::rest;

#[derive(Clone, Default)]
struct Sink {
    state: Arc<Mutex<State>>,
    gate: Option<Arc<Notify>>,
}

#[derive(Default)]
struct State {
    /// What the next requests answer; success when there is nothing left.
    fails: VecDeque<Error>,
    requests: Vec<(&'static str, Event, String)>,
}

impl Sink {
    fn failing(errors: impl IntoIterator<Item = Error>) -> Self {
        let sink = Sink::default();
        sink.state.lock().expect("no panic").fails.extend(errors);
        sink
    }

    fn take(&self) -> Vec<(&'static str, Event, String)> {
        std::mem::take(&mut self.state.lock().expect("no panic").requests)
    }

    fn brief(&self) -> Vec<(&'static str, String, i32)> {
        self.take().into_iter().map(|(verb, e, _)| (verb, e.message.to_string(), e.count)).collect()
    }

    async fn answer(
        &self,
        verb: &'static str,
        event: &Event,
        body: String,
    ) -> Result<Event, Error> {
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let mut state = self.state.lock().expect("no panic");
        state.requests.push((verb, event.clone(), body));
        match state.fails.pop_front() {
            Some(error) => Err(error),
            None => {
                let mut stored = event.clone();
                stored.metadata.resource_version = "7".into();
                Ok(stored)
            }
        }
    }
}

impl EventSink for Sink {
    fn create<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<Event, Error>> {
        Box::pin(self.answer("create", event, String::new()))
    }

    fn patch<'a>(
        &'a self,
        event: &'a Event,
        patch: Vec<u8>,
    ) -> BoxFuture<'a, Result<Event, Error>> {
        Box::pin(self.answer("patch", event, String::from_utf8(patch).expect("JSON")))
    }
}

fn pod() -> Pod {
    let mut pod = Pod::default();
    pod.metadata.name = "web".into();
    pod.metadata.namespace = "team-a".into();
    pod.metadata.uid = "1-2-3".into();
    pod.metadata.resource_version = "41".into();
    pod
}

fn unreachable() -> Error {
    Error::transport("connection refused")
}

fn not_found() -> Error {
    Error::not_found(&GroupResource::from_static("", "events"), "web.1")
}

#[tokio::test(start_paused = true)]
async fn an_event_has_all_its_facts_and_again_it_counts() {
    let sink = Sink::default();
    let mut options = RecorderOptions::default();
    options.host = "node-7".into();
    let recorder = EventRecorder::start_with("sample", sink.clone(), options);
    recorder.normal(&pod(), "Synced", "all is well");
    recorder.normal(&pod(), "Synced", "all is well");
    recorder.flush().await;
    let requests = sink.take();
    let (verb, event, _) = &requests[0];
    assert_eq!(*verb, "create");
    assert!(event.metadata.name.starts_with("web.") && event.metadata.namespace == "team-a");
    let about = &event.involved_object;
    assert_eq!(
        [&about.api_version, &about.kind, &about.namespace, &about.name, &about.uid],
        ["v1", "Pod", "team-a", "web", "1-2-3"]
    );
    assert_eq!(about.resource_version, "41");
    assert_eq!([&event.type_, &event.reason, &event.message], ["Normal", "Synced", "all is well"]);
    assert_eq!([&event.source.component, &event.source.host], ["sample", "node-7"]);
    assert_eq!([&event.reporting_component, &event.reporting_instance], ["sample", "node-7"]);
    assert_eq!(event.count, 1);
    assert!(event.first_timestamp.unix() > 1_700_000_000);
    let (verb, again, patch) = &requests[1];
    assert_eq!((*verb, &again.metadata.name), ("patch", &event.metadata.name));
    assert!(patch.contains(r#""count":2"#) && patch.contains("all is well"), "{patch}");
    assert_eq!(requests.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn objects_of_the_cluster_have_their_events_in_default() {
    let sink = Sink::default();
    let recorder = EventRecorder::start("sample", sink.clone());
    let mut node = Node::default();
    node.metadata.name = "node:7".into();
    recorder.warning(&node, "Gone", "it is gone");
    recorder.flush().await;
    let (_, event, _) = sink.take().remove(0);
    assert_eq!([&event.metadata.namespace, &event.type_], ["default", "Warning"]);
    assert!(event.metadata.name.starts_with("event."), "node:7 is no part of an event's name");
    assert_eq!(event.involved_object.namespace, "");
}

#[tokio::test(start_paused = true)]
async fn an_object_without_a_kind_has_no_events() {
    let sink = Sink::default();
    let recorder = EventRecorder::start("sample", sink.clone());
    let mut unknown = pintle_apimachinery::Unstructured::default();
    unknown.metadata_mut().name = "x".into();
    recorder.normal(&unknown, "Reason", "message");
    recorder.flush().await;
    assert!(sink.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_reached_is_tried_again_with_pauses() {
    let sink = Sink::failing([unreachable(), unreachable(), unreachable()]);
    let recorder = EventRecorder::start("sample", sink.clone());
    let start = Instant::now();
    recorder.normal(&pod(), "R", "m");
    recorder.flush().await;
    assert_eq!(sink.brief(), vec![("create", "m".to_owned(), 1); 4]);
    let took = start.elapsed();
    assert!((20..=31).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn after_twelve_tries_an_event_is_given_up_and_the_next_one_goes_on() {
    let sink = Sink::failing((0..12).map(|_| unreachable()));
    let recorder = EventRecorder::start("sample", sink.clone());
    let start = Instant::now();
    recorder.normal(&pod(), "R", "first");
    recorder.normal(&pod(), "R", "second");
    recorder.flush().await;
    let brief = sink.brief();
    assert_eq!(brief.iter().filter(|r| r.1 == "first").count(), 12);
    assert_eq!(brief.last(), Some(&("create", "second".to_owned(), 1)));
    assert_eq!(brief.len(), 13);
    assert!((100..=111).contains(&start.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_not_tried_again() {
    let events = GroupResource::from_static("", "events");
    for error in
        [Error::already_exists(&events, "web.1"), Error::invalid("the namespace is not one")]
    {
        let sink = Sink::failing([error]);
        let recorder = EventRecorder::start("sample", sink.clone());
        let start = Instant::now();
        recorder.normal(&pod(), "R", "m");
        recorder.flush().await;
        assert_eq!((sink.take().len(), start.elapsed()), (1, Duration::ZERO));
    }
}

// TestUpdateExpiredEvent of event_test.go.
#[tokio::test(start_paused = true)]
async fn an_event_that_expired_is_created_anew() {
    let sink = Sink::default();
    let recorder = EventRecorder::start("sample", sink.clone());
    recorder.normal(&pod(), "R", "m");
    recorder.flush().await;
    sink.state.lock().expect("no panic").fails.extend([not_found(), unreachable()]);
    recorder.normal(&pod(), "R", "m");
    recorder.flush().await;
    let requests = sink.take();
    let verbs: Vec<_> = requests.iter().map(|r| (r.0, r.1.count)).collect();
    assert_eq!(verbs, [("create", 1), ("patch", 2), ("create", 2), ("create", 2)]);
    assert_eq!(requests[3].1.metadata.resource_version, "");
}

#[tokio::test(start_paused = true)]
async fn recording_never_waits_and_a_full_queue_drops() {
    let gate = Arc::new(Notify::new());
    let sink = Sink { gate: Some(gate.clone()), ..Sink::default() };
    let mut options = RecorderOptions::default();
    options.queue = 3;
    let recorder = EventRecorder::start_with("sample", sink.clone(), options);
    recorder.normal(&pod(), "R0", "m");
    rest().await; // it is being written, and the server hangs
    for i in 1..10 {
        recorder.normal(&pod(), &format!("R{i}"), "m");
    }
    drop(recorder);
    for _ in 0..10 {
        gate.notify_one();
        rest().await;
    }
    let reasons: Vec<_> = sink.take().into_iter().map(|r| r.1.reason.to_string()).collect();
    assert_eq!(reasons, ["R0", "R1", "R2", "R3"], "what was queued is written after the last drop");
}

#[tokio::test(start_paused = true)]
async fn a_flood_about_one_object_is_cut_off() {
    let sink = Sink::default();
    let recorder = EventRecorder::start("sample", sink.clone());
    for i in 0..100 {
        recorder.normal(&pod(), "R", format!("message {i}"));
    }
    let mut other = pod();
    other.metadata.name = "other".into();
    recorder.normal(&other, "R", "about another");
    recorder.flush().await;
    let brief = sink.brief();
    assert_eq!(brief.len(), 26);
    assert!(brief[..9].iter().all(|(verb, m, _)| *verb == "create" && m.starts_with("message")));
    assert_eq!(brief[9].0, "create");
    assert!(brief[9].1.starts_with("(combined from similar events): message 9"));
    assert!(brief[10..25].iter().all(|(verb, ..)| *verb == "patch"));
    assert_eq!(brief[24].2, 16);
    assert_eq!(brief[25].1, "about another");
}
