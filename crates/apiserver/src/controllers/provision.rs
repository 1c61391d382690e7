//! What every namespace is given: the ServiceAccount `default` and the ConfigMap
//! `kube-root-ca.crt`.
//!
//! Go counterpart: `pkg/controller/serviceaccount` and
//! `pkg/controller/certificates/rootcacertpublisher`.

use serde_json::{Value, json};

use super::act::Target;
use crate::core::Core;
use crate::handlers::write::Part;
use crate::object::{Object, at, metadata, metadata_mut};
use crate::status::ApiResult;

const SERVICE_ACCOUNT: &str = "default";
const ROOT_CERTIFICATE: &str = "kube-root-ca.crt";

/// The annotation that says what the ConfigMap is, and what it says.
const DESCRIBED: (&str, &str) = (
    "kubernetes.io/description",
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
     endpoints such as the internal service IP or kubernetes.default.svc. No other usage is \
     guaranteed across distributions of Kubernetes clusters.",
);

fn is(key: &str, plural: &str, name: &str) -> bool {
    let rest = key.strip_prefix("/registry/").and_then(|rest| rest.strip_prefix(plural));
    rest.and_then(|rest| rest.strip_suffix(name))
        .is_some_and(|rest| rest.len() > 2 && rest.starts_with('/') && rest.ends_with('/'))
}

pub(super) fn is_service_account(key: &str) -> bool {
    is(key, "serviceaccounts", SERVICE_ACCOUNT)
}

pub(super) fn is_root_certificate(key: &str) -> bool {
    is(key, "configmaps", ROOT_CERTIFICATE)
}

/// Acts on an object of a namespace that is there to stay.
fn within(
    core: &Core,
    namespace: &str,
    plural: &str,
    name: &str,
    act: impl FnOnce(&Target<'_>, Option<Object>) -> ApiResult<()>,
) -> ApiResult<()> {
    let owner = core.store.get(&format!("{}{namespace}", super::NAMESPACES));
    if owner.is_none_or(|owner| owner.value.summary.deleting) {
        return Ok(());
    }
    let table = core.registry.table();
    let Some(resource) = table.find("", "v1", plural) else { return Ok(()) };
    let target = Target { core, resource, namespace, name, uid: "", agent: super::AGENT };
    let old = core.store.get(&resource.key(namespace, name));
    act(&target, old.map(|entry| entry.value.object(None)))
}

/// Creates the ServiceAccount when it is missing.
pub(super) fn service_account(core: &Core, namespace: &str) -> ApiResult<()> {
    within(core, namespace, "serviceaccounts", SERVICE_ACCOUNT, |target, old| match old {
        Some(_) => Ok(()),
        None => target.create(Object::new()).map(drop),
    })
}

/// Creates the ConfigMap when it is missing, and puts it right when somebody changed it.
pub(super) fn root_certificate(core: &Core, namespace: &str) -> ApiResult<()> {
    let Some(certificate) = core.root_certificate() else { return Ok(()) };
    let data = json!({"ca.crt": certificate});
    let set = |object: &mut Object| {
        object.insert("data".to_owned(), data.clone());
        let annotations = metadata_mut(object).entry("annotations").or_insert_with(|| json!({}));
        annotations[DESCRIBED.0] = DESCRIBED.1.into();
    };
    within(core, namespace, "configmaps", ROOT_CERTIFICATE, |target, old| match old {
        Some(old) => {
            let annotations = metadata(&old).get("annotations");
            let described = annotations.and_then(|all| all.get(DESCRIBED.0));
            let described = described.and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            if described && at(&old, "data") == Some(&data) {
                return Ok(());
            }
            target.update(Part::Main, &set).map(drop)
        }
        None => {
            let mut object = Object::new();
            set(&mut object);
            target.create(object).map(drop)
        }
    })
}
