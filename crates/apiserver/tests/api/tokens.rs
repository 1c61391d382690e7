//! Tokens of ServiceAccounts: issued, accepted, and refused when what they stand for is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request};
use http_body_util::Full;
use pintle_apimachinery::Time;
use pintle_apiserver::ApiServer;
use serde_json::{Value, json};

use crate::client::{Answer, Client, start_with};

const ACCOUNTS: &str = "/api/v1/namespaces/default/serviceaccounts";
const TOKEN: &str = "/api/v1/namespaces/default/serviceaccounts/sa/token";
const REVIEW: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// The claims of a token.
fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).expect("a body");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).expect("base64")).expect("JSON")
}

async fn account(client: &Client) -> String {
    let made = client.post(ACCOUNTS, json!({"metadata": {"name": "sa"}})).await.expect(201);
    made["metadata"]["uid"].as_str().expect("a UID").to_owned()
}

async fn issue(client: &Client, spec: Value) -> String {
    let answer = client.post(TOKEN, json!({"spec": spec})).await.expect(201);
    assert_eq!(answer["kind"], "TokenRequest");
    answer["status"]["token"].as_str().expect("a token").to_owned()
}

/// What a review says of a token.
async fn review(client: &Client, spec: Value) -> Value {
    client.post(REVIEW, json!({"spec": spec})).await.expect(201)["status"].clone()
}

async fn as_bearer(client: &Client, token: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Full::default())
        .expect("a request");
    client.send(request).await
}

#[tokio::test]
async fn a_token_says_whose_it_is() {
    let client = start_with(ApiServer::builder()).await;
    let uid = account(&client).await;
    let token = issue(&client, json!({"expirationSeconds": 600})).await;
    let claims = claims(&token);
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["aud"], json!([ISSUER]));
    assert_eq!(claims["sub"], "system:serviceaccount:default:sa");
    let seconds = |key: &str| claims[key].as_i64().expect("a number");
    assert_eq!(seconds("exp") - seconds("iat"), 600);
    assert_eq!(
        claims["kubernetes.io"],
        json!({"namespace": "default", "serviceaccount": {"name": "sa", "uid": uid}})
    );
    let status = review(&client, json!({"token": token})).await;
    assert_eq!(status["authenticated"], true);
    assert_eq!(status["user"]["username"], "system:serviceaccount:default:sa");
    assert_eq!(status["user"]["uid"], uid.as_str());
    let id = format!("JTI={}", claims["jti"].as_str().expect("an id"));
    let extra = &status["user"]["extra"]["authentication.kubernetes.io/credential-id"];
    assert_eq!(*extra, json!([id]));
    as_bearer(&client, &token, "/api/v1/pods").await.fails(
        403,
        "Forbidden",
        "pods is forbidden: User \"system:serviceaccount:default:sa\" cannot list resource \
         \"pods\" in API group \"\" at the cluster scope",
    );
    let configuration = as_bearer(&client, &token, "/.well-known/openid-configuration").await;
    let configuration = configuration.expect(200);
    assert_eq!(configuration["issuer"], ISSUER);
    assert_eq!(configuration["id_token_signing_alg_values_supported"], json!(["ES256"]));
    let keys = as_bearer(&client, &token, "/openid/v1/jwks").await;
    assert_eq!(keys.headers["content-type"], "application/jwk-set+json");
    let head = token.split('.').next().expect("a head");
    let head = URL_SAFE_NO_PAD.decode(head).expect("base64");
    let head: Value = serde_json::from_slice(&head).expect("JSON");
    assert_eq!(keys.expect(200)["keys"][0]["kid"], head["kid"]);
}

#[tokio::test]
async fn tokens_are_for_their_audience() {
    let client = start_with(ApiServer::builder()).await;
    account(&client).await;
    let token = issue(&client, json!({"audiences": ["a", "b"]})).await;
    as_bearer(&client, &token, "/api").await.fails(401, "Unauthorized", "Unauthorized");
    let status = review(&client, json!({"token": token})).await;
    assert_eq!(
        status["error"],
        format!(
            "[invalid bearer token, token audiences [\"a\" \"b\"] is invalid for the target \
             audiences [\"{ISSUER}\"]]"
        )
    );
    let status = review(&client, json!({"token": token, "audiences": ["c", "b"]})).await;
    assert_eq!(status["audiences"], json!(["b"]));
    let forged = format!("{}AAAA", token);
    let status = review(&client, json!({"token": forged, "audiences": ["a"]})).await;
    assert_eq!(
        status["error"],
        "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]"
    );
}

#[tokio::test]
async fn requests_that_are_refused() {
    let client = start_with(ApiServer::builder()).await;
    account(&client).await;
    let invalid =
        |what: &str| format!("TokenRequest.authentication.k8s.io \"\" is invalid: {what}");
    for (spec, message) in [
        (
            json!({"expirationSeconds": 599}),
            invalid(
                "spec.expirationSeconds: Invalid value: 599: may not specify a duration less \
                     than 10 minutes",
            ),
        ),
        (
            json!({"expirationSeconds": 4_294_967_297_i64}),
            invalid(
                "spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration \
                     larger than 2^32 seconds",
            ),
        ),
    ] {
        client.post(TOKEN, json!({"spec": spec})).await.fails(422, "Invalid", &message);
    }
    let other = json!({"metadata": {"name": "other"}});
    client.post(TOKEN, other).await.fails(
        422,
        "Invalid",
        "TokenRequest.authentication.k8s.io \"sa\" is invalid: metadata.name: Invalid value: \
         \"other\": must match the service account name if specified",
    );
    let nobody = TOKEN.replace("/sa/", "/nope/");
    let answer = client.post(&nobody, json!({})).await;
    answer.fails(404, "NotFound", "serviceaccounts \"nope\" not found");
    let bound = |kind: &str| json!({"spec": {"boundObjectRef": {"kind": kind, "apiVersion": "v1", "name": "x"}}});
    client.post(TOKEN, bound("Foo")).await.fails(
        400,
        "BadRequest",
        "cannot bind token to object of type /v1, Kind=Foo",
    );
    client.post(TOKEN, bound("Pod")).await.fails(404, "NotFound", "pods \"x\" not found");
}

#[tokio::test]
async fn a_token_ends_with_what_it_is_bound_to() {
    let client = start_with(ApiServer::builder()).await;
    account(&client).await;
    let secrets = "/api/v1/namespaces/default/secrets";
    client.post(secrets, json!({"metadata": {"name": "s"}})).await.expect(201);
    let reference = json!({"kind": "Secret", "apiVersion": "v1", "name": "s"});
    let token = issue(&client, json!({"boundObjectRef": reference})).await;
    let plain = issue(&client, json!({})).await;
    assert_eq!(claims(&token)["kubernetes.io"]["secret"]["name"], "s");
    assert_eq!(review(&client, json!({"token": token})).await["authenticated"], true);
    client.delete(&format!("{secrets}/s")).await.expect(200);
    assert_eq!(
        review(&client, json!({"token": token})).await["error"],
        "[invalid bearer token, service account token has been invalidated]"
    );
    client.delete(&format!("{ACCOUNTS}/sa")).await.expect(200);
    assert_eq!(
        review(&client, json!({"token": plain})).await["error"],
        "[invalid bearer token, serviceaccounts \"sa\" not found]"
    );
    account(&client).await;
    let status = review(&client, json!({"token": plain})).await;
    let error = status["error"].as_str().expect("an error");
    assert!(error.contains("does not match claim"), "{error}");
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let now = Arc::new(AtomicI64::new(1_800_000_000));
    let clock = Arc::clone(&now);
    let builder =
        ApiServer::builder().clock(move || Time::from_unix(clock.load(Ordering::Relaxed)));
    let client = start_with(builder).await;
    account(&client).await;
    let token = issue(&client, json!({"expirationSeconds": 600})).await;
    now.fetch_add(660, Ordering::Relaxed);
    assert_eq!(review(&client, json!({"token": token})).await["authenticated"], true);
    now.fetch_add(1, Ordering::Relaxed);
    let expired = "[invalid bearer token, service account token has expired]";
    assert_eq!(review(&client, json!({"token": token})).await["error"], expired);
    now.fetch_sub(3_600, Ordering::Relaxed);
    let early = "[invalid bearer token, service account token is not valid yet]";
    assert_eq!(review(&client, json!({"token": token})).await["error"], early);
}

#[tokio::test]
async fn another_server_of_the_same_issuer_has_other_keys() {
    let pair = rcgen::KeyPair::generate().expect("a key");
    let own = ApiServer::builder()
        .service_account_issuer("https://me")
        .service_account_signing_key(&pair.serialize_pem())
        .expect("a key");
    let client = start_with(own.clone()).await;
    account(&client).await;
    let token = issue(&client, json!({})).await;
    assert_eq!(claims(&token)["iss"], "https://me");
    // A server that has only the public half takes the token for what it is.
    let other = ApiServer::builder()
        .service_account_issuer("https://me")
        .service_account_keys(&pair.public_key_pem())
        .expect("a key");
    let other = start_with(other).await;
    let status = review(&other, json!({"token": token})).await;
    assert_eq!(status["error"], "[invalid bearer token, serviceaccounts \"sa\" not found]");
    let stranger = start_with(ApiServer::builder().service_account_issuer("https://me")).await;
    let status = review(&stranger, json!({"token": token})).await;
    assert!(
        status["error"].as_str().is_some_and(|error| error.contains("cryptographic primitive"))
    );
    let nobody = start_with(ApiServer::builder()).await;
    let status = review(&nobody, json!({"token": token})).await;
    assert_eq!(status["error"], "invalid bearer token");
}
