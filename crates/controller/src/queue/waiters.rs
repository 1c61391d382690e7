//! Tasks that are parked in `get`, first come first served.

use std::collections::VecDeque;
use std::task::Waker;

/// Names one parked future for as long as it lives.
pub(super) type WaiterId = u64;

/// The parked tasks. To wake one is to take it out: a task that is not in the list has either
/// not parked or has been woken and will look again.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    list: VecDeque<(WaiterId, Waker)>,
}

impl Waiters {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn park(&mut self, id: WaiterId, waker: &Waker) {
        self.list.push_back((id, waker.clone()));
    }

    /// Takes the one that has waited longest.
    pub(super) fn next(&mut self) -> Option<Waker> {
        self.list.pop_front().map(|(_, waker)| waker)
    }

    /// Takes a particular one, if it is parked.
    pub(super) fn take(&mut self, id: WaiterId) -> Option<Waker> {
        let at = self.list.iter().position(|(parked, _)| *parked == id)?;
        self.list.remove(at).map(|(_, waker)| waker)
    }

    /// Takes all.
    pub(super) fn take_all(&mut self) -> Vec<Waker> {
        self.list.drain(..).map(|(_, waker)| waker).collect()
    }
}
