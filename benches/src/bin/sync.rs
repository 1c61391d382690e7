//! `sync`: what an informer costs until it has every Pod, and then per change.
//!
//! `sync --kubeconfig FILE --mode json|protobuf --list list|watchlist`; `pintle_benches::child`
//! has the rest. Ordinary code of a user: default allocator, default runtime.
use http::header::{ACCEPT, HeaderValue};
use pintle_api::core_v1::Pod;
use pintle_benches::child::{Arguments, Meter};
use pintle_client::{Body, BoxError, Client, Config, LoadOptions, Transport};
use pintle_informer::{HandlerFuncs, InformerOptions, SharedInformer};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tower_service::Service;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::of_process()?;
    let config = Config::load(&LoadOptions::file(&arguments.kubeconfig))?;
    let client = match arguments.mode.as_str() {
        "json" => Client::with_service(&config, OnlyJson(Transport::new(&config)?))?,
        _ => Client::new(&config)?,
    };
    let options = InformerOptions::new().watch_list(arguments.list != "list");
    let pods = SharedInformer::with_options(client.all::<Pod>().lister_watcher(), options);
    let meter = Arc::new(OnceLock::<Meter>::new());
    let counted = meter.clone();
    let handler = pods.add_handler(HandlerFuncs::<Pod>::new().on_update(move |_, _| {
        if let Some(meter) = counted.get() {
            meter.count();
        }
    }))?;
    pods.start();
    handler.synced().await?;
    let objects = pods.lister().len();
    meter.get_or_init(|| Meter::synced(arguments.began, objects));
    std::future::pending().await
}

/// Asks for JSON where the client would ask for protobuf.
#[derive(Clone)]
struct OnlyJson(Transport);

impl Service<http::Request<Body>> for OnlyJson {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = <Transport as Service<http::Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.0.call(request)
    }
}
