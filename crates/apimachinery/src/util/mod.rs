//! What controllers and servers are built of beside the API itself: delays and polling, caches,
//! the splitting of YAML, names, several errors as one, durations for people.
//!
//! | Go, under `k8s.io/apimachinery/pkg` | here |
//! |---|---|
//! | `util/wait` | [`Backoff`], [`BackoffManager`], [`Polling`], [`Attempts`] |
//! | `util/cache`, `k8s.io/utils/lru` | [`ExpiringCache`], [`LruExpireCache`], [`LruCache`] |
//! | `util/yaml` | [`YamlSplitter`], [`YamlFramer`], [`yaml_documents`], [`looks_like_json`] |
//! | `util/errors` | [`Aggregate`] |
//! | `util/duration` | [`human_duration`], [`short_human_duration`] |
//! | `util/rand`, apiserver's `storage/names` | [`generate_name`], [`random_suffix`], [`safe_encode`] |
//! | client-go's `util/jsonpath` | [`JsonPath`] |
//! | `util/sets` | nothing: `BTreeSet` and `HashSet` of the standard library have it all |
//! | `util/version`, `util/resourceversion` | [`version`](crate::version) |
//! | `util/intstr` | [`IntOrString`](crate::IntOrString) |
//! | `watch` | [`WatchDecoder`](crate::WatchDecoder), and `pintle_client_traits::Broadcaster` |
//!
//! Nothing here reads a clock, draws a random number or sleeps: both are given. A time is a
//! [`Duration`](std::time::Duration) since any fixed point on a clock that only goes forward, such
//! as `start.elapsed()`; a random number is in `0.0..1.0`.
//!
//! # Example: wait longer after each failure
//! ```
//! use pintle_apimachinery::util::Backoff;
//! use std::time::Duration;
//!
//! let mut backoff = Backoff {
//!     duration: Duration::from_millis(100),
//!     factor: 2.0,
//!     steps: 10,
//!     cap: Duration::from_millis(350),
//!     ..Backoff::default()
//! };
//! let waits = [(); 4].map(|()| backoff.step(0.0).as_millis());
//! assert_eq!(waits, [100, 200, 350, 350]);
//! ```

mod aggregate;
mod cache;
mod duration;
mod json_path;
mod names;
mod polling;
mod wait;
mod yaml;

pub use self::aggregate::Aggregate;
pub use self::cache::{ExpiringCache, LruCache, LruExpireCache};
pub use self::duration::{human_duration, short_human_duration};
pub use self::json_path::JsonPath;
pub(crate) use self::json_path::json_path_text;
pub use self::names::{NAME_ALPHABET, generate_name, random_suffix, safe_encode};
pub use self::polling::{PollStep, Polling};
pub use self::wait::{Attempt, Attempts, Backoff, BackoffManager, jitter};
pub use self::yaml::{YamlFramer, YamlSplitter, looks_like_json, yaml_documents};

#[cfg(test)]
mod tests;
