//! Pages, watches, and the seam that informers use.

use crate::fake::{Fake, Reply};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{
    Codec, Format, ListOptions, Object, ObjectKey, ObjectList, Status, WatchEvent, put_watch_frame,
};
use pintle_client::Client;
use pintle_client_traits::{ListerWatcher, ObjectClient};
use serde_json::{Value, json};

fn page(names: &[&str], next: &str) -> Value {
    let items: Vec<Value> = names.iter().map(|n| json!({"metadata": {"name": n}})).collect();
    json!({"kind": "PodList", "apiVersion": "v1",
           "metadata": {"resourceVersion": "9", "continue": next, "remainingItemCount": 1},
           "items": items})
}

fn names(list: &ObjectList<Pod>) -> Vec<&str> {
    list.iter().map(Object::name).collect()
}

#[tokio::test]
async fn pages_follow_each_other() {
    let fake = Fake::new(|seen| {
        Ok(Reply::json(match &*seen.query {
            "limit=2&resourceVersion=5&resourceVersionMatch=Exact" => page(&["a", "b"], "t1"),
            "continue=t1&limit=2" => page(&["c", "d"], "t2"),
            "continue=t2&limit=2" => page(&["e"], ""),
            other => panic!("{other}"),
        }))
    });
    let pods = fake.client().all::<Pod>();
    let options =
        ListOptions::default().limit(2).resource_version("5").resource_version_match("Exact");
    let pages: Vec<_> = pods.pages(&options).try_collect().await.unwrap();
    assert_eq!(pages.iter().flat_map(names).collect::<String>(), "abcde");
    let all = pods.list_all(&options).await.unwrap();
    assert_eq!(names(&all).concat(), "abcde");
    assert_eq!((all.resource_version(), all.continue_token()), ("9", ""));
    assert_eq!(all.metadata.remaining_item_count, None);
}

#[tokio::test]
async fn expired_pages_end_a_stream_and_restart_a_list() {
    let fake = Fake::new(|seen| {
        Ok(match &*seen.query {
            "labelSelector=x&limit=500" => Reply::json(page(&["a"], "t")),
            "labelSelector=x&continue=t&limit=500" | "continue=t&labelSelector=x&limit=500" => {
                Reply::status(410, "Expired", "too old")
            }
            "labelSelector=x" => Reply::json(page(&["b", "c"], "")),
            other => panic!("{other}"),
        })
    });
    let pods = fake.client().all::<Pod>();
    let options = ListOptions::labels("x");
    assert_eq!(names(&pods.list_all(&options).await.unwrap()), ["b", "c"]);
    let mut pages = Box::pin(pods.pages(&options));
    assert_eq!(names(&pages.next().await.unwrap().unwrap()), ["a"]);
    assert!(pages.next().await.unwrap().unwrap_err().is_expired());
    assert!(pages.next().await.is_none());

    // An expired first page has nothing to do with paging.
    let fake = Fake::always(|| Reply::status(410, "Expired", "too old"));
    let error = fake.client().all::<Pod>().list_all(&ListOptions::default()).await.unwrap_err();
    assert!(error.is_expired());
    assert_eq!(fake.seen().len(), 1);
}

/// The events `ADDED a`, `MODIFIED a`, `BOOKMARK`, `DELETED a`, `ERROR` as a server writes them.
fn events(format: Format) -> Vec<u8> {
    let mut pod = Pod::default();
    pod.metadata.name = "a".into();
    pod.metadata.resource_version = "7".into();
    let mut out = Vec::new();
    let mut put = |name: &str, object: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        object(&mut bytes);
        put_watch_frame(name, &bytes, format, &mut out);
    };
    let object = |out: &mut Vec<u8>| pod.encode(format, out).unwrap();
    for name in ["ADDED", "MODIFIED", "BOOKMARK", "DELETED"] {
        put(name, &object);
    }
    put("ERROR", &|out| {
        Status::failure(410, "Expired", "too old").encode(format, out).unwrap();
    });
    out
}

fn watch_type(format: Format) -> String {
    match format {
        Format::Protobuf => format!("{};stream=watch", format.content_type()),
        _ => format.content_type().to_owned(),
    }
}

async fn watch_names(client: &Client) -> Vec<String> {
    let watch = client.all::<Pod>().watch(&ListOptions::default()).await.unwrap();
    watch
        .map(|event| match event {
            Ok(WatchEvent::Bookmark(b)) => format!("BOOKMARK {}", b.resource_version),
            Ok(WatchEvent::Error(s)) => format!("ERROR {}", s.code),
            Ok(event) => format!("{} {}", event.type_name(), event.object().unwrap().name()),
            Err(e) => format!("failed: {e}"),
        })
        .collect()
        .await
}

#[tokio::test]
async fn a_watch_is_decoded_however_it_is_cut() {
    let expect = ["ADDED a", "MODIFIED a", "BOOKMARK 7", "DELETED a", "ERROR 410"];
    for format in [Format::Json, Format::Protobuf] {
        let body = events(format);
        for size in [1, 3, 50, body.len()] {
            let body = body.clone();
            let fake =
                Fake::always(move || Reply::new(200, &watch_type(format), body.clone()).cut(size));
            assert_eq!(watch_names(&fake.client()).await, expect, "{format:?} by {size}");
            assert_eq!(fake.last().line(), "GET /api/v1/pods?watch=true");
        }
    }
}

#[tokio::test]
async fn a_watch_that_breaks_says_so_once() {
    for format in [Format::Json, Format::Protobuf] {
        let whole = events(format);
        let body = whole[..whole.len() - 1 - usize::from(format == Format::Json)].to_vec();
        let reply = body.clone();
        let fake = Fake::always(move || Reply::new(200, &watch_type(format), reply.clone()));
        let seen = watch_names(&fake.client()).await;
        assert_eq!(seen.len(), 5, "{seen:?}");
        assert_eq!(seen[4], "failed: the answer ended within a watch event (GET /api/v1/pods)");
        let fake =
            Fake::always(move || Reply::new(200, &watch_type(format), body.clone()).broken());
        let seen = watch_names(&fake.client()).await;
        assert!(seen[4].contains("the connection was lost within the answer: reset by peer"));
        assert_eq!(seen.len(), 5, "{seen:?}");
    }
}

#[tokio::test]
async fn one_bad_object_does_not_end_a_watch_but_a_bad_stream_does() {
    let good = json!({"type": "ADDED", "object": {"metadata": {"name": "a"}}}).to_string();
    let bad = json!({"type": "ADDED", "object": {"metadata": {"name": 7}}}).to_string();
    let body = format!("{good}\n{bad}\n{bad}\n{good}\nnonsense{good}");
    let fake = Fake::always(move || Reply::new(200, "application/json", body.clone()));
    let seen = watch_names(&fake.client()).await;
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert!(seen[1].starts_with("failed: ADDED event: ") && seen[2] == seen[1], "{seen:?}");
    assert_eq!(seen[3], "ADDED a");
    assert!(seen[4].contains("watch stream: unexpected 'n'"), "{seen:?}");
}

#[tokio::test]
async fn an_open_watch_delivers_what_is_there() {
    let event = json!({"type": "ADDED", "object": {"metadata": {"name": "a"}}}).to_string();
    let fake = Fake::always(move || Reply::new(200, "application/json", event.clone()).hanging());
    let client = fake.client().with_timeout(Some(std::time::Duration::from_secs(5)));
    let mut watch = client.all::<Pod>().watch(&ListOptions::default()).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().object().unwrap().name(), "a");
    assert!(watch.next().now_or_never().is_none());
    assert!(!fake.last().query.contains("timeout"), "a watch has no limit of time");
}

#[tokio::test]
async fn a_watch_that_is_refused() {
    let fake = Fake::always(|| Reply::status(403, "Forbidden", "no"));
    let error = fake.client().all::<Pod>().watch(&ListOptions::default()).await.unwrap_err();
    assert!(error.is_forbidden());
}

#[tokio::test]
async fn the_seam_for_informers_and_controllers() {
    let fake = Fake::new(|seen| {
        Ok(if seen.query.contains("watch=true") {
            Reply::new(200, "application/json", events(Format::Json))
        } else if seen.path.ends_with("/pods") {
            Reply::json(page(&["a"], ""))
        } else {
            Reply::json(json!({"metadata": {"name": "x", "namespace": "team-a"}}))
        })
    });
    let api = fake.client().all::<Pod>();
    let source: Box<dyn ListerWatcher<Pod>> =
        Box::new(api.in_namespace("team-a").lister_watcher().labels("a=b").fields("c=d"));
    assert_eq!(names(&source.list(ListOptions::default().limit(5)).await.unwrap()), ["a"]);
    assert_eq!(
        fake.last().line(),
        "GET /api/v1/namespaces/team-a/pods?fieldSelector=c%3Dd&labelSelector=a%3Db&limit=5"
    );
    let watch = source.watch(ListOptions::default().resource_version("9")).await.unwrap();
    assert_eq!(watch.collect::<Vec<_>>().await.len(), 5);
    assert_eq!(
        fake.last().line(),
        "GET /api/v1/namespaces/team-a/pods?fieldSelector=c%3Dd&labelSelector=a%3Db\
         &resourceVersion=9&watch=true"
    );

    let objects: &dyn ObjectClient<Pod> = &api;
    let key = ObjectKey::new("team-a", "x");
    let pod = objects.get(&key, Default::default()).await.unwrap();
    assert_eq!(fake.last().line(), "GET /api/v1/namespaces/team-a/pods/x");
    objects.update(&pod, Default::default()).await.unwrap();
    assert_eq!(fake.last().line(), "PUT /api/v1/namespaces/team-a/pods/x?fieldManager=pintle");
    objects.replace_status(&pod, Default::default()).await.unwrap();
    assert!(fake.last().path.ends_with("/pods/x/status"));
    objects.delete(&key, Default::default()).await.unwrap();
    assert_eq!(fake.last().method, "DELETE");
    objects.list("team-b", Default::default()).await.unwrap();
    assert_eq!(fake.last().line(), "GET /api/v1/namespaces/team-b/pods");
}
