//! The informer's task: does the I/O that the engine asks for. Go: `Reflector.ListAndWatch`'s
//! loops and `controller.processLoop`.

use crate::engine::Engine;
use crate::hub::Hub;
use crate::queue::MAX_BATCH;
use crate::reflector::Step;
use futures_util::future::{Either, select};
use futures_util::{FutureExt, StreamExt};
use pintle_apimachinery::{Codec, Error, Known, Object, WatchEvent};
use pintle_client_traits::{ListerWatcher, WatchStream};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Is told of what did not work and will be tried again.
pub(crate) type OnError = Arc<dyn Fn(&Error) + Send + Sync>;

/// Runs until `stop` says so, or its sender is gone.
pub(crate) async fn run<T: Object + Codec>(
    mut engine: Engine<T>,
    source: Arc<dyn ListerWatcher<T>>,
    mut stop: watch::Receiver<bool>,
    on_error: OnError,
) {
    let _stop_on_drop = StopOnDrop(engine.hub().clone());
    let clock = Clock(Instant::now());
    let store = engine.hub().store().clone();
    let known: Known<T> = Arc::new(move |namespace, name| store.get_named(namespace, name));
    let mut stream: Option<WatchStream<T>> = None;
    loop {
        let step = engine.step();
        if !engine.is_reading() {
            stream = None;
        }
        match step {
            Step::List(options) => {
                let Some(result) = until(&mut stop, source.list(options)).await else { return };
                let result = result.inspect_err(|error| on_error(error));
                match result {
                    Ok(list) => engine.listed(clock.now(), Ok(list)),
                    Err(error) => engine.listed(clock.now(), Err(&error)),
                }
            }
            Step::Watch(options) => {
                let Some(result) =
                    until(&mut stop, source.watch_known(options, known.clone())).await
                else {
                    return;
                };
                match result {
                    Ok(opened) => {
                        stream = Some(opened);
                        engine.opened(clock.now(), Ok(()));
                    }
                    Err(error) => {
                        on_error(&error);
                        engine.opened(clock.now(), Err(&error));
                    }
                }
            }
            Step::Sleep(time) => {
                let Some(()) = until(&mut stop, sleep_until(clock.at(time))).await else { return };
                engine.woken(clock.now());
            }
            Step::Read(deadline) => {
                let Some(events) = &mut stream else {
                    engine.closed(clock.now(), None);
                    continue;
                };
                let read = timeout_at(clock.at(deadline), events.next());
                match until(&mut stop, read).await {
                    None => return,
                    Some(Err(_elapsed)) => engine.closed(clock.now(), None),
                    Some(Ok(first)) => take(&mut engine, first, events, &clock, &on_error),
                }
            }
        }
        let began = Instant::now();
        if engine.apply() {
            engine.hub().metrics().processed(|| began.elapsed());
        }
        // A source that is always ready must not keep others from running, nor a stop unseen.
        tokio::task::consume_budget().await;
        if *stop.borrow() {
            return;
        }
    }
}

/// Takes one event and those that are there already, for one batch.
fn take<T: Object + Codec>(
    engine: &mut Engine<T>,
    first: Option<Result<WatchEvent<T>, Error>>,
    events: &mut WatchStream<T>,
    clock: &Clock,
    on_error: &OnError,
) {
    let now = clock.now();
    let mut next = Some(first);
    let mut taken = 0;
    while let Some(item) = next {
        match item {
            Some(Ok(event)) => {
                if let WatchEvent::Error(status) = &event {
                    on_error(&Error::from_status(status.clone()));
                }
                engine.event(now, event);
            }
            Some(Err(error)) => {
                on_error(&error);
                if error.is_decode() {
                    engine.undecodable();
                } else {
                    engine.closed(now, Some(&error));
                }
            }
            None => engine.closed(now, None),
        }
        taken += 1;
        if !engine.is_reading() || taken == MAX_BATCH {
            return;
        }
        next = events.next().now_or_never();
    }
}

struct Clock(Instant);

impl Clock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn at(&self, time: Duration) -> Instant {
        self.0 + time
    }
}

/// `None` when it is time to stop.
async fn until<F: Future>(stop: &mut watch::Receiver<bool>, work: F) -> Option<F::Output> {
    let stopped = async {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    match select(pin!(stopped), pin!(work)).await {
        Either::Left(_) => None,
        Either::Right((output, _)) => Some(output),
    }
}

/// However the task ends, handlers and those who wait learn of it.
struct StopOnDrop<T: Object + Codec>(Arc<Hub<T>>);

impl<T: Object + Codec> Drop for StopOnDrop<T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
