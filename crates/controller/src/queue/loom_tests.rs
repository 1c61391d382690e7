//! Every interleaving of the shell's wake-ups, under loom.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
//!     cargo test -p pintle-controller --no-default-features --lib loom_tests
//! ```
//!
//! A lost wake-up shows as a deadlock, which loom reports. Delays are left out: loom has no timers,
//! so no key waits in these tests and no sleep is made.

use std::future::Future;
use std::task::Context;

use futures_util::task::noop_waker;
use loom::future::block_on;
use loom::thread;

use super::{ExponentialBackoff, QueueOptions, WorkQueue};

fn queue() -> WorkQueue<u8> {
    WorkQueue::with_options(QueueOptions::rate_limited_by(ExponentialBackoff::default()))
}

/// Takes keys until shutdown.
fn work(queue: &WorkQueue<u8>) -> Vec<u8> {
    block_on(async {
        let mut seen = Vec::new();
        while let Some(key) = queue.get().await {
            seen.push(*key);
        }
        seen
    })
}

#[test]
fn an_add_reaches_a_getter_whatever_comes_first() {
    loom::model(|| {
        let queue = queue();
        let adder = queue.clone();
        let adds = thread::spawn(move || adder.add(7));
        let got = block_on(async { queue.get().await.map(|key| *key) });
        assert_eq!(got, Some(7));
        adds.join().unwrap();
    });
}

#[test]
fn two_adds_reach_two_getters() {
    loom::model(|| {
        let queue = queue();
        let other = queue.clone();
        let getter = thread::spawn(move || {
            // Held until both have one: a wake-up that is lost cannot be made up by a second get.
            block_on(async { other.get().await.map(|key| key.detach()) })
        });
        queue.add(1);
        queue.add(2);
        let mine = block_on(async { queue.get().await.map(|key| key.detach()) });
        let theirs = getter.join().unwrap();
        assert_eq!(mine.unwrap() + theirs.unwrap(), 3);
    });
}

#[test]
fn a_key_added_while_held_comes_again_at_done() {
    loom::model(|| {
        let queue = queue();
        queue.add(1);
        let held = queue.try_get().expect("queued");
        let other = queue.clone();
        let getter = thread::spawn(move || block_on(async { other.get().await.map(|key| *key) }));
        queue.add(1);
        drop(held);
        assert_eq!(getter.join().unwrap(), Some(1));
    });
}

#[test]
fn a_key_is_held_by_one_worker_at_most() {
    loom::model(|| {
        let queue = queue();
        let held = loom::sync::Arc::new(loom::sync::atomic::AtomicUsize::new(0));
        queue.add(1);
        let (other, count) = (queue.clone(), held.clone());
        let worker = thread::spawn(move || {
            if let Some(item) = other.try_get() {
                assert_eq!(count.fetch_add(1, loom::sync::atomic::Ordering::SeqCst), 0);
                other.add(1);
                count.fetch_sub(1, loom::sync::atomic::Ordering::SeqCst);
                drop(item);
            }
        });
        if let Some(item) = queue.try_get() {
            assert_eq!(held.fetch_add(1, loom::sync::atomic::Ordering::SeqCst), 0);
            held.fetch_sub(1, loom::sync::atomic::Ordering::SeqCst);
            drop(item);
        }
        worker.join().unwrap();
    });
}

#[test]
fn a_getter_that_gives_up_hands_its_wake_up_on() {
    loom::model(|| {
        let queue = queue();
        let mut given_up = Box::pin(queue.get());
        let waker = noop_waker();
        // It parks first, so the add wakes it; it is dropped instead of looking again.
        assert!(given_up.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let other = queue.clone();
        let getter = thread::spawn(move || block_on(async { other.get().await.map(|key| *key) }));
        queue.add(5);
        drop(given_up);
        assert_eq!(getter.join().unwrap(), Some(5));
    });
}

#[test]
fn shutdown_ends_every_getter() {
    loom::model(|| {
        let queue = queue();
        let other = queue.clone();
        let worker = thread::spawn(move || work(&other));
        queue.add(1);
        queue.shut_down();
        queue.add(2);
        assert_eq!(worker.join().unwrap(), [1]);
    });
}

#[test]
fn the_drain_waits_for_the_last_done() {
    loom::model(|| {
        let queue = queue();
        queue.add(1);
        let other = queue.clone();
        let worker = thread::spawn(move || work(&other));
        block_on(queue.shut_down_with_drain());
        assert!(queue.try_get().is_none() && queue.is_empty());
        assert_eq!(worker.join().unwrap(), [1]);
    });
}

#[test]
fn shutdown_ends_the_wait_for_the_drain() {
    loom::model(|| {
        let queue = queue();
        queue.add(1);
        let held = queue.try_get().expect("queued"); // not done while the drain waits
        let drained = queue.shut_down_with_drain();
        let other = queue.clone();
        let stopper = thread::spawn(move || other.shut_down());
        block_on(drained);
        stopper.join().unwrap();
        drop(held);
    });
}

#[test]
fn forget_sees_a_failure_counted_before_the_key_was_handed_over() {
    loom::model(|| {
        let queue = WorkQueue::with_options(QueueOptions::rate_limited_by(
            ExponentialBackoff::new(std::time::Duration::ZERO, std::time::Duration::ZERO),
        ));
        let adder = queue.clone();
        let adds = thread::spawn(move || adder.add_rate_limited(3));
        block_on(async {
            let key = queue.get().await.expect("one key is added");
            queue.forget(&key);
            assert_eq!(queue.num_requeues(&key), 0);
        });
        adds.join().unwrap();
    });
}
