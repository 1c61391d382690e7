//! Reflector, queue and store as one: everything of an informer but I/O and time. The model tests
//! drive this.

use crate::hub::Hub;
use crate::queue::EventQueue;
use crate::reflector::{Reflector, Step};
use pintle_apimachinery::{Codec, Error, Object, ObjectList, WatchEvent};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Engine<T> {
    reflector: Reflector<T>,
    queue: EventQueue<T>,
    hub: Arc<Hub<T>>,
}

impl<T: Object + Codec> Engine<T> {
    pub(crate) fn new(reflector: Reflector<T>, hub: Arc<Hub<T>>) -> Self {
        Engine { reflector, queue: EventQueue::new(), hub }
    }

    pub(crate) fn step(&self) -> Step {
        self.reflector.step()
    }

    pub(crate) fn is_reading(&self) -> bool {
        self.reflector.is_reading()
    }

    pub(crate) fn woken(&mut self, now: Duration) {
        self.reflector.woken(now);
    }

    pub(crate) fn listed(&mut self, now: Duration, result: Result<ObjectList<T>, &Error>) {
        self.reflector.listed(now, result, &mut self.queue);
    }

    pub(crate) fn opened(&mut self, now: Duration, result: Result<(), &Error>) {
        self.reflector.opened(now, result);
    }

    pub(crate) fn event(&mut self, now: Duration, event: WatchEvent<T>) {
        self.reflector.event(now, event, &mut self.queue);
    }

    pub(crate) fn undecodable(&mut self) {
        self.reflector.undecodable();
    }

    pub(crate) fn closed(&mut self, now: Duration, error: Option<&Error>) {
        self.reflector.closed(now, error);
    }

    /// Stores what has come, and tells the handlers. Whether there was something.
    pub(crate) fn apply(&mut self) -> bool {
        let some = self.queue.len() > 0;
        while let Some(batch) = self.queue.pop() {
            self.hub.metrics().queued(self.queue.len());
            self.hub.apply(batch);
        }
        some
    }

    pub(crate) fn hub(&self) -> &Arc<Hub<T>> {
        &self.hub
    }

    #[cfg(test)]
    pub(crate) fn is_tainted(&self) -> bool {
        self.reflector.is_tainted()
    }

    #[cfg(test)]
    pub(crate) fn last_resource_version(&self) -> &pintle_apimachinery::Str {
        self.reflector.last_resource_version()
    }
}
