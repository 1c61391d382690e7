//! What `pintle::testing` gives to tests.
use pintle::api::core_v1::ConfigMap;
use pintle::apiserver::User;
use pintle::testing::{ApiServerExt, eventually, install};
use pintle::{ApiServer, CustomResource, Error, ListOptions, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(group = "example.com", version = "v1", kind = "Foo", namespaced)]
struct FooSpec {
    size: i32,
}

#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(group = "example.com", version = "v1", kind = "Food", short_name = "foos", namespaced)]
struct FoodSpec {
    size: i32,
}

#[tokio::test]
async fn kinds_are_served_from_the_start() -> Result<(), Error> {
    let server = ApiServer::builder().with_crd::<Foo>().start().await?;
    let foos = server.clientset().of::<Foo>("default");
    foos.create(&Foo::new("one", FooSpec { size: 1 })).await?;
    assert_eq!(
        server.client().all::<Foo>().list(&ListOptions::new()).await?.items[0].name(),
        "one"
    );
    Ok(())
}

#[tokio::test]
async fn kinds_that_cannot_be_served_are_errors() {
    let twice = ApiServer::builder().with_crd::<Foo>().with_crd::<Foo>().start().await;
    let error = twice.expect_err("the second one exists");
    assert!(error.is_already_exists(), "{error}");
    assert!(error.to_string().starts_with("kind Foo: "), "{error}");
    let taken = ApiServer::builder().with_crd::<Foo>().with_crd::<Food>().start().await;
    let error = taken.expect_err("the short name is the other's plural").to_string();
    assert!(
        error.starts_with("kind Food: not served: another definition has its names"),
        "{error}"
    );
}

#[tokio::test]
async fn kinds_are_installed_while_the_server_runs() -> Result<(), Error> {
    let server = ApiServer::builder().start().await?;
    let client = server.client();
    let foos = client.in_default_namespace::<Foo>();
    assert!(foos.get("one").await.is_err_and(|e| e.is_not_found()));
    install::<Foo>(&client).await?;
    install::<Foo>(&client).await?; // is there already
    foos.create(&Foo::new("one", FooSpec::default())).await?;
    Ok(())
}

#[tokio::test]
async fn clients_of_any_user() -> Result<(), Error> {
    let server = ApiServer::builder().start().await?;
    for (user, name) in
        [(Some(User::new("jane", ["developers"])), "jane"), (None, "system:anonymous")]
    {
        let maps = server.client_as(user).namespaced::<ConfigMap>("team-a");
        let error = maps.list(&ListOptions::new()).await.expect_err("nobody has allowed it");
        assert!(error.is_forbidden(), "{error}");
        let text = format!(
            "configmaps is forbidden: User \"{name}\" cannot list resource \"configmaps\" in API \
             group \"\" in the namespace \"team-a\""
        );
        assert!(error.to_string().contains(&text), "{error}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn looks_until_it_is_there_and_right() -> Result<(), Error> {
    let looks = AtomicUsize::new(0);
    let look = || async {
        match looks.fetch_add(1, Ordering::SeqCst) {
            0..3 => Err("nothing"),
            n => Ok(n),
        }
    };
    assert_eq!(eventually("three", look).await?, 3);
    assert_eq!(eventually("seven", look).is(|&n| n == 7).await?, 7);
    assert_eq!(looks.load(Ordering::SeqCst), 8, "no look after the last");

    eventually("ten looks", || async { looks.fetch_add(1, Ordering::SeqCst) > 9 }).await?;
    let some = || async { Some(looks.load(Ordering::SeqCst)) };
    assert_eq!(eventually("a number", some).await?, 11);
    let list = || async { vec![looks.fetch_add(1, Ordering::SeqCst)] };
    assert_eq!(eventually("twelve", list).is(|all| all.contains(&12)).await?, [12]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn tells_what_was_seen_last() {
    let start = tokio::time::Instant::now();
    let none = || async { None::<u8> };
    let error = eventually("a byte", none).await.expect_err("never");
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    assert!(error.is_timeout());
    let (text, line) = (error.to_string(), line!() - 3);
    assert!(text.starts_with("waited 30s in vain: a byte ("), "{text}");
    assert!(text.contains(&format!("testing.rs:{line}:")), "{text}");
    assert!(text.ends_with("); last saw: None"), "{text}");

    let last = async |what| {
        let what: Result<String, Error> = what;
        let what = what.map_err(|e| e.to_string());
        let waited = eventually("it", || std::future::ready(what.clone())).is(|_| false);
        let text = waited.within(Duration::from_millis(1)).await.expect_err("never").to_string();
        text.split_once("last saw: ").expect("said").1.to_owned()
    };
    assert_eq!(last(Ok("seen".into())).await, "\"seen\"");
    assert_eq!(last(Err(Error::transport("no route"))).await, "no route");
    let long = last(Ok("é".repeat(10_000))).await;
    assert!(long.ends_with("é ...") && long.len() < 4100, "{}", long.len());

    // A look that never answers is given up as well.
    let stuck = eventually("an answer", std::future::pending::<bool>);
    let text = stuck.await.expect_err("never").to_string();
    assert!(text.ends_with("last saw: nothing yet"), "{text}");
}
