//! Tests of controllers, without a cluster and without a sleep: clients of an [`ApiServer`] in the
//! test's own process, and [`eventually`]. Go: `envtest`, and Gomega's `Eventually`.
//!
//! It runs no controllers of Kubernetes' own: a Deployment gets no Pods here unless the test makes
//! them.
//!
//! # Example: a whole test
//! The controller writes each `Greeting` into a ConfigMap. The test sees it written, and put right
//! after somebody has changed it while the controller was cut off from the server.
//! ```
//! use pintle::api::core_v1::ConfigMap;
//! use pintle::testing::{ApiServerExt, eventually};
//! use pintle::{
//!     Action, ApiServer, Client, Controller, CustomResource, Error, InformerFactory, ObjectMeta,
//!     controller_reference,
//! };
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
//! #[resource(group = "example.com", version = "v1", kind = "Greeting", namespaced)]
//! pub struct GreetingSpec {
//!     pub text: String,
//! }
//!
//! async fn run(client: Client, stop: impl Future<Output = ()>) -> Result<(), Error> {
//!     let informers = InformerFactory::new(client.clone());
//!     let (greetings, maps) = (informers.of::<Greeting>(), informers.of::<ConfigMap>());
//!     Controller::new("greeter")
//!         .watches(&greetings)
//!         .owns(&maps)
//!         .run_with((greetings.lister(), maps.lister(), client), |(greetings, maps, client), key| async move {
//!             let Some(greeting) = greetings.get(&key) else { return Ok(Action::done()) };
//!             let api = client.namespaced::<ConfigMap>(&key.namespace);
//!             let data = [("text", greeting.spec.text.as_str())].into();
//!             match maps.get(&key) {
//!                 Some(map) if map.data == data => {}
//!                 Some(map) => drop(api.update(&ConfigMap { data, ..(*map).clone() }).await?),
//!                 None => {
//!                     let owner_references = [controller_reference(&*greeting)].into();
//!                     let metadata = ObjectMeta { name: key.name, owner_references, ..Default::default() };
//!                     api.create(&ConfigMap { metadata, data, ..Default::default() }).await?;
//!                 }
//!             }
//!             Ok(Action::done())
//!         })
//!         .until(stop)
//!         .await
//! }
//!
//! # /*
//! #[tokio::test]
//! # */
//! # #[tokio::main(flavor = "current_thread")]
//! async fn puts_greetings_right() -> Result<(), Error> {
//!     let server = ApiServer::builder().with_crd::<Greeting>().start().await?;
//!     let (stop, stopped) = tokio::sync::oneshot::channel();
//!     let controller = tokio::spawn(run(server.client(), async { stopped.await.unwrap_or_default() }));
//!
//!     let greetings = server.client().namespaced::<Greeting>("default");
//!     let maps = server.client().namespaced::<ConfigMap>("default");
//!     greetings.create(&Greeting::new("one", GreetingSpec { text: "hello".into() })).await?;
//!     let map = eventually("a ConfigMap is made", || maps.get("one")).await?;
//!     assert_eq!(map.data["text"], *"hello");
//!
//!     server.faults().drop_watches();
//!     maps.modify("one", |map| map.data = [("text", "hullo")].into()).await?;
//!     eventually("it is put right", || maps.get("one")).is(|map| map.data["text"] == *"hello").await?;
//!
//!     stop.send(()).expect("the controller runs");
//!     controller.await.expect("it does not panic")
//! }
//! # puts_greetings_right().unwrap();
//! ```

use std::any::type_name;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

pub use pintle_apiserver::testing::{Clock, Fault, Faults, Injected};

use crate::apiserver::User;
use crate::{ApiResource, ApiServer, Client, CustomResource, Error, ListOptions, Unstructured};

/// Clients of a server in this process.
pub trait ApiServerExt {
    /// A client that may do everything; its default namespace is `default`.
    fn client(&self) -> Client;

    /// A client that makes its requests as `user`; as anybody, when there is none.
    fn client_as(&self, user: Option<User>) -> Client;

    /// Typed clients that may do everything.
    #[cfg(feature = "clientset")]
    fn clientset(&self) -> crate::Clientset {
        crate::Clientset::new(self.client())
    }
}

impl ApiServerExt for ApiServer {
    fn client(&self) -> Client {
        Client::from_service(self.service(), "default")
    }

    fn client_as(&self, user: Option<User>) -> Client {
        Client::from_service(self.service().with_user(user), "default")
    }
}

/// Makes a server serve a kind, and waits until it does: for servers that run already, in this
/// process or elsewhere. A definition that is there is left as it is. For a server of this process
/// see also [`with_crd`](crate::apiserver::Builder::with_crd).
///
/// # Errors
/// The server does not take the definition, or does not serve the kind within half a minute.
///
/// # Cancel safety
/// The definition may have been created; calling it again finishes the work.
#[track_caller]
pub fn install<T: CustomResource>(
    client: &Client,
) -> impl Future<Output = Result<(), Error>> + Send + use<'_, T> {
    let at = Location::caller();
    async move {
        let crds = client.dynamic(&ApiResource::cluster_scoped(
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
        ))?;
        match crds.create(&T::crd::<Unstructured>()?).await {
            Err(e) if !e.is_already_exists() => return Err(e),
            _ => {}
        }
        let (objects, one) = (client.all::<T>(), ListOptions::new().limit(1));
        let what = format!("{}.{} are served", T::PLURAL, T::GROUP);
        let served = eventually(what, || async { objects.list(&one).await.map(drop) });
        Eventually { at, ..served }.await
    }
}

/// Looks again and again until there is something to see, and gives that:
/// `eventually("a Deployment is made", || deployments.get("web")).await?`. With
/// [`is`](Eventually::is), until it is as it should be.
///
/// `what` is what should come about, for the message when it does not within 30 seconds. `look`
/// may answer with anything that is a [`Look`]. It looks at once, and then every 1 to 20
/// milliseconds of tokio's time.
///
/// # Errors
/// Time ran out ([`Error::is_timeout`]); the message tells what was waited for and where, and what
/// was seen last.
///
/// # Cancel safety
/// Cancel safe, as far as `look` is.
///
/// # Example: the message
/// ```
/// use pintle::testing::eventually;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let error = eventually("the answer", || async { Some(41) })
///     .is(|&answer| answer == 42)
///     .within(Duration::from_secs(5))
///     .await
///     .unwrap_err();
/// let message = error.to_string();
/// assert!(message.starts_with("waited 5s in vain: the answer ("), "{message}");
/// assert!(message.ends_with("); last saw: 41"), "{message}");
/// # }
/// ```
#[track_caller]
pub fn eventually<'a, L, Fut>(
    what: impl Into<String>,
    mut look: impl FnMut() -> Fut + Send + 'a,
) -> Eventually<'a, L::Seen>
where
    L: Look,
    Fut: Future<Output = L> + Send + 'a,
{
    Eventually {
        what: what.into(),
        at: Location::caller(),
        limit: Duration::from_secs(30),
        look: Box::new(move || {
            let looking = look();
            Box::pin(async { looking.await.seen() })
        }),
        is: None,
        last: Err("nothing yet".to_owned()),
        waiting: None,
    }
}

/// What a look can answer.
pub trait Look {
    /// What there is to see.
    type Seen: Debug + Send;
    /// What was seen, or in words what was seen in its place.
    ///
    /// # Errors
    /// There is nothing to see yet.
    fn seen(self) -> Result<Self::Seen, String>;
}

/// An error is nothing to see yet, whatever it is.
impl<T: Debug + Send, E: Display> Look for Result<T, E> {
    type Seen = T;
    fn seen(self) -> Result<T, String> {
        self.map_err(|error| error.to_string())
    }
}

impl<T: Debug + Send> Look for Option<T> {
    type Seen = T;
    fn seen(self) -> Result<T, String> {
        self.ok_or_else(|| "None".to_owned())
    }
}

impl<T: Debug + Send> Look for Vec<T> {
    type Seen = Vec<T>;
    fn seen(self) -> Result<Vec<T>, String> {
        Ok(self)
    }
}

impl Look for bool {
    type Seen = ();
    fn seen(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

type Looking<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;
type Is<'a, T> = Box<dyn Fn(&T) -> bool + Send + 'a>;

/// A wait for something to come about; see [`eventually`].
#[must_use = "nobody looks before it is awaited"]
pub struct Eventually<'a, T> {
    what: String,
    at: &'static Location<'static>,
    limit: Duration,
    look: Box<dyn FnMut() -> Looking<'a, T> + Send + 'a>,
    is: Option<Is<'a, T>>,
    last: Result<T, String>,
    waiting: Option<Waiting<'a, T>>,
}

/// What there is from the first poll on.
struct Waiting<'a, T> {
    deadline: Pin<Box<Sleep>>,
    pause: Pin<Box<Sleep>>,
    next_pause: Duration,
    looking: Option<Looking<'a, T>>,
}

const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// The most of what was seen that a message tells.
const SHOWN: usize = 4000;

impl<'a, T: Debug> Eventually<'a, T> {
    /// Goes on until what is seen is as it should be.
    pub fn is(self, is: impl Fn(&T) -> bool + Send + 'a) -> Self {
        Eventually { is: Some(Box::new(is)), ..self }
    }

    /// Gives up after this long; 30 seconds unless said otherwise.
    pub fn within(self, limit: Duration) -> Self {
        Eventually { limit, ..self }
    }

    fn too_late(&self) -> Error {
        let mut last = match &self.last {
            Ok(seen) => format!("{seen:?}"),
            Err(text) => text.clone(),
        };
        if last.len() > SHOWN {
            last.truncate(last.floor_char_boundary(SHOWN));
            last.push_str(" ...");
        }
        let Eventually { what, at, limit, .. } = self;
        Error::timeout(format!("waited {limit:?} in vain: {what} ({at}); last saw: {last}"))
    }
}

impl<T> Unpin for Eventually<'_, T> {}

impl<T: Debug> Future for Eventually<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let now = Instant::now();
        let waiting = this.waiting.get_or_insert_with(|| Waiting {
            deadline: Box::pin(sleep_until(now + this.limit)),
            pause: Box::pin(sleep_until(now)),
            next_pause: PAUSES[0],
            looking: Some((this.look)()),
        });
        loop {
            if let Some(looking) = &mut waiting.looking {
                let Poll::Ready(seen) = looking.as_mut().poll(cx) else { break };
                waiting.looking = None;
                waiting.pause.as_mut().reset(Instant::now() + waiting.next_pause);
                waiting.next_pause = (waiting.next_pause * 2).min(PAUSES[1]);
                match (seen, &this.is) {
                    (Ok(seen), None) => return Poll::Ready(Ok(seen)),
                    (Ok(seen), Some(is)) if is(&seen) => return Poll::Ready(Ok(seen)),
                    (seen, _) => this.last = seen,
                }
            }
            if waiting.pause.as_mut().poll(cx).is_pending() {
                break;
            }
            waiting.looking = Some((this.look)());
        }
        ready!(waiting.deadline.as_mut().poll(cx));
        Poll::Ready(Err(this.too_late()))
    }
}

impl<T> Debug for Eventually<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eventually")
            .field("what", &self.what)
            .field("seen", &type_name::<T>())
            .finish_non_exhaustive()
    }
}
