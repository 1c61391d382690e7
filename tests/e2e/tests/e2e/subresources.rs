//! Subresources: status, scale, eviction, tokens, and reviews, which are asked and not kept.
use crate::crds::{Widget, install, widget};
use crate::harness::{Done, deployment, eventually, pod, refusal, run};
use pintle::api::apps_v1::Deployment;
use pintle::api::authentication_v1::{SelfSubjectReview, TokenRequest, TokenRequestSpec};
use pintle::api::authorization_v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use pintle::api::autoscaling_v1::Scale;
use pintle::api::core_v1::{ConfigMap, Pod, PodCondition, ServiceAccount};
use pintle::api::policy_v1::Eviction;
use pintle::client::Secret;
use pintle::{ListOptions, LogOptions, ObjectMeta, Status, Time};

/// A Pod that no scheduler takes.
fn lonely(name: &str) -> Pod {
    let mut pod = pod(name);
    pod.spec.scheduler_name = "nobody".into();
    pod
}

#[tokio::test]
async fn the_status_of_a_built_in_kind() -> Done {
    run(async |t| {
        let ns = t.namespace_for_pods().await?;
        let pods = t.client().namespaced::<Pod>(&ns);
        let mut new = lonely("p");
        new.status.message = "ignored".into();
        let made = pods.create(&new).await?;
        assert_eq!(made.status.message, "");
        let ready = PodCondition {
            type_: "Ready".into(),
            status: "True".into(),
            last_transition_time: Time::now(),
            ..Default::default()
        };
        let told = pods
            .update_status("p", |p| {
                p.status.phase = "Running".into();
                p.status.conditions = [ready.clone()].into();
                p.metadata.labels.insert("a".into(), "b".into());
            })
            .await?;
        assert_eq!(told.status.phase, "Running");
        assert!(told.status.conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True"));
        // Labels may be written here too.
        assert_eq!(told.metadata.labels.get("a").map(|s| &**s), Some("b"));
        let read: Pod = pods.get_subresource("p", "status").await?;
        assert_eq!(read, told);
        // The other way round, the status stays.
        let kept = pods
            .modify("p", |p| {
                p.status.phase = "Failed".into();
                p.metadata.labels.insert("a".into(), "c".into());
            })
            .await?;
        assert_eq!(kept.status.phase, "Running");
        assert_eq!(kept.metadata.labels.get("a").map(|s| &**s), Some("c"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_scale_of_a_built_in_kind() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let deployments = t.client().namespaced::<Deployment>(&ns);
        let mut new = deployment("web");
        new.spec.paused = true; // no Pods come of it
        deployments.create(&new).await?;
        let scale = deployments.get_subresource::<Scale>("web", "scale").await;
        let Some(mut scale) = t.if_there("the subresource deployments/scale", scale)? else {
            return Ok(());
        };
        assert_eq!((scale.spec.replicas, &*scale.status.selector), (0, "app=web"));
        scale.spec.replicas = 2;
        scale.metadata.resource_version = Default::default(); // controllers write too
        let set: Scale = deployments.update_subresource("web", "scale", &scale).await?;
        assert_eq!(set.spec.replicas, 2);
        assert_eq!(deployments.get("web").await?.spec.replicas, Some(2));
        assert_eq!(deployments.set_replicas("web", 1).await?, 1);
        assert_eq!(deployments.replicas("web").await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_scale_of_a_custom_kind() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let widgets = t.client().namespaced::<Widget>(&ns);
        widgets.create(&widget("w", 3)).await?;
        let replicas = widgets.replicas("w").await;
        let Some(replicas) = t.if_there("the subresource widgets/scale", replicas)? else {
            return Ok(());
        };
        assert_eq!(replicas, 3);
        assert_eq!(widgets.set_replicas("w", 5).await?, 5);
        let grown = widgets.get("w").await?;
        assert_eq!((grown.spec.size, grown.metadata.generation), (5, 2));
        refusal(widgets.set_replicas("w", 50).await).code_is(422);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pod_is_evicted() -> Done {
    run(async |t| {
        let ns = t.namespace_for_pods().await?;
        let pods = t.client().namespaced::<Pod>(&ns);
        pods.create(&lonely("p")).await?;
        let metadata = ObjectMeta { name: "p".into(), ..Default::default() };
        let eviction = Eviction { metadata, ..Default::default() };
        let evicted = pods.create_subresource::<_, Status>("p", "eviction", &eviction).await;
        let Some(status) = t.if_there("the subresource pods/eviction", evicted)? else {
            return Ok(());
        };
        assert!(status.is_success(), "{status:?}");
        eventually("the Pod is gone", async || match pods.get("p").await {
            Err(e) if e.is_not_found() => Ok(true),
            other => other.map(|_| false),
        })
        .await
    })
    .await
}

#[tokio::test]
async fn logs_of_a_pod_that_runs_nowhere() -> Done {
    run(async |t| {
        let ns = t.namespace_for_pods().await?;
        let pods = t.client().namespaced::<Pod>(&ns);
        pods.create(&lonely("p")).await?;
        let log = pods.logs("p", &LogOptions::default()).await;
        let log = match log {
            Ok(log) => Ok(log.text().await?),
            Err(e) => Err(e),
        };
        // Without a node there is nothing to show, and no error either.
        if let Some(text) = t.if_there("the subresource pods/log", log)? {
            assert_eq!(text, "");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_service_account_gets_a_token_and_uses_it() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let accounts = t.client().namespaced::<ServiceAccount>(&ns);
        let metadata = ObjectMeta { name: "robot".into(), ..Default::default() };
        accounts.create(&ServiceAccount { metadata, ..Default::default() }).await?;
        let spec = TokenRequestSpec { expiration_seconds: Some(600), ..Default::default() };
        let ask = TokenRequest { spec, ..Default::default() };
        let given = accounts.create_subresource::<_, TokenRequest>("robot", "token", &ask).await;
        let Some(given) = t.if_there("the subresource serviceaccounts/token", given)? else {
            return Ok(());
        };
        let Some(mut config) = t.config(crate::harness::Who::Anonymous)? else { return Ok(()) };
        config.credentials.token = Some(Secret::from(&*given.status.token));
        let robot = pintle::Client::new(&config)?;
        let maps = robot.namespaced::<ConfigMap>(&ns);
        refusal(maps.list(&ListOptions::new()).await).is(
            403,
            "Forbidden",
            &format!(
                "configmaps is forbidden: User \"system:serviceaccount:{ns}:robot\" cannot list \
                 resource \"configmaps\" in API group \"\" in the namespace \"{ns}\""
            ),
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn reviews_answer_and_are_not_kept() -> Done {
    run(async |t| {
        let Some(jane) = t.client_of(crate::harness::Who::Jane)? else { return Ok(()) };
        let review = jane.all::<SelfSubjectReview>().create(&SelfSubjectReview::default()).await;
        if let Some(review) = t.if_there("the resource selfsubjectreviews", review)? {
            assert_eq!(review.status.user_info.username, "jane");
        }
        let attributes = ResourceAttributes {
            verb: "list".into(),
            resource: "pods".into(),
            ..Default::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes.into()),
            ..Default::default()
        };
        let ask = SelfSubjectAccessReview { spec, ..Default::default() };
        for (client, allowed) in [(t.client(), true), (&jane, false)] {
            let review = client.all::<SelfSubjectAccessReview>().create(&ask).await;
            if let Some(review) = t.if_there("the resource selfsubjectaccessreviews", review)? {
                assert_eq!(review.status.allowed, allowed);
            }
        }
        Ok(())
    })
    .await
}
