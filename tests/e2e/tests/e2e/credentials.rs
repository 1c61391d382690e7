//! Who one is, by credentials of each kind, and what the server says to those who may not.
use crate::harness::{Done, Test, Who, config_map, deployment, pod, refusal, run};
use pintle::api::apps_v1::Deployment;
use pintle::api::core_v1::{ConfigMap, Namespace, Node, Pod};
use pintle::client::{Pem, Request, Secret};
use pintle::{Client, Config, Error, GetOptions, ListOptions, LogOptions, Patch};
use serde_json::json;

/// Whether a client may do something that only admins may.
async fn may_list(client: &Client) -> Result<(), Error> {
    client.all::<Namespace>().list(&ListOptions::new().limit(1)).await.map(drop)
}

fn cannot_list(user: &str) -> String {
    format!(
        "namespaces is forbidden: User \"{user}\" cannot list resource \"namespaces\" in API \
         group \"\" at the cluster scope"
    )
}

#[tokio::test]
async fn certificates_inline_and_in_files() -> Done {
    run(async |t| {
        for who in [Who::Admin, Who::AdminFiles] {
            let Some(config) = t.config(who)? else { continue };
            if let Some(identity) = &config.tls.identity {
                let is_file = matches!(identity.key, Pem::File(_));
                assert!(is_file == (who == Who::AdminFiles) || t.kubeconfig_only(), "{who:?}");
            }
            may_list(&Client::new(&config)?).await?;
        }
        let Some(jane) = t.client_of(Who::Jane)? else { return Ok(()) };
        refusal(may_list(&jane).await).is(403, "Forbidden", &cannot_list("jane"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bearer_tokens() -> Done {
    run(async |t| {
        let Some(admin) = t.client_of(Who::AdminToken)? else { return Ok(()) };
        may_list(&admin).await?;
        let Some(mut config) = t.config(Who::JoeToken)? else { return Ok(()) };
        let joe = Client::new(&config)?;
        refusal(may_list(&joe).await).is(403, "Forbidden", &cannot_list("token-joe"));

        config.credentials.token = Some(Secret::from("a-token-of-nobody"));
        let wrong = refusal(may_list(&Client::new(&config)?).await);
        wrong.is(401, "Unauthorized", "Unauthorized");
        let text = wrong.error.to_string();
        let server = config.server.to_string();
        let expect = format!("Unauthorized (401; GET {}api/v1/namespaces)", server);
        assert_eq!(text, expect);
        assert!(!format!("{:?}", config).contains("a-token-of-nobody"), "never shown");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_file_that_is_renewed() -> Done {
    run(async |t| {
        let Some(mut config) = t.config(Who::AdminToken)? else { return Ok(()) };
        let Some(good) = config.credentials.token.take() else {
            return Err(Error::config("the admin has no token"));
        };
        let file = t.folder()?.join("token");
        let write = |text: &str| {
            std::fs::write(&file, text)
                .map_err(|e| Error::other(format!("{}: {e}", file.display())))
        };
        write("a-token-of-nobody\n")?;
        config.credentials.token_file = Some(file.clone());
        let (client, tap) = t.tapped_with(&config)?;
        refusal(may_list(&client).await).is(401, "Unauthorized", "Unauthorized");
        // Somebody renews it: the next request has the new one, without waiting for the minute
        // for which tokens are kept.
        write(&format!("{}\n", good.expose()))?;
        may_list(&client).await?;
        may_list(&client).await?;
        let codes: Vec<_> = tap.take().iter().map(|seen| seen.code).collect();
        assert_eq!(codes, [401, 200, 200]);

        // A token that is refused on the way is replaced on the way.
        write("another-token-of-nobody")?;
        let (client, tap) = t.tapped_with(&config)?;
        refusal(may_list(&client).await).code_is(401);
        write(good.expose())?;
        may_list(&client).await?;
        assert_eq!(tap.take().last().map(|seen| seen.code), Some(200));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_in_particular() -> Done {
    run(async |t| {
        let Some(config) = t.config(Who::Anonymous)? else { return Ok(()) };
        let client = Client::new(&config)?;
        let refused = refusal(may_list(&client).await);
        if refused.code == 401 && t.kubeconfig_only() {
            t.leave_out("anonymous requests: the cluster takes none");
            return Ok(());
        }
        refused.is(403, "Forbidden", &cannot_list("system:anonymous"));
        refusal(client.request(Request::get("/api")).await).is(
            403,
            "Forbidden",
            "forbidden: User \"system:anonymous\" cannot get path \"/api\"",
        );
        // Health and version are for everybody.
        assert_eq!(client.request(Request::get("/healthz")).await?.text().await?, "ok");
        assert_eq!(client.server_version().await?.major, "1");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_servers_certificate_is_checked() -> Done {
    run(async |t| {
        let Some(config) = t.config(Who::Admin)? else { return Ok(()) };
        let attempt = async |change: &dyn Fn(&mut Config)| {
            let mut config = config.clone();
            change(&mut config);
            may_list(&Client::new(&config)?).await
        };
        attempt(&|_| {}).await?;
        attempt(&|c| c.http2 = false).await?;
        attempt(&|c| c.tls.server_name = Some("localhost".into())).await?;
        attempt(&|c| {
            c.tls.authorities = None;
            c.tls.insecure = true;
        })
        .await?;
        for (what, error) in [
            ("not by the system", attempt(&|c| c.tls.authorities = None).await),
            ("another name", attempt(&|c| c.tls.server_name = Some("other.example".into())).await),
        ] {
            let error = error.expect_err(what);
            assert!(error.is_transport(), "{what}: {error}");
            assert!(error.to_string().contains("certificate"), "{what}: {error}");
        }
        Ok(())
    })
    .await
}

/// What jane hears for each thing she tries.
#[tokio::test]
async fn forbidden_says_who_what_and_where() -> Done {
    run(async |t| {
        let ns = t.namespace_for_pods().await?;
        t.client().namespaced::<ConfigMap>(&ns).create(&config_map("a", "v")).await?;
        let Some(jane) = t.client_of(Who::Jane)? else { return Ok(()) };
        let pods = jane.namespaced::<Pod>(&ns);
        let deployments = jane.namespaced::<Deployment>(&ns);
        let here = format!("in the namespace \"{ns}\"");
        let check = |refused: crate::harness::Refusal, what: &str, rest: &str, place: &str| {
            let message = format!("{what} is forbidden: User \"jane\" cannot {rest} {place}");
            refused.is(403, "Forbidden", &message);
            assert!(refused.error.is_forbidden());
        };
        let all = ListOptions::new();
        let cluster = "at the cluster scope";

        let list = refusal(pods.list(&all).await);
        let url = t.config(Who::Jane)?.map(|c| c.server.to_string()).unwrap_or_default();
        assert_eq!(
            list.error.to_string(),
            format!("{} (403; GET {url}api/v1/namespaces/{ns}/pods)", list.message)
        );
        check(list, "pods", "list resource \"pods\" in API group \"\"", &here);
        let everywhere = jane.all::<Pod>().list(&all).await;
        check(refusal(everywhere), "pods", "list resource \"pods\" in API group \"\"", cluster);
        let nodes = jane.all::<Node>();
        check(
            refusal(nodes.get("n").await),
            "nodes \"n\"",
            "get resource \"nodes\" in API group \"\"",
            cluster,
        );
        check(
            refusal(pods.get("p").options(GetOptions::default()).await),
            "pods \"p\"",
            "get resource \"pods\" in API group \"\"",
            &here,
        );
        check(
            refusal(pods.watch(&all).await.map(drop)),
            "pods",
            "watch resource \"pods\" in API group \"\"",
            &here,
        );
        check(
            refusal(pods.create(&pod("p")).await),
            "pods",
            "create resource \"pods\" in API group \"\"",
            &here,
        );
        check(
            refusal(pods.delete("p").await),
            "pods \"p\"",
            "delete resource \"pods\" in API group \"\"",
            &here,
        );
        check(
            refusal(pods.delete_collection(&all).await),
            "pods",
            "deletecollection resource \"pods\" in API group \"\"",
            &here,
        );
        check(
            refusal(pods.logs("p", &LogOptions::default()).await),
            "pods \"p\"",
            "get resource \"pods/log\" in API group \"\"",
            &here,
        );
        check(
            refusal(deployments.update(&deployment("d")).await),
            "deployments.apps \"d\"",
            "update resource \"deployments\" in API group \"apps\"",
            &here,
        );
        check(
            refusal(deployments.replace_status(&deployment("d")).await),
            "deployments.apps \"d\"",
            "update resource \"deployments/status\" in API group \"apps\"",
            &here,
        );
        check(
            refusal(deployments.replicas("d").await),
            "deployments.apps \"d\"",
            "get resource \"deployments/scale\" in API group \"apps\"",
            &here,
        );
        let patch = Patch::merge(json!({}));
        check(
            refusal(deployments.patch("d", &patch).await),
            "deployments.apps \"d\"",
            "patch resource \"deployments\" in API group \"apps\"",
            &here,
        );
        refusal(jane.request(Request::get("/metrics")).await).is(
            403,
            "Forbidden",
            "forbidden: User \"jane\" cannot get path \"/metrics\"",
        );
        Ok(())
    })
    .await
}

impl Test {
    /// Whether nothing is known of the server but how to be its admin.
    fn kubeconfig_only(&self) -> bool {
        std::env::var_os("PINTLE_E2E_KUBECONFIG").is_some_and(|v| !v.is_empty())
    }
}

#[tokio::test]
async fn somebody_else_by_impersonation() -> Done {
    run(async |t| {
        let Some(mut config) = t.config(Who::Admin)? else { return Ok(()) };
        config.impersonate.user = "bob".into();
        config.impersonate.groups = vec!["some".into()];
        refusal(may_list(&Client::new(&config)?).await).is(403, "Forbidden", &cannot_list("bob"));
        config.impersonate.groups.push("system:masters".into());
        may_list(&Client::new(&config)?).await?;

        let Some(mut config) = t.config(Who::JoeToken)? else { return Ok(()) };
        config.impersonate.user = "bob".into();
        refusal(may_list(&Client::new(&config)?).await).is(
            403,
            "Forbidden",
            "namespaces is forbidden: User \"token-joe\" cannot impersonate-on:user-info:list \
             resource \"namespaces\" in API group \"\" at the cluster scope",
        );
        Ok(())
    })
    .await
}
