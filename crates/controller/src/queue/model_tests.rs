//! The state machine against a naive model: seeded random operations, every answer compared.

use std::time::{Duration, Instant};

use super::core::{Core, Popped};
use super::ready::Turn;

type Key = u8;

/// Lists and linear search; promotes delayed keys at the moment they come due.
#[derive(Debug, Default)]
struct Model {
    queued: Vec<(Key, i32, u64)>,
    processing: Vec<(Key, Option<i32>)>,
    waiting: Vec<(u64, u64, Key, i32)>,
    now: u64,
    counter: u64,
    shut: bool,
}

impl Model {
    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn mark(&mut self, key: Key, priority: i32) {
        if let Some(queued) = self.queued.iter_mut().find(|q| q.0 == key) {
            queued.1 = queued.1.max(priority);
        } else if let Some(held) = self.processing.iter_mut().find(|p| p.0 == key) {
            held.1 = Some(held.1.map_or(priority, |p| p.max(priority)));
        } else {
            let n = self.count();
            self.queued.push((key, priority, n));
        }
    }

    fn add_after(&mut self, key: Key, delay: u64, priority: i32) {
        if self.shut {
            return;
        }
        if delay == 0 {
            return self.mark(key, priority);
        }
        let at = self.now + delay;
        let n = self.count();
        match self.waiting.iter_mut().find(|w| w.2 == key) {
            Some(w) => {
                w.3 = w.3.max(priority);
                if at < w.0 {
                    (w.0, w.1) = (at, n);
                }
            }
            None => self.waiting.push((at, n, key, priority)),
        }
    }

    fn advance(&mut self, by: u64) {
        self.now += by;
        while let Some(first) = self.waiting.iter().copied().min().filter(|w| w.0 <= self.now) {
            self.waiting.retain(|w| *w != first);
            self.mark(first.2, first.3);
        }
    }

    fn pop(&mut self) -> Option<(Key, i32)> {
        let best = *self.queued.iter().min_by_key(|q| (-q.1, q.2))?;
        self.queued.retain(|q| *q != best);
        self.processing.push((best.0, None));
        Some((best.0, best.1))
    }

    fn done(&mut self, key: Key) {
        let Some(at) = self.processing.iter().position(|p| p.0 == key) else { return };
        if let (_, Some(priority)) = self.processing.remove(at) {
            self.mark(key, priority);
        }
    }

    fn shut_down(&mut self) {
        self.shut = true;
        self.waiting.clear();
    }
}

/// Marsaglia's xorshift; any quality will do, the seed must reproduce the run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

fn run(seed: u64, steps: u32) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let keys = 1 + random.below(12);
    let priorities: &[i32] =
        [&[0][..], &[0, -100], &[-3, -2, -1, 0, 1, 2, 3, 4]][random.below(3) as usize];
    let start = Instant::now();
    let mut model = Model::default();
    let mut core = Core::<Key>::new(None);
    let mut held: Vec<(Key, Turn)> = Vec::new();
    let mut ended: Vec<Turn> = Vec::new();
    for step in 0..steps {
        let at = start + Duration::from_millis(model.now);
        let key = random.below(keys) as Key;
        let priority = priorities[random.below(priorities.len() as u64) as usize];
        match random.below(100) {
            0..25 => {
                if !model.shut {
                    model.mark(key, priority);
                }
                core.add(key, priority, &at);
            }
            25..40 => {
                let delay = random.below(30);
                model.add_after(key, delay, priority);
                core.add_after(key, Duration::from_millis(delay), priority, &at);
            }
            40..65 => {
                let got = core.pop(&at);
                let brief = got.as_ref().map(|p| (p.key, p.priority));
                assert_eq!(brief, model.pop(), "seed {seed} step {step}");
                if let Some(Popped { key, turn, .. }) = got {
                    assert!(held.iter().all(|h| h.0 != key), "seed {seed}: {key} held twice");
                    held.push((key, turn));
                }
            }
            65..85 if !held.is_empty() => {
                let (key, turn) = held.swap_remove(random.below(held.len() as u64) as usize);
                model.done(key);
                if random.below(2) == 0 {
                    core.done(turn, &at);
                } else {
                    core.done_key(&key, &at);
                }
                ended.push(turn);
            }
            85..88 => {
                if let Some(turn) = ended.last() {
                    core.done(*turn, &at); // ended before: must change nothing
                }
            }
            88..98 => {
                let by = random.below(20);
                model.advance(by);
            }
            98 if random.below(40) == 0 => {
                model.shut_down();
                core.shut_down();
            }
            _ => core.promote(&at),
        }
        let at = start + Duration::from_millis(model.now);
        core.promote(&at);
        assert_eq!(core.len(), model.queued.len(), "seed {seed} step {step}");
        assert_eq!(core.processing(), model.processing.len(), "seed {seed} step {step}");
        let due = model.waiting.iter().map(|w| start + Duration::from_millis(w.0)).min();
        assert_eq!(core.next_due(), due, "seed {seed} step {step}");
        assert_eq!(
            core.is_drained(),
            model.queued.is_empty() && model.processing.is_empty(),
            "seed {seed} step {step}"
        );
    }
    // Whatever happened, it drains: every queued key once, every dirty key once more.
    let at = start + Duration::from_millis(model.now);
    core.shut_down();
    model.shut_down();
    for (key, turn) in held {
        core.done(turn, &at);
        model.done(key);
    }
    while let Some(popped) = core.pop(&at) {
        assert_eq!(Some((popped.key, popped.priority)), model.pop(), "seed {seed} at the end");
        core.done(popped.turn, &at);
        model.done(popped.key);
    }
    assert_eq!(model.pop(), None, "seed {seed} at the end");
    assert!(core.is_drained() && core.is_forgotten(), "seed {seed}: slots left over");
}

#[test]
fn random_operations_agree_with_the_model() {
    for seed in 0..4000 {
        run(seed, 250);
    }
}

#[test]
fn long_runs_agree_with_the_model() {
    for seed in 0..20 {
        run(1_000_000 + seed, 20_000);
    }
}

#[test]
fn raising_priorities_for_ever_keeps_memory_bounded() {
    let now = Instant::now();
    let mut core = Core::<u32>::new(None);
    core.add(0, -100, &now); // never reached
    for _ in 0..10_000 {
        core.add(1, -100, &now);
        core.add(1, 0, &now);
        let popped = core.pop(&now).expect("a key is queued");
        assert_eq!((popped.key, popped.priority), (1, 0));
        core.done(popped.turn, &now);
    }
    assert!(core.ready_entries() < 300, "{} entries for one key", core.ready_entries());
    assert_eq!(core.pop(&now).map(|p| p.key), Some(0));
}

#[test]
fn an_idle_queue_gives_memory_back() {
    let now = Instant::now();
    let mut core = Core::<u32>::new(None);
    for round in 0..3 {
        for key in 0..5000 {
            core.add(key, -(key as i32 % 7), &now);
        }
        for _ in 0..5000 {
            let popped = core.pop(&now).expect("5,000 keys are queued");
            core.done(popped.turn, &now);
        }
        assert!(core.pop(&now).is_none() && core.is_forgotten(), "round {round}");
        assert_eq!(core.slots(), 0, "round {round}");
    }
}

#[test]
fn delays_beyond_the_clock_do_not_overflow() {
    let now = Instant::now();
    let mut core = Core::<u32>::new(None);
    core.add_after(1, Duration::MAX, 0, &now);
    assert!(core.next_due().is_some_and(|due| due > now + Duration::from_secs(86_400 * 365)));
    core.add_after(1, Duration::from_secs(1), 0, &now);
    assert_eq!(core.next_due(), Some(now + Duration::from_secs(1)));
}
