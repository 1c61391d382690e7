//! Manifests: objects in YAML, brought to a server.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use pintle_apimachinery::util::yaml_documents;
use pintle_apimachinery::{Error, Format, Status, Unstructured};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::ApiServer;
use crate::object::{Object, at, metadata, metadata_mut, text};
use crate::registry::name_of;

impl ApiServer {
    /// Brings the objects of manifests to the server, and answers them as they are then: one or
    /// more documents of YAML or JSON, lists among them (`kind: List`).
    ///
    /// Definitions of custom resources come first, and are served before anything else is created;
    /// namespaces come next, and the rest in the order in which it stands. Objects without a
    /// namespace come to `default`. Of an object that is there already, everything is replaced. A
    /// `status` is written, too, which `kubectl apply` does not do: tests need Pods that run.
    ///
    /// # Errors
    /// A document cannot be read, its kind is not served, or the server refuses it; the message
    /// tells which. What came before it stays.
    ///
    /// # Cancel safety
    /// Objects that were created stay.
    ///
    /// # Example: a Pod that runs
    /// ```
    /// use pintle_apiserver::ApiServer;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = ApiServer::builder().start().await?;
    /// let made = server.load("
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec: {containers: [{name: c, image: nginx}], nodeName: here}
    /// status: {phase: Running}
    /// ").await?;
    /// assert_eq!(made[0].get("status.phase").unwrap(), "Running");
    /// assert_eq!(made[0].get("status.qosClass").unwrap(), "BestEffort");
    ///
    /// let error = server.load("{apiVersion: v1, kind: Pud, metadata: {name: a}}").await.unwrap_err();
    /// assert!(error.to_string().contains("v1 Pud"));
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn load(&self, manifests: &str) -> Result<Vec<Unstructured>, Error> {
        let mut objects = parse(manifests)?;
        // A stable sort: otherwise they stay in order.
        objects.sort_by_key(|(_, object)| match text(object, "kind") {
            "CustomResourceDefinition" => 0,
            "Namespace" if text(object, "apiVersion") == "v1" => 1,
            _ => 2,
        });
        let mut made = Vec::with_capacity(objects.len());
        for (document, object) in objects {
            let what = format!("document {document}, {} {}", kind(&object), name_of(&object));
            let object = self.bring(object).await.map_err(|error| error.context(what))?;
            made.push(object);
        }
        Ok(made)
    }

    async fn bring(&self, mut object: Object) -> Result<Unstructured, Error> {
        let (plural, namespaced, has_status) = {
            let table = self.registry();
            let (version, wanted) = (text(&object, "apiVersion"), text(&object, "kind"));
            let (group, version) = version.split_once('/').unwrap_or(("", version));
            let versions = table.group(group).into_iter().flat_map(|group| &group.versions);
            let mut resources =
                versions.filter(|v| v.version == version).flat_map(|v| &v.resources);
            let Some(resource) = resources.find(|resource| resource.kind == wanted) else {
                return Err(Error::invalid(format!(
                    "{} is not served: load its CustomResourceDefinition with it, or check \
                     apiVersion and kind",
                    kind(&object)
                )));
            };
            (resource.plural.clone(), resource.namespaced, resource.has_status())
        };
        let version = text(&object, "apiVersion");
        let mut path = match version.contains('/') {
            true => format!("/apis/{version}"),
            false => format!("/api/{version}"),
        };
        if namespaced {
            let namespace = match text(metadata(&object), "namespace") {
                "" => "default",
                namespace => namespace,
            };
            path += &format!("/namespaces/{namespace}");
        }
        path += &format!("/{plural}");
        let status = object.get("status").cloned().filter(|_| has_status);
        let created = self.ask(Method::POST, &path, Some(&object)).await;
        let mut made = match created {
            Err(error) if error.is_already_exists() => {
                path += &format!("/{}", name_of(&object));
                let old = self.ask(Method::GET, &path, None).await?;
                let version = text(metadata(&old), "resourceVersion").to_owned();
                metadata_mut(&mut object).insert("resourceVersion".to_owned(), version.into());
                self.ask(Method::PUT, &path, Some(&object)).await?
            }
            created => {
                let made = created?;
                path += &format!("/{}", name_of(&made));
                made
            }
        };
        if plural == "customresourcedefinitions" {
            // Its conditions come with the write.
            made = self.ask(Method::GET, &path, None).await?;
            established(&made)?;
        } else if let Some(status) = status {
            // What the server had filled in stays, as when a kubelet writes it.
            let patch = json!({ "status": status });
            let patch = patch.as_object().cloned().unwrap_or_default();
            made = self.ask(Method::PATCH, &format!("{path}/status"), Some(&patch)).await?;
        }
        Ok(Unstructured::from_object(made))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Object>,
    ) -> Result<Object, Error> {
        let body = body.map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| Error::other(error.to_string()))?.unwrap_or_default();
        let content_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .header("user-agent", "testing")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Error::invalid(format!("{path}: {error}")))?;
        let Ok(response) = self.service().call(request).await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|error| Error::transport(error.to_string()))?;
        let bytes = bytes.to_bytes();
        if !head.status.is_success() {
            let plain = || Status {
                code: i32::from(head.status.as_u16()),
                message: String::from_utf8_lossy(&bytes).trim_end().into(),
                ..Status::default()
            };
            let status = Status::decode_if(&bytes, Format::Json).unwrap_or_else(plain);
            return Err(Error::from_status(status));
        }
        serde_json::from_slice(&bytes).map_err(|error| Error::other(error.to_string()))
    }
}

/// Whether a definition is served.
fn established(crd: &Object) -> Result<(), Error> {
    let conditions = at(crd, "status.conditions").and_then(Value::as_array);
    let mut all = conditions.into_iter().flatten();
    let bad =
        all.find(|condition| condition["status"] != "True" && condition["type"] != "Terminating");
    match bad {
        None => Ok(()),
        Some(condition) => Err(Error::config(format!(
            "the definition is not served: {}",
            condition["message"].as_str().unwrap_or_default()
        ))),
    }
}

fn kind(object: &Object) -> String {
    format!("{} {}", text(object, "apiVersion"), text(object, "kind"))
}

/// The objects of manifests, each with the number of its document.
fn parse(manifests: &str) -> Result<Vec<(usize, Object)>, Error> {
    let documents = yaml_documents(manifests).map_err(|error| Error::invalid(error.to_string()))?;
    let mut objects = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let number = index + 1;
        let value: Value = serde_yaml::from_str(document)
            .map_err(|error| Error::invalid(format!("document {number}: {error}")))?;
        collect(number, value, &mut objects)?;
    }
    Ok(objects)
}

fn collect(number: usize, value: Value, objects: &mut Vec<(usize, Object)>) -> Result<(), Error> {
    match value {
        // Nothing but comments.
        Value::Null => Ok(()),
        Value::Object(mut object) => {
            let list = text(&object, "kind").ends_with("List");
            match object.get_mut("items") {
                Some(Value::Array(items)) if list => {
                    let items = std::mem::take(items);
                    items.into_iter().try_for_each(|item| collect(number, item, objects))
                }
                _ => {
                    objects.push((number, object));
                    Ok(())
                }
            }
        }
        _ => Err(Error::invalid(format!("document {number} is no object"))),
    }
}
