//! What every request shares: the store, the registry, the clock and the source of randomness.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pintle_apimachinery::Time;

use crate::auth::Auth;
use crate::kinds::addresses::Ranges;
use crate::object::Stored;
use crate::openapi::Documents;
use crate::plugins::Plugins;
use crate::registry::{Registry, Resource};
use crate::storage::{KeyValue, Limits, Mvcc, Revision};
use crate::testing::Board;
use crate::timers::Timers;
use crate::typed::Typed;

/// The store's versions of objects.
pub(crate) type Entry = Arc<KeyValue<Arc<Stored>>>;

/// Where the time comes from.
pub(crate) type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

pub(crate) struct Core {
    pub(crate) store: Mvcc<Arc<Stored>>,
    pub(crate) registry: Registry,
    pub(crate) typed: Typed,
    /// The revision up to which the controllers have acted.
    pub(crate) controllers: tokio::sync::watch::Sender<Revision>,
    root_certificate: OnceLock<String>,
    /// What requests meet, in tests.
    pub(crate) faults: Board,
    /// Where waiting comes from.
    pub(crate) timers: Timers,
    pub(crate) auth: Auth,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    /// Held while CRDs are taken through their life.
    pub(crate) crds: Mutex<()>,
    /// Held while a Service is given addresses and stored.
    pub(crate) addresses: Mutex<()>,
    /// What was told of the API, as documents.
    pub(crate) openapi: Documents,
    random: Mutex<Random>,
}

/// Durations and bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Time between bookmarks of a watch that asks for them.
    pub(crate) bookmarks: Duration,
    /// How long a read waits for a revision that has not happened.
    pub(crate) future_wait: Duration,
    /// Bytes of a request's body.
    pub(crate) max_body: usize,
    /// How long Events are kept after they were last written; zero for ever.
    pub(crate) event_ttl: Duration,
    /// How long a request may take, but for watches.
    pub(crate) request_timeout: Duration,
    /// How long watches last at least that do not say for how long.
    pub(crate) watch_at_least: Duration,
    /// Addresses and ports of Services.
    pub(crate) ranges: Ranges,
    /// Events of history.
    pub(crate) history_events: usize,
    /// Bytes that only history holds.
    pub(crate) history_bytes: usize,
    /// Admission plugins that are on.
    pub(crate) plugins: Plugins,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            bookmarks: Duration::from_secs(60),
            future_wait: Duration::from_secs(3),
            max_body: 3 << 20,
            event_ttl: Duration::from_secs(3_600),
            request_timeout: Duration::from_secs(60),
            watch_at_least: Duration::from_secs(1_800),
            ranges: Ranges::default(),
            history_events: 100_000,
            history_bytes: 64 << 20,
            plugins: Plugins::default(),
        }
    }
}

impl Core {
    pub(crate) fn new(auth: Auth, clock: Clock, settings: Settings, seed: Option<u64>) -> Self {
        let limits = Limits {
            events: settings.history_events,
            bytes: settings.history_bytes,
            weight: |stored: &Arc<Stored>| stored.weight(),
        };
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Core {
            store: Mvcc::new(limits),
            registry: Registry::new(),
            typed: Typed::new(),
            controllers: tokio::sync::watch::Sender::new(0),
            root_certificate: OnceLock::new(),
            faults: Board::default(),
            timers: Timers::tokio(),
            auth,
            clock,
            settings,
            crds: Mutex::new(()),
            addresses: Mutex::new(()),
            openapi: Documents::default(),
            random: Mutex::new(Random(seed)),
        }
    }

    /// What follows from a write to some resources before it is answered.
    pub(crate) fn after_write(&self, resource: &Resource) {
        if resource.plural == "customresourcedefinitions" {
            crate::crds::sync(self);
        }
    }

    /// The certificate of the authority that signed the server's own, in PEM: what
    /// `kube-root-ca.crt` holds.
    pub(crate) fn root_certificate(&self) -> Option<&str> {
        self.root_certificate.get().map(String::as_str)
    }

    /// Set once, when the server starts.
    pub(crate) fn set_root_certificate(&self, certificate: String) {
        // Whoever was first is right.
        let _ = self.root_certificate.set(certificate);
    }

    /// The time, as `metadata` has it.
    pub(crate) fn now(&self) -> String {
        (self.clock)().to_string()
    }

    /// Any number.
    pub(crate) fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    /// A random UUID.
    pub(crate) fn uid(&self) -> String {
        let (high, low) = (self.random(), self.random());
        let high = (high & !0xF000) | 0x4000;
        let low = (low & !(0b11 << 62)) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }

    /// A name from `metadata.generateName`: at most 58 bytes of it and five characters.
    pub(crate) fn generate_name(&self, base: &str) -> String {
        pintle_apimachinery::util::generate_name(base, || self.random())
    }

    /// How long a watch without a timeout of its own lasts: 30 to 60 minutes, if nobody said
    /// otherwise.
    pub(crate) fn watch_timeout(&self) -> Duration {
        let least = self.settings.watch_at_least;
        let more = u64::try_from(least.as_millis()).unwrap_or(u64::MAX).max(1);
        least.saturating_add(Duration::from_millis(self.random() % more))
    }
}

/// SplitMix64: enough for names and UIDs of a test server, and one seed makes a run repeatable.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
