//! Who somebody is and what they may do, as the server tells it.

use http::{Method, Request};
use http_body_util::Full;
use pintle_apiserver::{ApiServer, User};
use serde_json::{Value, json};

use crate::client::{Answer, Client, start_with};

const SELF: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const MAY_I: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const MAY: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const MAY_HERE: &str = "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews";
const RULES: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
const TOKEN: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

/// A server that knows joe, who may nothing, and root, who may all.
async fn users() -> Client {
    let mut joe = User::new("joe", ["crew"]);
    joe.uid = "7".to_owned();
    let root = User::new("root", ["system:masters"]);
    let builder = ApiServer::builder().token("joe-token", joe).token("root-token", root);
    let mut client = start_with(builder).await;
    client.service = client.service.with_user(None);
    client
}

async fn send(
    client: &Client,
    who: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> Answer {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {who}-token"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(Full::from(body.to_string())).expect("a request")).await
}

#[tokio::test]
async fn who_am_i() {
    let client = users().await;
    let who = async |who: &str, headers: &[(&str, &str)]| {
        let answer = send(&client, who, SELF, headers, json!({"metadata": {"name": "x"}})).await;
        answer.expect(201)["status"]["userInfo"].clone()
    };
    assert_eq!(
        who("joe", &[]).await,
        json!({"username": "joe", "uid": "7", "groups": ["crew", "system:authenticated"]})
    );
    let other = [
        ("impersonate-user", "jane"),
        ("impersonate-uid", "8"),
        ("impersonate-group", "g"),
        ("impersonate-extra-a%2fb", "c"),
    ];
    assert_eq!(
        who("root", &other).await,
        json!({
            "username": "jane", "uid": "8", "groups": ["g", "system:authenticated"],
            "extra": {"a/b": ["c"]},
        })
    );
    let account = [("impersonate-user", "system:serviceaccount:default:sa")];
    assert_eq!(
        who("root", &account).await["groups"],
        json!(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"])
    );
    send(&client, "joe", SELF, &other, json!({})).await.fails(
        403,
        "Forbidden",
        "selfsubjectreviews.authentication.k8s.io is forbidden: User \"joe\" cannot \
         impersonate-on:user-info:create resource \"selfsubjectreviews\" in API group \
         \"authentication.k8s.io\" at the cluster scope",
    );
    send(&client, "root", SELF, &[("impersonate-uid", "7")], json!({})).await.fails(
        400,
        "BadRequest",
        "requested &user.DefaultInfo{Name:\"\", UID:\"7\", Groups:[]string(nil), \
         Extra:map[string][]string(nil)} without impersonating a user name",
    );
}

#[tokio::test]
async fn may_i() {
    let client = users().await;
    let pods = json!({"resourceAttributes": {"verb": "get", "resource": "pods"}});
    let apis = json!({"nonResourceAttributes": {"verb": "get", "path": "/apis/apps"}});
    let discovery = "RBAC: allowed by ClusterRoleBinding \"system:discovery\" of ClusterRole \
                     \"system:discovery\" to Group \"system:authenticated\"";
    for (who, spec, status) in [
        ("root", &pods, json!({"allowed": true})),
        ("joe", &pods, json!({"allowed": false})),
        ("joe", &apis, json!({"allowed": true, "reason": discovery})),
    ] {
        let answer = send(&client, who, MAY_I, &[], json!({"spec": spec})).await.expect(201);
        assert_eq!(answer["status"], status);
        assert_eq!(&answer["spec"], spec);
        let managed = &answer["metadata"]["managedFields"][0];
        assert_eq!(managed["apiVersion"], "authorization.k8s.io/v1");
    }
    let spec =
        json!({"user": "x", "groups": ["system:masters"], "resourceAttributes": {"verb": "*"}});
    let answer = send(&client, "root", MAY, &[], json!({"spec": spec})).await.expect(201);
    assert_eq!(answer["status"], json!({"allowed": true}));
    let spec = json!({"user": "x", "resourceAttributes": {"verb": "get", "namespace": "default"}});
    let answer = send(&client, "root", MAY_HERE, &[], json!({"spec": spec})).await.expect(201);
    assert_eq!(answer["status"], json!({"allowed": false}));
    assert_eq!(answer["metadata"]["namespace"], "default");
}

#[tokio::test]
async fn questions_that_are_none() {
    let client = users().await;
    let of = |what: &str| format!(".authorization.k8s.io \"\" is invalid: {what}");
    let one = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    for (path, spec, message) in [
        (MAY_I, json!({}), of(&format!("spec: Invalid value: null: {one}"))),
        (
            MAY_I,
            json!({"resourceAttributes": {}, "nonResourceAttributes": {"verb": "get", "path": "/x"}}),
            of(&format!("spec: Invalid value: {{\"Path\":\"/x\",\"Verb\":\"get\"}}: {one}")),
        ),
        (
            MAY,
            json!({"resourceAttributes": {"verb": "get"}}),
            of("spec.user: Invalid value: \"\": at least one of user or group must be specified"),
        ),
        (
            MAY_HERE,
            json!({"user": "x", "resourceAttributes": {"namespace": "other"}}),
            of("spec.resourceAttributes.namespace: Invalid value: \"other\": must match \
                metadata.namespace"),
        ),
        (
            MAY_I,
            json!({"resourceAttributes": {"fieldSelector": {
                "rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}],
            }}}),
            of(
                "spec.resourceAttributes.fieldSelector.rawSelector: Invalid value: \"a=b\": may not \
                specified at the same time as requirements",
            ),
        ),
    ] {
        let answer = send(&client, "root", path, &[], json!({"spec": spec})).await;
        answer.fails(422, "Invalid", &message);
    }
    send(&client, "root", RULES, &[], json!({})).await.fails(
        400,
        "BadRequest",
        "no namespace on request",
    );
    send(&client, "root", TOKEN, &[], json!({})).await.fails(
        400,
        "BadRequest",
        "token is required for TokenReview in authentication",
    );
    send(&client, "joe", MAY, &[], json!({})).await.fails(
        403,
        "Forbidden",
        "subjectaccessreviews.authorization.k8s.io is forbidden: User \"joe\" cannot create \
         resource \"subjectaccessreviews\" in API group \"authorization.k8s.io\" at the cluster \
         scope",
    );
}

#[tokio::test]
async fn what_may_i() {
    let client = users().await;
    let body = json!({"spec": {"namespace": "default"}});
    let joe = send(&client, "joe", RULES, &[], body.clone()).await.expect(201);
    assert_eq!(joe["status"]["incomplete"], false);
    assert_eq!(joe["status"]["resourceRules"].as_array().map(Vec::len), Some(2));
    let root = send(&client, "root", RULES, &[], body).await.expect(201);
    let all = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
    assert_eq!(root["status"]["resourceRules"][0], all);
}

#[tokio::test]
async fn whose_token_is_this() {
    let client = users().await;
    let review = async |spec: Value| {
        let answer = send(&client, "root", TOKEN, &[], json!({"spec": spec})).await;
        answer.expect(201)["status"].clone()
    };
    let status = review(json!({"token": "joe-token"})).await;
    assert_eq!(status["user"]["username"], "joe");
    assert_eq!(status["audiences"], json!(["https://kubernetes.default.svc.cluster.local"]));
    let unknown = json!({"user": {}, "error": "invalid bearer token"});
    assert_eq!(review(json!({"token": "nope"})).await, unknown);
    assert_eq!(review(json!({"token": "joe-token", "audiences": ["x"]})).await, unknown);
}
