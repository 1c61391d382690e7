//! Tests of the log: a model test against a naive history, and the cases it cannot phrase.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::{
    Compare, Event, Limits, Mvcc, Op, Range, Revision, Storage, StorageError, Txn, Watcher,
};

fn store(events: usize) -> Mvcc<u64> {
    Mvcc::new(Limits { events, bytes: usize::MAX, weight: |_| 1 })
}

fn write(op: Op<u64>) -> Txn<u64> {
    Txn { compare: vec![], success: vec![op], failure: vec![] }
}

/// SplitMix64, so that a seed names a run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// Everything that ever happened, kept plainly.
#[derive(Default)]
struct Model {
    history: Vec<(Revision, String, Option<u64>)>,
    revision: Revision,
    compacted: Revision,
}

impl Model {
    fn at(&self, range: &Range, revision: Revision) -> Vec<(String, u64, Revision)> {
        let mut state = BTreeMap::new();
        for (at, key, value) in self.history.iter().filter(|(at, ..)| *at <= revision) {
            match value {
                Some(value) => state.insert(key.clone(), (*value, *at)),
                None => state.remove(key),
            };
        }
        state
            .into_iter()
            .filter(|(key, _)| range.contains(key))
            .map(|(key, (value, at))| (key, value, at))
            .collect()
    }

    fn events(&self, range: &Range, start: Revision) -> Vec<(Revision, String, Option<u64>)> {
        let wanted =
            |(at, key, _): &&(Revision, String, Option<u64>)| *at >= start && range.contains(key);
        self.history.iter().filter(wanted).cloned().collect()
    }
}

struct Watch {
    range: Range,
    start: Revision,
    watcher: Watcher<u64>,
    seen: Vec<(Revision, String, Option<u64>)>,
    dead: bool,
}

fn plain(event: &Event<u64>) -> (Revision, String, Option<u64>) {
    (event.revision, event.key.to_string(), event.kv.as_ref().map(|kv| kv.value))
}

fn drain(watch: &mut Watch, max: usize) {
    if watch.dead {
        return;
    }
    while let Some(result) = watch.watcher.try_events(max) {
        match result {
            Ok(batch) => {
                let before = watch.watcher.revision();
                assert!(before >= batch.revision);
                watch.seen.extend(batch.events.iter().map(|event| plain(event)));
            }
            Err(StorageError::Compacted { .. }) => {
                watch.dead = true;
                return;
            }
            Err(other) => panic!("unexpected {other}"),
        }
    }
}

fn key(random: &mut Random) -> String {
    let resource = ["pods", "nodes", "podtemplates"][random.below(3) as usize];
    format!("/registry/{resource}/ns{}/{}", random.below(2), random.below(5))
}

fn range(random: &mut Random) -> Range {
    match random.below(5) {
        0 => Range::all(),
        1 => Range::prefix("/registry/pods/"),
        2 => Range::prefix("/registry/pods/ns1/"),
        3 => Range::key(&key(random)),
        _ => Range { start: key(random), end: Some("/registry/q".into()) },
    }
}

fn run_model(seed: u64) {
    let mut random = Random(seed);
    let limit = if random.below(3) == 0 { 20 } else { usize::MAX };
    let store = store(limit);
    let mut model = Model { revision: 1, ..Model::default() };
    let mut watches: Vec<Watch> = Vec::new();
    for step in 0..300 {
        match random.below(12) {
            0..=5 => {
                // A transaction of one to three writes guarded by a compare that may fail.
                let guard = key(&mut random);
                let current = store.get(&guard).map_or(0, |kv| kv.mod_revision);
                let expect = if random.below(4) == 0 { current + 1 } else { current };
                let mut txn = Txn {
                    compare: vec![Compare::ModRevision(guard.clone(), expect)],
                    success: vec![],
                    failure: vec![Op::Get(guard.clone())],
                };
                let next = model.revision + 1;
                let mut changed = Vec::new();
                for _ in 0..=random.below(3) {
                    let key = key(&mut random);
                    if changed.iter().any(|(_, other, _): &(u64, String, _)| *other == key) {
                        continue;
                    }
                    if random.below(3) == 0 {
                        if store.get(&key).is_some() {
                            changed.push((next, key.clone(), None));
                        }
                        txn.success.push(Op::Delete(key));
                    } else {
                        changed.push((next, key.clone(), Some(step)));
                        txn.success.push(Op::Put(key, step));
                    }
                }
                let response = store.txn(txn);
                assert_eq!(response.succeeded, expect == current);
                if response.succeeded && !changed.is_empty() {
                    model.revision = next;
                    model.history.extend(changed);
                }
                assert_eq!(response.revision, model.revision);
            }
            6 => {
                let range = range(&mut random);
                let start = random.below(model.revision + 3);
                match store.watch(range.clone(), start) {
                    Ok(watcher) => {
                        assert!(start > store.compacted());
                        watches.push(Watch { range, start, watcher, seen: vec![], dead: false });
                    }
                    Err(error) => {
                        assert!(start <= store.compacted(), "{error}");
                    }
                }
            }
            7 => {
                let range = range(&mut random);
                let limit = random.below(4) as usize;
                let (snapshot, watcher) = store.range_and_watch(range.clone(), limit);
                assert_eq!(snapshot.revision, model.revision);
                // The first page, and pages after it, are the state at that revision.
                let mut read: Vec<_> = snapshot.kvs.clone();
                let mut more = snapshot.more;
                while more {
                    let start = format!("{}\0", read.last().expect("a page").key);
                    let rest = Range { start, end: range.end.clone() };
                    let page = store.page(&rest, snapshot.revision, limit).expect("readable");
                    assert_eq!(page.count, page.kvs.len());
                    (more, read) = (page.more, [read, page.kvs].concat());
                }
                let read: Vec<_> =
                    read.iter().map(|kv| (kv.key.to_string(), kv.value, kv.mod_revision)).collect();
                assert_eq!(read, model.at(&range, snapshot.revision));
                let start = snapshot.revision + 1;
                watches.push(Watch { range, start, watcher, seen: vec![], dead: false });
            }
            8 => {
                let revision = random.below(model.revision + 2);
                let result = store.compact(revision);
                assert_eq!(
                    result.is_ok(),
                    revision > model.compacted && revision <= model.revision,
                    "compact {revision} after {}",
                    model.compacted
                );
            }
            9 => {
                if !watches.is_empty() {
                    let index = random.below(watches.len() as u64) as usize;
                    let max = 1 + random.below(4) as usize;
                    drain(&mut watches[index], max);
                }
            }
            10 => {
                if !watches.is_empty() {
                    watches.swap_remove(random.below(watches.len() as u64) as usize);
                }
            }
            _ => {
                let range = range(&mut random);
                let revision = random.below(model.revision + 2);
                let limit = random.below(4) as usize;
                match store.range(&range, Some(revision), limit) {
                    Ok(response) => {
                        let expect = model.at(&range, revision);
                        assert_eq!(response.count, expect.len());
                        let shown = if limit == 0 { expect.len() } else { limit };
                        let got: Vec<_> = response
                            .kvs
                            .iter()
                            .map(|kv| (kv.key.to_string(), kv.value, kv.mod_revision))
                            .collect();
                        assert_eq!(got, expect.into_iter().take(shown).collect::<Vec<_>>());
                        assert_eq!(response.more, response.count > response.kvs.len());
                    }
                    Err(StorageError::Compacted { oldest }) => assert!(revision < oldest),
                    Err(StorageError::Future { current }) => assert!(revision > current),
                    Err(other) => panic!("unexpected {other}"),
                }
            }
        }
        model.compacted = store.compacted();
    }
    for watch in &mut watches {
        drain(watch, usize::MAX);
        let expect = model.events(&watch.range, watch.start);
        if watch.dead {
            // What was delivered before the history went is still a prefix of the truth.
            assert_eq!(watch.seen, expect[..watch.seen.len()]);
            assert!(watch.seen.len() < expect.len());
        } else {
            assert_eq!(watch.seen, expect, "range {:?} from {}", watch.range, watch.start);
        }
    }
    if limit != usize::MAX {
        assert!(store.range(&Range::all(), None, 0).is_ok());
    }
}

#[test]
fn model_agrees_for_many_seeds() {
    for seed in 0..2_000 {
        if let Err(panic) = std::panic::catch_unwind(|| run_model(seed)) {
            eprintln!("seed {seed} failed");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn compaction_does_not_expire_an_idle_watcher() {
    let store = store(8);
    store.txn(write(Op::Put("/registry/secrets/a".into(), 0)));
    let mut idle =
        store.watch(Range::prefix("/registry/secrets/"), store.revision() + 1).expect("watch");
    for value in 0..100 {
        store.txn(write(Op::Put("/registry/pods/a".into(), value)));
    }
    assert!(store.compacted() > 50);
    assert!(idle.try_events(10).is_none());
    assert_eq!(idle.revision(), store.revision());
    store.txn(write(Op::Put("/registry/secrets/b".into(), 7)));
    let batch = idle.try_events(10).expect("an event").expect("not compacted");
    assert_eq!(batch.events.len(), 1);
    assert_eq!(&*batch.events[0].key, "/registry/secrets/b");
}

#[test]
fn a_reader_left_behind_is_told_so() {
    let store = store(8);
    let mut slow = store.watch(Range::prefix("/registry/pods/"), 2).expect("watch");
    for value in 0..100 {
        store.txn(write(Op::Put("/registry/pods/a".into(), value)));
    }
    let error = slow.try_events(10).expect("ready").expect_err("compacted");
    assert_eq!(error, StorageError::Compacted { oldest: store.compacted() });
}

#[test]
fn only_watchers_of_the_key_are_woken() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let store = store(1_000);
    let woken = |count: &Arc<Count>| count.0.load(Ordering::SeqCst);
    let (pods, nodes) = (Arc::new(Count(0.into())), Arc::new(Count(0.into())));
    let mut pod_watch = store.watch(Range::prefix("/registry/pods/"), 2).expect("watch");
    let mut node_watch = store.watch(Range::prefix("/registry/nodes/"), 2).expect("watch");
    let pod_waker = Waker::from(Arc::clone(&pods));
    let node_waker = Waker::from(Arc::clone(&nodes));
    assert!(pod_watch.poll_events(&mut Context::from_waker(&pod_waker), 9).is_pending());
    assert!(node_watch.poll_events(&mut Context::from_waker(&node_waker), 9).is_pending());
    store.txn(write(Op::Put("/registry/pods/a".into(), 1)));
    store.txn(write(Op::Put("/registry/pods/b".into(), 2)));
    assert_eq!((woken(&pods), woken(&nodes)), (1, 0), "one wake until it reads again");
    let Poll::Ready(Ok(batch)) = pod_watch.poll_events(&mut Context::from_waker(&pod_waker), 9)
    else {
        panic!("events expected")
    };
    assert_eq!(batch.events.len(), 2);
    store.cancel_watchers(StorageError::Cancelled);
    assert_eq!(woken(&nodes), 1);
    assert!(matches!(node_watch.try_events(9), Some(Err(StorageError::Cancelled))));
    drop((pod_watch, node_watch));
    assert_eq!(store.watcher_count(), 0);
}

#[test]
fn versions_count_from_each_creation() {
    let store = store(1_000);
    let put = |value| store.txn(write(Op::Put("k".into(), value))).kvs[0].clone().expect("kv");
    let first = put(1);
    let second = put(2);
    assert_eq!((second.create_revision, second.version), (first.mod_revision, 2));
    store.txn(write(Op::Delete("k".into())));
    let third = put(3);
    assert_eq!((third.create_revision, third.version), (third.mod_revision, 1));
    let before = store.revision();
    let response = store.txn(write(Op::Delete("missing".into())));
    assert_eq!((response.revision, response.kvs[0].is_none()), (before, true));
}

#[test]
fn prefix_ranges_end_where_the_prefix_ends() {
    let range = Range::prefix("/registry/pods/");
    assert!(range.contains("/registry/pods/a"));
    assert!(!range.contains("/registry/pods0"));
    assert!(!range.contains("/registry/podtemplates/a"));
    assert_eq!(Range::prefix("").end, None);
    assert_eq!(Range::prefix("\u{10FFFF}").end, None);
    assert_eq!(Range::prefix("a\u{D7FF}").end.as_deref(), Some("a\u{E000}"));
}
