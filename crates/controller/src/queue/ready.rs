//! Keys that are ready to be handed out, ordered by priority and then by the time they became
//! ready. Go counterpart: the default FIFO of `util/workqueue/queue.go` and the ready part of
//! controller-runtime's `priorityqueue`.
//!
//! A ticket (a number that only grows) is drawn each time a key becomes ready, so ticket order is
//! ready order. Each priority has a FIFO; a key whose priority is raised while it waits keeps its
//! ticket and moves to a small heap beside the FIFO of its new priority. The turn it leaves
//! behind is stale: it is recognized by the caller's `current` check and skipped.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// One turn of one key, from the moment it becomes ready until it is done: a slot of the core's slab,
/// and the ticket under which it became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) ticket: u64,
    pub(super) slot: usize,
}

#[derive(Debug)]
struct Bucket {
    priority: i32,
    fifo: VecDeque<Turn>,
    raised: BinaryHeap<Reverse<Turn>>,
    stale: usize,
}

/// Empty buckets kept for reuse; more than this many are given back.
const KEPT_BUCKETS: usize = 4;

/// Stale turns a bucket may hold before it is worth a sweep.
const TOLERATED_STALE: usize = 64;

/// The ready keys.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// Highest priority first.
    buckets: Vec<Bucket>,
    len: usize,
}

impl Ready {
    /// Ready keys, stale entries not counted.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends a key that has just become ready.
    pub(super) fn push(&mut self, priority: i32, turn: Turn) {
        self.bucket(priority).fifo.push_back(turn);
        self.len += 1;
    }

    /// Moves a ready key to a higher priority; it keeps its ticket. `current` tells whether an
    /// turn at a priority is where its slot stands now (the slot has already been changed).
    pub(super) fn raise(
        &mut self,
        from: i32,
        to: i32,
        turn: Turn,
        current: impl Fn(i32, Turn) -> bool,
    ) {
        self.bucket(to).raised.push(Reverse(turn));
        let old = self.bucket(from);
        old.stale += 1;
        if old.stale > TOLERATED_STALE && old.stale * 2 > old.fifo.len() + old.raised.len() {
            old.fifo.retain(|e| current(from, *e));
            old.raised.retain(|Reverse(e)| current(from, *e));
            old.stale = 0;
        }
    }

    /// Takes the key of the highest priority that became ready first.
    pub(super) fn pop(&mut self, current: impl Fn(i32, Turn) -> bool) -> Option<Turn> {
        if self.len == 0 {
            return None;
        }
        let mut at = 0;
        while let Some(bucket) = self.buckets.get_mut(at) {
            while let Some(turn) = bucket.pop_front() {
                if bucket.stale == 0 || current(bucket.priority, turn) {
                    self.len -= 1;
                    return Some(turn);
                }
                bucket.stale -= 1;
            }
            if self.buckets.len() > KEPT_BUCKETS {
                self.buckets.remove(at);
            } else {
                at += 1;
            }
        }
        None
    }

    /// Gives memory back; for use when nothing is ready.
    pub(super) fn shrink(&mut self) {
        if self.len == 0 {
            self.buckets = Vec::new();
        }
    }

    /// Entries held, stale ones counted.
    #[cfg(all(test, not(loom)))]
    pub(super) fn entries(&self) -> usize {
        self.buckets.iter().map(|b| b.fifo.len() + b.raised.len()).sum()
    }

    fn bucket(&mut self, priority: i32) -> &mut Bucket {
        let at = match self.buckets.binary_search_by(|b| priority.cmp(&b.priority)) {
            Ok(at) => at,
            Err(at) => {
                self.buckets.insert(
                    at,
                    Bucket { priority, fifo: VecDeque::new(), raised: BinaryHeap::new(), stale: 0 },
                );
                at
            }
        };
        &mut self.buckets[at]
    }
}

impl Bucket {
    fn pop_front(&mut self) -> Option<Turn> {
        match (self.fifo.front(), self.raised.peek()) {
            (Some(first), Some(Reverse(raised))) if raised < first => {
                self.raised.pop().map(|Reverse(turn)| turn)
            }
            (Some(_), _) => self.fifo.pop_front(),
            (None, _) => self.raised.pop().map(|Reverse(turn)| turn),
        }
    }
}
