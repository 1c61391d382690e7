//! Runs the steps of a family on one server and keeps what it answered, as it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use pintle_apimachinery::{Format, Scheme};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::script::{Action, End, Family, Form, Step, Until};
use crate::stream::{Lines, events_of, is_bookmark};
use crate::target::{Body, Target};

/// Headers that are compared. Others are of the transport, or say what is random.
const HEADERS: [&str; 13] = [
    "allow",
    "audit-id",
    "cache-control",
    "content-encoding",
    "content-type",
    "etag",
    "location",
    "retry-after",
    "vary",
    "warning",
    "www-authenticate",
    "x-content-type-options",
    "last-modified",
];

/// How long an event or a condition is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts of a request that waits for something.
const PAUSE: Duration = Duration::from_millis(100);

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) step: Step,
    /// Method and target, as sent.
    pub(crate) request: String,
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    /// `null` for none, a string for text, an array of events for a watch.
    pub(crate) body: Value,
}

/// Runs one family.
///
/// # Errors
/// A request got no answer at all, a variable is not known, or what was waited for did not come.
pub(crate) async fn run(family: &Family, target: &Target) -> Result<Vec<Raw>, String> {
    let mut run = Run {
        target,
        scheme: Arc::new(scheme()),
        variables: BTreeMap::from([("ns".to_owned(), family.namespace.clone())]),
        watches: BTreeMap::new(),
    };
    if !family.namespace.is_empty() {
        run.namespace(&family.namespace).await?;
    }
    let mut answers = Vec::new();
    for step in &family.steps {
        let answer = run.step(step).await.map_err(|e| format!("{}: {e}", step.name))?;
        answers.extend(answer);
    }
    match run.watches.keys().next() {
        None => Ok(answers),
        Some(name) => Err(format!("the watch {name} is not closed")),
    }
}

fn scheme() -> Scheme {
    let mut scheme = Scheme::new();
    scheme.register_meta();
    pintle_api::add_to_scheme(&mut scheme);
    scheme
}

struct Run<'a> {
    target: &'a Target,
    scheme: Arc<Scheme>,
    variables: BTreeMap<String, String>,
    watches: BTreeMap<String, mpsc::UnboundedReceiver<Value>>,
}

impl Run<'_> {
    async fn namespace(&self, name: &str) -> Result<(), String> {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let request = Request::post("/api/v1/namespaces")
            .header("authorization", "Bearer differential-admin")
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|e| e.to_string())?;
        let response = self.target.send(request).await?;
        match response.status().as_u16() {
            201 => Ok(()),
            code => Err(format!("cannot create the namespace {name}: {code}")),
        }
    }

    async fn step(&mut self, step: &Step) -> Result<Option<Raw>, String> {
        match &step.action {
            Action::Compact => self.target.compact().await.map(|()| None),
            Action::Request { method, target } => {
                let raw = self.request(step, method, target).await?;
                for (name, path) in &step.saves {
                    let value = match path.strip_prefix("header:") {
                        Some(name) => raw.headers.get(&name.to_lowercase()).cloned(),
                        None => at(&raw.body, path).map(plain),
                    };
                    let value = value.unwrap_or_else(|| format!("no-{name}"));
                    self.variables.insert(name.clone(), value);
                }
                Ok(Some(raw))
            }
            Action::Watch { watch, target } => {
                let target = self.fill(target)?;
                let response = self.target.send(self.build(step, "GET", &target)?).await?;
                let (status, headers) = head(&response);
                let body = if status == 200 {
                    let (sender, receiver) = mpsc::unbounded_channel();
                    let lines = Lines::new(Arc::clone(&self.scheme), &headers);
                    tokio::spawn(read_events(response, lines, step.bookmarks, sender));
                    self.watches.insert(watch.clone(), receiver);
                    Value::Null
                } else {
                    let bytes = collect(response).await?;
                    self.watches.insert(watch.clone(), mpsc::unbounded_channel().1);
                    self.decode(&bytes, &headers)
                };
                let request = format!("GET {target}");
                Ok(Some(Raw { step: step.clone(), request, status, headers, body }))
            }
            Action::Close { watch, end } => {
                let events = self.watches.remove(watch).ok_or("no such watch")?;
                let end = match end {
                    End::Name(name) => End::Name(self.fill(name)?),
                    other => other.clone(),
                };
                let body = Value::Array(events_until(events, &end).await);
                Ok(Some(Raw {
                    step: step.clone(),
                    request: format!("events of {watch}"),
                    status: 0,
                    headers: BTreeMap::new(),
                    body,
                }))
            }
        }
    }

    async fn request(&self, step: &Step, method: &str, target: &str) -> Result<Raw, String> {
        let target = self.fill(target)?;
        let started = tokio::time::Instant::now();
        loop {
            let response = self.target.send(self.build(step, method, &target)?).await?;
            let (status, headers) = head(&response);
            let bytes = collect(response).await?;
            let mut body = self.decode(&bytes, &headers);
            if let Value::Array(events) = &mut body
                && !step.bookmarks
            {
                events.retain(|event| !is_bookmark(event));
            }
            let there = match &step.until {
                None => true,
                Some(Until::Status(wanted)) => status == *wanted,
                Some(Until::Value(path, wanted)) => {
                    at(&body, path).map(plain).unwrap_or_default() == *wanted
                }
            };
            if there || started.elapsed() > PATIENCE {
                let request = format!("{method} {target}");
                return Ok(Raw { step: step.clone(), request, status, headers, body });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn build(&self, step: &Step, method: &str, target: &str) -> Result<Request<Bytes>, String> {
        let text = self.fill(&step.body)?;
        let (body, content_type) = match step.form {
            _ if text.is_empty() => (Bytes::new(), "application/json"),
            Form::Raw => (Bytes::from(text), "application/json"),
            form => {
                let value: Value =
                    serde_yaml::from_str(&text).map_err(|e| format!("the body: {e}"))?;
                let json = value.to_string();
                if form == Form::Json {
                    (json.into(), "application/json")
                } else {
                    let object = self.scheme.decode(json.as_bytes(), Format::Json);
                    let object = object.map_err(|e| e.to_string())?;
                    let mut out = Vec::new();
                    object.encode_any(Format::Protobuf, &mut out).map_err(|e| e.to_string())?;
                    (out.into(), "application/vnd.kubernetes.protobuf")
                }
            }
        };
        let given = |name: &str| step.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in [
            ("authorization", "Bearer differential-admin"),
            ("user-agent", "differential"),
            ("accept", "application/json"),
            ("content-type", content_type),
        ] {
            if !given(name) {
                request = request.header(name, value);
            }
        }
        for (name, value) in &step.headers {
            // `-` leaves the header out.
            if value != "-" {
                request = request.header(name, self.fill(value)?);
            }
        }
        request.body(body).map_err(|e| format!("{method} {target}: {e}"))
    }

    /// Puts variables in: `<name>`, and `<name+7>` of a number.
    fn fill(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            out.push_str(before);
            rest = after;
            let Some((name, tail)) = after.split_once('>').filter(|(name, _)| is_variable(name))
            else {
                out.push('<');
                continue;
            };
            rest = tail;
            let (name, offset) = match name.find(['+', '-']) {
                Some(at) => (&name[..at], name[at..].parse::<i64>().map_err(|e| e.to_string())?),
                None => (name, 0),
            };
            let value = self.variables.get(name).ok_or_else(|| format!("no variable {name}"))?;
            match value.parse::<i64>() {
                Ok(number) if offset != 0 => out.push_str(&(number + offset).to_string()),
                _ => out.push_str(value),
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The body as a value: JSON, decoded protobuf, the events of a stream, or text.
    fn decode(&self, bytes: &[u8], headers: &BTreeMap<String, String>) -> Value {
        if bytes.is_empty() {
            return Value::Null;
        }
        let content_type = headers.get("content-type").map_or("", String::as_str);
        if content_type.contains("stream=watch") {
            let mut lines = Lines::new(Arc::clone(&self.scheme), headers);
            return Value::Array(lines.feed(bytes));
        }
        if content_type.starts_with("application/vnd.kubernetes.protobuf") {
            return crate::stream::object(&self.scheme, bytes);
        }
        if let Ok(value) = serde_json::from_slice(bytes) {
            return value;
        }
        events_of(bytes)
            .unwrap_or_else(|| Value::String(String::from_utf8_lossy(bytes).into_owned()))
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-".contains(c))
}

fn head(response: &Response<Body>) -> (u16, BTreeMap<String, String>) {
    let mut headers = BTreeMap::new();
    for name in HEADERS {
        let values = response.headers().get_all(name).iter();
        let values: Vec<_> = values.map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        if !values.is_empty() {
            headers.insert(name.to_owned(), values.join("\n"));
        }
    }
    (response.status().as_u16(), headers)
}

async fn collect(response: Response<Body>) -> Result<Vec<u8>, String> {
    let body = timeout(PATIENCE, response.into_body().collect()).await;
    let body = body.map_err(|_| "the answer does not end".to_owned())?;
    body.map(|body| body.to_bytes().to_vec()).map_err(|e| e.to_string())
}

/// Hands on every event of a stream; bookmarks come when a server likes, and stay away unless they
/// are wanted.
async fn read_events(
    response: Response<Body>,
    mut lines: Lines,
    bookmarks: bool,
    events: mpsc::UnboundedSender<Value>,
) {
    let mut body = response.into_body();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = events.closed() => return,
        };
        let Some(Ok(frame)) = frame else { return };
        let Ok(data) = frame.into_data() else { continue };
        for event in lines.feed(&data) {
            if (bookmarks || !is_bookmark(&event)) && events.send(event).is_err() {
                return;
            }
        }
    }
}

async fn events_until(mut events: mpsc::UnboundedReceiver<Value>, end: &End) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        if matches!(end, End::Count(count) if seen.len() == *count) {
            return seen;
        }
        match timeout(PATIENCE, events.recv()).await {
            Ok(Some(event)) => {
                let name = event.pointer("/object/metadata/name").and_then(Value::as_str);
                // A table has its object in its row.
                let row = "/object/rows/0/object/metadata/name";
                let name = name.or_else(|| event.pointer(row).and_then(Value::as_str));
                let last = matches!(end, End::Name(wanted) if name == Some(wanted));
                seen.push(event);
                if last {
                    return seen;
                }
            }
            Ok(None) => {
                seen.push("the stream ended".into());
                return seen;
            }
            Err(_) => {
                seen.push("nothing came".into());
                return seen;
            }
        }
    }
}

/// The value at a dotted path with indexes, such as `items[0].metadata.name`.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = value;
    let path = path.replace('[', ".[");
    for part in path.split('.').filter(|part| !part.is_empty()) {
        value = match part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
            Some(index) => value.get(index.parse::<usize>().ok()?)?,
            None => value.get(part)?,
        };
    }
    Some(value)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
