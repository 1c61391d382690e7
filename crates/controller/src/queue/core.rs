//! The work queue as a pure state machine. Go counterpart: `util/workqueue/queue.go` and
//! `delaying_queue.go`, with the priorities of controller-runtime's `priorityqueue`.
//!
//! A key lives in one slot of a slab from its first add until nothing is left to do for it. A slot
//! is any mix of: *queued* (ready to be handed out), *processing* (a worker holds it), *dirty*
//! (added again while processing; queued at done) and *waiting* (a delayed add has not come due).
//! A slot with none of these is free. Queued and processing exclude each other, which is the
//! promise that a key is held by one worker at most.
//!
//! No clock, no lock, no waker: time is handed in, and the shell wakes.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rapidhash::fast::RandomState;

use super::clock::{Clock, later};
use super::metrics::QueueMetrics;
use super::ready::{Ready, Turn};

/// Small on purpose: one is written and wiped for every pass of a key.
#[derive(Debug)]
struct Slot<K> {
    /// `None` when the slot is free.
    key: Option<K>,
    hash: u64,
    /// Drawn when the key became ready; names this turn of the key until it is done.
    ticket: u64,
    /// Of the queued or dirty key, else of the key being processed.
    priority: i32,
    queued: bool,
    processing: bool,
    dirty: bool,
    /// Whether `delays` has an entry for the slot.
    waiting: bool,
}

/// The delayed add of a slot.
#[derive(Clone, Copy, Debug)]
struct Delay {
    at: Instant,
    order: u64,
    priority: i32,
}

/// When a slot's key was added and when it was handed out; kept only for metrics.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    added: Option<Instant>,
    started: Option<Instant>,
}

/// A key handed out: what names it at `done`.
#[derive(Debug)]
pub(super) struct Popped<K> {
    pub(super) key: K,
    pub(super) turn: Turn,
    pub(super) priority: i32,
}

/// Slots above which an idle queue gives its memory back.
const KEPT_SLOTS: usize = 1024;

/// Room for keys from the start: in a tighter table removed keys leave marks, and it is rehashed
/// again and again.
const ROOMY: usize = 100;

/// The state machine.
#[derive(Debug)]
pub(super) struct Core<K> {
    hasher: RandomState,
    table: HashTable<usize>,
    slots: Vec<Slot<K>>,
    free: Vec<usize>,
    ready: Ready,
    /// Delayed adds: due time, order of arrival, slot.
    due: BTreeSet<(Instant, u64, usize)>,
    /// The same by slot.
    delays: HashMap<usize, Delay, RandomState>,
    next_ticket: u64,
    processing: usize,
    shutting_down: bool,
    metrics: Option<QueueMetrics>,
    /// By slot; empty without metrics.
    times: Vec<Times>,
}

impl<K: Clone + Eq + Hash> Core<K> {
    pub(super) fn new(metrics: Option<QueueMetrics>) -> Self {
        Core {
            hasher: RandomState::new(),
            table: HashTable::with_capacity(ROOMY),
            slots: Vec::new(),
            free: Vec::new(),
            ready: Ready::default(),
            due: BTreeSet::new(),
            delays: HashMap::default(),
            next_ticket: 0,
            processing: 0,
            shutting_down: false,
            metrics,
            times: Vec::new(),
        }
    }

    /// Marks the key as needing work: queued now, or at done if a worker holds it. Added twice, it
    /// is queued once, at the higher of the two priorities. Dropped after shutdown.
    #[inline]
    pub(super) fn add(&mut self, key: K, priority: i32, clock: &impl Clock) {
        if self.shutting_down {
            return;
        }
        self.promote(clock);
        let slot = self.slot_of(key);
        self.mark(slot, priority, clock);
    }

    /// Adds the key once `delay` has passed. A key that already waits keeps the earlier of the two
    /// times and the higher of the two priorities. Dropped after shutdown.
    pub(super) fn add_after(&mut self, key: K, delay: Duration, priority: i32, clock: &impl Clock) {
        if self.shutting_down {
            return;
        }
        if delay.is_zero() {
            return self.add(key, priority, clock);
        }
        self.promote(clock);
        let at = later(clock.now(), delay);
        let slot = self.slot_of(key);
        let new = match self.delays.get_mut(&slot) {
            None => Delay { at, order: self.draw(), priority },
            Some(old) => {
                old.priority = old.priority.max(priority);
                if old.at <= at {
                    return;
                }
                let old = *old;
                self.due.remove(&(old.at, old.order, slot));
                Delay { at, order: self.draw(), priority: old.priority }
            }
        };
        self.due.insert((new.at, new.order, slot));
        self.delays.insert(slot, new);
        self.slots[slot].waiting = true;
    }

    /// Counts a retry in the metrics.
    pub(super) fn count_retry(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.retried();
        }
    }

    /// Takes the next ready key; it is then processing until [`Core::done`].
    #[inline]
    pub(super) fn pop(&mut self, clock: &impl Clock) -> Option<Popped<K>> {
        self.promote(clock);
        let slots = &self.slots;
        let turn = self.ready.pop(|priority, turn| stands(slots, priority, turn))?;
        let slot = &mut self.slots[turn.slot];
        let key = slot.key.clone()?;
        slot.queued = false;
        slot.processing = true;
        self.processing += 1;
        if let Some(metrics) = &self.metrics {
            let now = clock.now();
            let times = &mut self.times[turn.slot];
            metrics.taken(times.added.take().map(|added| now.saturating_duration_since(added)));
            times.started = Some(now);
        }
        Some(Popped { key, turn, priority: slot.priority })
    }

    /// Ends a key's turn; queues it again if it was added meanwhile. A turn that has already ended
    /// is ignored.
    #[inline]
    pub(super) fn done(&mut self, turn: Turn, clock: &impl Clock) {
        self.promote(clock);
        let Some(slot) = self.slots.get_mut(turn.slot) else { return };
        if !slot.processing || slot.ticket != turn.ticket {
            return;
        }
        slot.processing = false;
        self.processing -= 1;
        if let Some(metrics) = &self.metrics
            && let Some(started) = self.times[turn.slot].started.take()
        {
            metrics.worked(clock.now().saturating_duration_since(started));
        }
        if slot.dirty {
            slot.dirty = false;
            self.enqueue(turn.slot);
        } else {
            self.release(turn.slot);
        }
    }

    /// [`Core::done`] by key, for callers that keep no turn. A key that nobody holds is ignored.
    pub(super) fn done_key(&mut self, key: &K, clock: &impl Clock) {
        let hash = self.hasher.hash_one(key);
        let slots = &self.slots;
        let found = self.table.find(hash, |&i| slots[i].key.as_ref() == Some(key)).copied();
        if let Some(slot) = found {
            self.done(Turn { slot, ticket: self.slots[slot].ticket }, clock);
        }
    }

    /// Queues every delayed key that has come due, in due order.
    #[inline]
    pub(super) fn promote(&mut self, clock: &impl Clock) {
        if !self.due.is_empty() {
            self.promote_until(clock.now());
        }
    }

    fn promote_until(&mut self, now: Instant) {
        while let Some(&(at, order, slot)) = self.due.first() {
            if at > now {
                break;
            }
            self.due.remove(&(at, order, slot));
            self.slots[slot].waiting = false;
            if let Some(delay) = self.delays.remove(&slot) {
                self.mark(slot, delay.priority, &now);
            }
        }
    }

    /// When the next delayed key comes due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|&(at, ..)| at)
    }

    /// Keys ready to be handed out; keys that wait or are processed are not counted.
    pub(super) fn len(&self) -> usize {
        self.ready.len()
    }

    /// Whether no key is ready and no worker holds one.
    pub(super) fn is_drained(&self) -> bool {
        self.ready.len() == 0 && self.processing == 0
    }

    /// Keys that workers hold.
    pub(super) fn processing(&self) -> usize {
        self.processing
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        self.shutting_down
    }

    /// Drops later adds and every delayed key; queued keys are still handed out.
    pub(super) fn shut_down(&mut self) {
        self.shutting_down = true;
        self.delays.clear();
        for (_, _, slot) in std::mem::take(&mut self.due) {
            self.slots[slot].waiting = false;
            self.release(slot);
        }
    }

    /// Sets the two gauges that tell of work in progress.
    pub(super) fn report_unfinished(&self, clock: &impl Clock) {
        let Some(metrics) = &self.metrics else { return };
        if self.shutting_down {
            return;
        }
        let now = clock.now();
        let (mut total, mut longest) = (Duration::ZERO, Duration::ZERO);
        for started in self.times.iter().filter_map(|times| times.started) {
            let age = now.saturating_duration_since(started);
            total += age;
            longest = longest.max(age);
        }
        metrics.unfinished(total, longest);
    }

    /// Whether nothing is remembered of any key.
    #[cfg(all(test, not(loom)))]
    pub(super) fn is_forgotten(&self) -> bool {
        self.table.is_empty() && self.due.is_empty() && self.free.len() == self.slots.len()
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn ready_entries(&self) -> usize {
        self.ready.entries()
    }

    fn draw(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// The slot of a key, made if it has none.
    #[inline]
    fn slot_of(&mut self, key: K) -> usize {
        let hash = self.hasher.hash_one(&key);
        let slots = &self.slots;
        let entry = self.table.entry(
            hash,
            |&i| slots[i].hash == hash && slots[i].key.as_ref() == Some(&key),
            |&i| slots[i].hash,
        );
        let vacant = match entry {
            Entry::Occupied(found) => return *found.get(),
            Entry::Vacant(vacant) => vacant,
        };
        let new = Slot {
            key: Some(key),
            hash,
            ticket: 0,
            priority: 0,
            queued: false,
            processing: false,
            dirty: false,
            waiting: false,
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at] = new;
                at
            }
            None => {
                self.slots.push(new);
                if self.metrics.is_some() {
                    self.times.push(Times::default());
                }
                self.slots.len() - 1
            }
        };
        vacant.insert(at);
        at
    }

    /// Queues the slot, or marks it dirty if a worker holds it.
    #[inline]
    fn mark(&mut self, at: usize, priority: i32, clock: &impl Clock) {
        let slot = &mut self.slots[at];
        if slot.queued {
            let from = slot.priority;
            if priority > from {
                slot.priority = priority;
                let turn = Turn { ticket: slot.ticket, slot: at };
                let slots = &self.slots;
                self.ready.raise(from, priority, turn, |p, t| stands(slots, p, t));
            }
            return;
        }
        if slot.dirty {
            slot.priority = slot.priority.max(priority);
            return;
        }
        slot.priority = priority;
        if let Some(metrics) = &self.metrics {
            metrics.added();
            self.times[at].added = Some(clock.now());
        }
        if slot.processing {
            slot.dirty = true;
        } else {
            self.enqueue(at);
        }
    }

    #[inline]
    fn enqueue(&mut self, at: usize) {
        let ticket = self.draw();
        let slot = &mut self.slots[at];
        slot.queued = true;
        slot.ticket = ticket;
        self.ready.push(slot.priority, Turn { ticket, slot: at });
    }

    /// Frees the slot if nothing is left to do for its key.
    fn release(&mut self, at: usize) {
        let slot = &mut self.slots[at];
        if slot.queued || slot.processing || slot.waiting {
            return;
        }
        if let Ok(entry) = self.table.find_entry(slot.hash, |&i| i == at) {
            entry.remove();
        }
        let key = slot.key.take();
        if self.table.is_empty() && self.slots.len() > KEPT_SLOTS {
            self.slots = Vec::new();
            self.times = Vec::new();
            self.free = Vec::new();
            self.table = HashTable::with_capacity(ROOMY);
            self.ready.shrink();
        } else {
            self.free.push(at);
        }
        drop(key); // last: a key's drop is foreign code
    }
}

/// Whether a turn is where its slot stands now.
fn stands<K>(slots: &[Slot<K>], priority: i32, turn: Turn) -> bool {
    slots
        .get(turn.slot)
        .is_some_and(|s| s.queued && s.ticket == turn.ticket && s.priority == priority)
}
