//! The server as a `tower` service: authentication, authorization, dispatch, answers.
//!
//! Go counterpart: the handler chain of `k8s.io/apiserver/pkg/server/config.go`.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderName};
use http::{Request, Response, request};
use http_body::Body as HttpBody;
use http_body_util::BodyExt;
use pintle_apimachinery::validation::path_segment_name;
use serde_json::Value;

use crate::auth::{Peer, User};
use crate::body::Body;
use crate::core::Core;
use crate::discovery;
use crate::encode::Format;
use crate::handlers::options::write_options;
use crate::handlers::write::Part;
use crate::handlers::{self, Answer, Reply};
use crate::health;
use crate::negotiate::{self, Form, Offer, negotiate};
use crate::object::Object;
use crate::openapi;
use crate::registry::{Group, Resource};
use crate::request::{Query, RequestInfo};
use crate::status::{ApiError, ApiResult};

/// The API server as a service over any body: clients in the same process need no socket.
///
/// Clones share one server. Requests without an `Authorization` header are made as the user of the
/// service.
#[derive(Clone)]
pub struct Service {
    core: Arc<Core>,
    peer: Peer,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Service {
    pub(crate) fn new(core: Arc<Core>, user: Option<User>) -> Self {
        Service { core, peer: user.map_or(Peer::Nobody, Peer::Process) }
    }

    /// The same server, with requests made as `user` unless they bring a token of their own.
    /// `None` means that requests without a token are anonymous.
    pub fn with_user(&self, user: Option<User>) -> Self {
        Service::new(Arc::clone(&self.core), user)
    }

    /// The same server for a connection.
    pub(crate) fn with_peer(&self, peer: Peer) -> Self {
        Service { core: Arc::clone(&self.core), peer }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl<B> tower_service::Service<Request<B>> for Service
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Service { core, peer } = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let met = core.faults.meet(&core, &parts).await;
            let request = Exchange::new(&core, &parts);
            if let Some(error) = met.refused {
                return Ok(request.refused(error));
            }
            let result = match request.deadline() {
                Err(error) => Err(error),
                Ok(None) => request.handle(body, &peer).await,
                Ok(Some(limit)) => tokio::select! {
                    biased;
                    result = request.handle(body, &peer) => result,
                    // What was still to come of the request is not waited for.
                    () = core.timers.after(limit) => Err(ApiError::of_code(504, 0)),
                },
            };
            let response = request.respond(result);
            Ok(if met.breaks { response.map(Body::break_off) } else { response })
        })
    }
}

fn has_verb(verbs: &[String], wanted: &str) -> bool {
    verbs.iter().any(|verb| verb == wanted)
}

/// Whether a group has custom resources only.
fn is_custom(group: &Group) -> bool {
    group.versions.iter().flat_map(|v| &v.resources).all(|r| r.custom.is_some())
}

/// One request on its way through the server.
pub(crate) struct Exchange<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) parts: &'a request::Parts,
    pub(crate) query: Query,
    pub(crate) info: RequestInfo,
    /// Said of a version that is deprecated, whatever the answer.
    pub(crate) deprecated: OnceLock<String>,
}

/// What is answered, before it is bytes. Made once a request, so the sizes do not matter.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Produced {
    Answer(Arc<Resource>, (Format, Form), Answer),
    Value(Value),
    Aggregated(Value),
    Text(String),
    /// The same, for people to read.
    Pretty(Value),
    /// A document that is no object of the API.
    Document(&'static str, Value),
    OpenApi(openapi::Reply),
}

impl<'a> Exchange<'a> {
    fn new(core: &'a Arc<Core>, parts: &'a request::Parts) -> Self {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let info = RequestInfo::new(&parts.method, parts.uri.path(), &query);
        Exchange { core, parts, query, info, deprecated: OnceLock::new() }
    }

    pub(crate) fn header(&self, name: HeaderName) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// How long the request may take; `None` for those that are meant to last. Go:
    /// `WithRequestDeadline`.
    fn deadline(&self) -> ApiResult<Option<Duration>> {
        let most = self.core.settings.request_timeout;
        if self.info.verb == "watch" {
            return Ok(None);
        }
        let wanted = match self.query.get("timeout") {
            "" => return Ok(Some(most)),
            wanted => pintle_apimachinery::Duration::parse(wanted).map_err(|error| {
                let why = format!("invalid timeout specified in the request URL - {error}");
                ApiError::bad_request(why)
            })?,
        };
        // Nothing, and less, is the usual time.
        Ok(Some(match wanted.to_std() {
            Some(wanted) if !wanted.is_zero() => wanted.min(most),
            _ => most,
        }))
    }

    async fn handle<B>(&self, body: B, peer: &Peer) -> ApiResult<Produced>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let user = self.core.auth.authenticate(self.core, &self.parts.headers, peer)?;
        let user = self.core.auth.impersonate(user, &self.parts.headers, &self.info)?;
        self.core.auth.authorize(&user, &self.info)?;
        let path = self.info.path.as_str();
        let mut parts = path.split('/').skip(1);
        let last = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("api"), Some(_), last, more) => (last, more),
            (Some("apis"), Some(_), Some(_), last) => (last, parts.next()),
            _ => (None, None),
        };
        if last == (Some("watch"), None) {
            return Err(ApiError::no_request_info(path));
        }
        if path.starts_with("//") {
            return Err(ApiError::page_not_found());
        }
        if path.contains("//") {
            if self.lacks_namespace() {
                return Err(ApiError::bad_request("Namespace parameter required."));
            }
            let known = self.info.is_resource
                && self.core.registry.table().group(&self.info.group).is_some();
            return Err(if known {
                ApiError::no_such_resource()
            } else {
                ApiError::page_not_found()
            });
        }
        if self.info.is_resource { self.resource(body, &user).await } else { self.other() }
    }

    /// Whether the path is that of a built-in object but for its namespace, which is empty.
    fn lacks_namespace(&self) -> bool {
        let Some((before, after)) = self.info.path.split_once("/namespaces//") else {
            return false;
        };
        let (group, version) = match before.split('/').collect::<Vec<_>>().as_slice() {
            ["", "api", version] => ("", *version),
            ["", "apis", group, version] => (*group, *version),
            _ => return false,
        };
        let table = self.core.registry.table();
        let resource = after.split('/').next().and_then(|name| table.find(group, version, name));
        !after.contains("//") && resource.is_some_and(|r| r.namespaced && r.custom.is_none())
    }

    /// Names and namespaces that cannot be part of a path. Go: `ContextBasedNaming`.
    fn check_segments(&self) -> ApiResult<()> {
        for (what, segment) in [("Name", &self.info.name), ("Namespace", &self.info.namespace)] {
            let problems = path_segment_name(segment);
            if !segment.is_empty() && !problems.is_empty() {
                let (shown, problems) = (crate::status::quote(segment), problems.join(";"));
                return Err(ApiError::bad_request(format!(
                    "{what} parameter invalid: {shown}: {problems}"
                )));
            }
        }
        Ok(())
    }

    /// Paths that are no resources.
    fn other(&self) -> ApiResult<Produced> {
        let path = self.info.path.as_str();
        if let Some(path) = path.strip_prefix("/openapi/") {
            let question = openapi::Question {
                path,
                accept: self.header(header::ACCEPT),
                encoding: self.header(header::ACCEPT_ENCODING),
                if_none_match: self.header(header::IF_NONE_MATCH),
                hash: self.query.get("hash"),
            };
            let reply = openapi::serve(self.core, &question);
            return reply.map(Produced::OpenApi).ok_or_else(ApiError::page_not_found);
        }
        let table = self.core.registry.table();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        // Some of these look at the method, and some do not.
        let any_method = matches!(
            parts.as_slice(),
            ["apis"] | ["apis", _] | ["healthz" | "livez" | "readyz", ..]
        );
        let allowed = match self.info.verb {
            "get" => true,
            "head" => !matches!(parts.first(), Some(&("api" | "apis" | "version"))),
            _ => false,
        };
        if !allowed && !any_method {
            let known = matches!(parts.first(), Some(&("api" | "apis" | "version")));
            return Err(if known {
                ApiError::method_not_allowed()
            } else {
                ApiError::page_not_found()
            });
        }
        let aggregated = || negotiate::aggregated(self.header(header::ACCEPT)).is_some();
        let resources = |group: &str, version: &str| {
            let group = table.group(group)?;
            let version = group.versions.iter().find(|v| v.version == version)?;
            Some(discovery::resources(&group.name, version))
        };
        match parts.as_slice() {
            [] | ["index.html"] => Ok(Produced::Pretty(discovery::paths(&table))),
            ["api"] if aggregated() => {
                Ok(Produced::Aggregated(discovery::aggregated(&table, true)))
            }
            ["apis"] if aggregated() => {
                Ok(Produced::Aggregated(discovery::aggregated(&table, false)))
            }
            ["api"] => Ok(Produced::Value(discovery::api_versions(self.header(header::HOST)))),
            ["apis"] => Ok(Produced::Value(discovery::groups(&table))),
            ["api", version] => {
                resources("", version).map(Produced::Value).ok_or_else(ApiError::no_such_resource)
            }
            ["apis", group] => table
                .group(group)
                .filter(|group| !group.name.is_empty())
                .map(|group| Produced::Value(discovery::group(group)))
                .ok_or_else(ApiError::page_not_found),
            ["apis", group, version] => {
                resources(group, version).map(Produced::Value).ok_or_else(|| {
                    match table.group(group) {
                        Some(group) if !is_custom(group) => ApiError::no_such_resource(),
                        _ => ApiError::page_not_found(),
                    }
                })
            }
            ["version"] => Ok(Produced::Value(discovery::version())),
            ["version", ..] => Err(ApiError::no_such_resource()),
            ["healthz" | "livez" | "readyz", ..] if path.ends_with('/') => {
                Err(ApiError::page_not_found())
            }
            [what @ ("healthz" | "livez" | "readyz")] => {
                Ok(Produced::Text(health::report(what, &self.query)))
            }
            [what @ ("healthz" | "livez" | "readyz"), check @ ..]
                if health::checks(what).any(|known| known == check.join("/")) =>
            {
                Ok(Produced::Text("ok".to_owned()))
            }
            [".well-known", "openid-configuration"] => Ok(Produced::Document(
                "application/json",
                self.core.auth.accounts.configuration(self.header(header::HOST)),
            )),
            ["openid", "v1", "jwks"] => Ok(Produced::Document(
                "application/jwk-set+json",
                self.core.auth.accounts.key_set(),
            )),
            ["metrics"] => Ok(Produced::Text(health::metrics())),
            _ => Err(ApiError::page_not_found()),
        }
    }

    /// The resource a path names, when its path has the right shape for it.
    pub(crate) fn find(&self) -> ApiResult<Arc<Resource>> {
        let info = &self.info;
        let table = self.core.registry.table();
        let Some(group) = table.group(&info.group) else { return Err(ApiError::page_not_found()) };
        let Some(resource) = table.find(&info.group, &info.version, &info.resource) else {
            let custom = is_custom(group);
            return Err(if custom {
                ApiError::page_not_found()
            } else {
                ApiError::no_such_resource()
            });
        };
        let namespaced = !info.namespace.is_empty() && info.resource != "namespaces";
        if info.resource == "namespaces" && info.name.is_empty() && !info.namespace.is_empty() {
            return Err(ApiError::no_such_resource());
        }
        if info.name.contains('/') {
            return Err(ApiError::no_such_resource());
        }
        if resource.namespaced != namespaced {
            let whole = matches!(info.verb, "list" | "watch") && info.name.is_empty();
            if resource.custom.is_some() && !(resource.namespaced && whole) {
                return Err(ApiError::page_not_found());
            }
            if whole && !resource.verbs.iter().any(|verb| verb == "list") {
                return Err(ApiError::no_such_resource());
            }
            return Err(match (info.verb, info.name.as_str()) {
                ("list" | "watch", "") if resource.namespaced => return Ok(Arc::clone(resource)),
                // The path is there for reading all namespaces, but not for this.
                (_, "") if resource.namespaced => ApiError::method_not_allowed(),
                _ => ApiError::no_such_resource(),
            });
        }
        Ok(Arc::clone(resource))
    }

    async fn resource<B>(&self, body: B, user: &User) -> ApiResult<Produced>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let info = &self.info;
        let resource = self.find()?;
        let custom = resource.custom.is_some();
        let mut verbs = &resource.verbs;
        if !info.subresource.is_empty() {
            let sub = resource.subresource(&info.subresource).ok_or_else(|| match custom {
                true => ApiError::not_found(resource.target(&info.name)),
                false => ApiError::no_such_resource(),
            })?;
            if !info.rest.is_empty() && sub.name != "proxy" {
                return Err(ApiError::no_such_resource());
            }
            verbs = &sub.verbs;
        }
        let named = !info.name.is_empty();
        let one = ["get", "update", "patch", "delete"];
        if named && info.subresource.is_empty() && !one.iter().any(|verb| has_verb(verbs, verb)) {
            return Err(ApiError::no_such_resource());
        }
        let fits = match info.verb {
            "list" | "deletecollection" => !named,
            // Nobody looks at the name of what is created.
            "create" => !named || !info.subresource.is_empty() || custom,
            "get" | "update" | "patch" | "delete" => named,
            "watch" => true,
            _ => false,
        };
        if info.verb == "watch" && !has_verb(verbs, "watch") && has_verb(verbs, "list") {
            // It gets as far as the handler, and its warnings with it.
            if let Some(warning) = crate::registry::deprecation(&resource) {
                let _ = self.deprecated.set(warning);
            }
        }
        let has = |wanted: &str| has_verb(verbs, wanted);
        if !fits || !has(info.verb) {
            // Where the request gets as far as a handler, the handler says what it does not do.
            let reaches = match info.verb {
                "watch" => has("list"),
                "create" => custom && !info.subresource.is_empty(),
                "delete" => custom,
                _ => false,
            };
            return Err(match info.verb {
                _ if reaches => {
                    ApiError::method_not_supported(&resource.group, &resource.plural, info.verb)
                }
                "patch"
                    if custom && !handlers::patch::is_patch(self.header(header::CONTENT_TYPE)) =>
                {
                    handlers::patch::not_a_patch()
                }
                "patch" | "update" if custom && !named => {
                    ApiError::bad_request("name must be provided")
                }
                "" if custom => {
                    ApiError::method_not_supported(&resource.group, &resource.plural, "")
                }
                _ => ApiError::method_not_allowed(),
            });
        }
        self.check_segments()?;
        if self.parts.method == http::Method::HEAD && !custom {
            return Err(ApiError::method_not_allowed());
        }
        if let Some(warning) = crate::registry::deprecation(&resource) {
            let _ = self.deprecated.set(warning);
        }
        let watching = info.verb == "watch";
        let offer = match (watching, custom) {
            (true, custom) => Offer::Watch(!custom),
            (false, true) => Offer::Custom,
            (false, false) => Offer::Builtin,
        };
        if !custom {
            let streams = matches!(info.verb, "list" | "watch") && !info.watch_prefix;
            negotiate::route(self.header(header::ACCEPT), streams)?;
            if info.verb == "patch" && !handlers::patch::is_patch(self.header(header::CONTENT_TYPE))
            {
                return Err(ApiError::unsupported_route());
            }
        }
        let format = negotiate(self.header(header::ACCEPT), offer)?;
        let core = self.core;
        let agent = self.header(header::USER_AGENT);
        let query = &self.query;
        let request = handlers::Request { core, resource: &resource, info, query, agent };
        let answer = match info.verb {
            "watch" if info.subresource.is_empty() => request.watch(core).await?,
            "list" => request.list().await?,
            _ => self.one(&request, body, user).await?,
        };
        Ok(Produced::Answer(resource, format, answer))
    }

    /// Requests about one object, and those with a body.
    async fn one<B>(
        &self,
        request: &handlers::Request<'_>,
        body: B,
        user: &User,
    ) -> ApiResult<Answer>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let info = &self.info;
        let (resource, plural) = (request.resource, request.resource.plural.as_str());
        if resource.custom.as_ref().is_some_and(|custom| custom.by_webhook && !custom.is_stored) {
            return Err(ApiError::not_implemented("the conversion of objects by a webhook"));
        }
        let part = match info.subresource.as_str() {
            "" => Part::Main,
            "status" => Part::Status,
            "finalize" if plural == "namespaces" => Part::Finalize,
            "approval" if plural == "certificatesigningrequests" => Part::Approval,
            "binding" if plural == "pods" => return self.binding(request, body).await,
            "eviction" if plural == "pods" => {
                let (eviction, warnings) = self.posted(request, body).await?;
                let options = write_options(&self.query, "CreateOptions")?;
                return Ok(Answer { warnings, ..request.evict(&eviction, options)? });
            }
            "scale" => return self.scale(request, body).await,
            "token" if plural == "serviceaccounts" => {
                let (object, mut warnings) = self.posted(request, body).await?;
                let mut answer = request.token_request(object)?;
                warnings.append(&mut answer.warnings);
                return Ok(Answer { warnings, ..answer });
            }
            other => {
                let path = format!("{plural}/{other}");
                return Err(ApiError::not_implemented(&format!("the subresource {path}")));
            }
        };
        let stored = resource.verbs.iter().any(|verb| verb == "watch");
        if handlers::reviews::is_review(&resource.group, plural) {
            let (object, warnings) = self.posted(request, body).await?;
            let item = request.review(object, user)?;
            return Ok(Answer { reply: Reply::Object(201, item), warnings });
        }
        if plural == "bindings" && resource.group.is_empty() {
            return self.binding(request, body).await;
        }
        if !stored {
            return Err(ApiError::not_implemented(&format!("the resource {plural}")));
        }
        let content_type = self.header(header::CONTENT_TYPE);
        match info.verb {
            "get" => request.get().await,
            "create" => {
                let body = self.read(body).await?;
                let options = write_options(&self.query, "CreateOptions")?;
                let (mut object, mut warnings) =
                    request.decode(&body, content_type, options.validation)?;
                warnings.extend(handlers::new_object_warnings(resource, &object));
                if plural == "certificatesigningrequests" {
                    handlers::certificates::requested_by(&mut object, user);
                }
                request.expect_account(&object).await;
                let item = request.create(object, options).map_err(|e| e.warned(&warnings))?;
                warnings.extend(item.warnings.iter().cloned());
                Ok(Answer { reply: Reply::Object(201, item), warnings })
            }
            "update" => {
                let body = self.read(body).await?;
                let options = write_options(&self.query, "UpdateOptions")?;
                let (object, mut warnings) =
                    request.decode(&body, content_type, options.validation)?;
                let (item, created) =
                    request.put(object, part, options).map_err(|e| e.warned(&warnings))?;
                warnings.extend(item.warnings.iter().cloned());
                let code = if created { 201 } else { 200 };
                Ok(Answer { reply: Reply::Object(code, item), warnings })
            }
            "patch" => {
                let body = self.read(body).await?;
                request.patch(&body, content_type, part)
            }
            "delete" | "deletecollection" => {
                let body = self.read(body).await?;
                let options = request.delete_options(&body, content_type)?;
                if info.verb == "delete" {
                    request.delete(&options)
                } else {
                    request.delete_collection(&options).await
                }
            }
            _ => Err(ApiError::method_not_allowed()),
        }
    }

    /// A Pod is bound to a node.
    async fn binding<B>(&self, request: &handlers::Request<'_>, body: B) -> ApiResult<Answer>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let (binding, warnings) = self.posted(request, body).await?;
        let options = write_options(&self.query, "CreateOptions")?;
        let name = match self.info.name.as_str() {
            "" => crate::registry::name_of(&binding).to_owned(),
            name => name.to_owned(),
        };
        Ok(Answer { warnings, ..request.bind(&name, &binding, options)? })
    }

    /// The object of a POST, and warnings about it.
    async fn posted<B>(
        &self,
        request: &handlers::Request<'_>,
        body: B,
    ) -> ApiResult<(Object, Vec<String>)>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let body = self.read(body).await?;
        let options = write_options(&self.query, "CreateOptions")?;
        request.decode(&body, self.header(header::CONTENT_TYPE), options.validation)
    }

    /// Requests about the scale of an object.
    async fn scale<B>(&self, request: &handlers::Request<'_>, body: B) -> ApiResult<Answer>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let content_type = self.header(header::CONTENT_TYPE);
        match self.info.verb {
            "get" => request.get_scale(),
            "update" => {
                let body = self.read(body).await?;
                let options = write_options(&self.query, "UpdateOptions")?;
                let (scale, _) = request.decode(&body, content_type, options.validation)?;
                request.update_scale(options, &|_| Ok(scale.clone()))
            }
            _ => {
                let body = self.read(body).await?;
                let options = write_options(&self.query, "PatchOptions")?;
                let (patch, _) = request.read_patch(&body, content_type)?;
                request.update_scale(options, &|scale| patch.apply_plain(scale, self.core))
            }
        }
    }

    /// The body, up to the limit.
    async fn read<B>(&self, body: B) -> ApiResult<Bytes>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let max = self.core.settings.max_body;
        let mut body = std::pin::pin!(body);
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            // In Go's words, who tells of a client that left no more than of one that stuttered.
            let frame = frame.map_err(|_| ApiError::unknown("unexpected EOF"))?;
            if let Ok(mut data) = frame.into_data() {
                use bytes::Buf;
                if bytes.len() + data.remaining() > max {
                    return Err(ApiError::too_large(&format!("limit is {max}")));
                }
                bytes.extend_from_slice(&data.copy_to_bytes(data.remaining()));
            }
        }
        Ok(bytes.freeze())
    }
}
