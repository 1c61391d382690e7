//! Errors, retries, time limits, warnings, giving up.

use crate::fake::{Fake, Reply};
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{ListOptions, Object};
use pintle_client::{Patch, Request};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

fn named(name: &str) -> Pod {
    let mut pod = Pod::default();
    pod.metadata.name = name.into();
    pod
}

fn busy() -> Reply {
    Reply::status(429, "TooManyRequests", "later").header("retry-after", "3")
}

#[tokio::test]
async fn errors_say_what_and_where() {
    let message = "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \
                   \"\" in the namespace \"team-a\"";
    let fake = Fake::always(move || Reply::status(403, "Forbidden", message));
    let pods = fake.client().namespaced::<Pod>("team-a");
    let error = pods.list(&ListOptions::labels("secret=1")).await.unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(error.to_string(), format!("{message} (403; GET /api/v1/namespaces/team-a/pods)"));
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_asked_again_when_it_says() {
    let ok = || Reply::json(json!({"metadata": {"name": "x"}}));
    let start = Instant::now();
    let fake = Fake::script(vec![busy(), busy(), ok()]);
    fake.client().namespaced::<Pod>("a").get("x").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 6);

    let fake = Fake::script(vec![busy(), ok()]);
    fake.client().namespaced::<Pod>("a").create(&named("x")).await.unwrap();
    assert_eq!(fake.seen().len(), 2);
    assert_eq!(fake.seen()[0].body, fake.seen()[1].body);

    let fake = Fake::always(busy);
    let error = fake.client().namespaced::<Pod>("a").get("x").await.unwrap_err();
    assert!(error.is_too_many_requests());
    assert_eq!(fake.seen().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_done_twice_is_not() {
    let fake = Fake::always(busy);
    let pods = fake.client().namespaced::<Pod>("a");
    let mut generated = named("");
    generated.metadata.generate_name = "x-".into();
    assert!(pods.create(&generated).await.is_err());
    assert_eq!(fake.seen().len(), 1);
    let append = Patch::json([json!({"op": "add", "path": "/a/-", "value": 1})]);
    assert!(pods.patch("x", &append).await.is_err());
    assert_eq!(fake.seen().len(), 2);
    let evicted: Result<Pod, _> = pods.create_subresource("x", "eviction", &named("x")).await;
    assert!(evicted.unwrap_err().is_too_many_requests());
    assert_eq!(fake.seen().len(), 3);
    // A service of another's that fails says nothing of what it has done.
    let fake = Fake::new(|_| Err("broken".into()));
    let error = fake.client().namespaced::<Pod>("a").get("x").await.unwrap_err();
    assert!(error.is_transport());
    assert_eq!(error.to_string(), "the request failed: broken (GET /api/v1/namespaces/a/pods/x)");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn time_limits() {
    let limit = Duration::from_secs(7);
    let slow = || Reply::new(200, "application/json", "{").hanging();
    let fake = Fake::always(slow);
    let client = fake.client().with_timeout(Some(limit));
    let start = Instant::now();
    let error = client.namespaced::<Pod>("a").get("x").await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.to_string(), "no complete answer within 7s (GET /api/v1/namespaces/a/pods/x)");
    assert_eq!(start.elapsed(), limit);
    assert_eq!(fake.last().query, "timeout=7s");
    // Waiting for a busy server counts.
    let fake = Fake::always(busy);
    let client = fake.client().with_timeout(Some(limit));
    assert!(client.namespaced::<Pod>("a").get("x").await.unwrap_err().is_timeout());
    assert_eq!(fake.seen().len(), 3);
    // One request may have a limit of its own.
    let request = Request::get("/x").timeout(Duration::from_millis(1500));
    let fake = Fake::always(slow);
    let response = fake.client().request(request).await.unwrap();
    assert!(response.text().await.unwrap_err().is_timeout());
    assert_eq!(fake.last().query, "timeout=1500ms");
}

#[tokio::test]
async fn warnings_reach_the_handler() {
    let fake = Fake::always(|| {
        Reply::json(json!({"metadata": {"name": "x"}}))
            .header("warning", "299 - \"unknown field \\\"spec.x\\\"\"")
            .header("warning", "299 - \"deprecated\", 199 - \"not ours\"")
    });
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = heard.clone();
    let client =
        fake.client().with_warnings(move |text: &str| log.lock().unwrap().push(text.to_owned()));
    client.namespaced::<Pod>("a").get("x").await.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["unknown field \"spec.x\"", "deprecated"]);
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_awaited() {
    let fake = Fake::always(|| Reply::json(json!({"metadata": {"name": "x"}})));
    let pods = fake.client().namespaced::<Pod>("a");
    drop(pods.get("x"));
    assert!(fake.seen().is_empty());
    // A call is a future like any other, and can be spawned with what it borrows.
    let found = tokio::spawn(async move { pods.get("x").await.unwrap() }).await.unwrap();
    assert_eq!(found.name(), "x");
}

#[tokio::test]
async fn raw_requests() {
    let fake = Fake::always(|| Reply::new(200, "text/plain", "ok"));
    let client = fake.client();
    let request = Request::get("/readyz").query("exclude", "a b&c");
    assert_eq!(client.request(request).await.unwrap().text().await.unwrap(), "ok");
    assert_eq!(fake.last().line(), "GET /readyz?exclude=a+b%26c");
    let error = client.request(Request::get("readyz")).await.unwrap_err();
    assert!(error.is_invalid_argument(), "{error}");
    let error = client.request(Request::get("/a b")).await.unwrap_err();
    assert!(error.is_invalid_argument(), "{error}");
}

/// What crosses threads must be able to.
#[test]
fn is_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<pintle_client::Client>();
    check::<pintle_client::Api<Pod>>();
    check::<pintle_client::ApiListerWatcher<Pod>>();
    fn check_send<T: Send + 'static>() {}
    check_send::<pintle_client::Watch<Pod>>();
    check_send::<pintle_client::Response>();
}
