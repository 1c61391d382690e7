//! A client in a few lines: a request in, a status code and a tree out.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use pintle_apiserver::{ApiServer, Body, Builder, Service};
use serde_json::{Value, json};
use tower_service::Service as _;

/// A server and a client of it.
pub(crate) struct Client {
    pub(crate) server: ApiServer,
    pub(crate) service: Service,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Bytes,
    pub(crate) body: Value,
}

pub(crate) async fn start() -> Client {
    start_with(quiet()).await
}

/// A server whose namespaces have in them what the test puts there, and nothing else.
pub(crate) fn quiet() -> Builder {
    let controllers = "garbage-collector,namespace".parse().expect("controllers");
    ApiServer::builder().controllers(controllers)
}

pub(crate) async fn start_with(builder: Builder) -> Client {
    let server = builder.start().await.expect("the server starts");
    let service = server.service();
    Client { server, service }
}

impl Client {
    pub(crate) async fn open(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        let Ok(response) = self.service.clone().call(request).await;
        response
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { code: parts.status.as_u16(), headers: parts.headers, bytes, body }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(Full::from(body))
            .expect("a request");
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, Value::Null).await
    }

    pub(crate) async fn patch(&self, path: &str, kind: &str, body: Value) -> Answer {
        self.patch_text(path, kind, &body.to_string()).await
    }

    pub(crate) async fn patch_text(&self, path: &str, kind: &str, body: &str) -> Answer {
        let request = Request::patch(path)
            .header("content-type", format!("application/{kind}"))
            .body(Full::from(body.to_owned()))
            .expect("a request");
        self.send(request).await
    }

    /// Opens a watch.
    pub(crate) async fn watch(&self, path: &str) -> Watch {
        let request = Request::get(path).body(Full::default()).expect("a request");
        let response = self.open(request).await;
        assert_eq!(response.status(), 200);
        Watch { body: response.into_body(), rest: Vec::new() }
    }

    /// Creates ConfigMaps with a label in a namespace.
    pub(crate) async fn config_maps(&self, namespace: &str, names: &[&str]) {
        for name in names {
            let body = json!({"metadata": {"name": name, "labels": {"app": name}}});
            let path = format!("/api/v1/namespaces/{namespace}/configmaps");
            self.post(&path, body).await.expect(201);
        }
    }
}

impl Answer {
    /// The body, if the code is right.
    #[track_caller]
    pub(crate) fn expect(self, code: u16) -> Value {
        assert_eq!(self.code, code, "{}", String::from_utf8_lossy(&self.bytes));
        self.body
    }

    /// Checks the code and text of a failure, and that code and reason are in the body.
    #[track_caller]
    pub(crate) fn fails(self, code: u16, reason: &str, message: &str) -> Value {
        let body = self.expect(code);
        assert_eq!(body["message"], message);
        assert_eq!(body["reason"].as_str().unwrap_or_default(), reason);
        assert_eq!(body["code"], code);
        assert_eq!(body["status"], "Failure");
        assert_eq!(body["kind"], "Status");
        body
    }
}

/// A watch being read.
pub(crate) struct Watch {
    body: Body,
    rest: Vec<u8>,
}

/// Long enough that only a hang takes as long.
const HANG: Duration = Duration::from_secs(20);

impl Watch {
    /// The next event, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("an event"));
            }
            let frame = tokio::time::timeout(HANG, self.body.frame()).await.expect("no hang")?;
            let data = frame.expect("a frame").into_data().expect("data");
            self.rest.extend_from_slice(&data);
        }
    }

    /// The next event as `TYPE name`.
    pub(crate) async fn event(&mut self) -> String {
        let event = self.next().await.expect("an event");
        let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
        format!("{} {name}", event["type"].as_str().unwrap_or_default())
    }
}

/// Reads until a condition holds; the server's controllers work in the background.
pub(crate) async fn eventually(mut check: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(HANG, reached).await.expect("the condition comes to hold");
}
