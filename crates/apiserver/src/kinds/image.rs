//! References to container images.
//!
//! Go counterpart: `ParseImageName` of `k8s.io/kubernetes/pkg/util/parsers`, with
//! `github.com/distribution/reference`.

/// Whether a reference is well formed and means the tag `latest`, said or not.
pub(super) fn is_latest(image: &str) -> bool {
    tag(image).as_deref() == Some("latest")
}

/// The tag of a reference; `None` when it is malformed.
fn tag(image: &str) -> Option<String> {
    if image.len() == 64 && image.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
    {
        return None;
    }
    let (domain, rest) = split_domain(image);
    let remote = rest.split(':').next().unwrap_or_default();
    if remote.chars().any(char::is_uppercase) {
        return None;
    }
    let (named, digest) = match rest.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (rest.as_str(), None),
    };
    let (path, tag) = match named.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (named, None),
    };
    let path_len = path.len();
    let ok = is_domain(&domain)
        && path.split('/').all(is_path_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
        && path_len <= 255;
    if !ok {
        return None;
    }
    Some(match (tag, digest) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(_)) => String::new(),
        (None, None) => "latest".to_owned(),
    })
}

fn split_domain(image: &str) -> (String, String) {
    const HUB: &str = "docker.io";
    let split = image.split_once('/').filter(|(first, _)| {
        first.contains(['.', ':']) || *first == "localhost" || first.to_lowercase() != *first
    });
    let (mut domain, mut rest) = match split {
        Some((domain, rest)) => (domain.to_owned(), rest.to_owned()),
        None => (HUB.to_owned(), image.to_owned()),
    };
    if domain == "index.docker.io" {
        domain = HUB.to_owned();
    }
    if domain == HUB && !rest.contains('/') {
        rest.insert_str(0, "library/");
    }
    (domain, rest)
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = if domain.starts_with('[') {
        match domain.split_once(']') {
            Some((inner, rest)) => {
                let inner = &inner[1..];
                if inner.is_empty() || !inner.bytes().all(|c| c.is_ascii_hexdigit() || c == b':') {
                    return false;
                }
                return match rest.strip_prefix(':') {
                    Some(port) => is_port(port),
                    None => rest.is_empty(),
                };
            }
            None => return false,
        }
    } else {
        match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        }
    };
    let label = |label: &str| {
        label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(is_port)
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit())
}

/// Runs of lower-case letters and digits, with one `.`, one or two `_`, or any number of `-`
/// between them.
fn is_path_component(part: &str) -> bool {
    let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = part.as_bytes();
    if !bytes.first().is_some_and(|c| word(*c)) || !bytes.last().is_some_and(|c| word(*c)) {
        return false;
    }
    bytes.split(|c| word(*c)).all(|between| {
        matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|c| *c == b'-')
    })
}

fn is_tag(tag: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= 128
        && bytes.next().is_some_and(word)
        && bytes.all(|c| word(c) || c == b'.' || c == b'-')
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_images() {
        #[track_caller]
        fn check(image: &str, expect: Option<&str>) {
            assert_eq!(tag(image).as_deref(), expect, "{image}");
        }
        check("nginx", Some("latest"));
        check("nginx:latest", Some("latest"));
        check("nginx:1.29", Some("1.29"));
        check("registry.k8s.io/pause:3.10", Some("3.10"));
        check("localhost:5000/a/b", Some("latest"));
        check("[::1]:5000/a:x", Some("x"));
        check(&format!("a@sha256:{}", "0".repeat(64)), Some(""));
        check(&format!("a:b@sha256:{}", "0".repeat(64)), Some("b"));
        check("a@sha256:00", None);
        check("", None);
        check("Upper", None);
        check("a b", None);
        check("a___b", None);
        check("a--b.c", Some("latest"));
        check("a:", None);
        check(&"a".repeat(64), None);
    }
}
