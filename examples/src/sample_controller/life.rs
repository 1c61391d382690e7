//! The short scripted life of two Foos, told step by step.
use super::foo::{Foo, FooSpec};
use pintle::api::apps_v1::{Deployment, DeploymentSpec};
use pintle::api::core_v1::{Container, Event, PodSpec, PodTemplateSpec};
use pintle::testing::eventually;
use pintle::{Client, Error, LabelSelector, ListOptions, Map, ObjectMeta, Str};
use std::time::Duration;

/// Lives the life in namespace `ns` and tells it to `say`. A controller and a stand-in that
/// reports replicas available must be running.
///
/// # Errors
/// A step does not come about in its time, or the server refuses a request.
pub async fn live(client: &Client, ns: &str, say: impl Fn(&str)) -> Result<(), Error> {
    let foos = client.namespaced::<Foo>(ns);
    let deployments = client.namespaced::<Deployment>(ns);

    say("1. Somebody creates Foo \"one\" with 1 replica.");
    let spec = FooSpec { deployment_name: "web".into(), replicas: 1 };
    foos.create(&Foo::new("one", spec)).await?;
    eventually("the controller creates Deployment \"web\"", || deployments.get("web")).await?;
    say("   The controller created Deployment \"web\", owned by the Foo.");
    eventually("the Foo's status says 1 available", || foos.get("one"))
        .is(|foo| foo.status.available_replicas == 1)
        .await?;
    say("   Its replica became available, and the Foo's status says so.");

    say("2. Somebody scales the Foo to 3.");
    foos.modify("one", |foo| foo.spec.replicas = 3).await?;
    let has_3 = |d: &Deployment| d.spec.replicas == Some(3);
    eventually("the Deployment follows", || deployments.get("web")).is(has_3).await?;
    eventually("the Foo's status follows", || foos.get("one"))
        .is(|foo| foo.status.available_replicas == 3)
        .await?;
    say("   The Deployment followed, and 3 replicas are available.");

    say("3. Somebody edits the Deployment by hand: 9 replicas.");
    deployments.modify("web", |d| d.spec.replicas = Some(9)).await?;
    eventually("the Deployment is put right", || deployments.get("web")).is(has_3).await?;
    say("   The controller put it right: 3 again.");

    say("4. Foo \"two\" names Deployment \"taken\", which somebody else made.");
    let taken = deployments.create(&not_owned("taken")).await?;
    let spec = FooSpec { deployment_name: "taken".into(), replicas: 5 };
    foos.create(&Foo::new("two", spec)).await?;
    let warning = warning_about(client, ns, "two").await?;
    say(&format!("   A warning event says: \"{warning}\"."));
    let now = deployments.get("taken").await?;
    if now.spec != taken.spec || !now.metadata.owner_references.is_empty() {
        return Err(Error::other("Deployment \"taken\" was changed"));
    }
    say("   The Deployment was left alone.");

    say("5. Somebody deletes Foo \"one\".");
    foos.delete("one").await?;
    let look = || async { is_gone(deployments.get("web").await) };
    // A cluster's garbage collector looks for new kinds, such as Foo, twice a minute.
    let patience = Duration::from_secs(100);
    eventually("the Deployment goes with its Foo", look).within(patience).await?;
    say("   Its Deployment went with it.");
    foos.delete("two").await?;
    eventually("Foo \"two\" is gone", || async { is_gone(foos.get("two").await) }).await?;
    deployments.delete("taken").await?;
    say("   Foo \"two\" is deleted as well; it never had a Deployment of its own.");
    Ok(())
}

/// The message of the warning event about a Foo, once there is one.
async fn warning_about(client: &Client, ns: &str, name: &str) -> Result<String, Error> {
    let events = client.namespaced::<Event>(ns);
    let options = ListOptions::new().fields(format!("involvedObject.name={name}"));
    let look = || async {
        let all = events.list(&options).await?.into_iter();
        let mut warnings = all.filter(|e| e.type_ == "Warning" && e.reason == "ErrResourceExists");
        warnings.next().ok_or_else(|| Error::other("no such event"))
    };
    Ok(eventually("a warning event is recorded", look).await?.message.into())
}

fn is_gone<T>(got: Result<T, Error>) -> bool {
    got.is_err_and(|e| e.is_not_found())
}

/// A Deployment that no Foo owns.
fn not_owned(name: &str) -> Deployment {
    let labels: Map<Str> = [("app", "other")].into();
    Deployment {
        metadata: ObjectMeta { name: name.into(), ..Default::default() },
        spec: DeploymentSpec {
            replicas: Some(1),
            selector: Some(
                LabelSelector { match_labels: labels.clone(), ..Default::default() }.into(),
            ),
            template: PodTemplateSpec {
                metadata: ObjectMeta { labels, ..Default::default() },
                spec: PodSpec {
                    containers: [Container {
                        name: "main".into(),
                        image: "registry.k8s.io/pause:3.10".into(),
                        ..Default::default()
                    }]
                    .into(),
                    ..Default::default()
                },
            },
            ..Default::default()
        },
        ..Default::default()
    }
}
