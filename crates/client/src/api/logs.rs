//! Logs of containers (Go: `PodExpansion.GetLogs`).

use super::Api;
use crate::Error;
use crate::request::Response;
use pintle_apimachinery::{Codec, Object};

/// What of a container's log to read (Go: `corev1.PodLogOptions`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The container; may be empty when there is only one.
    pub container: String,
    /// Go on with what is logged from now on.
    pub follow: bool,
    /// The log of the instance before the last restart.
    pub previous: bool,
    /// A time stamp before every line.
    pub timestamps: bool,
    /// Only the last seconds.
    pub since_seconds: Option<i64>,
    /// Only the last lines.
    pub tail_lines: Option<i64>,
    /// At most this many bytes.
    pub limit_bytes: Option<i64>,
}

impl<T: Object + Codec> Api<T> {
    /// A container's log, as the bytes arrive ([`Response::chunk`], [`Response::into_stream`]) or
    /// as a whole ([`Response::text`]). For Pods, and for the kinds that stand for them where the
    /// server knows how.
    ///
    /// # Errors
    /// See [`Api`].
    pub async fn logs(&self, name: &str, options: &LogOptions) -> Result<Response, Error> {
        let numbers = [
            ("sinceSeconds", options.since_seconds),
            ("tailLines", options.tail_lines),
            ("limitBytes", options.limit_bytes),
        ]
        .map(|(key, value)| (key, value.map(|value| value.to_string())));
        let mut query: Vec<(&'static str, &str)> = Vec::new();
        if !options.container.is_empty() {
            query.push(("container", &options.container));
        }
        for (key, set) in [
            ("follow", options.follow),
            ("previous", options.previous),
            ("timestamps", options.timestamps),
        ] {
            if set {
                query.push((key, "true"));
            }
        }
        for (key, value) in &numbers {
            if let Some(value) = value {
                query.push((key, value));
            }
        }
        self.get_raw(name, "log", &query).await
    }
}
