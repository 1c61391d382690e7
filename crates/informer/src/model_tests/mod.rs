//! The whole informer but its I/O under a simulated server, thousands of times.
//!
//! Each run takes a seed, which decides everything: what is written, how the server answers, what
//! breaks, when handlers come and go. After every step the guarantees are checked against the
//! server's history; at the end faults cease, and cache and handlers must agree with the server.

mod server;

use crate::engine::Engine;
use crate::hub::{Event, Hub, Inbox, Message, Sync};
use crate::index::Index;
use crate::metrics::Instruments;
use crate::reflector::{Reflector, ReflectorConfig, Step};
use crate::store::Store;
use pintle_apimachinery::{
    Object, ObjectKey, PartialObjectMetadata as Meta, Status, Str, WatchEvent,
};
use server::{Name, Random, Read, Server, Stats, Stream, name_of, version_of};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

const RUNS: u64 = 2000;

/// A handler that believes nothing.
struct Follower {
    inbox: Inbox<Meta>,
    /// Objects as told.
    seen: HashMap<Name, Arc<Meta>>,
    /// The newest version told of each object, deletes included.
    newest: HashMap<Name, u64>,
    synced: bool,
}

#[derive(Default, Debug)]
struct Seen {
    initial_adds: u64,
    adds: u64,
    updates: u64,
    new_uids: u64,
    resyncs: u64,
    deletes: u64,
    unknown_deletes: u64,
}

impl Follower {
    fn new(hub: &Hub<Meta>) -> Self {
        let inbox = hub.add().expect("not stopped");
        Follower { inbox, seen: HashMap::new(), newest: HashMap::new(), synced: false }
    }

    /// Takes what is there, up to `limit` messages.
    fn drain(&mut self, limit: u64, server: &Server, store: &Store<Meta>, seen: &mut Seen) {
        for _ in 0..limit {
            let Ok(message) = self.inbox.messages.try_recv() else { return };
            match message {
                Message::Synced => {
                    assert!(!self.synced, "synced twice");
                    self.synced = true;
                }
                Message::Events(events) => {
                    for event in events.iter() {
                        self.take(event, server, store, seen);
                    }
                }
            }
        }
    }

    /// G1, G2, G3, G4, G12.
    fn take(&mut self, event: &Event<Meta>, server: &Server, store: &Store<Meta>, seen: &mut Seen) {
        match event {
            Event::Add(object, initial) => {
                *if *initial { &mut seen.initial_adds } else { &mut seen.adds } += 1;
                assert_eq!(*initial, !self.synced, "only adds before the sync are initial");
                self.news(object, server, store);
                let old = self.seen.insert(name_of(object), object.clone());
                assert!(old.is_none(), "added twice: {object:?}");
            }
            Event::Update(old, new) if Arc::ptr_eq(old, new) => {
                seen.resyncs += 1;
                assert!(Arc::ptr_eq(&self.seen[&name_of(new)], new), "a resync tells no news");
            }
            Event::Update(old, new) => {
                seen.updates += 1;
                seen.new_uids += u64::from(old.uid() != new.uid());
                self.news(new, server, store);
                let told = self.seen.insert(name_of(new), new.clone());
                assert!(Arc::ptr_eq(&told.expect("told before"), old), "old is what was told");
            }
            Event::Delete(tombstone) => {
                let object = &tombstone.object;
                let name = name_of(object);
                let told = self.seen.remove(&name).expect("deleted once, and told before");
                if tombstone.final_state_unknown {
                    seen.unknown_deletes += 1;
                    assert!(Arc::ptr_eq(&told, object), "the last state known");
                } else {
                    seen.deletes += 1;
                    assert!(server.knows(object, true), "not a delete: {object:?}");
                    let before = self.newest.insert(name, version_of(object));
                    assert!(before < Some(version_of(object)));
                }
                if let Some(stored) = store.get(&object.key()) {
                    assert!(version_of(&stored) > version_of(object), "the store is behind");
                }
            }
        }
    }

    fn news(&mut self, object: &Meta, server: &Server, store: &Store<Meta>) {
        assert!(server.knows(object, false), "never was: {object:?}");
        let version = version_of(object);
        let before = self.newest.insert(name_of(object), version);
        assert!(before.is_none_or(|before| before < version), "{before:?} then {version}");
        if let Some(stored) = store.get(&object.key()) {
            assert!(version_of(&stored) >= version, "the store is behind");
        }
    }
}

struct Run {
    engine: Engine<Meta>,
    server: Server,
    store: Store<Meta>,
    by_app: Index<Meta, Str>,
    stream: Option<Stream>,
    now: Duration,
    followers: Vec<Follower>,
    seen: Seen,
    reached: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut server = Server::new(seed);
        server.no_watch_list = server.random.once_in(4);
        server.versionless = server.random.once_in(8);
        for _ in 0..server.random.below(8) {
            server.write();
        }
        let config = ReflectorConfig {
            watch_list: !server.random.once_in(3),
            page_size: server.random.below(4) as i64,
            min_watch_timeout: Duration::from_secs(300),
        };
        let store = Store::new();
        let by_app = store.index("app", |m: &Meta| m.metadata.labels.get("app").cloned());
        let hub = Arc::new(Hub::new(store.clone(), Instruments::default()));
        let mut random = Random::new(seed + 7);
        let reflector =
            Reflector::new(config, store.clone(), None, Box::new(move || random.unit()));
        Run {
            engine: Engine::new(reflector, hub),
            server,
            store,
            by_app: by_app.expect("a new name"),
            stream: None,
            now: Duration::ZERO,
            followers: Vec::new(),
            seen: Seen::default(),
            reached: 0,
        }
    }

    /// Does what the engine asks for. Whether something came of it.
    fn step(&mut self) -> bool {
        let step = self.engine.step();
        if !self.engine.is_reading() {
            self.stream = None;
        }
        let mut busy = true;
        match step {
            Step::List(options) => match self.server.list(&options) {
                Ok(list) => self.engine.listed(self.now, Ok(list)),
                Err(error) => self.engine.listed(self.now, Err(&error)),
            },
            Step::Watch(options) => match self.server.watch(&options) {
                Ok(stream) => {
                    self.stream = Some(stream);
                    self.engine.opened(self.now, Ok(()));
                }
                Err(error) => self.engine.opened(self.now, Err(&error)),
            },
            Step::Sleep(until) => {
                assert!(until <= self.now + Duration::from_secs(60), "too long a wait");
                self.now = self.now.max(until);
                self.engine.woken(self.now);
            }
            Step::Read(deadline) => busy = self.read(deadline),
        }
        self.engine.apply();
        busy
    }

    fn read(&mut self, deadline: Duration) -> bool {
        if self.now >= deadline {
            self.engine.closed(self.now, None);
            return true;
        }
        let stream = self.stream.as_mut().expect("opened");
        let mut some = false;
        // Several at once, as a batch.
        for _ in 0..self.server.random.between(1, 6) {
            match self.server.read(stream) {
                None => break,
                Some(Read::Event(event)) => {
                    some |= !matches!(event, WatchEvent::Bookmark(_));
                    self.engine.event(self.now, event);
                }
                Some(Read::Undecodable) => {
                    some = true;
                    self.engine.undecodable();
                }
                Some(Read::End(error)) => {
                    some = true;
                    self.engine.closed(self.now, error.as_ref());
                }
            }
            if !self.engine.is_reading() {
                break;
            }
        }
        some
    }

    /// What must hold at any time.
    fn check(&mut self) {
        let stored = self.store.list();
        let version = self.store.resource_version();
        if !self.server.versionless && !version.is_empty() && !self.engine.is_tainted() {
            // G5, G6: the cache is what the server had at the cache's version, no more, no less.
            let version = version.parse().expect("a number");
            assert!(version >= self.reached, "the version went back");
            self.reached = version;
            let stored: BTreeMap<_, _> =
                stored.iter().map(|o| (name_of(o), (**o).clone())).collect();
            assert_eq!(stored, self.server.state_at(version));
            assert_eq!(self.engine.last_resource_version(), &self.store.resource_version());
        } else if version.is_empty() && !self.server.versionless && !self.engine.is_tainted() {
            assert!(stored.is_empty(), "seen before its version");
        }
        let synced = *self.engine.hub().synced().borrow() == Sync::Done;
        assert!(synced || stored.is_empty());

        let mut indexed = 0;
        for app in self.by_app.values() {
            for object in self.by_app.get(&app) {
                assert_eq!(object.metadata.labels.get("app"), Some(&app));
                assert!(Arc::ptr_eq(&object, &self.store.get(&object.key()).expect("stored")));
                indexed += 1;
            }
        }
        assert_eq!(indexed, stored.len());
        let in_namespaces: HashSet<ObjectKey> = (self.store.namespaces().iter())
            .flat_map(|namespace| self.store.list_namespace(namespace))
            .map(|object| object.key())
            .collect();
        assert_eq!(in_namespaces, self.store.keys().into_iter().collect());
    }

    fn some_time(&mut self) {
        for _ in 0..self.server.random.below(120) {
            for _ in 0..self.server.random.below(3) {
                self.server.write();
            }
            if self.server.random.once_in(15) {
                self.server.compact();
            }
            if self.server.random.once_in(4) {
                let millis = [1, 300, 1100, 5000, 200_000][self.server.random.below(5) as usize];
                self.now += Duration::from_millis(millis);
            }
            if self.server.random.once_in(12) && self.followers.len() < 4 {
                self.followers.push(Follower::new(self.engine.hub()));
            }
            if self.server.random.once_in(40)
                && let Some(follower) = self.followers.pop()
            {
                self.engine.hub().remove(follower.inbox.id);
            }
            self.step();
            self.check();
            for i in 0..self.followers.len() {
                if self.server.random.once_in(3) {
                    let limit = self.server.random.below(4);
                    self.followers[i].drain(limit, &self.server, &self.store, &mut self.seen);
                }
                if self.server.random.once_in(30) {
                    self.engine.hub().resync(self.followers[i].inbox.id);
                }
            }
        }
    }

    /// Goes on until nothing happens any more.
    fn rest(&mut self) {
        let mut idle = 0;
        for _ in 0..1000 {
            idle = if self.step() { 0 } else { idle + 1 };
            self.check();
            if idle > 3 {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// Without faults everything comes to agree.
    fn end(&mut self) {
        self.server.faults = false;
        let last = self.server.state_at(self.server.version);
        self.rest();
        if self.engine.is_tainted() {
            self.engine.closed(self.now, None);
            self.rest();
        }
        if self.server.versionless {
            // Between a list without a version and the watch after it a delete can be missed, with
            // client-go too; the next list tells of it.
            let expired = Status::failure(410, "Expired", "");
            self.engine.event(self.now, WatchEvent::Error(expired));
            self.rest();
        }
        assert!(*self.engine.hub().synced().borrow() == Sync::Done);
        let stored: BTreeMap<_, _> =
            self.store.list().iter().map(|o| (name_of(o), (**o).clone())).collect();
        assert_eq!(stored, last);
        for follower in &mut self.followers {
            follower.drain(u64::MAX, &self.server, &self.store, &mut self.seen);
            assert!(follower.synced);
            let told: BTreeMap<_, _> =
                follower.seen.iter().map(|(name, o)| (name.clone(), (**o).clone())).collect();
            assert_eq!(told, last);
        }
    }
}

/// Names the seed of a run that fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the run with seed {} failed", self.0);
        }
    }
}

#[test]
fn the_guarantees_hold_under_every_fault() {
    let (mut stats, mut seen) = (Stats::default(), Seen::default());
    for seed in 0..RUNS {
        let _named = Named(seed);
        let mut run = Run::new(seed);
        run.some_time();
        run.end();
        stats.add(&run.server.stats);
        seen.add(&run.seen);
    }
    println!("{stats:?}\n{seen:?}");
    // Everything was tried.
    assert!(stats.least() > 100, "{stats:?}");
    assert!(seen.least() > 100, "{seen:?}");
}

macro_rules! sums {
    ($($type:ident { $($field:ident)* })*) => {$(
        impl $type {
            fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
            }
            fn least(&self) -> u64 {
                [$(self.$field),*].into_iter().min().expect("some")
            }
        }
    )*};
}
sums! {
    Stats { lists pages_expired watches watch_lists expired too_large refused too_many broken bookmarks undecodable }
    Seen { initial_adds adds updates new_uids resyncs deletes unknown_deletes }
}
