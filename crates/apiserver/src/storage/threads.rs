//! The log where threads meet: whoever begins with a snapshot and watches on ends with the state
//! there is, and a task that waits is woken.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::{Limits, Mvcc, Op, Range, Revision, Storage, StorageError, Txn};

const WRITERS: u64 = 3;
const READERS: usize = 4;
const WRITES: u64 = 400;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn store(events: usize) -> Mvcc<u64> {
    Mvcc::new(Limits { events, bytes: usize::MAX, weight: |_| 1 })
}

fn write(store: &Mvcc<u64>, writer: u64) {
    for step in 0..WRITES {
        let key = format!("/registry/pods/ns{}/p{}", step % 2, (step * 7 + writer) % 11);
        let op = if step % 5 == 4 { Op::Delete(key) } else { Op::Put(key, writer << 32 | step) };
        store.txn(Txn { compare: vec![], success: vec![op], failure: vec![] });
        if step.is_multiple_of(16) {
            thread::yield_now();
        }
    }
}

type State = BTreeMap<String, (u64, Revision)>;

fn state(store: &Mvcc<u64>, range: &Range) -> State {
    let read = store.range(range, None, 0).expect("the newest revision");
    read.kvs.iter().map(|kv| (kv.key.to_string(), (kv.value, kv.mod_revision))).collect()
}

/// What is written last, in each of two namespaces.
const LAST: [&str; 2] = ["/registry/pods/ns0/last", "/registry/pods/ns1/last"];

/// Follows a range, beginning anew when it was left behind, until it has seen what is written last.
fn follow(store: &Mvcc<u64>, range: &Range) -> State {
    let waker: Waker = Arc::new(Unpark(thread::current())).into();
    let mut cx = Context::from_waker(&waker);
    'anew: loop {
        let (snapshot, mut watcher) = store.range_and_watch(range.clone(), 0);
        let mut state: State = snapshot
            .kvs
            .iter()
            .map(|kv| (kv.key.to_string(), (kv.value, kv.mod_revision)))
            .collect();
        let mut last = snapshot.revision;
        loop {
            match watcher.poll_events(&mut cx, 16) {
                Poll::Ready(Ok(batch)) => {
                    for event in batch.events {
                        assert!(event.revision > last, "{} after {last}", event.revision);
                        last = event.revision;
                        let key = event.key.to_string();
                        // Each change is one from the state that was seen before it.
                        let before = event.prev.as_ref().map(|kv| (kv.value, kv.mod_revision));
                        assert_eq!(state.get(&key).copied(), before);
                        match &event.kv {
                            Some(kv) => state.insert(key, (kv.value, kv.mod_revision)),
                            None => state.remove(&key),
                        };
                    }
                }
                Poll::Ready(Err(StorageError::Compacted { .. })) => continue 'anew,
                Poll::Ready(Err(error)) => panic!("{error}"),
                Poll::Pending
                    if LAST.iter().all(|key| !range.contains(key) || state.contains_key(*key)) =>
                {
                    return state;
                }
                // Only a wake-up ends this: one that is lost would hang the test.
                Poll::Pending => thread::park(),
            }
        }
    }
}

fn run(events: usize, round: usize) {
    let store = store(events);
    let barrier = Arc::new(Barrier::new(WRITERS as usize + READERS));
    let ranges =
        [Range::all(), Range::prefix("/registry/pods/"), Range::prefix("/registry/pods/ns1/")];
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let range = ranges[(reader + round) % ranges.len()].clone();
            let (store, barrier) = (store.clone(), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                let end = follow(&store, &range);
                assert_eq!(end, state(&store, &range));
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, barrier) = (store.clone(), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                write(&store, writer);
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
    for key in LAST {
        let key = key.to_owned();
        store.txn(Txn { compare: vec![], success: vec![Op::Put(key, 0)], failure: vec![] });
    }
    readers.into_iter().for_each(|reader| reader.join().expect("a reader"));
    assert_eq!(store.watcher_count(), 0);
}

#[test]
fn whoever_follows_ends_with_the_state_there_is() {
    for round in 0..12 {
        run(usize::MAX, round);
        // With so little history that readers are left behind.
        run(24, round);
    }
}
