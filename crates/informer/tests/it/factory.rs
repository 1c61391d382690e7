//! The factory, and informers as a controller's source.

use crate::support::{meta, next, settle};
use pintle_apimachinery::{
    AnyKind, Codec, Decoder, Error, Format, GroupVersionKind, Kind, ListOptions, Namespaced,
    Object, ObjectMeta, PartialObjectMetadata, Resource, Status, WatchEvent,
};
use pintle_client_traits::{
    FakeRequest, FakeSource, InformerScope, ListerWatcher, Source, SourceEvent, Sources,
};
use pintle_informer::{InformerFactory, InformerOptions};
use std::any::Any;
use std::sync::{Arc, Mutex};

/// A resource that needs no generated code.
#[derive(Clone, Debug, Default, PartialEq)]
struct Widget(PartialObjectMetadata);

impl Codec for Widget {
    const PROTOBUF: bool = false;
    fn decode(bytes: &[u8], format: Format, cx: &mut Decoder) -> Result<Self, Error> {
        PartialObjectMetadata::decode(bytes, format, cx).map(Widget)
    }
    fn encode(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        self.0.encode(format, out)
    }
}
impl AnyKind for Widget {
    fn gvk(&self) -> GroupVersionKind {
        Self::gvk_of()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
    fn encode_any(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode(format, out)
    }
}
impl Object for Widget {
    fn metadata(&self) -> &ObjectMeta {
        &self.0.metadata
    }
    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.0.metadata
    }
    fn clone_object(&self) -> Box<dyn Object> {
        Box::new(self.clone())
    }
}
impl Kind for Widget {
    const GROUP: &'static str = "example.com";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Widget";
}
impl Resource for Widget {
    const PLURAL: &'static str = "widgets";
    type Scope = Namespaced;
}

/// Notes what it is asked for.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Vec<Asked>>>);

type Asked = (InformerScope, FakeSource<Widget>);

impl Sources for Server {
    fn lister_watcher<T: Resource>(&self, scope: &InformerScope) -> Arc<dyn ListerWatcher<T>> {
        let source = FakeSource::<Widget>::new();
        self.0.lock().unwrap().push((scope.clone(), source.clone()));
        let source: Arc<dyn ListerWatcher<Widget>> = Arc::new(source);
        let source: Box<dyn Any> = Box::new(source);
        *source.downcast().expect("only widgets are asked for")
    }
}

impl Server {
    fn source(&self, at: usize) -> FakeSource<Widget> {
        self.0.lock().unwrap()[at].1.clone()
    }
}

fn widget(name: &str, version: u64) -> WatchEvent<Widget> {
    WatchEvent::Added(Widget(meta(name, version)))
}

fn complete(version: &str) -> WatchEvent<Widget> {
    WatchEvent::Bookmark(pintle_apimachinery::Bookmark {
        resource_version: version.into(),
        initial_events_end: true,
    })
}

#[tokio::test(start_paused = true)]
async fn a_factory_has_one_informer_for_each_kind_and_scope() {
    let server = Server::default();
    let informers = InformerFactory::new(server.clone());
    let all = informers.of::<Widget>();
    let again = informers.clone().of::<Widget>();
    let scope = InformerScope::namespace("ns").labels("app=web").fields("metadata.name=a");
    let some = informers.informer::<Widget>(scope.clone(), InformerOptions::new());
    let scopes: Vec<_> = server.0.lock().unwrap().iter().map(|(scope, _)| scope.clone()).collect();
    assert_eq!(scopes, [InformerScope::all(), scope.clone()]);
    let options = scope.apply(ListOptions::default());
    assert_eq!(options.label_selector, "app=web");
    assert_eq!(options.field_selector, "metadata.name=a");

    settle().await;
    assert!(server.source(0).requests().is_empty());
    informers.start();
    let watch = server.source(0).push_watch();
    watch.send(widget("a", 1));
    watch.send(complete("2"));
    all.synced().await.unwrap();
    assert_eq!(again.lister().len(), 1, "the same informer");
    let synced = tokio::spawn(informers.synced());
    settle().await;
    assert!(!synced.is_finished() && !some.is_synced(), "one of two");
    server.source(1).push_watch().send(complete("2"));
    synced.await.unwrap().unwrap();

    // Asked for later: runs at once.
    let late = informers.informer::<Widget>(InformerScope::namespace("b"), InformerOptions::new());
    server.source(2).push_watch().send(complete("2"));
    late.synced().await.unwrap();

    informers.shutdown().await;
    assert!(watch.is_abandoned() && all.is_stopped() && some.is_stopped());
    let after = informers.informer::<Widget>(InformerScope::namespace("c"), InformerOptions::new());
    assert!(after.is_stopped());
    assert!(informers.synced().await.unwrap_err().to_string().starts_with("widgets: "));
}

#[tokio::test(start_paused = true)]
async fn a_scoped_factory_scopes_what_it_gives() {
    let server = Server::default();
    let informers = InformerFactory::scoped(server.clone(), InformerScope::namespace("ns"));
    let _widgets = informers.of::<Widget>();
    assert_eq!(server.0.lock().unwrap()[0].0.namespace, "ns");
}

#[tokio::test(start_paused = true)]
async fn an_informer_is_a_controllers_source() {
    let server = Server::default();
    let informers = InformerFactory::new(server.clone());
    let widgets = informers.of::<Widget>();
    informers.start();
    let source: &dyn Source = &widgets;
    assert_eq!(source.kind().kind, "Widget");
    assert!(source.is_namespaced());
    let told = Arc::new(Mutex::new(Vec::new()));
    let write = told.clone();
    let subscription = source
        .subscribe(Box::new(move |event| {
            let what = match event {
                SourceEvent::Added { is_in_initial_list, .. } => {
                    format!("add {is_in_initial_list}")
                }
                SourceEvent::Updated { old, .. } => format!("update {}", old.resource_version()),
                SourceEvent::Deleted { final_state_unknown, .. } => {
                    format!("delete {final_state_unknown}")
                }
                _ => "?".to_owned(),
            };
            write.lock().unwrap().push(format!("{} {what}", event.key()));
        }))
        .unwrap();
    assert!(!subscription.is_synced());
    let watch = server.source(0).push_watch();
    watch.send(widget("a", 1));
    watch.send(complete("2"));
    subscription.synced().await;
    watch.send(WatchEvent::Modified(Widget(meta("a", 3))));
    watch.send(WatchEvent::Deleted(Widget(meta("a", 4))));
    watch.send(widget("b", 5));
    settle().await;
    watch.send(WatchEvent::Error(Status::failure(410, "Expired", "")));
    server.source(0).push_watch().send(complete("9"));
    for _ in 0..2 {
        let request = next(&server.source(0)).await;
        assert!(matches!(request, FakeRequest::Watch(_)));
    }
    settle().await;
    assert_eq!(
        *told.lock().unwrap(),
        [
            "ns/a add true",
            "ns/a update 1",
            "ns/a delete false",
            "ns/b add false",
            "ns/b delete true"
        ]
    );
    drop(subscription);
    widgets.shutdown().await;
    assert!(source.subscribe(Box::new(|_| ())).is_err());
}
