//! Whether to send a request again (Go: `rest/with_retry`). A pure decision; waiting is the
//! caller's.

use std::time::Duration;

/// The most often a request is sent.
const MOST: u32 = 10;
/// The longest a server may make us wait at a time.
const LONGEST: Duration = Duration::from_secs(60);

/// What sending a request twice would mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: it only reads.
    Reads,
    /// The second time is refused, or does what the first did. Sent again only when the server
    /// says that it has not acted.
    Idempotent,
    /// Something twice, or the answer itself says when to come back (an eviction). Never sent
    /// again.
    Never,
}

/// What came of sending a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A response with this status, and its `Retry-After` if that was a number of seconds.
    Answer { status: u16, retry_after: Option<u64> },
    /// No connection could be made.
    NotConnected,
    /// The connection was lost before a response came.
    Lost,
}

/// How long to wait before sending the request again after it has been sent `sent` times; `None`
/// to leave it.
///
/// 429 and 503 with `Retry-After` say that the server turned the request away before acting on it.
/// A lost connection says nothing, so only reads are sent again. When no connection can be made,
/// whoever asked knows better how long that may go on.
pub(crate) fn wait_before_next(repeat: Repeat, sent: u32, outcome: Outcome) -> Option<Duration> {
    if sent >= MOST {
        return None;
    }
    match (repeat, outcome) {
        (Repeat::Never, _) => None,
        (_, Outcome::Answer { status: 429 | 503, retry_after: Some(seconds) }) => {
            Some(Duration::from_secs(seconds).min(LONGEST))
        }
        // At once a first time: a server that restarts or rebalances closes good connections.
        (Repeat::Reads, Outcome::Lost) if sent == 1 => Some(Duration::from_millis(50)),
        (Repeat::Reads, Outcome::Lost) => Some(Duration::from_secs(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(repeat: Repeat, sent: u32, outcome: Outcome, expect: Option<u64>) {
        assert_eq!(wait_before_next(repeat, sent, outcome), expect.map(Duration::from_millis));
    }

    #[test]
    fn decisions() {
        use Outcome::{Lost, NotConnected};
        use Repeat::{Idempotent, Never, Reads};
        let answer = |status, retry_after| Outcome::Answer { status, retry_after };

        for repeat in [Reads, Idempotent] {
            check(repeat, 1, answer(429, Some(2)), Some(2_000));
            check(repeat, 9, answer(503, Some(1)), Some(1_000));
            check(repeat, 10, answer(503, Some(1)), None);
            check(repeat, 1, answer(429, Some(0)), Some(0));
            check(repeat, 1, answer(429, Some(99_999)), Some(60_000));
            check(repeat, 1, answer(429, None), None);
            check(repeat, 1, answer(503, None), None);
            check(repeat, 1, answer(500, Some(1)), None);
            check(repeat, 1, answer(504, Some(1)), None);
            check(repeat, 1, answer(409, Some(1)), None);
            check(repeat, 1, NotConnected, None);
        }
        check(Reads, 1, Lost, Some(50));
        check(Reads, 2, Lost, Some(1_000));
        check(Reads, 10, Lost, None);
        check(Idempotent, 1, Lost, None);
        for outcome in [answer(429, Some(1)), answer(503, Some(1)), Lost, NotConnected] {
            check(Never, 1, outcome, None);
        }
    }
}
