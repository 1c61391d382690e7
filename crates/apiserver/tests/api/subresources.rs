//! Subresources that are neither status nor scale.

use serde_json::{Value, json};

use crate::client::start;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn pod(name: &str) -> Value {
    let containers = json!([{"name": "c", "image": "a"}]);
    json!({"metadata": {"name": name}, "spec": {"containers": containers}})
}

#[tokio::test]
async fn pods_are_bound_to_nodes() {
    let client = start().await;
    for name in ["p", "q"] {
        client.post(PODS, pod(name)).await.expect(201);
    }
    let binding = |name: &str| {
        json!({
            "metadata": {"name": name, "annotations": {"a": "b"}, "labels": {"zone": "x"}},
            "target": {"kind": "Node", "name": "n"},
        })
    };
    let path = format!("{PODS}/p/binding");
    let status = client.post(&path, binding("p")).await.expect(201);
    assert_eq!(status["status"], "Success");
    let bound = client.get(&format!("{PODS}/p")).await.expect(200);
    assert_eq!(bound["spec"]["nodeName"], "n");
    assert_eq!(bound["metadata"]["annotations"]["a"], "b");
    assert_eq!(bound["metadata"]["labels"]["zone"], "x");
    assert_eq!(bound["status"]["conditions"][0]["type"], "PodScheduled");
    assert_eq!(bound["status"]["conditions"][0]["status"], "True");
    client.post("/api/v1/namespaces/default/bindings", binding("q")).await.expect(201);
    let bound = client.get(&format!("{PODS}/q")).await.expect(200);
    assert_eq!(bound["spec"]["nodeName"], "n");

    client.post(&path, binding("p")).await.fails(
        409,
        "Conflict",
        "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \
         \"n\"",
    );
    client.post(&path, binding("q")).await.fails(
        400,
        "BadRequest",
        "name in URL does not match name in Binding object",
    );
    let missing = format!("{PODS}/none/binding");
    let answer = client.post(&missing, binding("none")).await;
    answer.fails(404, "NotFound", "pods \"none\" not found");
    let nowhere = json!({"metadata": {"name": "p"}, "target": {"kind": "Pod"}});
    client.post(&path, nowhere).await.fails(
        500,
        "",
        "[target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\", \
         target.name: Required value]",
    );
}

#[tokio::test]
async fn requests_for_certificates_are_approved() {
    let client = start().await;
    let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let request = json!({
        "metadata": {"name": "r"},
        "spec": {
            "request": "eA==", "signerName": "example.com/signer", "usages": ["client auth"],
            "username": "somebody else",
        },
        "status": {"conditions": [{"type": "Approved", "status": "True"}]},
    });
    let made = client.post(requests, request).await.expect(201);
    assert_eq!(made["spec"]["username"], "system:admin");
    assert_eq!(made["spec"]["groups"], json!(["system:masters", "system:authenticated"]));
    assert_eq!(made["status"], json!({}));
    let path = format!("{requests}/r/approval");
    let mut wanted = client.get(&path).await.expect(200);
    let condition = json!({"type": "Approved", "status": "True", "reason": "R", "message": "m"});
    wanted["status"] = json!({"conditions": [condition], "certificate": "eA=="});
    wanted["spec"]["signerName"] = "example.com/other".into();
    let approved = client.put(&path, wanted).await.expect(200);
    assert_eq!(approved["spec"]["signerName"], "example.com/signer");
    assert_eq!(approved["status"].get("certificate"), None);
    let condition = &approved["status"]["conditions"][0];
    assert!(condition["lastUpdateTime"].is_string());
    assert_eq!(condition["lastTransitionTime"], condition["lastUpdateTime"]);
    let patch = json!({"metadata": {"labels": {"a": "b"}}});
    let patched = client.patch(&path, "merge-patch+json", patch).await.expect(200);
    assert_eq!(patched["status"], approved["status"]);
}

#[tokio::test]
async fn pods_are_evicted_as_far_as_budgets_allow() {
    let client = start().await;
    let eviction = |name: &str| json!({"metadata": {"name": name}});
    let evict =
        async |name: &str| client.post(&format!("{PODS}/{name}/eviction"), eviction(name)).await;
    client.post(PODS, pod("pending")).await.expect(201);
    assert_eq!(evict("pending").await.expect(201)["status"], "Success");
    client.get(&format!("{PODS}/pending")).await.expect(404);

    let ready = json!({"type": "Ready", "status": "True"});
    for name in ["p", "q"] {
        let mut pod = pod(name);
        pod["metadata"]["labels"] = json!({"app": "a"});
        client.post(PODS, pod).await.expect(201);
        let status = json!({"status": {"phase": "Running", "conditions": [ready]}});
        let path = format!("{PODS}/{name}/status");
        client.patch(&path, "merge-patch+json", status).await.expect(200);
    }
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let budget = json!({
        "metadata": {"name": "b"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}},
    });
    client.post(budgets, budget).await.expect(201);
    let violates = "Cannot evict pod as it would violate the pod's disruption budget.";
    let status = evict("p").await.fails(429, "TooManyRequests", violates);
    assert_eq!(
        status["details"]["causes"][0],
        json!({
            "reason": "DisruptionBudget",
            "message": "The disruption budget b is still being processed by the server.",
        })
    );
    assert_eq!(status["details"]["retryAfterSeconds"], 10);
    let counted = json!({"status": {
        "observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1,
        "expectedPods": 2,
    }});
    let path = format!("{budgets}/b/status");
    client.patch(&path, "merge-patch+json", counted).await.expect(200);
    let dry = client.post(&format!("{PODS}/p/eviction?dryRun=All"), eviction("p")).await;
    dry.expect(201);
    client.get(&format!("{PODS}/p")).await.expect(200);
    evict("p").await.expect(201);
    let budget = client.get(&format!("{budgets}/b")).await.expect(200);
    assert_eq!(budget["status"]["disruptionsAllowed"], 0);
    assert!(budget["status"]["disruptedPods"]["p"].is_string());
    assert_eq!(budget["status"]["conditions"][0]["reason"], "InsufficientPods");
    let status = evict("q").await.fails(429, "TooManyRequests", violates);
    assert_eq!(
        status["details"]["causes"][0]["message"],
        "The disruption budget b does not allow evicting pods currently"
    );
    client.post(&format!("{PODS}/q/eviction"), eviction("other")).await.fails(
        400,
        "BadRequest",
        "name in URL does not match name in Eviction object",
    );
}
