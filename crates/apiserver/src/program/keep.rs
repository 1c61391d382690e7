//! What outlives the program: its objects, left with the stand-in for etcd when it ends, and taken
//! from there when it starts.
//!
//! Go counterpart: none; a real API server keeps nothing itself. A real etcd knows nothing of these
//! paths, and nothing comes of asking it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where the stand-in keeps what is left with it, and a name.
pub(crate) const PATH: &str = "/pintle/snapshot/";

/// Longer nobody waits for somebody who is likely not there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where objects are left, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    host: String,
    name: String,
}

impl Place {
    /// The place for a URL and the prefix of keys; `None` where it could not be reached.
    pub(crate) fn new(url: &str, prefix: &str) -> Option<Self> {
        let host = url.strip_prefix("http://")?.trim_end_matches('/');
        let name: String = prefix.bytes().map(|byte| format!("{byte:02x}")).collect();
        Some(Place { host: host.to_owned(), name: format!("x{name}") })
    }
}

/// What was left there, if anything.
///
/// # Cancel safety
/// Nothing is changed.
pub(crate) async fn load(place: &Place) -> Option<Vec<u8>> {
    let (code, body) = call(place, "GET", &[]).await?;
    (code == 200).then_some(body)
}

/// Leaves objects there. That nobody takes them is no failure: with a program that is no stand-in
/// there is nothing to keep.
///
/// # Cancel safety
/// They are left or not.
pub(crate) async fn save(place: &Place, snapshot: Vec<u8>) {
    if let Some((507, why)) = call(place, "PUT", &snapshot).await {
        eprintln!("etcd keeps objects in memory only: {}", String::from_utf8_lossy(&why));
    }
}

/// One request, on a connection of its own.
async fn call(place: &Place, method: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let Place { host, name } = place;
    let head = format!(
        "{method} {PATH}{name} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: \
         {}\r\n\r\n",
        body.len()
    );
    let exchange = async {
        let mut stream = TcpStream::connect(host).await.ok()?;
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        take_apart(&answer)
    };
    tokio::time::timeout(PATIENCE, exchange).await.ok()?
}

/// The code and the body of an answer that is there whole.
fn take_apart(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let code = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = &answer[end + 4..];
    // Half of the objects is worse than none.
    (length.unwrap_or(0) == body.len()).then(|| (code, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_whole_or_none() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(take_apart(whole), Some((200, b"ab".to_vec())));
        assert_eq!(take_apart(&whole[..whole.len() - 1]), None);
        assert_eq!(take_apart(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, Vec::new())));
        assert_eq!(take_apart(b"nonsense"), None);
    }

    #[test]
    fn places_have_names_of_letters_and_digits() {
        let place = Place::new("http://127.0.0.1:1/", "/r-1").expect("a place");
        assert_eq!((place.host.as_str(), place.name.as_str()), ("127.0.0.1:1", "x2f722d31"));
        assert_eq!(Place::new("https://127.0.0.1:1", "/r"), None);
    }
}
