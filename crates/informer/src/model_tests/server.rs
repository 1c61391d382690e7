//! A server with a history: lists, watches and watch-lists as a real one answers them, with every
//! fault that a real one has.

use crate::testing::labelled;
use pintle_apimachinery::{
    Bookmark, Error, ListOptions, Object, ObjectList, PartialObjectMetadata as Meta, Status,
    WatchEvent,
};
use std::collections::{BTreeMap, VecDeque};

/// xorshift.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(super) fn unit(&mut self) -> f64 {
        self.below(1 << 30) as f64 / (1u64 << 30) as f64
    }
}

pub(super) type Name = (String, String);

pub(super) fn name_of(object: &Meta) -> Name {
    (object.namespace().to_owned(), object.name().to_owned())
}

pub(super) fn version_of(object: &Meta) -> u64 {
    object.resource_version().parse().expect("a number")
}

/// What happened to one object at one version.
struct Entry {
    version: u64,
    /// As it is from now on, or as it was.
    object: Meta,
    deleted: bool,
    created: bool,
}

pub(super) struct Server {
    log: Vec<Entry>,
    pub(super) version: u64,
    /// Watches from before this are refused.
    pub(super) compacted: u64,
    objects: BTreeMap<Name, Meta>,
    uids: u64,
    pub(super) random: Random,
    pub(super) faults: bool,
    /// Refuses watch-lists, as servers before 1.27 and some aggregated ones do.
    pub(super) no_watch_list: bool,
    /// Lists have no resource version.
    pub(super) versionless: bool,
    pub(super) stats: Stats,
}

/// How often what was tried, over all runs.
#[derive(Default, Debug)]
pub(super) struct Stats {
    pub(super) lists: u64,
    pub(super) pages_expired: u64,
    pub(super) watches: u64,
    pub(super) watch_lists: u64,
    pub(super) expired: u64,
    pub(super) too_large: u64,
    pub(super) refused: u64,
    pub(super) too_many: u64,
    pub(super) broken: u64,
    pub(super) bookmarks: u64,
    pub(super) undecodable: u64,
}

/// One watch.
pub(super) struct Stream {
    pending: VecDeque<WatchEvent<Meta>>,
    /// Everything up to here is in `pending` or was sent.
    at: u64,
}

fn too_large() -> Error {
    Status::failure(504, "Timeout", "too large")
        .with_cause("ResourceVersionTooLarge", "too large", "")
        .into()
}

pub(super) fn refused() -> Error {
    let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    Error::transport("connect").with_source(source)
}

impl Server {
    pub(super) fn new(seed: u64) -> Self {
        Server {
            log: Vec::new(),
            version: 1,
            compacted: 0,
            objects: BTreeMap::new(),
            uids: 0,
            random: Random::new(seed),
            faults: true,
            no_watch_list: false,
            versionless: false,
            stats: Stats::default(),
        }
    }

    /// One write by somebody.
    pub(super) fn write(&mut self) {
        self.version += self.random.between(1, 3);
        let (namespace, name) =
            (format!("ns-{}", self.random.below(2)), format!("object-{}", self.random.below(5)));
        let key = (namespace, name);
        let app = format!("an-application-{}", self.random.below(3));
        let mut object = labelled(&key.0, &key.1, self.version, &app);
        let old = self.objects.get(&key);
        let (deleted, created) = (old.is_some() && self.random.once_in(3), old.is_none());
        object.metadata.uid = match old {
            Some(old) => old.metadata.uid.clone(),
            None => {
                self.uids += 1;
                format!("uid-{}", self.uids).into()
            }
        };
        if deleted {
            self.objects.remove(&key);
        } else {
            self.objects.insert(key, object.clone());
        }
        self.log.push(Entry { version: self.version, object, deleted, created });
    }

    /// Forgets history up to some version.
    pub(super) fn compact(&mut self) {
        self.compacted = self.random.between(self.compacted, self.version);
    }

    pub(super) fn state_at(&self, version: u64) -> BTreeMap<Name, Meta> {
        let mut state = BTreeMap::new();
        for entry in self.log.iter().take_while(|entry| entry.version <= version) {
            if entry.deleted {
                state.remove(&name_of(&entry.object));
            } else {
                state.insert(name_of(&entry.object), entry.object.clone());
            }
        }
        state
    }

    /// Whether this state was ever sent, as one that is or (`deleted`) as the last.
    pub(super) fn knows(&self, object: &Meta, deleted: bool) -> bool {
        let version = version_of(object);
        self.log.iter().any(|entry| {
            entry.version == version && entry.deleted == deleted && entry.object == *object
        })
    }

    /// A version that a server may answer with when asked for this or a newer one.
    fn snapshot(&mut self, asked: &str) -> Result<u64, Error> {
        match asked {
            "" => Ok(self.version),
            "0" if self.versionless => Ok(self.version),
            "0" => Ok(self.random.between(self.compacted.max(1), self.version)),
            asked => {
                let asked: u64 = asked.parse().expect("a number");
                if asked > self.version || (self.faults && self.random.once_in(10)) {
                    self.stats.too_large += 1;
                    return Err(too_large());
                }
                if self.faults && asked < self.compacted && self.random.once_in(2) {
                    self.stats.expired += 1;
                    return Err(Error::resource_expired("too old"));
                }
                Ok(self.random.between(asked, self.version))
            }
        }
    }

    fn fault(&mut self) -> Result<(), Error> {
        if !self.faults {
            return Ok(());
        }
        Err(match self.random.below(20) {
            0 => {
                self.stats.refused += 1;
                refused()
            }
            1 => {
                self.stats.too_many += 1;
                Status::failure(429, "TooManyRequests", "busy").retry_after(1).into()
            }
            2 => Status::failure(500, "InternalError", "oh").into(),
            3 => Error::transport("reset"),
            4 => Error::decode("garbage"),
            _ => return Ok(()),
        })
    }

    pub(super) fn list(&mut self, options: &ListOptions) -> Result<ObjectList<Meta>, Error> {
        self.stats.lists += 1;
        assert_eq!(options.send_initial_events, None);
        self.fault()?;
        let (version, from) = match options.continue_token.split_once(':') {
            Some((version, from)) => {
                assert_eq!(options.resource_version, "", "servers refuse both");
                let version = version.parse().expect("a number");
                if self.faults && (version < self.compacted || self.random.once_in(10)) {
                    self.stats.pages_expired += 1;
                    return Err(Error::resource_expired("the token is too old"));
                }
                (version, from.parse().expect("a number"))
            }
            None => (self.snapshot(&options.resource_version)?, 0),
        };
        let mut items: Vec<_> = self.state_at(version).into_values().skip(from).collect();
        let mut list = ObjectList::default();
        if !self.versionless {
            list.metadata.resource_version = version.to_string().into();
        }
        let limit = usize::try_from(options.limit).expect("not negative");
        if limit > 0 && items.len() > limit {
            items.truncate(limit);
            list.metadata.continue_ = format!("{version}:{}", from + limit).into();
        }
        list.items = items;
        Ok(list)
    }

    pub(super) fn watch(&mut self, options: &ListOptions) -> Result<Stream, Error> {
        self.stats.watches += 1;
        assert!(options.allow_watch_bookmarks && options.limit == 0);
        let seconds = options.timeout_seconds.expect("a timeout");
        assert!((300..=600).contains(&seconds), "{seconds}");
        self.fault()?;
        let initial = options.send_initial_events == Some(true);
        if initial {
            assert_eq!(options.resource_version_match, "NotOlderThan");
            self.stats.watch_lists += 1;
            if self.no_watch_list {
                return Err(Status::failure(422, "Invalid", "sendInitialEvents").into());
            }
        }
        let asked = options.resource_version.as_str();
        if initial || matches!(asked, "" | "0") {
            let at = self.snapshot(asked)?;
            let mut objects: Vec<_> = self.state_at(at).into_values().collect();
            let mut pending = VecDeque::new();
            while !objects.is_empty() {
                let i = self.random.below(objects.len() as u64) as usize;
                pending.push_back(WatchEvent::Added(objects.swap_remove(i)));
            }
            if initial {
                pending.push_back(WatchEvent::Bookmark(Bookmark {
                    resource_version: at.to_string().into(),
                    initial_events_end: true,
                }));
            }
            return Ok(Stream { pending, at });
        }
        let at: u64 = asked.parse().expect("a number");
        let mut stream = Stream { pending: VecDeque::new(), at };
        if at < self.compacted {
            self.stats.expired += 1;
            let status = Status::failure(410, "Expired", "too old resource version");
            if self.random.once_in(2) {
                return Err(status.into());
            }
            stream.pending.push_back(WatchEvent::Error(status));
        }
        Ok(stream)
    }

    /// What the stream has now: an event, nothing yet (`None`), or its end.
    pub(super) fn read(&mut self, stream: &mut Stream) -> Option<Read> {
        if self.faults {
            match self.random.below(60) {
                0 => return Some(Read::End(None)),
                1 => {
                    self.stats.broken += 1;
                    return Some(Read::End(Some(Error::transport("reset"))));
                }
                2 if stream.pending.pop_front().is_some() => return Some(Read::Undecodable),
                2 => {
                    if let Some(entry) = self.log.iter().find(|entry| entry.version > stream.at) {
                        stream.at = entry.version;
                        self.stats.undecodable += 1;
                        return Some(Read::Undecodable);
                    }
                }
                3 => {
                    let (code, reason) = [
                        (500, "InternalError"),
                        (410, "Expired"),
                        (429, "TooManyRequests"),
                        (504, "Timeout"),
                    ][self.random.below(4) as usize];
                    let status = Status::failure(code, reason, "");
                    return Some(Read::Event(WatchEvent::Error(status)));
                }
                _ => {}
            }
        }
        if let Some(event) = stream.pending.pop_front() {
            return Some(Read::Event(event));
        }
        if stream.at < self.compacted && self.faults && self.random.once_in(3) {
            let status = Status::failure(410, "Expired", "too slow");
            return Some(Read::Event(WatchEvent::Error(status)));
        }
        if let Some(entry) = self.log.iter().find(|entry| entry.version > stream.at) {
            stream.at = entry.version;
            let object = entry.object.clone();
            return Some(Read::Event(match (entry.deleted, entry.created) {
                (true, _) => WatchEvent::Deleted(object),
                (_, true) => WatchEvent::Added(object),
                _ => WatchEvent::Modified(object),
            }));
        }
        if self.random.once_in(4) {
            self.stats.bookmarks += 1;
            stream.at = self.version;
            let resource_version = self.version.to_string().into();
            let bookmark = Bookmark { resource_version, initial_events_end: false };
            return Some(Read::Event(WatchEvent::Bookmark(bookmark)));
        }
        None
    }
}

pub(super) enum Read {
    Event(WatchEvent<Meta>),
    /// An event that was left out.
    Undecodable,
    End(Option<Error>),
}
